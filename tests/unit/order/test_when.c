/* What a trigger waits for: every form is read as it is meant, and everything else is refused with a reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/auto.h"
#include "common/order/when.h"

static struct when parsed(const char *text) {
    struct when w = {.hosts = 0};
    char why[256] = "";
    if (when_parse(span_str(text), &w, why, sizeof why) != ERR_OK) fail_msg("%s: %s", text, why);
    return w;
}

static void pressure_is_a_part_of_a_window(void **state) {
    (void)state;
    struct when w = parsed("pressure.cpu > 20% in 2s");
    assert_int_equal(w.kind, WHEN_PRESSURE);
    assert_int_equal(w.pressure, WHEN_CPU);
    assert_false(w.full);
    assert_int_equal(w.stall_ms, 400);
    assert_int_equal(w.window_ms, 2000);
    w = parsed("pressure.memory.full > 0.5% in 10s");
    assert_int_equal(w.pressure, WHEN_MEMORY);
    assert_true(w.full);
    assert_int_equal(w.stall_ms, 50);
    assert_true(when_is_hosts(&w));
}

static void readings_have_a_level_or_a_change(void **state) {
    (void)state;
    struct when w = parsed("load1 > 8.5");
    assert_int_equal(w.kind, WHEN_READING);
    assert_int_equal(w.reading, WHEN_LOAD1);
    assert_true(w.above && w.value > 8.4 && w.value < 8.6);
    w = parsed("memory_available < 10%");
    assert_false(w.above);
    w = parsed("memory_available fell > 20%");
    assert_int_equal(w.change, WHEN_FELL);
    w = parsed("context_switches rose > 100000");
    assert_int_equal(w.change, WHEN_ROSE);
    assert_true(when_is_hosts(&w));
}

static void results_are_of_a_tool_and_a_number_of_hosts(void **state) {
    (void)state;
    struct when w = parsed("runqlat.p99 > 1ms on 3 of 5 hosts");
    assert_int_equal(w.kind, WHEN_RESULT);
    assert_int_equal(w.tool, catalog_find(SPAN_LIT("runqlat"))->id);
    assert_int_equal(w.per_thousand, 990);
    assert_true(w.value > 999999 && w.value < 1000001);
    assert_int_equal(w.hosts, 3);
    assert_int_equal(w.of, 5);
    w = parsed("biolatency.p50 > 20ms");
    assert_int_equal(w.hosts, 1);
    w = parsed("runqlat outlier");
    assert_int_equal(w.kind, WHEN_OUTLIER);
    w = parsed("missing > 2m");
    assert_int_equal(w.missing_s, 120);
    w = parsed("call");
    assert_int_equal(w.kind, WHEN_CALL);
    assert_false(when_is_hosts(&w));
    w = parsed("call by instance,zone");
    assert_int_equal(w.n_by, 2);
    assert_true(span_eq_str(w.by[1], "zone"));
}

static void everything_else_is_refused_with_a_reason(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      " ",
                                      "pressure",
                                      "pressure.",
                                      "pressure.disk > 1% in 2s",
                                      "pressure.cpu < 1% in 2s",
                                      "pressure.cpu > 1 in 2s",
                                      "pressure.cpu > 0% in 2s",
                                      "pressure.cpu > 101% in 2s",
                                      "pressure.cpu > 1% in 1s",
                                      "pressure.cpu > 1% in 3s",
                                      "pressure.cpu > 1% in 12s",
                                      "pressure.cpu > 1%",
                                      "pressure.cpu > 1% in 2s and more",
                                      "pressure.cpu.some > 1% in 2s",
                                      "load1",
                                      "load1 8",
                                      "load1 >= 8",
                                      "load1 > -8",
                                      "load1 > much",
                                      "load1 rose < 2",
                                      "disk_busy > 90",
                                      "load1 > 8 > 9",
                                      "nosuch.p99 > 1ms",
                                      "runqlat",
                                      "runqlat.p98 > 1ms",
                                      "runqlat.p99 > 1ms on",
                                      "runqlat.p99 > 1ms on 0 hosts",
                                      "runqlat.p99 > 1ms on 5 of 3 hosts",
                                      "runqlat.p99 > 1ms on 3",
                                      "execsnoop.p99 > 1ms",
                                      "missing < 2m",
                                      "missing > 1s",
                                      "call me",
                                      "call by",
                                      "call by a,",
                                      "call by a-b",
                                      "call by a,b,c,d,e"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct when w;
        char why[256] = "";
        if (when_parse(span_str(bad[i]), &w, why, sizeof why) != ERR_SYNTAX) fail_msg("\"%s\" was read", bad[i]);
        assert_true(strlen(why) > 10);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pressure_is_a_part_of_a_window), cmocka_unit_test(readings_have_a_level_or_a_change),
        cmocka_unit_test(results_are_of_a_tool_and_a_number_of_hosts), cmocka_unit_test(everything_else_is_refused_with_a_reason)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
