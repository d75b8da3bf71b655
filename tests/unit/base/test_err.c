#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/num.h"

static void every_error_has_a_name_and_a_text(void **state) {
    (void)state;
    for (int e = 0; e < ERR__COUNT; e++) {
        assert_true(err_name((enum err)e)[0] >= 'A' && err_name((enum err)e)[0] <= 'Z');
        assert_true(err_text((enum err)e)[0] != '\0');
    }
    assert_string_equal(err_name(ERR_LIMIT), "LIMIT");
    assert_string_equal(err_text(ERR_OK), "success");
}

static void a_number_that_is_no_error_has_a_text_too(void **state) {
    (void)state;
    assert_string_equal(err_name(ERR__COUNT), "UNKNOWN");
    assert_string_equal(err_text((enum err)1000), "unknown error");
}

static void sums_and_products_saturate(void **state) {
    (void)state;
    size_t product = 7;
    assert_int_equal(num_sat_add(2, 3), 5);
    assert_true(num_sat_add(UINT64_MAX, 1) == UINT64_MAX);
    assert_int_equal(num_sat_mul(2, 3), 6);
    assert_true(num_sat_mul(UINT64_MAX / 2, 3) == UINT64_MAX);
    assert_true(num_mul_size(3, 4, &product));
    assert_int_equal(product, 12);
    assert_false(num_mul_size(SIZE_MAX, 2, &product));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_a_name_and_a_text),
        cmocka_unit_test(a_number_that_is_no_error_has_a_text_too),
        cmocka_unit_test(sums_and_products_saturate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
