/* Numbers in words: a tool's bands, as the catalogue has them or as whoever reads them wants them.  Pure. */
#pragma once

#include "common/catalog/catalog.h"

enum { BANDS_MAX = 32 };

/* Bands of one's own; they go before the catalogue's. */
struct bands {
    struct {
        enum tool_id tool;
        struct band band;
    } list[BANDS_MAX];
    size_t n;
};

/* Words "runqlat.p99=200us,2ms biolatency/hdd.p50=8ms": tool, kind of device if it is of one only, percentile, good below, critical
 * above (none: never).  False: why says which word is wrong. */
bool bands_parse(const char *words, struct bands *out, char *why, size_t why_size);
/* "good", "warning" or "critical": the worst of its percentiles.  own may be NULL.  A histogram of a kind of device (its section "kind")
 * is read by that kind's bands, where there are some.  NULL: it has no bands, or h is empty or not of times. */
const char *bands_verdict(const struct tool *t, const struct hist *h, const struct bands *own);
/* The worse one of two; either may be NULL. */
const char *bands_worse(const char *a, const char *b);
/* Where the other end is, by how long it takes to get there: "same datacenter". */
const char *bands_distance(double us);
/* What such a value of a tool's column tells, in milliseconds: where the other end of a connection is.  NULL: nothing known. */
const char *bands_reading(struct span tool, struct span column, double value);
