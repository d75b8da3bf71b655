#include "console/render/answer_diff.h"

#include <math.h>

#include "console/render/answer.h"
#include "console/render/chart.h"
#include "console/render/table.h"

void answer_diff_heads(const struct answer_diff *d, const struct screen *s) {
    answer_head(d->is, s);
    fputs("compared with\n", s->to);
    answer_head(d->was, s);
    fputs("+ is more than in what it is compared with: ", s->to);
    screen_print(s, span_str(d->of_is));
    fputs("  against  ", s->to);
    screen_print(s, span_str(d->of_was));
    fputs("\n\n", s->to);
}

/* ---- histograms ---- */
static const struct table_column HIST_COLUMNS[] = {
    {"SECTION", TABLE_LEFT},  {"UNIT", TABLE_LEFT},     {"TOTAL", TABLE_RIGHT},  {"WAS", TABLE_RIGHT}, {"P50", TABLE_RIGHT},
    {"WAS", TABLE_RIGHT},     {"OCTAVES", TABLE_RIGHT}, {"BRACKET", TABLE_LEFT}, {"P99", TABLE_RIGHT}, {"WAS", TABLE_RIGHT},
    {"OCTAVES", TABLE_RIGHT}, {"BRACKET", TABLE_LEFT},  {"MEAN", TABLE_RIGHT},   {"±", TABLE_RIGHT}};
static const struct table_column HIST_CSV[] = {{"section", TABLE_LEFT},       {"unit", TABLE_LEFT},         {"total", TABLE_RIGHT},
                                               {"total_was", TABLE_RIGHT},    {"p50", TABLE_RIGHT},         {"p50_was", TABLE_RIGHT},
                                               {"p50_octaves", TABLE_RIGHT},  {"p50_bracket", TABLE_LEFT},  {"p99", TABLE_RIGHT},
                                               {"p99_was", TABLE_RIGHT},      {"p99_octaves", TABLE_RIGHT}, {"p99_bracket", TABLE_LEFT},
                                               {"mean_octaves", TABLE_RIGHT}, {"mean_error", TABLE_RIGHT}};

static void shift_cells(struct table *t, const struct hist_shift *h) {
    char is[40], was[40], low[24] = "…", high[24] = "…";
    chart_value(&h->is, is, sizeof is);
    chart_value(&h->was, was, sizeof was);
    table_cell_str(t, is);
    table_cell_str(t, was);
    if (!h->known) {
        table_cell_str(t, "-");
        table_cell_str(t, "");
        return;
    }
    if (isfinite(h->low)) snprintf(low, sizeof low, "%+.2f", h->low);
    if (isfinite(h->high)) snprintf(high, sizeof high, "%+.2f", h->high);
    table_cell_fmt(t, "%+.2f", h->octaves);
    table_cell_fmt(t, "[%s, %s]", low, high);
}

static struct table *hist_table(const struct table_column *columns, const struct hist_diff *diffs, size_t n) {
    struct table *t = table_new(columns, COUNT_OF(HIST_COLUMNS));
    for (size_t i = 0; t && i < n; i++) {
        const struct hist *any = diffs[i].is ? diffs[i].is : diffs[i].was;
        char section[512];
        chart_section(any, section, sizeof section);
        table_row(t);
        table_cell_str(t, section);
        table_cell(t, any->unit);
        table_cell_u64(t, diffs[i].is ? hist_total(diffs[i].is) : 0);
        table_cell_u64(t, diffs[i].was ? hist_total(diffs[i].was) : 0);
        shift_cells(t, &diffs[i].p50);
        shift_cells(t, &diffs[i].p99);
        table_cell_fmt(t, diffs[i].mean_known ? "%+.2f" : "-", diffs[i].mean);
        table_cell_fmt(t, diffs[i].mean_known ? "%.2f" : "", diffs[i].error);
    }
    return t;
}

_Static_assert(COUNT_OF(HIST_COLUMNS) == COUNT_OF(HIST_CSV), "the same cells");

enum err answer_diff_hist(const struct answer_diff *d, const struct hist_diff *diffs, size_t n, const struct screen *s) {
    AUTO(table_free) struct table *t = hist_table(HIST_COLUMNS, diffs, n);
    if (!t) return ERR_NOMEM;
    answer_diff_heads(d, s);
    if (n == 0) fputs("nothing was measured on either side\n", s->to);
    return n ? table_print(t, s) : ERR_OK;
}

enum err answer_diff_hist_csv(const struct hist_diff *diffs, size_t n, FILE *to) {
    AUTO(table_free) struct table *t = hist_table(HIST_CSV, diffs, n);
    return t ? table_print_csv(t, to) : ERR_NOMEM;
}

/* ---- stacks ---- */
static void add_stack(const struct stacks *tree, uint32_t leaf, bool leaf_only, struct buf *out) {
    if (leaf == STACKS_ROOT) return;
    if (!leaf_only && tree->nodes[leaf].parent != STACKS_ROOT) {
        add_stack(tree, tree->nodes[leaf].parent, false, out);
        buf_add_char(out, ';');
    }
    buf_add(out, tree->strings.text[tree->nodes[leaf].frame]);
}

/* People see the innermost frame of a stack, programs see all. */
static struct table *stacks_table(const struct stacks *tree, const struct stack_change *changes, size_t n, bool csv) {
    static const struct table_column of_stacks[] = {{"CHANGE", TABLE_RIGHT}, {"SHARE", TABLE_RIGHT},     {"SHARE_WAS", TABLE_RIGHT},
                                                    {"COUNT", TABLE_RIGHT},  {"COUNT_WAS", TABLE_RIGHT}, {"COMM", TABLE_LEFT},
                                                    {"STACK", TABLE_CUT}},
                                     of_parts[] = {{"CHANGE", TABLE_RIGHT}, {"SHARE", TABLE_RIGHT},     {"SHARE_WAS", TABLE_RIGHT},
                                                   {"COUNT", TABLE_RIGHT},  {"COUNT_WAS", TABLE_RIGHT}, {"NAME", TABLE_CUT}};
    struct table *t = tree ? table_new(of_stacks, COUNT_OF(of_stacks)) : table_new(of_parts, COUNT_OF(of_parts));
    struct buf frames;
    buf_init(&frames, 0);
    for (size_t i = 0; t && i < n; i++) {
        const struct stack_change *c = &changes[i];
        table_row(t);
        table_cell_fmt(t, csv ? "%+.6f" : "%+.2f%%", csv ? c->change : 100 * c->change);
        table_cell_fmt(t, csv ? "%.6f" : "%.2f%%", csv ? c->share : 100 * c->share);
        table_cell_fmt(t, csv ? "%.6f" : "%.2f%%", csv ? c->before : 100 * c->before);
        table_cell_u64(t, c->is);
        table_cell_u64(t, c->was);
        table_cell(t, c->name);
        buf_reset(&frames);
        if (tree) add_stack(tree, c->leaf, !csv, &frames);
        if (tree) table_cell(t, buf_span(&frames));
    }
    buf_done(&frames);
    return t;
}

enum err answer_diff_stacks(const struct answer_diff *d, const struct stacks *tree, const struct stack_change *changes, size_t n,
                            size_t all, const struct screen *s) {
    AUTO(table_free) struct table *t = stacks_table(tree, changes, n, false);
    if (!t) return ERR_NOMEM;
    answer_diff_heads(d, s);
    fprintf(s->to, "%zu of %zu %s, largest change of share first\n", n, all, tree ? "stacks" : "parts");
    return table_print(t, s);
}

enum err answer_diff_stacks_csv(const struct stacks *tree, const struct stack_change *changes, size_t n, FILE *to) {
    AUTO(table_free) struct table *t = stacks_table(tree, changes, n, true);
    return t ? table_print_csv(t, to) : ERR_NOMEM;
}
