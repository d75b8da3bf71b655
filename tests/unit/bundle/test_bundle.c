#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/auto.h"
#include "common/bundle/bundle.h"

static struct buf made(void) {
    struct buf b;
    buf_init(&b, 0);
    assert_int_equal(bundle_begin(&b), ERR_OK);
    assert_int_equal(bundle_add(&b, SPAN_LIT("order"), SPAN_LIT("signed\nbytes")), ERR_OK);
    assert_int_equal(bundle_add(&b, SPAN_LIT("part:web-1:0:0"), SPAN_LIT("")), ERR_OK);
    assert_int_equal(bundle_end(&b), ERR_OK);
    return b;
}

/* All of it; out_n: pieces that were read. */
static enum err read_all(struct span whole, size_t *out_n, struct bundle_fault *fault) {
    struct bundle b;
    struct bundle_piece piece;
    enum err e = bundle_open(whole, &b, fault);
    *out_n = 0;
    while (!e) {
        e = bundle_next(&b, &piece, fault);
        *out_n += !e;
    }
    return e;
}

static void what_was_written_is_read(void **state) {
    (void)state;
    struct buf whole = made();
    struct bundle b;
    struct bundle_piece piece;
    struct bundle_fault fault;
    assert_int_equal(bundle_open(buf_span(&whole), &b, &fault), ERR_OK);
    assert_int_equal(bundle_next(&b, &piece, &fault), ERR_OK);
    assert_true(span_eq_str(piece.name, "order") && span_eq_str(piece.bytes, "signed\nbytes"));
    assert_int_equal(bundle_next(&b, &piece, &fault), ERR_OK);
    assert_true(span_eq_str(piece.name, "part:web-1:0:0") && piece.bytes.n == 0);
    assert_int_equal(bundle_next(&b, &piece, &fault), ERR_AGAIN);
    buf_done(&whole);
}

static void every_changed_byte_is_found(void **state) {
    (void)state;
    struct buf whole = made();
    struct bundle_fault fault;
    size_t n = 0;
    for (size_t i = 0; i < whole.n; i++)
        for (int bit = 0; bit < 8; bit++) {
            whole.p[i] = (char)(whole.p[i] ^ (1 << bit));
            if (read_all(buf_span(&whole), &n, &fault) == ERR_AGAIN) fail_msg("bit %d of byte %zu", bit, i);
            whole.p[i] = (char)(whole.p[i] ^ (1 << bit));
        }
    assert_int_equal(read_all(buf_span(&whole), &n, &fault), ERR_AGAIN);
    assert_int_equal(n, 2);
    buf_done(&whole);
}

static void every_cut_and_everything_behind_the_end_is_found(void **state) {
    (void)state;
    struct buf whole = made();
    struct bundle_fault fault;
    size_t n = 0;
    for (size_t i = 0; i < whole.n; i++) assert_int_equal(read_all(span_head(buf_span(&whole), i), &n, &fault), ERR_SYNTAX);
    buf_add_char(&whole, '\n');
    assert_int_equal(read_all(buf_span(&whole), &n, &fault), ERR_SYNTAX);
    assert_string_equal(fault.what, "something is behind its end");
    buf_done(&whole);
}

/* Evidence is one file, not several that say the same. */
static void a_number_is_written_in_one_way(void **state) {
    (void)state;
    static const char *const numbers[] = {" 1\n", "r 12 ", "0:0 0 ", "end 0 "};
    struct buf whole = made(), b;
    struct bundle_fault fault;
    size_t n = 0;
    buf_init(&b, 0);
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        size_t at = span_find_span(buf_span(&whole), span_str(numbers[i]));
        assert_true(at < whole.n);
        at += strcspn(numbers[i], " ") + 1;
        buf_reset(&b);
        buf_add(&b, span_head(buf_span(&whole), at));
        buf_add_char(&b, '0');
        buf_add(&b, span_drop(buf_span(&whole), at));
        assert_int_equal(read_all(buf_span(&b), &n, &fault), ERR_SYNTAX);
    }
    buf_done(&b);
    buf_done(&whole);
}

static void names_have_an_alphabet_and_a_length(void **state) {
    (void)state;
    struct buf b;
    char name[BUNDLE_NAME_BYTES + 1];
    memset(name, 'x', sizeof name);
    buf_init(&b, 0);
    assert_int_equal(bundle_add(&b, SPAN_LIT(""), SPAN_LIT("")), ERR_SYNTAX);
    assert_int_equal(bundle_add(&b, SPAN_LIT("a b"), SPAN_LIT("")), ERR_SYNTAX);
    assert_int_equal(bundle_add(&b, span_of(name, sizeof name), SPAN_LIT("")), ERR_LIMIT);
    assert_int_equal(bundle_add(&b, span_of(name, BUNDLE_NAME_BYTES), SPAN_LIT("")), ERR_OK);
    buf_done(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(every_changed_byte_is_found),
        cmocka_unit_test(every_cut_and_everything_behind_the_end_is_found),
        cmocka_unit_test(a_number_is_written_in_one_way),
        cmocka_unit_test(names_have_an_alphabet_and_a_length),
    };
    return cmocka_run_group_tests_name("bundle", tests, NULL, NULL);
}
