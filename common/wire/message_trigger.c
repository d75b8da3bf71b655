#include "common/wire/message.h"

void message_trigger_get(struct unpack *in, const Trawl__Trigger *m, struct trigger *out) {
    if (!m || !m->what) return unpack_refuse(in, ERR_SYNTAX);
    struct trigger t = {.version = m->version,
                        .id = unpack_campaign(in, m->id),
                        .name = unpack_name(in, span_str(m->name)),
                        .when = unpack_text(in, span_str(m->when), LIMIT_WHEN_BYTES),
                        .cooldown_s = m->cooldown_s,
                        .per_hour = m->per_hour,
                        .budget_s = m->budget_s};
    message_spec_get(in, m->what, &t.what);
    if (in->failed == ERR_OK) *out = t;
}

Trawl__Trigger *message_trigger_put(struct pack *o, const struct trigger *t) {
    Trawl__Trigger *m = pack_array(o, 1, sizeof *m);
    if (!m) return NULL;
    trawl__trigger__init(m);
    m->version = t->version;
    m->id = pack_campaign(&t->id);
    m->name = pack_name(o, t->name);
    m->when = pack_exact(o, t->when, LIMIT_WHEN_BYTES);
    m->what = message_spec_put(o, &t->what);
    m->cooldown_s = t->cooldown_s;
    m->per_hour = t->per_hour;
    m->budget_s = t->budget_s;
    return m;
}

void message_trigger_get_state(struct unpack *in, const Trawl__TriggerState *m, struct trigger_state *out) {
    if (!m) return unpack_refuse(in, ERR_SYNTAX);
    struct trigger_state s = {.id = unpack_campaign(in, m->trigger),
                              .armed = m->armed,
                              .note = unpack_text(in, span_str(m->note), LIMIT_REASON_BYTES),
                              .fired = m->fired,
                              .suppressed = m->suppressed};
    if (in->failed == ERR_OK) *out = s;
}

Trawl__TriggerState *message_trigger_put_state(struct pack *o, const struct trigger_state *s) {
    Trawl__TriggerState *m = pack_array(o, 1, sizeof *m);
    if (!m) return NULL;
    trawl__trigger_state__init(m);
    m->trigger = pack_campaign(&s->id);
    m->armed = s->armed;
    m->note = pack_text(o, s->note, LIMIT_REASON_BYTES);
    m->fired = s->fired;
    m->suppressed = s->suppressed;
    return m;
}
