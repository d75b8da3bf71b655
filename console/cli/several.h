/* Several campaigns of one tool added up into one answer: stacks of the same process and frames count together.  Coverage, ledger, notes
 * and missing hosts are not added up: each campaign keeps its own, in answer.also. */
#pragma once

#include "console/cli/ask.h"

/* Pure.  each[0 … n): answers with all their stacks, after focus and ignore.  *out is each[0] with the stacks of all, at most q->n of them
 * (or of the parts that q->by asks for; 0: all), largest first, and the others in its `also`; it borrows from them. ERR_REFUSED: they count
 * in different units; ERR_NOMEM. */
NODISCARD enum err several_sum(const struct answer *each, size_t n, const struct query *q, struct arena *mem, struct answer *out);
/* Asks q of each of the campaigns (ids, prefixes or "last") and adds them up.  False: said why: there is no such campaign, one is named
 * twice, their tools differ or print no stacks. */
bool several_ask(struct ask *k, const char *const *campaigns, size_t n, const struct query *q, struct answer *out);
/* 0: every host of every campaign is in the answer; 1: none at all; else 3. */
int several_exit_code(const struct answer *a);
