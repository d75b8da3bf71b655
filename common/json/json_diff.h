/* The JSON of docs/json.md: two answers compared.  As json_answer.h. */
#pragma once

#include "common/merge/hist_diff.h"
#include "common/merge/stack_diff.h"
#include "common/wire/query.h"

NODISCARD enum err json_diff_hist(const struct answer *is, const struct answer *was, const struct hist_diff *diffs, size_t n,
                                  struct buf *out);
/* tree NULL: parts by is->by; else stacks.  all: changes there are in all. */
NODISCARD enum err json_diff_stacks(const struct answer *is, const struct answer *was, const struct stacks *tree,
                                    const struct stack_change *changes, size_t n, size_t all, struct buf *out);
