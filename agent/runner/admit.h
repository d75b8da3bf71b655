/* A request, checked against the catalogue and the host's policy.  agentd may be in anybody's hands: nothing in it is believed. */
#pragma once

#include "agent/runner/policy.h"
#include "agent/runner/request.h"

/* What may be run: rows of the const catalogue and parameters in range. */
struct admitted {
    const struct tool *tool;
    const struct flavour *flavour;
    struct params params;
    unsigned seconds;
};

/* REQUEST_RUN.  Pure: reads nothing but its arguments.  ERR_REFUSED: not catalogued, out of range, or against the policy;
 * why says it (one sentence without its full stop). */
NODISCARD enum err admit_run(const struct request *r, const struct policy *p, size_t running_now, uint64_t wall_ns,
                             struct admitted *out, struct buf *out_why);
/* REQUEST_PROBE: tool and flavour only.  ERR_REFUSED. */
NODISCARD enum err admit_probe(const struct request *r, const struct policy *p, struct admitted *out, struct buf *out_why);
