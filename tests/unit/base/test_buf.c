#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "tests/support/fault.h"
#include "tests/support/gen.h"

static void what_is_added_stands_there(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 0);
    assert_int_equal(buf_span(&b).n, 0);
    assert_string_equal(buf_str(&b), "");
    buf_add_str(&b, "a");
    buf_add_char(&b, 'b');
    buf_add_u64(&b, UINT64_MAX);
    buf_add_i64(&b, INT64_MIN);
    buf_add_u64(&b, 0);
    buf_add_fmt(&b, "%s-%03d", "x", 7);
    buf_add(&b, SPAN_NONE);
    assert_string_equal(buf_str(&b), "ab18446744073709551615-92233720368547758080x-007");
    assert_int_equal(buf_failed(&b), ERR_OK);
    buf_reset(&b);
    assert_string_equal(buf_str(&b), "");
    buf_done(&b);
}

static void the_cap_is_exact_and_what_went_over_it_leaves_no_trace(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 5);
    buf_add_str(&b, "abcde");
    assert_int_equal(buf_failed(&b), ERR_OK);
    assert_string_equal(buf_str(&b), "abcde");
    buf_add_char(&b, 'f');
    assert_int_equal(buf_failed(&b), ERR_LIMIT);
    assert_string_equal(buf_str(&b), "abcde");
    buf_drop_head(&b, 3);
    buf_add_char(&b, 'g'); /* there would be room, but a failure stays */
    assert_true(span_eq_str(buf_span(&b), "de"));
    buf_reset(&b);
    buf_add_fmt(&b, "%d", 123456);
    assert_int_equal(buf_failed(&b), ERR_LIMIT);
    assert_int_equal(b.n, 0);
    buf_done(&b);
}

static void reserved_room_becomes_content_when_it_grew(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    char *room = buf_reserve(&b, 100);
    assert_non_null(room);
    memset(room, 'x', 100);
    buf_grew(&b, 3);
    assert_string_equal(buf_str(&b), "xxx");
    assert_null(buf_reserve(&b, 98));
    buf_done(&b);
    buf_init(&b, 0);
    buf_add_char(&b, 'a');
    assert_null(buf_reserve(&b, SIZE_MAX));
    assert_int_equal(buf_failed(&b), ERR_LIMIT);
    buf_done(&b);
}

static void the_head_can_be_forgotten(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 0);
    buf_drop_head(&b, 0);
    buf_add_str(&b, "abcdef");
    buf_drop_head(&b, 4);
    assert_string_equal(buf_str(&b), "ef");
    buf_drop_head(&b, 99);
    assert_string_equal(buf_str(&b), "");
    buf_done(&b);
}

static void any_mix_of_pieces_is_their_concatenation(void **state) {
    (void)state;
    static char want[1 << 16];
    struct gen g;
    struct buf b;
    size_t n = 0;
    gen_init(&g);
    gen_print(&g);
    buf_init(&b, sizeof want);
    for (;;) {
        char piece[700];
        size_t more = (size_t)gen_below(&g, sizeof piece);
        if (n + more > sizeof want) break;
        gen_bytes(&g, piece, more);
        memcpy(want + n, piece, more);
        n += more;
        buf_add(&b, span_of(piece, more));
        if (gen_below(&g, 5) == 0) assert_non_null(buf_str(&b));
        assert_int_equal(buf_failed(&b), ERR_OK);
    }
    assert_true(span_eq(buf_span(&b), span_of(want, n)));
    buf_done(&b);
}

static void without_memory_the_content_stays_and_the_failure_is_kept(void **state) {
    (void)state;
    size_t rounds = 0;
    FOR_EACH_FAULT(n) {
        struct buf b;
        size_t before = 0;
        buf_init(&b, 0);
        for (int i = 0; i < 100; i++) {
            if (!buf_failed(&b)) before = b.n;
            buf_add_fmt(&b, "line %d\n", i);
        }
        fault_off();
        assert_int_equal(buf_failed(&b), fault_hit() ? ERR_NOMEM : ERR_OK);
        if (fault_hit()) assert_int_equal(b.n, before);
        assert_non_null(buf_str(&b));
        assert_int_equal(strlen(buf_str(&b)), b.n);
        buf_done(&b);
        rounds++;
    }
    assert_true(rounds > 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_stands_there),
        cmocka_unit_test(the_cap_is_exact_and_what_went_over_it_leaves_no_trace),
        cmocka_unit_test(reserved_room_becomes_content_when_it_grew),
        cmocka_unit_test(the_head_can_be_forgotten),
        cmocka_unit_test(any_mix_of_pieces_is_their_concatenation),
        cmocka_unit_test(without_memory_the_content_stays_and_the_failure_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
