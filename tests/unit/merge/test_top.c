#include "tests/unit/merge/made.h"

#include <stdio.h>

#include "common/base/buf.h"
#include "common/merge/top.h"

enum { BUDGET = 1 << 24 };

enum { COMM, PORT, LAT, COLUMNS };

static struct events table(struct arena *mem, unsigned decimals) {
    const struct column columns[COLUMNS] = {
        [COMM] = {.name = SPAN_LIT("COMM"), .unit = SPAN_LIT(""), .type = COLUMN_TEXT},
        [PORT] = {.name = SPAN_LIT("DPORT"), .unit = SPAN_LIT(""), .type = COLUMN_PORT},
        [LAT] = {.name = SPAN_LIT("LAT(ms)"), .unit = SPAN_LIT("ms"), .type = COLUMN_DECIMAL, .decimals = decimals},
    };
    struct events e;
    assert_int_equal(events_init(&e, columns, COLUMNS, mem), ERR_OK);
    return e;
}

static struct top *new_top(const char *field, const char *of, size_t budget) {
    const struct top_options opt = {.fields = {span_str(field)}, .n_fields = 1, .of = span_str(of), .budget_bytes = budget};
    return top_new(&opt);
}

static const struct where_source nowhere;

static enum err add(struct top *t, const struct events *e) {
    struct span name;
    return top_add(t, e, &nowhere, &name);
}

static void put(struct events *e, struct arena *mem, const char *comm, int64_t port, int64_t lat) {
    size_t row = 0;
    assert_int_equal(events_row(e, mem, &row), ERR_OK);
    assert_int_equal(strings_add(&e->strings, span_str(comm), &e->columns[COMM].text[row]), ERR_OK);
    e->columns[PORT].number[row] = port;
    e->columns[LAT].number[row] = lat;
}

static void assert_top(const struct top *t, enum top_rank rank, size_t n, size_t groups, const char *want) {
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct top_row *rows = NULL;
    size_t n_rows = 0;
    struct top_summary summary;
    struct buf got;
    buf_init(&got, 0);
    assert_int_equal(top_get(t, rank, n, mem, &rows, &n_rows, &summary), ERR_OK);
    for (size_t i = 0; i < n_rows; i++)
        buf_add_fmt(&got, "%s %llu %lld %lld .%u\n", rows[i].values[0].p, (unsigned long long)rows[i].count, (long long)rows[i].total,
                    (long long)rows[i].max, rows[i].decimals);
    assert_string_equal(buf_str(&got), want);
    assert_int_equal(summary.groups, groups);
    buf_done(&got);
}

static void rows_are_grouped_by_text_and_ranked_each_way(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    AUTO(top_free) struct top *t = new_top("comm", "lat", BUDGET);
    struct events e = table(mem, 2);
    assert_top(t, TOP_COUNT, 0, 0, "");
    put(&e, mem, "curl", 80, 100);
    put(&e, mem, "curl", 80, 300);
    put(&e, mem, "curl", 80, 200);
    put(&e, mem, "wget", 80, 700);
    put(&e, mem, "wget", 80, 100);
    put(&e, mem, "", 80, 750);
    assert_int_equal(add(t, &e), ERR_OK);
    assert_top(t, TOP_COUNT, 0, 3, "curl 3 600 300 .2\nwget 2 800 700 .2\n 1 750 750 .2\n");
    assert_top(t, TOP_TOTAL, 0, 3, "wget 2 800 700 .2\n 1 750 750 .2\ncurl 3 600 300 .2\n");
    assert_top(t, TOP_AVG, 0, 3, " 1 750 750 .2\nwget 2 800 700 .2\ncurl 3 600 300 .2\n");
    assert_top(t, TOP_MAX, 2, 3, " 1 750 750 .2\nwget 2 800 700 .2\n");
}

static void numbers_group_by_their_printed_text(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    AUTO(top_free) struct top *ports = new_top("DPORT", "", BUDGET);
    AUTO(top_free) struct top *lats = new_top("LAT", "DPORT", BUDGET);
    struct events e = table(mem, 2);
    put(&e, mem, "curl", 443, 152);
    put(&e, mem, "curl", 80, 152);
    put(&e, mem, "curl", 443, EVENTS_NULL);
    assert_int_equal(add(ports, &e), ERR_OK);
    assert_int_equal(add(lats, &e), ERR_OK);
    assert_top(ports, TOP_COUNT, 0, 2, "443 2 0 0 .0\n80 1 0 0 .0\n");
    assert_top(lats, TOP_COUNT, 0, 2, "1.52 2 523 443 .0\n 1 443 443 .0\n");
}

static void decimals_of_captures_are_brought_to_the_finer_ones(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct events tenths = table(mem, 1), millis = table(mem, 3);
    put(&tenths, mem, "curl", 1, 15);   /* 1.5 */
    put(&millis, mem, "curl", 1, 1250); /* 1.250 */
    AUTO(top_free) struct top *a = new_top("COMM", "LAT", BUDGET), *b = new_top("COMM", "LAT", BUDGET);
    assert_int_equal(add(a, &tenths), ERR_OK);
    assert_int_equal(add(a, &millis), ERR_OK);
    assert_int_equal(add(b, &millis), ERR_OK);
    assert_int_equal(add(b, &tenths), ERR_OK);
    assert_top(a, TOP_COUNT, 0, 1, "curl 2 2750 1500 .3\n");
    assert_top(b, TOP_COUNT, 0, 1, "curl 2 2750 1500 .3\n");
}

static void totals_saturate_whatever_the_order(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    AUTO(top_free) struct top *t = new_top("COMM", "LAT", BUDGET);
    struct events e = table(mem, 0), finer = table(mem, 9);
    put(&e, mem, "up", 1, INT64_MAX);
    put(&e, mem, "up", 1, INT64_MAX);
    put(&e, mem, "back", 1, INT64_MAX);
    put(&e, mem, "back", 1, 5);
    put(&e, mem, "back", 1, -INT64_MAX);
    put(&e, mem, "down", 1, -INT64_MAX);
    put(&e, mem, "down", 1, -INT64_MAX);
    assert_int_equal(add(t, &e), ERR_OK);
    assert_top(t, TOP_TOTAL, 0, 3,
               "up 2 9223372036854775807 9223372036854775807 .0\n"
               "back 3 5 9223372036854775807 .0\n"
               "down 2 -9223372036854775808 -9223372036854775807 .0\n");
    put(&finer, mem, "back", 1, 1);
    assert_int_equal(add(t, &finer), ERR_OK);
    assert_top(t, TOP_TOTAL, 0, 3,
               "up 2 9223372036854775807 9223372036854775807 .9\n"
               "back 4 5000000001 9223372036854775807 .9\n"
               "down 2 -9223372036854775808 -9223372036854775808 .9\n");
}

static void a_cell_that_is_no_number_counts_but_adds_nothing(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    AUTO(top_free) struct top *t = new_top("COMM", "LAT", BUDGET);
    struct events e = table(mem, 2);
    put(&e, mem, "a", 1, EVENTS_NULL);
    put(&e, mem, "b", 1, -5);
    put(&e, mem, "b", 1, EVENTS_NULL);
    assert_int_equal(add(t, &e), ERR_OK);
    assert_top(t, TOP_COUNT, 0, 2, "b 2 -5 -5 .2\na 1 0 0 .2\n");
}

static void averages_are_compared_exactly(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    AUTO(top_free) struct top *t = new_top("COMM", "LAT", BUDGET);
    struct events e = table(mem, 0);
    /* as doubles both are 2^62 */
    put(&e, mem, "a", 1, (1LL << 62) + 1);
    put(&e, mem, "b", 1, (1LL << 62) + 2);
    put(&e, mem, "c", 1, 1LL << 62);
    /* 10/3 and 3: integer division would call them equal */
    put(&e, mem, "x", 1, 9);
    put(&e, mem, "x", 1, 1);
    put(&e, mem, "x", 1, 0);
    put(&e, mem, "w", 1, 3);
    assert_int_equal(add(t, &e), ERR_OK);
    assert_top(t, TOP_AVG, 0, 5,
               "b 1 4611686018427387906 4611686018427387906 .0\n"
               "a 1 4611686018427387905 4611686018427387905 .0\n"
               "c 1 4611686018427387904 4611686018427387904 .0\n"
               "x 3 10 9 .0\n"
               "w 1 3 3 .0\n");
}

static void a_column_that_is_not_there_or_not_a_number_is_said(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct events e = table(mem, 2), none;
    put(&e, mem, "curl", 1, 1);
    assert_int_equal(events_init(&none, NULL, 0, mem), ERR_OK);
    AUTO(top_free)
    struct top *by = new_top("UID", "LAT", BUDGET), *of = new_top("COMM", "BYTES", BUDGET), *text = new_top("COMM", "COMM", BUDGET),
               *fine = new_top("COMM", "LAT", BUDGET);
    assert_int_equal(add(by, &e), ERR_NOTFOUND);
    assert_int_equal(add(of, &e), ERR_NOTFOUND);
    assert_int_equal(add(text, &e), ERR_NOTFOUND);
    assert_int_equal(add(fine, &none), ERR_NOTFOUND);
    assert_top(of, TOP_COUNT, 0, 0, "");
    struct events no_rows = table(mem, 2);
    assert_int_equal(add(fine, &no_rows), ERR_OK);
    assert_top(fine, TOP_COUNT, 0, 0, "");
}

static void an_answer_over_the_budget_is_said(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    AUTO(top_free) struct top *t = new_top("COMM", "", BUDGET);
    struct events e = table(mem, 2);
    put(&e, mem, "curl", 1, 1);
    assert_int_equal(add(t, &e), ERR_OK);
    size_t budget = 0;
    enum err err = ERR_NOMEM;
    for (; err == ERR_NOMEM; budget += 64) {
        AUTO(arena_free) struct arena *small = arena_new(budget);
        struct top_row *rows = NULL;
        struct top_summary summary = {.groups = 77};
        size_t n = 77;
        err = top_get(t, TOP_COUNT, 0, small, &rows, &n, &summary);
        assert_int_equal(n, err ? 77 : 1);
        assert_int_equal(summary.groups, err ? 77 : 1);
    }
    assert_int_equal(err, ERR_OK);
    assert_true(budget > 64);
}

/* Never silently wrong: what is in the list is counted to the last row, what is not is said. */
static void ranked_by_average_groups_over_the_budget_are_left_out_whole_and_counted(void **state) {
    enum { VALUES = 2000, TIMES = 3 };
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 24);
    const struct top_options opt = {
        .fields = {SPAN_LIT("COMM")}, .n_fields = 1, .of = SPAN_LIT("LAT"), .rank = TOP_AVG, .budget_bytes = 256 * 1024};
    AUTO(top_free) struct top *t = top_new(&opt);
    for (size_t time = 0; time < TIMES; time++) {
        struct events e = table(mem, 2);
        for (size_t i = 0; i < VALUES; i++) {
            char name[16];
            snprintf(name, sizeof name, "value-%04zu", i);
            put(&e, mem, name, 1, 5);
        }
        assert_int_equal(add(t, &e), ERR_OK);
    }
    struct top_row *rows = NULL;
    struct top_summary summary;
    size_t n = 0;
    assert_int_equal(top_get(t, TOP_COUNT, 0, mem, &rows, &n, &summary), ERR_OK);
    assert_true(n > 100 && n < VALUES);
    for (size_t i = 0; i < n; i++) assert_true(rows[i].count == TIMES && rows[i].total == 5 * TIMES);
    assert_false(summary.bounded);
    assert_int_equal(summary.left_out, (VALUES - n) * TIMES);
    assert_int_equal(summary.rows, VALUES * TIMES);
}

static void several_fields_are_grouped_by_their_combinations(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    const struct label labels[] = {{SPAN_LIT("zone"), SPAN_LIT("a")}};
    const struct where_source web = {.host = SPAN_LIT("web-1"), .labels = labels, .n_labels = 1}, db = {.host = SPAN_LIT("db-1")};
    const struct top_options opt = {.fields = {SPAN_LIT("comm"), SPAN_LIT("host"), SPAN_LIT("label:zone"), SPAN_LIT("DPORT")},
                                    .n_fields = 4,
                                    .of = SPAN_LIT(""),
                                    .budget_bytes = BUDGET};
    AUTO(top_free) struct top *t = top_new(&opt);
    struct events e = table(mem, 2);
    struct span name;
    struct top_row *rows = NULL;
    struct top_summary summary;
    size_t n = 0;
    put(&e, mem, "curl", 80, 1);
    put(&e, mem, "curl", 80, 1);
    put(&e, mem, "curl", 443, 1);
    assert_int_equal(top_add(t, &e, &web, &name), ERR_OK);
    assert_int_equal(top_add(t, &e, &db, &name), ERR_OK);
    assert_int_equal(top_get(t, TOP_COUNT, 3, mem, &rows, &n, &summary), ERR_OK);
    assert_int_equal(n, 3);
    assert_int_equal(summary.groups, 4);
    assert_int_equal(rows[0].count, 2);
    assert_string_equal(rows[0].values[1].p, "db-1");
    assert_string_equal(rows[0].values[2].p, "");
    assert_string_equal(rows[1].values[1].p, "web-1");
    assert_string_equal(rows[1].values[2].p, "a");
    assert_string_equal(rows[2].values[3].p, "443");
}

enum { NAMES = 4, ROWS = 24 };
static const char *const names[NAMES] = {"", "a", "ab", "b"};

/* The rows of a case beside the tables they went into. */
struct raw {
    size_t name;
    int64_t value, unit; /* value × unit: at the finest decimals */
};

static void brute(const struct raw *raw, size_t n, size_t name, struct top_row *out) {
    *out = (struct top_row){.value = span_str(names[name])};
    for (size_t i = 0; i < n; i++) {
        if (raw[i].name != name) continue;
        int64_t v = raw[i].value * raw[i].unit;
        if (out->count == 0 || v > out->max) out->max = v;
        out->total += v;
        out->count++;
    }
}

static bool before(const struct top_row *a, const struct top_row *b, enum top_rank rank) {
    double x = 0, y = 0; /* the numbers are small: exact */
    switch (rank) {
    case TOP_COUNT:
        x = (double)a->count;
        y = (double)b->count;
        break;
    case TOP_TOTAL:
        x = (double)a->total;
        y = (double)b->total;
        break;
    case TOP_MAX:
        x = (double)a->max;
        y = (double)b->max;
        break;
    case TOP_P99:
        break;
    case TOP_AVG:
        x = (double)a->total * (double)b->count;
        y = (double)b->total * (double)a->count;
        break;
    }
    return x != y ? x > y : span_cmp(a->values[0], b->values[0]) < 0;
}

static void check_case(struct gen *g, struct arena *mem, size_t c) {
    AUTO(top_free) struct top *t = new_top("COMM", "LAT", BUDGET);
    struct events e[2] = {table(mem, 0), table(mem, 2)};
    struct raw raw[ROWS];
    struct top_row want[NAMES], *got = NULL;
    size_t n = gen_below(g, ROWS + 1), n_want = 0, n_got = 0, limit = gen_below(g, 4);
    enum top_rank rank = (enum top_rank)gen_below(g, 4);
    struct top_summary summary;
    for (size_t i = 0; i < n; i++) {
        size_t which = gen_below(g, 2);
        raw[i] = (struct raw){gen_below(g, NAMES), (int64_t)gen_below(g, 40) - 10, which ? 1 : 100};
        put(&e[which], mem, names[raw[i].name], 1, raw[i].value);
    }
    size_t first = gen_below(g, 2);
    assert_int_equal(add(t, &e[first]), ERR_OK);
    assert_int_equal(add(t, &e[1 - first]), ERR_OK);
    for (size_t name = 0; name < NAMES; name++) {
        struct top_row row;
        brute(raw, n, name, &row);
        if (row.count == 0) continue;
        size_t i = n_want++;
        for (; i > 0 && before(&row, &want[i - 1], rank); i--) want[i] = want[i - 1];
        want[i] = row;
    }
    assert_int_equal(top_get(t, rank, limit, mem, &got, &n_got, &summary), ERR_OK);
    assert_int_equal(summary.groups, n_want);
    assert_int_equal(n_got, limit && limit < n_want ? limit : n_want);
    for (size_t i = 0; i < n_got; i++) {
        bool same = span_eq(got[i].values[0], want[i].values[0]) && got[i].count == want[i].count && got[i].total == want[i].total &&
                    got[i].max == want[i].max;
        if (!same) fail_msg("case %zu", c);
    }
}

enum { MANY = 30, MANY_ROWS = 200 };

/* All rows in tables, twice where a p99 wants it. */
static enum err read_twice(struct top *t, struct events *const *tables, size_t n_tables, enum top_rank rank, size_t n) {
    bool again = true;
    enum err err = ERR_OK;
    for (int times = 0; again && !err; times++) {
        assert_true(times < 3);
        for (size_t i = 0; i < n_tables && !err; i++) err = add(t, tables[i]);
        if (!err) err = top_again(t, rank, n, &again);
    }
    return err;
}

static bool p99_of(const struct raw *raw, size_t n, size_t name, double *out) {
    int64_t all[MANY_ROWS];
    size_t n_all = 0;
    for (size_t i = 0; i < n; i++) {
        if (raw[i].name != name) continue;
        size_t at = n_all++;
        for (; at > 0 && all[at - 1] > raw[i].value * raw[i].unit; at--) all[at] = all[at - 1];
        all[at] = raw[i].value * raw[i].unit;
    }
    if (n_all) *out = (double)all[(n_all * 990 + 999) / 1000 - 1] / 100;
    return n_all > 0;
}

/* Whatever the rank, each row's p99 is that of all its numbers; ranked by it, nothing that is not listed is above what is. */
static void check_p99(struct gen *g, struct arena *mem, size_t c) {
    const struct top_options opt = {
        .fields = {SPAN_LIT("COMM")}, .n_fields = 1, .of = SPAN_LIT("LAT"), .rank = TOP_P99, .p99 = true, .budget_bytes = BUDGET};
    AUTO(top_free) struct top *t = top_new(&opt);
    struct events e[2] = {table(mem, 0), table(mem, 2)}, *both[2] = {&e[0], &e[1]};
    struct raw raw[MANY_ROWS];
    size_t n = gen_below(g, MANY_ROWS + 1), limit = gen_below(g, 6), n_got = 0;
    enum top_rank rank = (enum top_rank)gen_below(g, TOP_P99 + 1);
    unsigned octaves = (unsigned)gen_below(g, 12);
    struct top_row *got = NULL;
    struct top_summary summary;
    bool listed[MANY] = {false};
    for (size_t i = 0; i < n; i++) {
        char name[] = {(char)('a' + gen_below(g, gen_below(g, MANY) + 1)), 0};
        size_t which = gen_below(g, 2);
        raw[i] = (struct raw){(size_t)(name[0] - 'a'), ((int64_t)gen_below(g, 300) - 20) * (1 << gen_below(g, octaves + 1)), which ? 1 : 100};
        put(&e[which], mem, name, 1, raw[i].value);
    }
    assert_int_equal(read_twice(t, both, 2, rank, limit), ERR_OK);
    assert_int_equal(top_get(t, rank, limit, mem, &got, &n_got, &summary), ERR_OK);
    assert_int_equal(n_got, limit && limit < summary.groups ? limit : summary.groups);
    assert_true(summary.rows == n && !summary.left_out && !summary.bounded);
    for (size_t i = 0; i < n_got; i++) {
        size_t name = (size_t)(got[i].value.p[0] - 'a');
        double want = 0;
        listed[name] = p99_of(raw, n, name, &want);
        if (!listed[name] || !got[i].p99.known || want < got[i].p99.low || want > got[i].p99.high) fail_msg("case %zu: %g", c, want);
        if (rank == TOP_P99 && i > 0) assert_true(got[i - 1].p99.value >= got[i].p99.value);
    }
    for (size_t name = 0; name < MANY && rank == TOP_P99 && n_got; name++) {
        double value;
        if (!listed[name] && p99_of(raw, n, name, &value) && value > got[n_got - 1].p99.high) fail_msg("case %zu: %g is above", c, value);
    }
}

static void a_p99_is_that_of_all_rows_and_ranks_as_brute_force_does(void **state) {
    (void)state;
    struct gen g = made_gen();
    for (size_t c = 0; c < CASES; c++) {
        AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
        check_p99(&g, mem, c);
    }
}

static void the_top_equals_brute_force(void **state) {
    (void)state;
    struct gen g = made_gen();
    for (size_t c = 0; c < CASES; c++) {
        AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
        check_case(&g, mem, c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_grouped_by_text_and_ranked_each_way),
        cmocka_unit_test(numbers_group_by_their_printed_text),
        cmocka_unit_test(decimals_of_captures_are_brought_to_the_finer_ones),
        cmocka_unit_test(totals_saturate_whatever_the_order),
        cmocka_unit_test(a_cell_that_is_no_number_counts_but_adds_nothing),
        cmocka_unit_test(averages_are_compared_exactly),
        cmocka_unit_test(a_column_that_is_not_there_or_not_a_number_is_said),
        cmocka_unit_test(an_answer_over_the_budget_is_said),
        cmocka_unit_test(ranked_by_average_groups_over_the_budget_are_left_out_whole_and_counted),
        cmocka_unit_test(several_fields_are_grouped_by_their_combinations),
        cmocka_unit_test(the_top_equals_brute_force),
        cmocka_unit_test(a_p99_is_that_of_all_rows_and_ranks_as_brute_force_does),
    };
    return cmocka_run_group_tests_name("top", tests, NULL, NULL);
}
