/* A table's cell: what its text may be, and its number. */
#pragma once

#include "common/parse/parse.h"

/* A cell of a row. */
struct parse_cell {
    struct span text;
    int64_t number;    /* of numeric columns, as printed without its point; EVENTS_NULL: what tools print where they have none */
    unsigned decimals; /* digits behind the point */
    uint32_t string;   /* index into the strings, when the text is known to be there; 0: it is to be added */
};

/* A name or a cell within what is printed around it; .p NULL: the column would be printed otherwise. */
struct span parse_cell_bare(const struct parse_column *c, struct span word);
/* Takes what is printed around it off the cell's text, and reads its number.  False: it cannot be one of this column. */
bool parse_cell_read(const struct parse_column *c, struct parse_cell *cell);
