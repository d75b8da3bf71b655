/* Private to common/wire: model → the fields of a generated struct → bytes.  What the decoder would refuse fails here as well.
 * The first failure is kept and work goes on harmlessly, so that an encoder reads as a list of fields; pack_message asks once. */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "common/wire/part.h"

struct pack {
    struct arena *mem; /* scratch: dead after packing */
    enum err failed;
};

/* Append the packed message to out, unless o has failed. */
NODISCARD enum err pack_message(const struct pack *o, const ProtobufCMessage *m, size_t max_bytes, struct buf *out);
void pack_fail(struct pack *o, enum err why);
void *pack_array(struct pack *o, size_t n, size_t size);

/* Never NULL. */
char *pack_name(struct pack *o, struct span s);
char *pack_name_or_none(struct pack *o, struct span s);
char *pack_exact(struct pack *o, struct span s, size_t max); /* valid UTF-8 without NUL, within max, or a failure */
char *pack_text(struct pack *o, struct span s, size_t max); /* repaired, NULs blanked, cut with "…" */
ProtobufCBinaryData pack_text_bytes(struct pack *o, struct span s, size_t max);
ProtobufCBinaryData pack_bytes(struct pack *o, struct span s, size_t max);
ProtobufCBinaryData pack_campaign(const struct campaign_id *id);
/* s, or when longer than max its head with "…" behind, cut where a character begins. */
struct span pack_cut(struct pack *o, struct span s, size_t max);
/* How many of these values must be sent: n, or 0 when all are zero. */
size_t pack_count_u32(const uint32_t *values, size_t n);
size_t pack_count_u64(const uint64_t *values, size_t n);
size_t pack_count_i64(const int64_t *values, size_t n);
