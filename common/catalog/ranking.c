#include "common/catalog/ranking.h"

#include "common/merge/hist_merge.h"

struct ranking {
    const struct tool *tool;
    const struct bands *own;
    struct arena *mem;
    struct ranking_row *rows;
    size_t n, max;
};

struct ranking *ranking_new(const struct tool *tool, const struct bands *own, size_t max, struct arena *mem) {
    struct ranking *r = arena_array(mem, 1, sizeof *r);
    if (!r) return NULL;
    *r = (struct ranking){.tool = tool, .own = own, .mem = mem, .max = max, .rows = arena_array(mem, max, sizeof *r->rows)};
    return r->rows || max == 0 ? r : NULL;
}

static bool same_unit(const struct hist *a, const struct hist *b) { return a->scale == b->scale && span_eq(a->unit, b->unit); }

static struct span kind_of(const struct hist *h) {
    for (size_t i = 0; i < h->n_section; i++)
        if (span_eq_str(h->section[i].key, "kind")) return h->section[i].value;
    return SPAN_LIT("");
}

/* The host's histograms of the first one's unit and scale, without their sections; kind: only those of this kind of device. */
static enum err merge_sections(const struct hist_set *hists, const struct span *kind, struct arena *mem, struct hist *out,
                               size_t *out_left_out) {
    AUTO(hist_merge_free) struct hist_merge *m = hist_merge_new();
    if (!m) return ERR_NOMEM;
    size_t left_out = 0;
    for (size_t i = 0; i < hists->n; i++) {
        if (!same_unit(&hists->hists[i], &hists->hists[0]) || (kind && !span_eq(*kind, kind_of(&hists->hists[i])))) continue;
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

static bool one_kind(const struct hist_set *hists) {
    for (size_t i = 1; i < hists->n; i++)
        if (!span_eq(kind_of(&hists->hists[i]), kind_of(&hists->hists[0]))) return false;
    return true;
}

static const char *verdict_of(const struct ranking *r, struct hist *h, struct span kind) {
    if (kind.n) h->section[h->n_section++] = (struct label){SPAN_LIT("kind"), kind};
    return bands_verdict(r->tool, h, r->own);
}

/* Of each kind of device by its own bands.  whole: all of them merged. */
static enum err worst_of_kinds(const struct ranking *r, const struct hist_set *hists, const struct hist *whole, const char **out) {
    const char *worst = NULL;
    if (one_kind(hists)) { /* there is nothing to merge again */
        struct hist h = *whole;
        *out = verdict_of(r, &h, hists->n ? kind_of(&hists->hists[0]) : SPAN_LIT(""));
        return ERR_OK;
    }
    for (size_t i = 0; i < hists->n; i++) {
        struct span kind = kind_of(&hists->hists[i]);
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++) seen = span_eq(kind, kind_of(&hists->hists[k]));
        if (seen) continue;
        struct hist h;
        size_t left_out;
        enum err e = merge_sections(hists, &kind, r->mem, &h, &left_out);
        if (e) return e;
        worst = bands_worse(worst, verdict_of(r, &h, kind));
    }
    *out = worst;
    return ERR_OK;
}

enum err ranking_add(struct ranking *r, struct span host, const struct hist_set *hists) {
    static const unsigned permille[RANKING_PERCENTILES] = {500, 900, 990, 999};
    if (r->n == r->max) return ERR_NOMEM;
    struct ranking_row row = {.host = host};
    struct hist h = hists->n == 1 ? hists->hists[0] : (struct hist){.n_slots = 0}; /* most have one: there is nothing to merge */
    enum err e = hists->n == 1 ? ERR_OK : merge_sections(hists, NULL, r->mem, &h, &row.left_out);
    if (e) return e;
    row.unit = h.unit;
    row.total = hist_total(&h);
    if (r->tool) e = worst_of_kinds(r, hists, &h, &row.verdict);
    if (e) return e;
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
