#include "tests/unit/merge/made.h"

#include <math.h>

#include "common/merge/hist_diff.h"

enum { SLOTS = 20, VALUES = 50 };

/* Log2 slots as the tools print them, filled with integers. */
static struct hist slotted(struct hist_slot *slots, const double *values, size_t n) {
    for (size_t i = 0; i < SLOTS; i++) slots[i] = (struct hist_slot){i ? 1ULL << i : 0, (2ULL << i) - 1, 0};
    for (size_t i = 0; i < n; i++) {
        uint64_t v = (uint64_t)values[i];
        slots[v < 2 ? 0 : 63 - __builtin_clzll(v)].count++;
    }
    return (struct hist){.unit = SPAN_LIT("usecs"), .slots = slots, .n_slots = SLOTS};
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double some_values(struct gen *g, double *values, size_t n) {
    for (size_t i = 0; i < n; i++) values[i] = ldexp((double)gen_between(g, 1000, 2000) / 1000, (int)gen_below(g, SLOTS - 2));
    qsort(values, n, sizeof *values, ascending);
    return values[(n + 1) / 2 - 1];
}

static void the_bracket_holds_the_true_distance(void **state) {
    (void)state;
    struct gen g = made_gen();
    for (size_t c = 0; c < CASES; c++) {
        AUTO(arena_free) struct arena *mem = arena_new(1 << 16);
        double values[2][VALUES];
        struct hist_slot slots[2][SLOTS];
        struct hist hists[2];
        struct hist_diff *d = NULL;
        double median[2];
        size_t n = 0, many = gen_between(&g, 1, VALUES);
        for (int i = 0; i < 2; i++) {
            median[i] = some_values(&g, values[i], many);
            hists[i] = slotted(slots[i], values[i], many);
        }
        const struct hist_set is = {&hists[0], 1}, was = {&hists[1], 1};
        assert_int_equal(hist_diff_sets(&is, &was, mem, &d, &n), ERR_OK);
        assert_int_equal(n, 1);
        double truth = log2(median[0] / median[1]);
        if (!d->p50.known || truth < d->p50.low || truth > d->p50.high || d->p50.octaves < d->p50.low || d->p50.octaves > d->p50.high)
            fail_msg("case %zu: %g is not in [%g, %g]", c, truth, d->p50.low, d->p50.high);
    }
}

/* Compared the other way round, everything changes its sign. */
static void the_other_way_round_it_is_the_same_distance(void **state) {
    (void)state;
    struct gen g = made_gen();
    for (size_t c = 0; c < CASES; c++) {
        AUTO(arena_free) struct arena *mem = arena_new(1 << 16);
        double values[VALUES];
        struct hist_slot slots[2][SLOTS];
        struct hist hists[2];
        struct hist_diff *there = NULL, *back = NULL;
        size_t n = 0;
        for (int i = 0; i < 2; i++) {
            size_t many = gen_between(&g, 1, VALUES);
            some_values(&g, values, many);
            hists[i] = slotted(slots[i], values, many);
        }
        const struct hist_set is = {&hists[0], 1}, was = {&hists[1], 1};
        assert_int_equal(hist_diff_sets(&is, &was, mem, &there, &n), ERR_OK);
        assert_int_equal(hist_diff_sets(&was, &is, mem, &back, &n), ERR_OK);
        assert_true(there->p99.octaves == -back->p99.octaves && there->mean == -back->mean && there->error == back->error);
        assert_true((isinf(there->p99.low) && isinf(back->p99.high)) || there->p99.low == -back->p99.high);
    }
}

static void what_only_one_side_has_stands_alone_and_is_not_compared(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 16);
    struct hist_slot slots[] = {{8, 15, 3}};
    struct hist a[2], b[2];
    for (int i = 0; i < 2; i++) {
        a[i] = (struct hist){.unit = SPAN_LIT("usecs"), .slots = slots, .n_slots = 1, .n_section = 1};
        a[i].section[0] = (struct label){SPAN_LIT("disk"), i ? SPAN_LIT("vdb") : SPAN_LIT("vda")};
        b[i] = a[i];
    }
    b[0].section[0].value = SPAN_LIT("vdc");
    const struct hist_set is = {a, 2}, was = {b, 2};
    struct hist_diff *d = NULL;
    size_t n = 0;
    assert_int_equal(hist_diff_sets(&is, &was, mem, &d, &n), ERR_OK);
    assert_int_equal(n, 3);
    assert_true(d[0].is == &a[0] && !d[0].was && !d[0].p50.known && !d[0].mean_known && d[0].p50.is.known);
    assert_true(d[1].was == &b[1] && d[1].p50.known && d[1].p50.octaves == 0 && d[1].mean == 0);
    assert_true(!d[2].is && d[2].was == &b[0] && !d[2].p99.known);
}

static void an_open_or_a_first_slot_leaves_that_end_of_the_bracket_open(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 16);
    struct hist_slot open[] = {{1 << 20, HIST_OPEN, 1}}, first[] = {{0, 1, 1}};
    struct hist a = {.unit = SPAN_LIT("usecs"), .slots = open, .n_slots = 1}, b = {.unit = SPAN_LIT("usecs"), .slots = first, .n_slots = 1};
    const struct hist_set is = {&a, 1}, was = {&b, 1};
    struct hist_diff *d = NULL;
    size_t n = 0;
    assert_int_equal(hist_diff_sets(&is, &was, mem, &d, &n), ERR_OK);
    assert_true(d->p50.known && isinf(d->p50.high) && d->p50.low == 19);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bracket_holds_the_true_distance),
        cmocka_unit_test(the_other_way_round_it_is_the_same_distance),
        cmocka_unit_test(what_only_one_side_has_stands_alone_and_is_not_compared),
        cmocka_unit_test(an_open_or_a_first_slot_leaves_that_end_of_the_bracket_open),
    };
    return cmocka_run_group_tests_name("hist_diff", tests, NULL, NULL);
}
