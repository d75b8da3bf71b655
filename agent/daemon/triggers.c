#include "agent/daemon/triggers.h"

#include "agent/daemon/readings.h"
#include "common/base/clock.h"
#include "common/base/log.h"

#define BUF __attribute__((cleanup(buf_done))) struct buf

enum { PATH_BYTES = 512, LOOK_LEAST_S = 5 };

/* What is only in memory of an armed one.  Alarms have its number. */
struct armed {
    struct armed *next;
    struct rulebook_entry *entry;
    uint64_t number;
    char note[LIMIT_REASON_BYTES + 1]; /* why it cannot fire; "": it can */
    uint64_t unsaid;                   /* suppressed since the audit log had it */
    bool has_level;
    double level; /* of its reading, at the last look */
};

struct triggers {
    struct triggers_options opt;
    struct captures_gate gate;
    struct rulebook *book;
    struct captures *captures;
    struct uplink *uplink;
    struct armed *armed;
    uint64_t last_number;
    struct readings readings;      /* the last look */
    const struct campaign_id *own; /* the firing of ours that is on its way through captures */
};

static uint64_t now_ms(void) { return clock_wall_ns() / NS_PER_MS; }

static struct armed *armed_of(struct triggers *t, const struct rulebook_entry *e) {
    for (struct armed *a = t->armed; a; a = a->next)
        if (a->entry == e) return a;
    return NULL;
}

/* ---- said ---- */

static void write_down(struct triggers *t, const char *event, const struct rulebook_entry *e, struct span result, struct span why,
                       bool limited) {
    const struct trigger *r = &e->rule.trigger;
    const struct audit_record record = {
        .event = event, .who = span_str(e->rule.signer.name), .what = r->name, .where = r->when, .result = result, .why = why};
    deeds_add(t->opt.deeds, &record, limited);
}

static void say(struct triggers *t, const struct rulebook_entry *e, bool armed, struct span note) {
    const struct trigger_state s = {
        .id = e->rule.trigger.id, .armed = armed, .note = note, .fired = e->allowance.fired, .suppressed = e->allowance.suppressed};
    if (t->uplink) uplink_trigger(t->uplink, &s);
}

static void say_armed(struct triggers *t, const struct armed *a) { say(t, a->entry, a->note[0] == '\0', span_str(a->note)); }

static void save(struct triggers *t, struct rulebook_entry *e) {
    enum err err = rulebook_save(t->book, e);
    if (err) LOG(LOG_ERR, "trigger.not_stored", KV("trigger", e->rule.trigger.name), KV("why", err_text(err)));
}

/* The first of a row is written down at once, the others with the next look. */
static void suppress(struct triggers *t, struct armed *a, const char *why) {
    struct rulebook_entry *e = a->entry;
    e->allowance.suppressed++;
    e->dirty = true;
    if (a->unsaid++) return;
    LOG(LOG_NOTICE, "trigger.suppressed", KV("trigger", e->rule.trigger.name), KV("why", why));
    write_down(t, "trigger.suppressed", e, SPAN_LIT("suppressed"), span_str(why), true);
    say_armed(t, a);
}

static void say_suppressed(struct triggers *t, struct armed *a) {
    char text[64];
    if (!a->unsaid) return;
    snprintf(text, sizeof text, "%llu in a row were suppressed", (unsigned long long)a->unsaid);
    if (a->unsaid > 1) write_down(t, "trigger.suppressed", a->entry, SPAN_LIT("suppressed"), span_str(text), true);
    a->unsaid = 0;
    if (a->entry->dirty) save(t, a->entry);
    say_armed(t, a);
}

/* ---- firing ---- */

static enum err campaign_of(const struct triggers *t, const struct rulebook_entry *e, struct rulebook_firing *f) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    const struct rule_firing firing = {f->number, span_str(t->opt.host), span_str(f->why), f->at_wall_ms};
    struct spec s;
    enum err err = mem ? rule_fire(&e->rule.trigger, &firing, mem, &s) : ERR_NOMEM;
    if (!err) f->campaign = s.campaign;
    return err;
}

/* The firing as an order, in mem and *bytes. */
static enum err order_of(const struct triggers *t, const struct rulebook_entry *e, const struct rulebook_firing *f, struct arena *mem,
                         struct buf *bytes, struct signed_order *out) {
    const struct rule_firing firing = {f->number, span_str(t->opt.host), span_str(f->why), f->at_wall_ms};
    enum err err = rule_fire_order(&e->signed_order, &firing, mem, bytes);
    return err ? err : spec_decode_signed(buf_span(bytes), mem, out);
}

static void tell_firing(struct triggers *t, const struct rulebook_entry *e, const struct rulebook_firing *f) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    BUF bytes;
    struct signed_order so;
    buf_init(&bytes, LIMIT_ORDER_BYTES);
    if (t->uplink && mem && order_of(t, e, f, mem, &bytes, &so) == ERR_OK) uplink_firing(t->uplink, &so);
}

/* Durable before anything begins. */
static enum err spend(struct triggers *t, struct rulebook_entry *e, const struct rulebook_firing *own, char *why, size_t why_size) {
    const struct allowance before = e->allowance;
    size_t untold = e->n_untold;
    allowance_spend(&e->allowance, &e->rule.trigger, now_ms());
    if (own) e->untold[e->n_untold++] = *own;
    if (rulebook_save(t->book, e) == ERR_OK) return ERR_OK;
    e->allowance = before;
    e->n_untold = untold;
    snprintf(why, why_size, "this host cannot write down that it fired");
    return ERR_REFUSED;
}

static void fire(struct triggers *t, struct armed *a, const char *what) {
    struct rulebook_entry *e = a->entry;
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    BUF bytes;
    char why[LIMIT_REASON_BYTES + 1] = "out of memory";
    struct rulebook_firing f = {.number = e->allowance.fired + 1, .at_wall_ms = now_ms()};
    struct signed_order so;
    struct order order;
    snprintf(f.why, sizeof f.why, "%s", what);
    buf_init(&bytes, LIMIT_ORDER_BYTES);
    const struct order_check check = captures_check(t->captures);
    enum err err = mem ? allowance_ask(&e->allowance, &e->rule.trigger, f.at_wall_ms, why, sizeof why) : ERR_NOMEM;
    if (!err && e->n_untold == RULEBOOK_TOLD_MAX) {
        snprintf(why, sizeof why, "the collector has not been told of %d firings before it", RULEBOOK_TOLD_MAX);
        err = ERR_REFUSED;
    }
    if (!err && t->opt.locked->why[0]) {
        snprintf(why, sizeof why, "%s", t->opt.locked->why);
        err = ERR_REFUSED;
    }
    if (!err) err = campaign_of(t, e, &f);
    if (!err) err = order_of(t, e, &f, mem, &bytes, &so);
    if (!err) err = order_verify(&so, &check, mem, why, sizeof why, &order);
    if (!err) err = spend(t, e, &f, why, sizeof why);
    if (err) {
        suppress(t, a, why);
        return;
    }
    say_suppressed(t, a);
    LOG(LOG_NOTICE, "trigger.fired", KV("trigger", e->rule.trigger.name), KV("firing", f.number), KV("why", f.why));
    write_down(t, "trigger.fired", e, SPAN_NONE, span_str(f.why), false);
    tell_firing(t, e, &f);
    t->own = &f.campaign;
    captures_order(t->captures, &so);
    t->own = NULL;
    say_armed(t, a);
}

/* ---- the gate: firings that the collector starts ---- */

static enum err refuse(char *why, size_t size, const char *text) {
    snprintf(why, size, "%s", text);
    return ERR_REFUSED;
}

static enum err entry_for(struct triggers *t, const struct signed_order *so, char *why, size_t why_size, struct rulebook_entry **out) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    const struct signed_order trigger = rule_signed(so);
    const struct order_check check = captures_check(t->captures);
    struct rule rule;
    if (!mem) return refuse(why, why_size, err_text(ERR_NOMEM));
    if (rule_verify(&trigger, &check, mem, why, why_size, &rule) != ERR_OK) return ERR_REFUSED;
    *out = rulebook_find(t->book, &rule.trigger.id);
    if (*out && (*out)->removed) return refuse(why, why_size, "the trigger was removed");
    if (*out && !span_eq((*out)->signed_order.spec, trigger.spec)) return refuse(why, why_size, "another trigger has this one's id here");
    if (when_is_hosts(&rule.when)) return refuse(why, why_size, "this trigger fires on the host itself and nowhere else");
    if (*out) return ERR_OK;
    if (rulebook_n(t->book) >= t->opt.policy->max_triggers)
        return refuse(why, why_size, "this host's policy allows no more triggers (max_triggers)");
    enum err err = rulebook_add(t->book, &trigger, &rule, now_ms(), out);
    return err ? refuse(why, why_size, "this host cannot write down the trigger") : ERR_OK;
}

static enum err admit(struct captures_gate *g, const struct signed_order *so, const struct order *o, char *why, size_t why_size) {
    struct triggers *t = container_of(g, struct triggers, gate);
    struct rulebook_entry *e = NULL;
    if (t->own && memcmp(t->own->b, o->spec.campaign.b, sizeof t->own->b) == 0) return ERR_OK; /* asked and spent before */
    enum err err = entry_for(t, so, why, why_size, &e);
    if (!err) err = allowance_ask(&e->allowance, &e->rule.trigger, now_ms(), why, why_size);
    if (!err) err = spend(t, e, NULL, why, why_size);
    if (!err) {
        write_down(t, "trigger.fired", e, SPAN_NONE, o->spec.fired.why, false);
        return ERR_OK;
    }
    if (e) {
        e->allowance.suppressed++;
        write_down(t, "trigger.suppressed", e, SPAN_LIT("suppressed"), span_str(why), true);
        save(t, e);
    } else {
        deeds_add(t->opt.deeds, &(struct audit_record){.event = "trigger.refused", .result = SPAN_LIT("refused"), .why = span_str(why)},
                  true);
    }
    return ERR_REFUSED;
}

struct captures_gate *triggers_gate(struct triggers *t) {
    return &t->gate;
}

/* ---- arming ---- */

static void set_alarm(struct triggers *t, struct armed *a) {
    const struct when *w = &a->entry->rule.when;
    if (w->kind != WHEN_PRESSURE) return;
    const struct alarm_request r = {.resource = (uint32_t)w->pressure, .full = w->full, .stall_ms = w->stall_ms, .window_ms = w->window_ms};
    enum err e = channel_watch(t->opt.runner, a->number, &r);
    if (e) snprintf(a->note, sizeof a->note, "the runner does not take requests");
}

static struct armed *arm_entry(struct triggers *t, struct rulebook_entry *e) {
    struct armed *a = calloc(1, sizeof *a);
    if (!a) return NULL;
    *a = (struct armed){.next = t->armed, .entry = e, .number = ++t->last_number};
    t->armed = a;
    set_alarm(t, a);
    return a;
}

static void drop(struct triggers *t, struct armed *a) {
    struct armed **at = &t->armed;
    while (*at != a) at = &(*at)->next;
    *at = a->next;
    if (a->entry->rule.when.kind == WHEN_PRESSURE)
        IGNORED(channel_unwatch(t->opt.runner, a->number)); /* its alarms would be of no number */
    free(a);
}

void triggers_arm(struct triggers *t, const struct signed_order *so) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    char why[LIMIT_REASON_BYTES] = "out of memory";
    struct rule rule;
    struct rulebook_entry *e = NULL;
    const struct order_check check = captures_check(t->captures);
    enum err err = mem ? rule_verify(so, &check, mem, why, sizeof why, &rule) : ERR_NOMEM;
    if (!err && !when_is_hosts(&rule.when)) err = refuse(why, sizeof why, "this trigger fires at the collector, not on hosts");
    if (!err && (e = rulebook_find(t->book, &rule.trigger.id)) != NULL) {
        const struct armed *a = armed_of(t, e);
        if (a)
            say_armed(t, a);
        else
            say(t, e, false, SPAN_LIT("it was removed"));
        return;
    }
    if (!err && rulebook_n(t->book) >= t->opt.policy->max_triggers)
        err = refuse(why, sizeof why, "this host's policy allows no more triggers (max_triggers)");
    if (!err) {
        err = rulebook_add(t->book, so, &rule, now_ms(), &e);
        if (err) snprintf(why, sizeof why, "this host cannot write down the trigger: %s", err_text(err));
    }
    struct trigger_state state = {.note = span_str(why)};
    if (err) {
        LOG(LOG_WARNING, "trigger.refused", KV("error", err_name(err)), KV("why", why));
        deeds_add(t->opt.deeds, &(struct audit_record){.event = "trigger.refused", .result = SPAN_LIT("refused"), .why = span_str(why)},
                  true);
        struct trigger named;
        if (!mem || trigger_decode(so->spec, mem, &named) != ERR_OK) return;
        state.id = named.id;
        if (t->uplink) uplink_trigger(t->uplink, &state);
        return;
    }
    const struct armed *a = arm_entry(t, e);
    LOG(LOG_NOTICE, "trigger.armed", KV("trigger", e->rule.trigger.name), KV("when", e->rule.trigger.when),
        KV("operator", e->rule.signer.name));
    write_down(t, "trigger.armed", e, SPAN_NONE, SPAN_NONE, false);
    if (a) say_armed(t, a);
}

void triggers_disarm(struct triggers *t, const struct campaign_id *id) {
    struct rulebook_entry *e = rulebook_find(t->book, id);
    if (!e || e->removed) return;
    struct armed *a = armed_of(t, e);
    if (a) drop(t, a);
    e->removed = true;
    save(t, e);
    LOG(LOG_NOTICE, "trigger.disarmed", KV("trigger", e->rule.trigger.name));
    write_down(t, "trigger.disarmed", e, SPAN_NONE, SPAN_NONE, false);
    say(t, e, false, SPAN_LIT("it was removed"));
}

void triggers_answer(struct triggers *t, const struct campaign_id *campaign, struct span why) {
    for (struct rulebook_entry *e = rulebook_first(t->book); e; e = e->next)
        for (size_t i = 0; i < e->n_untold; i++) {
            if (memcmp(e->untold[i].campaign.b, campaign->b, sizeof campaign->b) != 0) continue;
            if (why.n)
                LOG(LOG_WARNING, "trigger.unwanted", KV("trigger", e->rule.trigger.name), KV("firing", e->untold[i].number),
                    KV("why", why));
            if (why.n) write_down(t, "trigger.unwanted", e, SPAN_LIT("refused"), why, true);
            memmove(&e->untold[i], &e->untold[i + 1], (--e->n_untold - i) * sizeof e->untold[0]);
            save(t, e);
            uplink_push(t->uplink);
            return;
        }
}

/* Again, too, when the collector could not write one down at first. */
static void tell_untold(struct triggers *t) {
    for (const struct rulebook_entry *e = rulebook_first(t->book); e; e = e->next)
        for (size_t i = 0; i < e->n_untold; i++) tell_firing(t, e, &e->untold[i]);
}

void triggers_tell(struct triggers *t) {
    for (const struct armed *a = t->armed; a; a = a->next) say_armed(t, a);
    tell_untold(t);
}

bool triggers_holds(const struct triggers *t, const struct campaign_id *campaign) {
    for (const struct rulebook_entry *e = rulebook_first(t->book); e; e = e->next)
        for (size_t i = 0; i < e->n_untold; i++)
            if (memcmp(e->untold[i].campaign.b, campaign->b, sizeof campaign->b) == 0) return true;
    return false;
}

/* ---- what happens ---- */

void triggers_alarm(struct triggers *t, const struct report *r) {
    struct armed *a = t->armed;
    while (a && a->number != r->run) a = a->next;
    if (!a) return; /* it was disarmed meanwhile */
    const struct when *w = &a->entry->rule.when;
    char what[LIMIT_REASON_BYTES];
    if (r->refusal) {
        snprintf(a->note, sizeof a->note, "%s", r->why);
        say_armed(t, a);
        return;
    }
    snprintf(what, sizeof what, "%s tasks waited for %s for more than %u of %u ms", w->full ? "all" : "some",
             when_pressure_name(w->pressure), w->stall_ms, w->window_ms);
    fire(t, a, what);
}

static void forget_expired(struct triggers *t) {
    uint64_t now = now_ms();
    for (struct armed *next, *a = t->armed; a; a = next) {
        next = a->next;
        if (now < a->entry->rule.trigger.what.expires_wall_ms) continue;
        LOG(LOG_NOTICE, "trigger.expired", KV("trigger", a->entry->rule.trigger.name));
        write_down(t, "trigger.expired", a->entry, SPAN_NONE, SPAN_NONE, false);
        say(t, a->entry, false, SPAN_LIT("it has expired"));
        drop(t, a);
    }
    rulebook_expire(t->book, now);
}

static void look_at(struct triggers *t, struct armed *a, const struct readings *now) {
    const struct when *w = &a->entry->rule.when;
    char what[LIMIT_REASON_BYTES];
    double level = 0;
    if (!readings_level(&t->readings, now, w->reading, &level)) return;
    bool met = readings_meet(w, a->has_level, a->level, level);
    snprintf(what, sizeof what, "%s was %.2f, %.2f before", when_reading_name(w->reading), level, a->has_level ? a->level : level);
    a->has_level = true;
    a->level = level;
    if (met) fire(t, a, what);
}

/* Two heartbeats may come close together after a reconnect: rates over a moment say nothing. */
static void look_at_readings(struct triggers *t) {
    struct readings now;
    bool wanted = false;
    uint64_t at_ns = clock_mono_ns();
    for (const struct armed *a = t->armed; a; a = a->next) wanted = wanted || a->entry->rule.when.kind == WHEN_READING;
    if (!wanted || (t->readings.at_ns && at_ns - t->readings.at_ns < LOOK_LEAST_S * NS_PER_S)) return;
    readings_take("/proc", at_ns, &now);
    for (struct armed *next, *a = t->armed; a; a = next) {
        next = a->next;
        if (a->entry->rule.when.kind == WHEN_READING) look_at(t, a, &now);
    }
    t->readings = now;
}

void triggers_look(struct triggers *t) {
    look_at_readings(t);
    for (struct armed *a = t->armed; a; a = a->next) say_suppressed(t, a);
    tell_untold(t);
    forget_expired(t);
}

/* ---- life ---- */

enum err triggers_new(const struct triggers_options *opt, struct triggers **out) {
    char path[PATH_BYTES];
    size_t damaged = 0;
    struct triggers *t = calloc(1, sizeof *t);
    if (!t) return ERR_NOMEM;
    t->opt = *opt;
    t->gate.admit = admit;
    snprintf(path, sizeof path, "%s/triggers", opt->policy->spool_dir);
    enum err e = rulebook_open(path, &damaged, &t->book);
    if (damaged) LOG(LOG_WARNING, "trigger.damaged", KV("files", damaged));
    if (e) {
        triggers_free(t);
        return e;
    }
    *out = t;
    return ERR_OK;
}

void triggers_free(struct triggers *t) {
    if (!t) return;
    for (struct armed *next, *a = t->armed; a; a = next) {
        next = a->next;
        free(a);
    }
    rulebook_close(t->book);
    free(t);
}

void triggers_start(struct triggers *t, struct captures *captures) {
    t->captures = captures;
    for (struct rulebook_entry *e = rulebook_first(t->book); e; e = e->next) {
        for (size_t i = 0; i < e->n_untold; i++) IGNORED(campaign_of(t, e, &e->untold[i])); /* of what was computed before */
        if (!e->removed && when_is_hosts(&e->rule.when)) arm_entry(t, e);
    }
}

void triggers_set_uplink(struct triggers *t, struct uplink *u) { t->uplink = u; }
