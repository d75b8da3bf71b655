#include "common/parse/parse_csv.h"

/* Cells first … before, from the begin of *rest. */
static bool split_forward(const struct parse_columns *c, struct span *rest, size_t first, size_t before, struct parse_cell *cells) {
    for (size_t i = first; i < before; i++) {
        bool more = span_cut(*rest, ',', &cells[i].text, rest);
        if (!parse_cell_read(c->column[i], &cells[i]) || more != (i + 1 < c->n)) return false;
    }
    return true;
}

/* The last cell takes what is left; the free cell ends at the first comma behind which the others fit. */
static bool split_both(const struct parse_columns *c, struct span rest, struct parse_cell *cells) {
    const struct parse_column *free = c->column[c->free], *last = c->column[c->n - 1];
    for (size_t end = 0; end < rest.n && (free->most == 0 || end <= free->most); end++) {
        if (rest.p[end] != ',') continue;
        struct span behind = span_drop(rest, end + 1);
        cells[c->free].text = span_head(rest, end);
        if (!split_forward(c, &behind, c->free + 1, c->n - 1, cells)) continue;
        cells[c->n - 1].text = behind;
        return last->most == 0 || behind.n <= last->most;
    }
    return false;
}

static bool split_backward(const struct parse_columns *c, struct span rest, struct parse_cell *cells) {
    for (size_t i = c->n - 1; i > c->free; i--) {
        size_t comma = span_rfind(rest, ',');
        if (comma == rest.n) return false;
        cells[i].text = span_drop(rest, comma + 1);
        if (!parse_cell_read(c->column[i], &cells[i])) return false;
        rest = span_head(rest, comma);
    }
    cells[c->free].text = rest;
    return c->column[c->free]->most == 0 || rest.n <= c->column[c->free]->most;
}

bool parse_csv_split(const struct parse_columns *c, struct span line, struct parse_cell cells[PARSE_COLUMNS_MAX]) {
    struct span rest = line;
    for (size_t i = 0; i < c->n; i++) cells[i].string = 0;
    if (!split_forward(c, &rest, 0, c->free, cells)) return false;
    if (c->free == c->n) return true;
    return c->column[c->n - 1]->to_end && c->free < c->n - 1 ? split_both(c, rest, cells) : split_backward(c, rest, cells);
}
