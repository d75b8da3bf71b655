/* A table's header, and a row cut into cells by it.  TOOLS.md (6). */
#pragma once

#include "common/parse/parse.h"

struct parse_columns {
    const struct parse_column *column[PARSE_COLUMNS_MAX]; /* those present, in the header's order */
    struct span name[PARSE_COLUMNS_MAX];                  /* in the spec, or in the header when the spec does not know it */
    size_t width[PARSE_COLUMNS_MAX];                      /* separator included; 0 for the last */
    size_t n;
    size_t free;        /* index of the column that may contain blanks; n: none */
    struct span header; /* without blanks at its end */
    bool trailing_blank;
    bool has_glued;
    bool csv; /* commas between the cells */
};

/* A cell of a row. */
struct parse_cell {
    struct span text;
    int64_t number;    /* of numeric columns, as printed without its point; EVENTS_NULL: what tools print where they have none */
    unsigned decimals; /* digits behind the point */
};

/* The line is a header: at least two columns of the spec and nothing else, or at least three and no more than a third
 * of words in capitals that the spec does not know (columns that a later version added: text, one word each). */
bool parse_columns_header(const struct parse_spec *spec, struct span line, struct parse_columns *out);
/* Takes what is printed around it off the cell's text, and reads its number.  False: it cannot be one of this column. */
bool parse_columns_cell(const struct parse_column *c, struct parse_cell *cell);
/* Cut a line into cells.  exact: the free column must be as wide as the header shows; else any cut that fits will do.
 * False: the line is no row. */
bool parse_columns_split(const struct parse_columns *c, struct span line, bool exact, struct parse_cell cells[PARSE_COLUMNS_MAX]);
