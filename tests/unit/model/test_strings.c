#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/model/strings.h"

static void the_empty_string_is_index_0(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct strings t;
    uint32_t i = 7;
    assert_int_equal(strings_init(&t, mem), ERR_OK);
    assert_int_equal(t.n, 1);
    assert_int_equal(t.text[0].n, 0);
    assert_int_equal(strings_add(&t, SPAN_NONE, &i), ERR_OK);
    assert_int_equal(i, 0);
    assert_int_equal(strings_add(&t, SPAN_LIT(""), &i), ERR_OK);
    assert_int_equal(i, 0);
    assert_int_equal(t.n, 1);
}

static void equal_bytes_have_one_index_and_the_table_keeps_its_own_copy(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct strings t;
    char name[] = "bash";
    uint32_t a = 0, b = 0, c = 0;
    assert_int_equal(strings_init(&t, mem), ERR_OK);
    assert_int_equal(strings_add(&t, span_str(name), &a), ERR_OK);
    name[0] = 'd';
    assert_int_equal(strings_add(&t, SPAN_LIT("bash"), &b), ERR_OK);
    assert_int_equal(strings_add(&t, span_str(name), &c), ERR_OK);
    assert_int_equal(a, b);
    assert_int_not_equal(a, c);
    assert_true(span_eq_str(t.text[a], "bash"));
    assert_true(span_eq_str(t.text[c], "dash"));
}

static void bytes_of_every_length_are_told_apart(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct strings t;
    char text[40] = {0}; /* NUL bytes: only the length differs */
    uint32_t i = 0;
    assert_int_equal(strings_init(&t, mem), ERR_OK);
    for (size_t n = 1; n <= sizeof text; n++) {
        assert_int_equal(strings_add(&t, span_of(text, n), &i), ERR_OK);
        assert_int_equal(i, n);
    }
    for (size_t n = 1; n <= sizeof text; n++)
        for (size_t at = 0; at < n; at++) {
            text[at] = 'x'; /* one byte differs, at each place */
            assert_int_equal(strings_add(&t, span_of(text, n), &i), ERR_OK);
            assert_int_equal(i, t.n - 1);
            text[at] = 0;
        }
}

static void a_hundred_thousand_strings_are_found_again(void **state) {
    (void)state;
    enum { N = 100000 };
    AUTO(arena_free) struct arena *mem = arena_new(64 << 20);
    struct strings t;
    char text[32];
    uint32_t index = 0;
    assert_int_equal(strings_init(&t, mem), ERR_OK);
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < N; i++) {
            int n = snprintf(text, sizeof text, "frame_%u", i);
            assert_int_equal(strings_add(&t, span_of(text, (size_t)n), &index), ERR_OK);
            assert_int_equal(index, i + 1);
        }
    assert_int_equal(t.n, N + 1);
}

static void a_full_budget_leaves_the_table_as_it_was(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(16 << 10);
    struct strings t;
    char text[32];
    uint32_t n_added = 0, index = 0;
    enum err e = strings_init(&t, mem);
    assert_int_equal(e, ERR_OK);
    while (!e) {
        int n = snprintf(text, sizeof text, "name_%u", n_added);
        index = 12345678;
        e = strings_add(&t, span_of(text, (size_t)n), &index);
        if (!e) n_added++;
    }
    assert_int_equal(e, ERR_NOMEM);
    assert_int_equal(index, 12345678);
    assert_true(n_added > 50);
    assert_int_equal(t.n, n_added + 1);
    for (uint32_t i = 0; i < n_added; i++) {
        int n = snprintf(text, sizeof text, "name_%u", i);
        assert_int_equal(strings_add(&t, span_of(text, (size_t)n), &index), ERR_OK);
        assert_int_equal(index, i + 1);
    }
}

static void many_at_once_are_the_same_as_one_by_one(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct strings t;
    assert_int_equal(strings_init(&t, mem), ERR_OK);
    for (unsigned round = 0; round < 100; round++) {
        char room[STRINGS_AT_ONCE][8];
        struct span s[STRINGS_AT_ONCE];
        uint32_t many[STRINGS_AT_ONCE], one = 0;
        for (unsigned i = 0; i < STRINGS_AT_ONCE; i++)
            s[i] = span_of(room[i], i == 3 ? 0 : (size_t)snprintf(room[i], sizeof room[i], "%u", (round * i) % 97));
        assert_int_equal(strings_add_many(&t, s, STRINGS_AT_ONCE, many), ERR_OK);
        for (unsigned i = 0; i < STRINGS_AT_ONCE; i++) {
            assert_int_equal(strings_add(&t, s[i], &one), ERR_OK);
            assert_int_equal(many[i], one);
        }
    }
}

static void a_budget_too_small_for_an_empty_table_is_said(void **state) {
    (void)state;
    for (size_t budget = 0; budget < 1024; budget += 64) {
        AUTO(arena_free) struct arena *mem = arena_new(budget);
        struct strings t = {.n = 99};
        assert_int_equal(strings_init(&t, mem), ERR_NOMEM);
        assert_int_equal(t.n, 99);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_empty_string_is_index_0),
        cmocka_unit_test(equal_bytes_have_one_index_and_the_table_keeps_its_own_copy),
        cmocka_unit_test(bytes_of_every_length_are_told_apart),
        cmocka_unit_test(a_hundred_thousand_strings_are_found_again),
        cmocka_unit_test(many_at_once_are_the_same_as_one_by_one),
        cmocka_unit_test(a_full_budget_leaves_the_table_as_it_was),
        cmocka_unit_test(a_budget_too_small_for_an_empty_table_is_said),
    };
    return cmocka_run_group_tests_name("strings", tests, NULL, NULL);
}
