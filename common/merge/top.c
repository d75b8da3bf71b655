#include "common/merge/top.h"

#include <stdlib.h>

#include "common/base/num.h"

/* Sums have room beyond 64 bit, so that the order of adding cannot matter; they saturate when they are read. */
struct group {
    uint64_t count;
    __int128_t total, max;
    bool any; /* a number was seen: max is one */
};

struct top {
    struct arena *mem;
    struct span field, of;
    struct strings values;
    struct group *groups; /* one per value; count 0: the empty string, not seen */
    size_t cap_groups, n_groups;
    unsigned decimals; /* of every total and max */
    size_t budget_bytes;
    uint64_t left_out;
};

enum { NO_ROOM = UINT32_MAX - 1 }; /* instead of a group */

struct top *top_new(struct span field, struct span of, size_t budget_bytes) {
    AUTO(top_free) struct top *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->budget_bytes = budget_bytes;
    t->mem = arena_new(budget_bytes);
    if (!t->mem || strings_init(&t->values, t->mem)) return NULL;
    t->field = arena_copy(t->mem, field);
    t->of = arena_copy(t->mem, of);
    t->groups = arena_array(t->mem, t->values.cap, sizeof *t->groups);
    if (!t->field.p || !t->of.p || !t->groups) return NULL;
    t->cap_groups = t->values.cap;
    t->n_groups = t->values.n;
    return TAKE(t);
}

void top_free(struct top *t) {
    if (!t) return;
    arena_free(t->mem);
    free(t);
}

/* Could a new value be over what is left of the budget?  All its arrays may have to be doubled.  Otherwise it is malloc that failed.
 * What is left only gets less, so a value that found no room never finds any. */
static bool is_full(const struct top *t, struct span value) {
    size_t each = 2 * (sizeof(struct span) + sizeof(struct group));
    size_t need = (t->values.cap + 1) * each + 2 * t->values.hash_size * sizeof(uint64_t) + value.n + 64;
    return t->budget_bytes - arena_used(t->mem) < need;
}

/* The group of a value, made with count 0 when new; NO_ROOM when it must be left out. */
static enum err find_group(struct top *t, struct span value, uint32_t *out) {
    uint32_t index = 0;
    enum err e = strings_add(&t->values, value, &index);
    if (!e) e = arena_grow(t->mem, &t->groups, &t->cap_groups, (size_t)index + 1, sizeof *t->groups);
    if (e == ERR_NOMEM && is_full(t, value)) {
        *out = NO_ROOM;
        return ERR_OK;
    }
    if (e) return e;
    while (t->n_groups <= index) t->groups[t->n_groups++] = (struct group){0};
    *out = index;
    return ERR_OK;
}

/* Text columns: each distinct text is looked up once.  seen: 1 + group per string of e. */
static enum err find_by_text(struct top *t, const struct events *e, const struct column *by, uint32_t *group_of) {
    AUTO_FREE uint32_t *seen = calloc(e->strings.n, sizeof *seen);
    if (!seen) return ERR_NOMEM;
    for (size_t row = 0; row < e->n_rows; row++) {
        uint32_t text = by->text[row];
        if (!seen[text]) {
            enum err err = find_group(t, e->strings.text[text], &group_of[row]);
            if (err) return err;
            seen[text] = group_of[row] + 1;
        }
        group_of[row] = seen[text] - 1;
    }
    return ERR_OK;
}

static enum err find_by_number(struct top *t, const struct events *e, size_t by, uint32_t *group_of) {
    struct buf cell;
    buf_init(&cell, 0);
    enum err err = ERR_OK;
    for (size_t row = 0; row < e->n_rows && !err; row++) {
        buf_reset(&cell);
        events_cell(e, row, by, &cell);
        err = buf_failed(&cell);
        if (!err) err = find_group(t, buf_span(&cell), &group_of[row]);
    }
    buf_done(&cell);
    return err;
}

/* Neither sum nor product can leave 128 bit before 2^34 rows of the largest number; there they stop. */
static __int128_t limit_of(bool negative) {
    __int128_t most = (__int128_t)(~(__uint128_t)0 >> 1);
    return negative ? -most : most;
}

static __int128_t scaled(__int128_t v, unsigned by_decimals) {
    __int128_t r = v;
    for (; by_decimals; by_decimals--)
        if (__builtin_mul_overflow(r, (__int128_t)10, &r)) return limit_of(v < 0);
    return r;
}

static void use_decimals(struct top *t, unsigned decimals) {
    if (decimals <= t->decimals) return;
    for (size_t i = 0; i < t->n_groups; i++) {
        t->groups[i].total = scaled(t->groups[i].total, decimals - t->decimals);
        t->groups[i].max = scaled(t->groups[i].max, decimals - t->decimals);
    }
    t->decimals = decimals;
}

static void add_number(struct group *g, __int128_t v) {
    if (__builtin_add_overflow(g->total, v, &g->total)) g->total = limit_of(v < 0);
    if (!g->any || v > g->max) g->max = v;
    g->any = true;
}

static void add_rows(struct top *t, const struct events *e, const struct column *of, const uint32_t *group_of) {
    unsigned decimals = of && of->type == COLUMN_DECIMAL ? of->decimals : 0;
    use_decimals(t, decimals);
    for (size_t row = 0; row < e->n_rows; row++) {
        if (group_of[row] == NO_ROOM) {
            t->left_out = num_sat_add(t->left_out, 1);
            continue;
        }
        struct group *g = &t->groups[group_of[row]];
        g->count = num_sat_add(g->count, 1);
        if (of && of->number[row] != EVENTS_NULL) add_number(g, scaled(of->number[row], t->decimals - decimals));
    }
}

enum err top_add(struct top *t, const struct events *e) {
    size_t by = events_column(e, t->field);
    if (by == e->n_columns) return ERR_NOTFOUND;
    const struct column *of = NULL;
    if (t->of.n) {
        size_t i = events_column(e, t->of);
        if (i == e->n_columns || !column_is_number(e->columns[i].type)) return ERR_NOTFOUND;
        of = &e->columns[i];
    }
    /* First everything that can fail, then the sums. */
    AUTO_FREE uint32_t *group_of = calloc(e->n_rows + 1, sizeof *group_of);
    if (!group_of) return ERR_NOMEM;
    const struct column *c = &e->columns[by];
    enum err err = column_is_number(c->type) ? find_by_number(t, e, by, group_of) : find_by_text(t, e, c, group_of);
    if (err) return err;
    add_rows(t, e, of, group_of);
    return ERR_OK;
}

uint64_t top_left_out(const struct top *t) { return t->left_out; }

static int64_t saturated(__int128_t v) { return v > INT64_MAX ? INT64_MAX : v < INT64_MIN ? INT64_MIN : (int64_t)v; }

static int descending(__int128_t a, __int128_t b) { return a > b ? -1 : a < b; }

static int by_rank(const void *pa, const void *pb, void *arg) {
    const struct top_row *a = pa, *b = pb;
    const enum top_rank *rank = arg;
    int c = 0;
    switch (*rank) {
    case TOP_COUNT: c = descending(a->count, b->count); break;
    case TOP_TOTAL: c = descending(a->total, b->total); break;
    case TOP_MAX: c = descending(a->max, b->max); break;
    case TOP_AVG: /* a.total / a.count against b.total / b.count: 64 by 64 bit fits */
        c = descending((__int128_t)a->total * b->count, (__int128_t)b->total * a->count);
        break;
    }
    return c ? c : span_cmp(a->value, b->value);
}

enum err top_get(const struct top *t, enum top_rank rank, size_t n, struct arena *mem, struct top_row **out, size_t *out_n,
                 size_t *out_groups) {
    struct top_row *rows = arena_array(mem, t->n_groups, sizeof *rows);
    if (!rows) return ERR_NOMEM;
    size_t n_rows = 0;
    for (size_t i = 0; i < t->n_groups; i++) {
        const struct group *g = &t->groups[i];
        if (g->count == 0) continue;
        struct span value = t->values.text[i];
        rows[n_rows++] = (struct top_row){value, g->count, saturated(g->total), saturated(g->max), t->decimals};
    }
    qsort_r(rows, n_rows, sizeof *rows, by_rank, &rank);
    size_t n_given = n && n < n_rows ? n : n_rows;
    for (size_t i = 0; i < n_given; i++) {
        rows[i].value = arena_copy(mem, rows[i].value);
        if (!rows[i].value.p) return ERR_NOMEM;
    }
    *out = rows;
    *out_n = n_given;
    *out_groups = n_rows;
    return ERR_OK;
}
