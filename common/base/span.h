/* A borrowed piece of bytes, by value, and the whole kit for taking text apart.  Not NUL-terminated.
 * Thread: any.  No function here allocates or fails otherwise than by its result. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const char *p;
    size_t n;
};

#define SPAN_LIT(text) ((struct span){("" text ""), sizeof(text) - 1})
#define SPAN_NONE      ((struct span){NULL, 0})

static inline struct span span_of(const char *p, size_t n) { return (struct span){p, n}; }
static inline struct span span_str(const char *z) { return (struct span){z, z ? strlen(z) : 0}; }

/* Those that parsers call for every byte or word are here, to be inlined. */
static inline bool span_eq(struct span a, struct span b) { return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0); }
static inline bool span_eq_str(struct span a, const char *z) { return span_eq(a, span_str(z)); }
int span_cmp(struct span a, struct span b); /* bytewise order, shorter first: <0, 0, >0 */

/* Without the first min(n, s.n) bytes. */
static inline struct span span_drop(struct span s, size_t n) {
    if (n > s.n) n = s.n;
    return n ? span_of(s.p + n, s.n - n) : s;
}
/* The first min(n, s.n) bytes. */
static inline struct span span_head(struct span s, size_t n) { return span_of(s.p, n < s.n ? n : s.n); }
struct span span_trim(struct span s); /* without blanks (space, tab, CR, NL) on both ends */
struct span span_trim_end(struct span s);

/* Of a known length each is a comparison or two. */
static inline bool span_starts(struct span s, struct span prefix) {
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}
static inline bool span_ends(struct span s, struct span suffix) {
    return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* Offset of the first (last) byte c; s.n when there is none. */
static inline size_t span_find(struct span s, char c) {
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
    return at ? (size_t)(at - s.p) : s.n;
}
size_t span_rfind(struct span s, char c);
/* Offset of the first occurrence of needle; s.n when there is none.  An empty needle is found at 0. */
size_t span_find_span(struct span s, struct span needle);
/* Does a pattern of * (any bytes) and ? (one byte) fit the whole of s? */
bool span_glob(struct span pattern, struct span s);

/* Cut at the first sep: *head is what stands before it, *rest what follows.  No sep: head is all, rest empty, false. */
static inline bool span_cut(struct span s, char sep, struct span *head, struct span *rest) {
    size_t at = span_find(s, sep);
    bool found = at < s.n;
    *head = span_head(s, at);
    *rest = span_drop(s, found ? at + 1 : at);
    return found;
}
/* Next line of *rest without its '\n'; advances *rest.  False at the end.  A last line without '\n' counts. */
static inline bool span_line(struct span *rest, struct span *line) {
    if (rest->n == 0) return false;
    span_cut(*rest, '\n', line, rest);
    return true;
}
/* Next run of non-blank bytes (blank: space or tab), advances *rest.  False when only blanks are left. */
bool span_word(struct span *rest, struct span *word);
/* The nth word of a line, the first is 0; empty when there are fewer. */
struct span span_nth_word(struct span line, size_t nth);

enum { SPAN_SAFE_DIGITS = 19 }; /* that no number overflows with */

/* The whole span is a decimal number in range.  No sign for u64, optional '-' for i64, no blanks, at least one digit. */
static inline bool span_u64(struct span s, uint64_t *out) {
    uint64_t v = 0;
    if (s.n == 0) return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';
        if (digit > 9) return false;
        if (i < SPAN_SAFE_DIGITS)
            v = v * 10 + digit;
        else if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, digit, &v))
            return false;
    }
    *out = v;
    return true;
}
bool span_i64(struct span s, int64_t *out);
/* "-12.345" → mantissa -12345, decimals 3.  At most 18 digits in all. */
bool span_decimal(struct span s, int64_t *out_mantissa, unsigned *out_decimals);
/* "5s", "10ms", "2m", "1h", "1d", "250us", "9ns", "7" (seconds) → nanoseconds. */
bool span_duration_ns(struct span s, uint64_t *out_ns);
/* "50MiB", "64K", "1G", "4096" → bytes (K, M, G and KiB, MiB, GiB: powers of 1024). */
bool span_size_bytes(struct span s, uint64_t *out_bytes);
