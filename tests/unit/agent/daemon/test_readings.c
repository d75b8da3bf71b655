/* What triggers look at, from a made-up /proc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/daemon/readings.h"
#include "common/base/clock.h"
#include "tests/support/folder.h"

static void put(const struct folder *f, const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void rates_are_between_two_looks_and_levels_of_the_last(void **state) {
    (void)state;
    struct folder f;
    struct readings before, now;
    double v = 0;
    folder_make(&f);
    put(&f, "loadavg", "2.50 1.00 0.50 3/400 1234\n");
    put(&f, "stat", "cpu  1 2 3\nintr 1000 1 2\nctxt 5000\nprocs_running 7\n");
    put(&f, "diskstats", " 253 0 vda 100 0 0 0 200 0 0 0 0 4000 0\n");
    put(&f, "meminfo", "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 250 kB\n");
    readings_take(f.path, 10 * NS_PER_S, &before);
    assert_true(readings_level(&before, &before, WHEN_LOAD1, &v));
    assert_true(v > 2.49 && v < 2.51);
    assert_false(readings_level(&before, &before, WHEN_CONTEXT_SWITCHES, &v)); /* no time has passed */
    put(&f, "stat", "intr 3000\nctxt 15000\nprocs_running 9\n");
    put(&f, "diskstats", " 253 0 vda 150 0 0 0 250 0 0 0 0 9000 0\n");
    readings_take(f.path, 20 * NS_PER_S, &now);
    assert_true(readings_level(&before, &now, WHEN_CONTEXT_SWITCHES, &v));
    assert_int_equal((int)v, 1000);
    assert_true(readings_level(&before, &now, WHEN_INTERRUPTS, &v));
    assert_int_equal((int)v, 200);
    assert_true(readings_level(&before, &now, WHEN_RUN_QUEUE, &v));
    assert_int_equal((int)v, 9);
    assert_true(readings_level(&before, &now, WHEN_DISK_IOS, &v));
    assert_int_equal((int)v, 10);
    assert_true(readings_level(&before, &now, WHEN_DISK_BUSY, &v));
    assert_int_equal((int)v, 50);
    assert_true(readings_level(&before, &now, WHEN_MEMORY_AVAILABLE, &v));
    assert_int_equal((int)v, 25);
    folder_remove(&f);
}

static void what_is_not_there_is_not_known(void **state) {
    (void)state;
    struct readings r;
    double v = 0;
    readings_take("/nowhere", NS_PER_S, &r);
    for (unsigned i = 0; i < WHEN_READING__COUNT; i++) assert_false(readings_level(&r, &r, (enum when_reading)i, &v));
}

static void a_change_needs_a_look_before(void **state) {
    (void)state;
    const struct when rose = {.change = WHEN_ROSE, .above = true, .value = 4}, fell = {.change = WHEN_FELL, .above = true, .value = 4},
                      below = {.value = 10};
    assert_false(readings_meet(&rose, false, 0, 100));
    assert_true(readings_meet(&rose, true, 1, 6));
    assert_false(readings_meet(&rose, true, 6, 1));
    assert_true(readings_meet(&fell, true, 6, 1));
    assert_true(readings_meet(&below, false, 0, 9));
    assert_false(readings_meet(&below, false, 0, 10));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(rates_are_between_two_looks_and_levels_of_the_last),
                                       cmocka_unit_test(what_is_not_there_is_not_known), cmocka_unit_test(a_change_needs_a_look_before)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
