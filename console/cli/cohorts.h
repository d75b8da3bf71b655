/* The two sides of a comparison, from the words and options of a verb: `ID1 ID2`, `ID --on A --versus B`, or both. */
#pragma once

#include "console/cli/ask.h"

struct cohort {
    const char *campaign; /* id, prefix or "last" */
    const char *on;       /* selector; NULL: all its hosts */
    char words[160];      /* both, for people */
};

/* True: there is something to compare with, in out[1]. */
bool cohorts_of(const struct args *a, struct cohort out[2]);
/* What q asks, of one side: its histograms or its stacks.  False: said why. */
bool cohorts_ask(struct ask *k, const struct cohort *c, enum query_kind kind, const struct query *q, struct answer *out);
/* The worse of both. */
int cohorts_exit_code(const struct answer *is, const struct answer *was);
