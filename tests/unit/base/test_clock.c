#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"

static void time_passes_and_never_goes_back(void **state) {
    (void)state;
    uint64_t first = clock_mono_ns(), last = first;
    while (last - first < NS_PER_MS) {
        uint64_t now = clock_mono_ns();
        assert_true(now >= last);
        last = now;
    }
}

static void wall_time_is_of_this_century_and_reads_as_utc(void **state) {
    (void)state;
    char text[32];
    assert_true(clock_wall_ns() > 1600000000 * NS_PER_S);
    assert_string_equal(clock_wall_text(1795393227 * NS_PER_S + 999999999, text), "2026-11-23T00:20:27Z");
    assert_string_equal(clock_wall_text(0, text), "1970-01-01T00:00:00Z");
    assert_string_equal(clock_wall_text(UINT64_MAX, text), "2554-07-21T23:34:33Z");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_passes_and_never_goes_back),
        cmocka_unit_test(wall_time_is_of_this_century_and_reads_as_utc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
