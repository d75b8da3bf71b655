/* What `top` answers beside what is true: campaigns of several rounds in a store and in memory, asked of one round or all, of some hosts,
 * with a condition, grouped and ranked each way, within and beyond the budget. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "collector/query/query.h"
#include "tests/support/gen.h"
#include "tests/unit/collector/made.h"

enum { WORLDS = 100, QUESTIONS = 100 /* of each */, HOSTS = 3, ROUNDS = 3, VALUES = 300, ROWS = 700 };

static const struct span hosts[HOSTS] = {SPAN_LIT("db-1"), SPAN_LIT("db-2"), SPAN_LIT("web-1")};

struct row {
    size_t host, round, value;
    int64_t lat;
};

struct world {
    struct store *store;
    struct campaign *c;
    struct aggregate *a;
    struct campaign_id id;
    struct row rows[ROWS];
    size_t n;
};

struct question {
    struct query query;
    size_t budget_bytes;
    /* The same, for the truth. */
    bool of_host[HOSTS];
    int64_t above; /* LAT above this; INT64_MIN: or none at all */
    size_t not_value;
};

/* What a group truly has; its number is its value's, and its host's when it is by host. */
struct truth {
    uint64_t count;
    int64_t total, max;
    int64_t lats[ROWS];
    size_t n_lats;
    bool listed;
};

static void part(struct world *w, size_t host, size_t round, const struct row *rows, size_t n) {
    const char *comms[ROWS];
    char names[ROWS][8];
    int64_t pids[ROWS], lats[ROWS];
    struct part_body body = {0};
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
    struct outcome o = made_ok(1);
    o.kind = RESULT_EVENTS;
    for (size_t i = 0; i < n; i++) {
        snprintf(names[i], sizeof names[i], "c%03zu", rows[i].value);
        comms[i] = names[i];
        pids[i] = (int64_t)(1000 + rows[i].value);
        lats[i] = rows[i].lat;
    }
    struct span bytes = made_events(comms, pids, lats, n, &o);
    struct store_op op = {
        .kind = STORE_PUT_PART,
        .part = {.key = {.campaign = w->id, .host = hosts[host], .round = (uint32_t)round, .tool = SPAN_LIT("execsnoop")}, .body = bytes}};
    struct store_op *ops = &op;
    assert_int_equal(store_apply(w->store, &ops, 1), ERR_OK);
    assert_int_equal(op.result, STORE_DONE);
    assert_int_equal(part_decode(bytes, mem, &body), ERR_OK);
    assert_int_equal(aggregate_add(w->a, hosts[host], (uint32_t)round, 0, &body), ERR_OK);
    made_free(bytes);
}

static void begin(struct world *w, struct store *s, unsigned char n, struct gen *g) {
    *w = (struct world){.store = s, .id = made_id(n)};
    made_put_campaign(s, w->id, "execsnoop", hosts, HOSTS);
    w->c = made_campaign(w->id, "execsnoop", hosts, HOSTS);
    w->a = aggregate_new((size_t)1 << 20, (size_t)1 << 24);
    assert_non_null(w->a);
    size_t values = gen_between(g, 1, VALUES);
    for (size_t host = 0; host < HOSTS; host++)
        for (size_t round = 0; round < ROUNDS; round++) {
            size_t first = w->n, more = gen_below(g, 2 * ROWS / (HOSTS * ROUNDS));
            for (; w->n < ROWS && w->n < first + more; w->n++) {
                int64_t lat = gen_below(g, 20) ? (int64_t)gen_below(g, 1000) << gen_below(g, 8) : EVENTS_NULL;
                w->rows[w->n] = (struct row){host, round, gen_below(g, gen_below(g, values) + 1), lat};
            }
            if (w->n > first) part(w, host, round, w->rows + first, w->n - first);
        }
    if (gen_below(g, 2)) assert_int_equal(aggregate_unread(w->a, hosts[0]), ERR_OK); /* then all is read from the store */
}

static void end(struct world *w) {
    aggregate_free(w->a);
    campaign_free(w->c);
}

static void make_question(struct gen *g, struct question *q, char where[64]) {
    static const char *const on[] = {"", "db-1", "db-*", "!db-1", "none"};
    static const bool of[][HOSTS] = {{true, true, true}, {true}, {true, true}, {false, true, true}, {false}};
    size_t k = gen_below(g, 20) ? gen_below(g, 4) : 4;
    *q = (struct question){.above = INT64_MIN, .not_value = VALUES};
    q->query = (struct query){.by = gen_below(g, 2) ? SPAN_LIT("COMM") : SPAN_LIT("pid"),
                              .of = SPAN_LIT("lat"),
                              .rank = (enum top_rank)gen_below(g, TOP_P99 + 1),
                              .n = (uint32_t)gen_below(g, 30),
                              .per_host = gen_below(g, 3) == 0,
                              .round = (uint32_t)gen_below(g, ROUNDS + 1),
                              .on = span_str(on[k])};
    memcpy(q->of_host, of[k], sizeof q->of_host);
    q->budget_bytes = gen_below(g, 2) ? 0 : gen_between(g, 12, 24) * 1024;
    where[0] = 0;
    if (gen_below(g, 2)) {
        q->above = (int64_t)gen_below(g, 500);
        q->not_value = gen_below(g, 5);
        snprintf(where, 64, "LAT(ms)>%lld.%02lld && COMM!=c%03zu", (long long)q->above / 100, (long long)q->above % 100, q->not_value);
    }
    q->query.where = span_str(where);
}

static uint64_t find_truth(const struct world *w, const struct question *q, struct truth *all) {
    uint64_t matched = 0;
    for (size_t i = 0; i < VALUES * HOSTS; i++) all[i] = (struct truth){.max = INT64_MIN, .n_lats = 0};
    for (size_t i = 0; i < w->n; i++) {
        const struct row *r = &w->rows[i];
        if (!q->of_host[r->host] || (q->query.round && q->query.round != r->round + 1) || r->value == q->not_value) continue;
        if (q->above != INT64_MIN && r->lat <= q->above) continue; /* EVENTS_NULL is less than all */
        struct truth *t = &all[r->value * HOSTS + (q->query.per_host ? r->host : 0)];
        matched++;
        t->count++;
        if (r->lat == EVENTS_NULL) continue;
        t->total += r->lat;
        if (r->lat > t->max) t->max = r->lat;
        size_t at = t->n_lats++;
        for (; at > 0 && t->lats[at - 1] > r->lat; at--) t->lats[at] = t->lats[at - 1];
        t->lats[at] = r->lat;
    }
    return matched;
}

static struct truth *truth_of(struct truth *all, const struct answer_top_row *row) {
    uint64_t value = VALUES;
    size_t host = 0;
    assert_true(span_u64(span_drop(row->row.value, 1), &value) && value < VALUES);
    while (row->host.n && !span_eq(row->host, hosts[host])) host++;
    struct truth *t = &all[value * HOSTS + host];
    assert_true(t->count && !t->listed);
    t->listed = true;
    return t;
}

static bool within(const struct truth *t, const struct top_row *r) {
    if (!t->n_lats) return !r->p99.known;
    double want = (double)t->lats[(t->n_lats * 990 + 999) / 1000 - 1] / 100;
    return r->p99.known && fabs(r->p99.value - want) <= want * QUANTILES_ERROR;
}

static bool row_holds(const struct truth *t, const struct top_row *r, const struct answer *a) {
    if (!a->bounded)
        return r->count == t->count && (!t->n_lats || (r->total == t->total && r->max == t->max)) && !r->count_error && within(t, r);
    if (a->rank == TOP_COUNT) return r->count - r->count_error <= t->count && t->count <= r->count;
    return r->total - (int64_t)r->total_error <= t->total && t->total <= r->total;
}

static void check(const struct world *w, struct gen *g, size_t at[2], size_t seen[3]) {
    static struct truth all[VALUES * HOSTS];
    struct question q;
    struct answer a;
    char where[64], why[QUERY_WHY_BYTES] = "";
    struct buf out;
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    make_question(g, &q, where);
    uint64_t matched = find_truth(w, &q, all), groups = 0, left = 0;
    const struct query_of of = {
        .campaign = w->c, .aggregate = w->a, .store = w->store, .kind = QUERY_TOP, .query = &q.query, .top_budget_bytes = q.budget_bytes};
    buf_init(&out, 0);
    if (query_results(&of, mem, why, &out) != RPC_OK) fail_msg("world %zu, question %zu: %s", at[0], at[1], why);
    assert_int_equal(query_decode_answer(QUERY_TOP, buf_span(&out), mem, &a), ERR_OK);
    assert_int_equal(a.matched, matched);
    for (size_t i = 0; i < a.n_top; i++)
        if (!row_holds(truth_of(all, &a.top[i]), &a.top[i].row, &a))
            fail_msg("world %zu, question %zu: row %zu is not true (%s)", at[0], at[1], i, a.bounded ? "bounded" : "exact");
    const struct top_row *last = a.n_top ? &a.top[a.n_top - 1].row : NULL;
    for (size_t i = 0; i < VALUES * HOSTS; i++) {
        groups += all[i].count > 0;
        if (all[i].listed || !all[i].count) continue;
        left += all[i].count;
        bool better = last && (q.query.rank == TOP_COUNT   ? all[i].count > last->count
                               : q.query.rank == TOP_TOTAL ? all[i].total > last->total
                               : q.query.rank == TOP_MAX   ? all[i].n_lats && all[i].max > last->max
                                                           : false);
        bool too_much = a.bounded && !q.query.n && (q.query.rank == TOP_COUNT ? all[i].count : (uint64_t)all[i].total) > a.unlisted;
        if ((a.exact && better) || too_much) fail_msg("world %zu, question %zu: something is missing in the list", at[0], at[1]);
    }
    if (a.exact) assert_int_equal(a.n_top, q.query.n && q.query.n < groups ? q.query.n : groups);
    if (!a.exact && !a.bounded) assert_true(a.info.ledger.shed > 0 && a.info.ledger.shed <= left);
    seen[a.exact ? 0 : a.bounded ? 1 : 2]++;
    buf_done(&out);
}

/* seen: how many lists were exact, bounded, with some left out. */
static void check_worlds(struct gen *g, size_t n, size_t seen[3]) {
    struct made_dir dir;
    made_dir(&dir);
    struct store *s = made_store(&dir, STORE_WRITER);
    for (size_t i = 0; i < n; i++) {
        struct world w;
        begin(&w, s, (unsigned char)(i + 1), g);
        for (size_t k = 0; k < QUESTIONS; k++) check(&w, g, (size_t[]){i, k}, seen);
        end(&w);
    }
    store_close(s);
    made_dir_done(&dir);
}

static void every_list_is_true_within_its_bounds(void **state) {
    struct gen g;
    size_t seen[3] = {0};
    (void)state;
    gen_init(&g);
    gen_print(&g);
    check_worlds(&g, WORLDS, seen);
    assert_true(seen[0] > 1000 && seen[1] > 500 && seen[2] > 500);
}

/* With this seed a table's p99 needed more room, and the rows of groups that lost theirs were missing in the bounds: in the 43rd world. */
static void bounds_hold_when_groups_lose_the_room_for_their_p99(void **state) {
    struct gen g;
    (void)state;
    gen_seed(&g, 7292802383830263955u);
    check_worlds(&g, 43, (size_t[3]){0});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_list_is_true_within_its_bounds),
        cmocka_unit_test(bounds_hold_when_groups_lose_the_room_for_their_p99),
    };
    return cmocka_run_group_tests_name("query_top", tests, NULL, NULL);
}
