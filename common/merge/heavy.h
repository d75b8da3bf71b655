/* The heaviest of more keys than there is memory for: Space-Saving (Metwally, Agrawal, El Abbadi: "Efficient computation of frequent
 * and top-k elements in data streams", ICDT 2005), with weights.  A fixed number of counters; a key without one takes over the
 * lightest, and with it that one's weight as its own possible error.
 * For every key that has a counter: its true weight is from weight - error to weight.  A key without one weighs at most heavy_least.
 * Owns its memory.  Thread: one owner. */
#pragma once

#include <stdint.h>

#include "common/base/auto.h"
#include "common/base/err.h"
#include "common/base/span.h"

struct heavy;
struct heavy_key {
    struct span key; /* dies with the next add */
    uint64_t weight, error;
};

/* counters ≥ 1.  NULL: out of memory. */
struct heavy *heavy_new(uint32_t counters);
void heavy_free(struct heavy *h);
AUTO_TYPE(struct heavy, heavy_free)
/* Weights saturate.  ERR_NOMEM: nothing was added. */
NODISCARD enum err heavy_add(struct heavy *h, struct span key, uint64_t weight);
/* All weights times factor: their unit has become finer. */
void heavy_scale(struct heavy *h, uint64_t factor);
uint32_t heavy_n(const struct heavy *h);
struct heavy_key heavy_at(const struct heavy *h, uint32_t i); /* i < heavy_n, in no order */
uint64_t heavy_least(const struct heavy *h);                  /* 0 while there are free counters */
