#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/map.h"
#include "tests/support/fault.h"
#include "tests/support/gen.h"

static void a_key_is_found_with_its_value_until_it_is_removed(void **state) {
    (void)state;
    AUTO(map_free) struct map *m = map_new();
    char key[8] = "web-1";
    assert_null(map_get(m, span_str(key)));
    assert_int_equal(map_put(m, span_str(key), 7), ERR_OK);
    key[0] = 'x'; /* the map has its own copy */
    assert_int_equal(*map_get(m, span_str("web-1")), 7);
    assert_int_equal(map_put(m, span_str("web-1"), 8), ERR_EXISTS);
    assert_int_equal(*map_get(m, span_str("web-1")), 7);
    *map_get(m, span_str("web-1")) = 9;
    assert_int_equal(*map_get(m, span_str("web-1")), 9);
    assert_int_equal(map_count(m), 1);
    assert_true(map_remove(m, span_str("web-1")));
    assert_false(map_remove(m, span_str("web-1")));
    assert_int_equal(map_count(m), 0);
    map_free(NULL);
}

static void keys_are_bytes_the_empty_one_and_nul_included(void **state) {
    (void)state;
    AUTO(map_free) struct map *m = map_new();
    assert_int_equal(map_put(m, SPAN_NONE, 1), ERR_OK);
    assert_int_equal(map_put(m, SPAN_LIT(""), 2), ERR_EXISTS);
    assert_int_equal(map_put(m, SPAN_LIT("a\0b"), 3), ERR_OK);
    assert_int_equal(map_put(m, SPAN_LIT("a\0c"), 4), ERR_OK);
    assert_int_equal(map_put(m, SPAN_LIT("a"), 5), ERR_OK);
    assert_int_equal(*map_get(m, SPAN_LIT("")), 1);
    assert_int_equal(*map_get(m, SPAN_LIT("a\0b")), 3);
    assert_int_equal(*map_get(m, SPAN_LIT("a\0c")), 4);
    assert_int_equal(map_count(m), 4);
}

struct seen {
    uint64_t values[10];
    size_t n;
};
static void collect(struct span key, uint64_t value, void *arg) {
    struct seen *s = arg;
    char want[16];
    int n = snprintf(want, sizeof want, "key %llu", (unsigned long long)value);
    assert_true(span_eq(key, span_of(want, (size_t)n)));
    s->values[s->n++] = value;
}

static void iteration_is_in_the_order_of_insertion(void **state) {
    (void)state;
    AUTO(map_free) struct map *m = map_new();
    struct seen s = {.n = 0};
    for (unsigned i = 0; i < 10; i++) {
        char key[16];
        snprintf(key, sizeof key, "key %u", i);
        assert_int_equal(map_put(m, span_str(key), i), ERR_OK);
    }
    map_remove(m, span_str("key 0"));
    map_remove(m, span_str("key 5"));
    assert_int_equal(map_put(m, span_str("key 0"), 0), ERR_OK);
    map_each(m, collect, &s);
    const uint64_t want[] = {1, 2, 3, 4, 6, 7, 8, 9, 0};
    assert_int_equal(s.n, COUNT_OF(want));
    assert_memory_equal(s.values, want, sizeof want);
}

/* Against a plain array, with keys of all lengths. */
static void it_agrees_with_an_array_whatever_happens(void **state) {
    (void)state;
    enum { KEYS = 3000, STEPS = 60000 };
    static uint64_t value[KEYS];
    static bool there[KEYS];
    static char text[KEYS][40];
    struct gen g;
    AUTO(map_free) struct map *m = map_new();
    size_t count = 0;
    gen_init(&g);
    gen_print(&g);
    for (size_t i = 0; i < KEYS; i++) snprintf(text[i], sizeof text[i], "%zu%.*s", i, (int)gen_below(&g, 30), "abcdefghijklmnopqrstuvwxyz0123");
    for (size_t step = 0; step < STEPS; step++) {
        size_t i = (size_t)gen_below(&g, KEYS);
        struct span key = span_str(text[i]);
        switch (gen_below(&g, 4)) {
        case 0:
            assert_int_equal(map_remove(m, key), there[i]);
            count -= there[i];
            there[i] = false;
            break;
        case 1: {
            const uint64_t *v = map_get(m, key);
            assert_int_equal(v != NULL, there[i]);
            if (v) assert_true(*v == value[i]);
            break;
        }
        default: {
            uint64_t v = gen_u64(&g);
            assert_int_equal(map_put(m, key, v), there[i] ? ERR_EXISTS : ERR_OK);
            if (!there[i]) value[i] = v, count++;
            there[i] = true;
        }
        }
        assert_int_equal(map_count(m), count);
    }
}

static void without_memory_the_key_is_not_there_and_the_others_are(void **state) {
    (void)state;
    enum { KEYS = 700 }; /* more than make uthash double its table several times */
    size_t rounds = 0;
    FOR_EACH_FAULT(n) {
        struct map *m = map_new();
        bool failed = !m, there[KEYS] = {false};
        for (uint32_t i = 0; m && i < KEYS; i++) {
            enum err e = map_put(m, span_of((const char *)&i, sizeof i), i);
            there[i] = !e;
            if (e) {
                assert_int_equal(e, ERR_NOMEM);
                failed = true;
            }
        }
        fault_off();
        if (fault_hit() && rounds < 2) assert_true(failed);
        for (uint32_t i = 0; m && i < KEYS; i++) {
            const uint64_t *v = map_get(m, span_of((const char *)&i, sizeof i));
            assert_int_equal(v != NULL, there[i]);
            if (v) assert_int_equal(*v, i);
        }
        map_free(m);
        rounds++;
    }
    assert_true(rounds > KEYS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_found_with_its_value_until_it_is_removed),
        cmocka_unit_test(keys_are_bytes_the_empty_one_and_nul_included),
        cmocka_unit_test(iteration_is_in_the_order_of_insertion),
        cmocka_unit_test(it_agrees_with_an_array_whatever_happens),
        cmocka_unit_test(without_memory_the_key_is_not_there_and_the_others_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
