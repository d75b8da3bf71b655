#include "common/merge/outliers.h"

#include <math.h>
#include <stdlib.h>

enum { CLUSTERS_MAX = 8, SETTLE_ROUNDS = 10, SLOT_COUNT_MIN = 10 };
#define CORE_OCTAVES 0.75 /* half the width in which a cluster is looked for */
#define SPREAD_MIN   0.05 /* octaves: hosts are never more alike than this */
#define MAD_TO_SIGMA 1.4826
#define MAD_DEGREES  0.37

/* ---- places ---- */
static double middle(const struct hist_slot *s) {
    double v = s->high == HIST_OPEN ? (double)s->low : ((double)s->low + (double)s->high) / 2;
    return log2(v > 0.5 ? v : 0.5);
}

bool outliers_place(const struct hist *h, double *out_at, double *out_variance) {
    double n = 0, sum = 0, squares = 0;
    for (size_t i = 0; i < h->n_slots; i++) {
        double count = (double)h->slots[i].count, x = middle(&h->slots[i]);
        n += count;
        sum += count * x;
        squares += count * x * x;
    }
    if (n < 1) return false;
    *out_at = sum / n;
    /* Even one slot is up to an octave wide. */
    *out_variance = (fmax(squares / n - *out_at * *out_at, 0) + 1.0 / 12) / n;
    return true;
}

static double share_at(const struct hist *h, const struct hist_slot *slot, double total) {
    for (size_t i = 0; i < h->n_slots; i++)
        if (h->slots[i].low == slot->low && h->slots[i].high == slot->high) return ((double)h->slots[i].count + 0.5) / (total + 1);
    return 0.5 / (total + 1);
}

bool outliers_slot(const struct hist *h, const struct hist *peers, struct hist_slot *out_slot, double *out_times) {
    double total = (double)hist_total(h), theirs = (double)hist_total(peers), best = 0;
    for (size_t i = 0; i < h->n_slots; i++) {
        double mine = (double)h->slots[i].count / total, times = mine / share_at(peers, &h->slots[i], theirs);
        if (h->slots[i].count < SLOT_COUNT_MIN || times <= 1 || mine * log2(times) <= best) continue;
        best = mine * log2(times);
        *out_slot = h->slots[i];
        *out_times = times;
    }
    return best > 0;
}

/* ---- one group ---- */
static int ascending(const void *pa, const void *pb) {
    double a = *(const double *)pa, b = *(const double *)pb;
    return a < b ? -1 : a > b;
}

static double median_of_sorted(const double *v, size_t n) { return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2; }

static double median(double *v, size_t n) {
    qsort(v, n, sizeof *v, ascending);
    return median_of_sorted(v, n);
}

/* Of sorted places not yet taken the densest stretch of 2 × CORE_OCTAVES; its median, how many it has, and that they are taken. */
static size_t take_densest(double *sorted, size_t *n, double *out_centre) {
    size_t best = 0, best_n = 0;
    for (size_t low = 0, high = 0; high < *n; high++) {
        while (sorted[high] - sorted[low] > 2 * CORE_OCTAVES) low++;
        if (high - low + 1 > best_n) {
            best = low;
            best_n = high - low + 1;
        }
    }
    *out_centre = median_of_sorted(sorted + best, best_n);
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++)
        if (fabs(sorted[i] - *out_centre) > CORE_OCTAVES) sorted[kept++] = sorted[i];
    *n = kept;
    return best_n;
}

static size_t nearest(double at, const double *centres, size_t n) {
    size_t best = 0;
    for (size_t c = 1; c < n; c++)
        if (fabs(at - centres[c]) < fabs(at - centres[best])) best = c;
    return best;
}

/* The group's hosts, by place. */
struct group {
    struct outlier_host **hosts;
    size_t n;
    double *scratch; /* n of them */
    double centres[CLUSTERS_MAX];
    size_t n_centres;
};

static void find_centres(struct group *g) {
    size_t left = g->n, least = (size_t)ceil(OUTLIERS_CLUSTER_SHARE * (double)g->n);
    if (least < OUTLIERS_PEERS_MIN) least = OUTLIERS_PEERS_MIN;
    for (size_t i = 0; i < g->n; i++) g->scratch[i] = g->hosts[i]->at;
    qsort(g->scratch, g->n, sizeof *g->scratch, ascending);
    if (!g->hosts[0]->split || g->n < 2 * least) {
        g->centres[g->n_centres++] = median_of_sorted(g->scratch, g->n);
        return;
    }
    while (left && g->n_centres < CLUSTERS_MAX) {
        size_t size = take_densest(g->scratch, &left, &g->centres[g->n_centres]);
        if (size < least && g->n_centres) break;
        g->n_centres++;
        if (size < least) break;
    }
    /* Each to the nearest, and the centres to the middle of theirs, until they settle. */
    for (int round = 0; round < SETTLE_ROUNDS && g->n_centres > 1; round++) {
        double moved = 0;
        for (size_t c = 0; c < g->n_centres; c++) {
            size_t n = 0;
            for (size_t i = 0; i < g->n; i++)
                if (nearest(g->hosts[i]->at, g->centres, g->n_centres) == c) g->scratch[n++] = g->hosts[i]->at;
            if (n == 0) continue;
            double to = median(g->scratch, n);
            moved = fmax(moved, fabs(to - g->centres[c]));
            g->centres[c] = to;
        }
        if (moved < 1e-9) break;
    }
}

/* The chance that a host that is the same as its peers is at least so far away. */
static double chance(double t, double degrees, bool above_only) {
    double z = (8 * degrees + 1) / (8 * degrees + 3) * sqrt(degrees * log1p(t * t / degrees)), both = erfc(z / M_SQRT2);
    return !above_only ? both : t > 0 ? both / 2 : 1 - both / 2;
}

static void judge_cluster(struct group *g, size_t c, uint32_t number, bool above_only) {
    double *distance = g->scratch;
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++)
        if (g->hosts[i]->cluster == c) distance[n++] = fabs(g->hosts[i]->at - g->centres[c]);
    if (n == 0) return;
    double sigma = MAD_TO_SIGMA * median(distance, n);
    n = 0;
    for (size_t i = 0; i < g->n; i++)
        if (g->hosts[i]->cluster == c) distance[n++] = g->hosts[i]->variance;
    double usual = median(distance, n), between = fmax(sigma * sigma - usual, SPREAD_MIN * SPREAD_MIN);
    for (size_t i = 0; i < g->n; i++) {
        struct outlier_host *h = g->hosts[i];
        if (h->cluster != c) continue;
        h->centre = g->centres[c];
        h->octaves = h->at - h->centre;
        h->peers = (uint32_t)n - 1;
        double t = h->octaves / sqrt(between + h->variance);
        h->q = n < OUTLIERS_PEERS_MIN ? -1 : chance(t, MAD_DEGREES * (double)(n - 1), above_only); /* a chance until it is corrected */
    }
    for (size_t i = 0; i < g->n; i++)
        if (g->hosts[i]->cluster == c) g->hosts[i]->cluster = number;
}

static uint32_t judge_group(struct group *g, uint32_t first_number, bool above_only) {
    find_centres(g);
    for (size_t i = 0; i < g->n; i++) g->hosts[i]->cluster = (uint32_t)nearest(g->hosts[i]->at, g->centres, g->n_centres);
    /* Numbers of clusters grow, so that renumbering one never makes it another that is still to come. */
    for (size_t c = g->n_centres; c-- > 0;) judge_cluster(g, c, first_number + (uint32_t)c, above_only);
    return first_number + (uint32_t)g->n_centres;
}

/* ---- all ---- */
static int by_group(const void *pa, const void *pb) {
    const struct outlier_host *a = *(struct outlier_host *const *)pa, *b = *(struct outlier_host *const *)pb;
    return a->group < b->group ? -1 : a->group > b->group;
}

static int by_chance(const void *pa, const void *pb) {
    const struct outlier_host *a = *(struct outlier_host *const *)pa, *b = *(struct outlier_host *const *)pb;
    return a->q < b->q ? -1 : a->q > b->q;
}

static void correct(struct outlier_host **sorted, size_t n, const struct outliers_rule *rule) {
    size_t untested = 0;
    qsort(sorted, n, sizeof *sorted, by_chance);
    while (untested < n && sorted[untested]->q < 0) sorted[untested++]->q = 1;
    double tested = (double)(n - untested), least = 1;
    for (size_t i = n; i-- > untested;) {
        struct outlier_host *h = sorted[i];
        least = fmin(least, h->q * tested / (double)(i - untested + 1));
        h->q = least;
        h->found = h->q <= rule->rate && (rule->above_only ? h->octaves : fabs(h->octaves)) >= rule->least;
    }
}

enum err outliers_find(struct outlier_host *hosts, size_t n, const struct outliers_rule *rule) {
    AUTO_FREE struct outlier_host **sorted = calloc(n + 1, sizeof *sorted);
    AUTO_FREE double *scratch = calloc(n + 1, sizeof *scratch);
    if (!sorted || !scratch) return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        sorted[i] = &hosts[i];
        hosts[i].found = false;
    }
    qsort(sorted, n, sizeof *sorted, by_group);
    uint32_t number = 0;
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && sorted[end]->group == sorted[i]->group;) end++;
        struct group g = {.hosts = sorted + i, .n = end - i, .scratch = scratch};
        number = judge_group(&g, number, rule->above_only);
    }
    correct(sorted, n, rule);
    return ERR_OK;
}
