/* Event tables: typed columns in the tool's own order and names.  Column-wise.  In an arena. */
#pragma once

#include "common/base/buf.h"
#include "common/model/stacks.h"
#include "common/model/strings.h"

#define EVENTS_NULL INT64_MIN /* a numeric cell whose text is not a number */

enum column_type { COLUMN_INT, COLUMN_DECIMAL, COLUMN_PORT, COLUMN_TEXT, COLUMN_ADDRESS, COLUMN_TIME };

struct column {
    struct span name; /* the tool's header: "LAT(ms)" */
    struct span unit; /* "ms"; "" when none */
    enum column_type type;
    unsigned decimals; /* COLUMN_DECIMAL: number[] is in units of 10^-decimals, 0…9 */
    int64_t *number;   /* INT, DECIMAL, PORT: n_rows values, EVENTS_NULL possible */
    uint32_t *text;    /* TEXT, ADDRESS, TIME: n_rows indexes into strings */
};

struct events {
    struct strings strings;
    struct column *columns;
    size_t n_columns;
    size_t n_rows, cap_rows;
    uint32_t *stack_of; /* NULL, or per row: 0 none, else 1 + index into stacks.rows; filled by the caller */
    struct stacks stacks; /* all zero until the first events_stacks */
};

static inline bool column_is_number(enum column_type t) { return t == COLUMN_INT || t == COLUMN_DECIMAL || t == COLUMN_PORT; }

/* Columns are given (name, unit, type, decimals) and copied into mem; rows come with events_row. */
NODISCARD enum err events_init(struct events *e, const struct column *columns, size_t n_columns, struct arena *mem);
/* One more row of zeroes and empty texts; the caller fills columns[].number/text at *out_row. */
NODISCARD enum err events_row(struct events *e, struct arena *mem, size_t *out_row);
/* Makes stacks and stack_of ready for use; does nothing the second time.  unit as in stacks_init. */
NODISCARD enum err events_stacks(struct events *e, struct span unit, struct arena *mem);
/* Index of the column a person means: exact name, else the name without its "(unit)", case-insensitively.  n_columns: none. */
size_t events_column(const struct events *e, struct span name);
/* The cell as text, appended to out: numbers with their decimals (nothing for EVENTS_NULL), text as it is. */
void events_cell(const struct events *e, size_t row, size_t column, struct buf *out);
