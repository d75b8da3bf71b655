/* How a campaign goes, in one line. */
#include "tests/unit/console/printed.h"

#include "common/wire/query.h"
#include "console/cli/ask.h"
#include "console/cli/progress.h"

static struct campaign_info info_of(uint32_t pending, uint32_t running, uint32_t ok, uint32_t failed) {
    return (struct campaign_info){
        .id = SPAN_LIT("1a2b"),
        .operator_name = SPAN_LIT("ann"),
        .spec = {.version = 1, .fleet = SPAN_LIT("prod"), .tool = SPAN_LIT("runqlat"), .flavour = SPAN_LIT("any"), .duration_s = 5},
        .state = SPAN_LIT("running"),
        .targeted = pending + running + ok + failed,
        .coverage = {[COVERAGE_PENDING] = pending, [COVERAGE_RUNNING] = running, [COVERAGE_OK] = ok, [COVERAGE_TIMEOUT] = failed}};
}

static void say(struct progress *p, const struct campaign_info *i) {
    struct buf bytes;
    buf_init(&bytes, 0);
    assert_int_equal(query_encode_info(i, &bytes), ERR_OK);
    assert_true(progress_message(p, buf_span(&bytes)));
    buf_done(&bytes);
}

static void each_change_is_a_line(void **state) {
    (void)state;
    struct printed out;
    struct progress p;
    progress_begin(&p, printed_open(&out));
    const struct campaign_info steps[] = {info_of(3, 0, 0, 0), info_of(1, 2, 0, 0), info_of(1, 2, 0, 0), info_of(0, 1, 1, 1),
                                          info_of(0, 0, 2, 1)};
    for (size_t i = 0; i < COUNT_OF(steps); i++) say(&p, &steps[i]);
    progress_end(&p);
    printed_is(&out, "0/3 hosts · 0 running · 0 done\n"
                     "2/3 hosts · 2 running · 0 done\n"
                     "3/3 hosts · 1 running · 2 done (1 not ok)\n"
                     "3/3 hosts · 0 running · 3 done (1 not ok)\n");
}

static void on_a_terminal_the_line_is_drawn_over_and_wiped_away(void **state) {
    (void)state;
    struct printed out;
    struct progress p;
    progress_begin(&p, printed_open(&out));
    p.terminal = true;
    const struct campaign_info a = info_of(1, 0, 0, 0), b = info_of(0, 0, 1, 0);
    say(&p, &a);
    say(&p, &b);
    progress_end(&p);
    printed_is(&out, "\r\033[K0/1 hosts · 0 running · 0 done\r\033[K1/1 hosts · 0 running · 1 done\r\033[K");
    progress_begin(&p, printed_open(&out));
    p.terminal = true;
    progress_end(&p);
    printed_is(&out, ""); /* nothing was drawn, nothing is wiped */
}

static void what_is_no_message_is_passed_over(void **state) {
    (void)state;
    struct printed out;
    struct progress p;
    progress_begin(&p, printed_open(&out));
    assert_true(progress_message(&p, SPAN_LIT("\xff\xff\xff")));
    progress_end(&p);
    printed_is(&out, "");
}

static void the_exit_code_says_whether_all_hosts_are_in_it(void **state) {
    (void)state;
    const struct {
        struct campaign_info info;
        int want;
    } rows[] = {
        {info_of(0, 0, 3, 0), EXIT_OK},     {info_of(0, 0, 2, 1), EXIT_PARTIAL}, {info_of(0, 0, 0, 3), EXIT_FAILED},
        {info_of(0, 0, 0, 0), EXIT_FAILED}, {info_of(1, 0, 2, 0), EXIT_PARTIAL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) assert_int_equal(ask_exit_code(&rows[i].info), rows[i].want);
    struct campaign_info partial = {.targeted = 1, .coverage = {[COVERAGE_PARTIAL] = 1}};
    assert_int_equal(ask_exit_code(&partial), EXIT_PARTIAL);
    struct campaign_info stopped = {.targeted = 3, .coverage = {[COVERAGE_CANCELLED] = 3}, .with_result = 2};
    assert_int_equal(ask_exit_code(&stopped), EXIT_PARTIAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_change_is_a_line),
        cmocka_unit_test(on_a_terminal_the_line_is_drawn_over_and_wiped_away),
        cmocka_unit_test(what_is_no_message_is_passed_over),
        cmocka_unit_test(the_exit_code_says_whether_all_hosts_are_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
