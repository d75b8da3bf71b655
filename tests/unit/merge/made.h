/* Small random histograms, stacks and events for the property tests: from few values, so that things meet. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/model/capture.h"

enum { CASES = 10000 };

/* splitmix64; the state is printed when a case fails, and starts it again. */
static inline uint64_t made_next(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15ULL;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

static inline size_t made_below(uint64_t *state, size_t n) { return (size_t)(made_next(state) % n); }

static inline void *made_array(struct arena *mem, size_t n, size_t size) {
    void *p = arena_array(mem, n ? n : 1, size);
    assert_non_null(p);
    return p;
}

static inline struct span made_copy(struct arena *mem, struct span s) {
    struct span copy = arena_copy(mem, s);
    assert_non_null(copy.p);
    return copy;
}

static inline void made_shuffle(uint64_t *state, size_t *order, size_t n) {
    for (size_t i = 0; i < n; i++) order[i] = i;
    for (size_t i = n; i > 1; i--) {
        size_t j = made_below(state, i), t = order[i - 1];
        order[i - 1] = order[j];
        order[j] = t;
    }
}
