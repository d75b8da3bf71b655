#include "tests/unit/collector/made.h"

#include <stdio.h>
#include <stdlib.h>

#include "collector/aggregate/aggregate.h"
#include "collector/query/query.h"

/* One campaign's parts: hosts × parts of one tool. */
enum { HOSTS = 7, PARTS = 4 };
struct one_part {
    char host[16];
    uint32_t part;
    struct span body;
};
struct fleet_of_parts {
    struct campaign_id id;
    const char *tool;
    enum query_kind kind;
    struct span names[HOSTS];
    struct one_part parts[HOSTS * PARTS];
};

static struct span body_of(enum query_kind kind, unsigned host, unsigned part, const struct outcome *o) {
    static const char *const comms[] = {"sh", "cc1", "ld"};
    static const char *const leaves[] = {"schedule", "futex_wait", "do_nanosleep"};
    const int64_t pids[] = {host, part, 7}, latencies[] = {100 + host, 5, EVENTS_NULL};
    if (kind == QUERY_HIST) return made_hist(host == 3 ? "msecs" : "usecs", 1ULL << (1 + (host + part) % 5), 10 + host, o);
    if (kind == QUERY_STACKS) return made_stacks(leaves[(host + part) % 3], 5 + host, o);
    const char *mine[] = {comms[host % 3], comms[part % 3], comms[0]};
    return made_events(mine, pids, latencies, 3, o);
}

static void make(struct fleet_of_parts *f, enum query_kind kind, const char *tool) {
    *f = (struct fleet_of_parts){.id = made_id(1), .tool = tool, .kind = kind};
    for (unsigned h = 0; h < HOSTS; h++)
        for (unsigned p = 0; p < PARTS; p++) {
            struct one_part *one = &f->parts[h * PARTS + p];
            struct outcome o = made_ok(PARTS);
            o.kind = kind == QUERY_HIST ? RESULT_HISTOGRAM : kind == QUERY_STACKS ? RESULT_STACKS : RESULT_EVENTS;
            if (h == 2) o.coverage = COVERAGE_PARTIAL, o.reason = SPAN_LIT("cut"), o.ledger.cap = 12;
            snprintf(one->host, sizeof one->host, "h-%u", h);
            one->part = p;
            one->body = body_of(kind, h, p, p == PARTS - 1 ? &o : NULL);
            f->names[h] = span_str(one->host);
        }
}

static void done(struct fleet_of_parts *f) {
    for (size_t i = 0; i < COUNT_OF(f->parts); i++) made_free(f->parts[i].body);
}

static uint64_t seed_state;
static size_t below(size_t n) {
    seed_state = seed_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (size_t)(seed_state >> 33) % n;
}

static void add(struct aggregate *a, struct campaign *c, const struct one_part *one, bool again) {
    struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
    struct part_body body = {0};
    assert_non_null(mem);
    assert_int_equal(part_decode(one->body, mem, &body), ERR_OK);
    assert_int_equal(aggregate_add(a, span_str(one->host), 0, one->part, &body), again ? ERR_EXISTS : ERR_OK);
    enum err e = campaign_part(c, span_str(one->host), 0, one->part, body.outcome, made_at(1));
    assert_int_equal(e, again ? ERR_EXISTS : ERR_OK);
    arena_free(mem);
}

/* The encoded answer after the parts came in some order, some of them several times. */
static void answer_of(const struct fleet_of_parts *f, struct store *s, const struct query *q, bool shuffled, struct buf *out) {
    size_t order[HOSTS * PARTS];
    char why[QUERY_WHY_BYTES] = "";
    struct aggregate *a = aggregate_new((size_t)1 << 26, (size_t)1 << 24);
    struct campaign *c = made_campaign(f->id, f->tool, f->names, HOSTS);
    struct arena *mem = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    assert_true(a && c && mem);
    for (size_t i = 0; i < COUNT_OF(order); i++) order[i] = i;
    for (size_t i = COUNT_OF(order) - 1; shuffled && i > 0; i--) {
        size_t k = below(i + 1), t = order[i];
        order[i] = order[k];
        order[k] = t;
    }
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        add(a, c, &f->parts[order[i]], false);
        if (shuffled) add(a, c, &f->parts[order[below(i + 1)]], true);
    }
    const struct query_of of = {.campaign = c, .aggregate = a, .store = s, .kind = f->kind, .query = q};
    enum rpc_status status = query_results(&of, mem, why, out);
    if (status != RPC_OK) print_message("%s\n", why);
    assert_int_equal(status, RPC_OK);
    arena_free(mem);
    campaign_free(c);
    aggregate_free(a);
}

/* With its parts stored in a random order as well. */
static void fill(const struct fleet_of_parts *f, struct store *s, bool shuffled) {
    made_put_campaign(s, f->id, f->tool, f->names, HOSTS);
    size_t at = shuffled ? below(COUNT_OF(f->parts)) : 0, step = shuffled ? 5 : 1; /* 5 has no factor in common with 28 */
    for (size_t i = 0; i < COUNT_OF(f->parts); i++, at = (at + step) % COUNT_OF(f->parts))
        assert_int_equal(made_put_part(s, f->id, f->parts[at].host, f->tool, f->parts[at].part, f->parts[at].body), STORE_DONE);
}

static void same_whatever_the_order(enum query_kind kind, const char *tool, const struct query *q) {
    struct fleet_of_parts f;
    struct made_dir plain, mixed;
    struct buf want, got;
    seed_state = 42;
    make(&f, kind, tool);
    made_dir(&plain);
    made_dir(&mixed);
    struct store *in_order = made_store(&plain, STORE_WRITER), *in_disorder = made_store(&mixed, STORE_WRITER);
    fill(&f, in_order, false);
    fill(&f, in_disorder, true);
    buf_init(&want, 0);
    answer_of(&f, in_order, q, false, &want);
    assert_true(want.n > 0);
    for (int i = 0; i < 10; i++) {
        buf_init(&got, 0);
        answer_of(&f, in_disorder, q, true, &got);
        if (kind != QUERY_STACKS) {
            assert_int_equal(got.n, want.n);
            assert_memory_equal(got.p, want.p, want.n);
        } else {
            /* strings and nodes are numbered as they come; rows are ranked, so what they say must agree */
            struct arena *mem = arena_new(LIMIT_ANSWER_ARENA_BYTES);
            struct answer x = {0}, y = {0};
            assert_int_equal(query_decode_answer(kind, buf_span(&want), mem, &x), ERR_OK);
            assert_int_equal(query_decode_answer(kind, buf_span(&got), mem, &y), ERR_OK);
            assert_int_equal(x.stacks.n_rows, y.stacks.n_rows);
            for (size_t r = 0; r < x.stacks.n_rows; r++) {
                const struct stack_node *nx = &x.stacks.nodes[x.stacks.rows[r].leaf], *ny = &y.stacks.nodes[y.stacks.rows[r].leaf];
                assert_int_equal(x.stacks.rows[r].count, y.stacks.rows[r].count);
                assert_true(span_eq(x.stacks.strings.text[nx->frame], y.stacks.strings.text[ny->frame]));
            }
            assert_int_equal(x.total, y.total);
            assert_int_equal(x.distinct, y.distinct);
            arena_free(mem);
        }
        buf_done(&got);
    }
    buf_done(&want);
    store_close(in_order);
    store_close(in_disorder);
    made_dir_done(&plain);
    made_dir_done(&mixed);
    done(&f);
}

static void histograms_do_not_depend_on_order_or_repetition(void **state) {
    const struct query q = {.per_host = true};
    (void)state;
    same_whatever_the_order(QUERY_HIST, "runqlat", &q);
}

static void top_lists_do_not_depend_on_order_or_repetition(void **state) {
    const struct query q = {.by = SPAN_LIT("COMM"), .of = SPAN_LIT("LAT"), .rank = TOP_TOTAL, .n = 2};
    (void)state;
    same_whatever_the_order(QUERY_TOP, "execsnoop", &q);
}

static void events_do_not_depend_on_order_or_repetition(void **state) {
    const struct query q = {.n = 20};
    (void)state;
    same_whatever_the_order(QUERY_EVENTS, "execsnoop", &q);
}

static void stacks_do_not_depend_on_order_or_repetition(void **state) {
    const struct query q = {0};
    (void)state;
    same_whatever_the_order(QUERY_STACKS, "offcputime", &q);
}

/* ---- the same with many small fleets, without a store ---- */
enum { CASES = 10000, KEYS = 8 };

/* What an aggregate says, in one number that only depends on what is in it. */
static uint64_t said_by(const struct aggregate *a, struct arena *mem) {
    uint64_t sum = 0;
    for (size_t i = 0; i < aggregate_n_hosts(a); i++) {
        const struct aggregate_host *h = aggregate_host(a, i);
        struct hist_set set = {0};
        if (h->hists) assert_int_equal(hist_merge_get(h->hists, false, mem, &set), ERR_OK);
        for (size_t k = 0; k < set.n; k++)
            for (size_t s = 0; s < set.hists[k].n_slots; s++)
                sum += (set.hists[k].slots[s].low + 1) * set.hists[k].slots[s].count * (uint64_t)(h->name[0] + 1);
    }
    const struct stacks *st = aggregate_stacks(a) ? stack_merge_view(aggregate_stacks(a)) : NULL;
    for (size_t i = 0; st && i < st->n_rows; i++) {
        struct span leaf = st->strings.text[st->nodes[st->rows[i].leaf].frame];
        sum += (uint64_t)leaf.p[0] * st->rows[i].count * 1000003;
    }
    return sum + 7 * event_table_rows(aggregate_events(a));
}

struct small {
    char host[2];
    uint32_t round, part;
    struct part_body body;
    struct hist hist;
    struct hist_slot slot;
};

static void small_body(struct small *k, enum result_kind kind, struct arena *mem) {
    static const struct column column = {.name = SPAN_LIT("PID"), .unit = SPAN_LIT(""), .type = COLUMN_INT};
    uint32_t at = STACKS_ROOT;
    size_t row = 0;
    k->body = (struct part_body){.kind = kind};
    if (kind == RESULT_HISTOGRAM) {
        uint64_t low = 1ULL << below(5);
        k->slot = (struct hist_slot){low, 2 * low - 1, below(100)};
        k->hist = (struct hist){.unit = SPAN_LIT("usecs"), .slots = &k->slot, .n_slots = 1};
        k->body.hists = (struct hist_set){&k->hist, 1};
    } else if (kind == RESULT_STACKS) {
        const char leaf[] = {(char)('a' + below(3))};
        assert_int_equal(stacks_init(&k->body.stacks, SPAN_LIT("usecs"), mem), ERR_OK);
        assert_int_equal(stacks_node(&k->body.stacks, at, span_of(leaf, 1), FRAME_USER, &at), ERR_OK);
        assert_int_equal(stacks_add(&k->body.stacks, at, SPAN_LIT("sh"), 1, 1 + below(100)), ERR_OK);
    } else {
        assert_int_equal(events_init(&k->body.events, &column, 1, mem), ERR_OK);
        for (size_t n = below(4); n > 0; n--) assert_int_equal(events_row(&k->body.events, mem, &row), ERR_OK);
    }
}

static void the_same_key_again_changes_nothing_and_order_does_not_matter(void **state) {
    (void)state;
    seed_state = 7;
    for (size_t c = 0; c < CASES; c++) {
        AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
        AUTO(aggregate_free) struct aggregate *once = aggregate_new(1 << 20, 1 << 20), *often = aggregate_new(1 << 20, 1 << 20);
        struct small keys[KEYS];
        bool there[KEYS] = {false};
        size_t n = 1 + below(KEYS), left = n;
        for (size_t i = 0; i < n; i++) {
            keys[i] = (struct small){.host = {(char)('a' + i % 3)}, .round = (uint32_t)(i / 3 % 2), .part = (uint32_t)(i / 6)};
            small_body(&keys[i], (enum result_kind)(RESULT_HISTOGRAM + below(3)), mem);
            assert_int_equal(aggregate_add(once, span_of(keys[i].host, 1), keys[i].round, keys[i].part, &keys[i].body), ERR_OK);
        }
        while (left > 0 || below(3)) {
            size_t i = below(n);
            enum err e = aggregate_add(often, span_of(keys[i].host, 1), keys[i].round, keys[i].part, &keys[i].body);
            if (e != (there[i] ? ERR_EXISTS : ERR_OK)) fail_msg("case %zu", c);
            left -= !there[i];
            there[i] = true;
        }
        if (said_by(once, mem) != said_by(often, mem)) fail_msg("case %zu", c);
    }
}

/* ---- rebuilt from the store ---- */
struct rebuild {
    struct aggregate *a;
    struct campaign *c;
};
static enum err on_part(void *arg, const struct store_part *p) {
    struct rebuild *r = arg;
    struct one_part one = {.part = p->key.part, .body = p->body};
    snprintf(one.host, sizeof one.host, "%.*s", (int)p->key.host.n, p->key.host.p);
    add(r->a, r->c, &one, false);
    return ERR_OK;
}

static void what_is_rebuilt_from_the_store_gives_the_same_answer(void **state) {
    struct fleet_of_parts f;
    struct made_dir d;
    struct buf want, got;
    char why[QUERY_WHY_BYTES] = "";
    const struct query q = {.per_host = true};
    (void)state;
    make(&f, QUERY_HIST, "runqlat");
    made_dir(&d);
    struct store *s = made_store(&d, STORE_WRITER);
    fill(&f, s, true);
    buf_init(&want, 0);
    buf_init(&got, 0);
    answer_of(&f, s, &q, true, &want);
    store_close(s);
    s = made_store(&d, STORE_READER);
    struct rebuild r = {.a = aggregate_new((size_t)1 << 26, (size_t)1 << 24), .c = made_campaign(f.id, f.tool, f.names, HOSTS)};
    struct arena *mem = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    assert_int_equal(store_parts(s, &f.id, SPAN_NONE, on_part, &r), ERR_OK);
    assert_true(campaign_done(r.c));
    const struct query_of of = {.campaign = r.c, .aggregate = r.a, .store = s, .kind = f.kind, .query = &q};
    assert_int_equal(query_results(&of, mem, why, &got), RPC_OK);
    assert_int_equal(got.n, want.n);
    assert_memory_equal(got.p, want.p, want.n);
    arena_free(mem);
    campaign_free(r.c);
    aggregate_free(r.a);
    buf_done(&want);
    buf_done(&got);
    store_close(s);
    made_dir_done(&d);
    done(&f);
}

static void stacks_over_the_budget_are_counted_and_the_rest_is_kept(void **state) {
    struct aggregate *a = aggregate_new(64 * 1024, (size_t)1 << 24);
    char leaf[1000];
    uint64_t all = 0;
    (void)state;
    assert_non_null(a);
    for (uint32_t i = 0; i < 200; i++) {
        struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
        struct part_body body = {0};
        memset(leaf, 'a' + (int)(i % 26), sizeof leaf - 1);
        snprintf(leaf + sizeof leaf - 8, 8, "%u", i);
        struct span bytes = made_stacks(leaf, 10, NULL);
        assert_int_equal(part_decode(bytes, mem, &body), ERR_OK);
        assert_int_equal(aggregate_add(a, SPAN_LIT("db-1"), 0, i, &body), ERR_OK);
        all += 10;
        made_free(bytes);
        arena_free(mem);
    }
    assert_true(aggregate_shed(a) > 0);
    assert_true(stacks_total(stack_merge_view(aggregate_stacks(a))) + aggregate_shed(a) >= all);
    assert_true(aggregate_bytes(a) < 1024 * 1024);
    aggregate_free(a);
}

static void a_set_of_parts_has_a_limit(void **state) {
    struct part_set s = {0};
    (void)state;
    assert_true(part_set_full(&s, 0, 0));
    assert_int_equal(part_set_add(&s, 0, LIMIT_PARTS), ERR_LIMIT);
    assert_int_equal(part_set_add(&s, 0, LIMIT_PARTS - 1), ERR_OK);
    assert_int_equal(part_set_add(&s, 0, LIMIT_PARTS - 1), ERR_EXISTS);
    assert_int_equal(part_set_add(&s, 0, 0), ERR_OK);
    assert_true(part_set_has(&s, 0, 0) && !part_set_has(&s, 0, 1));
    assert_true(part_set_full(&s, 0, 1) && !part_set_full(&s, 0, 2));
    part_set_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histograms_do_not_depend_on_order_or_repetition),
        cmocka_unit_test(top_lists_do_not_depend_on_order_or_repetition),
        cmocka_unit_test(events_do_not_depend_on_order_or_repetition),
        cmocka_unit_test(stacks_do_not_depend_on_order_or_repetition),
        cmocka_unit_test(the_same_key_again_changes_nothing_and_order_does_not_matter),
        cmocka_unit_test(what_is_rebuilt_from_the_store_gives_the_same_answer),
        cmocka_unit_test(stacks_over_the_budget_are_counted_and_the_rest_is_kept),
        cmocka_unit_test(a_set_of_parts_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
