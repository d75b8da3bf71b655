#include "console/render/answer.h"

#include "common/catalog/ranking.h"
#include "console/render/body.h"
#include "console/render/chart.h"
#include "console/render/table.h"

enum { ID_SHOWN = 12 };

static void print_coverage(const struct campaign_info *i, const struct screen *s) {
    uint32_t answered = i->coverage[COVERAGE_OK] + i->coverage[COVERAGE_PARTIAL];
    bool whole = i->coverage[COVERAGE_OK] == i->targeted && i->targeted > 0;
    fprintf(s->to, "%s%u of %u hosts%s%s", screen_tone(s, whole ? TONE_GOOD : TONE_BAD), answered, i->targeted,
            !whole && i->with_result ? " ok" : "", screen_tone(s, TONE_PLAIN));
    for (int c = COVERAGE_PENDING; !whole && c < COVERAGE__COUNT; c++)
        if (i->coverage[c] > 0 && c != COVERAGE_OK) fprintf(s->to, " · %u %s", i->coverage[c], capture_coverage_name((enum coverage)c));
    if (!whole && i->with_result) fprintf(s->to, " (the results of %u of these until then are in the answer)", i->with_result);
}

static void print_ledger(const struct ledger *l, const struct screen *s) {
    const struct {
        const char *text;
        uint64_t n;
    } losses[] = {{"events lost in the kernel's buffers", l->kernel}, {"events skipped by the tools", l->tool},
                  {"bytes of print-out over the cap", l->cap},        {"lines not understood", l->parse},
                  {"bytes dropped from full spools", l->spool},       {"events shed by the collector", l->shed}};
    bool any = false;
    for (size_t i = 0; i < COUNT_OF(losses); i++) {
        if (losses[i].n == 0) continue;
        fprintf(s->to, "%s%s%llu %s%s", any ? " · " : "lost: ", screen_tone(s, TONE_WARNING), (unsigned long long)losses[i].n,
                losses[i].text, screen_tone(s, TONE_PLAIN));
        any = true;
    }
    fputs(any ? "\n" : "lost: nothing\n", s->to);
}

void answer_head(const struct answer *a, const struct screen *s) {
    const struct campaign_info *i = &a->info;
    fputs(screen_tone(s, TONE_BOLD), s->to);
    screen_print(s, i->spec.tool);
    fprintf(s->to, "%s · ", screen_tone(s, TONE_PLAIN));
    print_coverage(i, s);
    fprintf(s->to, " · %u s · campaign ", i->spec.duration_s);
    screen_print(s, span_head(i->id, ID_SHOWN));
    if (i->replayed)
        fprintf(s->to, " · %sreplayed: recordings, not these hosts' kernels%s", screen_tone(s, TONE_WARNING), screen_tone(s, TONE_PLAIN));
    fputc('\n', s->to);
    print_ledger(&i->ledger, s);
    for (size_t t = 0; t < a->n_targets; t++) {
        const char *state = capture_coverage_name(a->targets[t].coverage);
        fputs("  ", s->to);
        screen_print(s, a->targets[t].host);
        fprintf(s->to, ": %s%s%s", screen_tone(s, screen_tone_of(state)), state, screen_tone(s, TONE_PLAIN));
        if (a->targets[t].reason.n) fputs(": ", s->to);
        screen_print(s, a->targets[t].reason);
        fputc('\n', s->to);
    }
    for (size_t n = 0; n < a->n_notes; n++) {
        fputs("  note: ", s->to);
        screen_print(s, a->notes[n]);
        fputc('\n', s->to);
    }
    fputc('\n', s->to);
    for (size_t k = 0; k < a->n_also; k++) {
        fputs("added to it\n", s->to);
        answer_head(&a->also[k], s);
    }
}

static void fill_ranking(struct table *t, const struct ranking_row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        table_row(t);
        table_cell(t, rows[i].host);
        table_cell_u64(t, rows[i].total);
        for (size_t p = 0; p < RANKING_PERCENTILES; p++) {
            char value[40];
            chart_value(&rows[i].percentile[p], value, sizeof value);
            table_cell_str(t, value);
        }
        table_cell(t, rows[i].unit);
        table_cell_tone(t, rows[i].verdict ? rows[i].verdict : "");
    }
}

static const struct table_column RANKING_COLUMNS[] = {{"HOST", TABLE_LEFT}, {"TOTAL", TABLE_RIGHT}, {"P50", TABLE_RIGHT},
                                                      {"P90", TABLE_RIGHT}, {"P99", TABLE_RIGHT},   {"P999", TABLE_RIGHT},
                                                      {"UNIT", TABLE_LEFT}, {"READING", TABLE_LEFT}};

static enum err print_ranking(const struct answer *a, const struct tool *tool, const struct screen *s) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    AUTO(table_free) struct table *t = table_new(RANKING_COLUMNS, COUNT_OF(RANKING_COLUMNS));
    struct ranking *r = mem ? ranking_new(tool, a->bands, a->n_host_hists, mem) : NULL;
    if (!r || !t) return ERR_NOMEM;
    for (size_t i = 0; i < a->n_host_hists; i++) {
        enum err e = ranking_add(r, a->host_hists[i].host, &a->host_hists[i].hists);
        if (e) return e;
    }
    size_t n;
    const struct ranking_row *rows = ranking_rows(r, &n);
    if (n == 0) return ERR_OK;
    fputs("hosts, worst first\n", s->to);
    fill_ranking(t, rows, n);
    return table_print(t, s);
}

/* Only who has a result can have seen nothing. */
static void print_nothing(const struct campaign_info *i, const struct screen *s) {
    bool some = i->coverage[COVERAGE_OK] || i->coverage[COVERAGE_PARTIAL] || i->with_result;
    fputs(some ? "nothing was measured of what was asked for: no host saw such an event\n" : "no host has a result\n", s->to);
}

enum err answer_hist(const struct answer *a, const struct screen *s) {
    const struct tool *tool = catalog_find(a->info.spec.tool);
    answer_head(a, s);
    if (a->merged.n == 0) print_nothing(&a->info, s);
    for (size_t i = 0; i < a->merged.n; i++) {
        chart_print(&a->merged.hists[i], tool, a->bands, s);
        fputc('\n', s->to);
    }
    return print_ranking(a, tool, s);
}

static struct table *parts_of(const struct answer *a) {
    static const struct table_column columns[] = {
        {"NAME", TABLE_CUT}, {"SELF", TABLE_RIGHT}, {"TOTAL", TABLE_RIGHT}, {"SHARE", TABLE_RIGHT}};
    struct table *t = table_new(columns, COUNT_OF(columns));
    for (size_t i = 0; t && i < a->n_parts; i++) {
        table_row(t);
        table_cell(t, a->parts[i].name);
        table_cell_u64(t, a->parts[i].self);
        table_cell_u64(t, a->parts[i].total);
        table_cell_fmt(t, "%.1f%%", a->total ? 100.0 * (double)a->parts[i].total / (double)a->total : 0);
    }
    return t;
}

static enum err parts_table(const struct answer *a, const struct screen *s) {
    AUTO(table_free) struct table *t = parts_of(a);
    if (!t) return ERR_NOMEM;
    fprintf(s->to, "%zu of %u, by ", a->n_parts, a->all_parts);
    screen_print(s, a->by);
    fputc('\n', s->to);
    return table_print(t, s);
}

enum err answer_stacks(const struct answer *a, const struct screen *s) {
    answer_head(a, s);
    fprintf(s->to, "%zu of %u stacks, %llu ", a->stacks.n_rows, a->distinct, (unsigned long long)a->total);
    screen_print(s, a->stacks.unit);
    fputs(" in all", s->to);
    if (a->whole > a->total) fprintf(s->to, ", of %llu before --focus and --ignore", (unsigned long long)a->whole);
    fputc('\n', s->to);
    if (a->n_parts) return parts_table(a, s);
    body_stacks(&a->stacks, a->stacks.n_rows, a->total, s);
    return ERR_OK;
}

enum err answer_events(const struct answer *a, size_t n, const struct screen *s) {
    answer_head(a, s);
    return body_events(a->host_events, a->n_host_events, n, a->total, s);
}

enum err answer_csv_events(const struct answer *a, FILE *to) { return body_events_csv(a->host_events, a->n_host_events, to); }

enum err answer_csv_hist(const struct answer *a, FILE *to) {
    static const struct table_column columns[] = {
        {"section", TABLE_LEFT}, {"unit", TABLE_LEFT}, {"low", TABLE_RIGHT}, {"high", TABLE_RIGHT}, {"count", TABLE_RIGHT}};
    AUTO(table_free) struct table *t = table_new(columns, COUNT_OF(columns));
    if (!t) return ERR_NOMEM;
    for (size_t i = 0; i < a->merged.n; i++) {
        const struct hist *h = &a->merged.hists[i];
        char section[512];
        chart_section(h, section, sizeof section);
        for (size_t k = 0; k < h->n_slots; k++) {
            table_row(t);
            table_cell_str(t, section);
            table_cell(t, h->unit);
            table_cell_u64(t, h->slots[k].low);
            if (h->slots[k].high == HIST_OPEN)
                table_cell_str(t, "");
            else
                table_cell_u64(t, h->slots[k].high);
            table_cell_u64(t, h->slots[k].count);
        }
    }
    return table_print_csv(t, to);
}

enum err answer_csv_stacks(const struct answer *a, FILE *to) {
    if (a->n_parts) {
        AUTO(table_free) struct table *parts = parts_of(a);
        return parts ? table_print_csv(parts, to) : ERR_NOMEM;
    }
    static const struct table_column columns[] = {
        {"count", TABLE_RIGHT}, {"unit", TABLE_LEFT}, {"comm", TABLE_LEFT}, {"stack", TABLE_LEFT}};
    AUTO(table_free) struct table *t = table_new(columns, COUNT_OF(columns));
    if (!t) return ERR_NOMEM;
    struct buf folded;
    buf_init(&folded, 0);
    const struct stacks *st = &a->stacks;
    for (size_t i = 0; i < st->n_rows; i++) {
        uint32_t nodes[LIMIT_STACK_DEPTH];
        size_t depth = stacks_frames(st, st->rows[i].leaf, nodes, COUNT_OF(nodes));
        if (depth > COUNT_OF(nodes)) depth = COUNT_OF(nodes); /* the decoder lets none through; only the first are here then */
        buf_reset(&folded);
        for (size_t d = 0; d < depth; d++) {
            if (d) buf_add_char(&folded, ';');
            buf_add(&folded, st->strings.text[st->nodes[nodes[d]].frame]);
        }
        table_row(t);
        table_cell_u64(t, st->rows[i].count);
        table_cell(t, st->unit);
        table_cell(t, st->strings.text[st->rows[i].comm]);
        table_cell(t, buf_span(&folded));
    }
    buf_done(&folded);
    return table_print_csv(t, to);
}
