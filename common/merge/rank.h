/* Hosts of a histogram answer, worst first: by p99, then p50, then name; hosts without a count last.  Pure. */
#pragma once

#include "common/merge/percentile.h"

struct rank {
    struct span host;
    struct hist hist; /* all sections of one unit and scale, added up; no slots when the host has none */
    uint64_t total;
    struct percentile p50, p90, p99, p999;
    size_t n_refused; /* histograms left out, because their slots do not agree with those before them */
};

/* One host's entry in mem, from all its histograms of like's unit and scale (like NULL, or none of them: of the unit and scale of
 * its first).  ERR_NOMEM. */
NODISCARD enum err rank_host(struct span host, const struct hist_set *hists, const struct hist *like, struct arena *mem, struct rank *out);
void rank_sort(struct rank *ranks, size_t n);
