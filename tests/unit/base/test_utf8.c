/* libunistring is the oracle for what is well-formed; what a repair must give follows from it by the definition (Unicode 15,
 * 3.9, "U+FFFD substitution of maximal subparts"). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistr.h>

#include "common/base/utf8.h"
#include "tests/support/fault.h"
#include "tests/support/gen.h"

static bool oracle_valid(const unsigned char *p, size_t n) { return u8_check(p, n) == NULL; }

/* Is p[0..n), whose shorter beginnings are no characters, the beginning of one, or all of it? */
static bool begins_character(const unsigned char *p, size_t n) {
    static const unsigned char ends[] = {0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf};
    unsigned char c[4];
    if (n > 4) return false;
    memcpy(c, p, n);
    if (oracle_valid(c, n)) return true;
    for (size_t i = 0; n < 4 && i < COUNT_OF(ends); i++) {
        c[n] = ends[i];
        if (begins_character(c, n + 1)) return true;
    }
    return false;
}

static size_t oracle_repair(const unsigned char *p, size_t n, char *out) {
    size_t o = 0;
    for (size_t i = 0; i < n;) {
        size_t k = 1;
        while (i + k < n && !oracle_valid(p + i, k) && begins_character(p + i, k + 1)) k++;
        bool whole = oracle_valid(p + i, k);
        memcpy(out + o, whole ? (const char *)p + i : "\xef\xbf\xbd", whole ? k : 3);
        o += whole ? k : 3;
        i += k;
    }
    return o;
}

static void known_cases_are_as_the_standard_has_them(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    static const struct {
        struct span bytes, want;
    } cases[] = {
        {{"\xc0\xaf", 2}, {"\xef\xbf\xbd\xef\xbf\xbd", 6}},                                     /* not the shortest form */
        {{"\xed\xa0\x80", 3}, {"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 9}},                     /* a surrogate */
        {{"\xf4\x91\x92\x93\xff", 5}, {"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 15}}, /* beyond the last */
        {{"\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", 9}, {"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\x41", 13}}, /* cut short */
        {{"a\xe2\x82", 3}, {"a\xef\xbf\xbd", 4}},                                               /* at the end */
        {{"\xf0\x9f\x98\x80\x80", 5}, {"\xf0\x9f\x98\x80\xef\xbf\xbd", 7}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_false(utf8_valid(cases[i].bytes));
        assert_true(span_eq(utf8_repair(mem, cases[i].bytes), cases[i].want));
    }
}

static void well_formed_text_is_returned_itself(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(16);
    const struct span good[] = {SPAN_LIT(""), SPAN_LIT("a\0b"), SPAN_LIT("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\xef\xbf\xbf"), SPAN_NONE};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(utf8_valid(good[i]));
        assert_ptr_equal(utf8_repair(mem, good[i]).p, good[i].p);
    }
    assert_int_equal(arena_used(mem), 0);
}

static void every_two_bytes_and_every_odd_three_are_judged_as_by_the_oracle(void **state) {
    (void)state;
    unsigned char c[4] = {0};
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++) {
            c[0] = (unsigned char)a, c[1] = (unsigned char)b;
            assert_int_equal(utf8_valid(span_of((const char *)c, 2)), oracle_valid(c, 2));
            if (a < 0xe0) continue;
            for (unsigned d = 0x70; d < 0xd0; d++) {
                c[2] = (unsigned char)d, c[3] = 0x80;
                assert_int_equal(utf8_valid(span_of((const char *)c, 3)), oracle_valid(c, 3));
                assert_int_equal(utf8_valid(span_of((const char *)c, 4)), oracle_valid(c, 4));
            }
        }
}

static void hostile_bytes_are_repaired_as_by_the_oracle(void **state) {
    (void)state;
    static const unsigned char telling[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0,
                                            0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};
    struct gen g;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    gen_init(&g);
    gen_print(&g);
    for (int round = 0; round < 20000; round++) {
        unsigned char bytes[40];
        char want[3 * sizeof bytes];
        size_t n = (size_t)gen_below(&g, sizeof bytes + 1);
        gen_bytes(&g, bytes, sizeof bytes);
        for (size_t i = 0; i < n; i++)
            if (gen_below(&g, 3)) bytes[i] = 'a'; /* ASCII runs of all lengths between the hostile ones */
            else if (gen_below(&g, 8)) bytes[i] = telling[gen_below(&g, COUNT_OF(telling))];
        struct span got = utf8_repair(mem, span_of((const char *)bytes, n));
        assert_true(span_eq(got, span_of(want, oracle_repair(bytes, n, want))));
        assert_true(utf8_valid(got));
        arena_reset(mem);
    }
}

static void without_memory_there_is_no_text(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *small = arena_new(16);
    assert_null(utf8_repair(small, SPAN_LIT("0123456789abc\xff")).p);
    FOR_EACH_FAULT(n) {
        AUTO(arena_free) struct arena *mem = arena_new(1 << 10);
        struct span got = mem ? utf8_repair(mem, SPAN_LIT("\xff")) : SPAN_NONE;
        fault_off();
        assert_int_equal(got.p == NULL, fault_hit());
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_cases_are_as_the_standard_has_them),
        cmocka_unit_test(well_formed_text_is_returned_itself),
        cmocka_unit_test(every_two_bytes_and_every_odd_three_are_judged_as_by_the_oracle),
        cmocka_unit_test(hostile_bytes_are_repaired_as_by_the_oracle),
        cmocka_unit_test(without_memory_there_is_no_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
