/* A row cut into cells by the table's header.  TOOLS.md (6). */
#pragma once

#include "common/parse/parse_columns.h"

/* Cut a line of the print-out into cells.  exact: the free column must be as wide as the header shows; else any cut that fits will do.
 * False: the line is no row. */
bool parse_split(const struct parse_columns *c, struct span line, bool exact, struct parse_cell cells[PARSE_COLUMNS_MAX]);
