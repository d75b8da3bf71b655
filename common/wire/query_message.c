#include "common/wire/query_message.h"

static void get_coverage(struct unpack *in, const Trawl__CampaignInfo *m, struct campaign_info *i) {
    if (m->n_coverage > COVERAGE__COUNT) return unpack_refuse(in, ERR_SYNTAX);
    for (size_t k = 0; k < m->n_coverage; k++) i->coverage[k] = m->coverage[k];
}

void query_message_get_info(struct unpack *in, const Trawl__CampaignInfo *m, struct campaign_info *out) {
    Trawl__CampaignInfo none;
    trawl__campaign_info__init(&none);
    if (!m) m = &none;
    struct campaign_info i = {
        .id = unpack_name_or_none(in, span_str(m->id)),
        .operator_name = unpack_name_or_none(in, span_str(m->operator_)),
        .state = unpack_name_or_none(in, span_str(m->state)),
        .created_wall_ns = m->created_wall_ns,
        .ended_wall_ns = m->ended_wall_ns,
        .targeted = m->targeted,
        .with_result = m->with_result,
        .replayed = m->replayed,
        .why = unpack_text(in, span_str(m->why), LIMIT_REASON_BYTES),
        .wave = m->wave,
        .waves = m->waves,
        .held = m->held,
        .first_start_wall_ns = m->first_start_wall_ns,
        .last_start_wall_ns = m->last_start_wall_ns,
    };
    if (m->spec) message_spec_get(in, m->spec, &i.spec);
    message_outcome_get_ledger(m->ledger, &i.ledger);
    get_coverage(in, m, &i);
    if (in->failed == ERR_OK) *out = i;
}

Trawl__CampaignInfo *query_message_put_info(struct pack *o, const struct campaign_info *i) {
    Trawl__CampaignInfo *m = pack_array(o, 1, sizeof *m);
    if (!m) return NULL;
    trawl__campaign_info__init(m);
    m->id = pack_name_or_none(o, i->id);
    m->operator_ = pack_name_or_none(o, i->operator_name);
    m->state = pack_name_or_none(o, i->state);
    m->created_wall_ns = i->created_wall_ns;
    m->ended_wall_ns = i->ended_wall_ns;
    m->targeted = i->targeted;
    m->with_result = i->with_result;
    m->replayed = i->replayed;
    m->why = pack_text(o, i->why, LIMIT_REASON_BYTES);
    m->wave = i->wave;
    m->waves = i->waves;
    m->held = i->held;
    m->first_start_wall_ns = i->first_start_wall_ns;
    m->last_start_wall_ns = i->last_start_wall_ns;
    if (i->spec.version) m->spec = message_spec_put(o, &i->spec);
    m->ledger = message_outcome_put_ledger(o, &i->ledger);
    m->coverage = (uint32_t *)(uintptr_t)i->coverage;
    m->n_coverage = pack_count_u32(i->coverage, COVERAGE__COUNT);
    return m;
}

static void get_target(struct unpack *in, const Trawl__TargetInfo *m, struct target_info *t) {
    if (m->coverage >= COVERAGE__COUNT) return unpack_refuse(in, ERR_SYNTAX);
    t->host = unpack_name(in, span_str(m->host));
    t->coverage = (enum coverage)m->coverage;
    t->reason = unpack_text(in, span_str(m->reason), LIMIT_REASON_BYTES);
    if (m->outcome) t->outcome = unpack_array(in, 1, sizeof *t->outcome);
    if (t->outcome) message_outcome_get(in, m->outcome, t->outcome);
}

void query_message_get_targets(struct unpack *in, Trawl__TargetInfo *const *m, size_t n, struct target_info **out) {
    struct target_info *targets = unpack_array(in, n, sizeof *targets);
    for (size_t i = 0; i < n && in->failed == ERR_OK; i++) get_target(in, m[i], &targets[i]);
    if (in->failed == ERR_OK) *out = targets;
}

static void put_target(struct pack *o, const struct target_info *t, Trawl__TargetInfo *m) {
    trawl__target_info__init(m);
    if (t->coverage >= COVERAGE__COUNT) pack_fail(o, ERR_SYNTAX);
    m->host = pack_name(o, t->host);
    m->coverage = t->coverage;
    m->reason = pack_text(o, t->reason, LIMIT_REASON_BYTES);
    if (t->outcome) m->outcome = message_outcome_put(o, t->outcome);
}

Trawl__TargetInfo **query_message_put_targets(struct pack *o, const struct target_info *targets, size_t n) {
    Trawl__TargetInfo *m = pack_array(o, n, sizeof *m);
    Trawl__TargetInfo **list = pack_array(o, n, sizeof *list);
    for (size_t i = 0; i < n && o->failed == ERR_OK; i++) {
        put_target(o, &targets[i], &m[i]);
        list[i] = &m[i];
    }
    return list;
}
