/* Asks for a merged answer of one campaign and prints it as the person wants it. */
#pragma once

#include "console/cli/ask.h"

/* Do the options fit such an answer?  False: said what does not (EXIT_USAGE).  Before anything is asked. */
bool show_fits(const char *verb, const struct args *a, enum result_kind what);
/* An answer as the options want it, on standard output.  ERR_NOMEM, ERR_LIMIT. */
NODISCARD enum err show_print(const struct answer *answer, const struct args *a, enum query_kind kind);
/* One question of a kind.  The second: by what the campaign's tool prints:
 * what RESULT_HISTOGRAM: hist; RESULT_EVENTS: top when a->by is set, else events; RESULT_STACKS: stacks.  campaign: id, prefix or "last".
 * The third: the stacks of all the campaigns in a->words as one answer (several.h).  They return the exit code. */
int show_question(struct ask *k, const struct args *a, enum query_kind kind, enum rpc_method method, const char *campaign);
int show_answer(struct ask *k, const struct args *a, enum result_kind what, const char *campaign);
int show_sum(struct ask *k, const struct args *a);
