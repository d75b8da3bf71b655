/* Histograms of two answers beside each other: how far one lies from the other, in octaves (doublings).
 * Percentiles of slots are only known up to their slots, so their distance is a bracket too; the distance of the means of the logarithms
 * uses every slot and comes with its standard error, sampling and slots' widths both.  Pure. */
#pragma once

#include <stdbool.h>

#include "common/merge/percentile.h"

struct hist_shift {
    bool known;                /* both sides have the percentile, and it is not 0 */
    double octaves;            /* between the midpoints: above 0 when the first is slower */
    double low, high;          /* where the true distance lies; ∓ INFINITY when a slot begins at 0 or is open */
    struct percentile is, was; /* of the first, of the second */
};

struct hist_diff {
    const struct hist *is, *was; /* one of them may be NULL: only the other has this section and unit */
    struct hist_shift p50, p99;
    bool mean_known;
    double mean, error; /* octaves */
};

/* Histograms of the same unit, scale and section meet; those that nobody meets stand alone.  In the first's order, then what only the
 * second has.  Borrows both, in mem.  ERR_NOMEM. */
NODISCARD enum err hist_diff_sets(const struct hist_set *is, const struct hist_set *was, struct arena *mem, struct hist_diff **out,
                                  size_t *out_n);
