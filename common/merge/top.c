#include "common/merge/top.h"

#include <stdlib.h>

#include "common/base/num.h"
#include "common/merge/heavy.h"
#include "common/merge/top_groups.h"

/* Sums have room beyond 64 bit, so that the order of adding cannot matter; they saturate when they are read. */
struct group {
    uint64_t count;
    __int128_t total, max;
    bool any; /* a number was seen: max is one */
};

struct top {
    struct top_options opt;
    struct arena *names, *sums; /* a quarter of the budget each; the other half is the quantiles', or heavy's when it takes over */
    struct top_groups by;
    struct group *groups;
    size_t cap_groups;
    unsigned decimals;           /* of every total and max */
    bool negative;               /* a number below zero was added */
    struct quantiles *quantiles; /* NULL: not asked for */
    bool chosen, again;          /* whose quantiles; rows come again for these alone */
    struct heavy *heavy;
    size_t budget_bytes; /* of an arena */
    uint64_t rows, left_out;
};

enum { AHEAD = 16 /* rows whose sums are fetched, for those of many groups fit no cache */ };
enum { FIRST_GROUPS = 32, HEAVY_BYTES = 256 /* of a counter and its key, roughly */ };

static enum err keep_words(struct top *t) {
    for (size_t i = 0; i < t->opt.n_fields; i++) {
        t->opt.fields[i] = arena_copy(t->names, t->opt.fields[i]);
        if (!t->opt.fields[i].p) return ERR_NOMEM;
    }
    t->opt.of = arena_copy(t->names, t->opt.of);
    return t->opt.of.p ? ERR_OK : ERR_NOMEM;
}

struct top *top_new(const struct top_options *opt) {
    AUTO(top_free) struct top *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->opt = *opt;
    t->budget_bytes = opt->budget_bytes / 4;
    t->names = arena_new(t->budget_bytes);
    t->sums = arena_new(t->budget_bytes);
    if (!t->names || !t->sums || keep_words(t) || top_groups_init(&t->by, &t->opt, t->budget_bytes, t->names)) return NULL;
    t->groups = arena_array(t->sums, FIRST_GROUPS, sizeof *t->groups);
    t->cap_groups = FIRST_GROUPS;
    if (!t->groups) return NULL;
    if (!opt->of.n || (!opt->p99 && opt->rank != TOP_P99)) return TAKE(t);
    t->quantiles = quantiles_new(990, 2 * t->budget_bytes);
    return t->quantiles ? TAKE(t) : NULL;
}

void top_free(struct top *t) {
    if (!t) return;
    top_groups_done(&t->by);
    quantiles_free(t->quantiles);
    heavy_free(t->heavy);
    arena_free(t->names);
    arena_free(t->sums);
    free(t);
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

static int64_t saturated(__int128_t v) { return v > INT64_MAX ? INT64_MAX : v < INT64_MIN ? INT64_MIN : (int64_t)v; }
static uint64_t weight_of(__int128_t v) { return v < 0 ? 0 : v > (__int128_t)UINT64_MAX ? UINT64_MAX : (uint64_t)v; }

static void use_decimals(struct top *t, unsigned decimals) {
    if (decimals <= t->decimals) return;
    unsigned finer = decimals - t->decimals;
    for (size_t i = 0; i < t->cap_groups && !t->heavy; i++) {
        t->groups[i].total = scaled(t->groups[i].total, finer);
        t->groups[i].max = scaled(t->groups[i].max, finer);
    }
    if (t->heavy && t->opt.rank == TOP_TOTAL) heavy_scale(t->heavy, weight_of(scaled(1, finer)));
    t->decimals = decimals;
}

/* ---- exact ---- */
/* Groups for which there is none stay without. */
static enum err room(struct top *t) {
    enum err e = t->by.n <= t->cap_groups ? ERR_OK : arena_grow(t->sums, &t->groups, &t->cap_groups, t->by.n, sizeof *t->groups);
    if (e && t->budget_bytes - arena_used(t->sums) < 2 * (t->by.n + 1) * sizeof *t->groups + 64) e = ERR_OK;
    return e || !t->quantiles ? e : quantiles_room(t->quantiles, t->by.n < t->cap_groups ? t->by.n : t->cap_groups);
}

/* Groups below this have room. */
static uint32_t rooms(const struct top *t) {
    size_t n = t->by.n < t->cap_groups ? t->by.n : t->cap_groups;
    return (uint32_t)(t->quantiles && quantiles_groups(t->quantiles) < n ? quantiles_groups(t->quantiles) : n);
}

static void add_number(struct group *g, __int128_t v) {
    if (__builtin_add_overflow(g->total, v, &g->total)) g->total = limit_of(v < 0);
    if (!g->any || v > g->max) g->max = v;
    g->any = true;
}

static unsigned decimals_of(const struct column *c) { return c && c->type == COLUMN_DECIMAL ? c->decimals : 0; }

static void add_rows(struct top *t, const struct events *e, const struct column *of, const uint32_t *group_of) {
    int64_t factor = (int64_t)scaled(1, t->decimals - decimals_of(of));
    uint32_t n = rooms(t);
    for (size_t row = 0; row < e->n_rows; row++) {
        if (row + AHEAD < e->n_rows && group_of[row + AHEAD] < n) __builtin_prefetch(&t->groups[group_of[row + AHEAD]], 1);
        if (group_of[row] >= n) {
            if (group_of[row] != TOP_GROUPS_NO_ROW) t->left_out = num_sat_add(t->left_out, 1);
            continue;
        }
        struct group *g = &t->groups[group_of[row]];
        g->count = num_sat_add(g->count, 1);
        if (!of || of->number[row] == EVENTS_NULL) continue;
        add_number(g, (__int128_t)of->number[row] * factor);
        t->negative |= of->number[row] < 0;
    }
}

/* ---- bounded ---- */
static bool can_be_bounded(const struct top *t, const struct events *e, const struct column *of) {
    if (t->left_out) return false; /* nothing is known of what these rows' groups have */
    if (t->opt.rank == TOP_COUNT) return true;
    if (t->opt.rank != TOP_TOTAL || t->negative) return false;
    for (size_t row = 0; row < e->n_rows; row++)
        if (of->number[row] < 0 && of->number[row] != EVENTS_NULL) return false;
    return true;
}

static enum err hand_over(const struct top *t, struct heavy *to) {
    struct span values[TOP_FIELDS_MAX];
    struct buf key;
    enum err e = ERR_OK;
    buf_init(&key, 0);
    for (uint32_t i = 0; i < t->by.n && i < t->cap_groups && !e; i++) {
        const struct group *g = &t->groups[i];
        if (g->count == 0) continue;
        top_groups_values(&t->by, i, values);
        e = top_groups_key_of(&t->by, values, &key);
        if (!e) e = heavy_add(to, buf_span(&key), t->opt.rank == TOP_COUNT ? g->count : weight_of(g->total));
    }
    buf_done(&key);
    return e;
}

/* heavy gets as many counters as its half of the budget has room for, and at least one for each group there is. */
static enum err begin_bounded(struct top *t) {
    uint32_t n = t->by.n < t->cap_groups ? t->by.n : (uint32_t)t->cap_groups;
    size_t room = 2 * t->budget_bytes / HEAVY_BYTES;
    if (n < room) n = room < UINT32_MAX / 8 ? (uint32_t)room : UINT32_MAX / 8;
    AUTO(heavy_free) struct heavy *h = heavy_new(n ? n : 1);
    enum err e = h ? hand_over(t, h) : ERR_NOMEM;
    if (e) return e;
    t->heavy = TAKE(h);
    quantiles_free(t->quantiles);
    t->quantiles = NULL;
    return ERR_OK;
}

/* Groups can lose their room by it.  Then heavy.h takes over with all that was counted until this table, or they lose their rows, too: what
 * is in the list is counted to the last row. */
static enum err add_quantiles(struct top *t, const struct events *e, const struct column *of, const uint32_t *group_of) {
    const struct quantiles_rows rows = {group_of, of->number, (double)scaled(1, decimals_of(of)), e->n_rows};
    if (t->again) {
        quantiles_refine(t->quantiles, &rows);
        return ERR_OK;
    }
    uint32_t before = rooms(t);
    enum err err = quantiles_count(t->quantiles, &rows);
    if (!err && rooms(t) < before && can_be_bounded(t, e, of)) return begin_bounded(t);
    for (uint32_t i = rooms(t); i < before; i++) {
        t->left_out = num_sat_add(t->left_out, t->groups[i].count);
        t->groups[i].count = 0;
    }
    return err;
}

static enum err add_bounded(struct top *t, const struct events *e, const struct where_source *from, const struct column *of,
                            const unsigned char *fulfils) {
    struct buf key;
    enum err err = ERR_OK;
    buf_init(&key, 0);
    for (size_t row = 0; row < e->n_rows && !err; row++) {
        if (fulfils && !fulfils[row]) continue;
        __int128_t weight = 1;
        if (t->opt.rank == TOP_TOTAL) weight = of->number[row] == EVENTS_NULL ? 0 : scaled(of->number[row], t->decimals - decimals_of(of));
        if (weight < 0) { /* there are no bounds below zero */
            t->left_out = num_sat_add(t->left_out, 1);
            continue;
        }
        err = top_groups_key(&t->by, e, from, row, &key);
        if (!err) err = heavy_add(t->heavy, buf_span(&key), weight_of(weight));
    }
    buf_done(&key);
    return err;
}

/* ---- a table ---- */
static bool lacks_room(const struct top *t) { return t->by.full || t->by.n > rooms(t); }

static uint64_t fulfilling(const unsigned char *fulfils, size_t n) {
    uint64_t yes = 0;
    if (!fulfils) return n;
    for (size_t i = 0; i < n; i++) yes += fulfils[i];
    return yes;
}

static enum err find_column(const struct top *t, const struct events *e, const struct column **out, struct span *out_name) {
    *out = NULL;
    if (!t->opt.of.n) return ERR_OK;
    size_t i = events_column(e, t->opt.of);
    if (i < e->n_columns && column_is_number(e->columns[i].type)) {
        *out = &e->columns[i];
        return ERR_OK;
    }
    *out_name = t->opt.of;
    return ERR_NOTFOUND;
}

static enum err check_fields(const struct top *t, const struct events *e, const struct where_source *from, struct span *out_name) {
    struct span text;
    for (size_t f = 0; f < t->opt.n_fields; f++)
        if (events_column(e, t->opt.fields[f]) == e->n_columns && !where_of_source(t->opt.fields[f], from, &text)) {
            *out_name = t->opt.fields[f];
            return ERR_NOTFOUND;
        }
    return ERR_OK;
}

enum err top_add(struct top *t, const struct events *e, const struct where_source *from, struct span *out_name) {
    const struct column *of = NULL;
    enum err err = check_fields(t, e, from, out_name);
    if (!err) err = find_column(t, e, &of, out_name);
    if (err) return err;
    AUTO_FREE unsigned char *fulfils = t->opt.where ? malloc(e->n_rows + 1) : NULL;
    AUTO_FREE uint32_t *group_of = malloc((e->n_rows + 1) * sizeof *group_of);
    if (!group_of || (t->opt.where && !fulfils)) return ERR_NOMEM;
    if (fulfils && (err = where_rows(t->opt.where, e, from, fulfils, out_name)) != ERR_OK) return err;
    if (!t->heavy) {
        err = top_groups_of(&t->by, e, from, fulfils, group_of, out_name);
        if (!err && !t->again) err = room(t);
        if (!err && !t->again && lacks_room(t) && can_be_bounded(t, e, of)) err = begin_bounded(t);
        if (!err && t->quantiles) err = add_quantiles(t, e, of, group_of);
        if (err || t->again) return err;
    }
    use_decimals(t, decimals_of(of));
    if (t->heavy)
        err = add_bounded(t, e, from, of, fulfils);
    else
        add_rows(t, e, of, group_of);
    if (!err) t->rows += fulfilling(fulfils, e->n_rows);
    return err;
}

/* ---- the list ---- */
static int descending(__int128_t a, __int128_t b) { return a > b ? -1 : a < b; }

static int by_p99(const struct quantile *a, const struct quantile *b) {
    if (a->known != b->known) return a->known ? -1 : 1;
    return a->value > b->value ? -1 : a->value < b->value;
}

static int better(const struct top_row *a, const struct top_row *b, const struct top_options *opt) {
    int c = 0;
    switch (opt->rank) {
    case TOP_COUNT:
        c = descending(a->count, b->count);
        break;
    case TOP_TOTAL:
        c = descending(a->total, b->total);
        break;
    case TOP_MAX:
        c = descending(a->max, b->max);
        break;
    case TOP_P99:
        c = by_p99(&a->p99, &b->p99);
        break;
    case TOP_AVG: /* a.total / a.count against b.total / b.count: 64 by 64 bit fits */
        c = descending((__int128_t)a->total * b->count, (__int128_t)b->total * a->count);
        break;
    }
    for (size_t f = 0; c == 0 && f < opt->n_fields; f++) c = span_cmp(a->values[f], b->values[f]);
    return c;
}

/* What can be listed, by its number among the groups or heavy's keys. */
struct listed {
    struct top_row row;
    uint32_t i;
};

static int by_rank(const void *pa, const void *pb, void *opt) {
    const struct listed *a = pa, *b = pb;
    return better(&a->row, &b->row, opt);
}

/* False: no row has it. */
static bool exact_row(const struct top *t, uint32_t i, struct top_row *out) {
    const struct group *g = &t->groups[i];
    if (g->count == 0) return false;
    *out = (struct top_row){.count = g->count, .total = saturated(g->total), .max = saturated(g->max), .decimals = t->decimals};
    top_groups_values(&t->by, i, out->values);
    if (t->chosen) out->p99 = quantiles_get(t->quantiles, i);
    return true;
}

static bool bounded_row(const struct top *t, uint32_t i, struct top_row *out) {
    struct heavy_key k = heavy_at(t->heavy, i);
    *out = (struct top_row){.decimals = t->decimals};
    if (t->opt.rank == TOP_COUNT) {
        out->count = k.weight;
        out->count_error = k.error;
    } else {
        out->total = saturated(k.weight);
        out->total_error = k.error;
    }
    top_groups_from_key(&t->by, k.key, out->values);
    return true;
}

/* The best n in a heap whose first is the worst of them. */
static void keep(struct listed *heap, size_t *n, size_t max, const struct listed *one, struct top_options *opt) {
    size_t at = 0;
    if (*n < max) {
        for (at = (*n)++; at > 0 && by_rank(&heap[(at - 1) / 2], one, opt) < 0; at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
        heap[at] = *one;
        return;
    }
    if (max == 0 || by_rank(one, &heap[0], opt) >= 0) return;
    for (size_t child; (child = 2 * at + 1) < max; at = child) {
        if (child + 1 < max && by_rank(&heap[child + 1], &heap[child], opt) > 0) child++;
        if (by_rank(&heap[child], one, opt) <= 0) break;
        heap[at] = heap[child];
    }
    heap[at] = *one;
}

/* The best *n of them all (0: all), in order.  NULL: out of memory. */
static struct listed *list(const struct top *t, enum top_rank rank, size_t *n, size_t *out_groups) {
    struct top_options opt = t->opt;
    struct listed one;
    if (!t->heavy) opt.rank = rank;
    uint32_t all = t->heavy ? heavy_n(t->heavy) : t->by.n < t->cap_groups ? t->by.n : (uint32_t)t->cap_groups;
    size_t max = *n && *n < all ? *n : all;
    struct listed *best = calloc(max + 1, sizeof *best);
    *n = *out_groups = 0;
    for (one.i = 0; best && one.i < all; one.i++) {
        if (!(t->heavy ? bounded_row(t, one.i, &one.row) : exact_row(t, one.i, &one.row))) continue;
        ++*out_groups;
        keep(best, n, max, &one, &opt);
    }
    if (best) qsort_r(best, *n, sizeof *best, by_rank, &opt);
    return best;
}

/* For the n highest all that may be among them; otherwise those that will be listed. */
static enum err choose(struct top *t, enum top_rank rank, size_t n) {
    AUTO_FREE unsigned char *wanted = calloc(quantiles_groups(t->quantiles) + 1, 1);
    if (!wanted) return ERR_NOMEM;
    if (rank == TOP_P99) {
        quantiles_highest(t->quantiles, n ? n : SIZE_MAX, wanted);
    } else {
        size_t groups;
        AUTO_FREE struct listed *best = list(t, rank, &n, &groups);
        if (!best) return ERR_NOMEM;
        for (size_t i = 0; i < n; i++) wanted[best[i].i] = 1;
    }
    enum err e = quantiles_choose(t->quantiles, wanted);
    t->chosen = !e;
    return e;
}

enum err top_again(struct top *t, enum top_rank rank, size_t n, bool *out) {
    enum err e = t->quantiles && !t->chosen ? choose(t, rank, n) : ERR_OK;
    if (!e) *out = t->again = t->chosen && quantiles_again(t->quantiles);
    return e;
}

enum err top_get(const struct top *t, enum top_rank rank, size_t n, struct arena *mem, struct top_row **out, size_t *out_n,
                 struct top_summary *out_summary) {
    size_t groups;
    AUTO_FREE struct listed *best = list(t, rank, &n, &groups);
    struct top_row *rows = best ? arena_array(mem, n + 1, sizeof *rows) : NULL;
    if (!rows) return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        rows[i] = best[i].row;
        for (size_t f = 0; f < t->opt.n_fields; f++) {
            rows[i].values[f] = arena_copy(mem, rows[i].values[f]);
            if (!rows[i].values[f].p) return ERR_NOMEM;
        }
    }
    *out_summary = (struct top_summary){groups, t->rows, t->heavy != NULL, t->heavy ? heavy_least(t->heavy) : 0, t->left_out};
    *out = rows;
    *out_n = n;
    return ERR_OK;
}
