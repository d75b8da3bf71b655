#include "tests/unit/merge/made.h"

#include <string.h>

#include "common/merge/where.h"

static const struct label labels[] = {{SPAN_LIT("zone"), SPAN_LIT("a")}};
static const struct where_source web = {.host = SPAN_LIT("web-1"), .labels = labels, .n_labels = 1};

/* curl 80 1.50 | curl 443 12.00 | kworker/1:2 -5 none | "a b" 80 10.00 */
static struct events table(struct arena *mem) {
    static const struct column columns[] = {{.name = SPAN_LIT("COMM"), .type = COLUMN_TEXT},
                                            {.name = SPAN_LIT("DPORT"), .type = COLUMN_INT},
                                            {.name = SPAN_LIT("LAT(ms)"), .type = COLUMN_DECIMAL, .decimals = 2}};
    static const struct {
        const char *comm;
        int64_t port, lat;
    } rows[] = {{"curl", 80, 150}, {"curl", 443, 1200}, {"kworker/1:2", -5, EVENTS_NULL}, {"a b", 80, 1000}};
    struct events e;
    size_t row = 0;
    assert_int_equal(events_init(&e, columns, COUNT_OF(columns), mem), ERR_OK);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(events_row(&e, mem, &row), ERR_OK);
        assert_int_equal(strings_add(&e.strings, span_str(rows[i].comm), &e.columns[0].text[row]), ERR_OK);
        e.columns[1].number[row] = rows[i].port;
        e.columns[2].number[row] = rows[i].lat;
    }
    return e;
}

static void a_condition_means_what_it_says(void **state) {
    static const struct {
        const char *text, *rows;
    } cases[] = {
        {"COMM=curl", "1100"},
        {"comm == 'a b'", "0001"},
        {"COMM!=curl", "0011"},
        {"LAT(ms)>10", "0100"},
        {"LAT(ms)>=10.000", "0101"},
        {"lat<=1.5", "1000"},
        {"LAT<1.505", "1000"},
        {"LAT!=1.5", "0111"},
        {"DPORT<0", "0010"},
        {"LAT(ms)>10 && COMM=curl", "0100"},
        {"COMM=curl && DPORT=80 || DPORT=-5", "1010"},
        {"COMM=curl && (DPORT=443 || DPORT=-5)", "0100"},
        {"!(COMM~k*)", "1101"},
        {"!COMM=curl", "0011"},
        {"COMM!~*r*", "0001"},
        {"COMM~????", "1100"},
        {"host=web-1", "1111"},
        {"label:zone!=a", "0000"},
        {"label:rack=\"\" && COMM<b", "0001"},
    };
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct events e = table(mem);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct where *w = NULL;
        struct where_fault fault = {0};
        unsigned char rows[5] = "";
        struct span name;
        assert_int_equal(where_parse(span_str(cases[i].text), mem, &fault, &w), ERR_OK);
        assert_int_equal(where_rows(w, &e, &web, rows, &name), ERR_OK);
        for (size_t r = 0; r < 4; r++) rows[r] = (unsigned char)('0' + rows[r]);
        if (strcmp((const char *)rows, cases[i].rows) != 0) fail_msg("%s: %s", cases[i].text, rows);
    }
}

static void a_fault_has_its_place_and_a_sentence(void **state) {
    static const struct {
        const char *text;
        size_t at;
        const char *what;
    } cases[] = {
        {"", 0, "a column's name is missing"},
        {"COMM", 4, "a comparison is missing: = != < <= > >= ~ !~"},
        {"COMM=", 5, "a value is missing"},
        {"COMM='curl", 5, "the quotation mark has no end"},
        {"(COMM=a", 7, "a ) is missing"},
        {"COMM=a DPORT=1", 7, "nothing more was expected here; conditions are joined with && and ||"},
        {"COMM=a & DPORT=1", 7, "nothing more was expected here; conditions are joined with && and ||"},
        {"COMM=a &&", 9, "a column's name is missing"},
    };
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct where *w = NULL;
        struct where_fault fault = {0};
        assert_int_equal(where_parse(span_str(cases[i].text), mem, &fault, &w), ERR_SYNTAX);
        assert_string_equal(fault.what, cases[i].what);
        assert_int_equal(fault.at, cases[i].at);
    }
}

static void length_number_and_depth_are_limited(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct where_fault fault;
    const struct where *w = NULL;
    char text[WHERE_BYTES + 2];
    memset(text, '!', sizeof text);
    assert_int_equal(where_parse(span_of(text, sizeof text), mem, &fault, &w), ERR_LIMIT);
    assert_int_equal(where_parse(span_of(text, WHERE_BYTES), mem, &fault, &w), ERR_LIMIT);
    struct buf many;
    buf_init(&many, 0);
    for (int i = 0; i < WHERE_NODES; i++) buf_add_str(&many, i ? "||a=b" : "a=b");
    assert_int_equal(where_parse(buf_span(&many), mem, &fault, &w), ERR_LIMIT);
    buf_done(&many);
}

static void what_does_not_fit_the_columns_is_named(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct events e = table(mem);
    const struct where *w = NULL;
    struct where_fault fault;
    struct span name;
    unsigned char rows[4];
    assert_int_equal(where_parse(SPAN_LIT("COMM=a || PID=3"), mem, &fault, &w), ERR_OK);
    assert_int_equal(where_rows(w, &e, &web, rows, &name), ERR_NOTFOUND);
    assert_true(span_eq_str(name, "PID"));
    assert_int_equal(where_parse(SPAN_LIT("LAT=fast"), mem, &fault, &w), ERR_OK);
    assert_int_equal(where_rows(w, &e, &web, rows, &name), ERR_SYNTAX);
    assert_true(span_eq_str(name, "LAT"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_condition_means_what_it_says),
        cmocka_unit_test(a_fault_has_its_place_and_a_sentence),
        cmocka_unit_test(length_number_and_depth_are_limited),
        cmocka_unit_test(what_does_not_fit_the_columns_is_named),
    };
    return cmocka_run_group_tests_name("where", tests, NULL, NULL);
}
