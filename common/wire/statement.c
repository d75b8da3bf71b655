#include "common/wire/statement.h"

#include "common/wire/message.h"
#include "console.pb-c.h"

enum { INFO_BYTES = 4 * LIMIT_REASON_BYTES };

enum err statement_decode(struct span bytes, struct arena *mem, struct statement *out) {
    struct unpack in;
    const ProtobufCMessage *message;
    enum err e = unpack_message(&trawl__lockdown__descriptor, bytes, LIMIT_SPEC_BYTES, mem, &in, &message);
    if (e) return e;
    const Trawl__Lockdown *m = (const Trawl__Lockdown *)message;
    struct statement s = {.version = m->version,
                          .fleet = unpack_name(&in, span_str(m->fleet)),
                          .counter = m->counter,
                          .lifted = m->lifted,
                          .reason = unpack_text(&in, span_str(m->reason), LIMIT_REASON_BYTES),
                          .issued_wall_ms = m->issued_wall_ms};
    if (in.failed == ERR_OK) *out = s;
    return in.failed;
}

enum err statement_encode(const struct statement *s, struct buf *out) {
    AUTO(arena_free) struct arena *scratch = arena_new(LIMIT_FRAME_ARENA_BYTES);
    if (!scratch) return ERR_NOMEM;
    struct pack o = {.mem = scratch};
    Trawl__Lockdown m;
    trawl__lockdown__init(&m);
    m.version = s->version;
    m.fleet = pack_name(&o, s->fleet);
    m.counter = s->counter;
    m.lifted = s->lifted;
    m.reason = pack_exact(&o, s->reason, LIMIT_REASON_BYTES);
    m.issued_wall_ms = s->issued_wall_ms;
    return pack_message(&o, &m.base, LIMIT_SPEC_BYTES, out);
}

enum err statement_decode_info(struct span bytes, struct arena *mem, struct statement_info *out) {
    struct unpack in;
    const ProtobufCMessage *message;
    enum err e = unpack_message(&trawl__lockdown_info__descriptor, bytes, INFO_BYTES, mem, &in, &message);
    if (e) return e;
    const Trawl__LockdownInfo *m = (const Trawl__LockdownInfo *)message;
    struct statement_info i = {.locked = m->locked,
                               .counter = m->counter,
                               .operator_name = unpack_name_or_none(&in, span_str(m->operator_)),
                               .reason = unpack_text(&in, span_str(m->reason), LIMIT_REASON_BYTES),
                               .since_wall_ms = m->since_wall_ms,
                               .online = m->online,
                               .online_locked = m->online_locked};
    if (in.failed == ERR_OK) *out = i;
    return in.failed;
}

enum err statement_encode_info(const struct statement_info *i, struct buf *out) {
    AUTO(arena_free) struct arena *scratch = arena_new(LIMIT_FRAME_ARENA_BYTES);
    if (!scratch) return ERR_NOMEM;
    struct pack o = {.mem = scratch};
    Trawl__LockdownInfo m;
    trawl__lockdown_info__init(&m);
    m.locked = i->locked;
    m.counter = i->counter;
    m.operator_ = pack_name_or_none(&o, i->operator_name);
    m.reason = pack_text(&o, i->reason, LIMIT_REASON_BYTES);
    m.since_wall_ms = i->since_wall_ms;
    m.online = i->online;
    m.online_locked = i->online_locked;
    return pack_message(&o, &m.base, INFO_BYTES, out);
}
