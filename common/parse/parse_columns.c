#include "common/parse/parse_columns.h"

static const struct parse_column of_later_version = {.name = "", .type = COLUMN_TEXT};

static const struct parse_column *column_at(const struct parse_spec *spec, struct span word) {
    for (size_t i = 0; i < spec->n_columns; i++) {
        struct span name = parse_cell_bare(&spec->columns[i], word);
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

static enum parse_columns_try try_first(const struct parse_column *c) {
    if (c->open || c->close || c->one_of || (c->unit && c->unit[0] == '%')) return TRY_NOTHING;
    switch (c->type) {
    case COLUMN_INT:
    case COLUMN_PORT:
        return TRY_DIGITS;
    case COLUMN_DECIMAL:
        return TRY_DECIMAL;
    case COLUMN_TEXT:
    case COLUMN_ADDRESS:
    case COLUMN_TIME:
        return TRY_MEMO;
    }
    return TRY_NOTHING;
}

static void add_column(struct parse_columns *c, const struct parse_column *column, struct span word) {
    c->has_glued = c->has_glued || (column && column->glued);
    if (column && column->blanks && c->free == PARSE_COLUMNS_MAX) c->free = c->n;
    c->column[c->n] = column ? column : &of_later_version;
    c->try_first[c->n] = try_first(c->column[c->n]);
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
