#include "common/parse/parse_table.h"

#include "common/parse/parse_columns.h"
#include "common/parse/parse_notices.h"

enum { DECIMALS_MAX = 9 };

struct reader {
    struct parse_job *job;
    struct parse_columns columns;
    bool has_header;
    struct span cells[PARSE_COLUMNS_MAX]; /* the row that waits: its last cell may go on in the next lines */
    bool has_row;
    struct span held; /* a line that is no row: the begin of the next one, or the previous cell going on; .p NULL: none */
};

/* The header may come after rows (a tool that flushes rows but not its header), so it is looked for first. */
static bool find_header(struct reader *r) {
    struct span rest = r->job->text, line;
    while (parse_job_line(&rest, &line))
        if (parse_columns_header(r->job->spec, line, &r->columns)) return true;
    return false;
}

/* ---- cells ---- */

/* v × 10^n, or EVENTS_NULL. */
static int64_t scaled(int64_t v, unsigned n) {
    for (; n > 0 && v != EVENTS_NULL; n--)
        if (__builtin_mul_overflow(v, 10, &v)) return EVENTS_NULL;
    return v;
}

/* The column takes cells with that many decimals from now on. */
static void widen(struct column *c, size_t rows, unsigned decimals) {
    for (size_t i = 0; i < rows; i++) c->number[i] = scaled(c->number[i], decimals - c->decimals);
    c->decimals = decimals;
}

static int64_t decimal(struct column *c, size_t row, struct span cell) {
    int64_t v;
    unsigned decimals;
    if (!span_decimal(cell, &v, &decimals)) return EVENTS_NULL;
    for (; decimals > DECIMALS_MAX; decimals--) v /= 10;
    if (decimals > c->decimals) widen(c, row, decimals);
    return scaled(v, c->decimals - decimals);
}

static int64_t integer(struct span cell) {
    int64_t v;
    return span_i64(cell, &v) ? v : EVENTS_NULL;
}

static enum err add_cell(struct reader *r, size_t row, size_t i) {
    struct events *e = &r->job->capture->events;
    struct column *c = &e->columns[i];
    if (!column_is_number(c->type)) return strings_add(&e->strings, r->cells[i], &c->text[row]);
    c->number[row] = c->type == COLUMN_DECIMAL ? decimal(c, row, r->cells[i]) : integer(r->cells[i]);
    r->job->null_cells += c->number[row] == EVENTS_NULL;
    return ERR_OK;
}

/* ---- rows ---- */

static enum err finish_row(struct reader *r) {
    if (!r->has_row) return ERR_OK;
    r->has_row = false;
    r->job->has_rows = true;
    size_t row;
    enum err e = events_row(&r->job->capture->events, r->job->mem, &row);
    for (size_t i = 0; !e && i < r->columns.n; i++) e = add_cell(r, row, i);
    return e;
}

/* The held line is nobody's beginning: more of the previous row, a notice, or unknown. */
static enum err drop_held(struct reader *r) {
    struct span line = r->held;
    r->held = SPAN_NONE;
    if (!line.p) return ERR_OK;
    bool goes_on = r->job->spec->multiline_last && r->has_row && r->columns.column[r->columns.n - 1]->to_end;
    if (goes_on ? parse_notices_loss(r->job, line) : parse_notices_line(r->job, line)) return ERR_OK;
    if (!goes_on) return parse_job_unknown(r->job, line);
    struct span *last = &r->cells[r->columns.n - 1];
    *last = parse_job_joined(*last, line);
    if (r->columns.trailing_blank && last->p[last->n - 1] == ' ') last->n--;
    return ERR_OK;
}

static enum err begin_row(struct reader *r, const struct span cells[PARSE_COLUMNS_MAX]) {
    enum err e = finish_row(r);
    memcpy(r->cells, cells, r->columns.n * sizeof *cells);
    r->has_row = true;
    return e;
}

static enum err on_line(struct reader *r, struct span line) {
    struct span cells[PARSE_COLUMNS_MAX];
    if (parse_job_is_blank(line)) return ERR_OK;
    if (parse_job_is_open(r->job, line)) {
        enum err e = drop_held(r);
        return e ? e : parse_job_cut(r->job, line);
    }
    if (r->has_header && span_eq(span_trim_end(line), r->columns.header)) {
        r->job->has_banner = true;
        return drop_held(r);
    }
    if (!r->has_header) {
        r->held = line;
        return drop_held(r);
    }
    if (parse_columns_split(&r->columns, line, true, cells)) {
        enum err e = drop_held(r);
        return e ? e : begin_row(r, cells);
    }
    if (r->held.p && parse_columns_split(&r->columns, parse_job_joined(r->held, line), true, cells)) {
        r->held = SPAN_NONE; /* a newline in a task's name had split its row in two */
        return begin_row(r, cells);
    }
    enum err e = drop_held(r);
    if (e) return e;
    if (!r->job->spec->multiline_last && parse_columns_split(&r->columns, line, false, cells)) return begin_row(r, cells);
    r->held = line;
    return ERR_OK;
}

static enum err begin_events(struct reader *r) {
    struct column columns[PARSE_COLUMNS_MAX];
    size_t n = r->has_header ? r->columns.n : 0;
    for (size_t i = 0; i < n; i++) {
        const struct parse_column *c = r->columns.column[i];
        columns[i] = (struct column){.name = span_str(c->name), .unit = span_str(c->unit ? c->unit : ""), .type = c->type};
    }
    return events_init(&r->job->capture->events, columns, n, r->job->mem);
}

enum err parse_table(struct parse_job *job) {
    struct reader r = {.job = job};
    struct span rest = job->text, line;
    r.has_header = find_header(&r);
    enum err e = begin_events(&r);
    while (!e && parse_job_line(&rest, &line)) e = on_line(&r, line);
    if (!e) e = drop_held(&r);
    return e ? e : finish_row(&r);
}
