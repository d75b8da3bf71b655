/* Private to common/wire: bytes → a generated struct, and the checks of its fields.
 * The first failure is kept and work goes on harmlessly, so that a decoder reads as a list of fields; it asks once, at its end. */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "common/wire/part.h"

struct unpack {
    struct arena *mem;
    size_t max_rows;
    enum err failed; /* the first one, or ERR_OK */
};

/* Size, then every `string` field (UTF-8 without NUL, which protobuf-c does not check), then unpack into mem.
 * Sets in up.  *out's type is the descriptor's. */
NODISCARD enum err unpack_message(const ProtobufCMessageDescriptor *type, struct span bytes, size_t max_bytes, struct arena *mem,
                                  struct unpack *in, const ProtobufCMessage **out);
void unpack_refuse(struct unpack *in, enum err why);
/* Zeroed.  NULL after a failure. */
void *unpack_array(struct unpack *in, size_t n, size_t size);

/* A name is [A-Za-z0-9._-]{1,LIMIT_NAME_BYTES}.  ERR_SYNTAX, ERR_LIMIT. */
NODISCARD enum err unpack_check_name(struct span s);
struct span unpack_name(struct unpack *in, struct span s);
struct span unpack_name_or_none(struct unpack *in, struct span s);
struct span unpack_text(struct unpack *in, struct span s, size_t max); /* repaired */
struct span unpack_bytes(struct unpack *in, ProtobufCBinaryData b, size_t max);
struct campaign_id unpack_campaign(struct unpack *in, ProtobufCBinaryData b);
static inline struct span unpack_span(ProtobufCBinaryData b) { return span_of(b.len ? (const char *)b.data : "", b.len); }
/* A column of n values, of which none are there when all are zero.  NULL only after a failure or when n is 0. */
uint32_t *unpack_u32(struct unpack *in, uint32_t *values, size_t n_values, size_t n);
uint64_t *unpack_u64(struct unpack *in, uint64_t *values, size_t n_values, size_t n);
int64_t *unpack_i64(struct unpack *in, int64_t *values, size_t n_values, size_t n);
