/* How a capture ended: from what the runner reported, what was read and what the parser understood to one coverage state
 * with a reason.  An exit code alone proves neither success nor failure (TOOLS.md 3): the catalogue row says what does.  Pure. */
#pragma once

#include "agent/runner/request.h"
#include "common/wire/part.h"

struct outcome_facts {
    const struct tool *tool;
    const struct flavour *flavour;
    const struct report *ended; /* REPORT_ENDED */
    const struct capture *capture;
    uint64_t out_dropped_bytes, err_dropped_bytes, out_cap_bytes;
    uint64_t unparsed_bytes; /* of stdout, for which the memory budget was too small */
    bool cut;                /* stdout was not read to its end */
    struct span err;         /* stderr as kept */
    struct span cancelled;   /* why it was stopped from outside; "" when it was not */
    uint64_t started_wall_ns;
};

/* Borrows the capture's notes.  ERR_NOMEM. */
NODISCARD enum err outcome_judge(const struct outcome_facts *f, struct arena *mem, struct outcome *out);
/* The outcome of an order that never became a run. */
struct outcome outcome_without_run(enum coverage c, struct span reason, enum result_kind kind, bool replayed);
