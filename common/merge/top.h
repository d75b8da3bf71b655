/* Top-N over the events of a fleet: per value of a field, or per combination of several, the count, and of a numeric column the total,
 * average, maximum and p99.  A field is a column, `host` or `label:KEY`.  Nothing is truncated before it is merged.
 * Exact (p99: within QUANTILES_ERROR), while all groups find room in the budget.  Beyond it, by what is ranked:
 *   count, total   heavy.h takes over with as many counters as there were groups: each row has a true lower and upper bound, and
 *                  nothing but the quantity it is ranked by
 *   avg, max, p99  groups that come later are left out whole, and their rows are counted
 * Owns its memory.  Thread: one owner. */
#pragma once

#include "common/base/auto.h"
#include "common/merge/quantiles.h"
#include "common/merge/where.h"

enum top_rank { TOP_COUNT, TOP_TOTAL, TOP_AVG, TOP_MAX, TOP_P99 };
enum { TOP_FIELDS_MAX = 4 };

struct top_options {
    struct span fields[TOP_FIELDS_MAX];
    size_t n_fields;
    struct span of; /* the numeric column that is summed, "" for none */
    enum top_rank rank;
    bool p99;                  /* wanted, though the rank does not need it */
    const struct where *where; /* keeps; NULL: all rows */
    size_t budget_bytes;
};

struct top_row {
    union {
        struct span value; /* the first field's text */
        struct span values[TOP_FIELDS_MAX];
    };
    uint64_t count;
    int64_t total, max; /* of the ranked column, in 10^-decimals units; 0 without one.  total saturates */
    unsigned decimals;
    uint64_t count_error, total_error; /* by how much they may be too high; 0: exact */
    struct quantile p99;
};

/* How much an answer is to be believed. */
struct top_summary {
    size_t groups;     /* there are; when not exact: that are known */
    uint64_t rows;     /* that fulfilled the condition */
    bool bounded;      /* heavy.h took over */
    uint64_t unlisted; /* bounded: what a group that is not listed has at most, of what is ranked */
    uint64_t left_out; /* rows whose groups found no room: none of these has more than so many */
};

struct top;
/* NULL: out of memory, or no budget at all. */
struct top *top_new(const struct top_options *opt);
void top_free(struct top *t);
AUTO_TYPE(struct top, top_free)
/* ERR_NOTFOUND: e has no such column, or the one to sum is not numeric, ERR_SYNTAX: the condition does not fit its columns: *out_name is
 * the name; nothing of e was added then.  ERR_NOMEM: t is only good for top_free.  A cell to sum that is not a number counts as a row and
 * adds nothing. */
NODISCARD enum err top_add(struct top *t, const struct events *e, const struct where_source *from, struct span *out_name);
/* After the last table: are all of them wanted again?  True while a p99 needs one more reading for the list that top_get(t, rank, n) is
 * to give; then top_add takes the same tables, which change nothing but that.  ERR_NOMEM. */
NODISCARD enum err top_again(struct top *t, enum top_rank rank, size_t n, bool *out);
/* Best first by rank, which need not be the option's while all is exact; ties by values bytewise; averages are compared exactly.  At
 * most n (0: all), in mem. */
NODISCARD enum err top_get(const struct top *t, enum top_rank rank, size_t n, struct arena *mem, struct top_row **out, size_t *out_n,
                           struct top_summary *out_summary);
