#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/arena.h"
#include "tests/support/fault.h"
#include "tests/support/gen.h"

static void pieces_are_aligned_and_do_not_overlap(void **state) {
    (void)state;
    enum { PIECES = 2000 };
    static struct {
        unsigned char *p;
        size_t n;
    } pieces[PIECES];
    struct gen g;
    AUTO(arena_free) struct arena *mem = arena_new(64 << 20);
    gen_init(&g);
    gen_print(&g);
    for (size_t i = 0; i < PIECES; i++) {
        pieces[i].n = (size_t)gen_below(&g, gen_below(&g, 50) ? 300 : 200000);
        pieces[i].p = arena_alloc(mem, pieces[i].n);
        assert_non_null(pieces[i].p);
        assert_int_equal((uintptr_t)pieces[i].p % 16, 0);
        memset(pieces[i].p, (int)(i % 251), pieces[i].n);
    }
    for (size_t i = 0; i < PIECES; i++)
        for (size_t k = 0; k < pieces[i].n; k++) assert_int_equal(pieces[i].p[k], i % 251);
    assert_false(arena_exhausted(mem));
}

static void the_budget_is_never_exceeded_and_is_whole_again_after_a_reset(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(100);
    assert_non_null(arena_alloc(mem, 33)); /* 48 with rounding */
    assert_int_equal(arena_used(mem), 48);
    assert_null(arena_alloc(mem, 53)); /* 64 */
    assert_true(arena_exhausted(mem));
    assert_int_equal(arena_used(mem), 48);
    assert_non_null(arena_alloc(mem, 48)); /* the failure is remembered, the rest is still to be had */
    assert_true(arena_exhausted(mem));
    assert_null(arena_alloc(mem, 1));
    arena_reset(mem);
    assert_false(arena_exhausted(mem));
    assert_int_equal(arena_used(mem), 0);
    assert_non_null(arena_alloc(mem, 96));
}

static void sizes_that_wrap_are_over_the_budget(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(SIZE_MAX);
    assert_null(arena_alloc(mem, SIZE_MAX));
    assert_true(arena_exhausted(mem));
    arena_reset(mem);
    assert_null(arena_array(mem, SIZE_MAX / 2, 3));
    assert_true(arena_exhausted(mem));
    arena_reset(mem);
    int *a = NULL;
    size_t cap = 0;
    assert_int_equal(arena_grow(mem, &a, &cap, SIZE_MAX / 2, sizeof *a), ERR_NOMEM);
    assert_null(a);
    assert_int_equal(cap, 0);
    assert_true(arena_exhausted(mem));
    arena_free(NULL);
}

static void arrays_are_zeroed_and_copies_end_with_nul(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    memset(arena_alloc(mem, 1000), 0xff, 1000);
    arena_reset(mem);
    const unsigned char *p = arena_array(mem, 10, 100);
    for (size_t i = 0; i < 1000; i++) assert_int_equal(p[i], 0);
    assert_non_null(arena_array(mem, 0, 8));
    struct span copy = arena_copy(mem, SPAN_LIT("a\0b"));
    assert_memory_equal(copy.p, "a\0b\0", 4);
    assert_int_equal(copy.n, 3);
    copy = arena_copy(mem, SPAN_NONE);
    assert_non_null(copy.p);
    assert_int_equal(copy.n, 0);
}

static void two_arrays_that_grow_in_turn_keep_their_elements(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(8 << 20);
    uint32_t *a = NULL;
    struct span *b = NULL;
    size_t cap_a = 0, cap_b = 0;
    for (uint32_t i = 0; i < 20000; i++) {
        assert_int_equal(arena_grow(mem, &a, &cap_a, i + 1, sizeof *a), ERR_OK);
        assert_int_equal(a[i], 0);
        a[i] = i;
        if (i % 3) continue;
        assert_int_equal(arena_grow(mem, &b, &cap_b, i / 3 + 1, sizeof *b), ERR_OK);
        assert_null(b[i / 3].p);
        b[i / 3] = span_of("x", i);
    }
    for (uint32_t i = 0; i < 20000; i++) {
        assert_int_equal(a[i], i);
        if (i % 3 == 0) assert_int_equal(b[i / 3].n, i);
    }
    assert_int_equal(arena_grow(mem, &a, &cap_a, 5, sizeof *a), ERR_OK); /* never shrinks */
    assert_true(cap_a >= 20000);
}

/* Doubling must not refuse what would fit. */
static void an_array_takes_the_last_of_the_budget(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(4096);
    char *a = NULL;
    size_t cap = 0;
    assert_int_equal(arena_grow(mem, &a, &cap, 1500, 1), ERR_OK);
    assert_int_equal(arena_grow(mem, &a, &cap, 2000, 1), ERR_OK);
    char *before = a;
    size_t cap_before = cap;
    assert_int_equal(arena_grow(mem, &a, &cap, 5000, 1), ERR_NOMEM);
    assert_ptr_equal(a, before);
    assert_int_equal(cap, cap_before);
}

static void without_memory_nothing_changes(void **state) {
    (void)state;
    FOR_EACH_FAULT(n) {
        struct arena *mem = arena_new(8 << 20);
        uint64_t *a = NULL;
        size_t cap = 0;
        bool failed = !mem;
        for (size_t i = 0; mem && i < 30; i++) {
            size_t before = cap;
            const uint64_t *where = a;
            if (arena_grow(mem, &a, &cap, i * 700, sizeof *a)) {
                assert_int_equal(cap, before);
                assert_ptr_equal(a, where);
                assert_true(arena_exhausted(mem));
                failed = true;
            } else if (cap) {
                a[cap - 1] = i;
            }
            if (!arena_alloc(mem, 30000)) failed = true;
            if (!arena_copy(mem, SPAN_LIT("text")).p) failed = true;
        }
        assert_int_equal(failed, fault_hit());
        fault_off();
        if (mem) assert_int_equal(arena_exhausted(mem), fault_hit());
        arena_free(mem);
    }
}

static void a_large_piece_that_is_released_is_there_for_others(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(10 << 20);
    char *small = arena_alloc(mem, 100), *large = arena_alloc(mem, 6 << 20);
    assert_true(small && large);
    memset(small, 'x', 100);
    assert_null(arena_alloc(mem, 6 << 20));
    arena_release(mem, small, 100); /* nothing happens */
    arena_release(mem, large, 6 << 20);
    large = arena_alloc(mem, 6 << 20);
    assert_non_null(large);
    memset(large, 'y', 6 << 20);
    assert_true(arena_used(mem) >= (6 << 20) + 100 && arena_used(mem) < (7 << 20));
    assert_true(small[0] == 'x' && small[99] == 'x');
}

static void a_large_array_keeps_its_elements_when_it_moves_and_takes_its_size_once(void **state) {
    (void)state;
    enum { ELEMENTS = 6 << 20 };
    AUTO(arena_free) struct arena *mem = arena_new(128 << 20);
    uint32_t *a = NULL;
    size_t cap = 0;
    arena_expect(mem, 64 << 20);
    for (uint32_t i = 0; i < ELEMENTS; i++) {
        if (i == cap) assert_int_equal(arena_regrow(mem, &a, &cap, (size_t)i + 1, sizeof *a), ERR_OK);
        if (a[i] != 0) fail_msg("element %u is not zero", i);
        a[i] = i;
    }
    for (uint32_t i = 0; i < ELEMENTS; i++)
        if (a[i] != i) fail_msg("element %u is %u", i, a[i]);
    assert_true(arena_used(mem) < cap * sizeof *a + (4 << 20));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_and_do_not_overlap),
        cmocka_unit_test(the_budget_is_never_exceeded_and_is_whole_again_after_a_reset),
        cmocka_unit_test(sizes_that_wrap_are_over_the_budget),
        cmocka_unit_test(arrays_are_zeroed_and_copies_end_with_nul),
        cmocka_unit_test(two_arrays_that_grow_in_turn_keep_their_elements),
        cmocka_unit_test(an_array_takes_the_last_of_the_budget),
        cmocka_unit_test(without_memory_nothing_changes),
        cmocka_unit_test(a_large_array_keeps_its_elements_when_it_moves_and_takes_its_size_once),
        cmocka_unit_test(a_large_piece_that_is_released_is_there_for_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
