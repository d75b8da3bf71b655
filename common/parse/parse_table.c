#include "common/parse/parse_table.h"

#include "common/model/events_room.h"
#include "common/parse/parse_columns.h"
#include "common/parse/parse_histogram.h"
#include "common/parse/parse_notices.h"
#include "common/parse/parse_row_stack.h"
#include "common/parse/parse_split.h"

enum {
    DECIMALS_MAX = 9,
    INTERVAL_BYTES = 24,
    HELD_LINES = 16, /* a task's name has room for 15 newlines */
    SAMPLE_ROWS = 512 /* that tell how long the others are */,
    ROWS_SPARE = 16
};

/* The column in front of the tool's own, when there are several tables: what tells them apart. */
enum lead { LEAD_NONE, LEAD_MARK, LEAD_NUMBER };

struct reader {
    struct parse_job *job;
    struct parse_columns columns;
    bool has_header;
    struct parse_cell room[2][PARSE_COLUMNS_MAX];
    struct parse_cell *cells; /* the row that waits: its last cell may go on in the next lines */
    struct parse_cell *next;  /* the row that is being read */
    bool has_row;
    struct span held[HELD_LINES]; /* lines that are no rows: the begin of the next one, or the previous cell going on */
    size_t n_held;
    enum lead lead;
    struct span mark;             /* LEAD_MARK: of the table being read */
    uint64_t tables;              /* headers seen so far */
    uint32_t lead_text;           /* the lead column's cell, in the events' strings */
    struct parse_row_stack stack; /* of the row that waits */
    struct {
        struct span text[STRINGS_AT_ONCE];
        size_t row[STRINGS_AT_ONCE], column[STRINGS_AT_ONCE];
        size_t n;
    } late;                       /* cells whose texts are not in the strings yet */
    bool ends_in_blanks;          /* rows end in the blank that the tool puts there: nobody has taken it away since */
};

/* The header may come after rows (a tool that flushes rows but not its header), so it is looked for first. */
static bool find_header(const struct parse_job *job, struct parse_columns *out) {
    struct span rest = job->text, line, unit;
    while (parse_job_line(job, &rest, &line)) {
        if (parse_job_is_open(job, line)) return false;
        if (parse_columns_header(job->spec, line, out)) return true;
        if (job->spec->grammar == GRAMMAR_HISTOGRAM && parse_histogram_is_header(line, &unit)) return false;
    }
    return false;
}

bool parse_table_is(const struct parse_job *job) {
    struct parse_columns columns;
    return job->spec->n_columns > 0 && find_header(job, &columns);
}

/* Marks tell tables apart, or else their order does when there are several. */
static enum lead find_lead(const struct reader *r) {
    struct span rest = r->job->text, line;
    size_t headers = 0;
    if (!r->job->spec->interval_tables || !r->has_header) return LEAD_NONE;
    while (parse_job_line(r->job, &rest, &line)) {
        if (parse_job_is_mark(line)) return LEAD_MARK;
        headers += span_eq(span_trim_end(line), r->columns.header);
    }
    return headers > 1 ? LEAD_NUMBER : LEAD_NONE;
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

static int64_t decimal(struct column *c, size_t row, struct parse_cell cell) {
    if (cell.number == EVENTS_NULL) return EVENTS_NULL;
    if (cell.decimals == c->decimals) return cell.number;
    for (; cell.decimals > DECIMALS_MAX; cell.decimals--) cell.number /= 10;
    if (cell.decimals > c->decimals) widen(c, row, cell.decimals);
    return scaled(cell.number, c->decimals - cell.decimals);
}

/* The texts that wait for their places in the strings. */
static enum err add_late(struct reader *r) {
    struct events *e = &r->job->capture->events;
    uint32_t string[STRINGS_AT_ONCE] = {0};
    enum err err = strings_add_many(&e->strings, r->late.text, r->late.n, string);
    for (size_t i = 0; !err && i < r->late.n; i++) e->columns[r->late.column[i]].text[r->late.row[i]] = string[i];
    r->late.n = 0;
    return err;
}

/* A long text: there may be many of them, so it is looked for together with others. */
static enum err add_long(struct reader *r, struct span text, size_t row, size_t column) {
    size_t i = r->late.n++;
    r->late.text[i] = text;
    r->late.row[i] = row;
    r->late.column[i] = column;
    return r->late.n == STRINGS_AT_ONCE ? add_late(r) : ERR_OK;
}

static enum err add_text(struct reader *r, size_t i, size_t row, size_t column) {
    const struct parse_cell *cell = &r->cells[i];
    struct strings *strings = &r->job->capture->events.strings;
    uint32_t *out = &r->job->capture->events.columns[column].text[row];
    struct parse_memo_key key = {.about = 0};
    if ((*out = cell->string)) return ERR_OK;
    if (!parse_memo_key(cell->text, i, r->columns.end, &key)) return cell->text.n ? add_long(r, cell->text, row, column) : ERR_OK;
    if ((*out = parse_memo_find(r->columns.memo, &key))) return ERR_OK;
    enum err e = strings_add(strings, cell->text, out);
    if (!e) parse_memo_keep(r->columns.memo, &key, *out);
    return e;
}

static enum err add_cell(struct reader *r, size_t row, size_t i) {
    size_t column = i + (r->lead != LEAD_NONE);
    struct column *c = &r->job->capture->events.columns[column];
    if (!column_is_number(c->type)) return add_text(r, i, row, column);
    c->number[row] = c->type == COLUMN_DECIMAL ? decimal(c, row, r->cells[i]) : r->cells[i].number;
    r->job->null_cells += c->number[row] == EVENTS_NULL;
    return ERR_OK;
}

/* ---- rows ---- */

/* Room for as many rows as there will be when the rest is like the begin, all at once: growing by and by takes twice the memory.
 * Where there is no room for so many, rows come one by one. */
static void expect_rows(struct reader *r) {
    struct events *e = &r->job->capture->events;
    if (e->n_rows != SAMPLE_ROWS) return;
    size_t read = (size_t)(r->cells[r->columns.n - 1].text.p - r->job->text.p), rows = r->job->text.n / (read / SAMPLE_ROWS + 1);
    rows += rows / ROWS_SPARE + SAMPLE_ROWS;
    if (rows > e->cap_rows) IGNORED(events_room_grow(e, r->job->mem, rows));
}

static enum err finish_row(struct reader *r) {
    if (!r->has_row) return ERR_OK;
    r->has_row = false;
    r->job->has_rows = true;
    size_t row;
    expect_rows(r);
    enum err e = events_row(&r->job->capture->events, r->job->mem, &row);
    for (size_t i = 0; !e && i < r->columns.n; i++) e = add_cell(r, row, i);
    if (!e && r->lead != LEAD_NONE) r->job->capture->events.columns[0].text[row] = r->lead_text;
    return e || r->stack.n == 0 ? e : parse_row_stack_give(r->job, &r->stack, row);
}

/* Most lines end in a blank. */
static bool ends_in_blanks(const struct parse_job *job) {
    struct span rest = job->text, line;
    size_t with = 0, without = 0;
    while (parse_job_line(job, &rest, &line)) {
        bool blank = line.n > 0 && line.p[line.n - 1] == ' ';
        with += blank;
        without += !blank;
    }
    return with >= without && with > 0;
}

/* The row that waits does not end as the tool ends rows: whatever comes next is more of its last cell. */
static bool must_go_on(const struct reader *r) {
    if (!r->ends_in_blanks || !r->has_row) return false;
    struct span last = r->cells[r->columns.n - 1].text;
    const char *end = last.p + last.n; /* the blank is not in the cell any more */
    bool whole = last.n == 0 || end[-1] == '"' || span_ends(last, SPAN_LIT("..."));
    return !whole && end < r->job->text.p + r->job->text.n && *end != ' ';
}

/* May the line be more of the last cell of the row that waits? */
static bool goes_on(const struct reader *r, struct span line) {
    if (!r->job->spec->multiline_last || !r->has_row) return false;
    const struct parse_column *last = r->columns.column[r->columns.n - 1];
    return last->to_end && (last->most == 0 || parse_job_joined(r->cells[r->columns.n - 1].text, line).n <= last->most);
}

/* The line is nobody's beginning: more of the previous row, a notice, or unknown. */
static enum err drop_line(struct reader *r, struct span line) {
    bool more = goes_on(r, line);
    if (parse_job_is_blank(line)) return ERR_OK;
    if (more ? parse_notices_aside(r->job, line) : parse_notices_line(r->job, line)) return ERR_OK;
    if (!more) return parse_job_unknown(r->job, line);
    struct span *last = &r->cells[r->columns.n - 1].text;
    *last = parse_job_joined(*last, line);
    if (r->columns.trailing_blank && last->p[last->n - 1] == ' ') last->n--;
    return ERR_OK;
}

/* The first n held lines. */
static enum err drop_some(struct reader *r, size_t n) {
    enum err e = ERR_OK;
    for (size_t i = 0; !e && i < n; i++) e = drop_line(r, r->held[i]);
    memmove(r->held, r->held + n, (r->n_held - n) * sizeof *r->held);
    r->n_held -= n;
    return e;
}

static enum err drop_held(struct reader *r) { return r->n_held ? drop_some(r, r->n_held) : ERR_OK; }

static enum err hold(struct reader *r, struct span line) {
    enum err e = r->n_held == HELD_LINES ? drop_some(r, 1) : ERR_OK;
    if (!e) r->held[r->n_held++] = line;
    return e;
}

/* The row that was read waits. */
static enum err begin_row(struct reader *r) {
    enum err e = finish_row(r);
    struct parse_cell *cells = r->next;
    r->next = r->cells;
    r->cells = cells;
    r->has_row = true;
    return e;
}

/* A table begins: what is before its rows in the lead column. */
static enum err begin_table(struct reader *r) {
    char text[INTERVAL_BYTES];
    enum err e = drop_held(r);
    if (!e) e = finish_row(r);
    if (e) return e;
    r->job->has_banner = true;
    r->tables++;
    int n = snprintf(text, sizeof text, "#%llu", (unsigned long long)r->tables);
    struct span lead = r->lead == LEAD_MARK ? r->mark : span_of(text, (size_t)n);
    return r->lead == LEAD_NONE ? ERR_OK : strings_add(&r->job->capture->events.strings, lead.p ? lead : SPAN_LIT(""), &r->lead_text);
}

/* A line that is told apart without the columns. */
static bool is_special(struct reader *r, struct span line, enum err *out) {
    if (parse_job_is_open(r->job, line)) {
        *out = drop_held(r);
        if (!*out) *out = parse_job_cut(r->job, line);
    } else if (r->has_header && span_eq(span_trim_end(line), r->columns.header)) {
        *out = begin_table(r);
    } else if (r->lead == LEAD_MARK && parse_job_is_mark(line)) {
        r->mark = span_trim_end(line);
        *out = drop_held(r);
    } else if (r->job->spec->row_stacks && r->has_row && parse_row_stack_is(line)) {
        *out = drop_held(r);
        if (!*out) *out = parse_row_stack_add(r->job, &r->stack, line);
    } else if (!r->has_header) {
        *out = drop_line(r, line);
    } else {
        return false;
    }
    return true;
}

/* A column of letters makes it unlikely that a name only looks like a row. */
static bool is_telling(const struct parse_columns *c) {
    for (size_t i = 0; i < c->n; i++)
        if (c->column[i]->one_of && !c->column[i]->optional) return true;
    return false;
}

/* Where a task's name comes first in a row, it may begin with a newline. */
static enum err on_blank(struct reader *r, struct span line) {
    if (r->job->spec->row_stacks) return finish_row(r);
    return r->has_header && r->columns.free == 0 ? hold(r, line) : ERR_OK;
}

static enum err on_line(struct reader *r, struct span line) {
    struct parse_cell *cells = r->next;
    enum err e = ERR_OK;
    if (parse_job_is_blank(line) && (line.n == 0 || !parse_job_is_open(r->job, line))) return on_blank(r, line);
    if (is_special(r, line, &e)) return e;
    if (must_go_on(r)) return drop_line(r, line);
    bool alone = parse_split(&r->columns, line, true, cells);
    bool padded = alone && r->n_held > 0 && !r->columns.csv && r->columns.free < r->columns.n && cells[r->columns.free].text.n > 0 &&
                  cells[r->columns.free].text.p[0] == ' ';
    if (alone && !padded) {
        e = drop_held(r);
        return e ? e : begin_row(r);
    }
    for (size_t i = r->n_held; i-- > 0;) {
        if (!parse_split(&r->columns, parse_job_joined(r->held[i], line), true, cells)) continue;
        e = drop_some(r, i); /* a newline in a task's name had split its row */
        r->n_held = 0;
        return e ? e : begin_row(r);
    }
    if (alone) {
        e = drop_held(r);
        return e || !parse_split(&r->columns, line, true, cells) ? e : begin_row(r);
    }
    bool may_be_aside = !r->job->spec->multiline_last || is_telling(&r->columns);
    if (may_be_aside && !r->columns.csv && parse_split(&r->columns, line, false, cells)) {
        e = drop_held(r);
        return e ? e : begin_row(r);
    }
    bool echoed = span_starts(line, SPAN_LIT("^C")); /* by the terminal, before the tool's last row */
    if (echoed && parse_split(&r->columns, span_drop(line, 2), true, cells)) {
        e = drop_held(r);
        return e ? e : begin_row(r);
    }
    return hold(r, line);
}

static enum err begin_events(struct reader *r) {
    struct column columns[PARSE_COLUMNS_MAX + 1];
    size_t n = 0;
    if (r->lead == LEAD_MARK) columns[n++] = (struct column){.name = SPAN_LIT("TIME"), .unit = SPAN_LIT(""), .type = COLUMN_TIME};
    if (r->lead == LEAD_NUMBER) columns[n++] = (struct column){.name = SPAN_LIT("interval"), .unit = SPAN_LIT(""), .type = COLUMN_TEXT};
    for (size_t i = 0; r->has_header && i < r->columns.n; i++) {
        const struct parse_column *c = r->columns.column[i];
        columns[n++] = (struct column){.name = r->columns.name[i], .unit = span_str(c->unit ? c->unit : ""), .type = c->type};
    }
    return events_init(&r->job->capture->events, columns, n, r->job->mem);
}

enum err parse_table(struct parse_job *job) {
    struct reader r = {.job = job, .cells = r.room[0], .next = r.room[1]};
    struct span rest = job->text, line;
    r.has_header = find_header(job, &r.columns);
    r.columns.end = job->text.p + job->text.n;
    r.columns.memo = arena_array(job->mem, 1, sizeof *r.columns.memo);
    if (!r.columns.memo) return ERR_NOMEM;
    r.lead = find_lead(&r);
    r.ends_in_blanks = job->spec->trailing_blank && ends_in_blanks(job);
    enum err e = begin_events(&r);
    while (!e && parse_job_line(job, &rest, &line)) e = on_line(&r, line);
    if (!e) e = drop_held(&r);
    if (!e) e = finish_row(&r);
    return e ? e : add_late(&r);
}
