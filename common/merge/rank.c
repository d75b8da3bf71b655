#include "common/merge/rank.h"

#include <stdlib.h>

#include "common/merge/hist_merge.h"

static bool same_unit(const struct hist *a, const struct hist *b) { return a->scale == b->scale && span_eq(a->unit, b->unit); }

static const struct hist *choose(const struct hist_set *set, const struct hist *like) {
    for (size_t i = 0; like && i < set->n; i++)
        if (same_unit(&set->hists[i], like)) return like;
    return set->n ? &set->hists[0] : NULL;
}

static enum err sum(const struct hist_set *set, const struct hist *like, struct hist_merge *m, size_t *out_refused) {
    *out_refused = 0;
    for (size_t i = 0; i < set->n; i++) {
        if (!same_unit(&set->hists[i], like)) continue;
        struct hist h = set->hists[i];
        h.n_section = 0;
        enum err e = hist_merge_add(m, &h);
        if (e == ERR_REFUSED)
            ++*out_refused;
        else if (e)
            return e;
    }
    return ERR_OK;
}

enum err rank_host(struct span host, const struct hist_set *hists, const struct hist *like, struct arena *mem, struct rank *out) {
    struct rank r = {.host = host, .hist.unit = SPAN_LIT(""), .hist.interval = SPAN_LIT("")};
    like = choose(hists, like);
    if (like) {
        AUTO(hist_merge_free) struct hist_merge *m = hist_merge_new();
        struct hist_set one = {0};
        if (!m) return ERR_NOMEM;
        enum err e = sum(hists, like, m, &r.n_refused);
        if (!e) e = hist_merge_get(m, false, mem, &one);
        if (e) return e;
        if (one.n) r.hist = one.hists[0];
    }
    r.total = hist_total(&r.hist);
    r.p50 = percentile_of(&r.hist, 500);
    r.p90 = percentile_of(&r.hist, 900);
    r.p99 = percentile_of(&r.hist, 990);
    r.p999 = percentile_of(&r.hist, 999);
    *out = r;
    return ERR_OK;
}

static int worst_first(const struct percentile *a, const struct percentile *b) {
    if (a->known != b->known) return a->known ? -1 : 1;
    return a->value > b->value ? -1 : a->value < b->value;
}

static int by_p99(const void *pa, const void *pb) {
    const struct rank *a = pa, *b = pb;
    int c = worst_first(&a->p99, &b->p99);
    if (!c) c = worst_first(&a->p50, &b->p50);
    return c ? c : span_cmp(a->host, b->host);
}

void rank_sort(struct rank *ranks, size_t n) {
    if (n) qsort(ranks, n, sizeof *ranks, by_p99);
}
