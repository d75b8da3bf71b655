#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants these first */
#include <cmocka.h>

#include "common/net/credit.h"

static void what_is_spent_can_be_had_again_once(void **state) {
    struct credit c;
    (void)state;
    credit_init(&c, 100);
    assert_true(credit_left(&c));
    assert_false(credit_again(&c, 1));
    credit_spend(&c, 99);
    assert_true(credit_left(&c));
    credit_spend(&c, 51); /* the last message may overdraw */
    assert_false(credit_left(&c));
    assert_false(credit_again(&c, 151));
    assert_false(credit_again(&c, UINT64_MAX));
    assert_false(credit_left(&c)); /* and nothing has happened */
    assert_true(credit_again(&c, 50));
    assert_false(credit_left(&c));
    assert_true(credit_again(&c, 100));
    assert_int_equal(c.ours, 100);
}

static void what_is_consumed_is_given_back_by_halves_and_never_more_than_came(void **state) {
    struct credit c;
    (void)state;
    credit_init(&c, 100);
    assert_int_equal(credit_consumed(&c, 1000), 0); /* nothing has come */
    credit_come(&c, 80);
    assert_int_equal(credit_consumed(&c, 49), 0);
    assert_int_equal(credit_consumed(&c, 1), 50);
    assert_int_equal(c.theirs, 70);
    assert_int_equal(credit_consumed(&c, UINT64_MAX), 0); /* 30 that are left */
    credit_come(&c, 170);
    assert_int_equal(credit_over(&c), 100);
    assert_int_equal(credit_consumed(&c, UINT64_MAX), 200);
    assert_int_equal(c.theirs, 100);
    assert_int_equal(credit_over(&c), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_spent_can_be_had_again_once),
        cmocka_unit_test(what_is_consumed_is_given_back_by_halves_and_never_more_than_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
