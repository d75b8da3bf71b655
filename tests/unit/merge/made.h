/* Small random histograms, stacks and events for the property tests: from few values, so that things meet. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/model/capture.h"
#include "tests/support/gen.h"

enum { CASES = 10000 };

/* A generator whose seed is printed, so that a failed case can be repeated. */
static inline struct gen made_gen(void) {
    struct gen g;
    gen_init(&g);
    gen_print(&g);
    return g;
}

static inline void *made_array(struct arena *mem, size_t n, size_t size) {
    void *p = arena_array(mem, n ? n : 1, size);
    assert_non_null(p);
    return p;
}

static inline void made_shuffle(struct gen *g, size_t *order, size_t n) {
    for (size_t i = 0; i < n; i++) order[i] = i;
    for (size_t i = n; i > 1; i--) {
        size_t j = gen_below(g, i), t = order[i - 1];
        order[i - 1] = order[j];
        order[j] = t;
    }
}
