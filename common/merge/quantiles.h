/* One quantile of the numbers of each of very many groups, from two readings of the numbers.  The slots are those of DDSketch (Masson,
 * Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees", VLDB 2019): of equal relative width, so
 * that the order of the numbers cannot matter, 64 per octave, which the bits of a double give without a logarithm.  All slots of many
 * groups would fit no cache, and a quantile needs few: the first reading counts by octave, which tells the octave that it lies in; the
 * second counts that octave's slots.
 * Every quantile is within QUANTILES_ERROR of the true value of its rank, relatively, for values of 1e-9 to 9.2e18 in size; smaller ones
 * count as 0.  Owns its memory.  Thread: one owner. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/auto.h"
#include "common/base/err.h"

#define QUANTILES_ERROR (1.0 / 128)

struct quantile {
    bool known; /* false: of nothing, or not asked for */
    double value;
    double low, high; /* the slot it lies in */
};

/* Numbers of one table: row i is of group[i] and has number[i] / unit, EVENTS_NULL none. */
struct quantiles_rows {
    const uint32_t *group;
    const int64_t *number;
    double unit;
    size_t n;
};

struct quantiles;
/* permille 1 … 1000, by the rule of percentile.h: the first slot whose cumulative count is at least ceil(p × n).  NULL: out of memory. */
struct quantiles *quantiles_new(unsigned permille, size_t budget_bytes);
void quantiles_free(struct quantiles *q);
AUTO_TYPE(struct quantiles, quantiles_free)

/* Room for groups 0 … n - 1, or for as many of them as the budget has.  ERR_NOMEM: malloc failed. */
NODISCARD enum err quantiles_room(struct quantiles *q, size_t n);
size_t quantiles_groups(const struct quantiles *q); /* that have room; rows of others are passed over */
/* The first reading.  It can make quantiles_groups fewer: numbers of many octaves take more room.  Counts saturate at 2^32 - 1.
 * ERR_NOMEM. */
NODISCARD enum err quantiles_count(struct quantiles *q, const struct quantiles_rows *rows);

/* After it: out_wanted[group] becomes 1 for every group whose quantile may be among the n highest. */
void quantiles_highest(const struct quantiles *q, size_t n, unsigned char *out_wanted);
/* The second reading is for these, and is repeated, with the same rows each time, while quantiles_again is true: at most until each
 * had its turn, as many at a time as the budget has room for.  ERR_NOMEM. */
NODISCARD enum err quantiles_choose(struct quantiles *q, const unsigned char *wanted);
bool quantiles_again(struct quantiles *q);
void quantiles_refine(struct quantiles *q, const struct quantiles_rows *rows);
struct quantile quantiles_get(const struct quantiles *q, uint32_t group);
