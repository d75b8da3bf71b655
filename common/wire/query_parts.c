#include "common/wire/query_message.h"

enum err query_parts_decode(struct span bytes, struct arena *mem, struct query_parts *out) {
    struct unpack in;
    const ProtobufCMessage *message;
    enum err e = unpack_message(&trawl__parts_piece__descriptor, bytes, LIMIT_ANSWER_BYTES, mem, &in, &message);
    if (e) return e;
    const Trawl__PartsPiece *m = (const Trawl__PartsPiece *)message;
    struct query_parts p = {.campaign = unpack_name_or_none(&in, m->campaign ? span_str(m->campaign->id) : SPAN_LIT("")),
                            .after = unpack_name_or_none(&in, span_str(m->after)),
                            .order = unpack_bytes(&in, m->order, LIMIT_ORDER_BYTES),
                            .parts = unpack_array(&in, m->n_parts, sizeof *p.parts),
                            .n = m->n_parts,
                            .last = unpack_name_or_none(&in, span_str(m->last))};
    for (size_t i = 0; i < m->n_parts && in.failed == ERR_OK; i++)
        p.parts[i] = (struct query_part){unpack_name(&in, span_str(m->parts[i]->host)), m->parts[i]->round, m->parts[i]->part,
                                         unpack_bytes(&in, m->parts[i]->body, LIMIT_PART_BYTES)};
    if (in.failed == ERR_OK) *out = p;
    return in.failed;
}

enum err query_parts_encode(const struct query_parts *p, struct buf *out) {
    AUTO(arena_free) struct arena *scratch = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    if (!scratch) return ERR_NOMEM;
    struct pack o = {.mem = scratch};
    Trawl__PartsPiece m;
    Trawl__CampaignRef ref;
    trawl__parts_piece__init(&m);
    trawl__campaign_ref__init(&ref);
    Trawl__StoredPart *parts = pack_array(&o, p->n, sizeof *parts);
    ref.id = pack_name_or_none(&o, p->campaign);
    if (p->campaign.n) m.campaign = &ref;
    m.after = pack_name_or_none(&o, p->after);
    m.order = pack_bytes(&o, p->order, LIMIT_ORDER_BYTES);
    m.last = pack_name_or_none(&o, p->last);
    m.parts = pack_array(&o, p->n, sizeof *m.parts);
    m.n_parts = p->n;
    for (size_t i = 0; i < p->n && o.failed == ERR_OK; i++) {
        trawl__stored_part__init(&parts[i]);
        parts[i].host = pack_name(&o, p->parts[i].host);
        parts[i].round = p->parts[i].round;
        parts[i].part = p->parts[i].part;
        parts[i].body = pack_bytes(&o, p->parts[i].body, LIMIT_PART_BYTES);
        m.parts[i] = &parts[i];
    }
    return pack_message(&o, &m.base, LIMIT_ANSWER_BYTES, out);
}
