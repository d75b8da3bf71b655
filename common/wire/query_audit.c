#include "common/wire/query_message.h"

enum { ANSWER_BYTES = LIMIT_AUDIT_BYTES + 64 * 1024 };

enum err query_audit_decode(struct span bytes, struct arena *mem, struct query_audit *out) {
    struct unpack in;
    const ProtobufCMessage *message;
    enum err e = unpack_message(&trawl__audit_piece__descriptor, bytes, ANSWER_BYTES, mem, &in, &message);
    if (e) return e;
    const Trawl__AuditPiece *m = (const Trawl__AuditPiece *)message;
    struct query_audit a = {.offset = m->offset,
                            .lines = unpack_bytes(&in, m->lines, LIMIT_AUDIT_BYTES),
                            .checkpoint = unpack_bytes(&in, m->checkpoint, LIMIT_AUDIT_BYTES)};
    if (in.failed == ERR_OK) *out = a;
    return in.failed;
}

enum err query_audit_encode(const struct query_audit *a, struct buf *out) {
    AUTO(arena_free) struct arena *scratch = arena_new(LIMIT_FRAME_ARENA_BYTES);
    if (!scratch) return ERR_NOMEM;
    struct pack o = {.mem = scratch};
    Trawl__AuditPiece m;
    trawl__audit_piece__init(&m);
    m.offset = a->offset;
    m.lines = pack_bytes(&o, a->lines, LIMIT_AUDIT_BYTES);
    m.checkpoint = pack_bytes(&o, a->checkpoint, LIMIT_AUDIT_BYTES);
    return pack_message(&o, &m.base, ANSWER_BYTES, out);
}
