#include "tests/unit/merge/made.h"

#include <stdio.h>

#include "common/merge/event_table.h"

enum { ROWS = 6, PIECES = 4, NAMES = 5 };
static const char *const names[NAMES] = {"sh", "cc1", "ld", "", "a name that is longer than the others"};
static const struct column columns[] = {{.name = SPAN_LIT("COMM"), .unit = SPAN_LIT(""), .type = COLUMN_TEXT},
                                        {.name = SPAN_LIT("LAT(ms)"), .unit = SPAN_LIT("ms"), .type = COLUMN_DECIMAL, .decimals = 2}};

static struct events made(struct gen *g, size_t n_columns, struct arena *mem) {
    struct events e;
    size_t row = 0;
    assert_int_equal(events_init(&e, columns, n_columns, mem), ERR_OK);
    for (size_t n = gen_below(g, ROWS + 1); n > 0; n--) {
        assert_int_equal(events_row(&e, mem, &row), ERR_OK);
        assert_int_equal(strings_add(&e.strings, span_str(names[gen_below(g, NAMES)]), &e.columns[0].text[row]), ERR_OK);
        if (n_columns > 1) e.columns[1].number[row] = gen_below(g, 9) ? (int64_t)gen_below(g, 1000) : EVENTS_NULL;
    }
    return e;
}

static void dump(const struct events *e, struct buf *out) {
    for (size_t row = 0; row < e->n_rows; row++)
        for (size_t c = 0; c < e->n_columns; c++) {
            events_cell(e, row, c, out);
            buf_add_char(out, c + 1 == e->n_columns ? '\n' : '\t');
        }
}

static void what_went_in_comes_out_piece_by_piece(void **state) {
    (void)state;
    struct gen g = made_gen();
    for (size_t c = 0; c < CASES; c++) {
        AUTO(event_table_free) struct event_table *t = event_table_new(1 << 20);
        struct buf in, out;
        uint64_t rows = 0;
        uint32_t hosts[PIECES];
        size_t pieces = 0;
        assert_non_null(t);
        buf_init(&in, 0);
        buf_init(&out, 0);
        for (uint32_t i = 0; i < PIECES; i++) {
            AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
            struct events e = made(&g, 1 + gen_below(&g, 2), mem); /* flavours differ in their columns */
            assert_int_equal(event_table_add(t, i * 7, &e), ERR_OK);
            dump(&e, &in);
            rows += e.n_rows;
            if (e.n_rows) hosts[pieces++] = i * 7;
        }
        assert_int_equal(event_table_rows(t), rows);
        assert_int_equal(event_table_n(t), pieces);
        for (size_t i = 0; i < pieces; i++) {
            struct events e;
            uint32_t host = 0;
            event_table_at(t, i, &host, &e);
            assert_int_equal(host, hosts[i]);
            dump(&e, &out);
        }
        if (!span_eq(buf_span(&in), buf_span(&out))) fail_msg("case %zu:\n%s\n%s", c, buf_str(&in), buf_str(&out));
        buf_done(&in);
        buf_done(&out);
    }
}

static void a_text_is_kept_once_however_many_pieces_have_it(void **state) {
    (void)state;
    struct gen g = made_gen();
    AUTO(event_table_free) struct event_table *t = event_table_new(1 << 20);
    for (uint32_t i = 0; i < 50; i++) {
        AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
        struct events e = made(&g, 2, mem);
        assert_int_equal(event_table_add(t, i, &e), ERR_OK);
    }
    assert_true(event_table_dictionary(t)->n <= NAMES);
}

static void over_the_budget_is_said(void **state) {
    (void)state;
    struct gen g = made_gen();
    AUTO(event_table_free) struct event_table *t = event_table_new(4096);
    enum err e = ERR_OK;
    assert_non_null(t);
    for (uint32_t i = 0; i < 100 && e == ERR_OK; i++) {
        AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
        struct events some = made(&g, 2, mem);
        e = event_table_add(t, i, &some);
    }
    assert_int_equal(e, ERR_NOMEM);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_went_in_comes_out_piece_by_piece),
        cmocka_unit_test(a_text_is_kept_once_however_many_pieces_have_it),
        cmocka_unit_test(over_the_budget_is_said),
    };
    return cmocka_run_group_tests_name("event_table", tests, NULL, NULL);
}
