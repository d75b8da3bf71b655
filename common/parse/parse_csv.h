/* Rows with commas between cells that are never quoted (ext4slower -c, tcpstates -s). */
#pragma once

#include "common/parse/parse_columns.h"

/* A comma within the task's name or the last cell does not move the others, as far as their types tell.  False: no row. */
bool parse_csv_split(const struct parse_columns *c, struct span line, struct parse_cell cells[PARSE_COLUMNS_MAX]);
