#include <errno.h>
#include <stdio.h>

#include "collector/daemon/core_state.h"
#include "common/order/selector.h"

enum { PATH_BYTES = 512 };

static uint64_t now_ms(void) { return clock_wall_ns() / NS_PER_MS; }

/* ---- known ones ---- */
static void trigger_free(struct core_trigger *t) {
    map_free(t->alerts);
    map_free(t->host_at);
    free(t->hosts);
    arena_free(t->mem);
    free(t);
}

static bool read_targets(struct core_trigger *t) {
    struct buf words;
    buf_init(&words, LIMIT_REASON_BYTES);
    enum err e = selector_parse(t->entry->rule.trigger.what.selector, t->mem, &words, &t->targets);
    buf_done(&words);
    return e != ERR_NOMEM;
}

static struct core_trigger *remember(struct core *core, struct rulebook_entry *e) {
    struct core_trigger *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    *t = (struct core_trigger){.next = core->triggers, .entry = e, .mem = arena_new(LIMIT_FRAME_ARENA_BYTES), .host_at = map_new()};
    if (!t->mem || !t->host_at || !read_targets(t)) {
        trigger_free(t);
        return NULL;
    }
    core->triggers = t;
    return t;
}

static void forget_all(struct core *core) {
    for (struct core_trigger *next, *t = core->triggers; t; t = next) {
        next = t->next;
        trigger_free(t);
    }
    core->triggers = NULL;
}

enum err core_triggers_open(struct core *core, char *why, size_t why_size) {
    char path[PATH_BYTES];
    size_t damaged = 0;
    snprintf(path, sizeof path, "%s.triggers", core->opt.store_path);
    enum err e = rulebook_open(path, &damaged, &core->rulebook);
    if (e) snprintf(why, why_size, "%s: %s", path, e == ERR_SYS ? strerror(errno) : err_text(e));
    if (damaged) LOG(LOG_WARNING, "trigger.damaged", KV("files", damaged));
    for (struct rulebook_entry *at = e ? NULL : rulebook_first(core->rulebook); at; at = at->next)
        if (!remember(core, at)) return ERR_NOMEM;
    return e;
}

void core_triggers_close(struct core *core) {
    forget_all(core);
    rulebook_close(core->rulebook);
}

struct core_trigger *core_triggers_find(struct core *core, const struct campaign_id *id) {
    for (struct core_trigger *t = core->triggers; t; t = t->next)
        if (memcmp(t->entry->rule.trigger.id.b, id->b, sizeof id->b) == 0) return t;
    return NULL;
}

void core_triggers_note(struct core_trigger *t, struct span what) {
    snprintf(t->last, sizeof t->last, "%.*s", (int)what.n, what.n ? what.p : "");
    t->last_wall_ms = now_ms();
}

/* What was suppressed in a row since the last one that was written down. */
static void say_suppressed(struct core *core, struct core_trigger *t) {
    char text[64];
    if (!t->unsaid) return;
    snprintf(text, sizeof text, "%llu more were suppressed", (unsigned long long)t->unsaid - 1);
    const struct audit_record r = {
        .event = "trigger.suppressed", .what = t->entry->rule.trigger.name, .result = SPAN_LIT("suppressed"), .why = span_str(text)};
    if (t->unsaid > 1) IGNORED(core_audit_add(core, &r)); /* said in the log */
    t->unsaid = 0;
    IGNORED(rulebook_save(core->rulebook, t->entry)); /* a count, no limit depends on it */
}

void core_triggers_tick(struct core *core) {
    uint64_t now = now_ms();
    bool some = false;
    for (struct core_trigger *t = core->triggers; t; t = t->next) say_suppressed(core, t);
    for (struct core_trigger **at = &core->triggers; *at;) {
        struct core_trigger *t = *at;
        if (now < t->entry->rule.trigger.what.expires_wall_ms) {
            at = &t->next;
            continue;
        }
        LOG(LOG_NOTICE, "trigger.expired", KV("trigger", t->entry->rule.trigger.name));
        *at = t->next;
        trigger_free(t);
        some = true;
    }
    if (some) rulebook_expire(core->rulebook, now);
}

static void audit(struct core *core, const char *event, const struct rulebook_entry *e, struct span who, enum authority authority) {
    const struct trigger *r = &e->rule.trigger;
    const struct audit_record record = {
        .event = event, .who = who, .authority = span_str(identity_authority_name(authority)), .what = r->name, .where = r->when};
    IGNORED(core_audit_add(core, &record)); /* said in the log */
}

/* ---- to hosts ---- */
bool core_triggers_is_for(const struct core_trigger *t, const struct fleet_host *h) {
    return t->targets && selector_matches(t->targets, span_str(h->name), h->facts.labels, h->facts.n_labels);
}

static void send(struct core *core, const struct rulebook_entry *e, const uint64_t *sessions, size_t n) {
    struct to_agent to = {.kind = e->removed ? TO_AGENT_DISARM : TO_AGENT_ARM, .order = e->signed_order, .disarm = e->rule.trigger.id};
    enum err err = n ? core_agents_tell(core, RPC_INTERACTIVE, &to, sessions, n) : ERR_OK;
    if (err) LOG(LOG_ERR, "trigger.not_sent", KV("trigger", e->rule.trigger.name), KV("hosts", n), KV("why", err_text(err)));
}

/* Those that see for themselves; a removed one is told of to everybody, for hosts also know those that only the collector fires. */
static void send_to_all(struct core *core, const struct core_trigger *t) {
    AUTO_FREE uint64_t *sessions = calloc(fleet_n(core->fleet) + 1, sizeof *sessions);
    size_t n = 0;
    for (size_t i = 0; sessions && i < fleet_n(core->fleet); i++) {
        const struct fleet_host *h = fleet_host(core->fleet, i);
        if (h->session && core_triggers_is_for(t, h)) sessions[n++] = h->session;
    }
    if (t->entry->removed || when_is_hosts(&t->entry->rule.when)) send(core, t->entry, sessions, n);
}

void core_triggers_connected(struct core *core, const struct fleet_host *h) {
    for (const struct core_trigger *t = core->triggers; t; t = t->next)
        if ((t->entry->removed || when_is_hosts(&t->entry->rule.when)) && core_triggers_is_for(t, h)) send(core, t->entry, &h->session, 1);
}

/* ---- what they say ---- */
struct core_trigger_host *core_triggers_host(struct core_trigger *t, struct span name) {
    const uint64_t *at = map_get(t->host_at, name);
    if (at) return &t->hosts[*at];
    if (t->n_hosts == t->cap_hosts) {
        size_t want = t->cap_hosts ? 2 * t->cap_hosts : 8;
        struct core_trigger_host *p = reallocarray(t->hosts, want, sizeof *p);
        if (!p) return NULL;
        t->hosts = p;
        t->cap_hosts = want;
    }
    if (map_put(t->host_at, name, t->n_hosts) != ERR_OK) return NULL;
    struct core_trigger_host *h = &t->hosts[t->n_hosts++];
    *h = (struct core_trigger_host){.armed = false};
    snprintf(h->host, sizeof h->host, "%.*s", (int)name.n, name.p);
    return h;
}

void core_triggers_state(struct core *core, struct message *m) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    struct from_agent from;
    if (!mem || session_decode_from(m->agent.facts_bytes, mem, &from) != ERR_OK) return; /* ingest has read it before */
    const struct trigger_state *s = &from.trigger;
    struct core_trigger *t = core_triggers_find(core, &s->id);
    struct core_trigger_host *h = t ? core_triggers_host(t, m->agent.host) : NULL;
    if (!h) return;
    if (s->suppressed > h->suppressed) core_triggers_note(t, SPAN_LIT("suppressed on a host"));
    h->armed = s->armed;
    h->fired = s->fired;
    h->suppressed = s->suppressed;
    snprintf(h->note, sizeof h->note, "%.*s", (int)s->note.n, s->note.p);
    if (s->armed || t->entry->removed) return;
    LOG(LOG_WARNING, "trigger.refused", KV("trigger", t->entry->rule.trigger.name), KV("host", m->agent.host), KV("why", s->note));
    const struct audit_record r = {.event = "trigger.refused",
                                   .host = m->agent.host,
                                   .what = t->entry->rule.trigger.name,
                                   .result = SPAN_LIT("refused"),
                                   .why = s->note};
    core_audit_stranger(core, &r);
}

/* ---- what consoles ask ---- */
static enum err fill(const struct core_trigger *t, bool with_hosts, struct arena *mem, struct trigger_info *out) {
    const struct rulebook_entry *e = t->entry;
    struct trigger_info i = {.trigger = e->rule.trigger,
                             .operator_name = span_str(e->rule.signer.name),
                             .removed = e->removed,
                             .added_wall_ms = e->added_wall_ms,
                             .fired = e->allowance.fired,
                             .suppressed = e->allowance.suppressed,
                             .last_wall_ms = t->last_wall_ms,
                             .last = span_str(t->last)};
    i.hosts = arena_array(mem, t->n_hosts + 1, sizeof *i.hosts);
    if (!i.hosts) return ERR_NOMEM;
    for (size_t k = 0; k < t->n_hosts; k++) {
        const struct core_trigger_host *h = &t->hosts[k];
        if (when_is_hosts(&e->rule.when)) i.fired += h->fired;
        i.suppressed += h->suppressed;
        i.hosts[k].host = span_str(h->host);
        i.hosts[k].state = (struct trigger_state){
            .id = e->rule.trigger.id, .armed = h->armed, .note = span_str(h->note), .fired = h->fired, .suppressed = h->suppressed};
    }
    i.n_hosts = with_hosts ? t->n_hosts : 0;
    *out = i;
    return ERR_OK;
}

static bool fits(const struct core_trigger *t, struct span ref) {
    char hex[2 * CAMPAIGN_ID_BYTES + 1];
    part_campaign_hex(&t->entry->rule.trigger.id, hex);
    return ref.n == 0 || span_eq(t->entry->rule.trigger.name, ref) || (ref.n >= 4 && span_starts(span_str(hex), ref));
}

/* Those that fit, the newest first; removed ones only by name or id. */
static enum err list(struct core *core, struct span ref, struct arena *mem, struct buf *out) {
    struct trigger_list l = {.triggers = arena_array(mem, LIMIT_TRIGGERS * 4, sizeof *l.triggers)};
    enum err e = l.triggers ? ERR_OK : ERR_NOMEM;
    for (const struct core_trigger *t = core->triggers; e == ERR_OK && t && l.n < LIMIT_TRIGGERS * 4; t = t->next)
        if (fits(t, ref) && (ref.n || !t->entry->removed)) e = fill(t, ref.n > 0, mem, &l.triggers[l.n++]);
    return e ? e : trigger_encode_list(&l, out);
}

static enum rpc_status answer(struct core *core, struct span ref, struct arena *mem, char *why, struct buf *out) {
    enum err e = list(core, ref, mem, out);
    if (e) snprintf(why, QUERY_WHY_BYTES, "%s", err_text(e));
    return e ? RPC_RESOURCE_EXHAUSTED : RPC_OK;
}

static enum rpc_status refuse(enum rpc_status status, char *why, const char *text) {
    snprintf(why, QUERY_WHY_BYTES, "%s", text);
    return status;
}

static enum rpc_status verify(struct core *core, const struct message_question *q, struct arena *mem, char *why, struct signed_order *so,
                              struct rule *out) {
    const struct order_check check = {.operators = core->operators, .fleet = core->opt.fleet, .wall_ns = clock_wall_ns()};
    enum err e = q->bytes.n <= LIMIT_ORDER_BYTES ? spec_decode_signed(q->bytes, mem, so) : ERR_LIMIT;
    if (e) return refuse(RPC_INVALID_ARGUMENT, why, "this is no signed trigger");
    e = rule_verify(so, &check, mem, why, QUERY_WHY_BYTES, out);
    if (e) return e == ERR_UNTRUSTED ? RPC_PERMISSION_DENIED : e == ERR_EXPIRED ? RPC_FAILED_PRECONDITION : RPC_INVALID_ARGUMENT;
    if (!span_eq_str(q->operator_name, out->signer.name))
        return refuse(RPC_PERMISSION_DENIED, why, "the trigger is signed by somebody else than this connection's operator");
    for (const struct core_trigger *t = core->triggers; t; t = t->next)
        if (!t->entry->removed && span_eq(t->entry->rule.trigger.name, out->trigger.name))
            return refuse(RPC_ALREADY_EXISTS, why, "there is a trigger of this name; remove it first: trawl trigger remove NAME");
    if (rulebook_n(core->rulebook) >= LIMIT_TRIGGERS)
        return refuse(RPC_RESOURCE_EXHAUSTED, why, "as many triggers are armed as there may be");
    return RPC_OK;
}

enum rpc_status core_triggers_add(struct core *core, const struct message_question *q, struct arena *mem, char *why, struct buf *out) {
    struct signed_order so;
    struct rule rule;
    struct rulebook_entry *e = NULL;
    enum rpc_status status = verify(core, q, mem, why, &so, &rule);
    if (status != RPC_OK) return status;
    enum err err = rulebook_add(core->rulebook, &so, &rule, now_ms(), &e);
    if (err == ERR_EXISTS) return refuse(RPC_ALREADY_EXISTS, why, "this very trigger was added before");
    const struct core_trigger *t = err ? NULL : remember(core, e);
    if (!t) return refuse(RPC_UNAVAILABLE, why, "the collector cannot write down the trigger");
    LOG(LOG_NOTICE, "trigger.added", KV("trigger", rule.trigger.name), KV("operator", q->operator_name), KV("when", rule.trigger.when));
    audit(core, "trigger.added", e, q->operator_name, q->authority);
    send_to_all(core, t);
    return answer(core, rule.trigger.name, mem, why, out);
}

static enum rpc_status read_ref(const struct message_question *q, struct arena *mem, char *why, struct span *out) {
    return trigger_decode_ref(q->bytes, mem, out) == ERR_OK ? RPC_OK : refuse(RPC_INVALID_ARGUMENT, why, "this is no trigger's name");
}

static enum rpc_status unknown(char *why, struct span ref) {
    snprintf(why, QUERY_WHY_BYTES, "there is no trigger %.*s; `trawl trigger list` lists them", (int)ref.n, ref.p);
    return RPC_NOT_FOUND;
}

enum rpc_status core_triggers_list(struct core *core, const struct message_question *q, struct arena *mem, char *why, struct buf *out) {
    struct span ref;
    enum rpc_status status = read_ref(q, mem, why, &ref);
    if (status != RPC_OK) return status;
    bool known = ref.n == 0;
    for (const struct core_trigger *t = core->triggers; t; t = t->next) known = known || fits(t, ref);
    return known ? answer(core, ref, mem, why, out) : unknown(why, ref);
}

enum rpc_status core_triggers_remove(struct core *core, const struct message_question *q, struct arena *mem, char *why, struct buf *out) {
    struct span ref;
    struct core_trigger *found = NULL;
    enum rpc_status status = read_ref(q, mem, why, &ref);
    if (status != RPC_OK) return status;
    for (struct core_trigger *t = core->triggers; t; t = t->next) {
        if (ref.n == 0 || t->entry->removed || !fits(t, ref)) continue;
        if (found) return refuse(RPC_INVALID_ARGUMENT, why, "that is the beginning of several triggers");
        found = t;
    }
    if (!found) return unknown(why, ref);
    struct rulebook_entry *e = found->entry;
    if (q->authority < AUTHORITY_ADMIN && !span_eq_str(q->operator_name, e->rule.signer.name))
        return refuse(RPC_PERMISSION_DENIED, why, "it is another operator's trigger: he or an admin removes it");
    e->removed = true;
    if (rulebook_save(core->rulebook, e) != ERR_OK) {
        e->removed = false;
        return refuse(RPC_UNAVAILABLE, why, "the collector cannot write down that it is removed");
    }
    LOG(LOG_NOTICE, "trigger.removed", KV("trigger", e->rule.trigger.name), KV("operator", q->operator_name));
    audit(core, "trigger.removed", e, q->operator_name, q->authority);
    core_triggers_note(found, SPAN_LIT("removed"));
    send_to_all(core, found);
    return answer(core, e->rule.trigger.name, mem, why, out);
}
