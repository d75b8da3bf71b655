#include "common/catalog/ranking.h"

#include "common/merge/hist_merge.h"

struct ranking {
    const struct tool *tool;
    struct arena *mem;
    struct ranking_row *rows;
    size_t n, max;
};

struct ranking *ranking_new(const struct tool *tool, size_t max, struct arena *mem) {
    struct ranking *r = arena_array(mem, 1, sizeof *r);
    if (!r) return NULL;
    *r = (struct ranking){.tool = tool, .mem = mem, .max = max, .rows = arena_array(mem, max, sizeof *r->rows)};
    return r->rows || max == 0 ? r : NULL;
}

static bool same_unit(const struct hist *a, const struct hist *b) { return a->scale == b->scale && span_eq(a->unit, b->unit); }

/* The host's histograms of the first one's unit and scale, without their sections. */
static enum err merge_sections(const struct hist_set *hists, struct arena *mem, struct hist *out, size_t *out_left_out) {
    AUTO(hist_merge_free) struct hist_merge *m = hist_merge_new();
    if (!m) return ERR_NOMEM;
    size_t left_out = 0;
    for (size_t i = 0; i < hists->n; i++) {
        if (!same_unit(&hists->hists[i], &hists->hists[0])) continue;
        struct hist h = hists->hists[i];
        h.n_section = 0;
        enum err e = hist_merge_add(m, &h);
        if (e == ERR_NOMEM) return e;
        if (e) left_out++;
    }
    struct hist_set whole;
    enum err e = hist_merge_get(m, false, mem, &whole);
    if (e) return e;
    *out = whole.n ? whole.hists[0] : (struct hist){.unit = SPAN_LIT("")};
    *out_left_out = left_out;
    return ERR_OK;
}

enum err ranking_add(struct ranking *r, struct span host, const struct hist_set *hists) {
    static const unsigned permille[RANKING_PERCENTILES] = {500, 900, 990, 999};
    if (r->n == r->max) return ERR_NOMEM;
    struct ranking_row row = {.host = host};
    struct hist h = hists->n == 1 ? hists->hists[0] : (struct hist){.n_slots = 0}; /* most have one: there is nothing to merge */
    enum err e = hists->n == 1 ? ERR_OK : merge_sections(hists, r->mem, &h, &row.left_out);
    if (e) return e;
    row.unit = h.unit;
    row.total = hist_total(&h);
    row.verdict = r->tool ? catalog_verdict(r->tool, &h) : NULL;
    for (size_t i = 0; i < RANKING_PERCENTILES; i++) row.percentile[i] = percentile_of(&h, permille[i]);
    r->rows[r->n++] = row;
    return ERR_OK;
}

static int worse(const struct percentile *a, const struct percentile *b) {
    if (a->known != b->known) return a->known ? -1 : 1;
    return (a->value < b->value) - (a->value > b->value);
}

static int by_badness(const void *pa, const void *pb) {
    const struct ranking_row *a = pa, *b = pb;
    int c = worse(&a->percentile[RANKING_P99], &b->percentile[RANKING_P99]);
    if (!c) c = worse(&a->percentile[RANKING_P50], &b->percentile[RANKING_P50]);
    return c ? c : span_cmp(a->host, b->host);
}

const struct ranking_row *ranking_rows(struct ranking *r, size_t *out_n) {
    if (r->n > 1) qsort(r->rows, r->n, sizeof *r->rows, by_badness);
    *out_n = r->n;
    return r->rows;
}
