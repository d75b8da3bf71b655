/* Which parts of one host's captures have come: a growing set of (round, part), kept as runs of neighbours. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

struct part_run {
    uint64_t low, high; /* round << 32 | part, both included */
};

struct part_set {
    struct part_run *runs; /* ascending, with gaps between them */
    size_t n, cap;
};

/* All zero is the empty set. */
void part_set_done(struct part_set *s);
bool part_set_has(const struct part_set *s, uint32_t round, uint32_t part);
/* ERR_EXISTS: it was there; ERR_LIMIT: not below LIMIT_ROUNDS and LIMIT_PARTS; ERR_NOMEM. */
NODISCARD enum err part_set_add(struct part_set *s, uint32_t round, uint32_t part);
/* Are the round's parts 0 … n - 1 all there? */
bool part_set_full(const struct part_set *s, uint32_t round, uint32_t n);
