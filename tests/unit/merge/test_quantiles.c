#include "tests/unit/merge/made.h"

#include <math.h>
#include <stdlib.h>

#include "common/merge/quantiles.h"

enum { GROUPS = 40, ROWS = 300, BUDGET = 1 << 20, SMALL = 32 * 1024 /* 32 groups at a time */ };
enum { NEAR = 20, FAR = 50 /* octaves; for as many, SMALL has no room */ };

/* Some rows, and what is asked of them. */
struct rows {
    uint32_t group[ROWS];
    int64_t number[ROWS];
    double unit;
    size_t n;
};

/* From a few close together to fifty octaves apart, sometimes negative, nothing, or no number. */
static int64_t a_number(struct gen *g, unsigned spread) {
    int64_t v = (int64_t)gen_between(g, 1, 2000) << gen_below(g, spread + 1);
    uint64_t kind = gen_below(g, 20);
    return kind == 0 ? 0 : kind == 1 ? -v : kind == 2 ? EVENTS_NULL : v;
}

static void make(struct gen *g, unsigned most_spread, struct rows *r) {
    unsigned spread = (unsigned)gen_below(g, most_spread + 1), groups = (unsigned)gen_between(g, 1, GROUPS);
    r->n = gen_below(g, ROWS + 1);
    r->unit = pow(10, (double)gen_below(g, 10));
    for (size_t i = 0; i < r->n; i++) {
        r->group[i] = (uint32_t)gen_below(g, gen_below(g, groups) + 1);
        r->number[i] = a_number(g, spread);
    }
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* False: the group has no number. */
static bool truth(const struct rows *r, uint32_t group, unsigned permille, double *out) {
    int64_t all[ROWS];
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        if (r->group[i] == group && r->number[i] != EVENTS_NULL) all[n++] = r->number[i];
    if (!n) return false;
    qsort(all, n, sizeof *all, ascending);
    *out = (double)all[(n * permille + 999) / 1000 - 1] / r->unit;
    return true;
}

static struct quantiles_rows some(struct rows *r, size_t from, size_t to) {
    return (struct quantiles_rows){r->group + from, r->number + from, r->unit, to - from};
}

/* Both readings of rows in two tables; how many times the second was. */
static size_t read_all(struct quantiles *q, struct rows *r, size_t cut, const unsigned char *wanted) {
    size_t times = 0;
    const struct quantiles_rows first = some(r, 0, cut), second = some(r, cut, r->n);
    assert_int_equal(quantiles_choose(q, wanted), ERR_OK);
    for (; quantiles_again(q); times++) {
        quantiles_refine(q, &second);
        quantiles_refine(q, &first);
    }
    return times;
}

static void count_all(struct quantiles *q, struct rows *r, size_t cut) {
    const struct quantiles_rows first = some(r, 0, cut), second = some(r, cut, r->n);
    assert_int_equal(quantiles_room(q, GROUPS), ERR_OK);
    assert_int_equal(quantiles_count(q, &first), ERR_OK);
    assert_int_equal(quantiles_count(q, &second), ERR_OK);
}

static void every_quantile_is_within_the_stated_error_whatever_the_order_and_the_memory(void **state) {
    (void)state;
    struct gen g = made_gen();
    size_t in_pieces = 0;
    for (size_t c = 0; c < CASES; c++) {
        static const unsigned permilles[] = {1, 500, 900, 990, 999, 1000};
        struct rows r;
        unsigned permille = permilles[gen_below(&g, COUNT_OF(permilles))], spread = gen_below(&g, 2) ? NEAR : FAR;
        make(&g, spread, &r);
        AUTO(quantiles_free)
        struct quantiles *q = quantiles_new(permille, BUDGET), *other = quantiles_new(permille, spread == NEAR ? SMALL : BUDGET);
        assert_true(q && other);
        unsigned char wanted[2 * GROUPS] = {0};
        memset(wanted, 1, GROUPS);
        count_all(q, &r, gen_below(&g, r.n + 1));
        count_all(other, &r, gen_below(&g, r.n + 1));
        read_all(q, &r, gen_below(&g, r.n + 1), wanted);
        in_pieces += read_all(other, &r, gen_below(&g, r.n + 1), wanted) > 1;
        for (uint32_t group = 0; group < GROUPS; group++) {
            double want = 0;
            struct quantile a = quantiles_get(q, group), b = quantiles_get(other, group);
            assert_int_equal(a.known, truth(&r, group, permille, &want));
            assert_true(a.known == b.known && a.value == b.value && a.low == b.low && a.high == b.high);
            if (!a.known) continue;
            if (fabs(want) < 1e-9) want = 0;
            if (fabs(a.value - want) > fabs(want) * QUANTILES_ERROR || a.low > want || want > a.high)
                fail_msg("case %zu: p%u is %g [%g, %g], the truth is %g", c, permille, a.value, a.low, a.high, want);
        }
    }
    assert_true(in_pieces > 100);
}

static void what_is_not_among_those_that_may_be_highest_is_not_among_the_highest(void **state) {
    (void)state;
    struct gen g = made_gen();
    for (size_t c = 0; c < CASES; c++) {
        struct rows r;
        make(&g, FAR, &r);
        AUTO(quantiles_free) struct quantiles *q = quantiles_new(990, BUDGET);
        unsigned char wanted[2 * GROUPS] = {0};
        size_t n = gen_below(&g, GROUPS), n_wanted = 0, known = 0;
        double least = INFINITY, value;
        count_all(q, &r, 0);
        quantiles_highest(q, n, wanted);
        for (uint32_t group = 0; group < GROUPS; group++) {
            if (!truth(&r, group, 990, &value)) {
                assert_false(wanted[group]);
                continue;
            }
            known++;
            n_wanted += wanted[group];
            if (wanted[group]) least = fmin(least, value);
        }
        assert_true(n_wanted >= (n < known ? n : known));
        for (uint32_t group = 0; group < GROUPS; group++)
            if (!wanted[group] && truth(&r, group, 990, &value) && value >= least) fail_msg("case %zu", c);
    }
}

static void of_nothing_there_is_no_quantile(void **state) {
    (void)state;
    AUTO(quantiles_free) struct quantiles *q = quantiles_new(990, BUDGET);
    assert_false(quantiles_get(q, 0).known);
    assert_int_equal(quantiles_choose(q, NULL), ERR_OK);
    assert_false(quantiles_again(q));
    assert_false(quantiles_get(q, 0).known);
}

static void the_ends_of_the_range_are_held(void **state) {
    (void)state;
    struct rows r = {.group = {0, 1, 2, 3}, .number = {INT64_MAX, -INT64_MAX, 1, 0}, .unit = 1, .n = 4};
    static const double want[] = {9223372036854775807.0, -9223372036854775807.0, 1, 0};
    AUTO(quantiles_free) struct quantiles *q = quantiles_new(990, BUDGET);
    unsigned char wanted[2 * GROUPS] = {1, 1, 1, 1};
    count_all(q, &r, 0);
    read_all(q, &r, 0, wanted);
    for (uint32_t i = 0; i < 4; i++) assert_true(fabs(quantiles_get(q, i).value - want[i]) <= fabs(want[i]) * QUANTILES_ERROR);
    r = (struct rows){.group = {0}, .number = {1}, .unit = 1e9, .n = 1};
    AUTO(quantiles_free) struct quantiles *small = quantiles_new(990, BUDGET);
    count_all(small, &r, 0);
    read_all(small, &r, 0, wanted);
    assert_true(fabs(quantiles_get(small, 0).value - 1e-9) <= 1e-9 * QUANTILES_ERROR);
}

/* Numbers of many octaves take the room of groups; the quantiles of those that keep theirs are right. */
static void many_octaves_leave_room_for_fewer_groups(void **state) {
    (void)state;
    AUTO(quantiles_free) struct quantiles *q = quantiles_new(990, 4 * 1024);
    struct rows r = {.unit = 1, .n = 62};
    for (size_t i = 0; i < r.n; i++) r.number[i] = (int64_t)1 << i;
    unsigned char wanted[2 * GROUPS] = {1};
    assert_int_equal(quantiles_room(q, GROUPS), ERR_OK);
    size_t before = quantiles_groups(q);
    assert_true(before > 10);
    count_all(q, &r, 0);
    assert_true(quantiles_groups(q) > 0 && quantiles_groups(q) < before / 2);
    read_all(q, &r, 0, wanted);
    double want = ldexp(1, 61);
    assert_true(fabs(quantiles_get(q, 0).value - want) <= want * QUANTILES_ERROR);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_quantile_is_within_the_stated_error_whatever_the_order_and_the_memory),
        cmocka_unit_test(what_is_not_among_those_that_may_be_highest_is_not_among_the_highest),
        cmocka_unit_test(of_nothing_there_is_no_quantile),
        cmocka_unit_test(the_ends_of_the_range_are_held),
        cmocka_unit_test(many_octaves_leave_room_for_fewer_groups),
    };
    return cmocka_run_group_tests_name("quantiles", tests, NULL, NULL);
}
