#include "common/wire/trigger.h"

#include "common/wire/message.h"
#include "console.pb-c.h"

enum { LIST_BYTES = 8 * 1024 * 1024 };

enum err trigger_decode(struct span bytes, struct arena *mem, struct trigger *out) {
    struct unpack in;
    const ProtobufCMessage *m;
    enum err e = unpack_message(&trawl__trigger__descriptor, bytes, LIMIT_SPEC_BYTES, mem, &in, &m);
    if (e) return e;
    message_trigger_get(&in, (const Trawl__Trigger *)m, out);
    return in.failed;
}

enum err trigger_encode(const struct trigger *t, struct buf *out) {
    AUTO(arena_free) struct arena *scratch = arena_new(LIMIT_FRAME_ARENA_BYTES);
    if (!scratch) return ERR_NOMEM;
    struct pack o = {.mem = scratch};
    const Trawl__Trigger *m = message_trigger_put(&o, t);
    return m ? pack_message(&o, &m->base, LIMIT_SPEC_BYTES, out) : o.failed;
}

enum err trigger_decode_ref(struct span bytes, struct arena *mem, struct span *out) {
    struct unpack in;
    const ProtobufCMessage *m;
    enum err e = unpack_message(&trawl__trigger_ref__descriptor, bytes, LIMIT_REQUEST_BYTES, mem, &in, &m);
    if (e) return e;
    struct span ref = unpack_name_or_none(&in, span_str(((const Trawl__TriggerRef *)m)->name));
    if (in.failed == ERR_OK) *out = ref;
    return in.failed;
}

enum err trigger_encode_ref(struct span ref, struct buf *out) {
    AUTO(arena_free) struct arena *scratch = arena_new(LIMIT_FRAME_ARENA_BYTES);
    if (!scratch) return ERR_NOMEM;
    struct pack o = {.mem = scratch};
    Trawl__TriggerRef m;
    trawl__trigger_ref__init(&m);
    m.name = pack_name_or_none(&o, ref);
    return pack_message(&o, &m.base, LIMIT_REQUEST_BYTES, out);
}

static void get_hosts(struct unpack *in, const Trawl__TriggerInfo *m, struct trigger_info *i) {
    i->hosts = unpack_array(in, m->n_hosts, sizeof *i->hosts);
    i->n_hosts = m->n_hosts;
    for (size_t k = 0; k < m->n_hosts && in->failed == ERR_OK; k++) {
        i->hosts[k].host = unpack_name(in, span_str(m->hosts[k]->host));
        message_trigger_get_state(in, m->hosts[k]->state, &i->hosts[k].state);
    }
}

static void get_info(struct unpack *in, const Trawl__TriggerInfo *m, struct trigger_info *out) {
    *out = (struct trigger_info){.operator_name = unpack_name(in, span_str(m->operator_)),
                                 .removed = m->removed,
                                 .added_wall_ms = m->added_wall_ms,
                                 .fired = m->fired,
                                 .suppressed = m->suppressed,
                                 .last_wall_ms = m->last_wall_ms,
                                 .last = unpack_text(in, span_str(m->last), LIMIT_REASON_BYTES)};
    message_trigger_get(in, m->trigger, &out->trigger);
    get_hosts(in, m, out);
}

enum err trigger_decode_list(struct span bytes, struct arena *mem, struct trigger_list *out) {
    struct unpack in;
    const ProtobufCMessage *message;
    enum err e = unpack_message(&trawl__trigger_list__descriptor, bytes, LIST_BYTES, mem, &in, &message);
    if (e) return e;
    const Trawl__TriggerList *m = (const Trawl__TriggerList *)message;
    struct trigger_info *infos = unpack_array(&in, m->n_triggers, sizeof *infos);
    for (size_t i = 0; i < m->n_triggers && in.failed == ERR_OK; i++) get_info(&in, m->triggers[i], &infos[i]);
    if (in.failed == ERR_OK) *out = (struct trigger_list){.triggers = infos, .n = m->n_triggers};
    return in.failed;
}

static void put_hosts(struct pack *o, const struct trigger_info *i, Trawl__TriggerInfo *m) {
    Trawl__TriggerHost *hosts = pack_array(o, i->n_hosts, sizeof *hosts);
    m->hosts = pack_array(o, i->n_hosts, sizeof *m->hosts);
    m->n_hosts = i->n_hosts;
    for (size_t k = 0; k < i->n_hosts && o->failed == ERR_OK; k++) {
        trawl__trigger_host__init(&hosts[k]);
        hosts[k].host = pack_name(o, i->hosts[k].host);
        hosts[k].state = message_trigger_put_state(o, &i->hosts[k].state);
        m->hosts[k] = &hosts[k];
    }
}

static void put_info(struct pack *o, const struct trigger_info *i, Trawl__TriggerInfo *m) {
    trawl__trigger_info__init(m);
    m->trigger = message_trigger_put(o, &i->trigger);
    m->operator_ = pack_name(o, i->operator_name);
    m->removed = i->removed;
    m->added_wall_ms = i->added_wall_ms;
    m->fired = i->fired;
    m->suppressed = i->suppressed;
    m->last_wall_ms = i->last_wall_ms;
    m->last = pack_text(o, i->last, LIMIT_REASON_BYTES);
    put_hosts(o, i, m);
}

enum err trigger_encode_list(const struct trigger_list *l, struct buf *out) {
    AUTO(arena_free) struct arena *scratch = arena_new(4 * (size_t)LIST_BYTES);
    if (!scratch) return ERR_NOMEM;
    struct pack o = {.mem = scratch};
    Trawl__TriggerList m;
    trawl__trigger_list__init(&m);
    Trawl__TriggerInfo *infos = pack_array(&o, l->n, sizeof *infos);
    m.triggers = pack_array(&o, l->n, sizeof *m.triggers);
    m.n_triggers = l->n;
    for (size_t i = 0; i < l->n && o.failed == ERR_OK; i++) {
        put_info(&o, &l->triggers[i], &infos[i]);
        m.triggers[i] = &infos[i];
    }
    return pack_message(&o, &m.base, LIST_BYTES, out);
}
