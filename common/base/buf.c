#include "common/base/buf.h"

#include <stdarg.h>
#include <stdlib.h>

enum { FIRST_BYTES = 256 };

void buf_init(struct buf *b, size_t cap) { *b = (struct buf){.cap = cap}; }

void buf_done(struct buf *b) {
    free(b->p);
    *b = (struct buf){.cap = b->cap};
}

void buf_reset(struct buf *b) {
    b->n = 0;
    b->failed = ERR_OK;
}

char *buf_reserve(struct buf *b, size_t n) {
    size_t want;
    if (b->failed) return NULL;
    if (__builtin_add_overflow(b->n, n, &want) || (b->cap && want > b->cap)) {
        b->failed = ERR_LIMIT;
        return NULL;
    }
    if (want > b->size || !b->p) {
        size_t size = b->size ? b->size : FIRST_BYTES;
        while (size < want && !__builtin_mul_overflow(size, 2u, &size)) {
        }
        if (b->cap && size > b->cap) size = b->cap;
        if (size < want) size = want;
        char *p = realloc(b->p, size ? size : 1);
        if (!p) {
            b->failed = ERR_NOMEM;
            return NULL;
        }
        b->p = p;
        b->size = size;
    }
    return b->p + b->n;
}

void buf_grew(struct buf *b, size_t n) { b->n += n; }

void buf_add(struct buf *b, struct span s) {
    if (s.n == 0) return;
    char *to = buf_reserve(b, s.n);
    if (!to) return;
    memcpy(to, s.p, s.n);
    b->n += s.n;
}

void buf_add_str(struct buf *b, const char *z) { buf_add(b, span_str(z)); }
void buf_add_char(struct buf *b, char c) { buf_add(b, span_of(&c, 1)); }

void buf_add_fmt(struct buf *b, const char *fmt, ...) {
    va_list ap;
    char small[256];
    va_start(ap, fmt);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n < 0) {
        if (!b->failed) b->failed = ERR_LIMIT;
        return;
    }
    if ((size_t)n < sizeof small) {
        buf_add(b, span_of(small, (size_t)n));
        return;
    }
    char *large = malloc((size_t)n + 1);
    if (!large) {
        if (!b->failed) b->failed = ERR_NOMEM;
        return;
    }
    va_start(ap, fmt);
    vsnprintf(large, (size_t)n + 1, fmt, ap);
    va_end(ap);
    buf_add(b, span_of(large, (size_t)n));
    free(large);
}

void buf_add_u64(struct buf *b, uint64_t v) { buf_add_fmt(b, "%llu", (unsigned long long)v); }
void buf_add_i64(struct buf *b, int64_t v) { buf_add_fmt(b, "%lld", (long long)v); }

void buf_drop_head(struct buf *b, size_t n) {
    if (n > b->n) n = b->n;
    if (n == 0) return;
    memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}

const char *buf_str(struct buf *b) {
    if (b->n == 0) return "";
    if (b->n == b->size) { /* the terminator is not content: the cap does not count it */
        char *p = realloc(b->p, b->size + 1);
        if (!p) return NULL;
        b->p = p;
        b->size++;
    }
    b->p[b->n] = '\0';
    return b->p;
}
