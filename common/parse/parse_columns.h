/* A table's header: its columns.  TOOLS.md (6). */
#pragma once

#include "common/parse/parse_cell.h"
#include "common/parse/parse_memo.h"

/* What is tried first to read a cell. */
enum parse_columns_try { TRY_NOTHING, TRY_DIGITS, TRY_DECIMAL, TRY_MEMO };

struct parse_columns {
    const struct parse_column *column[PARSE_COLUMNS_MAX]; /* those present, in the header's order */
    struct span name[PARSE_COLUMNS_MAX];                  /* in the spec, or in the header when the spec does not know it */
    size_t width[PARSE_COLUMNS_MAX];                      /* separator included; 0 for the last */
    enum parse_columns_try try_first[PARSE_COLUMNS_MAX];
    size_t n;
    size_t free;        /* index of the column that may contain blanks; n: none */
    struct span header; /* without blanks at its end */
    bool trailing_blank;
    bool has_glued;
    bool csv; /* commas between the cells */
    const char *end;         /* of the print-out: bytes may be read up to here */
    struct parse_memo *memo; /* of texts that were cells; NULL: none */
};

/* The line is a header: at least two columns of the spec and nothing else, or at least three and no more than a third
 * of words in capitals that the spec does not know (columns that a later version added: text, one word each).
 * end and memo are the caller's to set. */
bool parse_columns_header(const struct parse_spec *spec, struct span line, struct parse_columns *out);
