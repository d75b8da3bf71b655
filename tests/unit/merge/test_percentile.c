#include "tests/unit/merge/made.h"

#include "common/merge/percentile.h"

static struct hist of(struct hist_slot *slots, size_t n) { return (struct hist){.slots = slots, .n_slots = n}; }

static void the_median_is_the_midpoint_of_the_slot_that_reaches_half(void **state) {
    (void)state;
    struct hist_slot slots[] = {{0, 1, 0}, {2, 3, 5}, {4, 7, 4}, {8, 15, 1}};
    struct hist h = of(slots, 4);
    struct percentile p = percentile_of(&h, 500);
    assert_true(p.known);
    assert_true(p.value == 2.5);
    assert_int_equal(p.low, 2);
    assert_int_equal(p.high, 3);
    assert_true(percentile_of(&h, 501).value == 5.5); /* rank 6 */
    assert_true(percentile_of(&h, 900).value == 5.5); /* rank 9 */
    assert_true(percentile_of(&h, 901).value == 11.5);
    assert_true(percentile_of(&h, 999).value == 11.5);
    assert_true(percentile_of(&h, 1000).value == 11.5);
    assert_true(percentile_of(&h, 1).value == 2.5); /* an empty first slot holds nobody */
}

/* Their sum is more than 64 bits hold. */
static void counts_whose_total_saturates_keep_their_ranks(void **state) {
    (void)state;
    struct hist_slot slots[] = {{0, 1, INT64_MAX}, {2, 3, INT64_MAX}, {4, 7, INT64_MAX}, {8, 15, UINT64_MAX}};
    struct hist h = of(slots, 3);
    assert_true(percentile_of(&h, 330).value == 0.5);
    assert_true(percentile_of(&h, 500).value == 2.5);
    assert_true(percentile_of(&h, 900).value == 5.5);
    h = of(slots, 4);
    assert_true(percentile_of(&h, 599).value == 5.5);
    assert_true(percentile_of(&h, 999).value == 11.5);
}

static void an_empty_histogram_has_no_percentile(void **state) {
    (void)state;
    struct hist_slot slots[] = {{0, 1, 0}, {2, 3, 0}};
    struct hist h = of(slots, 2);
    assert_false(percentile_of(&h, 500).known);
    h = of(NULL, 0);
    assert_false(percentile_of(&h, 999).known);
}

static void an_open_slot_counts_as_its_low_end(void **state) {
    (void)state;
    struct hist_slot slots[] = {{0, 1, 1}, {67108864, HIST_OPEN, 9}};
    struct hist h = of(slots, 2);
    struct percentile p = percentile_of(&h, 990);
    assert_true(p.value == 67108864.0);
    assert_int_equal(p.low, 67108864);
    assert_true(p.high == HIST_OPEN);
}

static void a_single_value_slot_is_exact(void **state) {
    (void)state;
    struct hist_slot slots[] = {{7, 7, 1}};
    struct hist h = of(slots, 1);
    for (unsigned permille = 1; permille <= 1000; permille++) assert_true(percentile_of(&h, permille).value == 7.0);
}

static void counts_near_the_end_of_64_bit_do_not_overflow(void **state) {
    (void)state;
    struct hist_slot slots[] = {{0, 1, UINT64_MAX / 2}, {2, 3, UINT64_MAX / 2}, {4, 7, 1}};
    struct hist h = of(slots, 3);
    assert_true(percentile_of(&h, 500).low == 2); /* rank 2^63, one more than the first slot holds */
    assert_true(percentile_of(&h, 499).low == 0);
    assert_true(percentile_of(&h, 1000).low == 4);
    slots[2].count = UINT64_MAX; /* as many as in both others, and one more */
    assert_true(percentile_of(&h, 499).low == 2);
    assert_true(percentile_of(&h, 500).low == 4);
    assert_true(percentile_of(&h, 1000).low == 4);
}

static int ascending(const void *pa, const void *pb) {
    uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;
    return a < b ? -1 : a > b;
}

static size_t log2_slot(uint64_t v) { return v < 2 ? 0 : 63 - (size_t)__builtin_clzll(v); }

static void the_bracket_holds_the_true_value_of_the_raw_data(void **state) {
    (void)state;
    struct gen g = made_gen();
    for (size_t c = 0; c < CASES; c++) {
        uint64_t raw[64];
        struct hist_slot slots[24];
        struct hist h = of(slots, COUNT_OF(slots));
        size_t n = 1 + gen_below(&g, COUNT_OF(raw));
        for (size_t i = 0; i < COUNT_OF(slots); i++) slots[i] = (struct hist_slot){i ? 1ULL << i : 0, (2ULL << i) - 1, 0};
        for (size_t i = 0; i < n; i++) {
            raw[i] = gen_u64(&g) & ((1ULL << (1 + gen_below(&g, 23))) - 1);
            slots[log2_slot(raw[i])].count++;
        }
        qsort(raw, n, sizeof raw[0], ascending);
        unsigned permille = 1 + (unsigned)gen_below(&g, 1000);
        size_t rank = (n * permille + 999) / 1000;
        struct percentile p = percentile_of(&h, permille);
        if (!p.known || raw[rank - 1] < p.low || raw[rank - 1] > p.high) fail_msg("case %zu", c);
        assert_true(p.value == ((double)p.low + (double)p.high) / 2);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_median_is_the_midpoint_of_the_slot_that_reaches_half),
        cmocka_unit_test(counts_whose_total_saturates_keep_their_ranks),
        cmocka_unit_test(an_empty_histogram_has_no_percentile),
        cmocka_unit_test(an_open_slot_counts_as_its_low_end),
        cmocka_unit_test(a_single_value_slot_is_exact),
        cmocka_unit_test(counts_near_the_end_of_64_bit_do_not_overflow),
        cmocka_unit_test(the_bracket_holds_the_true_value_of_the_raw_data),
    };
    return cmocka_run_group_tests_name("percentile", tests, NULL, NULL);
}
