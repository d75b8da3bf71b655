#include "agent/daemon/captures.h"

#include <assert.h>

#include "agent/daemon/finish.h"
#include "agent/daemon/pressure.h"
#include "agent/daemon/taken.h"
#include "agent/spool/amend.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/catalog/catalog_class.h"

enum run_state { RUN_WAITING, RUN_ASKED, RUN_RUNNING, RUN_ENDED, RUN_OVER, RUN__COUNT };
#define BIT(n) (1u << (n))
static const struct {
    const char *name;
    unsigned next;
} STATES[RUN__COUNT] = {
    [RUN_WAITING] = {"waiting", BIT(RUN_ASKED) | BIT(RUN_OVER)},
    [RUN_ASKED] = {"asked", BIT(RUN_RUNNING) | BIT(RUN_OVER)},
    [RUN_RUNNING] = {"running", BIT(RUN_ENDED)},
    [RUN_ENDED] = {"ended", BIT(RUN_WAITING) | BIT(RUN_OVER)},
    [RUN_OVER] = {"over", 0},
};

/* After the tool's end its descriptors close at once, since everything that could hold them is killed; if not, we do not wait. */
static const uint64_t DRAIN_NS = 2 * NS_PER_S;
static const uint64_t LOOK_NS = NS_PER_S; /* how often a wait looks at the clock of the wall, which may be set meanwhile */

struct run {
    struct run *next;
    struct captures *owner;
    uint64_t number; /* the runner's name for it */
    enum run_state state;
    struct arena *mem; /* holds order */
    struct order order;
    const struct flavour *flavour;
    struct span flavour_why; /* in mem */
    struct reader reader;
    struct report ended;
    struct loop_timer drain;
    struct buf cancelled; /* why it was stopped from outside */
    const char *failed;   /* why its output is not worth reading; NULL: it is */
    uint64_t started_wall_ns;
    struct loop_timer wait;
    uint64_t base_wall_ns; /* when the first round is to begin */
    uint32_t round, pressure_permille;
    struct applied applied;
};

struct captures {
    struct captures_options opt;
    struct uplink *uplink;
    struct run *runs;
    uint64_t last_number;
    unsigned redact; /* policy's words as bits */
};

enum err captures_new(const struct captures_options *opt, struct captures **out) {
    struct captures *c = calloc(1, sizeof *c);
    if (!c) return ERR_NOMEM;
    c->opt = *opt;
    struct span bad;
    if (opt->policy->redact && !catalog_class_words(opt->policy->redact, &c->redact, &bad))
        c->redact = ~0U;             /* policy_load refused it before */
    c->last_number = CAPABILITY_MAX; /* smaller numbers are probes */
    *out = c;
    return ERR_OK;
}

static void run_move(struct run *r, enum run_state to) {
    assert(STATES[r->state].next & BIT(to));
    LOG(LOG_DEBUG, "capture.state", KV("run", r->number), KV("from", STATES[r->state].name), KV("to", STATES[to].name));
    r->state = to;
}

static void run_free(struct run *r) {
    struct run **at = &r->owner->runs;
    while (*at != r) at = &(*at)->next;
    *at = r->next;
    loop_timer_clear(r->owner->opt.loop, &r->drain);
    loop_timer_clear(r->owner->opt.loop, &r->wait);
    reader_done(&r->reader);
    buf_done(&r->cancelled);
    arena_free(r->mem);
    free(r);
}

void captures_free(struct captures *c) {
    while (c->runs) run_free(c->runs);
    free(c);
}

void captures_set_uplink(struct captures *c, struct uplink *u) { c->uplink = u; }

void captures_set_operators(struct captures *c, const struct trust *operators) { c->opt.operators = operators; }

static struct run *run_find(struct captures *c, uint64_t number) {
    for (struct run *r = c->runs; r; r = r->next)
        if (r->number == number) return r;
    return NULL;
}

static struct run *run_of_campaign(struct captures *c, const struct campaign_id *id) {
    for (struct run *r = c->runs; r; r = r->next)
        if (memcmp(r->order.spec.campaign.b, id->b, CAMPAIGN_ID_BYTES) == 0) return r;
    return NULL;
}

static void say_state(struct captures *c, const struct campaign_id *id, enum coverage state) {
    if (c->uplink) uplink_state(c->uplink, id, state, SPAN_NONE);
}

static struct finish finish_of(const struct captures *c, const struct campaign_id *id, struct span tool) {
    return (struct finish){.spool = c->opt.spool,
                           .journal = c->opt.journal,
                           .campaign = *id,
                           .tool = tool,
                           .redact = c->redact,
                           .last = true,
                           .drop_oldest = span_eq_str(SPAN_LIT("oldest"), c->opt.policy->spool_drop)};
}

static bool replays(const struct captures *c) { return c->opt.policy->tool_dir[0] != '\0'; }

static void write_end(struct captures *c, const char *hex, struct span tool, enum coverage cov, struct span why) {
    const struct audit_record r = {
        .event = "capture.ended", .campaign = span_str(hex), .what = tool, .result = span_str(capture_coverage_name(cov)), .why = why};
    deeds_add(c->opt.deeds, &r, cov == COVERAGE_REFUSED);
}

/* The outcome of a campaign or a round that made no run here: into the spool and on its way. */
static void end_without_run(struct captures *c, const struct finish *f, enum result_kind kind, enum coverage cov, struct span why,
                            bool agent_died) {
    struct outcome o = outcome_without_run(cov, why, kind, replays(c));
    o.agent_died = agent_died;
    finish_spool(f, NULL, &o);
    char hex[2 * CAMPAIGN_ID_BYTES + 1];
    part_campaign_hex(&f->campaign, hex);
    LOG(LOG_NOTICE, "capture.ended", KV("campaign", hex), KV("tool", f->tool), KV("round", f->round),
        KV("coverage", capture_coverage_name(cov)), KV("why", why));
    write_end(c, hex, f->tool, cov, why);
    if (c->uplink) uplink_push(c->uplink);
}

static void end_order(struct captures *c, const struct campaign_id *id, struct span tool, enum result_kind kind, enum coverage cov,
                      struct span why) {
    const struct finish f = finish_of(c, id, tool);
    end_without_run(c, &f, kind, cov, why, false);
}

/* ---- rounds ---- */
static uint32_t rounds(const struct run *r) { return spec_rounds(&r->order.spec); }

static struct finish finish_of_run(const struct run *r, bool last) {
    struct finish f = finish_of(r->owner, &r->order.spec.campaign, span_str(r->order.tool->name));
    f.round = r->round;
    f.last = last;
    return f;
}

/* This round, and with it the order, is over without a result: only that can be told. */
static void run_give_up(struct run *r, enum coverage cov, struct span why) {
    struct captures *c = r->owner;
    const struct finish f = finish_of_run(r, true);
    enum result_kind kind = r->order.tool->kind;
    run_move(r, RUN_OVER);
    run_free(r);
    end_without_run(c, &f, kind, cov, why, false);
}

static uint64_t due_wall_ns(const struct run *r, uint32_t round) {
    return r->base_wall_ns + (uint64_t)round * r->order.spec.every_s * NS_PER_S;
}

static bool is_last(const struct run *r) { return r->round + 1 >= rounds(r); }

/* One of several rounds does not take place; the others may. */
static void skip_round(struct run *r, enum coverage cov, const char *why) {
    const struct finish f = finish_of_run(r, false);
    end_without_run(r->owner, &f, r->order.tool->kind, cov, span_str(why), false);
    r->round++;
}

static bool is_too_late(const struct run *r, uint64_t now_wall_ns) { return now_wall_ns / NS_PER_MS >= r->order.spec.expires_wall_ms; }

/* Is the host's pressure what the order allows? */
static bool may_begin(struct run *r, char *why, size_t why_size) {
    uint32_t most = r->order.spec.stop.pressure_permille;
    r->pressure_permille = 0;
    if (!pressure_read(&r->pressure_permille) || !most || r->pressure_permille <= most) return true;
    snprintf(why, why_size, "the host's CPU pressure is %u.%u %%, over the order's %u.%u %%", r->pressure_permille / 10,
             r->pressure_permille % 10, most / 10, most % 10);
    return false;
}

static void run_begin(struct run *r) {
    struct captures *c = r->owner;
    run_move(r, RUN_ASKED);
    r->number = ++c->last_number;
    enum err e = channel_run(c->opt.runner, r->number, r->order.tool->id, r->flavour->id, r->order.spec.duration_s, &r->order.params);
    if (e) run_give_up(r, COVERAGE_FAILED, SPAN_LIT("the runner does not take requests"));
}

/* Until the time of its round has come; rounds that cannot take place any more are told of. */
static void run_wait(struct run *r) {
    char why[LIMIT_REASON_BYTES];
    for (;;) {
        uint64_t now = clock_wall_ns(), due = due_wall_ns(r, r->round), every = r->order.spec.every_s * NS_PER_S;
        if (is_too_late(r, now)) {
            run_give_up(r, COVERAGE_TIMEOUT, SPAN_LIT("the order expired before it began"));
            return;
        }
        if (now < due) {
            uint64_t left = due - now;
            if (loop_timer_set(r->owner->opt.loop, &r->wait, clock_mono_ns() + (left < LOOK_NS ? left : LOOK_NS)) != ERR_OK)
                run_give_up(r, COVERAGE_FAILED, span_str(err_text(ERR_NOMEM)));
            return;
        }
        bool missed = every && now >= due + every && !is_last(r), begins = !missed && may_begin(r, why, sizeof why);
        if (begins) {
            run_begin(r);
            return;
        }
        if (is_last(r)) {
            run_give_up(r, COVERAGE_REFUSED, span_str(why));
            return;
        }
        skip_round(r, missed ? COVERAGE_TIMEOUT : COVERAGE_REFUSED, missed ? "its time went by before it could begin" : why);
    }
}

static void on_wait(struct loop_timer *t) { run_wait(container_of(t, struct run, wait)); }

static void next_round(struct run *r) {
    run_move(r, RUN_WAITING);
    reader_done(&r->reader);
    r->reader.out.dropped_bytes = r->reader.err.dropped_bytes = 0;
    loop_timer_clear(r->owner->opt.loop, &r->drain);
    r->round++;
    run_wait(r);
}

/* What the host applies: the order's, and its own cap. */
static void note_applied(struct run *r) {
    const struct spec *s = &r->order.spec;
    r->applied = (struct applied){.seconds = s->duration_s,
                                  .params = s->params,
                                  .n_params = s->n_params,
                                  .stdout_bytes = r->owner->opt.policy->stdout_bytes,
                                  .start_wall_ms = s->start_wall_ms,
                                  .expires_wall_ms = s->expires_wall_ms,
                                  .round = r->round,
                                  .rounds = rounds(r),
                                  .every_s = s->every_s,
                                  .pressure_permille = s->stop.pressure_permille};
}

/* The tool has run: understand it, judge it, spool it. */
static void run_finish(struct run *r) {
    struct captures *c = r->owner;
    bool cut = reader_open(&r->reader), last = is_last(r) || r->cancelled.n > 0;
    if (last) run_move(r, RUN_OVER);
    reader_close(&r->reader);
    note_applied(r);
    struct finish f = finish_of_run(r, last);
    f.applied = &r->applied;
    f.pressure_permille = r->pressure_permille;
    f.flavour_why = r->flavour_why;
    struct outcome_facts facts = {.tool = r->order.tool,
                                  .flavour = r->flavour,
                                  .ended = &r->ended,
                                  .out_dropped_bytes = r->reader.out.dropped_bytes,
                                  .err_dropped_bytes = r->reader.err.dropped_bytes,
                                  .out_cap_bytes = c->opt.policy->stdout_bytes,
                                  .cut = cut,
                                  .err = buf_span(&r->reader.err.text),
                                  .cancelled = buf_span(&r->cancelled),
                                  .started_wall_ns = r->started_wall_ns};
    enum coverage end = finish_capture(&f, &facts, buf_span(&r->reader.out.text));
    char hex[2 * CAMPAIGN_ID_BYTES + 1];
    part_campaign_hex(&r->order.spec.campaign, hex);
    LOG(LOG_INFO, "capture.ended", KV("campaign", hex), KV("tool", r->order.tool->name), KV("round", r->round),
        KV("coverage", capture_coverage_name(end)));
    write_end(c, hex, span_str(r->order.tool->name), end, buf_span(&r->cancelled));
    if (last)
        run_free(r);
    else
        next_round(r);
    if (c->uplink) uplink_push(c->uplink);
}

static void run_maybe_finish(struct run *r) {
    if (r->state == RUN_ENDED && !reader_open(&r->reader)) run_finish(r);
}

static void on_read_done(struct reader *reader) { run_maybe_finish(container_of(reader, struct run, reader)); }

static void on_over(struct reader *reader) {
    struct run *r = container_of(reader, struct run, reader);
    IGNORED(channel_stop(r->owner->opt.runner, r->number)); /* if it cannot be told, the deadline ends it; what comes is counted */
}

static void on_drain(struct loop_timer *t) { run_finish(container_of(t, struct run, drain)); }

static struct run *run_new(struct captures *c, struct arena *mem, const struct order *o, const struct flavour *f) {
    struct run *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    *r = (struct run){.next = c->runs, .owner = c, .mem = mem, .order = *o, .flavour = f};
    r->reader.out.watch.fd = r->reader.err.watch.fd = -1;
    r->reader.over = on_over;
    r->reader.done = on_read_done;
    r->drain.fired = on_drain;
    r->wait.fired = on_wait;
    buf_init(&r->cancelled, LIMIT_REASON_BYTES);
    c->runs = r;
    return r;
}

/* A flavour is chosen, and a run waits for the time of its round.  NULL: there is none, and that is told.  takes mem. */
static struct run *run_make(struct captures *c, struct arena *mem, const struct order *o, uint64_t base_wall_ms, uint32_t round) {
    struct finish told = finish_of(c, &o->spec.campaign, span_str(o->tool->name));
    struct buf why;
    buf_init(&why, LIMIT_REASON_BYTES);
    told.round = round;
    const char *locked = c->opt.locked->why;
    const struct flavour *f = *locked ? NULL : capability_choose(c->opt.capabilities, o->tool, o->flavour, &o->params, &why);
    struct run *r = f ? run_new(c, mem, o, f) : NULL;
    if (r) {
        r->base_wall_ns = base_wall_ms * NS_PER_MS;
        r->round = round;
        r->flavour_why = arena_copy(mem, buf_span(&why)); /* without memory: it is not said */
    } else {
        enum coverage end = *locked ? COVERAGE_REFUSED : f ? COVERAGE_FAILED : COVERAGE_INCAPABLE;
        struct span reason = *locked ? span_str(locked) : f ? span_str(err_text(ERR_NOMEM)) : buf_span(&why);
        end_without_run(c, &told, o->tool->kind, end, reason, false); /* for good: it was taken */
        arena_free(mem);
    }
    buf_done(&why);
    return r;
}

/* A verified order.  takes mem. */
static void obey(struct captures *c, struct arena *mem, const struct signed_order *so, const struct order *o) {
    const struct campaign_id *id = &o->spec.campaign;
    uint64_t base_wall_ms = o->spec.start_wall_ms ? o->spec.start_wall_ms : clock_wall_ns() / NS_PER_MS;
    enum err e = taken_note(c->opt.journal, so, o, base_wall_ms);
    if (e) {
        end_order(c, id, span_str(o->tool->name), o->tool->kind, COVERAGE_FAILED,
                  SPAN_LIT("the agent cannot write its journal; the order was not obeyed"));
        LOG(LOG_ERR, "journal.failed", KV("why", err_text(e)));
        arena_free(mem);
        return;
    }
    spool_remove_round(c->opt.spool, id, 0); /* what a forged order of its name was told */
    struct run *r = run_make(c, mem, o, base_wall_ms, 0);
    if (!r) return;
    deeds_taken(c->opt.deeds, o);
    say_state(c, id, COVERAGE_PENDING);
    run_wait(r);
}

/* ---- after a restart ---- */
/* Nothing of the lost round was sent: sending begins when it is whole. */
static void tell_lost(struct captures *c, const struct journal_entry *e, const struct taken *r) {
    char why[LIMIT_REASON_BYTES];
    const struct tool *t = catalog_find(span_str(e->tool));
    struct finish f = finish_of(c, &e->campaign, span_str(e->tool));
    f.round = r->lost;
    f.last = !r->goes_on;
    snprintf(why, sizeof why, "the agent was restarted in the middle of the capture%s%s", r->why[0] ? "; no other one follows: " : "",
             r->why);
    end_without_run(c, &f, t ? t->kind : RESULT_NONE, COVERAGE_FAILED, span_str(why), true);
}

static void go_on(struct captures *c, const struct journal_entry *e) {
    struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    const struct order_check check = captures_check(c);
    struct taken r;
    taken_read(e, c->opt.spool, &check, mem, &r);
    if (r.over) {
        enum err failed = journal_done(c->opt.journal, &e->campaign);
        if (failed) LOG(LOG_ERR, "journal.failed", KV("why", err_text(failed)));
    } else {
        spool_remove_round(c->opt.spool, &e->campaign, r.lost);
        if (r.begun) tell_lost(c, e, &r);
    }
    if (r.goes_on) {
        LOG(LOG_NOTICE, "order.resumed", KV("operator", r.order.operator_name), KV("tool", e->tool), KV("round", r.next));
        struct run *run = run_make(c, TAKE(mem), &r.order, e->base_wall_ms, r.next);
        if (run) run_wait(run);
    }
    if (mem) arena_free(mem);
}

void captures_recover(struct captures *c) {
    for (const struct journal_entry *e = journal_first(c->opt.journal); e; e = e->next)
        if (!e->done) go_on(c, e);
}

/* ---- orders ---- */
static enum coverage coverage_of(enum err e) {
    if (e == ERR_NOTFOUND) return COVERAGE_INCAPABLE;
    if (e == ERR_NOMEM || e == ERR_SYS) return COVERAGE_FAILED;
    return COVERAGE_REFUSED;
}

/* What is known here is neither obeyed again nor refused: its outcome is in the making, in the spool, or acknowledged. */
static bool is_known(struct captures *c, const struct campaign_id *id) {
    const struct run *live = run_of_campaign(c, id);
    if (live) say_state(c, id, live->state <= RUN_ASKED && live->round == 0 ? COVERAGE_PENDING : COVERAGE_RUNNING);
    return live || journal_find(c->opt.journal, id);
}

/* An order that does not verify is refused in writing when it at least names its campaign.  The name may be another's: anybody
 * can forge an order, and one that was good when it came may come again when it has expired. */
static void refuse(struct captures *c, const struct signed_order *so, struct arena *mem, enum err e, const char *why) {
    struct spec spec;
    LOG(LOG_WARNING, "order.refused", KV("error", err_name(e)), KV("why", why));
    deeds_add(c->opt.deeds, &(struct audit_record){.event = "order.refused", .result = SPAN_LIT("refused"), .why = span_str(why)}, true);
    if (spec_decode(so->spec, mem, &spec) || is_known(c, &spec.campaign)) return;
    const struct tool *t = catalog_find(spec.tool);
    end_order(c, &spec.campaign, spec.tool, t ? t->kind : RESULT_NONE, coverage_of(e), span_str(why));
}

struct order_check captures_check(const struct captures *c) {
    return (struct order_check){.operators = c->opt.operators,
                                .fleet = c->opt.policy->fleet,
                                .wall_ns = clock_wall_ns(),
                                .host = span_str(c->opt.host),
                                .labels = c->opt.labels,
                                .n_labels = c->opt.n_labels,
                                .may_sign = c->opt.policy->may_sign};
}

/* A firing is within its trigger's limits, or refused in writing. */
static bool is_admitted(struct captures *c, const struct signed_order *so, const struct order *o) {
    char why[LIMIT_REASON_BYTES] = "triggers are not obeyed here";
    if (!o->spec.fired.number || (c->opt.gate && c->opt.gate->admit(c->opt.gate, so, o, why, sizeof why) == ERR_OK)) return true;
    end_order(c, &o->spec.campaign, span_str(o->tool->name), o->tool->kind, COVERAGE_REFUSED, span_str(why));
    return false;
}

void captures_order(struct captures *c, const struct signed_order *so) {
    struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    if (!mem) return; /* the collector asks again after a reconnect, or ends the host itself */
    const struct order_check check = captures_check(c);
    char why[LIMIT_REASON_BYTES] = "";
    struct order o;
    enum err e = order_verify(so, &check, mem, why, sizeof why, &o);
    if (e)
        refuse(c, so, mem, e, why[0] ? why : err_text(e));
    else if (is_known(c, &o.spec.campaign))
        LOG(LOG_INFO, "order.repeated", KV("operator", o.operator_name));
    else if (is_admitted(c, so, &o))
        obey(c, TAKE(mem), so, &o);
    if (mem) arena_free(mem);
    journal_expire(c->opt.journal, check.wall_ns / NS_PER_MS);
}

/* With RUN_WAITING it is over at once, and r is gone. */
static void cancel(struct run *r, struct span why) {
    if (r->cancelled.n) return;
    why = why.n ? span_head(why, LIMIT_REASON_BYTES) : SPAN_LIT("stopped");
    if (r->state == RUN_WAITING) {
        run_give_up(r, COVERAGE_CANCELLED, why);
        return;
    }
    buf_add(&r->cancelled, why);
    IGNORED(channel_stop(r->owner->opt.runner, r->number)); /* if it cannot be told, the deadline ends it */
}

void captures_stop(struct captures *c, const struct campaign_id *campaign, struct span why) {
    struct run *r = run_of_campaign(c, campaign);
    if (r) cancel(r, why);
}

static void cancel_all_if_locked(struct captures *c) {
    const char *why = c->opt.locked->why;
    for (struct run *next, *r = *why ? c->runs : NULL; r; r = next) {
        next = r->next;
        cancel(r, span_str(why));
    }
}

bool captures_lockdown(struct captures *c, const struct signed_order *so) {
    char why[LIMIT_REASON_BYTES] = "";
    const struct order_check check = captures_check(c);
    const struct lockdown *now = &c->opt.locked->fleet;
    enum err e = locked_take(c->opt.locked, so, &check, why, sizeof why);
    if (e == ERR_EXISTS) return false;
    if (e == ERR_OK)
        LOG(LOG_WARNING, now->locked ? "lockdown.on" : "lockdown.lifted", KV("operator", now->operator_name), KV("why", now->reason));
    else
        LOG(LOG_ERR, "lockdown.refused", KV("error", err_name(e)), KV("why", why[0] ? why : err_text(e)));
    const struct audit_record r = {.event = e             ? "lockdown.refused"
                                            : now->locked ? "lockdown.on"
                                                          : "lockdown.lifted",
                                   .who = e ? SPAN_NONE : span_str(now->operator_name),
                                   .result = e ? SPAN_LIT("refused") : SPAN_NONE,
                                   .why = span_str(e ? why : now->reason)};
    deeds_add(c->opt.deeds, &r, e != ERR_OK);
    cancel_all_if_locked(c);
    return e == ERR_OK || e == ERR_SYS;
}

void captures_switch(struct captures *c, bool thrown) {
    locked_switch(c->opt.locked, thrown, c->opt.policy->lockdown_file);
    deeds_add(c->opt.deeds,
              &(struct audit_record){.event = thrown ? "killswitch.on" : "killswitch.off", .what = span_str(c->opt.policy->lockdown_file)},
              false);
    cancel_all_if_locked(c);
}

static void on_started(struct captures *c, struct run *r, int out_fd, int err_fd) {
    const struct policy *p = c->opt.policy;
    r->started_wall_ns = clock_wall_ns();
    run_move(r, RUN_RUNNING);
    enum err e = ERR_GONE;
    if (out_fd >= 0 && err_fd >= 0) {
        e = reader_start(&r->reader, c->opt.loop, out_fd, err_fd, p->stdout_bytes, p->stderr_bytes);
    } else {
        if (out_fd >= 0) close(out_fd);
        if (err_fd >= 0) close(err_fd);
    }
    if (!e) return;
    r->failed = "the agent cannot read what the tool prints";
    IGNORED(channel_stop(c->opt.runner, r->number)); /* if it cannot be told, the deadline ends it */
}

static void on_refused(struct run *r, const struct report *rep) {
    if (r->cancelled.n) { /* before there was anything to stop */
        char why[LIMIT_REASON_BYTES];
        snprintf(why, sizeof why, "%s", buf_str(&r->cancelled));
        run_give_up(r, COVERAGE_CANCELLED, span_str(why));
        return;
    }
    bool sound = rep->coverage == COVERAGE_REFUSED || rep->coverage == COVERAGE_INCAPABLE || rep->coverage == COVERAGE_FAILED;
    run_give_up(r, sound ? (enum coverage)rep->coverage : coverage_of((enum err)rep->refusal), span_str(rep->why));
}

static void on_ended(struct run *r, const struct report *rep) {
    r->ended = *rep;
    run_move(r, RUN_ENDED);
    if (r->failed)
        run_give_up(r, COVERAGE_FAILED, span_str(r->failed));
    else if (!reader_open(&r->reader) || loop_timer_set(r->owner->opt.loop, &r->drain, clock_mono_ns() + DRAIN_NS) != ERR_OK)
        run_finish(r);
}

enum err captures_damaged(struct captures *c, struct spool_entry *e) {
    const struct tool *t = catalog_find(e->key.tool);
    const struct amend_facts f = {.kind = t ? t->kind : RESULT_NONE, .replayed = replays(c)};
    char hex[2 * CAMPAIGN_ID_BYTES + 1];
    part_campaign_hex(&e->key.campaign, hex);
    LOG(LOG_ERR, "spool.damaged", KV("campaign", hex), KV("tool", e->key.tool), KV("part", e->key.part), KV("bytes", e->bytes));
    return amend_damaged(c->opt.spool, e, f);
}

void captures_report(struct captures *c, const struct report *rep, int out_fd, int err_fd) {
    static const unsigned expected_in[] = {[REPORT_STARTED] = BIT(RUN_ASKED),
                                           [REPORT_REFUSED] = BIT(RUN_ASKED),
                                           [REPORT_ATTACHED] = BIT(RUN_RUNNING),
                                           [REPORT_ENDED] = BIT(RUN_RUNNING)};
    struct run *r = run_find(c, rep->run);
    bool expected = r && rep->kind < COUNT_OF(expected_in) && (expected_in[rep->kind] & BIT(r->state));
    if (!expected || rep->kind != REPORT_STARTED) {
        if (out_fd >= 0) close(out_fd);
        if (err_fd >= 0) close(err_fd);
    }
    if (!expected) {
        LOG(LOG_WARNING, "runner.unexpected", KV("run", rep->run), KV("kind", rep->kind));
        return;
    }
    switch ((enum report_kind)rep->kind) {
    case REPORT_STARTED:
        on_started(c, r, out_fd, err_fd);
        break;
    case REPORT_ATTACHED:
        say_state(c, &r->order.spec.campaign, COVERAGE_RUNNING);
        break;
    case REPORT_REFUSED:
        on_refused(r, rep);
        break;
    case REPORT_ENDED:
        on_ended(r, rep);
        break;
    case REPORT_CAPABLE:
    case REPORT_SWITCH:
    case REPORT_ALARM:
        break;
    }
}
