#include "tests/unit/merge/made.h"

#include <stdio.h>

#include "common/merge/heavy.h"
#include "common/merge/top.h"

enum { KEYS = 40, ADDS = 120 };

static void the_bounds_hold_the_truth_every_time(void **state) {
    (void)state;
    struct gen g = made_gen();
    for (size_t c = 0; c < CASES; c++) {
        uint64_t truth[KEYS] = {0};
        uint32_t counters = (uint32_t)gen_between(&g, 1, 20);
        AUTO(heavy_free) struct heavy *h = heavy_new(counters);
        assert_non_null(h);
        size_t n = gen_below(&g, ADDS), factor = gen_below(&g, 8) ? 1 : 10;
        for (size_t i = 0; i < n; i++) {
            size_t key = gen_below(&g, gen_below(&g, KEYS) + 1);
            uint64_t weight = gen_below(&g, 4) ? 1 : gen_below(&g, 50);
            char name[8];
            assert_int_equal(heavy_add(h, span_of(name, (size_t)snprintf(name, sizeof name, "%zu", key)), weight), ERR_OK);
            truth[key] += weight;
            if (factor > 1 && i == n / 2) {
                heavy_scale(h, factor);
                for (size_t k = 0; k < KEYS; k++) truth[k] *= factor;
            }
        }
        bool listed[KEYS] = {false};
        for (uint32_t i = 0; i < heavy_n(h); i++) {
            struct heavy_key k = heavy_at(h, i);
            uint64_t key = KEYS;
            assert_true(span_u64(k.key, &key) && key < KEYS && !listed[key]);
            listed[key] = true;
            if (truth[key] > k.weight || truth[key] < k.weight - k.error) fail_msg("case %zu", c);
        }
        for (size_t k = 0; k < KEYS; k++)
            if (!listed[k] && truth[k] > heavy_least(h)) fail_msg("case %zu: a key without a counter weighs more than the least", c);
    }
}

/* The same through top.c, which begins exactly and hands over when its budget is spent. */
static void a_top_over_its_budget_gives_bounds_that_hold_the_truth(void **state) {
    enum { VALUES = 3000, TABLES = 6, ROWS = 1500 };
    (void)state;
    struct gen g = made_gen();
    static const struct column columns[] = {{.name = SPAN_LIT("FILE"), .type = COLUMN_TEXT},
                                            {.name = SPAN_LIT("BYTES"), .type = COLUMN_INT}};
    const struct where_source nowhere = {.host = SPAN_LIT("")};
    for (int rank = TOP_COUNT; rank <= TOP_TOTAL; rank++) {
        static uint64_t truth[VALUES];
        memset(truth, 0, sizeof truth);
        const struct top_options opt = {.fields = {SPAN_LIT("FILE"), SPAN_LIT("host")},
                                        .n_fields = 2,
                                        .of = SPAN_LIT("BYTES"),
                                        .rank = (enum top_rank)rank,
                                        .budget_bytes = 512 * 1024};
        AUTO(top_free) struct top *t = top_new(&opt);
        assert_non_null(t);
        for (size_t i = 0; i < TABLES; i++) {
            AUTO(arena_free) struct arena *mem = arena_new(1 << 22);
            struct events e;
            struct span name;
            size_t row = 0;
            assert_int_equal(events_init(&e, columns, COUNT_OF(columns), mem), ERR_OK);
            for (size_t r = 0; r < ROWS; r++) {
                char file[8];
                uint64_t value = gen_below(&g, gen_below(&g, VALUES) + 1), bytes = gen_below(&g, 1000);
                assert_int_equal(events_row(&e, mem, &row), ERR_OK);
                assert_int_equal(strings_add(&e.strings, span_of(file, (size_t)snprintf(file, sizeof file, "%u", (unsigned)value)),
                                             &e.columns[0].text[row]),
                                 ERR_OK);
                e.columns[1].number[row] = (int64_t)bytes;
                truth[value] += rank == TOP_COUNT ? 1 : bytes;
            }
            assert_int_equal(top_add(t, &e, &nowhere, &name), ERR_OK);
        }
        AUTO(arena_free) struct arena *mem = arena_new(1 << 22);
        struct top_row *rows = NULL;
        struct top_summary summary;
        size_t n = 0;
        assert_int_equal(top_get(t, opt.rank, 0, mem, &rows, &n, &summary), ERR_OK);
        assert_true(summary.bounded && n > 100 && n < VALUES);
        assert_int_equal(summary.rows, TABLES * ROWS);
        for (size_t i = 0; i < n; i++) {
            uint64_t value = VALUES;
            assert_true(span_u64(rows[i].values[0], &value) && value < VALUES);
            uint64_t high = rank == TOP_COUNT ? rows[i].count : (uint64_t)rows[i].total;
            uint64_t low = high - (rank == TOP_COUNT ? rows[i].count_error : rows[i].total_error);
            assert_true(low <= truth[value] && truth[value] <= high);
            truth[value] = 0;
        }
        for (size_t i = 0; i < VALUES; i++) assert_true(truth[i] <= summary.unlisted);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bounds_hold_the_truth_every_time),
        cmocka_unit_test(a_top_over_its_budget_gives_bounds_that_hold_the_truth),
    };
    return cmocka_run_group_tests_name("heavy", tests, NULL, NULL);
}
