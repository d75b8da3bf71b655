/* Stacks of two answers beside each other.  Two runs never have the same number of samples, so what is compared is the share that each
 * stack, frame or process has of its own answer's total.  Pure; in mem. */
#pragma once

#include "common/merge/stack_view.h"

struct stack_change {
    struct span name;             /* a part's; of a stack: its process */
    uint32_t leaf;                /* of a stack: its node in the tree of both */
    uint64_t is, was;             /* counts, in the first and in the second */
    double share, before, change; /* of the totals, 0 … 1; change = share - before */
};

/* One side: what it has, and what that is a share of. */
struct stack_side {
    const struct stack_part *parts;
    size_t n;
    uint64_t total;
};

/* Every stack of either.  *out_tree has the frames of both.  Largest change first, then by process, then in the order in which they were
 * met. ERR_REFUSED: the units differ; ERR_NOMEM. */
NODISCARD enum err stack_diff_stacks(const struct stacks *is, const struct stacks *was, struct arena *mem, struct stacks *out_tree,
                                     struct stack_change **out, size_t *out_n);
/* The same of parts by name: of what they have by themselves, or in all.  Names are borrowed.  ERR_NOMEM. */
NODISCARD enum err stack_diff_parts(const struct stack_side *is, const struct stack_side *was, enum stack_rank rank, struct arena *mem,
                                    struct stack_change **out, size_t *out_n);
