#include "common/parse/parse_split.h"

#include "common/parse/parse_csv.h"
#include "common/parse/parse_digits.h"
#include "common/parse/parse_row.h"

enum { EXTRA_DIGITS = 4u }; /* of a number that is wider than its column: a uid has ten, its column six */

/* ---- cells ---- */

/* Most cells are numbers of few digits, or texts that were there before. */
__attribute__((always_inline)) static inline bool read_cell(const struct parse_columns *c, size_t i, struct parse_cell *cell) {
    struct parse_memo_key key = {.about = 0};
    cell->string = 0;
    switch (c->try_first[i]) {
    case TRY_DIGITS:
        if (parse_digits(cell->text, c->end, &cell->number)) return true;
        break;
    case TRY_DECIMAL:
        if (parse_digits_decimal(cell->text, c->end, &cell->number, &cell->decimals)) return true;
        break;
    case TRY_MEMO:
        if (c->memo && parse_memo_key(cell->text, i, c->end, &key)) cell->string = parse_memo_find(c->memo, &key);
        if (cell->string) return true;
        break;
    case TRY_NOTHING:
        break;
    }
    return parse_cell_read(c->column[i], cell);
}

static bool is_short_enough(const struct parse_column *c, struct span cell) { return c->most == 0 || cell.n <= c->most; }

/* ---- rows ---- */

static struct span between(const struct parse_row *row, size_t from, size_t to) { return span_of(row->line.p + from, to - from); }

/* end without the padding before it, but not before `at`. */
static size_t end_from(const struct parse_row *row, size_t at, size_t end) {
    size_t last = parse_row_unpadded(row, end);
    return last > at ? last : at;
}

/* The word that ends at end and does not begin before `at`. */
static struct span word_before(const struct parse_row *row, size_t at, size_t end) {
    size_t from = parse_row_word_begin(row, end);
    return between(row, from > at ? from : at, end);
}

static bool is_before(const struct parse_column *c, struct span word) { return c->before && span_eq_str(word, c->before); }

/* Where the field that holds word ends, its separator included. */
static size_t field_end(const struct parse_columns *c, size_t i, const struct parse_row *row, struct span word) {
    size_t begin = (size_t)(word.p - row->line.p), end = begin + word.n, padded = begin + c->width[i];
    size_t blanks = parse_row_run_end(row, end, true);
    bool as_header = padded > end && (blanks >= padded || blanks == row->line.n); /* else the rows are not padded as the header is */
    if (as_header) return padded;
    return c->column[i]->glued ? end : end + 1;
}

/* The last cell of a row: everything behind the field before it, whose word ended at end and began where the field does when
 * it is padded on the right. */
static struct span rest_at(const struct parse_columns *c, const struct parse_row *row, size_t from, struct span word) {
    size_t begin = word.p ? (size_t)(word.p - row->line.p) : 0, at = from;
    if (word.p) at = begin <= from + 1 ? field_end(c, c->n - 2, row, word) : begin + word.n + 1;
    struct span rest = span_drop(row->line, at);
    if (c->trailing_blank && rest.n > 0 && rest.p[rest.n - 1] == ' ') rest.n--;
    return rest;
}

/* Columns from first on, the last may take the rest. */
static bool split_forward(const struct parse_columns *c, const struct parse_row *row, size_t at, size_t first, struct parse_cell *cells) {
    struct span word = SPAN_NONE;
    size_t from = at;
    for (size_t i = first; i < c->n; i++) {
        const struct parse_column *column = c->column[i];
        if (column->to_end && i == c->n - 1) {
            cells[i].text = rest_at(c, row, from, word);
            return parse_row_is_blank(row, at) && is_short_enough(column, cells[i].text);
        }
        from = at;
        word = parse_row_word(row, &at);
        if (is_before(column, word)) word = parse_row_word(row, &at);
        cells[i].text = word;
        if (read_cell(c, i, &cells[i])) continue;
        if (!column->optional) return false;
        cells[i].text = span_of(row->line.p + from, 0);
        at = from;
    }
    return parse_row_word(row, &at).n == 0;
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
    while (digits < word.n && word.p[digits] >= '0' && word.p[digits] <= '9') digits++;
    return digits >= c->width[i] + extra ? c->width[i] + extra : 0;
}

/* The columns before the free one: words, each padded to its width. */
static bool split_left(const struct parse_columns *c, const struct parse_row *row, size_t extra, size_t *at, struct parse_cell *cells) {
    for (size_t i = 0; i < c->free; i++) {
        struct span word = parse_row_word(row, at);
        if (c->column[i]->glued) word.n = glued_length(c, i, word, extra);
        cells[i].text = word;
        if (word.n == 0 || !read_cell(c, i, &cells[i])) return false;
        *at = field_end(c, i, row, word);
    }
    return *at <= row->line.n;
}

/* What the free cell's padding leaves of the line: width bytes further, or as many characters (Python pads these). */
static size_t free_end(struct span line, size_t at, size_t width, bool characters) {
    size_t end = at;
    if (!characters) return width <= line.n - at ? at + width : SIZE_MAX;
    for (; width > 0 && end < line.n; width--) {
        end++;
        while (end < line.n && ((unsigned char)line.p[end] & 0xc0) == 0x80) end++;
    }
    return width > 0 ? SIZE_MAX : end;
}

/* How the free cell's end is found: its padding counted in bytes or in characters, or wherever the cells behind it fit. */
enum method { BY_BYTES, BY_CHARACTERS, ANYWHERE };

/* The next cell begins where the free one's padding ends: no piece of a name has been taken for a cell. */
static bool is_padded(const struct parse_columns *c, const struct parse_row *row, size_t at, struct span next, enum method how) {
    size_t end = free_end(row->line, at, c->width[c->free], how == BY_CHARACTERS);
    return end < row->line.n && next.p == row->line.p + end;
}

/* Everything behind the free column is one word each: found from the end. */
static bool split_backward(const struct parse_columns *c, const struct parse_row *row, enum method how, size_t at,
                           struct parse_cell *cells) {
    size_t end = end_from(row, at, row->line.n);
    for (size_t i = c->n - 1; i > c->free; i--) {
        struct span word = word_before(row, at, end);
        cells[i].text = word;
        if (read_cell(c, i, &cells[i])) {
            end = end_from(row, at, end - word.n);
        } else {
            if (!c->column[i]->optional) return false;
            cells[i].text = span_of(word.p, 0);
        }
        if (!c->column[i]->before) continue;
        struct span before = word_before(row, at, end);
        if (is_before(c->column[i], before)) end = end_from(row, at, end - before.n);
    }
    cells[c->free].text = between(row, at, end);
    return is_short_enough(c->column[c->free], cells[c->free].text) &&
           (how == ANYWHERE || is_padded(c, row, at, cells[c->free + 1].text, how));
}

/* The words behind the free cell begin where the header has their columns, but for the last two. */
static bool is_aligned(const struct parse_columns *c, const struct parse_row *row, size_t at) {
    for (size_t i = c->free + 1; i + 2 < c->n; i++) {
        size_t end = at;
        struct span word = parse_row_word(row, &end);
        if (word.n == 0 || word.p != row->line.p + at) return false;
        at = field_end(c, i, row, word);
    }
    return true;
}

static bool split_exact(const struct parse_columns *c, const struct parse_row *row, size_t at, bool characters, struct parse_cell *cells) {
    size_t end = free_end(row->line, at, c->width[c->free], characters);
    if (end > row->line.n || end == at || !parse_row_is_blank(row, end - 1)) return false;
    if (c->has_glued && !is_aligned(c, row, end)) return false; /* the number before took too little */
    cells[c->free].text = between(row, at, end_from(row, at, end));
    return is_short_enough(c->column[c->free], cells[c->free].text) && split_forward(c, row, end, c->free + 1, cells);
}

static bool split_anywhere(const struct parse_columns *c, const struct parse_row *row, size_t at, struct parse_cell *cells) {
    for (size_t end = at; end < row->line.n; end++) {
        if (!parse_row_is_blank(row, end) || (end > at && parse_row_is_blank(row, end - 1))) continue;
        cells[c->free].text = between(row, at, end);
        if (!is_short_enough(c->column[c->free], cells[c->free].text)) return false;
        if (split_forward(c, row, end, c->free + 1, cells)) return true;
    }
    return false;
}

static bool split_free(const struct parse_columns *c, const struct parse_row *row, enum method how, size_t at, struct parse_cell *cells) {
    if (c->column[c->free]->to_end) {
        cells[c->free].text = between(row, at, end_from(row, at, row->line.n));
        return c->free == c->n - 1;
    }
    if (!c->column[c->n - 1]->to_end) return split_backward(c, row, how, at, cells);
    return how == ANYWHERE ? split_anywhere(c, row, at, cells) : split_exact(c, row, at, how == BY_CHARACTERS, cells);
}

static bool split_by(const struct parse_columns *c, const struct parse_row *row, enum method how, struct parse_cell *cells) {
    for (size_t extra = 0; extra <= (c->has_glued ? (size_t)EXTRA_DIGITS : 0); extra++) {
        size_t at = 0;
        if (!split_left(c, row, extra, &at, cells)) return false;
        if (split_free(c, row, how, at, cells)) return true;
    }
    return false;
}

bool parse_split(const struct parse_columns *c, struct span line, bool exact, struct parse_cell cells[PARSE_COLUMNS_MAX]) {
    struct parse_row row;
    if (c->csv) return parse_csv_split(c, line, cells);
    if (c->free < c->n) cells[c->free].string = 0;
    cells[c->n - 1].string = 0; /* read_cell does not read these two */
    parse_row_init(&row, line, c->end);
    if (c->free == c->n) return split_forward(c, &row, 0, 0, cells);
    if (!exact) return split_by(c, &row, ANYWHERE, cells);
    return split_by(c, &row, BY_BYTES, cells) || (c->free + 1 < c->n && split_by(c, &row, BY_CHARACTERS, cells));
}
