/* A table's header, and a row cut into cells by it.  TOOLS.md (6). */
#pragma once

#include "common/parse/parse.h"

struct parse_columns {
    const struct parse_column *column[PARSE_COLUMNS_MAX]; /* those present, in the header's order */
    size_t start[PARSE_COLUMNS_MAX];                      /* where their names stand */
    size_t n;
    size_t free;        /* index of the column that may contain blanks; n: none */
    struct span header; /* without blanks at its end */
    bool trailing_blank;
};

/* The line is a header: at least two columns of the spec and nothing else. */
bool parse_columns_header(const struct parse_spec *spec, struct span line, struct parse_columns *out);
/* Cut a line into cells.  exact: the free column must be as wide as the header shows; else the first cut that fits will do.
 * False: the line is no row. */
bool parse_columns_split(const struct parse_columns *c, struct span line, bool exact, struct span cells[PARSE_COLUMNS_MAX]);
