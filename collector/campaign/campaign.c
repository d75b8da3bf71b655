#include <assert.h>
#include <stdio.h>

#include "collector/campaign/campaign_internal.h"
#include "common/base/clock.h"

enum { SPEC_ARENA_BYTES = 256 * 1024, BACK_AFTER_RESTART_S = LINK_BACKOFF_HIGH_MS / 1000 };

#define BIT(n) (1u << (n))
static const unsigned NEXT_STAGES[] = {
    [STAGE_HELD] = BIT(STAGE_SENT) | BIT(STAGE_RUNNING) | BIT(STAGE_ENDED),
    [STAGE_SENT] = BIT(STAGE_HELD) | BIT(STAGE_RUNNING) | BIT(STAGE_ENDED),
    [STAGE_RUNNING] = BIT(STAGE_ENDED),
    [STAGE_ENDED] = BIT(STAGE_ENDED),
};

/* ---- made and freed ---- */
static int by_name(const void *a, const void *b) {
    const struct campaign_target *x = a, *y = b;
    return strcmp(x->host, y->host);
}

static enum err add_targets(struct campaign *c, const struct campaign_start *start) {
    size_t n = start->n_hosts, room = n ? n : 1;
    c->targets = calloc(room, sizeof *c->targets);
    c->order = calloc(room, sizeof *c->order);
    c->due_heap = calloc(room, sizeof *c->due_heap);
    c->by_host = map_new();
    c->by_domain = map_new();
    if (!c->targets || !c->order || !c->due_heap || !c->by_host || !c->by_domain) return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        struct span name = start->hosts[i];
        if (name.n > LIMIT_NAME_BYTES) return ERR_LIMIT;
        memcpy(c->targets[i].host, name.p, name.n);
    }
    c->n_targets = n;
    qsort(c->targets, n, sizeof *c->targets, by_name);
    for (size_t i = 0; i < n; i++) {
        enum err e = map_put(c->by_host, span_str(c->targets[i].host), i);
        if (e != ERR_OK) return e;
    }
    for (size_t i = 0; i < n; i++) {
        c->order[i] = (uint32_t)*map_get(c->by_host, start->hosts[i]);
        struct span domain = start->domains ? start->domains[i] : SPAN_LIT("");
        enum err e = campaign_turns_domain(c, domain, &c->targets[c->order[i]].domain);
        if (e != ERR_OK) return e;
    }
    c->coverage[COVERAGE_PENDING] = c->held = (uint32_t)n;
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
    campaign_turns_init(c);
    uint64_t now_ms = start->now.wall_ns / NS_PER_MS, expires_ms = c->spec.expires_wall_ms;
    c->expires_ns = start->now.mono_ns + (expires_ms > now_ms ? (expires_ms - now_ms) * NS_PER_MS : 0);
    *out = TAKE(c);
    return ERR_OK;
}

void campaign_free(struct campaign *c) {
    if (!c) return;
    for (size_t i = 0; c->targets && i < c->n_targets; i++) {
        free(c->targets[i].reason);
        campaign_rounds_done(&c->targets[i]);
    }
    free(c->targets);
    free(c->order);
    free(c->due_heap);
    free(c->domains);
    map_free(c->by_host);
    map_free(c->by_domain);
    arena_free(c->mem);
    free(c);
}

struct campaign_target *campaign_find(const struct campaign *c, struct span host) {
    const uint64_t *at = map_get(c->by_host, host);
    return at ? &c->targets[*at] : NULL;
}

bool campaign_done(const struct campaign *c) { return c->coverage[COVERAGE_PENDING] == 0 && c->coverage[COVERAGE_RUNNING] == 0; }

size_t campaign_reach(const struct campaign *c) { return campaign_turns_reach(c); }

const struct campaign_target *campaign_next(struct campaign *c, struct campaign_now now) { return campaign_turns_next(c, now); }

uint64_t campaign_wake_ns(const struct campaign *c) {
    bool only_rate = c->spec.rate_per_s && c->ready && !c->stopped && !c->paused && !c->expired;
    return only_rate && (!c->spec.concurrency || c->active < c->spec.concurrency) ? c->rate_next_ns : 0;
}

/* ---- moves ---- */
static void append(struct campaign *c, uint32_t *first, uint32_t *last, struct campaign_target *t, uint32_t *before_next) {
    uint32_t me = campaign_number(c, t);
    if (before_next)
        *before_next = me;
    else
        *first = me;
    *last = me;
}

static void mark_dirty(struct campaign *c, struct campaign_target *t) {
    if (t->dirty) return;
    t->dirty = true;
    t->next_dirty = 0;
    append(c, &c->first_dirty, &c->last_dirty, t, c->last_dirty ? &c->targets[c->last_dirty - 1].next_dirty : NULL);
}

/* Without waves or limits nobody waits, and it makes no difference who has begun. */
static void mark_begun(struct campaign *c, struct campaign_target *t, bool began) {
    if (t->began == began) return;
    t->began = began;
    c->began += began ? 1 : UINT32_MAX;
    if (t->unstored || !spec_is_paced(&c->spec)) return;
    t->unstored = true;
    t->next_begun = 0;
    c->n_begun++;
    append(c, &c->first_begun, &c->last_begun, t, c->last_begun ? &c->targets[c->last_begun - 1].next_begun : NULL);
}

static bool is_active(enum campaign_stage s) { return s == STAGE_SENT || s == STAGE_RUNNING; }
static bool is_lost(const struct campaign_target *t) { return t->stage == STAGE_RUNNING && !t->online && t->lost_ns; }

static void move_stage(struct campaign *c, struct campaign_target *t, enum campaign_stage to) {
    assert(NEXT_STAGES[t->stage] & BIT(to));
    bool was_active = is_active(t->stage), was_lost = is_lost(t);
    if (t->stage == STAGE_HELD) {
        c->held--;
        campaign_turns_leave(c, t);
    }
    t->stage = to;
    if (to == STAGE_HELD) c->held++;
    if (is_active(to)) mark_begun(c, t, true);
    if (to == STAGE_HELD) mark_begun(c, t, false);
    if (is_active(to) != was_active) campaign_turns_active(c, t, !was_active);
    c->lost += (uint32_t)is_lost(t) - (uint32_t)was_lost;
    if (to == STAGE_ENDED) campaign_due_clear(c, t);
}

void campaign_move(struct campaign *c, struct campaign_target *t, enum campaign_stage stage, enum coverage coverage) {
    if (stage != t->stage) move_stage(c, t, stage);
    if (t->coverage == coverage) return;
    c->coverage[t->coverage]--;
    c->coverage[coverage]++;
    if (t->has_result) {
        c->with_result[t->coverage]--;
        c->with_result[coverage]++;
    }
    t->coverage = coverage;
    c->changes++;
}

void campaign_set_reason(struct campaign_target *t, struct span reason) {
    free(t->reason);
    t->reason = reason.n ? strndup(reason.p, reason.n) : NULL; /* without memory: an end without a reason */
}

static void set_gone(struct campaign *c, struct campaign_target *t, bool gone) {
    c->gone += (uint32_t)gone - (uint32_t)t->gone;
    t->gone = gone;
}

/* Once per target: a real end is left by no way. */
static void add_real_end(struct campaign *c, const struct campaign_target *t) {
    capture_ledger_add(&c->ledger, &t->ledger);
    if (t->replayed) c->replayed = true;
    c->cpu_ns += t->cpu_ns;
    c->wall_ns += t->wall_ns;
    c->died += t->died;
    if (t->pressure_permille != UINT32_MAX) {
        c->pressure_sum += t->pressure_permille;
        c->n_pressure++;
    }
    if (!t->started_wall_ns) return;
    uint64_t start_ns = t->started_wall_ns + (uint64_t)t->clock_ns;
    if (!c->first_start_wall_ns || start_ns < c->first_start_wall_ns) c->first_start_wall_ns = start_ns;
    if (start_ns > c->last_start_wall_ns) c->last_start_wall_ns = start_ns;
}

void campaign_end_for_real(struct campaign *c, struct campaign_target *t) {
    mark_begun(c, t, true);
    set_gone(c, t, false);
    campaign_move(c, t, STAGE_ENDED, t->outcome_coverage);
    if (t->decided_here) c->changes++;
    t->decided_here = false;
    add_real_end(c, t);
    mark_dirty(c, t);
}

static void decide(struct campaign *c, struct campaign_target *t, enum coverage end, const char *reason) {
    campaign_move(c, t, STAGE_ENDED, end);
    campaign_set_reason(t, span_str(reason));
    t->decided_here = true;
    mark_dirty(c, t);
}

static bool ended_for_real(const struct campaign_target *t) { return t->stage == STAGE_ENDED && !t->decided_here; }

/* ---- how long to wait ---- */
static uint64_t later(uint64_t a, uint64_t b) { return a > b ? a : b; }
static uint64_t duration_ns(const struct campaign *c) { return (uint64_t)c->spec.duration_s * NS_PER_S; }
static uint64_t interval_ns(const struct campaign *c) { return spec_rounds(&c->spec) > 1 ? (uint64_t)c->spec.every_s * NS_PER_S : 0; }
static uint64_t lost_since(const struct campaign_target *t) { return t->lost_ns ? t->lost_ns : later(t->running_ns, t->heard_ns); }

static uint64_t due_of(const struct campaign *c, const struct campaign_target *t) {
    if (t->stage == STAGE_SENT) return lost_since(t) + CAMPAIGN_LOST_S * NS_PER_S;
    uint64_t every_ns = interval_ns(c), one_ns = duration_ns(c);
    if (t->online) return later(t->running_ns + one_ns, t->heard_ns + (every_ns ? every_ns + one_ns : 0)) + CAMPAIGN_SILENT_S * NS_PER_S;
    uint64_t all_ns = every_ns * (spec_rounds(&c->spec) - 1) + one_ns;
    return later(lost_since(t) + one_ns, t->running_ns + all_ns) + CAMPAIGN_LOST_S * NS_PER_S;
}

static void schedule(struct campaign *c, struct campaign_target *t) {
    if (t->stage == STAGE_RUNNING || (t->stage == STAGE_SENT && !t->online))
        campaign_due_set(c, t, due_of(c, t));
    else
        campaign_due_clear(c, t);
}

void campaign_begin(struct campaign *c, struct campaign_target *t, struct campaign_now now) {
    if (t->stage != STAGE_HELD && t->stage != STAGE_SENT) return;
    campaign_move(c, t, STAGE_RUNNING, COVERAGE_RUNNING);
    t->running_ns = now.mono_ns;
    schedule(c, t);
}

/* ---- events ---- */
static void set_online(struct campaign *c, struct campaign_target *t, bool online, struct campaign_now now) {
    bool was_lost = is_lost(t);
    t->online = online;
    t->seen_wall_ns = now.wall_ns;
    if (online)
        t->heard_ns = now.mono_ns;
    else
        t->lost_ns = now.mono_ns;
    c->lost += (uint32_t)is_lost(t) - (uint32_t)was_lost;
    schedule(c, t);
}

enum campaign_send campaign_connected(struct campaign *c, struct span host, struct campaign_now now) {
    struct campaign_target *t = campaign_find(c, host);
    if (!t) return CAMPAIGN_SEND_NOTHING;
    set_online(c, t, true, now);
    if (c->stopped && t->stage != STAGE_ENDED) return CAMPAIGN_SEND_STOP;
    if (now.mono_ns >= c->expires_ns) return CAMPAIGN_SEND_NOTHING;
    if (c->stopped) return t->decided_here ? CAMPAIGN_SEND_STOP : CAMPAIGN_SEND_NOTHING; /* it may have rounds to come */
    switch (t->stage) {
    case STAGE_HELD:
        campaign_turns_wait(c, t);
        break;
    case STAGE_SENT:
    case STAGE_RUNNING:
        return CAMPAIGN_SEND_ORDER;
    case STAGE_ENDED:
        if (t->gone) return CAMPAIGN_SEND_ORDER; /* it may still have its result, or never had the order */
        break;
    }
    return CAMPAIGN_SEND_NOTHING;
}

void campaign_disconnected(struct campaign *c, struct span host, struct campaign_now now) {
    struct campaign_target *t = campaign_find(c, host);
    if (!t || !t->online) return;
    set_online(c, t, false, now);
    campaign_turns_leave(c, t);
    campaign_rules_check(c, now);
}

void campaign_state(struct campaign *c, struct span host, enum coverage coverage, struct campaign_now now) {
    struct campaign_target *t = campaign_find(c, host);
    if (!t) return;
    t->heard_ns = now.mono_ns;
    if (coverage == COVERAGE_RUNNING) campaign_begin(c, t, now);
}

static void note_result(struct campaign *c, struct campaign_target *t) {
    if (t->has_result) return;
    t->has_result = true;
    c->with_result[t->coverage]++;
    c->changes++;
    if (t->stage == STAGE_ENDED) mark_dirty(c, t);
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

enum err campaign_part(struct campaign *c, struct span host, uint32_t round, uint32_t part, const struct outcome *outcome,
                       struct campaign_now now) {
    struct campaign_target *t = campaign_find(c, host);
    if (!t) return ERR_NOTFOUND;
    t->heard_ns = now.mono_ns;
    if (ended_for_real(t)) return ERR_EXISTS;
    bool whole = false;
    enum err e = campaign_rounds_part(c, t, round, part, outcome, &whole);
    if (e != ERR_OK) return e;
    campaign_begin(c, t, now);
    if (whole) campaign_end_for_real(c, t);
    campaign_rules_check(c, now);
    return ERR_OK;
}

/* ---- control ---- */
static void stop_target(struct campaign *c, struct campaign_target *t, const char *operators) {
    char text[LIMIT_REASON_BYTES + 64];
    bool had_it = t->stage == STAGE_RUNNING || (t->stage == STAGE_SENT && t->online);
    if (t->stage == STAGE_ENDED || had_it) return;
    snprintf(text, sizeof text, "%s%s", c->why, !operators ? "" : t->online ? " before its turn came" : " before it connected");
    decide(c, t, COVERAGE_CANCELLED, text);
}

static void halt(struct campaign *c, const char *operators, struct campaign_now now) {
    c->stopped = true;
    c->paused = false;
    c->stop_ns = now.mono_ns;
    c->control_changed = true;
    c->changes++;
    for (size_t i = 0; i < c->n_targets; i++) stop_target(c, &c->targets[i], operators);
}

void campaign_halt(struct campaign *c, struct campaign_now now) { halt(c, NULL, now); }

static void say_who(struct campaign *c, const char *did, struct span operator_name) {
    struct span name = span_head(operator_name, LIMIT_NAME_BYTES);
    snprintf(c->why, sizeof c->why, "%s by %.*s", did, (int)name.n, name.p);
}

void campaign_stop(struct campaign *c, struct span operator_name, struct campaign_now now) {
    if (c->stopped || campaign_done(c)) return;
    say_who(c, "stopped", operator_name);
    halt(c, "operator", now);
}

static void set_paused(struct campaign *c, bool paused) {
    c->paused = paused;
    c->control_changed = true;
    c->changes++;
}

bool campaign_pause(struct campaign *c, struct span operator_name) {
    if (c->stopped || c->paused || campaign_done(c)) return false;
    say_who(c, "paused", operator_name);
    set_paused(c, true);
    return true;
}

bool campaign_resume(struct campaign *c) {
    if (c->stopped || !c->paused || campaign_done(c)) return false;
    c->why[0] = '\0';
    set_paused(c, false);
    return true;
}

/* ---- time ---- */
static void end_offline(struct campaign *c, struct campaign_target *t) {
    char text[96], when[32];
    if (t->seen_wall_ns)
        snprintf(text, sizeof text, "not connected since %s", clock_wall_text(t->seen_wall_ns, when));
    else
        snprintf(text, sizeof text, "not connected");
    decide(c, t, COVERAGE_OFFLINE, text);
}

static void end_held(struct campaign *c, struct campaign_target *t) {
    char text[128];
    if (!t->online) {
        end_offline(c, t);
        return;
    }
    if (c->paused)
        snprintf(text, sizeof text, "the order expired while the campaign was paused");
    else
        snprintf(text, sizeof text, "the order expired before its turn came, in wave %u of %u", c->wave + 1, c->n_waves);
    decide(c, t, COVERAGE_CANCELLED, text);
}

static void give_up(struct campaign *c, struct campaign_target *t, uint64_t now_ns) {
    char text[160];
    uint64_t since_ns = lost_since(t), into_s = since_ns > t->running_ns ? (since_ns - t->running_ns) / NS_PER_S : 0;
    snprintf(text, sizeof text, "connection lost %llu s into its capture; not back after %llu s", (unsigned long long)into_s,
             (unsigned long long)((now_ns - since_ns) / NS_PER_S));
    decide(c, t, COVERAGE_OFFLINE, text);
    set_gone(c, t, true);
}

static void come_due(struct campaign *c, struct campaign_target *t, uint64_t now_ns) {
    if (t->stage == STAGE_SENT && c->expired)
        end_offline(c, t);
    else if (t->stage == STAGE_SENT)
        campaign_move(c, t, STAGE_HELD, COVERAGE_PENDING), campaign_due_clear(c, t);
    else if (!t->online)
        give_up(c, t, now_ns);
    else
        decide(c, t, COVERAGE_TIMEOUT,
               t->parts.n ? "the agent stopped sending before its result was complete"
                          : "the agent is connected, but no result came within 30 s of the capture's end");
}

static void tick_due(struct campaign *c, uint64_t now_ns) {
    for (struct campaign_target *t; (t = campaign_due_first(c)) && t->due_ns <= now_ns;) {
        if (due_of(c, t) > now_ns)
            schedule(c, t); /* it was heard of since */
        else
            come_due(c, t, now_ns);
    }
}

/* The order has expired: whoever does not have it does not get it. */
static void expire(struct campaign *c) {
    c->expired = true;
    for (size_t i = 0; i < c->n_targets; i++) {
        struct campaign_target *t = &c->targets[i];
        if (t->stage == STAGE_HELD)
            end_held(c, t);
        else if (t->stage == STAGE_SENT && !t->online)
            end_offline(c, t);
    }
}

static void end_overdue(struct campaign *c) {
    c->overdue = true;
    for (size_t i = 0; i < c->n_targets; i++) {
        struct campaign_target *t = &c->targets[i];
        if (t->stage != STAGE_SENT) continue;
        if (t->online)
            decide(c, t, COVERAGE_TIMEOUT, "the agent is connected, but did not begin before the order expired");
        else
            end_offline(c, t);
    }
}

/* Nobody who is connected is waiting or running: the others are waited for join_s. */
static void tick_quiet(struct campaign *c, uint64_t now_ns) {
    bool quiet = c->spec.join_s && c->held && !c->active && !c->ready && !c->paused && !c->stopped && now_ns >= c->quiet_after_ns;
    if (!quiet || !c->quiet_ns) {
        c->quiet_ns = quiet ? now_ns : 0;
        return;
    }
    if (now_ns < c->quiet_ns + c->spec.join_s * NS_PER_S) return;
    for (size_t i = 0; i < c->n_targets; i++)
        if (c->targets[i].stage == STAGE_HELD) end_offline(c, &c->targets[i]);
}

static void sweep_stopped(struct campaign *c) {
    c->swept = true;
    for (size_t i = 0; i < c->n_targets; i++) {
        struct campaign_target *t = &c->targets[i];
        if (t->stage == STAGE_ENDED) continue;
        decide(c, t, COVERAGE_CANCELLED,
               t->online ? "stopped; the agent did not report within 10 s" : "stopped while its agent was not connected");
    }
}

void campaign_tick(struct campaign *c, struct campaign_now now) {
    uint64_t now_ns = now.mono_ns;
    if (campaign_done(c)) return;
    if (c->stopped && !c->swept && now_ns >= c->stop_ns + CAMPAIGN_STOP_S * NS_PER_S) sweep_stopped(c);
    if (!c->expired && now_ns >= c->expires_ns) expire(c);
    if (!c->overdue && now_ns >= c->expires_ns + CAMPAIGN_SILENT_S * NS_PER_S) end_overdue(c);
    tick_due(c, now_ns);
    tick_quiet(c, now_ns);
    campaign_rules_check(c, now);
}

/* ---- from and to the store ---- */
static void restore_begun(struct campaign *c, struct campaign_target *t, struct campaign_now now) {
    campaign_move(c, t, STAGE_SENT, COVERAGE_PENDING);
    t->unstored = false;
    c->first_begun = c->last_begun = c->n_begun = 0;
    t->heard_ns = now.mono_ns;
    schedule(c, t);
}

enum err campaign_restore(struct campaign *c, struct span host, const struct campaign_end *end, struct campaign_now now) {
    struct campaign_target *t = campaign_find(c, host);
    if (!t) return ERR_NOTFOUND;
    if (!coverage_is_end(end->coverage)) {
        if (end->began) restore_begun(c, t, now);
        return ERR_OK;
    }
    if (end->outcome.n) {
        enum err e = campaign_rounds_restore(t, end->outcome);
        if (e != ERR_OK) return e;
    }
    if (end->has_result) note_result(c, t);
    campaign_move(c, t, STAGE_ENDED, end->coverage);
    campaign_set_reason(t, end->reason);
    t->decided_here = end->outcome.n == 0;
    t->began = end->began || end->outcome.n || end->gone;
    c->began += t->began;
    set_gone(c, t, end->gone);
    if (end->outcome.n) add_real_end(c, t);
    return ERR_OK;
}

void campaign_restore_control(struct campaign *c, const struct campaign_control *control, struct campaign_now now) {
    c->stopped = control->stopped;
    c->paused = control->paused && !control->stopped;
    c->wave = control->wave < c->n_waves ? control->wave : c->n_waves - 1;
    c->stop_ns = now.mono_ns;
    c->quiet_after_ns = now.mono_ns + BACK_AFTER_RESTART_S * NS_PER_S;
    snprintf(c->why, sizeof c->why, "%.*s", (int)control->why.n, control->why.p ? control->why.p : "");
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

const struct campaign_target *campaign_next_begun(struct campaign *c) {
    if (!c->first_begun) return NULL;
    struct campaign_target *t = &c->targets[c->first_begun - 1];
    c->first_begun = t->next_begun;
    if (!c->first_begun) c->last_begun = 0;
    c->n_begun--;
    t->unstored = false;
    return t;
}
