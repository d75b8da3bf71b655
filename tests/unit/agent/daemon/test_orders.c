/* What an order leads to before any tool runs: obeyed once, or refused in writing. */
#include <sys/stat.h>

#include "common/base/clock.h"
#include "tests/unit/agent/daemon/stage.h"

#define HOUR_MS (3600ULL * 1000)

static void an_order_is_asked_of_the_runner_as_it_was_signed(void **state) {
    struct stage *s = *state;
    struct spec spec = stage_spec(1);
    struct spec_param pid = {SPAN_LIT("pid"), SPAN_NONE, 42};
    spec.params = &pid;
    spec.n_params = 1;
    stage_order(s, &spec, s->ann);
    struct request r = stage_asked(s);
    assert_int_equal(r.kind, REQUEST_RUN);
    assert_true(r.run > CAPABILITY_MAX); /* below are the probes' numbers */
    assert_int_equal(r.tool, TOOL_RUNQLAT);
    assert_int_equal(r.flavour, FLAVOUR_LIBBPF);
    assert_int_equal(r.seconds, 5);
    assert_int_equal(r.params[0].id, PARAM_PID);
    assert_int_equal(r.params[0].number, 42);
    assert_int_equal(r.params[1].id, PARAM_NONE);
    assert_true(stage_asked_nothing(s));
}

/* Each changes a good order into one that must be refused. */
static void expired(struct spec *o) { o->issued_wall_ms -= 2 * HOUR_MS, o->expires_wall_ms -= HOUR_MS + 1; }
static void from_the_future(struct spec *o) { o->issued_wall_ms += HOUR_MS, o->expires_wall_ms += HOUR_MS; }
static void for_another_host(struct spec *o) { o->selector = SPAN_LIT("role=db"); }
static void for_another_fleet(struct spec *o) { o->fleet = SPAN_LIT("south"); }
static void of_no_tool(struct spec *o) { o->tool = SPAN_LIT("rumqlat"); }
static void of_no_flavour(struct spec *o) { o->flavour = SPAN_LIT("perl"); }
static void with_no_such_parameter(struct spec *o) {
    static struct spec_param p = {SPAN_LIT("colour"), SPAN_NONE, 1};
    o->params = &p;
    o->n_params = 1;
}
static void with_a_parameter_out_of_range(struct spec *o) {
    static struct spec_param p = {SPAN_LIT("pid"), SPAN_NONE, 0};
    o->params = &p;
    o->n_params = 1;
}
static void without_an_end(struct spec *o) { o->duration_s = LIMIT_DURATION_S + 1; }
static void of_another_version(struct spec *o) { o->version = SPEC_VERSION + 1; }

static const struct {
    void (*change)(struct spec *o);
    const char *why;
} BAD[] = {
    {expired, "expired"},
    {from_the_future, "future"},
    {for_another_host, "not among the hosts"},
    {for_another_fleet, "fleet"},
    {of_no_tool, "no tool"},
    {of_no_flavour, "no flavour"},
    {with_no_such_parameter, "no parameter colour"},
    {with_a_parameter_out_of_range, "pid"},
    {without_an_end, "seconds"},
    {of_another_version, "version"},
};

static void an_order_that_does_not_fit_is_refused_in_writing(void **state) {
    struct stage *s = *state;
    for (unsigned char i = 0; i < COUNT_OF(BAD); i++) {
        struct spec spec = stage_spec(i);
        BAD[i].change(&spec);
        stage_order(s, &spec, s->ann);
        assert_true(stage_asked_nothing(s));
        stage_ends(s, i, COVERAGE_REFUSED, BAD[i].why);
        const struct campaign_id id = stage_id(i);
        assert_null(journal_find(s->journal, &id));
        stage_order(s, &spec, s->ann); /* said again before it was acknowledged: the same refusal */
        stage_ends(s, i, COVERAGE_REFUSED, BAD[i].why);
    }
}

static void an_order_that_none_of_our_operators_signed_is_refused(void **state) {
    struct stage *s = *state;
    const struct spec spec = stage_spec(1);
    stage_order(s, &spec, s->mallory);
    assert_true(stage_asked_nothing(s));
    stage_ends(s, 1, COVERAGE_REFUSED, "CA");
}

static void an_operator_who_is_not_trusted_any_more_is_refused(void **state) {
    struct stage *s = *state;
    char why[512] = "";
    AUTO(sign_trust_free) struct trust *others = NULL;
    assert_int_equal(sign_trust_load(ca_file(&s->other_ca, "operators-ca.pem"), NULL, why, sizeof why, &others), ERR_OK);
    captures_set_operators(s->captures, others);
    stage_order_runqlat(s, 1);
    assert_true(stage_asked_nothing(s));
    stage_ends(s, 1, COVERAGE_REFUSED, "CA");
    const struct spec spec = stage_spec(2);
    stage_order(s, &spec, s->mallory);
    assert_int_equal(stage_asked(s).kind, REQUEST_RUN);
}

/* The collector can send anything as an order. */
static void bytes_that_are_no_order_lead_to_nothing(void **state) {
    struct stage *s = *state;
    const struct signed_order so[] = {
        {.spec = SPAN_NONE},
        {.spec = SPAN_LIT("\xff\xff\xff\xff"), .signature = SPAN_LIT("signature"), .certificates = SPAN_LIT("chain")},
        {.spec = SPAN_LIT(""),
         .signature = SPAN_LIT(""),
         .certificates = SPAN_LIT("\0\0\0\x04"
                                  "abcd")},
    };
    for (size_t i = 0; i < COUNT_OF(so); i++) captures_order(s->captures, &so[i]);
    assert_true(stage_asked_nothing(s));
    assert_null(spool_first(s->spool));
}

static void an_order_is_obeyed_once(void **state) {
    struct stage *s = *state;
    int fds[2];
    stage_order_runqlat(s, 1);
    uint64_t run = stage_asked(s).run;
    stage_order_runqlat(s, 1); /* asked, not started */
    assert_true(stage_asked_nothing(s));
    stage_started(s, run, fds);
    stage_order_runqlat(s, 1); /* runs */
    assert_true(stage_asked_nothing(s));
    stage_write(s, fds[0], STAGE_HISTOGRAM);
    stage_ended(s, run, fds);
    stage_order_runqlat(s, 1); /* has ended */
    assert_true(stage_asked_nothing(s));
    stage_acknowledge(s);
    stage_order_runqlat(s, 1); /* all is acknowledged */
    stage_restart(s);
    captures_recover(s->captures);
    stage_order_runqlat(s, 1);
    assert_true(stage_asked_nothing(s));
    assert_null(spool_first(s->spool));
}

static void an_order_that_is_not_remembered_is_not_obeyed(void **state) {
    struct stage *s = *state;
    char path[160], hex[2 * CAMPAIGN_ID_BYTES + 1];
    const struct campaign_id id = stage_id(1);
    part_campaign_hex(&id, hex);
    snprintf(path, sizeof path, "%s/.%s.order.tmp", s->dir.path, hex);
    assert_int_equal(mkdir(path, 0700), 0); /* where the journal wants to write */
    stage_order_runqlat(s, 1);
    assert_true(stage_asked_nothing(s));
    stage_ends(s, 1, COVERAGE_FAILED, "journal");
    assert_int_equal(rmdir(path), 0);
}

static void a_tool_that_cannot_run_here_is_incapable(void **state) {
    struct stage *s = *state;
    struct spec spec = stage_spec(1);
    spec.flavour = SPAN_LIT("bcc");
    stage_order(s, &spec, s->ann);
    if (stage_asked_nothing(s)) { /* the catalogue's row may say that bcc's can only be read */
        struct told t;
        assert_true(stage_told(s, 1, &t));
        assert_true(t.outcome.coverage == COVERAGE_INCAPABLE || t.outcome.coverage == COVERAGE_REFUSED);
    }
    for (size_t i = 0; i < s->capabilities.n; i++) s->capabilities.rows[i].runnable = false;
    stage_order_runqlat(s, 2);
    assert_true(stage_asked_nothing(s));
    stage_ends(s, 2, COVERAGE_INCAPABLE, "not installed here");
    const struct campaign_id id = stage_id(2);
    assert_true(journal_find(s->journal, &id)->done);
}

static void without_a_runner_an_order_fails(void **state) {
    struct stage *s = *state;
    close(TAKE_FD(s->sock));
    stage_turn(s, 0);
    assert_int_equal(s->gone, 1);
    stage_order_runqlat(s, 1);
    stage_ends(s, 1, COVERAGE_FAILED, "runner");
}

/* A stolen collector knows the campaign's number; with it in an order of its own it must not spoil the result. */
static void a_forged_order_does_not_touch_the_campaign_that_runs(void **state) {
    struct stage *s = *state;
    int fds[2];
    const struct spec spec = stage_spec(1);
    const struct campaign_id id = stage_id(1);
    stage_order(s, &spec, s->ann);
    uint64_t run = stage_asked(s).run;
    stage_order(s, &spec, s->mallory);
    assert_null(spool_first(s->spool));
    assert_false(journal_find(s->journal, &id)->done);
    stage_started(s, run, fds);
    stage_order(s, &spec, s->mallory);
    stage_write(s, fds[0], STAGE_HISTOGRAM);
    stage_ended(s, run, fds);
    stage_ends(s, 1, COVERAGE_OK, "");
    stage_order(s, &spec, s->mallory);
    stage_ends(s, 1, COVERAGE_OK, "");
}

/* What a stolen collector said before must not stand in the way of the real order's result. */
static void a_forged_order_does_not_touch_the_campaign_that_comes(void **state) {
    struct stage *s = *state;
    const struct spec spec = stage_spec(1);
    stage_order(s, &spec, s->mallory);
    stage_ends(s, 1, COVERAGE_REFUSED, "CA");
    stage_order(s, &spec, s->ann);
    uint64_t run = stage_asked(s).run;
    stage_runs(s, run, STAGE_HISTOGRAM);
    stage_ends(s, 1, COVERAGE_OK, "");
}

/* A session that is lost and found brings the order again, perhaps after its expiry. */
static void an_order_that_expires_while_it_runs_is_not_refused(void **state) {
    struct stage *s = *state;
    int fds[2];
    struct spec spec = stage_spec(1);
    spec.expires_wall_ms = spec.issued_wall_ms + 400;
    stage_order(s, &spec, s->ann);
    uint64_t run = stage_asked(s).run;
    stage_started(s, run, fds);
    stage_turn(s, 500);
    stage_order(s, &spec, s->ann);
    assert_null(spool_first(s->spool));
    stage_write(s, fds[0], STAGE_HISTOGRAM);
    stage_ended(s, run, fds);
    stage_ends(s, 1, COVERAGE_OK, "");
    stage_order(s, &spec, s->ann);
    stage_ends(s, 1, COVERAGE_OK, "");
}

static void expired_orders_are_forgotten_by_and_by(void **state) {
    struct stage *s = *state;
    struct spec spec = stage_spec(1);
    spec.expires_wall_ms = spec.issued_wall_ms + 300;
    const struct campaign_id id = stage_id(1);
    stage_order(s, &spec, s->ann);
    uint64_t run = stage_asked(s).run;
    stage_runs(s, run, STAGE_HISTOGRAM);
    stage_turn(s, 400);
    assert_non_null(journal_find(s->journal, &id));
    stage_order_runqlat(s, 2); /* any other order */
    assert_null(journal_find(s->journal, &id));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_order_is_asked_of_the_runner_as_it_was_signed),
        TEST(an_order_that_does_not_fit_is_refused_in_writing),
        TEST(an_order_that_none_of_our_operators_signed_is_refused),
        TEST(an_operator_who_is_not_trusted_any_more_is_refused),
        TEST(bytes_that_are_no_order_lead_to_nothing),
        TEST(an_order_is_obeyed_once),
        TEST(an_order_that_is_not_remembered_is_not_obeyed),
        TEST(a_tool_that_cannot_run_here_is_incapable),
        TEST(without_a_runner_an_order_fails),
        TEST(a_forged_order_does_not_touch_the_campaign_that_runs),
        TEST(a_forged_order_does_not_touch_the_campaign_that_comes),
        TEST(an_order_that_expires_while_it_runs_is_not_refused),
        TEST(expired_orders_are_forgotten_by_and_by),
    };
    return cmocka_run_group_tests(tests, stage_group_setup, stage_group_teardown);
}
