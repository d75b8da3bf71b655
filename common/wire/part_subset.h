/* Private to common/wire: a run of rows of a capture's result as a result of its own, with tables of its own.
 * A row is a histogram, an event or a stack. */
#pragma once

#include "common/wire/part.h"

struct part_subset;

/* Keeps c.  In mem; NULL: out of memory. */
struct part_subset *part_subset_new(const struct capture *c, struct arena *mem);
size_t part_subset_rows(const struct capture *c);
/* The rows from `from` on that by estimate (never too low) need max_bytes, at most max_rows, but always one; none when none is left.
 * *out borrows from c and lives in mem.  ERR_LIMIT: no part can have the row (its stack is too deep); ERR_NOMEM. */
NODISCARD enum err part_subset_take(struct part_subset *s, size_t from, size_t max_rows, size_t max_bytes, struct arena *mem,
                                    struct part_body *out, size_t *out_to);
