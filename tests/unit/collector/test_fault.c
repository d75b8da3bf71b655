#include "tests/unit/collector/made.h"

#include <stdlib.h>

#include "collector/campaign/fleet.h"
#include "collector/query/query.h"
#include "tests/support/fault.h"

/* Every allocation fails in turn: nothing leaks (ASan looks), nothing half done is handed out, and the last round succeeds. */

static const struct span hosts[] = {{"db-1", 4}, {"db-2", 4}};

static struct campaign *campaign(const char *tool) { return made_campaign(made_id(1), tool, hosts, 2); }

static void a_campaign_is_whole_or_not_there(void **state) {
    struct span order = made_order(made_id(1), "runqlat");
    const struct campaign_start start = {
        .id = made_id(1), .signed_order = order, .operator_name = SPAN_LIT("ada"), .hosts = hosts, .n_hosts = 2, .now = made_at(0)};
    (void)state;
    FOR_EACH_FAULT(n) {
        struct campaign *c = NULL;
        enum err e = campaign_new(&start, &c);
        fault_off();
        assert_int_equal(e, fault_hit() ? ERR_NOMEM : ERR_OK);
        assert_int_equal(c != NULL, e == ERR_OK);
        campaign_free(c);
    }
    made_free(order);
}

static void a_part_that_found_no_memory_can_come_again(void **state) {
    struct outcome o = made_ok(1);
    (void)state;
    FOR_EACH_FAULT(n) {
        fault_off();
        struct campaign *c = campaign("runqlat");
        fault_on(n);
        enum err e = campaign_part(c, hosts[0], 0, 0, &o, made_at(1));
        fault_off();
        if (e != ERR_OK) {
            assert_int_equal(e, ERR_NOMEM);
            assert_int_equal(campaign_find(c, hosts[0])->coverage, COVERAGE_PENDING);
            assert_int_equal(campaign_part(c, hosts[0], 0, 0, &o, made_at(1)), ERR_OK);
        }
        assert_int_equal(campaign_find(c, hosts[0])->coverage, COVERAGE_OK);
        campaign_free(c);
    }
}

static void an_end_is_restored_or_left(void **state) {
    struct outcome o = made_ok(1);
    struct span bytes = made_outcome(&o);
    (void)state;
    FOR_EACH_FAULT(n) {
        fault_off();
        struct campaign *c = campaign("runqlat");
        fault_on(n);
        const struct campaign_end end = {.coverage = COVERAGE_OK, .reason = SPAN_LIT("r"), .outcome = bytes};
        enum err e = campaign_restore(c, hosts[0], &end, made_at(0));
        fault_off();
        assert_int_equal(campaign_find(c, hosts[0])->coverage, e == ERR_OK ? COVERAGE_OK : COVERAGE_PENDING);
        campaign_free(c);
    }
    made_free(bytes);
}

static void facts_are_taken_or_the_old_ones_stay(void **state) {
    struct buf b;
    const struct from_agent facts = {
        .kind = FROM_AGENT_FACTS,
        .facts = {.host = SPAN_LIT("db-1"), .version = SPAN_LIT("1"), .kernel = SPAN_LIT("6.1"), .arch = SPAN_LIT("x86_64")}};
    (void)state;
    buf_init(&b, 0);
    assert_int_equal(session_encode_from(&facts, &b), ERR_OK);
    FOR_EACH_FAULT(n) {
        struct fleet *f = fleet_new();
        struct fleet_host *h = NULL;
        enum err e = f ? fleet_put(f, buf_span(&b), &h) : ERR_NOMEM;
        if (e == ERR_OK) e = fleet_put(f, buf_span(&b), &h); /* again: replaced */
        fault_off();
        assert_int_equal(e, fault_hit() ? ERR_NOMEM : ERR_OK);
        if (f && fleet_n(f)) assert_non_null(fleet_host(f, 0)->facts.host.p);
        fleet_free(f);
    }
    buf_done(&b);
}

static struct span body_of(enum query_kind kind) {
    static const char *const comms[] = {"sh", "cc1"};
    const int64_t pids[] = {1, 2}, lat[] = {3, 4};
    struct outcome o = made_ok(1);
    o.kind = kind == QUERY_HIST ? RESULT_HISTOGRAM : kind == QUERY_STACKS ? RESULT_STACKS : RESULT_EVENTS;
    if (kind == QUERY_HIST) return made_hist("usecs", 4, 10, &o);
    if (kind == QUERY_STACKS) return made_stacks("schedule", 5, &o);
    return made_events(comms, pids, lat, 2, &o);
}

static const struct {
    enum query_kind kind;
    const char *tool;
    struct query query;
} questions[] = {
    {QUERY_HIST, "runqlat", {.per_host = true}},
    {QUERY_TOP, "execsnoop", {.by = {"COMM", 4}}},
    {QUERY_TOP, "execsnoop", {.by = {"COMM", 4}, .per_host = true}},
    {QUERY_EVENTS, "execsnoop", {.n = 3}},
    {QUERY_STACKS, "offcputime", {.n = 1}},
};

static void live_results_take_a_part_or_say_that_they_are_not_whole(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(questions); i++) {
        struct span bytes = body_of(questions[i].kind);
        struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
        struct part_body body = {0};
        assert_int_equal(part_decode(bytes, mem, &body), ERR_OK);
        FOR_EACH_FAULT(n) {
            struct aggregate *a = aggregate_new((size_t)1 << 20, (size_t)1 << 24);
            enum err e = a ? aggregate_add(a, hosts[0], 0, 0, &body) : ERR_NOMEM;
            fault_off();
            /* The stacks' own budget speaks for memory too: then they are counted as shed.  Without memory for
             * events there are none, and the store is asked. */
            if (fault_hit()) assert_true(e == ERR_NOMEM || aggregate_shed(a) > 0 || !aggregate_events(a));
            if (!fault_hit()) assert_int_equal(e, ERR_OK);
            aggregate_free(a);
        }
        arena_free(mem);
        made_free(bytes);
    }
}

static void an_answer_is_whole_or_a_status(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(questions); i++) {
        struct made_dir d;
        struct span bytes = body_of(questions[i].kind);
        made_dir(&d);
        struct store *s = made_store(&d, STORE_WRITER);
        struct campaign *c = campaign(questions[i].tool);
        struct aggregate *a = aggregate_new((size_t)1 << 20, (size_t)1 << 24);
        made_put_campaign(s, made_id(1), questions[i].tool, hosts, 2);
        for (size_t h = 0; h < 2; h++) {
            struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
            struct part_body body = {0};
            assert_int_equal(part_decode(bytes, mem, &body), ERR_OK);
            assert_int_equal(made_put_part(s, made_id(1), hosts[h].p, questions[i].tool, 0, bytes), STORE_DONE);
            assert_int_equal(aggregate_add(a, hosts[h], 0, 0, &body), ERR_OK);
            assert_int_equal(campaign_part(c, hosts[h], 0, 0, body.outcome, made_at(1)), ERR_OK);
            arena_free(mem);
        }
        const struct query_of of = {.campaign = c, .aggregate = a, .store = s, .kind = questions[i].kind, .query = &questions[i].query};
        FOR_EACH_FAULT(n) {
            char why[QUERY_WHY_BYTES] = "";
            struct buf out;
            struct answer answer = {0};
            buf_init(&out, 0);
            struct arena *mem = arena_new(LIMIT_ANSWER_ARENA_BYTES);
            enum rpc_status status = mem ? query_results(&of, mem, why, &out) : RPC_RESOURCE_EXHAUSTED;
            fault_off();
            if (!fault_hit()) assert_int_equal(status, RPC_OK);
            if (status == RPC_OK)
                assert_int_equal(query_decode_answer(questions[i].kind, buf_span(&out), mem, &answer), ERR_OK);
            else
                assert_int_equal(status, RPC_RESOURCE_EXHAUSTED);
            buf_done(&out);
            arena_free(mem);
        }
        made_free(bytes);
        aggregate_free(a);
        campaign_free(c);
        store_close(s);
        made_dir_done(&d);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_campaign_is_whole_or_not_there),
        cmocka_unit_test(a_part_that_found_no_memory_can_come_again),
        cmocka_unit_test(an_end_is_restored_or_left),
        cmocka_unit_test(facts_are_taken_or_the_old_ones_stay),
        cmocka_unit_test(live_results_take_a_part_or_say_that_they_are_not_whole),
        cmocka_unit_test(an_answer_is_whole_or_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
