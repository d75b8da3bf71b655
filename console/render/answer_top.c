#include "console/render/answer_top.h"

#include "common/catalog/bands.h"
#include "console/render/answer.h"
#include "console/render/table.h"

enum { COLUMNS_MAX = TOP_FIELDS_MAX + 7 };

static double unit_of(unsigned decimals) {
    double v = 1;
    for (; decimals; decimals--) v *= 10;
    return v;
}

static void cell_scaled(struct table *t, int64_t mantissa, unsigned decimals) {
    table_cell_fmt(t, "%.*f", (int)decimals, (double)mantissa / unit_of(decimals));
}

/* An answer that is not exact has two bounds for each figure. */
static void cell_count(struct table *t, const struct top_row *r) {
    if (r->count_error)
        table_cell_fmt(t, "%llu … %llu", (unsigned long long)(r->count - r->count_error), (unsigned long long)r->count);
    else
        table_cell_u64(t, r->count);
}

static void cell_total(struct table *t, const struct top_row *r) {
    double unit = unit_of(r->decimals);
    if (r->total_error)
        table_cell_fmt(t, "%.*f … %.*f", (int)r->decimals, (double)(r->total - (int64_t)r->total_error) / unit, (int)r->decimals,
                       (double)r->total / unit);
    else
        cell_scaled(t, r->total, r->decimals);
}

static bool has_p99(const struct answer *a) {
    for (size_t i = 0; i < a->n_top; i++)
        if (a->top[i].row.p99.known) return true;
    return false;
}

/* What a row has besides its values: all, or of a bounded answer what it is ranked by. */
struct shown {
    bool host, count, total, rest, p99, reading;
};

static struct shown shown_of(const struct answer *a, bool per_host) {
    bool sums = a->of.n > 0;
    return (struct shown){.host = per_host,
                          .count = !a->bounded || a->rank == TOP_COUNT,
                          .total = sums && (!a->bounded || a->rank == TOP_TOTAL),
                          .rest = sums && !a->bounded,
                          .p99 = sums && !a->bounded && has_p99(a),
                          .reading = sums && !a->bounded && bands_reading(a->info.spec.tool, a->of, 0)};
}

static void fill_row(struct table *t, const struct answer *a, const struct answer_top_row *r, const struct shown *show) {
    table_row(t);
    for (size_t f = 0; f <= a->n_more_by; f++) table_cell(t, r->row.values[f]);
    if (show->host) table_cell(t, r->host);
    if (show->count) cell_count(t, &r->row);
    if (show->total) cell_total(t, &r->row);
    if (show->rest) {
        cell_scaled(t, r->row.count ? r->row.total / (int64_t)r->row.count : 0, r->row.decimals);
        cell_scaled(t, r->row.max, r->row.decimals);
    }
    if (show->p99 && r->row.p99.known)
        table_cell_fmt(t, "%.3g", r->row.p99.value);
    else if (show->p99)
        table_cell_str(t, "-");
    if (show->reading && r->row.count)
        table_cell_str(t, bands_reading(a->info.spec.tool, a->of, (double)r->row.total / (double)r->row.count / unit_of(r->row.decimals)));
    else if (show->reading)
        table_cell_str(t, "");
}

/* A table borrows its columns and their names. */
struct shape {
    char names[TOP_FIELDS_MAX][LIMIT_LABEL_BYTES + 1];
    struct table_column columns[COLUMNS_MAX];
};

static struct table *top_table(const struct answer *a, bool per_host, struct shape *shape) {
    struct table_column *columns = shape->columns;
    struct shown show = shown_of(a, per_host);
    size_t n = 0;
    for (size_t f = 0; f <= a->n_more_by; f++) {
        struct span name = f ? a->more_by[f - 1] : a->by;
        snprintf(shape->names[f], sizeof shape->names[f], "%.*s", (int)name.n, name.n ? name.p : "");
        columns[n++] = (struct table_column){a->n_more_by ? shape->names[f] : "VALUE", TABLE_CUT};
    }
    if (show.host) columns[n++] = (struct table_column){"HOST", TABLE_LEFT};
    if (show.count) columns[n++] = (struct table_column){"COUNT", TABLE_RIGHT};
    if (show.total) columns[n++] = (struct table_column){"TOTAL", TABLE_RIGHT};
    if (show.rest) columns[n++] = (struct table_column){"AVG", TABLE_RIGHT};
    if (show.rest) columns[n++] = (struct table_column){"MAX", TABLE_RIGHT};
    if (show.p99) columns[n++] = (struct table_column){"P99", TABLE_RIGHT};
    if (show.reading) columns[n++] = (struct table_column){"READING", TABLE_LEFT};
    struct table *t = table_new(columns, n);
    for (size_t i = 0; t && i < a->n_top; i++) fill_row(t, a, &a->top[i], &show);
    return t;
}

enum err answer_top(const struct answer *a, bool per_host, const struct screen *s) {
    answer_head(a, s);
    struct shape shape;
    AUTO(table_free) struct table *t = top_table(a, per_host, &shape);
    if (!t) return ERR_NOMEM;
    fprintf(s->to, "top %zu of %u values of ", a->n_top, a->groups);
    screen_print(s, a->by);
    for (size_t f = 0; f < a->n_more_by; f++) {
        fputs(", ", s->to);
        screen_print(s, a->more_by[f]);
    }
    if (a->of.n) fputs(", summing ", s->to);
    screen_print(s, a->of);
    if (a->bounded)
        fprintf(s->to, ", between bounds; what is not listed has at most %llu\n", (unsigned long long)a->unlisted);
    else
        fprintf(s->to, ", %s\n", a->exact ? "exact" : "estimated");
    return table_print(t, s);
}

enum err answer_top_csv(const struct answer *a, bool per_host, FILE *to) {
    struct shape shape;
    AUTO(table_free) struct table *t = top_table(a, per_host, &shape);
    return t ? table_print_csv(t, to) : ERR_NOMEM;
}

enum err answer_top_outliers(const struct answer *a, const struct screen *s) {
    answer_head(a, s);
    fprintf(s->to, "%zu of %u hosts stand apart from their peers (false discovery rate 5%%)\n", a->n_outliers, a->tested);
    for (size_t i = 0; i < a->n_groups_compared; i++) {
        fputs("  compared: ", s->to);
        screen_print(s, a->groups_compared[i]);
        fputc('\n', s->to);
    }
    for (size_t i = 0; i < a->n_outliers; i++) {
        screen_print(s, a->outliers[i].sentence);
        fputc('\n', s->to);
    }
    return ERR_OK;
}

enum err answer_top_outliers_csv(const struct answer *a, FILE *to) {
    static const struct table_column columns[] = {{"host", TABLE_LEFT},   {"what", TABLE_LEFT},     {"group", TABLE_LEFT},
                                                  {"peers", TABLE_RIGHT}, {"octaves", TABLE_RIGHT}, {"q", TABLE_RIGHT},
                                                  {"times", TABLE_RIGHT}, {"sentence", TABLE_LEFT}};
    AUTO(table_free) struct table *t = table_new(columns, COUNT_OF(columns));
    if (!t) return ERR_NOMEM;
    for (size_t i = 0; i < a->n_outliers; i++) {
        const struct answer_outlier *o = &a->outliers[i];
        table_row(t);
        table_cell(t, o->host);
        table_cell(t, o->what);
        table_cell(t, o->group);
        table_cell_u64(t, o->peers);
        table_cell_fmt(t, "%.3f", o->octaves);
        table_cell_fmt(t, "%.4g", o->q);
        table_cell_fmt(t, "%.3g", o->times);
        table_cell(t, o->sentence);
    }
    return table_print_csv(t, to);
}
