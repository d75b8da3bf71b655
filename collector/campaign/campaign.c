#include "collector/campaign/campaign.h"

#include <stdio.h>

#include "common/base/clock.h"

enum { SPEC_ARENA_BYTES = 256 * 1024 };

/* ---- made and freed ---- */
static int by_name(const void *a, const void *b) {
    const struct campaign_target *x = a, *y = b;
    return strcmp(x->host, y->host);
}

static enum err add_targets(struct campaign *c, const struct campaign_start *start) {
    c->targets = calloc(start->n_hosts ? start->n_hosts : 1, sizeof *c->targets);
    c->by_host = map_new();
    if (!c->targets || !c->by_host) return ERR_NOMEM;
    for (size_t i = 0; i < start->n_hosts; i++) {
        struct span name = start->hosts[i];
        if (name.n > LIMIT_NAME_BYTES) return ERR_LIMIT;
        memcpy(c->targets[i].host, name.p, name.n);
    }
    c->n_targets = start->n_hosts;
    qsort(c->targets, c->n_targets, sizeof *c->targets, by_name);
    for (size_t i = 0; i < c->n_targets; i++) {
        enum err e = map_put(c->by_host, span_str(c->targets[i].host), i);
        if (e != ERR_OK) return e;
    }
    c->coverage[COVERAGE_PENDING] = (uint32_t)c->n_targets;
    return ERR_OK;
}

/* Decoding the order's own spec gives a copy whose texts are ours. */
static enum err copy_order(struct campaign *c, const struct campaign_start *start) {
    c->mem = arena_new(SPEC_ARENA_BYTES);
    if (!c->mem) return ERR_NOMEM;
    c->signed_order = arena_copy(c->mem, start->signed_order);
    c->operator_name = arena_copy(c->mem, start->operator_name);
    if (!c->signed_order.p || !c->operator_name.p) return ERR_NOMEM;
    struct signed_order order = {0};
    enum err e = spec_decode_signed(c->signed_order, c->mem, &order);
    return e == ERR_OK ? spec_decode(order.spec, c->mem, &c->spec) : e;
}

enum err campaign_new(const struct campaign_start *start, struct campaign **out) {
    AUTO(campaign_free) struct campaign *c = calloc(1, sizeof *c);
    if (!c) return ERR_NOMEM;
    c->id = start->id;
    part_campaign_hex(&c->id, c->hex);
    c->created_wall_ns = start->created_wall_ns;
    enum err e = copy_order(c, start);
    if (e == ERR_OK) e = add_targets(c, start);
    if (e != ERR_OK) return e;
    uint64_t now_ms = start->now.wall_ns / NS_PER_MS, expires_ms = c->spec.expires_wall_ms;
    c->expires_ns = start->now.mono_ns + (expires_ms > now_ms ? (expires_ms - now_ms) * NS_PER_MS : 0);
    *out = TAKE(c);
    return ERR_OK;
}

static void target_done(struct campaign_target *t) {
    AUTO_FREE char *outcome = NULL;
    memcpy(&outcome, &t->outcome.p, sizeof outcome); /* ours, though the span says const */
    free(t->reason);
    part_set_done(&t->parts);
}

void campaign_free(struct campaign *c) {
    if (!c) return;
    for (size_t i = 0; i < c->n_targets; i++) target_done(&c->targets[i]);
    free(c->targets);
    map_free(c->by_host);
    arena_free(c->mem);
    free(c);
}

struct campaign_target *campaign_find(const struct campaign *c, struct span host) {
    const uint64_t *at = map_get(c->by_host, host);
    return at ? &c->targets[*at] : NULL;
}

bool campaign_done(const struct campaign *c) { return c->coverage[COVERAGE_PENDING] == 0 && c->coverage[COVERAGE_RUNNING] == 0; }

/* ---- moves ---- */
static void move(struct campaign *c, struct campaign_target *t, enum coverage to) {
    if (t->coverage == to) return;
    c->coverage[t->coverage]--;
    c->coverage[to]++;
    if (t->has_result) {
        c->with_result[t->coverage]--;
        c->with_result[to]++;
    }
    t->coverage = to;
    c->changes++;
}

static void set_reason(struct campaign_target *t, struct span reason) {
    free(t->reason);
    t->reason = reason.n ? strndup(reason.p, reason.n) : NULL; /* without memory: an end without a reason */
}

static void mark_dirty(struct campaign *c, struct campaign_target *t) {
    if (t->dirty) return;
    uint32_t me = (uint32_t)(t - c->targets) + 1;
    t->dirty = true;
    t->next_dirty = 0;
    if (c->last_dirty)
        c->targets[c->last_dirty - 1].next_dirty = me;
    else
        c->first_dirty = me;
    c->last_dirty = me;
}

/* Once per target: a real end is left by no way. */
static void add_real_end(struct campaign *c, const struct campaign_target *t) {
    capture_ledger_add(&c->ledger, &t->ledger);
    if (t->replayed) c->replayed = true;
}

static void decide(struct campaign *c, struct campaign_target *t, enum coverage end, const char *reason) {
    move(c, t, end);
    set_reason(t, span_str(reason));
    t->decided_here = true;
    mark_dirty(c, t);
}

static void begin(struct campaign *c, struct campaign_target *t, struct campaign_now now) {
    if (t->coverage != COVERAGE_PENDING) return;
    move(c, t, COVERAGE_RUNNING);
    t->running_ns = now.mono_ns;
}

static bool ended_for_real(const struct campaign_target *t) { return coverage_is_end(t->coverage) && !t->decided_here; }

static uint64_t duration_ns(const struct campaign *c) { return (uint64_t)c->spec.duration_s * NS_PER_S; }

/* ---- events ---- */
enum campaign_send campaign_connected(struct campaign *c, struct span host, struct campaign_now now) {
    struct campaign_target *t = campaign_find(c, host);
    if (!t) return CAMPAIGN_SEND_NOTHING;
    t->online = true;
    t->heard_ns = now.mono_ns;
    t->seen_wall_ns = now.wall_ns;
    if (c->stopped) return coverage_is_end(t->coverage) ? CAMPAIGN_SEND_NOTHING : CAMPAIGN_SEND_STOP;
    if (now.mono_ns >= c->expires_ns) return CAMPAIGN_SEND_NOTHING;
    /* One that was given up may still have its result, or never had the order. */
    bool given_up = t->decided_here && t->coverage == COVERAGE_OFFLINE;
    return !coverage_is_end(t->coverage) || given_up ? CAMPAIGN_SEND_ORDER : CAMPAIGN_SEND_NOTHING;
}

void campaign_disconnected(struct campaign *c, struct span host, struct campaign_now now) {
    struct campaign_target *t = campaign_find(c, host);
    if (!t || !t->online) return;
    t->online = false;
    t->lost_ns = now.mono_ns;
    t->seen_wall_ns = now.wall_ns;
}

void campaign_state(struct campaign *c, struct span host, enum coverage coverage, struct campaign_now now) {
    struct campaign_target *t = campaign_find(c, host);
    if (!t) return;
    t->heard_ns = now.mono_ns;
    if (coverage == COVERAGE_RUNNING) begin(c, t, now);
}

static void note_result(struct campaign *c, struct campaign_target *t) {
    if (t->has_result) return;
    t->has_result = true;
    c->with_result[t->coverage]++;
    c->changes++;
    if (coverage_is_end(t->coverage)) mark_dirty(c, t);
}

static bool has_rows(const struct part_body *body) {
    switch (body->kind) {
    case RESULT_HISTOGRAM:
        return body->hists.n > 0;
    case RESULT_EVENTS:
        return body->events.n_rows > 0;
    case RESULT_STACKS:
        return body->stacks.n_rows > 0;
    case RESULT_NONE:
        break;
    }
    return false;
}

void campaign_result(struct campaign *c, struct span host, const struct part_body *body) {
    struct campaign_target *t = campaign_find(c, host);
    if (t && has_rows(body)) note_result(c, t);
}

static enum err keep_outcome(struct campaign_target *t, const struct outcome *o) {
    struct buf bytes;
    buf_init(&bytes, 0);
    struct outcome copy = *o;
    struct part_body body = {.kind = RESULT_NONE, .outcome = &copy};
    enum err e = part_encode(&body, &bytes);
    char *p = e == ERR_OK ? malloc(bytes.n + 1) : NULL;
    if (p) {
        memcpy(p, buf_span(&bytes).p, bytes.n);
        t->outcome = span_of(p, bytes.n);
        t->outcome_coverage = coverage_is_end(o->coverage) ? o->coverage : COVERAGE_FAILED;
        t->ledger = o->ledger;
        t->replayed = o->replayed;
    } else if (e == ERR_OK) {
        e = ERR_NOMEM;
    }
    buf_done(&bytes);
    return e;
}

enum err campaign_part(struct campaign *c, struct span host, uint32_t part, const struct outcome *outcome, struct campaign_now now) {
    struct campaign_target *t = campaign_find(c, host);
    if (!t) return ERR_NOTFOUND;
    t->heard_ns = now.mono_ns;
    if (ended_for_real(t)) return ERR_EXISTS;
    if (part_set_has(&t->parts, part)) return ERR_EXISTS;
    bool last = outcome && t->n_parts == 0;
    enum err e = last && !t->outcome.p ? keep_outcome(t, outcome) : ERR_OK;
    if (e == ERR_OK) e = part_set_add(&t->parts, part);
    if (e != ERR_OK) return e;
    if (last) {
        t->n_parts = part + 1; /* the last one is by definition the one with the outcome */
        set_reason(t, outcome->reason);
    }
    if (!coverage_is_end(t->coverage)) begin(c, t, now);
    if (t->n_parts && part_set_full(&t->parts, t->n_parts)) {
        move(c, t, t->outcome_coverage);
        if (t->decided_here) c->changes++;
        t->decided_here = false;
        add_real_end(c, t);
        mark_dirty(c, t);
    }
    return ERR_OK;
}

static void stop_target(struct campaign *c, struct campaign_target *t, struct span operator_name) {
    char text[LIMIT_NAME_BYTES + 64];
    if (t->coverage != COVERAGE_PENDING || t->online) return;
    snprintf(text, sizeof text, "stopped by %.*s before it connected", (int)operator_name.n, operator_name.p);
    decide(c, t, COVERAGE_CANCELLED, text);
}

void campaign_stop(struct campaign *c, struct span operator_name, struct campaign_now now) {
    if (c->stopped || campaign_done(c)) return;
    c->stopped = true;
    c->stop_ns = now.mono_ns;
    c->changes++;
    for (size_t i = 0; i < c->n_targets; i++) stop_target(c, &c->targets[i], span_head(operator_name, LIMIT_NAME_BYTES));
}

/* ---- time ---- */
static void give_up(struct campaign *c, struct campaign_target *t, uint64_t silent_ns) {
    char text[160];
    uint64_t into_s = t->lost_ns > t->running_ns ? (t->lost_ns - t->running_ns) / NS_PER_S : 0;
    snprintf(text, sizeof text, "connection lost %llu s into its capture; not back after %llu s", (unsigned long long)into_s,
             (unsigned long long)(silent_ns / NS_PER_S));
    decide(c, t, COVERAGE_OFFLINE, text);
}

static void tick_running(struct campaign *c, struct campaign_target *t, uint64_t now_ns) {
    if (!t->online) {
        uint64_t wait_ns = duration_ns(c) + CAMPAIGN_LOST_S * NS_PER_S;
        if (now_ns >= t->lost_ns + wait_ns) give_up(c, t, now_ns - t->lost_ns);
        return;
    }
    uint64_t due_ns = t->running_ns + duration_ns(c);
    if (t->heard_ns > due_ns) due_ns = t->heard_ns;
    if (now_ns < due_ns + CAMPAIGN_SILENT_S * NS_PER_S) return;
    decide(c, t, COVERAGE_TIMEOUT,
           t->n_parts || t->parts.n_words ? "the agent stopped sending before its result was complete"
                                          : "the agent is connected, but no result came within 30 s of the capture's end");
}

static void tick_pending(struct campaign *c, struct campaign_target *t, uint64_t now_ns) {
    char text[96], when[32];
    if (t->online) {
        if (now_ns >= c->expires_ns + CAMPAIGN_SILENT_S * NS_PER_S)
            decide(c, t, COVERAGE_TIMEOUT, "the agent is connected, but did not begin before the order expired");
        return;
    }
    if (now_ns < c->expires_ns) return;
    if (t->seen_wall_ns)
        snprintf(text, sizeof text, "not connected since %s", clock_wall_text(t->seen_wall_ns, when));
    else
        snprintf(text, sizeof text, "not connected");
    decide(c, t, COVERAGE_OFFLINE, text);
}

void campaign_tick(struct campaign *c, struct campaign_now now) {
    bool too_late = c->stopped && now.mono_ns >= c->stop_ns + CAMPAIGN_STOP_S * NS_PER_S;
    for (size_t i = 0; i < c->n_targets && !campaign_done(c); i++) {
        struct campaign_target *t = &c->targets[i];
        if (coverage_is_end(t->coverage)) continue;
        if (too_late)
            decide(c, t, COVERAGE_CANCELLED,
                   t->online ? "stopped; the agent did not report within 10 s" : "stopped while its agent was not connected");
        else if (t->coverage == COVERAGE_RUNNING)
            tick_running(c, t, now.mono_ns);
        else
            tick_pending(c, t, now.mono_ns);
    }
}

/* ---- from and to the store ---- */
static enum err restore_outcome(struct campaign_target *t, struct span outcome) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
    struct part_body body = {0};
    enum err e = mem ? part_decode(outcome, mem, &body) : ERR_NOMEM;
    if (e != ERR_OK) return e;
    return body.outcome ? keep_outcome(t, body.outcome) : ERR_SYNTAX;
}

enum err campaign_restore(struct campaign *c, struct span host, const struct campaign_end *end) {
    struct campaign_target *t = campaign_find(c, host);
    if (!t) return ERR_NOTFOUND;
    if (!coverage_is_end(end->coverage)) return ERR_OK;
    if (end->outcome.n) {
        enum err e = restore_outcome(t, end->outcome);
        if (e != ERR_OK) return e;
    }
    if (end->has_result) note_result(c, t);
    move(c, t, end->coverage);
    set_reason(t, end->reason);
    t->decided_here = end->outcome.n == 0;
    if (end->outcome.n) add_real_end(c, t);
    return ERR_OK;
}

const struct campaign_target *campaign_dirty(const struct campaign *c, const struct campaign_target *prev) {
    uint32_t next = prev ? prev->next_dirty : c->first_dirty;
    return next ? &c->targets[next - 1] : NULL;
}

const struct campaign_target *campaign_next_dirty(struct campaign *c) {
    if (!c->first_dirty) return NULL;
    struct campaign_target *t = &c->targets[c->first_dirty - 1];
    c->first_dirty = t->next_dirty;
    if (!c->first_dirty) c->last_dirty = 0;
    t->dirty = false;
    return t;
}
