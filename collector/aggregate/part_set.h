/* Which parts of one capture have come: a growing set of small numbers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

struct part_set {
    uint64_t *words;
    size_t n_words;
};

/* All zero is the empty set. */
void part_set_done(struct part_set *s);
bool part_set_has(const struct part_set *s, uint32_t part);
/* ERR_EXISTS: it was there; ERR_LIMIT: not below LIMIT_PARTS; ERR_NOMEM. */
NODISCARD enum err part_set_add(struct part_set *s, uint32_t part);
/* Are 0 … n - 1 all there? */
bool part_set_full(const struct part_set *s, uint32_t n);
