#include "tests/unit/merge/made.h"

#include "common/merge/connections.h"

static void end_is(const char *address, int64_t port, const char *want) {
    struct buf out;
    buf_init(&out, 0);
    connections_end(span_str(address), port, &out);
    assert_string_equal(buf_str(&out), want);
    buf_done(&out);
}

static void an_end_is_written_one_way_however_the_tool_printed_it(void **state) {
    (void)state;
    end_is("10.0.0.1", 443, "10.0.0.1:443");
    end_is("10.0.0.1", -1, "10.0.0.1");
    end_is("::ffff:10.0.0.1", 443, "10.0.0.1:443");
    end_is("::ffff:a00:1", -1, "10.0.0.1");
    end_is("2001:0db8:0:0:0:0:0:1", 443, "[2001:db8::1]:443");
    end_is("2001:db8::1", -1, "2001:db8::1");
    end_is("[2001:db8::1]", 443, "[2001:db8::1]:443");
    end_is("not an address", 1, "not an address:1");
}

/* "CLIENT:PORT SERVER:PORT" in both columns of one table. */
static struct events joined(const char *const (*rows)[2], size_t n, struct arena *mem) {
    static const struct column columns[] = {{.name = SPAN_LIT("SADDR:SPORT"), .unit = SPAN_LIT(""), .type = COLUMN_ADDRESS},
                                            {.name = SPAN_LIT("DADDR:DPORT"), .unit = SPAN_LIT(""), .type = COLUMN_ADDRESS}};
    struct events e;
    size_t row = 0;
    assert_int_equal(events_init(&e, columns, 2, mem), ERR_OK);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(events_row(&e, mem, &row), ERR_OK);
        for (int k = 0; k < 2; k++) assert_int_equal(strings_add(&e.strings, span_str(rows[i][k]), &e.columns[k].text[row]), ERR_OK);
    }
    return e;
}

static void row_is(const struct events *e, size_t row, const char *source, const char *destination) {
    const char *want[] = {source, destination};
    for (int k = 0; k < 2; k++) {
        struct span have = e->strings.text[e->columns[k].text[row]];
        if (!span_eq_str(have, want[k])) fail_msg("row %zu: %.*s, not %s", row, (int)have.n, have.p, want[k]);
    }
}

static void only_the_services_port_is_kept(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 16);
    static const char *const rows[][2] = {
        {"10.0.0.1:45678", "10.0.0.2:443"},   /* a client's gives way */
        {"10.0.0.2:443", "10.0.0.1:45678"},   /* whichever end it is */
        {"10.0.0.1:8080", "10.0.0.2:5432"},   /* both could be services: the smaller */
        {"10.0.0.1:40000", "10.0.0.2:50000"}, /* none is: the smaller */
        {"10.0.0.1:179", "10.0.0.2:179"},     /* equal ones stay */
        {"::ffff:10.0.0.1:45678", "2001:db8::2:443"},
    };
    struct events e = joined(rows, COUNT_OF(rows), mem), made;
    assert_int_equal(connections_of(&e, SPAN_LIT(""), mem, &made), ERR_OK);
    assert_int_equal(made.n_rows, COUNT_OF(rows));
    assert_int_equal(made.n_columns, 2);
    row_is(&made, 0, "10.0.0.1", "10.0.0.2:443");
    row_is(&made, 1, "10.0.0.2:443", "10.0.0.1");
    row_is(&made, 2, "10.0.0.1", "10.0.0.2:5432");
    row_is(&made, 3, "10.0.0.1:40000", "10.0.0.2");
    row_is(&made, 4, "10.0.0.1:179", "10.0.0.2:179");
    row_is(&made, 5, "10.0.0.1", "[2001:db8::2]:443");
}

static void the_time_goes_along_and_a_table_without_ends_is_said(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 16);
    static const struct column columns[] = {{.name = SPAN_LIT("PID"), .unit = SPAN_LIT(""), .type = COLUMN_INT},
                                            {.name = SPAN_LIT("SADDR"), .unit = SPAN_LIT(""), .type = COLUMN_ADDRESS},
                                            {.name = SPAN_LIT("DADDR"), .unit = SPAN_LIT(""), .type = COLUMN_ADDRESS},
                                            {.name = SPAN_LIT("DPORT"), .unit = SPAN_LIT(""), .type = COLUMN_PORT},
                                            {.name = SPAN_LIT("LAT(ms)"), .unit = SPAN_LIT("ms"), .type = COLUMN_DECIMAL, .decimals = 2}};
    struct events e, made;
    size_t row = 0;
    assert_int_equal(events_init(&e, columns, COUNT_OF(columns), mem), ERR_OK);
    assert_int_equal(events_row(&e, mem, &row), ERR_OK);
    for (int c = 1; c < 3; c++)
        assert_int_equal(strings_add(&e.strings, c == 1 ? SPAN_LIT("10.0.0.1") : SPAN_LIT("10.0.0.9"), &e.columns[c].text[row]), ERR_OK);
    e.columns[3].number[row] = 5432;
    e.columns[4].number[row] = 152;
    assert_int_equal(connections_of(&e, SPAN_LIT(""), mem, &made), ERR_OK);
    row_is(&made, 0, "10.0.0.1", "10.0.0.9:5432");
    assert_true(made.n_columns == 3 && made.columns[2].number[0] == 152 && made.columns[2].decimals == 2);
    assert_int_equal(connections_of(&e, SPAN_LIT("PID"), mem, &made), ERR_OK);
    assert_true(span_eq_str(made.columns[2].name, "PID"));
    assert_int_equal(connections_of(&e, SPAN_LIT("NONE"), mem, &made), ERR_NOTFOUND);
    e.n_columns = 2; /* one end */
    assert_int_equal(connections_of(&e, SPAN_LIT(""), mem, &made), ERR_NOTFOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_is_written_one_way_however_the_tool_printed_it),
        cmocka_unit_test(only_the_services_port_is_kept),
        cmocka_unit_test(the_time_goes_along_and_a_table_without_ends_is_said),
    };
    return cmocka_run_group_tests_name("connections", tests, NULL, NULL);
}
