#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/model/events.h"

enum { PID, COMM, LAT, PORT, COLUMNS };

static const struct column columns[COLUMNS] = {
    [PID] = {.name = SPAN_LIT("PID"), .unit = SPAN_LIT(""), .type = COLUMN_INT},
    [COMM] = {.name = SPAN_LIT("COMM"), .unit = SPAN_LIT(""), .type = COLUMN_TEXT},
    [LAT] = {.name = SPAN_LIT("LAT(ms)"), .unit = SPAN_LIT("ms"), .type = COLUMN_DECIMAL, .decimals = 2},
    [PORT] = {.name = SPAN_LIT("DPORT"), .unit = SPAN_LIT(""), .type = COLUMN_PORT},
};

static void rows_start_as_zeroes_and_keep_their_cells_while_the_table_grows(void **state) {
    (void)state;
    enum { N = 1000 };
    AUTO(arena_free) struct arena *mem = arena_new(4 << 20);
    struct events e;
    size_t row = 0;
    assert_int_equal(events_init(&e, columns, COLUMNS, mem), ERR_OK);
    assert_ptr_not_equal(e.columns[LAT].name.p, columns[LAT].name.p);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(events_row(&e, mem, &row), ERR_OK);
        assert_int_equal(row, i);
        assert_int_equal(e.columns[PID].number[row], 0);
        assert_int_equal(e.columns[COMM].text[row], 0);
        e.columns[PID].number[row] = (int64_t)i;
        assert_int_equal(strings_add(&e.strings, SPAN_LIT("bash"), &e.columns[COMM].text[row]), ERR_OK);
    }
    assert_int_equal(e.n_rows, N);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(e.columns[PID].number[i], i);
        assert_int_equal(e.columns[COMM].text[i], 1);
        assert_int_equal(e.columns[LAT].number[i], 0);
    }
}

static void a_row_taken_back_is_empty_when_it_comes_again(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct events e;
    size_t row = 0;
    assert_int_equal(events_init(&e, columns, COLUMNS, mem), ERR_OK);
    assert_int_equal(events_row(&e, mem, &row), ERR_OK);
    e.columns[LAT].number[row] = 5;
    e.n_rows--;
    assert_int_equal(events_row(&e, mem, &row), ERR_OK);
    assert_int_equal(row, 0);
    assert_int_equal(e.columns[LAT].number[row], 0);
}

static void stacks_beside_rows_grow_with_them(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct events e;
    size_t row = 0;
    uint32_t leaf = 0, stack = 0;
    assert_int_equal(events_init(&e, columns, COLUMNS, mem), ERR_OK);
    assert_int_equal(events_row(&e, mem, &row), ERR_OK);
    assert_null(e.stack_of);
    assert_int_equal(events_stacks(&e, SPAN_LIT("samples"), mem), ERR_OK);
    assert_int_equal(stacks_node(&e.stacks, STACKS_ROOT, SPAN_LIT("tcp_drop"), FRAME_KERNEL, &leaf), ERR_OK);
    assert_int_equal(stacks_row(&e.stacks, leaf, SPAN_NONE, STACKS_NO_PID, &stack), ERR_OK);
    e.stack_of[row] = stack + 1;
    for (size_t i = 0; i < 100; i++) assert_int_equal(events_row(&e, mem, &row), ERR_OK);
    const uint32_t *before = e.stack_of;
    assert_int_equal(events_stacks(&e, SPAN_LIT("samples"), mem), ERR_OK);
    assert_ptr_equal(e.stack_of, before);
    assert_int_equal(e.stack_of[0], 1);
    for (size_t i = 1; i <= 100; i++) assert_int_equal(e.stack_of[i], 0);
    /* asked for before the first row */
    assert_int_equal(events_init(&e, columns, COLUMNS, mem), ERR_OK);
    assert_int_equal(events_stacks(&e, SPAN_LIT("samples"), mem), ERR_OK);
    assert_int_equal(events_row(&e, mem, &row), ERR_OK);
    assert_int_equal(e.stack_of[row], 0);
}

static void a_column_is_found_by_name_without_unit_and_in_any_case(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct events e;
    assert_int_equal(events_init(&e, columns, COLUMNS, mem), ERR_OK);
    assert_int_equal(events_column(&e, SPAN_LIT("LAT(ms)")), LAT);
    assert_int_equal(events_column(&e, SPAN_LIT("lat(MS)")), LAT);
    assert_int_equal(events_column(&e, SPAN_LIT("LAT")), LAT);
    assert_int_equal(events_column(&e, SPAN_LIT("lat")), LAT);
    assert_int_equal(events_column(&e, SPAN_LIT("comm")), COMM);
    assert_int_equal(events_column(&e, SPAN_LIT("COMMAND")), COLUMNS);
    assert_int_equal(events_column(&e, SPAN_LIT("COM")), COLUMNS);
    assert_int_equal(events_column(&e, SPAN_LIT("")), COLUMNS);
    assert_int_equal(events_column(&e, SPAN_NONE), COLUMNS);
}

static void an_exact_name_goes_before_one_without_its_unit(void **state) {
    (void)state;
    static const struct column both[] = {
        {.name = SPAN_LIT("LAT(us)"), .type = COLUMN_INT},
        {.name = SPAN_LIT("lat"), .type = COLUMN_INT},
        {.name = SPAN_LIT("LAT"), .type = COLUMN_INT},
        {.name = SPAN_LIT("(x)"), .type = COLUMN_TEXT},
    };
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct events e;
    assert_int_equal(events_init(&e, both, 4, mem), ERR_OK);
    assert_int_equal(events_column(&e, SPAN_LIT("LAT")), 2);
    assert_int_equal(events_column(&e, SPAN_LIT("Lat")), 1);
    assert_int_equal(events_column(&e, SPAN_LIT("(x)")), 3);
}

static void assert_cell(const struct events *e, size_t row, size_t column, const char *want) {
    struct buf out;
    buf_init(&out, 0);
    buf_add_char(&out, '<');
    events_cell(e, row, column, &out);
    assert_int_equal(out.p[0], '<'); /* appended */
    struct span got = span_drop(buf_span(&out), 1);
    if (!span_eq_str(got, want)) fail_msg("cell is \"%.*s\", not \"%s\"", (int)got.n, got.p, want);
    buf_done(&out);
}

static void cells_print_as_the_tool_did(void **state) {
    (void)state;
    static const struct {
        int64_t number;
        const char *decimal, *integer;
    } cases[] = {
        {152, "1.52", "152"},  {5, "0.05", "5"},  {0, "0.00", "0"},      {-1, "-0.01", "-1"},
        {-100, "-1.00", "-100"}, {EVENTS_NULL, "", ""}, {INT64_MAX, "92233720368547758.07", "9223372036854775807"},
        {INT64_MIN + 1, "-92233720368547758.07", "-9223372036854775807"},
    };
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct events e;
    size_t row = 0;
    assert_int_equal(events_init(&e, columns, COLUMNS, mem), ERR_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(events_row(&e, mem, &row), ERR_OK);
        e.columns[LAT].number[row] = e.columns[PID].number[row] = cases[i].number;
        assert_int_equal(strings_add(&e.strings, SPAN_LIT("a b"), &e.columns[COMM].text[row]), ERR_OK);
        assert_cell(&e, row, LAT, cases[i].decimal);
        assert_cell(&e, row, PID, cases[i].integer);
        assert_cell(&e, row, COMM, "a b");
    }
    e.columns[LAT].decimals = 9;
    e.columns[LAT].number[0] = 1;
    assert_cell(&e, 0, LAT, "0.000000001");
}

static void a_full_budget_leaves_the_rows_as_they_were(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(32 << 10);
    struct events e;
    size_t row = 0, n = 0;
    enum err err = events_init(&e, columns, COLUMNS, mem);
    assert_int_equal(err, ERR_OK);
    while (!(err = events_row(&e, mem, &row))) e.columns[PID].number[row] = (int64_t)n++;
    assert_int_equal(err, ERR_NOMEM);
    assert_true(n > 100);
    assert_int_equal(e.n_rows, n);
    for (size_t i = 0; i < n; i++) assert_int_equal(e.columns[PID].number[i], i);
    assert_int_equal(events_row(&e, mem, &row), ERR_NOMEM); /* and again, after some columns have grown */
    for (size_t i = 0; i < n; i++) assert_int_equal(e.columns[PID].number[i], i);
    assert_int_equal(events_stacks(&e, SPAN_LIT(""), mem), ERR_NOMEM);
    assert_null(e.stack_of);
}

static void a_budget_too_small_for_an_empty_table_is_said(void **state) {
    (void)state;
    for (size_t budget = 0; budget < 1024; budget += 64) {
        AUTO(arena_free) struct arena *mem = arena_new(budget);
        struct events e = {.n_rows = 99};
        assert_int_equal(events_init(&e, columns, COLUMNS, mem), ERR_NOMEM);
        assert_int_equal(e.n_rows, 99);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_start_as_zeroes_and_keep_their_cells_while_the_table_grows),
        cmocka_unit_test(a_row_taken_back_is_empty_when_it_comes_again),
        cmocka_unit_test(stacks_beside_rows_grow_with_them),
        cmocka_unit_test(a_column_is_found_by_name_without_unit_and_in_any_case),
        cmocka_unit_test(an_exact_name_goes_before_one_without_its_unit),
        cmocka_unit_test(cells_print_as_the_tool_did),
        cmocka_unit_test(a_full_budget_leaves_the_rows_as_they_were),
        cmocka_unit_test(a_budget_too_small_for_an_empty_table_is_said),
    };
    return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
