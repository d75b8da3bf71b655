#include "tests/unit/merge/made.h"

#include <math.h>

#include "common/merge/sketch.h"

enum { VALUES = 60 };

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* From a few close together to eighteen octaves apart, sometimes negative or nothing. */
static double a_value(struct gen *g, unsigned spread) {
    double v = ldexp((double)gen_between(g, 1, 1000000) / 1000, (int)gen_below(g, spread + 1) - (int)spread / 2);
    uint64_t kind = gen_below(g, 20);
    return kind == 0 ? 0 : kind == 1 ? -v : v;
}

static void check_quantiles(const struct sketch *s, const double *sorted, size_t n, size_t c) {
    static const unsigned permille[] = {1, 500, 900, 990, 999, 1000};
    for (size_t i = 0; i < COUNT_OF(permille); i++) {
        struct quantile q = sketch_quantile(s, permille[i]);
        double want = sorted[(n * permille[i] + 999) / 1000 - 1];
        bool near = q.known && fabs(q.value - want) <= fabs(want) * SKETCH_ERROR && q.low <= want && want <= q.high;
        if (!near) fail_msg("case %zu: p%u is %g [%g, %g], the truth is %g", c, permille[i], q.value, q.low, q.high, want);
    }
}

static void every_quantile_is_within_the_stated_error_whatever_was_merged_with_what(void **state) {
    (void)state;
    struct gen g = made_gen();
    for (size_t c = 0; c < CASES; c++) {
        AUTO(arena_free) struct arena *mem = arena_new(1 << 22);
        struct sketch parts[3] = {0}, one = {0}, other = {0};
        double values[VALUES];
        size_t n = gen_between(&g, 1, VALUES);
        unsigned spread = (unsigned)gen_below(&g, 19);
        for (size_t i = 0; i < n; i++) {
            values[i] = a_value(&g, spread);
            assert_int_equal(sketch_add(&parts[gen_below(&g, 3)], values[i], 1, mem), ERR_OK);
        }
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(sketch_merge(&one, &parts[i], mem), ERR_OK);
            assert_int_equal(sketch_merge(&other, &parts[2 - i], mem), ERR_OK);
        }
        qsort(values, n, sizeof *values, ascending);
        assert_int_equal(one.n, n);
        check_quantiles(&one, values, n, c);
        check_quantiles(&other, values, n, c);
    }
}

static void of_nothing_there_is_no_quantile(void **state) {
    (void)state;
    struct sketch s = {0};
    assert_false(sketch_quantile(&s, 990).known);
    AUTO(arena_free) struct arena *none = arena_new(0);
    assert_int_equal(sketch_add(&s, 1, 1, none), ERR_NOMEM);
    assert_int_equal(s.n, 0);
}

static void the_ends_of_the_range_are_held(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    const double ends[] = {1e-9, 9223372036854775807.0, -9223372036854775807.0, 1e-30};
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        struct sketch s = {0};
        assert_int_equal(sketch_add(&s, ends[i], 1ULL << 60, mem), ERR_OK);
        assert_int_equal(sketch_add(&s, ends[i], 1ULL << 60, mem), ERR_OK);
        double want = i == 3 ? 0 : ends[i];
        assert_true(fabs(sketch_quantile(&s, 500).value - want) <= fabs(want) * SKETCH_ERROR);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_quantile_is_within_the_stated_error_whatever_was_merged_with_what),
        cmocka_unit_test(of_nothing_there_is_no_quantile),
        cmocka_unit_test(the_ends_of_the_range_are_held),
    };
    return cmocka_run_group_tests_name("sketch", tests, NULL, NULL);
}
