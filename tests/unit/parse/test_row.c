/* What reads many bytes at once finds what the byte by byte functions find. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/auto.h"
#include "common/parse/parse_digits.h"
#include "common/parse/parse_memo.h"
#include "common/parse/parse_row.h"
#include "tests/support/gen.h"

enum { ROUNDS = 200000, TEXT_BYTES = 64, LINE_BYTES = 400 };

/* n bytes that are mostly digits. */
static void make_number(struct gen *g, char *to, size_t n) {
    static const char others[] = ".-/:;0 \xb1\x00";
    for (size_t i = 0; i < n; i++) to[i] = (char)(gen_below(g, 12) ? '0' + gen_below(g, 10) : (uint8_t)others[gen_below(g, sizeof others)]);
}

static void numbers_are_what_they_are_digit_by_digit(void **state) {
    (void)state;
    struct gen g;
    char text[TEXT_BYTES];
    size_t numbers = 0, decimals = 0;
    gen_init(&g);
    gen_print(&g);
    for (size_t i = 0; i < ROUNDS; i++) {
        make_number(&g, text, sizeof text);
        struct span s = span_of(text, gen_below(&g, 20));
        if (s.n > 2 && gen_below(&g, 2)) text[gen_between(&g, 1, s.n - 2)] = '.';
        const char *end = s.p + s.n + gen_below(&g, sizeof text - s.n);
        int64_t quick = 0, slow = 0;
        unsigned quick_decimals = 0, slow_decimals = 0;
        if (parse_digits(s, end, &quick)) {
            assert_true(span_i64(s, &slow));
            assert_true(quick == slow);
            numbers++;
        }
        if (parse_digits_decimal(s, end, &quick, &quick_decimals)) {
            assert_true(span_decimal(s, &slow, &slow_decimals));
            assert_true(quick == slow && quick_decimals == slow_decimals);
            decimals++;
        }
    }
    assert_true(numbers > ROUNDS / 50 && decimals > ROUNDS / 50); /* most ordinary ones are read so */
}

static void words_are_what_they_are_byte_by_byte(void **state) {
    (void)state;
    struct gen g;
    char text[LINE_BYTES + TEXT_BYTES];
    gen_init(&g);
    gen_print(&g);
    for (size_t i = 0; i < ROUNDS / 20; i++) {
        uint64_t blank = gen_between(&g, 1, 12);
        for (size_t k = 0; k < sizeof text; k++) text[k] = (char)(gen_below(&g, blank) ? 'a' : gen_below(&g, 8) ? ' ' : '\t');
        struct span line = span_of(text, gen_below(&g, LINE_BYTES)), rest = line, want;
        struct parse_row row;
        size_t at = 0;
        parse_row_init(&row, line, line.p + line.n + gen_below(&g, TEXT_BYTES));
        while (span_word(&rest, &want)) {
            struct span word = parse_row_word(&row, &at);
            assert_true(word.p == want.p && word.n == want.n);
            assert_int_equal(parse_row_word_begin(&row, at), at - word.n);
        }
        assert_int_equal(parse_row_word(&row, &at).n, 0);
        for (size_t end = 0; end <= line.n; end++) {
            size_t unpadded = end;
            while (unpadded > 0 && text[unpadded - 1] == ' ') unpadded--;
            assert_int_equal(parse_row_unpadded(&row, end), unpadded);
        }
    }
}

static void a_memo_tells_texts_and_columns_apart(void **state) {
    (void)state;
    static struct parse_memo memo;
    struct parse_memo_key key = {.about = 0};
    char text[2 * PARSE_MEMO_BYTES] = "abcdefghijklmnop";
    const char *end = text + sizeof text;
    for (uint32_t n = 1; n <= PARSE_MEMO_BYTES; n++) {
        for (size_t column = 0; column < 4; column++) {
            assert_true(parse_memo_key(span_of(text, n), column, end, &key));
            assert_int_equal(parse_memo_find(&memo, &key), 0);
            parse_memo_keep(&memo, &key, n);
            assert_int_equal(parse_memo_find(&memo, &key), n);
            text[n - 1] ^= 1;
            assert_true(parse_memo_key(span_of(text, n), column, end, &key));
            assert_int_equal(parse_memo_find(&memo, &key), 0);
            text[n - 1] ^= 1;
        }
    }
    assert_false(parse_memo_key(span_of(text, PARSE_MEMO_BYTES + 1), 0, end, &key));
    assert_false(parse_memo_key(span_of(text, 3), 0, text + PARSE_MEMO_BYTES - 1, &key)); /* nothing is read behind end */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_what_they_are_digit_by_digit),
        cmocka_unit_test(words_are_what_they_are_byte_by_byte),
        cmocka_unit_test(a_memo_tells_texts_and_columns_apart),
    };
    return cmocka_run_group_tests_name("parse_row", tests, NULL, NULL);
}
