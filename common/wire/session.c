#include "common/wire/session.h"

#include "common/wire/message.h"

static void get_state(struct unpack *in, const Trawl__OrderState *m, struct from_agent *out) {
    if (m->coverage > COVERAGE_RUNNING) return unpack_refuse(in, ERR_SYNTAX);
    out->kind = FROM_AGENT_STATE;
    out->state.campaign = unpack_campaign(in, m->campaign);
    out->state.coverage = (enum coverage)m->coverage;
    out->state.note = unpack_text(in, span_str(m->note), LIMIT_NOTE_BYTES);
}

static void get_part(struct unpack *in, const Trawl__PartMessage *m, struct from_agent *out) {
    if (m->part >= LIMIT_PARTS || m->round >= LIMIT_ROUNDS) return unpack_refuse(in, ERR_LIMIT);
    out->kind = FROM_AGENT_PART;
    out->part.key.campaign = unpack_campaign(in, m->campaign);
    out->part.key.host = unpack_name(in, span_str(m->host));
    out->part.key.tool = unpack_name(in, span_str(m->tool));
    out->part.key.round = m->round;
    out->part.key.part = m->part;
    out->part.body = unpack_bytes(in, m->body, LIMIT_PART_BYTES);
}

static void get_trigger(struct unpack *in, const Trawl__TriggerState *m, struct from_agent *out) {
    out->kind = FROM_AGENT_TRIGGER;
    message_trigger_get_state(in, m, &out->trigger);
}

static void get_firing(struct unpack *in, const Trawl__SignedOrder *m, struct from_agent *out) {
    out->kind = FROM_AGENT_FIRING;
    message_spec_get_signed(in, m, &out->firing);
}

enum err session_decode_from(struct span bytes, struct arena *mem, struct from_agent *out) {
    struct unpack in;
    const ProtobufCMessage *message;
    enum err e = unpack_message(&trawl__from_agent__descriptor, bytes, LIMIT_FRAME_BYTES, mem, &in, &message);
    if (e) return e;
    const Trawl__FromAgent *m = (const Trawl__FromAgent *)message;
    struct from_agent f = {.kind = FROM_AGENT_FACTS};
    if (m->what_case == TRAWL__FROM_AGENT__WHAT_FACTS && bytes.n > LIMIT_FACTS_BYTES) return ERR_LIMIT;
    if (m->what_case == TRAWL__FROM_AGENT__WHAT_FACTS)
        message_facts_get(&in, m->facts, &f.facts);
    else if (m->what_case == TRAWL__FROM_AGENT__WHAT_STATE)
        get_state(&in, m->state, &f);
    else if (m->what_case == TRAWL__FROM_AGENT__WHAT_PART)
        get_part(&in, m->part, &f);
    else if (m->what_case == TRAWL__FROM_AGENT__WHAT_TRIGGER)
        get_trigger(&in, m->trigger, &f);
    else if (m->what_case == TRAWL__FROM_AGENT__WHAT_FIRING && m->firing->order)
        get_firing(&in, m->firing->order, &f);
    else
        return ERR_SYNTAX;
    if (in.failed == ERR_OK) *out = f;
    return in.failed;
}

static void put_state(struct pack *o, const struct from_agent *from, Trawl__OrderState *m) {
    if (from->state.coverage > COVERAGE_RUNNING) pack_fail(o, ERR_SYNTAX);
    m->campaign = pack_campaign(&from->state.campaign);
    m->coverage = from->state.coverage;
    m->note = pack_text(o, from->state.note, LIMIT_NOTE_BYTES);
}

static void put_part(struct pack *o, const struct from_agent *from, Trawl__PartMessage *m) {
    if (from->part.key.part >= LIMIT_PARTS || from->part.key.round >= LIMIT_ROUNDS) pack_fail(o, ERR_LIMIT);
    m->campaign = pack_campaign(&from->part.key.campaign);
    m->host = pack_name(o, from->part.key.host);
    m->tool = pack_name(o, from->part.key.tool);
    m->round = from->part.key.round;
    m->part = from->part.key.part;
    m->body = pack_bytes(o, from->part.body, LIMIT_PART_BYTES);
}

enum err session_encode_from(const struct from_agent *from, struct buf *out) {
    AUTO(arena_free) struct arena *scratch = arena_new(LIMIT_FRAME_ARENA_BYTES);
    if (!scratch) return ERR_NOMEM;
    struct pack o = {.mem = scratch};
    Trawl__OrderState state;
    trawl__order_state__init(&state);
    Trawl__PartMessage part;
    trawl__part_message__init(&part);
    Trawl__Firing firing;
    trawl__firing__init(&firing);
    Trawl__FromAgent m;
    trawl__from_agent__init(&m);
    size_t max = LIMIT_FRAME_BYTES;
    switch (from->kind) {
    case FROM_AGENT_FACTS:
        m.what_case = TRAWL__FROM_AGENT__WHAT_FACTS;
        m.facts = message_facts_put(&o, &from->facts);
        max = LIMIT_FACTS_BYTES;
        break;
    case FROM_AGENT_STATE:
        m.what_case = TRAWL__FROM_AGENT__WHAT_STATE;
        put_state(&o, from, &state);
        m.state = &state;
        break;
    case FROM_AGENT_PART:
        m.what_case = TRAWL__FROM_AGENT__WHAT_PART;
        put_part(&o, from, &part);
        m.part = &part;
        break;
    case FROM_AGENT_TRIGGER:
        m.what_case = TRAWL__FROM_AGENT__WHAT_TRIGGER;
        m.trigger = message_trigger_put_state(&o, &from->trigger);
        break;
    case FROM_AGENT_FIRING:
        m.what_case = TRAWL__FROM_AGENT__WHAT_FIRING;
        firing.order = message_spec_put_signed(&o, &from->firing);
        m.firing = &firing;
        break;
    }
    return pack_message(&o, &m.base, max, out);
}

static void get_stop(struct unpack *in, const Trawl__StopOrder *m, struct to_agent *out) {
    out->kind = TO_AGENT_STOP;
    out->stop.campaign = unpack_campaign(in, m->campaign);
    out->stop.why = unpack_text(in, span_str(m->why), LIMIT_REASON_BYTES);
}

static void get_ack(struct unpack *in, const Trawl__Ack *m, struct to_agent *out) {
    if (m->part >= LIMIT_PARTS || m->round >= LIMIT_ROUNDS) return unpack_refuse(in, ERR_LIMIT);
    out->kind = TO_AGENT_ACK;
    out->ack.campaign = unpack_campaign(in, m->campaign);
    out->ack.host = span_of("", 0);
    out->ack.tool = unpack_name(in, span_str(m->tool));
    out->ack.round = m->round;
    out->ack.part = m->part;
}

static void get_lockdown(struct unpack *in, const Trawl__SignedOrder *m, struct to_agent *out) {
    out->kind = TO_AGENT_LOCKDOWN;
    message_spec_get_signed(in, m, &out->order);
}

static void get_arm(struct unpack *in, const Trawl__SignedOrder *m, struct to_agent *out) {
    out->kind = TO_AGENT_ARM;
    message_spec_get_signed(in, m, &out->order);
}

static void get_disarm(struct unpack *in, const Trawl__DisarmTrigger *m, struct to_agent *out) {
    out->kind = TO_AGENT_DISARM;
    out->disarm = unpack_campaign(in, m->trigger);
}

static void get_firing_answer(struct unpack *in, const Trawl__FiringAnswer *m, struct to_agent *out) {
    out->kind = TO_AGENT_FIRING;
    out->stop.campaign = unpack_campaign(in, m->campaign);
    out->stop.why = unpack_text(in, span_str(m->refused), LIMIT_REASON_BYTES);
}

enum err session_decode_to(struct span bytes, struct arena *mem, struct to_agent *out) {
    struct unpack in;
    const ProtobufCMessage *message;
    enum err e = unpack_message(&trawl__to_agent__descriptor, bytes, LIMIT_FRAME_BYTES, mem, &in, &message);
    if (e) return e;
    const Trawl__ToAgent *m = (const Trawl__ToAgent *)message;
    struct to_agent t = {.kind = TO_AGENT_ORDER};
    if (m->what_case == TRAWL__TO_AGENT__WHAT_ORDER)
        message_spec_get_signed(&in, m->order, &t.order);
    else if (m->what_case == TRAWL__TO_AGENT__WHAT_STOP)
        get_stop(&in, m->stop, &t);
    else if (m->what_case == TRAWL__TO_AGENT__WHAT_ACK)
        get_ack(&in, m->ack, &t);
    else if (m->what_case == TRAWL__TO_AGENT__WHAT_LOCKDOWN)
        get_lockdown(&in, m->lockdown, &t);
    else if (m->what_case == TRAWL__TO_AGENT__WHAT_ARM)
        get_arm(&in, m->arm, &t);
    else if (m->what_case == TRAWL__TO_AGENT__WHAT_DISARM)
        get_disarm(&in, m->disarm, &t);
    else if (m->what_case == TRAWL__TO_AGENT__WHAT_FIRING)
        get_firing_answer(&in, m->firing, &t);
    else
        return ERR_SYNTAX;
    if (in.failed == ERR_OK) *out = t;
    return in.failed;
}

static void put_ack(struct pack *o, const struct part_key *key, Trawl__Ack *m) {
    if (key->part >= LIMIT_PARTS || key->round >= LIMIT_ROUNDS) pack_fail(o, ERR_LIMIT);
    m->campaign = pack_campaign(&key->campaign);
    m->tool = pack_name(o, key->tool);
    m->round = key->round;
    m->part = key->part;
}

enum err session_encode_to(const struct to_agent *to, struct buf *out) {
    AUTO(arena_free) struct arena *scratch = arena_new(LIMIT_FRAME_ARENA_BYTES);
    if (!scratch) return ERR_NOMEM;
    struct pack o = {.mem = scratch};
    Trawl__StopOrder stop;
    trawl__stop_order__init(&stop);
    Trawl__Ack ack;
    trawl__ack__init(&ack);
    Trawl__DisarmTrigger disarm;
    trawl__disarm_trigger__init(&disarm);
    Trawl__FiringAnswer firing;
    trawl__firing_answer__init(&firing);
    Trawl__ToAgent m;
    trawl__to_agent__init(&m);
    switch (to->kind) {
    case TO_AGENT_ORDER:
        m.what_case = TRAWL__TO_AGENT__WHAT_ORDER;
        m.order = message_spec_put_signed(&o, &to->order);
        break;
    case TO_AGENT_STOP:
        m.what_case = TRAWL__TO_AGENT__WHAT_STOP;
        stop.campaign = pack_campaign(&to->stop.campaign);
        stop.why = pack_text(&o, to->stop.why, LIMIT_REASON_BYTES);
        m.stop = &stop;
        break;
    case TO_AGENT_ACK:
        m.what_case = TRAWL__TO_AGENT__WHAT_ACK;
        put_ack(&o, &to->ack, &ack);
        m.ack = &ack;
        break;
    case TO_AGENT_LOCKDOWN:
        m.what_case = TRAWL__TO_AGENT__WHAT_LOCKDOWN;
        m.lockdown = message_spec_put_signed(&o, &to->order);
        break;
    case TO_AGENT_ARM:
        m.what_case = TRAWL__TO_AGENT__WHAT_ARM;
        m.arm = message_spec_put_signed(&o, &to->order);
        break;
    case TO_AGENT_DISARM:
        m.what_case = TRAWL__TO_AGENT__WHAT_DISARM;
        disarm.trigger = pack_campaign(&to->disarm);
        m.disarm = &disarm;
        break;
    case TO_AGENT_FIRING:
        m.what_case = TRAWL__TO_AGENT__WHAT_FIRING;
        firing.campaign = pack_campaign(&to->stop.campaign);
        firing.refused = pack_text(&o, to->stop.why, LIMIT_REASON_BYTES);
        m.firing = &firing;
        break;
    }
    return pack_message(&o, &m.base, LIMIT_FRAME_BYTES, out);
}
