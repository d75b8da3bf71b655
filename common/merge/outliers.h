/* Hosts that stand apart from their peers.
 *
 * Each host has a place on an axis of octaves (doublings): the mean of log2 of what was measured, the log2 of a rate, the log2 of a
 * distance between profiles.  Hosts that are the same do not have the same place, so the spread that is usual in the fleet is
 * measured, not assumed, and robustly, so that the outliers themselves cannot hide in it:
 *   - peers: hosts of one group; in a group without labels that tell roles apart, its clusters (densest first, each at least
 *     OUTLIERS_CLUSTER_SHARE of the group: fewer are no role but outliers)
 *   - centre and spread: median and median absolute deviation of the peers (Iglewicz, Hoaglin: "How to Detect and Handle Outliers",
 *     1993); sampling error of each place is added, the median one subtracted first (as in DerSimonian, Laird 1986)
 *   - a Student's t of 0.37 × (peers - 1) degrees (the efficiency of the MAD), made a normal by Wallace's formula (1959)
 *   - q: Benjamini, Hochberg, "Controlling the False Discovery Rate", 1995, over all hosts together
 * An outlier has q at most `rate` and is at least `least` octaves away.  What no label tells: a host whose fault moves it to where
 * another role is at home is taken for one of these.  Pure. */
#pragma once

#include "common/model/histogram.h"

#define OUTLIERS_CLUSTER_SHARE 0.05
enum { OUTLIERS_PEERS_MIN = 5 }; /* fewer hosts together: nobody is told apart */

struct outlier_host {
    double at, variance; /* its place, and the sampling error's variance */
    uint32_t group;      /* only hosts of the same are compared */
    bool split;          /* look for clusters in its group */
    /* found out */
    double centre, octaves, q; /* octaves: at - centre; q 1 when it was not tested */
    uint32_t peers, cluster;   /* hosts it was compared with; a number for them */
    bool found;
};

struct outliers_rule {
    double rate, least; /* 0.05, 0.5 */
    bool above_only;    /* a place below the centre is none */
};

/* Fills the lower half of each.  ERR_NOMEM. */
NODISCARD enum err outliers_find(struct outlier_host *hosts, size_t n, const struct outliers_rule *rule);
/* Where a histogram stands: mean log2 of its slots' midpoints, and the sampling variance of that.  False: it is empty. */
bool outliers_place(const struct hist *h, double *out_at, double *out_variance);
/* The slot that says most about how h differs from its peers: its share there over theirs.  False: there is none. */
bool outliers_slot(const struct hist *h, const struct hist *peers, struct hist_slot *out_slot, double *out_times);
