#include "common/wire/query_message.h"

static struct plan_row get_row(struct unpack *in, const Trawl__PlanRow *m) {
    if (m->coverage >= COVERAGE__COUNT) unpack_refuse(in, ERR_SYNTAX);
    return (struct plan_row){.host = unpack_name(in, span_str(m->host)),
                             .coverage = (enum coverage)m->coverage,
                             .flavour = unpack_name_or_none(in, span_str(m->flavour)),
                             .why = unpack_text(in, span_str(m->why), LIMIT_REASON_BYTES),
                             .cost_known = m->cost_known,
                             .cost_at_least = m->cost_at_least,
                             .cost_events_per_s = m->cost_events_per_s,
                             .cost_ppm = m->cost_ppm};
}

enum err query_plan_decode(struct span bytes, struct arena *mem, struct plan *out) {
    struct unpack in;
    const ProtobufCMessage *message;
    enum err e = unpack_message(&trawl__plan_answer__descriptor, bytes, LIMIT_ANSWER_BYTES, mem, &in, &message);
    if (e) return e;
    const Trawl__PlanAnswer *m = (const Trawl__PlanAnswer *)message;
    struct plan p = {.rows = unpack_array(&in, m->n_rows, sizeof *p.rows), .n = m->n_rows};
    for (size_t i = 0; i < m->n_rows && in.failed == ERR_OK; i++) p.rows[i] = get_row(&in, m->rows[i]);
    if (in.failed == ERR_OK) *out = p;
    return in.failed;
}

static void put_row(struct pack *o, const struct plan_row *r, Trawl__PlanRow *m) {
    trawl__plan_row__init(m);
    if (r->coverage >= COVERAGE__COUNT) pack_fail(o, ERR_SYNTAX);
    m->host = pack_name(o, r->host);
    m->coverage = r->coverage;
    m->flavour = pack_name_or_none(o, r->flavour);
    m->why = pack_text(o, r->why, LIMIT_REASON_BYTES);
    m->cost_known = r->cost_known;
    m->cost_at_least = r->cost_at_least;
    m->cost_events_per_s = r->cost_events_per_s;
    m->cost_ppm = r->cost_ppm;
}

enum err query_plan_encode(const struct plan *p, struct buf *out) {
    AUTO(arena_free) struct arena *scratch = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    if (!scratch) return ERR_NOMEM;
    struct pack o = {.mem = scratch};
    Trawl__PlanAnswer m;
    trawl__plan_answer__init(&m);
    Trawl__PlanRow *rows = pack_array(&o, p->n, sizeof *rows);
    m.rows = pack_array(&o, p->n, sizeof *m.rows);
    m.n_rows = p->n;
    for (size_t i = 0; i < p->n && o.failed == ERR_OK; i++) {
        put_row(&o, &p->rows[i], &rows[i]);
        m.rows[i] = &rows[i];
    }
    return pack_message(&o, &m.base, LIMIT_ANSWER_BYTES, out);
}
