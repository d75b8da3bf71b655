/* Hosts by how they do, worst first: by p99, then p50, then name.  Pure; everything in mem. */
#pragma once

#include "common/catalog/bands.h"
#include "common/merge/percentile.h"

enum { RANKING_P50, RANKING_P90, RANKING_P99, RANKING_P999, RANKING_PERCENTILES };

struct ranking_row {
    struct span host, unit;
    uint64_t total;
    struct percentile percentile[RANKING_PERCENTILES];
    const char *verdict; /* the worst of its kinds of devices; NULL when the tool has no bands */
    size_t left_out;     /* histograms whose slots do not agree with those before them */
};

/* Room for up to max rows; keeps own (NULL: the catalogue's bands alone).  NULL: over mem's budget. */
struct ranking;
struct ranking *ranking_new(const struct tool *tool, const struct bands *own, size_t max, struct arena *mem);
/* One more host, whose histograms have ascending slots, as decoded ones have.  Its sections are merged first, as far as their slots agree;
 * of several units and scales the first one's counts. ERR_NOMEM. */
NODISCARD enum err ranking_add(struct ranking *r, struct span host, const struct hist_set *hists);
/* Sorts and gives the rows, worst first. */
const struct ranking_row *ranking_rows(struct ranking *r, size_t *out_n);
