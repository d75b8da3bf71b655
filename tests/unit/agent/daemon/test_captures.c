/* Captures that run: what the runner reports and the tool prints, to the parts that wait in the spool. */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#include "common/sys/fds.h"
#include "tests/unit/agent/daemon/stage.h"

static uint64_t start(struct stage *s, unsigned char campaign, int fds[2]) {
    stage_order_runqlat(s, campaign);
    struct request r = stage_asked(s);
    assert_int_equal(r.kind, REQUEST_RUN);
    stage_started(s, r.run, fds);
    return r.run;
}

static void what_a_tool_prints_ends_in_parts(void **state) {
    struct stage *s = *state;
    int fds[2];
    struct told t;
    uint64_t run = start(s, 1, fds);
    stage_report_kind(s, REPORT_ATTACHED, run);
    stage_write(s, fds[0], STAGE_HISTOGRAM);
    close(TAKE_FD(fds[0]));
    close(TAKE_FD(fds[1]));
    stage_turn(s, 0);
    assert_false(stage_told(s, 1, &t)); /* read to the end, but it has not ended */
    const struct report ended = {
        .magic = REQUEST_MAGIC, .kind = REPORT_ENDED, .run = run, .wall_ns = 5000, .cpu_ns = 70, .peak_rss_bytes = 900, .replayed = 1};
    stage_report(s, &ended, NULL, 0);
    assert_true(stage_told(s, 1, &t));
    assert_int_equal(t.outcome.coverage, COVERAGE_OK);
    assert_int_equal(t.outcome.kind, RESULT_HISTOGRAM);
    assert_int_equal(t.hist_total, 130);
    assert_int_equal(t.parts, 1);
    assert_int_equal(t.outcome.wall_ns, 5000);
    assert_int_equal(t.outcome.cpu_ns, 70);
    assert_int_equal(t.outcome.peak_rss_bytes, 900);
    assert_true(t.outcome.started_wall_ns > 0);
    assert_true(t.outcome.replayed);
    const struct campaign_id id = stage_id(1);
    assert_true(journal_find(s->journal, &id)->done);
}

static void the_end_may_be_reported_before_all_is_read(void **state) {
    struct stage *s = *state;
    int fds[2];
    struct told t;
    uint64_t run = start(s, 1, fds);
    stage_report_kind(s, REPORT_ENDED, run);
    stage_report_kind(s, REPORT_ENDED, run); /* said twice */
    stage_report_kind(s, REPORT_ATTACHED, run);
    assert_false(stage_told(s, 1, &t));
    stage_write(s, fds[0], STAGE_HISTOGRAM);
    close(fds[0]);
    close(fds[1]);
    stage_turn(s, 0);
    assert_true(stage_told(s, 1, &t));
    assert_int_equal(t.hist_total, 130);
    stage_ends(s, 1, COVERAGE_OK, "");
}

/* Somebody holds the tool's stdout although the runner says that all is over: that is not waited for, and not called whole. */
static void output_that_never_ends_is_cut_and_said(void **state) {
    struct stage *s = *state;
    int fds[2];
    struct told t;
    uint64_t run = start(s, 1, fds);
    stage_write(s, fds[0], STAGE_HISTOGRAM);
    stage_report_kind(s, REPORT_ENDED, run);
    stage_turn(s, 2300);
    assert_true(stage_told(s, 1, &t));
    assert_int_equal(t.hist_total, 130);
    stage_ends(s, 1, COVERAGE_PARTIAL, "not read to its end");
    close(fds[0]);
    close(fds[1]);
}

static void two_runs_at_once_do_not_mix(void **state) {
    struct stage *s = *state;
    int a[2], b[2];
    uint64_t first = start(s, 1, a), second = start(s, 2, b);
    assert_int_not_equal(first, second);
    stage_write(s, a[0], STAGE_HISTOGRAM);
    stage_ended(s, second, b);
    stage_ended(s, first, a);
    struct told t;
    assert_true(stage_told(s, 1, &t));
    assert_int_equal(t.hist_total, 130);
    assert_true(stage_told(s, 2, &t));
    assert_int_equal(t.hist_total, 0);
}

static void a_tool_that_fails_says_so_in_its_own_words(void **state) {
    struct stage *s = *state;
    int fds[2];
    uint64_t run = start(s, 1, fds);
    stage_write(s, fds[1], SPAN_LIT("no such device\n"));
    close(fds[0]);
    close(fds[1]);
    const struct report ended = {.magic = REQUEST_MAGIC, .kind = REPORT_ENDED, .run = run, .exit_code = 3};
    stage_report(s, &ended, NULL, 0);
    stage_turn(s, 0);
    stage_ends(s, 1, COVERAGE_FAILED, "no such device");
}

/* ---- refusals ---- */

static void the_runners_refusal_is_the_answer(void **state) {
    static const struct {
        uint32_t coverage, refusal;
        enum coverage want;
    } rows[] = {
        {COVERAGE_REFUSED, ERR_REFUSED, COVERAGE_REFUSED},    {COVERAGE_INCAPABLE, ERR_NOTFOUND, COVERAGE_INCAPABLE},
        {COVERAGE_FAILED, ERR_SYS, COVERAGE_FAILED},          {COVERAGE_OK, ERR_REFUSED, COVERAGE_REFUSED}, /* ok is no refusal */
        {COVERAGE_RUNNING, ERR_NOTFOUND, COVERAGE_INCAPABLE}, {77, ERR_NOMEM, COVERAGE_FAILED},
    };
    struct stage *s = *state;
    for (unsigned char i = 0; i < COUNT_OF(rows); i++) {
        struct report r = {.magic = REQUEST_MAGIC, .kind = REPORT_REFUSED, .coverage = rows[i].coverage, .refusal = rows[i].refusal};
        snprintf(r.why, sizeof r.why, "1 tools run already, this host allows 1 at the same time");
        stage_order_runqlat(s, i);
        r.run = stage_asked(s).run;
        stage_report(s, &r, NULL, 0);
        stage_ends(s, i, rows[i].want, "run already");
        const struct campaign_id id = stage_id(i);
        assert_true(journal_find(s->journal, &id)->done);
    }
}

static void a_run_whose_output_does_not_come_fails_and_is_stopped(void **state) {
    struct stage *s = *state;
    int pair[2];
    stage_order_runqlat(s, 1);
    uint64_t run = stage_asked(s).run;
    assert_int_equal(pipe(pair), 0);
    const struct report r = {.magic = REQUEST_MAGIC, .kind = REPORT_STARTED, .run = run};
    stage_report(s, &r, pair, 1); /* stdout alone */
    assert_int_equal(stage_asked(s).kind, REQUEST_STOP);
    stage_report_kind(s, REPORT_ENDED, run);
    stage_ends(s, 1, COVERAGE_FAILED, "cannot read what the tool prints");
    close(pair[0]);
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(write(pair[1], "x", 1), -1); /* nobody holds the other end any more */
    close(pair[1]);
}

/* ---- stopping ---- */

static void output_over_the_cap_stops_the_tool_and_is_counted(void **state) {
    enum { OVER_BYTES = 100000 };
    struct stage *s = *state;
    int fds[2];
    struct told t;
    s->policy.stdout_bytes = STAGE_HISTOGRAM.n;
    uint64_t run = start(s, 1, fds);
    stage_write(s, fds[0], STAGE_HISTOGRAM);
    stage_turn(s, 0);
    assert_true(stage_asked_nothing(s));
    for (size_t i = 0; i < OVER_BYTES / STAGE_HISTOGRAM.n; i++) stage_write(s, fds[0], STAGE_HISTOGRAM);
    stage_turn(s, 0);
    struct request r = stage_asked(s);
    assert_int_equal(r.kind, REQUEST_STOP);
    assert_int_equal(r.run, run);
    stage_write(s, fds[0], STAGE_HISTOGRAM);
    stage_turn(s, 0);
    assert_true(stage_asked_nothing(s)); /* told once */
    stage_ended(s, run, fds);
    assert_true(stage_told(s, 1, &t));
    assert_int_equal(t.outcome.ledger.cap, (OVER_BYTES / STAGE_HISTOGRAM.n + 1) * STAGE_HISTOGRAM.n);
    assert_int_equal(t.hist_total, 130);
    stage_ends(s, 1, COVERAGE_PARTIAL, "cut");
}

static void a_campaign_that_is_stopped_keeps_what_it_has(void **state) {
    struct stage *s = *state;
    int fds[2];
    struct told t;
    const struct campaign_id id = stage_id(1), other = stage_id(9);
    uint64_t run = start(s, 1, fds);
    captures_stop(s->captures, &other, SPAN_LIT("not here"));
    assert_true(stage_asked_nothing(s));
    captures_stop(s->captures, &id, SPAN_LIT("stopped by ann"));
    struct request r = stage_asked(s);
    assert_int_equal(r.kind, REQUEST_STOP);
    assert_int_equal(r.run, run);
    captures_stop(s->captures, &id, SPAN_LIT("again"));
    assert_true(stage_asked_nothing(s));
    stage_write(s, fds[0], STAGE_HISTOGRAM);
    stage_ended(s, run, fds);
    assert_true(stage_told(s, 1, &t));
    assert_int_equal(t.hist_total, 130);
    stage_ends(s, 1, COVERAGE_CANCELLED, "stopped by ann");
    captures_stop(s->captures, &id, SPAN_LIT("too late"));
    assert_true(stage_asked_nothing(s));
}

static void a_campaign_can_be_stopped_before_its_tool_starts(void **state) {
    struct stage *s = *state;
    int fds[2];
    const struct campaign_id id = stage_id(1);
    stage_order_runqlat(s, 1);
    uint64_t run = stage_asked(s).run;
    captures_stop(s->captures, &id, SPAN_NONE);
    struct request r = stage_asked(s); /* the runner reads it behind the run */
    assert_int_equal(r.kind, REQUEST_STOP);
    assert_int_equal(r.run, run);
    stage_started(s, run, fds);
    stage_ended(s, run, fds);
    stage_ends(s, 1, COVERAGE_CANCELLED, "stopped");
}

/* ---- crashes ---- */

static void an_order_that_a_crash_cut_short_has_failed(void **state) {
    struct stage *s = *state;
    const struct campaign_id id = stage_id(1);
    struct part_key half = {.campaign = id, .tool = SPAN_LIT("runqlat"), .part = 0};
    stage_order_runqlat(s, 1);
    assert_int_equal(stage_asked(s).kind, REQUEST_RUN);
    assert_int_equal(spool_put(s->spool, &half, SPAN_LIT("the crash came while parts were put")), ERR_OK);
    stage_restart(s);
    captures_recover(s->captures);
    stage_ends(s, 1, COVERAGE_FAILED, "restarted");
    assert_true(journal_find(s->journal, &id)->done);
    stage_restart(s);
    stage_acknowledge(s);
    captures_recover(s->captures); /* once is enough */
    assert_null(spool_first(s->spool));
}

/* The power fails between the last part and the journal's note. */
static void a_capture_that_was_spooled_whole_is_not_thrown_away(void **state) {
    struct stage *s = *state;
    const struct campaign_id id = stage_id(1);
    struct told t;
    stage_order_runqlat(s, 1);
    stage_runs(s, stage_asked(s).run, STAGE_HISTOGRAM);
    stage_unnote(s, 1);
    stage_restart(s);
    assert_false(journal_find(s->journal, &id)->done);
    captures_recover(s->captures);
    assert_true(stage_told(s, 1, &t));
    assert_int_equal(t.outcome.coverage, COVERAGE_OK);
    assert_int_equal(t.hist_total, 130);
    assert_true(journal_find(s->journal, &id)->done);
}

static void a_spooled_part_that_was_damaged_ends_its_host_with_that_reason(void **state) {
    struct stage *s = *state;
    stage_order_runqlat(s, 1);
    stage_runs(s, stage_asked(s).run, STAGE_HISTOGRAM);
    stage_damage(s);
    assert_int_equal(captures_damaged(s->captures, spool_first(s->spool)), ERR_OK);
    stage_ends(s, 1, COVERAGE_FAILED, "damaged on this host's disk");
}

static void captures_under_way_are_let_go_of_without_a_leak(void **state) {
    struct stage *s = *state;
    int fds[2];
    IGNORED(start(s, 1, fds) == 0);
    stage_write(s, fds[0], STAGE_HISTOGRAM);
    stage_turn(s, 0);
    stage_order_runqlat(s, 2);
    close(fds[0]);
    close(fds[1]);
}

/* ---- a full spool ---- */

static void execsnoop_rows(struct buf *out, size_t n) {
    buf_add_str(out, "TIME     PCOMM            PID    PPID   RET ARGS\n");
    for (size_t i = 0; i < n; i++) buf_add_fmt(out, "11:07:42 %-16s %-6zu %-6d %3d /bin/true --number %zu \n", "true", 1000 + i, 1, 0, i);
}

static void run_execsnoop(struct stage *s, unsigned char campaign, struct span text) {
    struct spec spec = stage_spec(campaign);
    spec.tool = SPAN_LIT("execsnoop");
    stage_order(s, &spec, s->ann);
    stage_runs(s, stage_asked(s).run, text);
}

static void a_result_that_the_spool_cannot_take_is_lost_and_said(void **state) {
    enum { ROWS = 12000 };
    struct stage *s = *state;
    struct told whole, t;
    struct buf text;
    buf_init(&text, 0);
    execsnoop_rows(&text, ROWS);
    run_execsnoop(s, 1, buf_span(&text));
    assert_true(stage_told(s, 1, &whole));
    assert_int_equal(whole.rows, ROWS);
    assert_true(whole.parts > 2);
    uint64_t bytes = spool_bytes(s->spool);

    stage_spool_cap(s, bytes + bytes / 2); /* room for half of another one */
    run_execsnoop(s, 2, buf_span(&text));
    assert_true(stage_told(s, 2, &t));
    assert_int_equal(t.parts, 1);
    assert_int_equal(t.rows, 0);
    assert_in_range(t.outcome.ledger.spool, bytes * 9 / 10, bytes); /* all of it, not what came before the first failure */
    stage_ends(s, 2, COVERAGE_FAILED, "spool");
    const struct campaign_id id = stage_id(2);
    assert_true(journal_find(s->journal, &id)->done);

    stage_spool_cap(s, bytes + 10); /* room for nothing: the outcome is told all the same */
    run_execsnoop(s, 3, buf_span(&text));
    stage_ends(s, 3, COVERAGE_FAILED, "spool");
    stage_ends(s, 1, COVERAGE_OK, ""); /* and what was there is still there */
    buf_done(&text);
}

/* ---- what a runner should not say ---- */

static void reports_that_nobody_waits_for_are_ignored(void **state) {
    struct stage *s = *state;
    static const uint32_t kinds[] = {REPORT_STARTED, REPORT_ATTACHED, REPORT_REFUSED, REPORT_ENDED, 0, 99, UINT32_MAX};
    int fds[2], pair[2];
    assert_int_equal(pipe(pair), 0);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) { /* of no run at all, with descriptors */
        const struct report r = {.magic = REQUEST_MAGIC, .kind = kinds[i], .run = 4711};
        stage_report(s, &r, pair, 2);
    }
    stage_order_runqlat(s, 1);
    uint64_t run = stage_asked(s).run;
    static const uint32_t early[] = {REPORT_ATTACHED, REPORT_ENDED, 0, 99};
    for (size_t i = 0; i < COUNT_OF(early); i++) {
        const struct report r = {.magic = REQUEST_MAGIC, .kind = early[i], .run = run};
        stage_report(s, &r, pair, 2);
    }
    stage_started(s, run, fds);
    static const uint32_t late[] = {REPORT_STARTED, REPORT_REFUSED, 0, 99};
    for (size_t i = 0; i < COUNT_OF(late); i++) {
        const struct report r = {.magic = REQUEST_MAGIC, .kind = late[i], .run = run};
        stage_report(s, &r, pair, 2);
    }
    const struct report attached = {.magic = REQUEST_MAGIC, .kind = REPORT_ATTACHED, .run = run};
    stage_report(s, &attached, pair, 2); /* expected, but not with descriptors */
    close(pair[0]);
    close(pair[1]);
    stage_write(s, fds[0], STAGE_HISTOGRAM);
    stage_ended(s, run, fds);
    stage_ends(s, 1, COVERAGE_OK, "");
    assert_int_equal(s->gone, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_a_tool_prints_ends_in_parts),
        TEST(the_end_may_be_reported_before_all_is_read),
        TEST(output_that_never_ends_is_cut_and_said),
        TEST(two_runs_at_once_do_not_mix),
        TEST(a_tool_that_fails_says_so_in_its_own_words),
        TEST(the_runners_refusal_is_the_answer),
        TEST(a_run_whose_output_does_not_come_fails_and_is_stopped),
        TEST(output_over_the_cap_stops_the_tool_and_is_counted),
        TEST(a_campaign_that_is_stopped_keeps_what_it_has),
        TEST(a_campaign_can_be_stopped_before_its_tool_starts),
        TEST(an_order_that_a_crash_cut_short_has_failed),
        TEST(a_capture_that_was_spooled_whole_is_not_thrown_away),
        TEST(a_spooled_part_that_was_damaged_ends_its_host_with_that_reason),
        TEST(captures_under_way_are_let_go_of_without_a_leak),
        TEST(a_result_that_the_spool_cannot_take_is_lost_and_said),
        TEST(reports_that_nobody_waits_for_are_ignored),
    };
    return cmocka_run_group_tests(tests, stage_group_setup, stage_group_teardown);
}
