/* Two answers compared, for people and as CSV.  People are told of both what was asked, their coverage and their ledger first; rows of CSV
 * have no place for it, so that answer_diff_heads goes elsewhere. */
#pragma once

#include "common/merge/hist_diff.h"
#include "common/merge/stack_diff.h"
#include "common/wire/query.h"
#include "console/render/screen.h"

struct answer_diff {
    const struct answer *is, *was; /* the first, compared with the second */
    const char *of_is, *of_was;    /* "last on role=db": what was asked for, in words */
};

void answer_diff_heads(const struct answer_diff *d, const struct screen *s);
NODISCARD enum err answer_diff_hist(const struct answer_diff *d, const struct hist_diff *diffs, size_t n, const struct screen *s);
NODISCARD enum err answer_diff_hist_csv(const struct hist_diff *diffs, size_t n, FILE *to);
/* tree NULL: parts by d->is->by; else stacks.  all: changes there are in all. */
NODISCARD enum err answer_diff_stacks(const struct answer_diff *d, const struct stacks *tree, const struct stack_change *changes, size_t n,
                                      size_t all, const struct screen *s);
NODISCARD enum err answer_diff_stacks_csv(const struct stacks *tree, const struct stack_change *changes, size_t n, FILE *to);
