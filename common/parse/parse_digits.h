/* Numbers of few digits, all digits at once. */
#pragma once

#include "common/base/bytemask.h"

enum { PARSE_DIGITS_AT_ONCE = 8 };

/* Eight bytes, of which the first n, 1…8, are the number.  False: one of them is no digit. */
static inline bool parse_digits_of(uint64_t bytes, size_t n, uint64_t *out) {
    uint64_t v = (bytes ^ 0x3030303030303030) << (64 - 8 * n); /* zeroes in front */
    if (((v + 0x7676767676767676) | v) & 0x8080808080808080) return false;
    v = (v * 10 + (v >> 8)) & 0x00ff00ff00ff00ff;
    v = (v * 100 + (v >> 16)) & 0x0000ffff0000ffff;
    *out = (v * 10000 + (v >> 32)) & 0xffffffff;
    return true;
}

/* "123", of at most 16 digits.  Bytes may be read up to end.  False: something else, or too near the end. */
static inline bool parse_digits(struct span s, const char *end, int64_t *out) {
    uint64_t high = 0, low;
    if (s.n == 0 || s.n > 2 * PARSE_DIGITS_AT_ONCE || end - s.p < PARSE_DIGITS_AT_ONCE) return false;
    if (s.n > PARSE_DIGITS_AT_ONCE) {
        size_t before = s.n - PARSE_DIGITS_AT_ONCE;
        if (!parse_digits_of(bytemask_load8(s.p), before, &high)) return false;
        s = span_drop(s, before);
    }
    if (!parse_digits_of(bytemask_load8(s.p), s.n, &low)) return false;
    *out = (int64_t)(high * 100000000 + low);
    return true;
}

/* "123.45": digits on both sides of the point, at most eight on each.  The same. */
static inline bool parse_digits_decimal(struct span s, const char *end, int64_t *out, unsigned *out_decimals) {
    static const uint32_t power[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    if (s.n < 3 || s.n > 2 * PARSE_DIGITS_AT_ONCE + 1 || end - s.p < PARSE_DIGITS_AT_ONCE) return false;
    uint64_t first = bytemask_load8(s.p), points = first ^ 0x2e2e2e2e2e2e2e2e, whole, behind;
    points = (points - 0x0101010101010101) & ~points & 0x8080808080808080; /* the lowest bit is exact */
    size_t point = points ? (size_t)__builtin_ctzll(points) / 8 : PARSE_DIGITS_AT_ONCE, n = s.n - point - 1;
    if (point == 0 || point + 2 > s.n || n > PARSE_DIGITS_AT_ONCE || s.p[point] != '.') return false;
    if (end - s.p < (ptrdiff_t)point + 1 + PARSE_DIGITS_AT_ONCE) return false;
    if (!parse_digits_of(first, point, &whole) || !parse_digits_of(bytemask_load8(s.p + point + 1), n, &behind)) return false;
    *out = (int64_t)(whole * power[n] + behind);
    *out_decimals = (unsigned)n;
    return true;
}
