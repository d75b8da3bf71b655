/* What this host can run: every tool × flavour of the catalogue, asked of the runner once at the start.  Thread: the loop's. */
#pragma once

#include "agent/daemon/channel.h"
#include "common/catalog/choice.h"
#include "common/wire/session.h"

enum { CAPABILITY_MAX = TOOL__COUNT * FLAVOUR__COUNT, CAPABILITY_WHY_BYTES = 256 };

struct capability {
    enum tool_id tool;
    enum flavour_id flavour;
    bool known, runnable;
    char why[CAPABILITY_WHY_BYTES]; /* why not; when it is runnable, what is known to be wrong with it here, or nothing */
};

struct capabilities {
    struct capability rows[CAPABILITY_MAX];
    size_t n, n_known;
};

/* Asks about every flavour that has a binary; the answers come as reports. */
NODISCARD enum err capability_ask(struct capabilities *all, struct channel *c);
/* A REPORT_CAPABLE has come; one that was not asked for, or comes again, changes nothing.  True when it was the last one outstanding. */
bool capability_answer(struct capabilities *all, const struct report *r);
/* As choice_make. */
const struct flavour *capability_choose(const struct capabilities *all, const struct tool *t, enum flavour_id wanted, const struct params *ps,
                                        struct buf *out_why);
/* As facts for the collector; in mem, the texts are all's. */
NODISCARD enum err capability_facts(const struct capabilities *all, struct arena *mem, struct tool_fact **out, size_t *out_n);
