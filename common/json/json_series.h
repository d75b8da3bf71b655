/* The JSON of docs/json.md: histograms over time.  As json_answer.h. */
#pragma once

#include "common/wire/query.h"

/* One moment of a series. */
struct series_point {
    struct answer answer;
    uint32_t round;         /* from 1 on; 0: the campaign has one */
    uint64_t start_wall_ns; /* when it began; of a round: when it was to begin */
};

NODISCARD enum err json_series_hist(const struct series_point *points, size_t n, struct buf *out);
