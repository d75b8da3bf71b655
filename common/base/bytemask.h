/* Many bytes at once.  Which of 64 are a given one, as bits: bit i stands for byte i. */
#pragma once

#include <endian.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "common/base/span.h"

enum { BYTEMASK_BYTES = 64 };

/* Eight bytes, the first is the lowest. */
static inline uint64_t bytemask_load8(const char *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return le64toh(v);
}

#ifdef __SSE2__
static inline uint64_t bytemask_eq64(const char *p, char c) {
    const __m128i want = _mm_set1_epi8(c);
    uint64_t mask = 0;
    for (int i = 0; i < BYTEMASK_BYTES; i += 16) {
        __m128i found = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + i)), want);
        mask |= (uint64_t)(unsigned)_mm_movemask_epi8(found) << i;
    }
    return mask;
}
#else
/* Eight bytes at a time: 0x80 where a byte is c, and the product brings those bits together. */
static inline uint64_t bytemask_eq64(const char *p, char c) {
    const uint64_t low = 0x7f7f7f7f7f7f7f7f, ones = 0x0101010101010101;
    uint64_t mask = 0;
    for (int i = 0; i < BYTEMASK_BYTES; i += 8) {
        uint64_t v = bytemask_load8(p + i) ^ ones * (unsigned char)c;
        v = ~(((v & low) + low) | v | low);
        mask |= ((v >> 7) * 0x0102040810204080 >> 56) << i;
    }
    return mask;
}
#endif

/* Of the 64 bytes of s from at on; behind its end there are none, c must not be '\0'. */
static inline uint64_t bytemask_eq(struct span s, size_t at, char c) {
    if (s.n - at >= BYTEMASK_BYTES) return bytemask_eq64(s.p + at, c);
    char last[BYTEMASK_BYTES] = {0};
    memcpy(last, s.p + at, s.n - at);
    return bytemask_eq64(last, c);
}
