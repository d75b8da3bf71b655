/* Orders of several rounds, and of a start that is to come. */
#include "agent/daemon/pressure.h"
#include "common/base/clock.h"
#include "tests/unit/agent/daemon/stage.h"

static struct spec spec_of(unsigned char campaign, uint32_t rounds) {
    struct spec s = stage_spec(campaign);
    s.duration_s = 1;
    s.rounds = rounds;
    s.every_s = rounds > 1 ? 1 : 0;
    return s;
}

/* What the runner is asked, waiting for it at most a few seconds. */
static struct request asked_soon(struct stage *s) {
    for (int i = 0; i < 500 && stage_asked_nothing(s); i++) stage_turn(s, 10);
    return stage_asked(s);
}

/* The only part that waits, and what is told in it. */
static void expect_round(struct stage *s, uint32_t round, struct outcome *out, struct arena *mem) {
    struct buf body;
    struct part_body b;
    const struct spool_entry *e = spool_first(s->spool);
    assert_non_null(e);
    assert_int_equal(e->key.round, round);
    buf_init(&body, 0);
    assert_int_equal(spool_read(s->spool, e, &body), ERR_OK);
    assert_int_equal(part_decode(arena_copy(mem, buf_span(&body)), mem, &b), ERR_OK);
    assert_non_null(b.outcome);
    *out = *b.outcome;
    buf_done(&body);
    stage_acknowledge(s);
}

static void each_round_is_a_run_of_its_own_from_one_order(void **state) {
    struct stage *s = *state;
    struct outcome o;
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
    const struct spec spec = spec_of(1, 2);
    const struct campaign_id id = stage_id(1);
    stage_order(s, &spec, s->ann);
    struct request first = stage_asked(s);
    assert_int_equal(first.kind, REQUEST_RUN);
    stage_runs(s, first.run, STAGE_HISTOGRAM);
    expect_round(s, 0, &o, mem);
    assert_int_equal(o.coverage, COVERAGE_OK);
    assert_int_equal(o.rounds, 0);
    assert_false(journal_find(s->journal, &id)->done);
    assert_int_equal(journal_find(s->journal, &id)->round, 1);
    struct request second = asked_soon(s);
    assert_int_equal(second.kind, REQUEST_RUN);
    assert_true(second.run != first.run);
    stage_runs(s, second.run, STAGE_HISTOGRAM);
    expect_round(s, 1, &o, mem);
    assert_int_equal(o.rounds, 2);
    assert_true(journal_find(s->journal, &id)->done);
}

static void what_was_applied_is_told(void **state) {
    struct stage *s = *state;
    struct outcome o;
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
    struct spec spec = spec_of(1, 1);
    spec.stop.pressure_permille = 1000;
    stage_order(s, &spec, s->ann);
    stage_runs(s, stage_asked(s).run, STAGE_HISTOGRAM);
    expect_round(s, 0, &o, mem);
    assert_non_null(o.applied);
    assert_int_equal(o.applied->seconds, 1);
    assert_int_equal(o.applied->rounds, 1);
    assert_int_equal(o.applied->stdout_bytes, s->policy.stdout_bytes);
    assert_int_equal(o.applied->expires_wall_ms, spec.expires_wall_ms);
    assert_int_equal(o.applied->pressure_permille, 1000);
}

static void a_stop_between_rounds_ends_the_order(void **state) {
    struct stage *s = *state;
    struct outcome o;
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
    const struct spec spec = spec_of(1, 3);
    const struct campaign_id id = stage_id(1);
    stage_order(s, &spec, s->ann);
    stage_runs(s, stage_asked(s).run, STAGE_HISTOGRAM);
    stage_acknowledge(s);
    captures_stop(s->captures, &id, SPAN_LIT("stopped by ann"));
    expect_round(s, 1, &o, mem);
    assert_int_equal(o.coverage, COVERAGE_CANCELLED);
    assert_int_equal(o.rounds, 2);
    assert_true(journal_find(s->journal, &id)->done);
}

/* ---- restarts ---- */
static void a_restart_between_rounds_loses_none(void **state) {
    struct stage *s = *state;
    struct outcome o;
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
    const struct spec spec = spec_of(1, 2);
    const struct campaign_id id = stage_id(1);
    stage_order(s, &spec, s->ann);
    stage_runs(s, stage_asked(s).run, STAGE_HISTOGRAM);
    expect_round(s, 0, &o, mem);
    stage_restart(s);
    captures_recover(s->captures);
    assert_null(spool_first(s->spool)); /* nothing was lost, nothing is told */
    stage_runs(s, asked_soon(s).run, STAGE_HISTOGRAM);
    expect_round(s, 1, &o, mem);
    assert_int_equal(o.coverage, COVERAGE_OK);
    assert_int_equal(o.rounds, 2);
    assert_true(journal_find(s->journal, &id)->done);
}

static void a_restart_in_a_round_loses_that_one_only(void **state) {
    struct stage *s = *state;
    struct outcome o;
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
    const struct spec spec = spec_of(1, 2);
    stage_order(s, &spec, s->ann);
    assert_int_equal(stage_asked(s).kind, REQUEST_RUN);
    stage_restart(s);
    captures_recover(s->captures);
    expect_round(s, 0, &o, mem);
    assert_int_equal(o.coverage, COVERAGE_FAILED);
    assert_true(span_eq_str(o.reason, "the agent was restarted in the middle of the capture"));
    assert_int_equal(o.rounds, 0); /* there are others */
    assert_true(o.agent_died);
    stage_runs(s, asked_soon(s).run, STAGE_HISTOGRAM);
    expect_round(s, 1, &o, mem);
    assert_int_equal(o.coverage, COVERAGE_OK);
    assert_int_equal(o.rounds, 2);
}

static void each_round_that_went_by_without_an_agent_is_told(void **state) {
    struct stage *s = *state;
    struct outcome o;
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
    struct spec spec = spec_of(1, 4);
    spec.every_s = 60;
    stage_order(s, &spec, s->ann);
    stage_runs(s, stage_asked(s).run, STAGE_HISTOGRAM);
    expect_round(s, 0, &o, mem);
    stage_age(s, 1, 3 * 60);
    stage_restart(s);
    captures_recover(s->captures);
    struct spool_entry *missed = spool_first(s->spool);
    assert_true(missed && missed->next && !missed->next->next);
    assert_int_equal(missed->key.round, 1);
    assert_int_equal(missed->next->key.round, 2);
    stage_acknowledge(s);
    stage_runs(s, stage_asked(s).run, STAGE_HISTOGRAM);
    expect_round(s, 3, &o, mem);
    assert_int_equal(o.coverage, COVERAGE_OK);
    assert_int_equal(o.rounds, 4);
}

/* The operator was revoked while the agent was down, say. */
static void an_order_that_holds_no_more_is_not_gone_on_with(void **state) {
    struct stage *s = *state;
    struct outcome o;
    char why[512];
    struct trust *others = NULL;
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
    const struct spec spec = spec_of(1, 3);
    const struct campaign_id id = stage_id(1);
    assert_int_equal(sign_trust_load(ca_file(&s->other_ca, "operators-ca.pem"), NULL, why, sizeof why, &others), ERR_OK);
    stage_order(s, &spec, s->ann);
    stage_runs(s, stage_asked(s).run, STAGE_HISTOGRAM);
    stage_acknowledge(s);
    stage_restart(s);
    captures_set_operators(s->captures, others);
    captures_recover(s->captures);
    expect_round(s, 1, &o, mem);
    assert_int_equal(o.coverage, COVERAGE_FAILED);
    assert_true(span_starts(o.reason, SPAN_LIT("the agent was restarted in the middle of the capture; no other one follows: ")));
    assert_int_equal(o.rounds, 2);
    assert_true(journal_find(s->journal, &id)->done);
    assert_true(stage_asked_nothing(s));
    sign_trust_free(others);
}

static void a_host_that_was_locked_meanwhile_does_not_go_on(void **state) {
    struct stage *s = *state;
    struct outcome o;
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
    const struct spec spec = spec_of(1, 3);
    stage_order(s, &spec, s->ann);
    stage_runs(s, stage_asked(s).run, STAGE_HISTOGRAM);
    stage_acknowledge(s);
    stage_restart(s);
    captures_switch(s->captures, true);
    captures_recover(s->captures);
    expect_round(s, 1, &o, mem);
    assert_int_equal(o.coverage, COVERAGE_REFUSED);
    assert_int_equal(o.rounds, 2);
    captures_switch(s->captures, false);
}

static void a_restart_before_the_start_changes_nothing(void **state) {
    struct stage *s = *state;
    struct spec spec = spec_of(1, 1);
    spec.start_wall_ms = clock_wall_ns() / NS_PER_MS + 300;
    stage_order(s, &spec, s->ann);
    stage_restart(s);
    captures_recover(s->captures);
    assert_true(stage_asked_nothing(s));
    struct request r = asked_soon(s);
    assert_true(clock_wall_ns() / NS_PER_MS >= spec.start_wall_ms);
    stage_runs(s, r.run, STAGE_HISTOGRAM);
    stage_ends(s, 1, COVERAGE_OK, "");
}

static void nothing_begins_before_its_time(void **state) {
    struct stage *s = *state;
    struct spec spec = spec_of(1, 1);
    spec.start_wall_ms = clock_wall_ns() / NS_PER_MS + 300;
    stage_order(s, &spec, s->ann);
    assert_true(stage_asked_nothing(s));
    struct request r = asked_soon(s);
    assert_true(clock_wall_ns() / NS_PER_MS >= spec.start_wall_ms);
    stage_runs(s, r.run, STAGE_HISTOGRAM);
    stage_ends(s, 1, COVERAGE_OK, "");
}

static void pressure_is_read_or_not_known(void **state) {
    uint32_t permille = 7;
    (void)state;
    assert_true(pressure_parse(SPAN_LIT("some avg10=12.34 avg60=0.00 avg300=0.00 total=1\nfull avg10=0.00\n"), &permille));
    assert_int_equal(permille, 123);
    assert_true(pressure_parse(SPAN_LIT("some avg10=100.00 avg60=0.00"), &permille));
    assert_int_equal(permille, 1000);
    static const char *const none[] = {
        "", "some", "full avg10=1.00", "some avg60=1.00", "some avg10=x", "some avg10=-1.00", "some avg10=101.00"};
    for (size_t i = 0; i < COUNT_OF(none); i++) assert_false(pressure_parse(span_str(none[i]), &permille));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_round_is_a_run_of_its_own_from_one_order, stage_setup, stage_teardown),
        cmocka_unit_test_setup_teardown(what_was_applied_is_told, stage_setup, stage_teardown),
        cmocka_unit_test_setup_teardown(a_stop_between_rounds_ends_the_order, stage_setup, stage_teardown),
        cmocka_unit_test_setup_teardown(a_restart_between_rounds_loses_none, stage_setup, stage_teardown),
        cmocka_unit_test_setup_teardown(a_restart_in_a_round_loses_that_one_only, stage_setup, stage_teardown),
        cmocka_unit_test_setup_teardown(each_round_that_went_by_without_an_agent_is_told, stage_setup, stage_teardown),
        cmocka_unit_test_setup_teardown(an_order_that_holds_no_more_is_not_gone_on_with, stage_setup, stage_teardown),
        cmocka_unit_test_setup_teardown(a_host_that_was_locked_meanwhile_does_not_go_on, stage_setup, stage_teardown),
        cmocka_unit_test_setup_teardown(a_restart_before_the_start_changes_nothing, stage_setup, stage_teardown),
        cmocka_unit_test_setup_teardown(nothing_begins_before_its_time, stage_setup, stage_teardown),
        cmocka_unit_test(pressure_is_read_or_not_known),
    };
    return cmocka_run_group_tests(tests, stage_group_setup, stage_group_teardown);
}
