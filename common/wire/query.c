#include "common/wire/query.h"

#include "common/wire/query_message.h"

enum err query_decode(enum query_kind kind, struct span bytes, struct arena *mem, struct query *out) {
    struct unpack in;
    const ProtobufCMessage *m;
    const ProtobufCMessageDescriptor *type = query_request_type(kind);
    if (!type) return ERR_SYNTAX;
    enum err e = unpack_message(type, bytes, LIMIT_REQUEST_BYTES, mem, &in, &m);
    if (e) return e;
    struct query q = {.rank = TOP_COUNT};
    query_request_get(&in, kind, m, &q);
    if (in.failed == ERR_OK) *out = q;
    return in.failed;
}

enum err query_encode(enum query_kind kind, const struct query *q, struct buf *out) {
    if (!query_request_type(kind)) return ERR_SYNTAX;
    AUTO(arena_free) struct arena *scratch = arena_new(LIMIT_FRAME_ARENA_BYTES);
    if (!scratch) return ERR_NOMEM;
    struct pack o = {.mem = scratch};
    union query_request room;
    return pack_message(&o, query_request_put(&o, kind, q, &room), LIMIT_REQUEST_BYTES, out);
}

enum err query_decode_answer(enum query_kind kind, struct span bytes, struct arena *mem, struct answer *out) {
    struct unpack in;
    const ProtobufCMessage *m;
    const ProtobufCMessageDescriptor *type = query_answer_type(kind);
    if (!type) return ERR_SYNTAX;
    enum err e = unpack_message(type, bytes, LIMIT_ANSWER_BYTES, mem, &in, &m);
    if (e) return e;
    struct answer a = {0};
    query_answer_get(&in, kind, m, &a);
    if (in.failed == ERR_OK) *out = a;
    return in.failed;
}

enum err query_encode_answer(enum query_kind kind, const struct answer *a, struct buf *out) {
    if (!query_answer_type(kind)) return ERR_SYNTAX;
    AUTO(arena_free) struct arena *scratch = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    if (!scratch) return ERR_NOMEM;
    struct pack o = {.mem = scratch};
    union query_answer room;
    return pack_message(&o, query_answer_put(&o, kind, a, &room), LIMIT_ANSWER_BYTES, out);
}

enum err query_decode_hosts(struct span bytes, struct arena *mem, struct host_list *out) {
    struct unpack in;
    const ProtobufCMessage *m;
    enum err e = unpack_message(&trawl__host_list__descriptor, bytes, LIMIT_ANSWER_BYTES, mem, &in, &m);
    if (e) return e;
    query_list_get_hosts(&in, (const Trawl__HostList *)m, out);
    return in.failed;
}

enum err query_encode_hosts(const struct host_list *l, struct buf *out) {
    AUTO(arena_free) struct arena *scratch = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    if (!scratch) return ERR_NOMEM;
    struct pack o = {.mem = scratch};
    Trawl__HostList m;
    trawl__host_list__init(&m);
    query_list_put_hosts(&o, l, &m);
    return pack_message(&o, &m.base, LIMIT_ANSWER_BYTES, out);
}

enum err query_decode_campaigns(struct span bytes, struct arena *mem, struct campaign_list *out) {
    struct unpack in;
    const ProtobufCMessage *m;
    enum err e = unpack_message(&trawl__campaign_list__descriptor, bytes, LIMIT_ANSWER_BYTES, mem, &in, &m);
    if (e) return e;
    query_list_get_campaigns(&in, (const Trawl__CampaignList *)m, out);
    return in.failed;
}

enum err query_encode_campaigns(const struct campaign_list *l, struct buf *out) {
    AUTO(arena_free) struct arena *scratch = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    if (!scratch) return ERR_NOMEM;
    struct pack o = {.mem = scratch};
    Trawl__CampaignList m;
    trawl__campaign_list__init(&m);
    query_list_put_campaigns(&o, l, &m);
    return pack_message(&o, &m.base, LIMIT_ANSWER_BYTES, out);
}

enum err query_decode_info(struct span bytes, struct arena *mem, struct campaign_info *out) {
    struct unpack in;
    const ProtobufCMessage *m;
    enum err e = unpack_message(&trawl__campaign_info__descriptor, bytes, LIMIT_ANSWER_BYTES, mem, &in, &m);
    if (e) return e;
    query_message_get_info(&in, (const Trawl__CampaignInfo *)m, out);
    return in.failed;
}

enum err query_encode_info(const struct campaign_info *i, struct buf *out) {
    AUTO(arena_free) struct arena *scratch = arena_new(LIMIT_FRAME_ARENA_BYTES);
    if (!scratch) return ERR_NOMEM;
    struct pack o = {.mem = scratch};
    const Trawl__CampaignInfo *m = query_message_put_info(&o, i);
    return m ? pack_message(&o, &m->base, LIMIT_ANSWER_BYTES, out) : o.failed;
}

enum err query_decode_detail(struct span bytes, struct arena *mem, struct campaign_detail *out) {
    struct unpack in;
    const ProtobufCMessage *message;
    enum err e = unpack_message(&trawl__campaign_detail__descriptor, bytes, LIMIT_ANSWER_BYTES, mem, &in, &message);
    if (e) return e;
    const Trawl__CampaignDetail *m = (const Trawl__CampaignDetail *)message;
    struct campaign_detail d = {.n_targets = m->n_targets};
    query_message_get_info(&in, m->info, &d.info);
    query_message_get_targets(&in, m->targets, m->n_targets, &d.targets);
    if (in.failed == ERR_OK) *out = d;
    return in.failed;
}

enum err query_encode_detail(const struct campaign_detail *d, struct buf *out) {
    AUTO(arena_free) struct arena *scratch = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    if (!scratch) return ERR_NOMEM;
    struct pack o = {.mem = scratch};
    Trawl__CampaignDetail m;
    trawl__campaign_detail__init(&m);
    m.info = query_message_put_info(&o, &d->info);
    m.targets = query_message_put_targets(&o, d->targets, d->n_targets);
    m.n_targets = d->n_targets;
    return pack_message(&o, &m.base, LIMIT_ANSWER_BYTES, out);
}
