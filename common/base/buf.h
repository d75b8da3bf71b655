/* A growing byte buffer with a cap.  After the first failure every append fails and the content stays as it was, so a
 * caller may append freely and ask buf_failed() once.  Spans taken from it die with the next append. */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"

struct buf {
    char *p;
    size_t n, size, cap;
    enum err failed; /* ERR_OK, ERR_NOMEM or ERR_LIMIT */
};

/* cap in bytes; 0 means no cap. */
void buf_init(struct buf *b, size_t cap);
void buf_done(struct buf *b);
void buf_reset(struct buf *b); /* emptied for reuse, memory kept, failure forgotten */

void buf_add(struct buf *b, struct span s);
void buf_add_str(struct buf *b, const char *z);
void buf_add_char(struct buf *b, char c);
void buf_add_u64(struct buf *b, uint64_t v);
void buf_add_i64(struct buf *b, int64_t v);
void buf_add_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Room for n more bytes to be written at the returned place, then made part of the content with buf_grew.  NULL on failure. */
char *buf_reserve(struct buf *b, size_t n);
void buf_grew(struct buf *b, size_t n);
void buf_drop_head(struct buf *b, size_t n); /* forget the first n bytes */

static inline struct span buf_span(const struct buf *b) { return span_of(b->p ? b->p : "", b->n); }
static inline enum err buf_failed(const struct buf *b) { return b->failed; }
/* NUL-terminated view, valid until the next change.  "" when empty; NULL when terminating fails. */
const char *buf_str(struct buf *b);
