/* Top-N of a field over the events of a fleet: count, and of a numeric column total, average, max.  Exact, while the values find
 * room in the budget: those that come later are left out whole, and the rows that have them are counted.
 * Grouped per value, and per value and host besides, so that `per host` is exact too.  Never truncated before merging.
 * Owns its memory.  Thread: one owner. */
#pragma once

#include "common/base/auto.h"
#include "common/model/events.h"

enum top_rank { TOP_COUNT, TOP_TOTAL, TOP_AVG, TOP_MAX };

struct top_row {
    struct span value; /* the field's text */
    uint64_t count;
    int64_t total, max; /* of the ranked column, in 10^-decimals units; 0 without one.  total saturates */
    unsigned decimals;
};

struct top;
/* field: the column to group by; of: the numeric column that is summed, "" for none.  NULL: out of memory, or no budget at all. */
struct top *top_new(struct span field, struct span of, size_t budget_bytes);
void top_free(struct top *t);
AUTO_TYPE(struct top, top_free)
/* ERR_NOTFOUND: e has no such column, or the one to sum is not numeric; ERR_NOMEM.  On any failure nothing of e is added.
 * A cell to sum that is not a number counts as a row and adds nothing.  A value over the budget is no failure. */
NODISCARD enum err top_add(struct top *t, const struct events *e);
/* Rows whose values found no room: no such value is in the list, none occurs more often than this. */
uint64_t top_left_out(const struct top *t);
/* Best first; ties by value bytewise; averages are compared exactly.  At most n (0: all), in mem.  out_groups: how many values there are in all. */
NODISCARD enum err top_get(const struct top *t, enum top_rank rank, size_t n, struct arena *mem, struct top_row **out, size_t *out_n,
                           size_t *out_groups);
