/* Merge of stacks over hosts: same process name and same frames add up (pids are of one host and are dropped).
 * Owns its memory.  Thread: one owner. */
#pragma once

#include "common/base/auto.h"
#include "common/model/stacks.h"

struct stack_merge;
struct stack_merge *stack_merge_new(size_t budget_bytes);
void stack_merge_free(struct stack_merge *m);
AUTO_TYPE(struct stack_merge, stack_merge_free)
/* ERR_NOMEM: over the budget (nothing, or a prefix of s's rows, was added: the caller marks the answer partial);
 * ERR_REFUSED: another unit than before. */
NODISCARD enum err stack_merge_add(struct stack_merge *m, const struct stacks *s);
/* Borrowed view of the whole, and its rows by descending count (ties: comm, then frames bytewise), at most n (0: all), in mem. */
const struct stacks *stack_merge_view(const struct stack_merge *m);
NODISCARD enum err stack_merge_top(const struct stack_merge *m, size_t n, struct arena *mem, const struct stack_row ***out, size_t *out_n);
/* One row with its frames into stacks of its own.  places: one for each node of the view, zero at first, the same for all rows copied into
 * the same stacks.  ERR_NOMEM. */
NODISCARD enum err stack_merge_copy(const struct stack_merge *m, const struct stack_row *row, uint32_t *places, struct stacks *into);
