/* Tables for people (libsmartcols), where control characters of hostile names are shown escaped, and the same rows as CSV
 * (RFC 4180, but for LF at the ends of lines), where the bytes are as they are, a NUL as a blank.  Cells are cut at 4 KiB.  A failed
 * allocation makes table_print return ERR_NOMEM; nothing else fails. */
#pragma once

#include "common/base/auto.h"
#include "common/base/buf.h"
#include "console/render/screen.h"

struct table;

enum table_align { TABLE_LEFT, TABLE_RIGHT, TABLE_CUT /* left, may be cut to fit the width */, TABLE_WRAP /* left, goes on below */ };
struct table_column {
    const char *name;
    enum table_align align;
};

struct table *table_new(const struct table_column *columns, size_t n);
void table_free(struct table *t);
AUTO_TYPE(struct table, table_free)

void table_row(struct table *t); /* a new row; cells then go to it from left to right */
void table_cell(struct table *t, struct span text);
void table_cell_str(struct table *t, const char *z);
void table_cell_u64(struct table *t, uint64_t v);
void table_cell_fmt(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void table_cell_tone(struct table *t, const char *word); /* in the tone of the word (screen_tone_of) */

NODISCARD enum err table_print(struct table *t, const struct screen *s);
NODISCARD enum err table_print_csv(struct table *t, FILE *to);
