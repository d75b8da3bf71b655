#include "common/base/utf8.h"

/* Length of the longest prefix of p that is a prefix of some well-formed sequence; *whole when it is one (table 3-7). */
static size_t maximal(const unsigned char *p, size_t n, bool *whole) {
    unsigned char low = 0x80, high = 0xbf;
    size_t len;
    *whole = false;
    if (p[0] < 0x80) {
        *whole = true;
        return 1;
    }
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        len = 2;
    else if (p[0] >= 0xe0 && p[0] <= 0xef)
        len = 3;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        len = 4;
    else
        return 1;
    if (p[0] == 0xe0) low = 0xa0;
    if (p[0] == 0xed) high = 0x9f;
    if (p[0] == 0xf0) low = 0x90;
    if (p[0] == 0xf4) high = 0x8f;
    for (size_t i = 1; i < len; i++) {
        if (i >= n || p[i] < low || p[i] > high) return i;
        low = 0x80;
        high = 0xbf;
    }
    *whole = true;
    return len;
}

bool utf8_valid(struct span s) {
    const unsigned char *p = (const unsigned char *)s.p;
    bool whole = true;
    for (size_t i = 0; i < s.n && whole;) i += maximal(p + i, s.n - i, &whole);
    return whole;
}

struct span utf8_repair(struct arena *mem, struct span s) {
    if (utf8_valid(s)) return s;
    const unsigned char *p = (const unsigned char *)s.p;
    size_t n = 0;
    bool whole;
    for (size_t i = 0; i < s.n;) {
        size_t len = maximal(p + i, s.n - i, &whole);
        n += whole ? len : 3;
        i += len;
    }
    char *out = arena_alloc(mem, n + 1);
    if (!out) return SPAN_NONE;
    size_t o = 0;
    for (size_t i = 0; i < s.n;) {
        size_t len = maximal(p + i, s.n - i, &whole);
        memcpy(out + o, whole ? (const char *)p + i : "\xef\xbf\xbd", whole ? len : 3);
        o += whole ? len : 3;
        i += len;
    }
    out[n] = '\0';
    return span_of(out, n);
}
