#include "common/wire/spec.h"

#include "common/wire/message.h"

enum err spec_decode(struct span bytes, struct arena *mem, struct spec *out) {
    struct unpack in;
    const ProtobufCMessage *m;
    enum err e = unpack_message(&trawl__spec__descriptor, bytes, LIMIT_SPEC_BYTES, mem, &in, &m);
    if (e) return e;
    message_spec_get(&in, (const Trawl__Spec *)m, out);
    return in.failed;
}

enum err spec_encode(const struct spec *s, struct buf *out) {
    AUTO(arena_free) struct arena *scratch = arena_new(LIMIT_FRAME_ARENA_BYTES);
    if (!scratch) return ERR_NOMEM;
    struct pack o = {.mem = scratch};
    const Trawl__Spec *m = message_spec_put(&o, s);
    return m ? pack_message(&o, &m->base, LIMIT_SPEC_BYTES, out) : o.failed;
}

enum err spec_decode_signed(struct span bytes, struct arena *mem, struct signed_order *out) {
    struct unpack in;
    const ProtobufCMessage *m;
    enum err e = unpack_message(&trawl__signed_order__descriptor, bytes, LIMIT_ORDER_BYTES, mem, &in, &m);
    if (e) return e;
    message_spec_get_signed(&in, (const Trawl__SignedOrder *)m, out);
    return in.failed;
}

enum err spec_encode_signed(const struct signed_order *s, struct buf *out) {
    AUTO(arena_free) struct arena *scratch = arena_new(LIMIT_FRAME_ARENA_BYTES);
    if (!scratch) return ERR_NOMEM;
    struct pack o = {.mem = scratch};
    const Trawl__SignedOrder *m = message_spec_put_signed(&o, s);
    return m ? pack_message(&o, &m->base, LIMIT_ORDER_BYTES, out) : o.failed;
}
