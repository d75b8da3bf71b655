#include "common/base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_BYTES = 64 };

void buf_init(struct buf *b, size_t cap) { *b = (struct buf){.cap = cap}; }

void buf_done(struct buf *b) {
    free(b->p);
    *b = (struct buf){.cap = b->cap};
}

void buf_reset(struct buf *b) {
    b->n = 0;
    b->failed = ERR_OK;
}

/* Room for `more` bytes and, outside the cap, for the NUL of buf_str. */
static bool make_room(struct buf *b, size_t more) {
    if (b->failed) return false;
    size_t need;
    if (__builtin_add_overflow(b->n, more, &need) || need == SIZE_MAX || (b->cap && need > b->cap)) {
        b->failed = ERR_LIMIT;
        return false;
    }
    need++;
    if (need <= b->size) return true;
    size_t size = b->size < FIRST_BYTES ? FIRST_BYTES : b->size;
    while (size < need) size = size > SIZE_MAX / 2 ? need : size * 2;
    if (b->cap && size > b->cap) size = b->cap + 1;
    char *p = realloc(b->p, size);
    if (!p) {
        b->failed = ERR_NOMEM;
        return false;
    }
    b->p = p;
    b->size = size;
    return true;
}

char *buf_reserve(struct buf *b, size_t n) { return make_room(b, n) ? b->p + b->n : NULL; }

void buf_grew(struct buf *b, size_t n) {
    assert(n == 0 || n < b->size - b->n);
    b->n += n;
}

void buf_add(struct buf *b, struct span s) {
    char *to = buf_reserve(b, s.n);
    if (!to || s.n == 0) return;
    memcpy(to, s.p, s.n);
    buf_grew(b, s.n);
}

void buf_add_str(struct buf *b, const char *z) { buf_add(b, span_str(z)); }

void buf_add_char(struct buf *b, char c) { buf_add(b, span_of(&c, 1)); }

void buf_add_u64(struct buf *b, uint64_t v) {
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    buf_add(b, span_of(digits + at, sizeof digits - at));
}

void buf_add_i64(struct buf *b, int64_t v) {
    char text[24];
    int n = snprintf(text, sizeof text, "%lld", (long long)v);
    buf_add(b, span_of(text, (size_t)n));
}

void buf_add_fmt(struct buf *b, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0) {
        if (!b->failed) b->failed = ERR_LIMIT;
        return;
    }
    char *to = buf_reserve(b, (size_t)n); /* and one byte more, for the NUL */
    if (!to) return;
    va_start(args, fmt);
    vsnprintf(to, (size_t)n + 1, fmt, args);
    va_end(args);
    buf_grew(b, (size_t)n);
}

void buf_drop_head(struct buf *b, size_t n) {
    if (n > b->n) n = b->n;
    if (n == 0) return;
    memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}

const char *buf_str(struct buf *b) {
    if (!b->p) return "";
    b->p[b->n] = '\0';
    return b->p;
}
