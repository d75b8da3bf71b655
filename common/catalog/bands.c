#include "common/catalog/bands.h"

#include "common/merge/percentile.h"

static const char *const kinds[] = {"hdd", "ssd", "nvme", "virtual"};
static const int permilles[] = {500, 900, 990, 999};
static const char *const verdicts[] = {"good", "warning", "critical"};

/* ---- own ones ---- */

static bool refuse(struct span word, const char *what, char *why, size_t why_size) {
    snprintf(why, why_size, "bands: \"%.*s\": %s", (int)word.n, word.p, what);
    return false;
}

static const char *kind_of(struct span name) {
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (span_eq_str(name, kinds[i])) return kinds[i];
    return NULL;
}

static int permille_of(struct span name) {
    static const char *const names[] = {"p50", "p90", "p99", "p999"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (span_eq_str(name, names[i])) return permilles[i];
    return 0;
}

static bool parse_word(struct span word, struct bands *out, char *why, size_t why_size) {
    struct span name, value, tool, percentile, kind, good, critical;
    uint64_t good_ns = 0, critical_ns = 0;
    if (out->n == BANDS_MAX) return refuse(word, "there are too many", why, why_size);
    if (!span_cut(word, '=', &name, &value) || !span_cut(name, '.', &name, &percentile))
        return refuse(word, "want TOOL.pNN=GOOD[,CRITICAL]", why, why_size);
    bool kinded = span_cut(name, '/', &tool, &kind), ends = span_cut(value, ',', &good, &critical);
    const struct tool *t = catalog_find(tool);
    struct band b = {.permille = permille_of(percentile), .kind = kinded ? kind_of(kind) : NULL};
    if (!t) return refuse(word, "there is no such tool", why, why_size);
    if (kinded && !b.kind) return refuse(word, "kinds are hdd, ssd, nvme and virtual", why, why_size);
    if (!b.permille) return refuse(word, "percentiles are p50, p90, p99 and p999", why, why_size);
    if (!span_duration_ns(good, &good_ns) || (ends && !span_duration_ns(critical, &critical_ns)))
        return refuse(word, "times are durations such as 200us or 5ms", why, why_size);
    b.good_us = good_ns / 1000;
    b.critical_us = critical_ns / 1000;
    if (ends && b.critical_us < b.good_us) return refuse(word, "critical is less than good", why, why_size);
    out->list[out->n].tool = t->id;
    out->list[out->n++].band = b;
    return true;
}

bool bands_parse(const char *words, struct bands *out, char *why, size_t why_size) {
    struct span rest = span_str(words), word;
    struct bands b = {.n = 0};
    while (span_word(&rest, &word))
        if (!parse_word(word, &b, why, why_size)) return false;
    *out = b;
    return true;
}

/* ---- verdict ---- */

static bool is_of(const struct band *b, int permille, struct span kind) {
    return b->permille == permille && (!b->kind || span_eq_str(kind, b->kind));
}

/* One's own before the catalogue's, and the kind's before those for all kinds. */
static const struct band *find(const struct tool *t, int permille, struct span kind, const struct bands *own) {
    const struct band *best = NULL;
    for (size_t i = 0; own && i < own->n; i++)
        if (own->list[i].tool == t->id && is_of(&own->list[i].band, permille, kind) && (!best || !best->kind)) best = &own->list[i].band;
    if (best) return best;
    for (size_t i = 0; i < t->n_bands; i++)
        if (is_of(&t->bands[i], permille, kind) && (!best || !best->kind)) best = &t->bands[i];
    return best;
}

static struct span kind_in(const struct hist *h) {
    for (size_t i = 0; i < h->n_section; i++)
        if (span_eq_str(h->section[i].key, "kind")) return h->section[i].value;
    return SPAN_LIT("");
}

const char *bands_verdict(const struct tool *t, const struct hist *h, const struct bands *own) {
    double factor = hist_unit_ns(h->unit) / 1e3; /* bands are in microseconds */
    const char *worst = NULL;
    for (size_t i = 0; i < COUNT_OF(permilles) && factor > 0; i++) {
        const struct band *b = find(t, permilles[i], kind_in(h), own);
        struct percentile p = percentile_of(h, (unsigned)permilles[i]);
        if (!b || !p.known) continue;
        double us = p.value * factor;
        worst = bands_worse(worst, verdicts[us < (double)b->good_us ? 0 : b->critical_us && us > (double)b->critical_us ? 2 : 1]);
    }
    return worst;
}

static size_t rank_of(const char *verdict) {
    for (size_t i = 0; verdict && i < COUNT_OF(verdicts); i++)
        if (strcmp(verdicts[i], verdict) == 0) return i + 1;
    return 0;
}

const char *bands_worse(const char *a, const char *b) { return rank_of(b) > rank_of(a) ? b : a; }

const char *bands_distance(double us) {
    static const struct {
        double below_us;
        const char *where;
    } places[] = {
        {1e3, "same datacenter"}, {5e3, "same region"}, {5e4, "cross-region"}, {1e5, "far"}, {1e6, "cross-continent or a network problem"}};
    for (size_t i = 0; i < COUNT_OF(places); i++)
        if (us < places[i].below_us) return places[i].where;
    return "DNS or routing";
}

const char *bands_reading(struct span tool, struct span column, double value) {
    return span_eq_str(tool, "tcpconnlat") && span_eq_str(column, "LAT(ms)") ? bands_distance(value * 1000) : NULL;
}
