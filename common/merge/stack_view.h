/* Stacks looked at from one side: only those with, or without, a frame; and their parts: what each frame or process has by itself
 * (it is the leaf, or the whole of it) and in all (it is anywhere in the stack, counted once however often).  Pure. */
#pragma once

#include "common/model/stacks.h"

enum stack_rank { STACK_BY_SELF, STACK_BY_TOTAL };

struct stack_filter {
    struct span focus, ignore; /* part of a frame's name, or with * or ? a pattern of the whole; empty: all, none */
};

struct stack_part {
    struct span name;
    uint64_t self, total; /* saturating */
};

/* Which rows stay, into out_rows[n_rows]: 1 or 0.  ERR_NOMEM. */
NODISCARD enum err stack_view_rows(const struct stacks *s, const struct stack_filter *f, unsigned char *out_rows);
/* The parts of the rows that stay (NULL: all), best first by rank, then by name; at most n (0: all).  In mem, names borrowed from s. */
NODISCARD enum err stack_view_frames(const struct stacks *s, const unsigned char *rows, enum stack_rank rank, size_t n, struct arena *mem,
                                     struct stack_part **out, size_t *out_n, size_t *out_all);
NODISCARD enum err stack_view_processes(const struct stacks *s, const unsigned char *rows, size_t n, struct arena *mem,
                                        struct stack_part **out, size_t *out_n, size_t *out_all);
