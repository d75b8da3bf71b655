/* Percentiles of a slotted histogram, by the rule users of these tools know: the first slot whose cumulative count is at
 * least ceil(p × total); its midpoint (low + high) / 2; always with its bracket.  DESIGN.md (4).  An open slot's midpoint is
 * its low end. */
#pragma once

#include <stdbool.h>

#include "common/model/histogram.h"

struct percentile {
    bool known;         /* false: the histogram is empty */
    double value;       /* midpoint */
    uint64_t low, high; /* bracket; high may be HIST_OPEN */
};

/* permille 1…1000: 500 is the median, 999 the p999. */
struct percentile percentile_of(const struct hist *h, unsigned permille);
