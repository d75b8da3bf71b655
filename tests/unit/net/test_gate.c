#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first */
#include <cmocka.h>

#include "common/base/clock.h"
#include "common/net/gate.h"
#include "common/wire/limits.h"

enum { MANY = GATE_AT_ONCE + 8, NOW_S = 1000 };
static const uint64_t now_ns = NOW_S * NS_PER_S, patience_ns = LINK_PATIENCE_MS * NS_PER_MS;

static nng_sockaddr from(uint8_t host) {
    nng_sockaddr a = {.s_in = {.sa_family = NNG_AF_INET}};
    memcpy(&a.s_in.sa_addr, (const uint8_t[]){192, 0, 2, host}, 4);
    return a;
}

static void enter(struct gate *g, uint8_t host, struct gate_place *p) {
    nng_sockaddr a = from(host);
    assert_int_equal(gate_enter(g, &a, now_ns, p), ERR_OK);
}

static void so_many_begin_at_once_and_the_next_when_one_has_left(void **state) {
    (void)state;
    static struct gate_place p[MANY];
    struct gate g = {0};
    for (unsigned i = 0; i < MANY; i++) enter(&g, 1, &p[i]);
    for (unsigned i = 0; i < GATE_AT_ONCE; i++) assert_ptr_equal(gate_next(&g, now_ns, patience_ns), &p[i]);
    assert_null(gate_next(&g, now_ns, patience_ns));
    gate_leave(&g, &p[5]);
    assert_ptr_equal(gate_next(&g, now_ns, patience_ns), &p[GATE_AT_ONCE]);
    assert_null(gate_next(&g, now_ns, patience_ns));
    for (unsigned i = 0; i < MANY; i++) gate_leave(&g, &p[i]);
    assert_int_equal(g.waiting, 0);
    assert_int_equal(g.young, 0);
    assert_null(g.sources);
    assert_null(g.turns);
}

static void who_is_at_it_for_long_does_not_keep_others_from_beginning(void **state) {
    (void)state;
    static struct gate_place p[MANY];
    struct gate g = {0};
    for (unsigned i = 0; i < MANY; i++) enter(&g, 1, &p[i]);
    for (unsigned i = 0; i < GATE_AT_ONCE; i++) assert_non_null(gate_next(&g, now_ns + i, patience_ns));
    assert_true(gate_again_ns(&g) == now_ns + GATE_YOUNG_MS * NS_PER_MS);
    assert_null(gate_next(&g, gate_again_ns(&g) - 1, patience_ns));
    uint64_t later_ns = gate_again_ns(&g);
    assert_ptr_equal(gate_next(&g, later_ns, patience_ns), &p[GATE_AT_ONCE]);
    assert_null(gate_next(&g, later_ns, patience_ns)); /* only the first of them is old */
    for (unsigned i = MANY; i-- > 0;) gate_leave(&g, &p[i]);
    assert_int_equal(g.waiting, 0);
    assert_int_equal(gate_again_ns(&g), 0);
}

static void addresses_take_turns(void **state) {
    (void)state;
    struct gate_place a[4], b[2];
    struct gate g = {0};
    for (unsigned i = 0; i < 4; i++) enter(&g, 1, &a[i]);
    for (unsigned i = 0; i < 2; i++) enter(&g, 2, &b[i]);
    struct gate_place *const want[] = {&a[0], &b[0], &a[1], &b[1], &a[2], &a[3]};
    for (unsigned i = 0; i < COUNT_OF(want); i++) assert_ptr_equal(gate_next(&g, now_ns, patience_ns), want[i]);
    assert_null(gate_next(&g, now_ns, patience_ns));
    assert_int_equal(gate_again_ns(&g), 0); /* nobody waits for a turn */
    for (unsigned i = 0; i < 4; i++) gate_leave(&g, &a[i]);
    for (unsigned i = 0; i < 2; i++) gate_leave(&g, &b[i]);
}

static void who_leaves_before_its_turn_is_passed_over(void **state) {
    (void)state;
    struct gate_place a[2], b, outside = {0};
    struct gate g = {0};
    enter(&g, 1, &a[0]);
    enter(&g, 1, &a[1]);
    enter(&g, 2, &b);
    gate_leave(&g, &a[0]);
    gate_leave(&g, &b);
    gate_leave(&g, &outside);
    assert_ptr_equal(gate_next(&g, now_ns, patience_ns), &a[1]);
    assert_null(gate_next(&g, now_ns, patience_ns));
    gate_leave(&g, &a[1]);
    assert_null(g.sources);
}

static void a_place_is_given_up_by_who_has_begun_before_who_waits(void **state) {
    (void)state;
    struct gate_place a[3], *goes;
    struct gate g = {0};
    nng_sockaddr other = from(2);
    for (unsigned i = 0; i < 3; i++) enter(&g, 1, &a[i]);
    assert_true(gate_admits(&g, &other, 3, 3, &goes));
    assert_ptr_equal(goes, &a[0]); /* none has begun: the first that came */
    gate_leave(&g, &a[0]);
    enter(&g, 1, &a[0]); /* now the last */
    assert_ptr_equal(gate_next(&g, now_ns, patience_ns), &a[1]);
    assert_true(gate_admits(&g, &other, 3, 3, &goes));
    assert_ptr_equal(goes, &a[1]);
    for (unsigned i = 0; i < 3; i++) gate_leave(&g, &a[i]);
}

static void who_came_last_is_served_when_the_first_have_waited_for_long(void **state) {
    (void)state;
    struct gate_place p[4];
    struct gate g = {0};
    for (unsigned i = 0; i < 4; i++) enter(&g, 1, &p[i]);
    assert_ptr_equal(gate_next(&g, now_ns, patience_ns), &p[0]);
    assert_ptr_equal(gate_next(&g, now_ns + GATE_STALE_MS * NS_PER_MS, patience_ns), &p[3]);
    assert_ptr_equal(gate_next(&g, now_ns + patience_ns, patience_ns), &p[1]); /* it will be sent away */
    assert_ptr_equal(gate_next(&g, now_ns + patience_ns - 1, patience_ns), &p[2]);
    for (unsigned i = 0; i < 4; i++) gate_leave(&g, &p[i]);
    assert_int_equal(g.waiting, 0);
    assert_null(g.sources);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_begin_at_once_and_the_next_when_one_has_left),
        cmocka_unit_test(who_is_at_it_for_long_does_not_keep_others_from_beginning),
        cmocka_unit_test(addresses_take_turns),
        cmocka_unit_test(who_leaves_before_its_turn_is_passed_over),
        cmocka_unit_test(who_came_last_is_served_when_the_first_have_waited_for_long),
        cmocka_unit_test(a_place_is_given_up_by_who_has_begun_before_who_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
