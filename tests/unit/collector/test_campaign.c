#include "tests/unit/collector/made.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const struct span hosts[] = {{"web-2", 5}, {"db-1", 4}, {"web-1", 5}};
static const struct span db1 = {"db-1", 4}, web1 = {"web-1", 5}, web2 = {"web-2", 5};

static struct campaign *three(void) { return made_campaign(made_id(1), "runqlat", hosts, 3); }

static void expect(const struct campaign *c, struct span host, enum coverage coverage, const char *reason) {
    const struct campaign_target *t = campaign_find(c, host);
    assert_non_null(t);
    assert_string_equal(capture_coverage_name(t->coverage), capture_coverage_name(coverage));
    assert_string_equal(t->reason ? t->reason : "", reason);
    uint32_t sum = 0;
    for (size_t i = 0; i < COVERAGE__COUNT; i++) sum += c->coverage[i];
    assert_int_equal(sum, c->n_targets); /* every host is in exactly one state */
}

static void part(struct campaign *c, struct span host, uint32_t n, const struct outcome *o, unsigned second) {
    assert_int_equal(campaign_part(c, host, 0, n, o, made_at(second)), ERR_OK);
}

/* Is the host sent the order when it connects? */
static bool is_sent(struct campaign *c, struct span host, unsigned second) {
    bool again = campaign_connected(c, host, made_at(second)) == CAMPAIGN_SEND_ORDER;
    const struct campaign_target *t = campaign_next(c, made_at(second));
    assert_true(!again || !t);
    assert_true(!t || span_eq_str(host, t->host));
    return again || t;
}

static void everybody_ok(struct campaign *c, unsigned second) {
    struct outcome o = made_ok(1);
    for (size_t i = 0; i < c->n_targets; i++) part(c, span_str(c->targets[i].host), 0, &o, second);
}

static void a_campaign_goes_from_pending_over_running_to_the_outcome(void **state) {
    struct campaign *c = three();
    struct outcome o = made_ok(2);
    (void)state;
    assert_string_equal(c->targets[0].host, "db-1"); /* by name */
    expect(c, web1, COVERAGE_PENDING, "");
    assert_true(is_sent(c, web1, 0));
    campaign_state(c, web1, COVERAGE_PENDING, made_at(1));
    expect(c, web1, COVERAGE_PENDING, "");
    campaign_state(c, web1, COVERAGE_RUNNING, made_at(1));
    expect(c, web1, COVERAGE_RUNNING, "");
    part(c, web1, 0, NULL, 11);
    expect(c, web1, COVERAGE_RUNNING, "");
    part(c, web1, 1, &o, 11);
    expect(c, web1, COVERAGE_OK, "");
    assert_false(is_sent(c, web1, 12));
    assert_false(campaign_done(c));
    campaign_free(c);
}

static void the_end_waits_for_every_part_in_any_order(void **state) {
    struct campaign *c = three();
    struct outcome o = made_ok(3);
    (void)state;
    o.coverage = COVERAGE_PARTIAL;
    o.reason = SPAN_LIT("the print-out was cut");
    part(c, db1, 2, &o, 1);
    assert_int_equal(campaign_find(c, db1)->coverage, COVERAGE_RUNNING);
    part(c, db1, 0, NULL, 1);
    assert_int_equal(campaign_part(c, db1, 0, 0, NULL, made_at(1)), ERR_EXISTS);
    assert_int_equal(campaign_find(c, db1)->coverage, COVERAGE_RUNNING);
    part(c, db1, 1, NULL, 1);
    expect(c, db1, COVERAGE_PARTIAL, "the print-out was cut");
    assert_int_equal(campaign_part(c, db1, 0, 1, NULL, made_at(2)), ERR_EXISTS);
    assert_int_equal(campaign_part(c, SPAN_LIT("db-7"), 0, 0, &o, made_at(2)), ERR_NOTFOUND);
    campaign_free(c);
}

static void a_refusal_is_an_end_without_a_run(void **state) {
    struct campaign *c = three();
    struct outcome o = made_ok(1);
    (void)state;
    o.coverage = COVERAGE_REFUSED;
    o.reason = SPAN_LIT("quiet hours");
    part(c, db1, 0, &o, 1);
    expect(c, db1, COVERAGE_REFUSED, "quiet hours");
    campaign_state(c, db1, COVERAGE_RUNNING, made_at(2)); /* too late to say */
    expect(c, db1, COVERAGE_REFUSED, "quiet hours");
    campaign_free(c);
}

static void a_host_that_never_came_is_offline_at_the_expiry(void **state) {
    struct campaign *c = three();
    (void)state;
    campaign_find(c, db1)->seen_wall_ns = made_at(0).wall_ns;
    campaign_tick(c, made_at(MADE_EXPIRY_S - 1));
    expect(c, db1, COVERAGE_PENDING, "");
    campaign_tick(c, made_at(MADE_EXPIRY_S));
    expect(c, db1, COVERAGE_OFFLINE, "not connected since 2027-01-15T08:00:00Z");
    expect(c, web1, COVERAGE_OFFLINE, "not connected");
    assert_true(campaign_done(c));
    assert_false(is_sent(c, db1, MADE_EXPIRY_S + 1));
    campaign_free(c);
}

static void a_host_that_comes_back_before_the_expiry_gets_the_order(void **state) {
    struct campaign *c = three();
    (void)state;
    campaign_tick(c, made_at(30));
    assert_true(is_sent(c, db1, 31));
    campaign_disconnected(c, db1, made_at(32));
    assert_true(is_sent(c, db1, 33)); /* again: the agent knows it by its id */
    everybody_ok(c, 50);
    assert_true(campaign_done(c));
    campaign_free(c);
}

static void a_connected_host_that_does_not_begin_is_a_timeout(void **state) {
    struct campaign *c = three();
    (void)state;
    assert_true(is_sent(c, db1, 0));
    campaign_tick(c, made_at(MADE_EXPIRY_S + CAMPAIGN_SILENT_S - 1));
    expect(c, db1, COVERAGE_PENDING, "");
    campaign_tick(c, made_at(MADE_EXPIRY_S + CAMPAIGN_SILENT_S));
    expect(c, db1, COVERAGE_TIMEOUT, "the agent is connected, but did not begin before the order expired");
    campaign_free(c);
}

static void a_running_host_that_is_silent_is_a_timeout_after_the_grace(void **state) {
    struct campaign *c = three();
    (void)state;
    assert_true(is_sent(c, db1, 0));
    campaign_state(c, db1, COVERAGE_RUNNING, made_at(2));
    campaign_tick(c, made_at(2 + MADE_SECONDS + CAMPAIGN_SILENT_S - 1));
    expect(c, db1, COVERAGE_RUNNING, "");
    part(c, db1, 0, NULL, 41); /* heard of: the clock begins again */
    campaign_tick(c, made_at(2 + MADE_SECONDS + CAMPAIGN_SILENT_S));
    expect(c, db1, COVERAGE_RUNNING, "");
    campaign_tick(c, made_at(41 + CAMPAIGN_SILENT_S));
    expect(c, db1, COVERAGE_TIMEOUT, "the agent stopped sending before its result was complete");
    campaign_free(c);
}

static void a_host_lost_in_its_capture_is_offline_early(void **state) {
    struct campaign *c = three();
    (void)state;
    assert_true(is_sent(c, db1, 0));
    campaign_state(c, db1, COVERAGE_RUNNING, made_at(1));
    campaign_disconnected(c, db1, made_at(4));
    campaign_tick(c, made_at(4 + MADE_SECONDS + CAMPAIGN_LOST_S - 1));
    expect(c, db1, COVERAGE_RUNNING, "");
    campaign_tick(c, made_at(4 + MADE_SECONDS + CAMPAIGN_LOST_S));
    expect(c, db1, COVERAGE_OFFLINE, "connection lost 3 s into its capture; not back after 25 s");
    campaign_free(c);
}

static void a_late_result_replaces_an_end_decided_here(void **state) {
    struct campaign *c = three();
    struct outcome o = made_ok(1);
    (void)state;
    o.ledger.kernel = 7;
    o.replayed = true;
    campaign_tick(c, made_at(MADE_EXPIRY_S));
    expect(c, db1, COVERAGE_OFFLINE, "not connected");
    while (campaign_next_dirty(c)) {
    }
    uint64_t changes = c->changes;
    part(c, db1, 0, &o, 500);
    expect(c, db1, COVERAGE_OK, "");
    assert_true(c->changes > changes);
    const struct campaign_target *t = campaign_next_dirty(c);
    assert_non_null(t);
    assert_string_equal(t->host, "db-1");
    assert_null(campaign_next_dirty(c));
    assert_int_equal(c->ledger.kernel, 7);
    assert_true(c->replayed);
    campaign_tick(c, made_at(9999));
    expect(c, db1, COVERAGE_OK, "");
    campaign_free(c);
}

static void a_host_given_up_gets_the_order_again_when_it_comes_back_in_time(void **state) {
    struct campaign *c = three();
    (void)state;
    assert_true(is_sent(c, db1, 0));
    campaign_state(c, db1, COVERAGE_RUNNING, made_at(1));
    campaign_disconnected(c, db1, made_at(2));
    campaign_tick(c, made_at(2 + MADE_SECONDS + CAMPAIGN_LOST_S));
    assert_int_equal(campaign_find(c, db1)->coverage, COVERAGE_OFFLINE);
    assert_true(is_sent(c, db1, 40));
    campaign_state(c, db1, COVERAGE_RUNNING, made_at(41));
    assert_int_equal(campaign_find(c, db1)->coverage, COVERAGE_OFFLINE); /* only a result leads out */
    campaign_free(c);
}

static void a_stop_cancels_at_once_who_has_not_begun_and_waits_for_the_others(void **state) {
    struct campaign *c = three();
    struct outcome o = made_ok(1);
    (void)state;
    o.coverage = COVERAGE_CANCELLED;
    o.reason = SPAN_LIT("stopped 4 s in");
    assert_true(is_sent(c, db1, 0));
    assert_true(is_sent(c, web1, 0));
    campaign_state(c, db1, COVERAGE_RUNNING, made_at(1));
    campaign_state(c, web1, COVERAGE_RUNNING, made_at(1));
    campaign_stop(c, SPAN_LIT("ada"), made_at(5));
    expect(c, web2, COVERAGE_CANCELLED, "stopped by ada before it connected");
    expect(c, db1, COVERAGE_RUNNING, "");
    assert_int_equal(campaign_connected(c, web1, made_at(6)), CAMPAIGN_SEND_STOP);
    part(c, db1, 0, &o, 7);
    expect(c, db1, COVERAGE_CANCELLED, "stopped 4 s in");
    campaign_tick(c, made_at(5 + CAMPAIGN_STOP_S - 1));
    expect(c, web1, COVERAGE_RUNNING, "");
    campaign_tick(c, made_at(5 + CAMPAIGN_STOP_S));
    expect(c, web1, COVERAGE_CANCELLED, "stopped; the agent did not report within 10 s");
    assert_true(campaign_done(c));
    assert_int_equal(campaign_connected(c, web1, made_at(6 + CAMPAIGN_STOP_S)), CAMPAIGN_SEND_STOP); /* it may have rounds to come */
    assert_int_equal(campaign_connected(c, db1, made_at(6 + CAMPAIGN_STOP_S)), CAMPAIGN_SEND_NOTHING);
    campaign_free(c);
}

static enum err restore(struct campaign *c, struct span host, enum coverage coverage, struct span reason, struct span outcome) {
    const struct campaign_end end = {
        .coverage = coverage, .reason = reason, .outcome = outcome, .has_result = coverage == COVERAGE_OFFLINE};
    return campaign_restore(c, host, &end, made_at(0));
}

static void restored_ends_are_as_they_were(void **state) {
    struct campaign *c = three();
    struct outcome o = made_ok(1);
    (void)state;
    o.ledger.tool = 3;
    struct span bytes = made_outcome(&o);
    assert_int_equal(restore(c, db1, COVERAGE_OK, SPAN_LIT(""), bytes), ERR_OK);
    assert_int_equal(restore(c, web1, COVERAGE_OFFLINE, SPAN_LIT("away"), SPAN_LIT("")), ERR_OK);
    assert_int_equal(restore(c, web2, COVERAGE_PENDING, SPAN_LIT(""), SPAN_LIT("")), ERR_OK);
    assert_int_equal(restore(c, SPAN_LIT("db-9"), COVERAGE_OK, SPAN_LIT(""), bytes), ERR_NOTFOUND);
    assert_int_equal(restore(c, web2, COVERAGE_OK, SPAN_LIT(""), SPAN_LIT("\377\377\377")), ERR_SYNTAX);
    expect(c, db1, COVERAGE_OK, "");
    expect(c, web1, COVERAGE_OFFLINE, "away");
    expect(c, web2, COVERAGE_PENDING, "");
    assert_int_equal(c->ledger.tool, 3);
    assert_false(c->replayed);
    assert_null(campaign_next_dirty(c)); /* what came from the store need not go there */
    assert_int_equal(c->with_result[COVERAGE_OFFLINE], 1);
    assert_int_equal(campaign_part(c, db1, 0, 0, &o, made_at(1)), ERR_EXISTS);
    part(c, web1, 0, &o, 1);
    expect(c, web1, COVERAGE_OK, "");
    assert_int_equal(c->with_result[COVERAGE_OFFLINE], 0);
    assert_int_equal(c->with_result[COVERAGE_OK], 1);
    made_free(bytes);
    campaign_free(c);
}

/* What one end costs must not grow with the number of hosts: quadratic, this takes minutes. */
static void a_hundred_thousand_hosts_that_end_in_one_tick_are_stored_in_a_second(void **state) {
    enum { N = 100000 };
    (void)state;
    struct span *names = calloc(N, sizeof *names);
    char(*texts)[16] = calloc(N, sizeof *texts);
    assert_true(names && texts);
    for (int i = 0; i < N; i++) names[i] = span_of(texts[i], (size_t)snprintf(texts[i], sizeof texts[i], "web-%06d", i));
    struct campaign *c = made_campaign(made_id(1), "runqlat", names, N);
    campaign_tick(c, made_at(MADE_EXPIRY_S));
    assert_true(campaign_done(c));
    clock_t began = clock();
    size_t n = 0;
    for (const struct campaign_target *t; (t = campaign_next_dirty(c)); n++) assert_string_equal(t->host, texts[n]);
    assert_int_equal(n, N);
    assert_true(clock() - began < CLOCKS_PER_SEC);
    struct outcome o = made_ok(1);
    part(c, names[7], 0, &o, MADE_EXPIRY_S + 1);
    assert_ptr_equal(campaign_dirty(c, NULL), campaign_find(c, names[7]));
    assert_null(campaign_dirty(c, campaign_dirty(c, NULL)));
    campaign_free(c);
    free(texts);
    free(names);
}

static void an_outcome_that_is_no_end_is_a_failure(void **state) {
    struct campaign *c = three();
    struct outcome o = made_ok(1);
    (void)state;
    struct part_body body = {.kind = RESULT_NONE, .outcome = &o};
    struct buf b;
    buf_init(&b, 0);
    o.coverage = COVERAGE_RUNNING;
    assert_int_equal(part_encode(&body, &b), ERR_SYNTAX); /* it cannot even be said on the wire */
    buf_done(&b);
    assert_int_not_equal(campaign_part(c, db1, 0, 0, &o, made_at(1)), ERR_OK);
    expect(c, db1, COVERAGE_PENDING, "");
    campaign_free(c);
}

static void an_order_that_is_none_or_a_name_too_long_makes_no_campaign(void **state) {
    char name[LIMIT_NAME_BYTES + 1];
    struct campaign *c = NULL;
    (void)state;
    memset(name, 'x', sizeof name);
    const struct span too_long = {name, sizeof name};
    struct span order = made_order(made_id(1), "runqlat");
    struct campaign_start start = {
        .id = made_id(1), .signed_order = order, .operator_name = SPAN_LIT("ada"), .hosts = &too_long, .n_hosts = 1, .now = made_at(0)};
    assert_int_equal(campaign_new(&start, &c), ERR_LIMIT);
    start.hosts = hosts;
    start.signed_order = SPAN_LIT("\377");
    assert_int_equal(campaign_new(&start, &c), ERR_SYNTAX);
    const struct span twice[] = {db1, db1};
    start.signed_order = order;
    start.hosts = twice;
    start.n_hosts = 2;
    assert_int_equal(campaign_new(&start, &c), ERR_EXISTS);
    assert_null(c);
    made_free(order);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_campaign_goes_from_pending_over_running_to_the_outcome),
        cmocka_unit_test(the_end_waits_for_every_part_in_any_order),
        cmocka_unit_test(a_refusal_is_an_end_without_a_run),
        cmocka_unit_test(a_host_that_never_came_is_offline_at_the_expiry),
        cmocka_unit_test(a_host_that_comes_back_before_the_expiry_gets_the_order),
        cmocka_unit_test(a_connected_host_that_does_not_begin_is_a_timeout),
        cmocka_unit_test(a_running_host_that_is_silent_is_a_timeout_after_the_grace),
        cmocka_unit_test(a_host_lost_in_its_capture_is_offline_early),
        cmocka_unit_test(a_late_result_replaces_an_end_decided_here),
        cmocka_unit_test(a_host_given_up_gets_the_order_again_when_it_comes_back_in_time),
        cmocka_unit_test(a_stop_cancels_at_once_who_has_not_begun_and_waits_for_the_others),
        cmocka_unit_test(restored_ends_are_as_they_were),
        cmocka_unit_test(a_hundred_thousand_hosts_that_end_in_one_tick_are_stored_in_a_second),
        cmocka_unit_test(an_outcome_that_is_no_end_is_a_failure),
        cmocka_unit_test(an_order_that_is_none_or_a_name_too_long_makes_no_campaign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
