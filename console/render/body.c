#include "console/render/body.h"

#include "console/render/table.h"

enum { DEPTH_SHOWN = 12 };

static void print_stack(const struct stacks *st, const struct stack_row *row, uint64_t total, const struct screen *s) {
    double share = total ? 100.0 * (double)row->count / (double)total : 0;
    fprintf(s->to, "%s%llu ", screen_tone(s, TONE_BOLD), (unsigned long long)row->count);
    screen_print(s, st->unit);
    fprintf(s->to, "%s (%.1f%%) ", screen_tone(s, TONE_PLAIN), share);
    screen_print(s, st->strings.text[row->comm]);
    fputc('\n', s->to);
    size_t depth = 0;
    for (uint32_t n = row->leaf; n != STACKS_ROOT; n = st->nodes[n].parent) { /* leaf first, as the tools print */
        if (++depth > DEPTH_SHOWN) continue;
        fputs("    ", s->to);
        screen_print(s, st->strings.text[st->nodes[n].frame]);
        fputc('\n', s->to);
    }
    if (depth > DEPTH_SHOWN) fprintf(s->to, "    and %zu more frames (-o json has all)\n", depth - DEPTH_SHOWN);
}

void body_stacks(const struct stacks *st, size_t n, uint64_t total, const struct screen *s) {
    for (size_t i = 0; i < n && i < st->n_rows; i++) {
        fputc('\n', s->to);
        print_stack(st, &st->rows[i], total, s);
    }
}

/* Hosts of one campaign print the same columns, unless they run different flavours: each header gets a table of its own. */
static struct table *events_table(const struct host_events *h, struct table_column *columns, char (*names)[64]) {
    columns[0] = (struct table_column){"HOST", TABLE_LEFT};
    for (size_t i = 0; i < h->events.n_columns; i++) {
        const struct column *c = &h->events.columns[i];
        snprintf(names[i], sizeof names[i], "%.*s", (int)c->name.n, c->name.p);
        columns[i + 1] = (struct table_column){names[i], column_is_number(c->type) ? TABLE_RIGHT
                                                         : c->type == COLUMN_TEXT  ? TABLE_CUT
                                                                                   : TABLE_LEFT};
    }
    return table_new(columns, h->events.n_columns + 1);
}

static bool same_header(const struct events *a, const struct events *b) {
    if (a->n_columns != b->n_columns) return false;
    for (size_t i = 0; i < a->n_columns; i++)
        if (!span_eq(a->columns[i].name, b->columns[i].name)) return false;
    return true;
}

static size_t fill_events(struct table *t, const struct host_events *h, size_t most) {
    struct buf cell;
    buf_init(&cell, 0);
    size_t n = h->events.n_rows < most ? h->events.n_rows : most;
    for (size_t r = 0; r < n; r++) {
        table_row(t);
        table_cell(t, h->host);
        for (size_t c = 0; c < h->events.n_columns; c++) {
            buf_reset(&cell);
            events_cell(&h->events, r, c, &cell);
            table_cell(t, buf_span(&cell));
        }
    }
    buf_done(&cell);
    return n;
}

static enum err print_events(const struct host_events *hosts, size_t n, size_t most, const struct screen *s, bool csv, size_t *out_shown) {
    size_t shown = 0;
    for (size_t i = 0; i < n && (i == 0 || shown < most);) {
        struct table_column columns[LIMIT_COLUMNS + 1];
        char names[LIMIT_COLUMNS][64];
        AUTO(table_free) struct table *t = events_table(&hosts[i], columns, names);
        if (!t) return ERR_NOMEM;
        size_t first = i;
        for (; i < n && same_header(&hosts[first].events, &hosts[i].events); i++) shown += fill_events(t, &hosts[i], most - shown);
        enum err e = csv ? table_print_csv(t, s->to) : table_print(t, s);
        if (e) return e;
    }
    *out_shown = shown;
    return ERR_OK;
}

enum err body_events(const struct host_events *hosts, size_t n, size_t most, uint64_t total, const struct screen *s) {
    size_t shown = 0;
    enum err e = print_events(hosts, n, most, s, false, &shown);
    if (!e && total > shown) fprintf(s->to, "%llu more rows (-n 0 shows all)\n", (unsigned long long)(total - shown));
    return e;
}

enum err body_events_csv(const struct host_events *hosts, size_t n, FILE *to) {
    struct screen s = {.to = to};
    size_t shown;
    return print_events(hosts, n, SIZE_MAX, &s, true, &shown);
}
