#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants these first */
#include <cmocka.h>

#include "common/base/clock.h"
#include "common/net/pace.h"

enum { HEARTBEAT_MS = 15000, LOW_MS = 1000, HIGH_MS = 60000 };

static void heartbeats_go_out_at_a_beat(void **state) {
    (void)state;
    const uint64_t mono = 77 * NS_PER_S, wall = 1000 * NS_PER_S + 300 * NS_PER_MS;
    /* 14.9 s from now the wall clock will say 1015.2 s: the next beat is 0.8 s after that */
    uint64_t due = mono + 14900 * NS_PER_MS;
    assert_int_equal(pace_beat_ns(due, mono, wall, HEARTBEAT_MS), due + 800 * NS_PER_MS);
    due = mono + 14700 * NS_PER_MS; /* that is a beat */
    assert_int_equal(pace_beat_ns(due, mono, wall, HEARTBEAT_MS), due);
    for (uint64_t ms = 1; ms <= 20000; ms += 37) {
        due = mono + ms * NS_PER_MS;
        uint64_t at = pace_beat_ns(due, mono, wall, HEARTBEAT_MS);
        assert_true(at >= due && at < due + NS_PER_S);
        assert_int_equal((wall + (at - mono)) % NS_PER_S, 0);
    }
}

static void a_heartbeat_that_is_late_goes_out_at_once(void **state) {
    (void)state;
    assert_int_equal(pace_beat_ns(5, 5, 12345, HEARTBEAT_MS), 5);
    assert_int_equal(pace_beat_ns(4, 5, 12345, HEARTBEAT_MS), 4);
    assert_int_equal(pace_beat_ns(9, 5, 12345, 0), 9);
}

static void pauses_double_within_their_limits(void **state) {
    (void)state;
    const uint64_t long_ago = 3600 * NS_PER_S;
    for (unsigned failures = 0; failures < 6; failures++)
        assert_int_equal(pace_pause_ns(LOW_MS, HIGH_MS, failures, long_ago), (1ULL << failures) * NS_PER_S);
    assert_int_equal(pace_pause_ns(LOW_MS, HIGH_MS, 6, long_ago), 60 * NS_PER_S);
    assert_int_equal(pace_pause_ns(LOW_MS, HIGH_MS, 1000000, long_ago), 60 * NS_PER_S);
}

static void pauses_are_no_longer_than_the_loss(void **state) {
    (void)state;
    assert_int_equal(pace_pause_ns(LOW_MS, HIGH_MS, 5, 3 * NS_PER_S), 8 * NS_PER_S);
    assert_int_equal(pace_pause_ns(LOW_MS, HIGH_MS, 5, 21 * NS_PER_S), 21 * NS_PER_S);
    assert_int_equal(pace_pause_ns(LOW_MS, HIGH_MS, 2, 0), 4 * NS_PER_S);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heartbeats_go_out_at_a_beat),
        cmocka_unit_test(a_heartbeat_that_is_late_goes_out_at_once),
        cmocka_unit_test(pauses_double_within_their_limits),
        cmocka_unit_test(pauses_are_no_longer_than_the_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
