/* For targets that decode: what decodes must encode, and decode again, to the same bytes. */
#pragma once

#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/buf.h"

/* Decode as number `which` of the target's decoders says, and encode what came out. */
typedef enum err round_fn(unsigned which, struct span bytes, struct arena *mem, struct buf *out);

/* What was decoded is valid, so that encoding it may fail by its size alone. */
static inline enum err round_encoded(enum err e) {
    if (e == ERR_SYNTAX) abort();
    return e;
}

#define ROUND(type, decode, encode)                                                                                                        \
    do {                                                                                                                                   \
        type value;                                                                                                                        \
        enum err e_ = decode(bytes, mem, &value);                                                                                          \
        return e_ ? e_ : round_encoded(encode(&value, out));                                                                               \
    } while (0)
#define ROUND_OF_KIND(kind, type, decode, encode)                                                                                          \
    do {                                                                                                                                   \
        type value;                                                                                                                        \
        enum err e_ = decode(kind, bytes, mem, &value);                                                                                    \
        return e_ ? e_ : round_encoded(encode(kind, &value, out));                                                                         \
    } while (0)

static inline void round_trip(round_fn *fn, unsigned which, struct span bytes, size_t arena_bytes) {
    struct arena *mem = arena_new(arena_bytes);
    struct buf once, twice;
    buf_init(&once, 0);
    buf_init(&twice, 0);
    if (!mem) abort();
    enum err e = fn(which, bytes, mem, &once);
    if (e == ERR_OK) {
        arena_reset(mem);
        if (fn(which, buf_span(&once), mem, &twice) != ERR_OK) abort();
        if (!span_eq(buf_span(&once), buf_span(&twice))) abort();
    } else if (e != ERR_SYNTAX && e != ERR_LIMIT && e != ERR_NOMEM)
        abort();
    buf_done(&once);
    buf_done(&twice);
    arena_free(mem);
}
