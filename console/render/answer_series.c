#include "console/render/answer_series.h"

#include <time.h>

#include "common/base/clock.h"
#include "common/base/num.h"
#include "common/catalog/bands.h"
#include "common/merge/hist_merge.h"
#include "common/merge/percentile.h"
#include "console/render/answer.h"
#include "console/render/chart.h"
#include "console/render/table.h"

enum { ID_SHOWN = 12, MARKS_MAX = 64 };

/* Where the slots of one kind lie over the whole series. */
static enum err whole_of(const struct series_point *points, size_t n, const struct hist *like, struct arena *mem, struct hist *out) {
    AUTO(hist_merge_free) struct hist_merge *m = hist_merge_new();
    struct hist_set set = {0};
    if (!m) return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < points[i].answer.merged.n; k++) {
            if (!hist_same_kind(&points[i].answer.merged.hists[k], like)) continue;
            enum err e = hist_merge_add(m, &points[i].answer.merged.hists[k]);
            if (e == ERR_NOMEM) return e; /* slots that do not line up have no place in the shape */
        }
    enum err e = hist_merge_get(m, false, mem, &set);
    if (!e) *out = set.n ? set.hists[0] : *like;
    return e;
}

static uint64_t count_at(const struct hist *h, const struct hist_slot *slot) {
    for (size_t i = 0; i < h->n_slots; i++)
        if (h->slots[i].low == slot->low && h->slots[i].high == slot->high) return h->slots[i].count;
    return 0;
}

static void shape(const struct hist *h, const struct hist *whole, bool unicode, char *out, size_t size) {
    static const char *const marks[] = {"·", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char plain[] = ".12345678";
    uint64_t most = 0;
    size_t at = 0, last = 0;
    for (size_t i = 0; i < whole->n_slots; i++)
        if (whole->slots[i].count) last = i;
    for (size_t i = 0; i < h->n_slots; i++)
        if (h->slots[i].count > most) most = h->slots[i].count;
    out[0] = '\0';
    for (size_t i = 0; i <= last && i < MARKS_MAX && i < whole->n_slots; i++) {
        uint64_t count = count_at(h, &whole->slots[i]);
        size_t high = count ? 1 + (size_t)(7 * ((double)count / (double)most)) : 0;
        int n = unicode ? snprintf(out + at, size - at, "%s", marks[high]) : snprintf(out + at, size - at, "%c", plain[high]);
        if (n < 0 || (size_t)n >= size - at) return;
        at += (size_t)n;
    }
}

static void time_text(uint64_t wall_ns, char *out, size_t size) {
    time_t t = (time_t)(wall_ns / NS_PER_S);
    struct tm tm;
    if (!wall_ns || !gmtime_r(&t, &tm) || strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) snprintf(out, size, "-");
}

static uint64_t lost(const struct ledger *l) {
    return num_sat_add(num_sat_add(num_sat_add(l->kernel, l->tool), num_sat_add(l->cap, l->parse)), num_sat_add(l->spool, l->shed));
}

static void add_row(struct table *t, const struct series_point *p, const struct hist *h, const struct hist *whole, bool unicode) {
    char started[32], section[512], p50[40], p99[40], marks[4 * MARKS_MAX + 1];
    const struct tool *tool = catalog_find(p->answer.info.spec.tool);
    struct percentile half = percentile_of(h, 500), most = percentile_of(h, 990);
    const char *word = tool ? bands_verdict(tool, h, p->answer.bands) : NULL;
    time_text(p->start_wall_ns, started, sizeof started);
    chart_section(h, section, sizeof section);
    chart_value(&half, p50, sizeof p50);
    chart_value(&most, p99, sizeof p99);
    shape(h, whole, unicode, marks, sizeof marks);
    table_row(t);
    table_cell(t, span_head(p->answer.info.id, ID_SHOWN));
    table_cell_fmt(t, p->round ? "%u" : "", p->round);
    table_cell_str(t, started);
    table_cell_fmt(t, "%u/%u", p->answer.merged_hosts, p->answer.info.targeted);
    table_cell_u64(t, lost(&p->answer.info.ledger));
    table_cell_str(t, section);
    table_cell_u64(t, hist_total(h));
    table_cell_str(t, p50);
    table_cell_str(t, p99);
    table_cell(t, h->unit);
    table_cell_tone(t, word ? word : "");
    table_cell_str(t, marks);
}

static enum err fill(struct table *t, const struct series_point *points, size_t n, bool unicode) {
    static const struct hist nothing = {.unit = {"", 0}};
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    if (!mem) return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        if (points[i].answer.merged.n == 0) add_row(t, &points[i], &nothing, &nothing, unicode);
        for (size_t k = 0; k < points[i].answer.merged.n; k++) {
            const struct hist *h = &points[i].answer.merged.hists[k];
            struct hist whole;
            enum err e = whole_of(points, n, h, mem, &whole);
            if (e) return e;
            add_row(t, &points[i], h, &whole, unicode);
        }
    }
    return ERR_OK;
}

static struct table *new_table(void) {
    static const struct table_column columns[] = {{"CAMPAIGN", TABLE_LEFT}, {"ROUND", TABLE_RIGHT},  {"START", TABLE_LEFT},
                                                  {"HOSTS", TABLE_RIGHT},   {"LOST", TABLE_RIGHT},   {"SECTION", TABLE_LEFT},
                                                  {"TOTAL", TABLE_RIGHT},   {"P50", TABLE_RIGHT},    {"P99", TABLE_RIGHT},
                                                  {"UNIT", TABLE_LEFT},     {"READING", TABLE_LEFT}, {"SHAPE", TABLE_LEFT}};
    return table_new(columns, COUNT_OF(columns));
}

enum err answer_series(const struct series_point *points, size_t n, const struct screen *s) {
    AUTO(table_free) struct table *t = new_table();
    enum err e = t ? fill(t, points, n, s->unicode) : ERR_NOMEM;
    if (e) return e;
    if (n) answer_head(&points[n - 1].answer, s); /* the newest's: what was asked, and who is missing */
    return table_print(t, s);
}

enum err answer_series_csv(const struct series_point *points, size_t n, FILE *to) {
    AUTO(table_free) struct table *t = new_table();
    enum err e = t ? fill(t, points, n, false) : ERR_NOMEM;
    return e ? e : table_print_csv(t, to);
}
