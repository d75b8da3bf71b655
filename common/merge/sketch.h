/* Quantiles of numbers that come from many hosts: a histogram with slots of equal relative width, so that adding up slots is adding
 * up streams and the order of adding cannot matter.  The method is DDSketch (Masson, Rim, Lee: "DDSketch: a fast and
 * fully-mergeable quantile sketch with relative-error guarantees", VLDB 2019) with its linearly interpolated index: 64 slots per
 * octave, which the bits of a double give without a logarithm.
 * Every quantile is within SKETCH_ERROR of the true value of its rank, relatively, for values of 1e-9 to 9.2e18 in size; smaller
 * ones count as 0.  All zero is the empty sketch; memory is the arena's.  Thread: one owner. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"

#define SKETCH_ERROR (1.0 / 128)
enum { SKETCH_BYTES_MAX = 256 * 1024 }; /* what one may ask of its arena at once: less */

struct sketch {
    uint64_t n;      /* saturating */
    uint64_t *slots; /* few: slot and count in one word, ascending; many: the counts from `first` on */
    size_t n_slots, cap;
    int32_t first;
    bool dense;
};

struct quantile {
    bool known; /* false: of nothing */
    double value;
    double low, high; /* the slot it lies in */
};

/* At most 2^48 - 1 at a time.  ERR_NOMEM leaves it as it was. */
NODISCARD enum err sketch_add(struct sketch *s, double value, uint64_t count, struct arena *mem);
/* The same value is about to be added: what that touches is brought nearer.  Changes nothing. */
void sketch_soon(const struct sketch *s, double value);
/* ERR_NOMEM: a part of from was added. */
NODISCARD enum err sketch_merge(struct sketch *into, const struct sketch *from, struct arena *mem);
/* permille 1 … 1000, by the rule of percentile.h: the first slot whose cumulative count is at least ceil(p × n). */
struct quantile sketch_quantile(const struct sketch *s, unsigned permille);
