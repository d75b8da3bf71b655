/* Which of a tool's flavours is taken on a host, and why.  Pure: an agent chooses with it, and a plan foretells it. */
#pragma once

#include "common/catalog/catalog.h"

/* What is known of one flavour on the host. */
struct choice_known {
    bool known, runnable;
    struct span why; /* why it cannot run; of one that can: what is known to be wrong with it, or nothing */
};

/* The first flavour in the catalogue's order that runs, is not known to be wrong and has all the parameters; wanted FLAVOUR_ANY, or
 * one in particular, which may be wrong: whoever names it knows.  out_why gets the reason: why this one, or with NULL why none. */
const struct flavour *choice_make(const struct tool *t, const struct choice_known of[FLAVOUR__COUNT], enum flavour_id wanted,
                                  const struct params *ps, struct buf *out_why);
