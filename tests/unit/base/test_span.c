#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/auto.h"
#include "common/base/bytemask.h"

#define S(text) span_str(text)

static void spans_compare_by_their_bytes(void **state) {
    (void)state;
    assert_true(span_eq(S("ab"), S("ab")));
    assert_false(span_eq(S("ab"), S("abc")));
    assert_true(span_eq(SPAN_NONE, S("")));
    assert_true(span_eq_str(SPAN_NONE, ""));
    assert_true(span_cmp(S("a"), S("ab")) < 0);
    assert_true(span_cmp(S("b"), S("ab")) > 0);
    assert_int_equal(span_cmp(S("ab"), S("ab")), 0);
    assert_int_equal(span_cmp(SPAN_NONE, S("")), 0);
    assert_true(span_cmp(S("\x7f"), S("\x80")) < 0); /* unsigned */
    assert_true(span_starts(S("runqlat"), S("run")) && !span_starts(S("ru"), S("run")) && span_starts(SPAN_NONE, SPAN_NONE));
    assert_true(span_ends(S("runqlat"), S("lat")) && !span_ends(S("at"), S("lat")) && span_ends(S("x"), S("")));
}

static void what_is_sought_is_found_or_the_end_is(void **state) {
    (void)state;
    assert_int_equal(span_find(S("a=b=c"), '='), 1);
    assert_int_equal(span_rfind(S("a=b=c"), '='), 3);
    assert_int_equal(span_find(S("abc"), '='), 3);
    assert_int_equal(span_rfind(S("abc"), '='), 3);
    assert_int_equal(span_find(SPAN_NONE, 'x'), 0);
    assert_int_equal(span_rfind(SPAN_NONE, 'x'), 0);
    assert_int_equal(span_find_span(S("xx--yy--"), S("--")), 2);
    assert_int_equal(span_find_span(S("xx"), S("yyy")), 2);
    assert_int_equal(span_find_span(S("xx"), SPAN_NONE), 0);
    assert_int_equal(span_find_span(SPAN_NONE, S("a")), 0);
}

static void pieces_never_leave_the_span(void **state) {
    (void)state;
    assert_true(span_eq_str(span_drop(S("abc"), 1), "bc"));
    assert_int_equal(span_drop(S("abc"), 9).n, 0);
    assert_true(span_eq_str(span_head(S("abc"), 2), "ab"));
    assert_int_equal(span_head(S("abc"), 9).n, 3);
    assert_int_equal(span_drop(SPAN_NONE, 3).n, 0);
    assert_true(span_eq_str(span_trim(S(" \t\r\na b\r\n")), "a b"));
    assert_true(span_eq_str(span_trim_end(S(" a ")), " a"));
    assert_int_equal(span_trim(S(" \t ")).n, 0);
    assert_int_equal(span_trim(SPAN_NONE).n, 0);
}

static void a_cut_gives_both_sides(void **state) {
    (void)state;
    struct span head, rest;
    assert_true(span_cut(S("k=v=w"), '=', &head, &rest));
    assert_true(span_eq_str(head, "k") && span_eq_str(rest, "v=w"));
    assert_true(span_cut(S("k="), '=', &head, &rest));
    assert_true(span_eq_str(head, "k") && rest.n == 0);
    assert_false(span_cut(S("k"), '=', &head, &rest));
    assert_true(span_eq_str(head, "k") && rest.n == 0);
    assert_false(span_cut(SPAN_NONE, '=', &head, &rest));
}

static void every_line_comes_once_the_unfinished_last_one_too(void **state) {
    (void)state;
    struct span rest = S("a\n\nb\r\nc"), line;
    assert_true(span_line(&rest, &line) && span_eq_str(line, "a"));
    assert_true(span_line(&rest, &line) && line.n == 0);
    assert_true(span_line(&rest, &line) && span_eq_str(line, "b\r"));
    assert_true(span_line(&rest, &line) && span_eq_str(line, "c"));
    assert_false(span_line(&rest, &line));
    rest = S("a\n");
    assert_true(span_line(&rest, &line) && span_eq_str(line, "a"));
    assert_false(span_line(&rest, &line));
}

static void words_are_what_blanks_leave(void **state) {
    (void)state;
    struct span rest = S("  12 \tab\n "), word;
    assert_true(span_eq_str(span_nth_word(rest, 0), "12") && span_eq_str(span_nth_word(rest, 1), "ab\n"));
    assert_true(span_nth_word(rest, 2).n == 0);
    assert_true(span_word(&rest, &word) && span_eq_str(word, "12"));
    assert_true(span_word(&rest, &word) && span_eq_str(word, "ab\n"));
    assert_false(span_word(&rest, &word));
    assert_int_equal(rest.n, 0);
    assert_true(span_eq_str(word, "ab\n")); /* untouched */
    rest = SPAN_NONE;
    assert_false(span_word(&rest, &word));
}

static void only_whole_numbers_in_range_are_numbers(void **state) {
    (void)state;
    uint64_t u = 1;
    int64_t i = 1;
    assert_true(span_u64(S("18446744073709551615"), &u) && u == UINT64_MAX);
    assert_true(span_u64(S("007"), &u) && u == 7);
    const char *not_u64[] = {"", "18446744073709551616", "99999999999999999999999", "-1", "+1", " 1", "1 ", "0x1", "1e3", "\xb2"};
    for (size_t k = 0; k < COUNT_OF(not_u64); k++) assert_false(span_u64(S(not_u64[k]), &u));
    assert_false(span_u64(SPAN_NONE, &u));
    assert_int_equal(u, 7); /* untouched */
    assert_true(span_i64(S("-9223372036854775808"), &i) && i == INT64_MIN);
    assert_true(span_i64(S("9223372036854775807"), &i) && i == INT64_MAX);
    assert_true(span_i64(S("-0"), &i) && i == 0);
    const char *not_i64[] = {"", "-", "--1", "9223372036854775808", "-9223372036854775809", "+1"};
    for (size_t k = 0; k < COUNT_OF(not_i64); k++) assert_false(span_i64(S(not_i64[k]), &i));
    assert_int_equal(i, 0);
}

static void decimals_keep_their_digits(void **state) {
    (void)state;
    int64_t m = 1;
    unsigned d = 9;
    assert_true(span_decimal(S("-12.345"), &m, &d));
    assert_int_equal(m, -12345);
    assert_int_equal(d, 3);
    assert_true(span_decimal(S("7"), &m, &d) && m == 7 && d == 0);
    assert_true(span_decimal(S("-0.50"), &m, &d) && m == -50 && d == 2);
    assert_true(span_decimal(S("999999999.999999999"), &m, &d) && m == 999999999999999999 && d == 9);
    const char *bad[] = {"", "-", ".", "1.", ".5", "1.2.3", "1,5", "nan", "1e5", "-.5", "1234567890.123456789", "1 "};
    for (size_t k = 0; k < COUNT_OF(bad); k++) assert_false(span_decimal(S(bad[k]), &m, &d));
    assert_int_equal(d, 9);
}

static void durations_and_sizes_have_units(void **state) {
    (void)state;
    uint64_t v = 0;
    const struct {
        const char *text;
        uint64_t ns;
    } good[] = {{"5s", 5000000000},   {"10ms", 10000000}, {"2m", 120000000000}, {"1h", 3600000000000}, {"250us", 250000},
                {"7", 7000000000}, {"9ns", 9},         {"0", 0},             {"1d", 86400000000000}};
    for (size_t k = 0; k < COUNT_OF(good); k++) {
        assert_true(span_duration_ns(S(good[k].text), &v));
        assert_true(v == good[k].ns);
    }
    const char *bad[] = {"", "s", "5 s", "5sec", "-5s", "1.5s", "99999999999999h", "5S"};
    v = 42;
    for (size_t k = 0; k < COUNT_OF(bad); k++) assert_false(span_duration_ns(S(bad[k]), &v));
    assert_int_equal(v, 42);
    assert_true(span_size_bytes(S("50MiB"), &v) && v == 50u << 20);
    assert_true(span_size_bytes(S("64K"), &v) && v == 64u << 10);
    assert_true(span_size_bytes(S("1G"), &v) && v == 1u << 30);
    assert_true(span_size_bytes(S("3GiB"), &v) && v == 3ull << 30);
    assert_true(span_size_bytes(S("4096"), &v) && v == 4096);
    v = 42;
    const char *bad_sizes[] = {"", "K", "1k", "1KB", "-1", "20000000000G", "1 K"};
    for (size_t k = 0; k < COUNT_OF(bad_sizes); k++) assert_false(span_size_bytes(S(bad_sizes[k]), &v));
    assert_int_equal(v, 42);
}

static void a_mask_has_a_bit_for_each_byte_that_is_meant_and_none_behind_the_end(void **state) {
    (void)state;
    char text[200];
    for (size_t i = 0; i < sizeof text; i++) text[i] = (char)(i * 37);
    for (size_t n = 0; n <= sizeof text; n++) {
        for (size_t at = 0; at < n; at++) {
            uint64_t mask = bytemask_eq(span_of(text, n), at, ' '), want = 0;
            for (size_t i = 0; i < 64 && at + i < n; i++) want |= (uint64_t)(text[at + i] == ' ') << i;
            assert_true(mask == want);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_compare_by_their_bytes),
        cmocka_unit_test(what_is_sought_is_found_or_the_end_is),
        cmocka_unit_test(pieces_never_leave_the_span),
        cmocka_unit_test(a_cut_gives_both_sides),
        cmocka_unit_test(every_line_comes_once_the_unfinished_last_one_too),
        cmocka_unit_test(words_are_what_blanks_leave),
        cmocka_unit_test(only_whole_numbers_in_range_are_numbers),
        cmocka_unit_test(decimals_keep_their_digits),
        cmocka_unit_test(a_mask_has_a_bit_for_each_byte_that_is_meant_and_none_behind_the_end),
        cmocka_unit_test(durations_and_sizes_have_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
