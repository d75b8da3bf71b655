/* Pressure alarms: what agentd may ask for, and a real one of this kernel where it has PSI. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/runner/alarm.h"

static struct loop *loop;
static struct alarm a;

static void on_ring(struct alarm *of, uint64_t number) {
    assert_ptr_equal(of, &a);
    (void)number; /* a busy machine may ring at any time */
}

static int set_up(void **state) {
    (void)state;
    loop = loop_new();
    alarm_init(&a, loop, "/proc/pressure");
    a.rang = on_ring;
    return loop ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    alarm_done(&a);
    loop_free(loop);
    return 0;
}

static const struct alarm_request sound = {.resource = 0, .full = 0, .stall_ms = 2000, .window_ms = 2000};

static void assert_refused(const struct alarm_request *r, enum err expected, const char *words) {
    char why[128];
    assert_int_equal(alarm_set(&a, 7, r, why, sizeof why), expected);
    assert_string_equal(why, words);
}

static void only_whole_pairs_of_seconds_and_a_wait_within_them(void **state) {
    (void)state;
    static const struct alarm_request bad[] = {
        {.resource = 3, .stall_ms = 1000, .window_ms = 2000},
        {.full = 2, .stall_ms = 1000, .window_ms = 2000},
        {.stall_ms = 1000, .window_ms = 1000},
        {.stall_ms = 1000, .window_ms = 0},
        {.stall_ms = 1000, .window_ms = 12000},
        {.stall_ms = 0, .window_ms = 2000},
        {.stall_ms = 2001, .window_ms = 2000},
        {.resource = UINT32_MAX, .stall_ms = 1, .window_ms = 2000},
        {.stall_ms = UINT32_MAX, .window_ms = UINT32_MAX - 1295},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) assert_refused(&bad[i], ERR_SYNTAX, "that is no pressure to wait for");
}

static void a_kernel_without_pressure_says_where_it_was_looked_for(void **state) {
    (void)state;
    a.folder = "/nowhere/pressure";
    assert_refused(&sound, ERR_SYS, "/nowhere/pressure/cpu: No such file or directory");
}

static void real_ones_are_set_once_and_up_to_a_number(void **state) {
    (void)state;
    char why[128];
    if (access("/proc/pressure/memory", W_OK) != 0) {
        print_message("skipped: this kernel has no /proc/pressure to write to\n");
        return;
    }
    struct alarm_request r = sound;
    for (uint64_t n = 1; n <= ALARM_MAX; n++) {
        r.resource = 2; /* memory: what nobody here waits for */
        if (alarm_set(&a, n, &r, why, sizeof why)) fail_msg("%s", why);
    }
    assert_int_equal(alarm_set(&a, 1, &r, why, sizeof why), ERR_EXISTS);
    assert_string_equal(why, "an alarm of this number is set");
    assert_int_equal(alarm_set(&a, ALARM_MAX + 1, &r, why, sizeof why), ERR_LIMIT);
    assert_string_equal(why, "as many alarms are set as there may be");
    alarm_clear(&a, 9);
    alarm_clear(&a, 9);
    alarm_clear(&a, 0);
    r.full = 1;
    if (alarm_set(&a, ALARM_MAX + 1, &r, why, sizeof why)) fail_msg("%s", why);
    assert_int_equal(loop_turn(loop, 0), ERR_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_whole_pairs_of_seconds_and_a_wait_within_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_kernel_without_pressure_says_where_it_was_looked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(real_ones_are_set_once_and_up_to_a_number, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
