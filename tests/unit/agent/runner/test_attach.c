/* When do probes count as being in place? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/runner/attach.h"
#include "common/base/auto.h"
#include "common/base/clock.h"

static uint64_t ms(uint64_t n) { return n * NS_PER_MS; }

static void as_many_probes_as_a_while_ago_are_all_of_them(void **state) {
    (void)state;
    struct attach a = {.began_ns = ms(1000)};
    assert_false(attach_settled(&a, 0, ms(1000)));
    assert_false(attach_settled(&a, 0, ms(5000))); /* none for long is none */
    assert_false(attach_settled(&a, 2, ms(1500)));
    assert_false(attach_settled(&a, 2, ms(1650)));
    assert_false(attach_settled(&a, 3, ms(1690))); /* one more: from here on */
    assert_false(attach_settled(&a, 3, ms(1889)));
    assert_true(attach_settled(&a, 3, ms(1890)));
}

/* Under emulation bcc put its second probe in place more than 200 ms after its first, and what happened between was lost. */
static void on_a_slow_host_a_while_is_a_tenth_of_the_tools_life(void **state) {
    (void)state;
    struct attach a = {.began_ns = 0};
    assert_false(attach_settled(&a, 1, ms(90000)));
    assert_false(attach_settled(&a, 1, ms(90000 + 9999)));
    assert_true(attach_settled(&a, 1, ms(90000 + 10000)));
}

static void how_much_longer_it_took_is_bounded(void **state) {
    (void)state;
    assert_int_equal(attach_stretch(ms(10), 1000, 4), 1);
    assert_int_equal(attach_stretch(ms(2999), 1000, 4), 2);
    assert_int_equal(attach_stretch(ms(90000), 1000, 4), 4);
    assert_int_equal(attach_stretch(ms(15999), 8000, 2), 1);
    assert_int_equal(attach_stretch(ms(16000), 8000, 2), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_probes_as_a_while_ago_are_all_of_them),
        cmocka_unit_test(on_a_slow_host_a_while_is_a_tenth_of_the_tools_life),
        cmocka_unit_test(how_much_longer_it_took_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
