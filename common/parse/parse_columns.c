#include "common/parse/parse_columns.h"

#include <endian.h>

#include "common/parse/parse_csv.h"
#include "common/parse/parse_job.h"

/* ---- the header ---- */

enum { EXTRA_DIGITS = 4u }; /* of a number that is wider than its column: a uid has ten, its column six */

static const struct parse_column of_later_version = {.name = "", .type = COLUMN_TEXT};

/* The name within what is printed around it; .p NULL: the column would be printed otherwise. */
static struct span bare(const struct parse_column *c, struct span word) {
    if (!c->open && !c->close) return word;
    struct span open = span_str(c->open ? c->open : ""), close = span_str(c->close ? c->close : "");
    if (word.n < open.n + close.n || !span_starts(word, open) || !span_ends(word, close)) return SPAN_NONE;
    return span_of(word.p + open.n, word.n - open.n - close.n);
}

static const struct parse_column *column_at(const struct parse_spec *spec, struct span word) {
    for (size_t i = 0; i < spec->n_columns; i++) {
        struct span name = bare(&spec->columns[i], word);
        if (name.p && span_eq_str(name, spec->columns[i].name)) return &spec->columns[i];
    }
    return NULL;
}

static bool is_between(const struct parse_spec *spec, struct span word) {
    for (size_t i = 0; i < spec->n_columns; i++)
        if (spec->columns[i].before && span_eq_str(word, spec->columns[i].before)) return true;
    return false;
}

static bool is_capitals(struct span word) {
    for (size_t i = 0; i < word.n; i++) {
        char c = word.p[i];
        if (!((c >= 'A' && c <= 'Z') || c == '_' || c == '-' || (i > 0 && (c == '(' || c == ')' || (c >= 'a' && c <= 'z'))))) return false;
    }
    return word.n > 1 && word.p[0] != '-';
}

static void add_column(struct parse_columns *c, const struct parse_column *column, struct span word) {
    c->has_glued = c->has_glued || (column && column->glued);
    if (column && column->blanks && c->free == PARSE_COLUMNS_MAX) c->free = c->n;
    c->column[c->n] = column ? column : &of_later_version;
    c->name[c->n++] = column ? span_str(column->name) : word;
}

static bool words_header(const struct parse_spec *spec, struct span line, struct parse_columns *c) {
    struct span rest = line, word;
    size_t start[PARSE_COLUMNS_MAX + 1], strange = 0;
    while (span_word(&rest, &word)) {
        if (is_between(spec, word)) continue;
        const struct parse_column *found = column_at(spec, word);
        if (c->n == PARSE_COLUMNS_MAX || (!found && (c->n == 0 || !is_capitals(word)))) return false;
        strange += !found;
        start[c->n] = (size_t)(word.p - line.p);
        add_column(c, found, word);
    }
    if (c->n < 2 || (strange > 0 && (c->n - strange < 3 || strange * 2 > c->n - strange))) return false;
    for (size_t i = 0; i + 1 < c->n; i++) c->width[i] = c->column[i]->width ? c->column[i]->width : start[i + 1] - start[i];
    return true;
}

static bool csv_header(const struct parse_spec *spec, struct span line, struct parse_columns *c) {
    struct span rest = line, word;
    bool more = span_find(line, ',') < line.n;
    c->csv = more;
    while (more) {
        more = span_cut(rest, ',', &word, &rest);
        const struct parse_column *found = column_at(spec, word);
        if (!found || c->n == PARSE_COLUMNS_MAX) return false;
        add_column(c, found, word);
    }
    return c->n > 2;
}

bool parse_columns_header(const struct parse_spec *spec, struct span line, struct parse_columns *out) {
    const struct parse_columns none = {.header = span_trim_end(line), .trailing_blank = spec->trailing_blank, .free = PARSE_COLUMNS_MAX};
    struct parse_columns c = none;
    if (!words_header(spec, line, &c)) {
        c = none;
        if (!csv_header(spec, none.header, &c)) return false;
    }
    if (c.free > c.n) c.free = c.n;
    *out = c;
    return true;
}

/* ---- cells ---- */

static bool is_digits(struct span s) {
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return s.n > 0;
}

/* "11:07:42", "11:07:42.123456". */
static bool is_clock(struct span s) {
    if (s.n > 9 && (s.p[8] == '.' || s.p[8] == ',') && is_digits(span_drop(s, 9))) s.n = 8;
    return parse_job_is_clock(s);
}

static bool is_address(struct span s) {
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool ok = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '.' || c == ':' || c == '%' || c == '?' || c == '-';
        if (!ok) return false;
    }
    return s.n > 0;
}

/* What tools print where they have no number. */
static bool is_no_number(struct span s) {
    static const char *const words[] = {"?", "-", "N/A", "LL_MAX", "nan", "-nan", "inf", "-inf"};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (span_eq_str(s, words[i])) return true;
    return is_digits(s); /* too large for one of ours */
}

static bool is_seconds(const struct parse_column *c) { return c->unit && c->unit[0] == 's' && c->unit[1] == '\0'; }

/* Without a number, as tools print it. */
static bool no_number(struct parse_cell *cell) {
    cell->number = EVENTS_NULL;
    cell->decimals = 0;
    return is_no_number(cell->text);
}

bool parse_columns_cell(const struct parse_column *c, struct parse_cell *cell) {
    struct span s = bare(c, cell->text);
    if (!s.p) return false;
    if (c->unit && c->unit[0] == '%' && s.n > 1 && s.p[s.n - 1] == '%') s.n--;
    cell->text = s;
    if (c->one_of) return s.n == 1 && strchr(c->one_of, s.p[0]) && s.p[0] != '\0';
    switch (c->type) {
    case COLUMN_INT:
    case COLUMN_PORT:
        return span_i64(s, &cell->number) || no_number(cell);
    case COLUMN_DECIMAL:
        if (span_decimal(s, &cell->number, &cell->decimals)) return cell->decimals > 0 || !is_seconds(c);
        return !is_seconds(c) && no_number(cell); /* seconds are printed with decimals everywhere */
    case COLUMN_TIME: return is_clock(s);
    case COLUMN_ADDRESS: return is_address(s);
    case COLUMN_TEXT: break;
    }
    return s.n > 0 || c->close;
}

static bool is_short_enough(const struct parse_column *c, struct span cell) { return c->most == 0 || cell.n <= c->most; }

/* ---- rows ---- */

/* Without the padding; a tab or a newline at the end is part of a name. */
static struct span without_padding(struct span s) {
    while (s.n > 0 && s.p[s.n - 1] == ' ') s.n--;
    return s;
}

static bool is_blank_at(struct span line, size_t at) { return at >= line.n || line.p[at] == ' ' || line.p[at] == '\t'; }

/* 0x80 in each byte of eight that is a space or a tab. */
static uint64_t blanks_of(const char *p) {
    const uint64_t low = 0x7f7f7f7f7f7f7f7f;
    uint64_t v;
    memcpy(&v, p, sizeof v);
    v = le64toh(v);                                                        /* the first byte is the lowest */
    uint64_t space = v ^ 0x2020202020202020, tab = v ^ 0x0909090909090909; /* a byte of it is 0 where there is one */
    return ~(((space & low) + low) | space | low) | ~(((tab & low) + low) | tab | low);
}

/* Where the run that is at `at`, of blanks or of others, ends: eight bytes at a time. */
static size_t run_end(struct span line, size_t at, bool of_blanks) {
    const uint64_t others = of_blanks ? 0x8080808080808080 : 0;
    for (; at + sizeof(uint64_t) <= line.n; at += sizeof(uint64_t)) {
        uint64_t ends = blanks_of(line.p + at) ^ others;
        if (ends) return at + (size_t)__builtin_ctzll(ends) / 8;
    }
    while (at < line.n && is_blank_at(line, at) == of_blanks) at++;
    return at;
}

static struct span word_at(struct span line, size_t *at) {
    size_t from = run_end(line, *at, true), to = run_end(line, from, false);
    *at = to;
    return span_of(line.p + from, to - from);
}

static bool is_before(const struct parse_column *c, struct span word) { return c->before && span_eq_str(word, c->before); }

/* Where the field that holds word ends, its separator included. */
static size_t field_end(const struct parse_columns *c, size_t i, struct span line, struct span word) {
    size_t begin = (size_t)(word.p - line.p), end = begin + word.n, padded = begin + c->width[i];
    for (size_t at = end; at < padded && at < line.n; at++)
        if (!is_blank_at(line, at)) padded = 0; /* the rows are not padded as the header is */
    if (padded > end) return padded;
    return c->column[i]->glued ? end : end + 1;
}

/* The last cell of a row: everything behind the field before it, whose word ended at end and began where the field does when
 * it is padded on the right. */
static struct span rest_at(const struct parse_columns *c, struct span line, size_t from, struct span word) {
    size_t begin = word.p ? (size_t)(word.p - line.p) : 0, at = from;
    if (word.p) at = begin <= from + 1 ? field_end(c, c->n - 2, line, word) : begin + word.n + 1;
    struct span rest = span_drop(line, at);
    if (c->trailing_blank && rest.n > 0 && rest.p[rest.n - 1] == ' ') rest.n--;
    return rest;
}

/* Columns from first on, the last may take the rest. */
static bool split_forward(const struct parse_columns *c, struct span line, size_t at, size_t first, struct parse_cell *cells) {
    struct span word = SPAN_NONE;
    size_t from = at;
    for (size_t i = first; i < c->n; i++) {
        const struct parse_column *column = c->column[i];
        if (column->to_end && i == c->n - 1) {
            cells[i].text = rest_at(c, line, from, word);
            return is_blank_at(line, at) && is_short_enough(column, cells[i].text);
        }
        from = at;
        word = word_at(line, &at);
        if (is_before(column, word)) word = word_at(line, &at);
        cells[i].text = word;
        if (parse_columns_cell(column, &cells[i])) continue;
        if (!column->optional) return false;
        cells[i].text = span_of(line.p + from, 0);
        at = from;
    }
    return word_at(line, &at).n == 0;
}

/* How much of a word is the cell, when the next cell follows without a blank: a number with its decimals, or as many digits
 * as fill the width and extra ones.  0: it cannot be. */
static size_t glued_length(const struct parse_columns *c, size_t i, struct span word, size_t extra) {
    const struct parse_column *column = c->column[i];
    if (word.n <= c->width[i] && column->decimals == 0) return word.n;
    if (column->decimals > 0) {
        size_t end = span_find(word, '.') + 1 + column->decimals;
        return end <= word.n ? end : 0;
    }
    size_t digits = 0;
    while (digits < word.n && is_digits(span_of(word.p + digits, 1))) digits++;
    return digits >= c->width[i] + extra ? c->width[i] + extra : 0;
}

/* The columns before the free one: words, each padded to its width. */
static bool split_left(const struct parse_columns *c, struct span line, size_t extra, size_t *at, struct parse_cell *cells) {
    for (size_t i = 0; i < c->free; i++) {
        struct span word = word_at(line, at);
        if (c->column[i]->glued) word.n = glued_length(c, i, word, extra);
        cells[i].text = word;
        if (word.n == 0 || !parse_columns_cell(c->column[i], &cells[i])) return false;
        *at = field_end(c, i, line, word);
    }
    return *at <= line.n;
}

/* What the free cell's padding leaves of the line: width bytes further, or as many characters (Python pads these). */
static size_t free_end(struct span line, size_t at, size_t width, bool characters) {
    size_t end = at;
    for (; width > 0 && end < line.n; width--) {
        end++;
        while (characters && end < line.n && ((unsigned char)line.p[end] & 0xc0) == 0x80) end++;
    }
    return width > 0 ? SIZE_MAX : end;
}

/* How the free cell's end is found: its padding counted in bytes or in characters, or wherever the cells behind it fit. */
enum method { BY_BYTES, BY_CHARACTERS, ANYWHERE };

/* The next cell begins where the free one's padding ends: no piece of a name has been taken for a cell. */
static bool is_padded(const struct parse_columns *c, struct span line, size_t at, struct span next, enum method how) {
    size_t end = free_end(line, at, c->width[c->free], how == BY_CHARACTERS);
    return end < line.n && next.p == line.p + end;
}

/* Everything behind the free column is one word each: found from the end. */
static bool split_backward(const struct parse_columns *c, struct span line, enum method how, size_t at, struct parse_cell *cells) {
    struct span rest = without_padding(span_drop(line, at)), word, before = SPAN_NONE;
    for (size_t i = c->n - 1; i > c->free; i--) {
        size_t from = rest.n;
        while (from > 0 && !is_blank_at(rest, from - 1)) from--;
        word = span_drop(rest, from);
        cells[i].text = word;
        if (parse_columns_cell(c->column[i], &cells[i])) {
            rest = without_padding(span_head(rest, from));
        } else {
            if (!c->column[i]->optional) return false;
            cells[i].text = span_of(word.p, 0);
        }
        if (!c->column[i]->before) continue;
        from = rest.n;
        while (from > 0 && !is_blank_at(rest, from - 1)) from--;
        before = span_drop(rest, from);
        if (is_before(c->column[i], before)) rest = without_padding(span_head(rest, from));
    }
    cells[c->free].text = rest;
    return is_short_enough(c->column[c->free], rest) && (how == ANYWHERE || is_padded(c, line, at, cells[c->free + 1].text, how));
}

/* The words behind the free cell begin where the header has their columns, but for the last two. */
static bool is_aligned(const struct parse_columns *c, struct span line, size_t at) {
    for (size_t i = c->free + 1; i + 2 < c->n; i++) {
        size_t end = at;
        struct span word = word_at(line, &end);
        if (word.n == 0 || word.p != line.p + at) return false;
        at = field_end(c, i, line, word);
    }
    return true;
}

static bool split_exact(const struct parse_columns *c, struct span line, size_t at, bool characters, struct parse_cell *cells) {
    size_t end = free_end(line, at, c->width[c->free], characters);
    if (end > line.n || end == at || !is_blank_at(line, end - 1)) return false;
    if (c->has_glued && !is_aligned(c, line, end)) return false; /* the number before took too little */
    cells[c->free].text = without_padding(span_of(line.p + at, end - at));
    return is_short_enough(c->column[c->free], cells[c->free].text) && split_forward(c, line, end, c->free + 1, cells);
}

static bool split_anywhere(const struct parse_columns *c, struct span line, size_t at, struct parse_cell *cells) {
    for (size_t end = at; end < line.n; end++) {
        if (!is_blank_at(line, end) || (end > at && is_blank_at(line, end - 1))) continue;
        cells[c->free].text = span_of(line.p + at, end - at);
        if (!is_short_enough(c->column[c->free], cells[c->free].text)) return false;
        if (split_forward(c, line, end, c->free + 1, cells)) return true;
    }
    return false;
}

static bool split_free(const struct parse_columns *c, struct span line, enum method how, size_t at, struct parse_cell *cells) {
    if (c->column[c->free]->to_end) {
        cells[c->free].text = without_padding(span_drop(line, at));
        return c->free == c->n - 1;
    }
    if (!c->column[c->n - 1]->to_end) return split_backward(c, line, how, at, cells);
    return how == ANYWHERE ? split_anywhere(c, line, at, cells) : split_exact(c, line, at, how == BY_CHARACTERS, cells);
}

static bool split_by(const struct parse_columns *c, struct span line, enum method how, struct parse_cell *cells) {
    for (size_t extra = 0; extra <= (c->has_glued ? (size_t)EXTRA_DIGITS : 0); extra++) {
        size_t at = 0;
        if (!split_left(c, line, extra, &at, cells)) return false;
        if (split_free(c, line, how, at, cells)) return true;
    }
    return false;
}

bool parse_columns_split(const struct parse_columns *c, struct span line, bool exact, struct parse_cell cells[PARSE_COLUMNS_MAX]) {
    if (c->csv) return parse_csv_split(c, line, cells);
    if (c->free == c->n) return split_forward(c, line, 0, 0, cells);
    if (!exact) return split_by(c, line, ANYWHERE, cells);
    return split_by(c, line, BY_BYTES, cells) || (c->free + 1 < c->n && split_by(c, line, BY_CHARACTERS, cells));
}
