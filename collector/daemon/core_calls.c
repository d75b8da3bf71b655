#include <stdio.h>

#include "collector/daemon/core_state.h"

enum { OK = 200, ACCEPTED = 202, BAD_REQUEST = 400, NOT_FOUND = 404, TOO_MANY = 429, UNAVAILABLE = 503, ON_BYTES = LIMIT_SELECTOR_BYTES };
static const char json[] = "application/json", plain[] = "text/plain; charset=utf-8",
                  openmetrics[] = "application/openmetrics-text; version=1.0.0; charset=utf-8";
enum { ALERTS_KNOWN = 4096 };

/* ---- answers ---- */
/* takes *bytes. */
static void reply(struct core *core, const struct message_call *c, unsigned status, const char *type, struct buf *bytes) {
    struct message *m = core->opt.outside ? message_new(MESSAGE_REPLY, 0) : NULL;
    if (!m) { /* http's own deadline ends it */
        buf_done(bytes);
        return;
    }
    m->reply = (struct message_reply){.id = c->id, .status = status, .type = type, .bytes = *bytes};
    queue_push_always(core->opt.outside, &m->item);
}

static void reply_text(struct core *core, const struct message_call *c, unsigned status, const char *text) {
    struct buf b;
    buf_init(&b, 0);
    buf_add_str(&b, text);
    reply(core, c, status, plain, &b);
}

static void reply_json(struct core *core, const struct message_call *c, unsigned status, const char *key, struct span text) {
    struct buf b;
    buf_init(&b, 0);
    IGNORED(json_alert_answer(key, text, &b)); /* an empty answer then: the status says it all */
    reply(core, c, status, json, &b);
}

/* ---- triggers by name ---- */
static struct core_trigger *find(struct core *core, struct span name) {
    for (struct core_trigger *t = core->triggers; t; t = t->next)
        if (!t->entry->removed && t->entry->rule.when.kind == WHEN_CALL && span_eq(t->entry->rule.trigger.name, name)) return t;
    return NULL;
}

static void write_down(struct core *core, const char *event, const struct message_call *c, struct span what, struct span why) {
    const struct audit_record r = {.event = event, .what = what, .where = c->address, .why = why};
    core_audit_stranger(core, &r); /* whoever has the token may ask as often as he likes */
}

static void answer_unknown(struct core *core, const struct message_call *c) {
    write_down(core, "http.refused", c, c->trigger, SPAN_LIT("there is no trigger of this name that waits for calls"));
    reply_json(core, c, NOT_FOUND, "error", SPAN_LIT("there is no trigger of this name that waits for calls"));
}

static void answer_fired(struct core *core, const struct message_call *c, bool fired, const struct campaign_id *id, const char *why) {
    char hex[2 * CAMPAIGN_ID_BYTES + 1];
    if (!fired) {
        reply_json(core, c, TOO_MANY, "suppressed", span_str(why));
        return;
    }
    part_campaign_hex(id, hex);
    reply_json(core, c, ACCEPTED, "campaign", span_str(hex));
}

/* ---- a plain call ---- */
static void on_trigger(struct core *core, const struct message_call *c) {
    struct core_trigger *t = find(core, c->trigger);
    struct campaign_id id = {{0}};
    char why[QUERY_WHY_BYTES] = "", what[LIMIT_REASON_BYTES];
    if (!t) {
        answer_unknown(core, c);
        return;
    }
    if (c->call.on.n > ON_BYTES) {
        reply_json(core, c, BAD_REQUEST, "error", SPAN_LIT("the selector is too long"));
        return;
    }
    snprintf(what, sizeof what, "called from %.*s%s%.*s", (int)c->address.n, c->address.p, c->call.why.n ? ": " : "",
             (int)(c->call.why.n < LIMIT_REASON_BYTES / 2 ? c->call.why.n : LIMIT_REASON_BYTES / 2), c->call.why.n ? c->call.why.p : "");
    for (char *p = what; *p; p++)
        if ((unsigned char)*p < ' ' || (unsigned char)*p > '~') *p = '?';
    bool fired = core_firings_fire(core, t, c->call.on, span_str(what), why, &id);
    answer_fired(core, c, fired, &id, why);
}

/* ---- Alertmanager ---- */
static struct span label_of(const struct json_alert *a, struct span key) {
    for (size_t i = 0; i < a->n_labels; i++)
        if (span_eq(a->labels[i].key, key)) return a->labels[i].value;
    return SPAN_NONE;
}

/* What a selector would read as more than the text itself is no host's name and no label's value. */
static bool is_plain(struct span s) {
    for (size_t i = 0; i < s.n; i++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", s.p[i])) return false;
    return s.n > 0 && s.n <= LIMIT_NAME_BYTES;
}

static bool names_a_host(struct span key) { return span_eq_str(key, "instance") || span_eq_str(key, "host"); }

/* "web-1:9100" → web-1 */
static struct span host_part(struct span value) {
    struct span host, port;
    span_cut(value, ':', &host, &port);
    return host;
}

struct narrowing {
    const struct when *when;
    const struct json_notice *notice;
    const bool *fresh; /* which of its alerts count */
    struct buf where;
    bool wide; /* something cannot be told: all of the trigger's targets */
};

static void add_term(struct narrowing *n, struct span key, struct span value) {
    if (n->where.n) buf_add_char(&n->where, ',');
    buf_add(&n->where, key);
    if (key.n) buf_add_char(&n->where, '=');
    buf_add(&n->where, value);
}

/* Every host that an alert names. */
static void add_hosts(struct narrowing *n, struct span key) {
    for (size_t i = 0; i < n->notice->n; i++) {
        struct span host = host_part(label_of(&n->notice->alerts[i], key));
        if (!n->fresh[i]) continue;
        if (is_plain(host))
            add_term(n, SPAN_LIT(""), host);
        else
            n->wide = true;
    }
}

/* A label that all of them have with the same value. */
static void add_shared(struct narrowing *n, struct span key) {
    struct span value = SPAN_NONE;
    for (size_t i = 0; i < n->notice->n; i++) {
        struct span mine = label_of(&n->notice->alerts[i], key);
        if (!n->fresh[i]) continue;
        if (!is_plain(mine) || (value.p && !span_eq(value, mine))) return;
        value = mine;
    }
    if (value.p) add_term(n, key, value);
}

/* Which of its targets.  What was left out of the notification cannot be told: all of them then. */
static void narrow(struct narrowing *n) {
    buf_init(&n->where, ON_BYTES);
    for (size_t i = 0; i < n->when->n_by; i++) {
        if (names_a_host(n->when->by[i]))
            add_hosts(n, n->when->by[i]);
        else
            add_shared(n, n->when->by[i]);
    }
    if (n->wide || n->notice->truncated || buf_failed(&n->where)) buf_reset(&n->where);
}

static void key_of(const struct json_alert *a, struct buf *out) {
    buf_reset(out);
    buf_add(out, a->fingerprint);
    buf_add_char(out, '\n');
    buf_add(out, a->starts_at);
    for (size_t i = 0; !a->fingerprint.n && i < a->n_labels; i++) {
        buf_add(out, a->labels[i].key);
        buf_add(out, a->labels[i].value);
    }
}

struct sorted {
    size_t fresh, repeated, resolved;
    bool *is_fresh; /* of notice->n */
};

static void sort(struct core_trigger *t, const struct json_notice *n, struct sorted *s) {
    struct buf key;
    buf_init(&key, 0);
    for (size_t i = 0; i < n->n; i++) {
        key_of(&n->alerts[i], &key);
        bool known = t->alerts && map_get(t->alerts, buf_span(&key));
        s->is_fresh[i] = !n->alerts[i].resolved && !known;
        s->fresh += s->is_fresh[i];
        s->repeated += !n->alerts[i].resolved && known;
        s->resolved += n->alerts[i].resolved;
        if (n->alerts[i].resolved && known) map_remove(t->alerts, buf_span(&key));
    }
    buf_done(&key);
}

/* They were acted on: until they are resolved they start nothing again. */
static void remember(struct core_trigger *t, const struct json_notice *n, const struct sorted *s) {
    struct buf key;
    buf_init(&key, 0);
    if (!t->alerts) t->alerts = map_new();
    for (size_t i = 0; t->alerts && i < n->n && map_count(t->alerts) < ALERTS_KNOWN; i++) {
        if (!s->is_fresh[i]) continue;
        key_of(&n->alerts[i], &key);
        IGNORED(map_put(t->alerts, buf_span(&key), 1)); /* one that is forgotten may fire again, within the limits */
    }
    buf_done(&key);
}

/* Of the first one that counts, by its alertname. */
static void say_what(const struct json_notice *n, const struct sorted *s, char *out, size_t size) {
    struct span name = SPAN_LIT("an alert");
    for (size_t i = n->n; i > 0; i--)
        if (s->is_fresh[i - 1] && is_plain(label_of(&n->alerts[i - 1], SPAN_LIT("alertname"))))
            name = label_of(&n->alerts[i - 1], SPAN_LIT("alertname"));
    int used = snprintf(out, size, "alert %.*s", (int)name.n, name.p);
    if (s->fresh > 1) used += snprintf(out + used, size - (size_t)used, " and %zu more", s->fresh - 1);
    if (n->truncated)
        snprintf(out + used, size - (size_t)used, ", %llu were left out of the notification", (unsigned long long)n->truncated);
}

static void say_rest(struct core *core, const struct message_call *c, struct core_trigger *t, const struct sorted *s) {
    char text[96];
    core->counts.repeated += s->repeated;
    core->counts.resolved += s->resolved;
    snprintf(text, sizeof text, "%zu alerts", s->repeated);
    if (s->repeated) write_down(core, "alert.repeated", c, t->entry->rule.trigger.name, span_str(text));
    snprintf(text, sizeof text, "%zu alerts are resolved", s->resolved);
    if (!s->resolved) return;
    write_down(core, "alert.resolved", c, t->entry->rule.trigger.name, span_str(text));
    core_triggers_note(t, span_str(text));
}

static void on_alerts(struct core *core, struct message *m) {
    const struct message_call *c = &m->call;
    struct core_trigger *t = find(core, c->trigger);
    struct sorted s = {.is_fresh = arena_array(m->mem, c->notice.n + 1, sizeof *s.is_fresh)};
    struct campaign_id id = {{0}};
    char why[QUERY_WHY_BYTES] = "", what[LIMIT_REASON_BYTES];
    if (!t || !s.is_fresh) {
        answer_unknown(core, c);
        return;
    }
    sort(t, &c->notice, &s);
    say_rest(core, c, t, &s);
    if (!s.fresh) {
        reply_json(core, c, OK, "suppressed", SPAN_LIT("nothing new"));
        return;
    }
    struct narrowing n = {.when = &t->entry->rule.when, .notice = &c->notice, .fresh = s.is_fresh};
    narrow(&n);
    say_what(&c->notice, &s, what, sizeof what);
    bool fired = core_firings_fire(core, t, buf_span(&n.where), span_str(what), why, &id);
    if (fired) remember(t, &c->notice, &s);
    buf_done(&n.where);
    /* A notification that is within the limits or not was understood: Alertmanager need not send it again. */
    if (fired)
        answer_fired(core, c, true, &id, "");
    else
        reply_json(core, c, OK, "suppressed", span_str(why));
}

void core_calls_ask(struct core *core, struct message *m) {
    const struct message_call *c = &m->call;
    struct buf text;
    core->counts.calls++;
    switch (c->kind) {
    case CALL_HEALTH:
        reply_text(core, c, OK, "ok\n");
        break;
    case CALL_READY:
        if (core->store_down)
            reply_text(core, c, UNAVAILABLE, "the store cannot be written\n");
        else
            reply_text(core, c, OK, "ready\n");
        break;
    case CALL_METRICS:
        buf_init(&text, 0);
        core_metrics_write(core, &text);
        reply(core, c, OK, openmetrics, &text);
        break;
    case CALL_TRIGGER:
        on_trigger(core, c);
        break;
    case CALL_ALERTS:
        on_alerts(core, m);
        break;
    }
}
