#include "common/parse/parse_columns.h"

static const struct parse_column *column_at(const struct parse_spec *spec, struct span word) {
    for (size_t i = 0; i < spec->n_columns; i++)
        if (span_eq_str(word, spec->columns[i].name)) return &spec->columns[i];
    return NULL;
}

bool parse_columns_header(const struct parse_spec *spec, struct span line, struct parse_columns *out) {
    struct parse_columns c = {.header = span_trim_end(line), .trailing_blank = spec->trailing_blank};
    struct span rest = line, word;
    c.free = PARSE_COLUMNS_MAX;
    while (span_word(&rest, &word)) {
        const struct parse_column *found = column_at(spec, word);
        if (!found || c.n == PARSE_COLUMNS_MAX) return false;
        if (found->blanks && c.free == PARSE_COLUMNS_MAX) c.free = c.n;
        c.start[c.n] = (size_t)(word.p - line.p);
        c.column[c.n++] = found;
    }
    if (c.n < 2) return false;
    if (c.free > c.n) c.free = c.n;
    *out = c;
    return true;
}

static bool is_digits(struct span s) {
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return s.n > 0;
}

static bool is_clock(struct span s) {
    return s.n == 8 && s.p[2] == ':' && s.p[5] == ':' && is_digits(span_head(s, 2)) && is_digits(span_head(span_drop(s, 3), 2)) &&
           is_digits(span_drop(s, 6));
}

/* What tools print where they have no number. */
static bool is_no_number(struct span s) {
    static const char *const words[] = {"?", "-", "N/A", "LL_MAX", "nan", "-nan", "inf", "-inf"};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (span_eq_str(s, words[i])) return true;
    return false;
}

static bool fits(const struct parse_column *c, struct span cell) {
    int64_t number;
    unsigned decimals;
    switch (c->type) {
    case COLUMN_INT:
    case COLUMN_PORT: return span_i64(cell, &number) || is_no_number(cell);
    case COLUMN_DECIMAL: return span_decimal(cell, &number, &decimals) || is_no_number(cell);
    case COLUMN_TIME: return is_clock(cell);
    case COLUMN_TEXT:
    case COLUMN_ADDRESS: break;
    }
    return cell.n > 0;
}

static bool is_blank_at(struct span line, size_t at) { return at >= line.n || line.p[at] == ' ' || line.p[at] == '\t'; }

static struct span word_at(struct span line, size_t *at) {
    size_t from = *at;
    while (from < line.n && is_blank_at(line, from)) from++;
    size_t to = from;
    while (!is_blank_at(line, to)) to++;
    *at = to;
    return span_of(line.p + from, to - from);
}

/* The last cell of a row: everything behind the one blank that separates it. */
static struct span rest_at(const struct parse_columns *c, struct span line, size_t at) {
    struct span rest = span_drop(line, at < line.n && is_blank_at(line, at) ? at + 1 : at);
    if (c->trailing_blank && rest.n > 0 && rest.p[rest.n - 1] == ' ') rest.n--;
    return rest;
}

/* Columns from first on, the last may take the rest. */
static bool split_forward(const struct parse_columns *c, struct span line, size_t at, size_t first, struct span *cells) {
    for (size_t i = first; i < c->n; i++) {
        if (c->column[i]->to_end && i == c->n - 1) {
            cells[i] = rest_at(c, line, at);
            return is_blank_at(line, at);
        }
        cells[i] = word_at(line, &at);
        if (!fits(c->column[i], cells[i])) return false;
    }
    return word_at(line, &at).n == 0;
}

/* The columns before the free one: words, each padded to its width.  A number that fills its width is followed by the next
 * cell without a blank between (execsnoop's UID). */
static bool split_left(const struct parse_columns *c, struct span line, size_t *at, struct span *cells) {
    for (size_t i = 0; i < c->free; i++) {
        const struct parse_column *column = c->column[i];
        size_t from = *at;
        struct span word = word_at(line, at);
        if (column->width > 0 && word.n > column->width && column->type == COLUMN_INT) {
            size_t digits = 0;
            while (digits < word.n && is_digits(span_head(span_drop(word, digits), 1))) digits++;
            if (digits < column->width) return false;
            *at -= word.n - digits;
            word.n = digits;
        }
        if (!fits(column, word)) return false;
        if (word.p == line.p + from && word.n < column->width) *at = from + column->width;
        if (column->width == 0 && i + 1 == c->free)
            while (*at < line.n && is_blank_at(line, *at)) ++*at;
        cells[i] = word;
    }
    return *at <= line.n;
}

/* Everything behind the free column is one word each: found from the end. */
static bool split_backward(const struct parse_columns *c, struct span line, size_t at, struct span *cells) {
    struct span rest = span_trim_end(span_drop(line, at));
    for (size_t i = c->n - 1; i > c->free; i--) {
        size_t from = rest.n;
        while (from > 0 && !is_blank_at(rest, from - 1)) from--;
        cells[i] = span_drop(rest, from);
        rest = span_trim_end(span_head(rest, from));
        if (!fits(c->column[i], cells[i])) return false;
    }
    cells[c->free] = rest;
    return true;
}

static bool split_exact(const struct parse_columns *c, struct span line, size_t at, struct span *cells) {
    size_t width = c->start[c->free + 1] - c->start[c->free];
    if (line.n - at < width || !is_blank_at(line, at + width - 1)) return false;
    cells[c->free] = span_trim_end(span_head(span_drop(line, at), width));
    return split_forward(c, line, at + width, c->free + 1, cells);
}

static bool split_anywhere(const struct parse_columns *c, struct span line, size_t at, struct span *cells) {
    for (size_t end = at; end < line.n; end++) {
        if (!is_blank_at(line, end) || (end > at && is_blank_at(line, end - 1))) continue;
        cells[c->free] = span_of(line.p + at, end - at);
        if (split_forward(c, line, end, c->free + 1, cells)) return true;
    }
    return false;
}

bool parse_columns_split(const struct parse_columns *c, struct span line, bool exact, struct span cells[PARSE_COLUMNS_MAX]) {
    size_t at = 0;
    if (c->free == c->n) return split_forward(c, line, 0, 0, cells);
    if (!split_left(c, line, &at, cells)) return false;
    if (c->column[c->free]->to_end) {
        cells[c->free] = span_trim_end(span_drop(line, at));
        return c->free == c->n - 1;
    }
    if (!c->column[c->n - 1]->to_end) return split_backward(c, line, at, cells);
    return exact ? split_exact(c, line, at, cells) : split_anywhere(c, line, at, cells);
}
