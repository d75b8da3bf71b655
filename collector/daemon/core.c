#include "collector/daemon/core.h"

#include <signal.h>
#include <stdio.h>

#include "collector/daemon/core_state.h"

static void take(struct core *core, struct message *m) {
    switch (m->kind) {
    case MESSAGE_CONNECTED:
        core_agents_connected(core, m);
        core_agents_taken(core, m);
        return;
    case MESSAGE_FACTS:
        core_agents_facts(core, m);
        core_agents_taken(core, m);
        return;
    case MESSAGE_STATE:
        core_agents_state(core, m);
        core_agents_taken(core, m);
        return;
    case MESSAGE_TRIGGER:
        core_triggers_state(core, m);
        core_agents_taken(core, m);
        return;
    case MESSAGE_FIRING:
        core_firings_told(core, m);
        core_agents_taken(core, m);
        return;
    case MESSAGE_TWICE:
        core_agents_twice(core, m);
        break;
    case MESSAGE_DISCONNECTED:
        core_agents_disconnected(core, m);
        break;
    case MESSAGE_PART:
        core_agents_part(core, m);
        return;
    case MESSAGE_WRITE:
        if (m->write.question) core_questions_written(core, m);
        if (m->write.n == 1 && m->write.ops[0].kind == STORE_REMOVE_RESULTS) core_retention_written(core, &m->write.ops[0]);
        break;
    case MESSAGE_STORE_DOWN:
    case MESSAGE_STORE_UP:
        core->store_down = m->kind == MESSAGE_STORE_DOWN;
        break;
    case MESSAGE_QUESTION:
        core_questions_ask(core, m);
        break;
    case MESSAGE_UNWATCH:
        core_questions_unwatch(core, m->question.id);
        break;
    case MESSAGE_RELOAD: {
        char why[256] = "";
        struct trust *fresh = NULL;
        if (sign_trust_load(core->opt.operators_ca, core->opt.operators_crl, why, sizeof why, &fresh) == ERR_OK) {
            sign_trust_free(core->operators);
            core->operators = fresh;
        } else {
            LOG(LOG_ERR, "collector.reload_failed", KV("what", "operators"), KV("why", why));
        }
        break;
    }
    case MESSAGE_AUDIT: {
        const struct message_audit *a = &m->audit;
        core->counts.refused++;
        const char *authority = a->authority ? identity_authority_name(a->authority) : "";
        core_audit_stranger(core, &(struct audit_record){.event = a->event,
                                                         .who = a->who,
                                                         .authority = span_str(authority),
                                                         .host = a->host,
                                                         .where = a->address,
                                                         .what = a->what,
                                                         .result = SPAN_LIT("refused"),
                                                         .why = a->why});
        break;
    }
    case MESSAGE_QUIT:
        loop_stop(core->loop);
        return; /* core's own, freed with it */
    case MESSAGE_CALL:
        core_calls_ask(core, m);
        break;
    case MESSAGE_REPLY:
    case MESSAGE_ACK:
    case MESSAGE_TAKEN:
    case MESSAGE_SEND:
    case MESSAGE_DISCONNECT:
    case MESSAGE_ANSWER:
        break; /* others' */
    }
    message_free(m);
}

static size_t take_slice(struct core *core) {
    size_t n = 0;
    for (struct queue_item *next, *item = queue_take(core->opt.inbox, CORE_SLICE); item; item = next, n++) {
        next = item->next;
        take(core, message_of(item));
    }
    core_campaigns_settle(core);
    core_start_flush(core);
    return n;
}

/* What waits now.  In slices: a question that comes meanwhile is ahead of the next. */
static void take_all(struct core *core) {
    for (size_t n, left = queue_waiting(core->opt.inbox); left; left -= n < left ? n : left) n = take_slice(core);
    if (core->watches && !core->is_watching)
        core->is_watching = loop_timer_set(core->loop, &core->watching, clock_mono_ns() + CORE_WATCH_MS * NS_PER_MS) == ERR_OK;
}

static void on_inbox(struct loop_watch *w, uint32_t events) {
    (void)events;
    take_all(container_of(w, struct core, inbox));
}

/* ---- time ---- */
static void again(struct core *core, struct loop_timer *t, uint64_t ms) {
    if (loop_timer_set(core->loop, t, clock_mono_ns() + ms * NS_PER_MS) != ERR_OK) {
        LOG(LOG_ERR, "collector.failed", KV("thread", "core"), KV("why", "no memory for a timer"));
        kill(getpid(), SIGTERM); /* without time no campaign would end */
    }
}

static void on_tick(struct loop_timer *t) {
    struct core *core = container_of(t, struct core, tick);
    take_all(core); /* after a long answer: results that wait are no timeouts */
    core_campaigns_tick(core);
    core_campaigns_settle(core);
    core_triggers_tick(core);
    core_results_tick(core);
    core_audit_tick(core);
    core_campaigns_evict(core);
    core_retention_tick(core);
    core_start_flush(core);
    again(core, t, CORE_TICK_MS);
}

static void on_watching(struct loop_timer *t) {
    struct core *core = container_of(t, struct core, watching);
    core_questions_watches(core);
    core->is_watching = core->watches != NULL;
    if (core->is_watching) again(core, t, CORE_WATCH_MS);
}

static void on_pacing(struct loop_timer *t) {
    struct core *core = container_of(t, struct core, pacing);
    core_campaigns_pace(core);
    core_start_flush(core);
}

static void on_seen(struct loop_timer *t) {
    struct core *core = container_of(t, struct core, seen);
    core_agents_seen(core);
    again(core, t, CORE_SEEN_MS);
}

/* ---- life ---- */
static enum err ready(struct core *core, char *why, size_t why_size) {
    core->inbox = (struct loop_watch){.fd = -1, .ready = on_inbox};
    core->tick.fired = on_tick;
    core->watching.fired = on_watching;
    core->seen.fired = on_seen;
    core->pacing.fired = on_pacing;
    core->loop = loop_new();
    core->fleet = fleet_new();
    core->by_id = map_new();
    core->quit = message_new(MESSAGE_QUIT, 0);
    if (!core->loop || !core->fleet || !core->by_id || !core->quit) return ERR_NOMEM;
    enum err e = sign_trust_load(core->opt.operators_ca, core->opt.operators_crl, why, why_size, &core->operators);
    if (e == ERR_OK) e = store_open(core->opt.store_path, STORE_READER, why, why_size, &core->reader);
    if (e != ERR_OK) return e;
    core_lockdown_load(core);
    if ((e = core_audit_open(core, why, why_size)) != ERR_OK) return e;
    if ((e = core_triggers_open(core, why, why_size)) != ERR_OK) return e;
    e = core_agents_load(core);
    if (e == ERR_OK) e = core_campaigns_load_unended(core);
    if (e != ERR_OK) snprintf(why, why_size, "%s: %s: %s", core->opt.store_path, err_text(e), store_why(core->reader));
    if (e == ERR_OK) e = loop_add(core->loop, &core->inbox, queue_fd(core->opt.inbox), EPOLLIN);
    if (e == ERR_OK) e = loop_timer_set(core->loop, &core->tick, clock_mono_ns() + CORE_TICK_MS * NS_PER_MS);
    if (e == ERR_OK) e = loop_timer_set(core->loop, &core->seen, clock_mono_ns() + CORE_SEEN_MS * NS_PER_MS);
    return e;
}

enum err core_new(const struct core_options *opt, char *why, size_t why_size, struct core **out) {
    AUTO(core_free) struct core *core = calloc(1, sizeof *core);
    if (!core) return ERR_NOMEM;
    core->opt = *opt;
    snprintf(why, why_size, "%s", err_text(ERR_NOMEM));
    enum err e = ready(core, why, why_size);
    if (e == ERR_OK) *out = TAKE(core);
    return e;
}

static void *run(void *arg) {
    struct core *core = arg;
    if (loop_run(core->loop) == ERR_OK) return NULL;
    LOG(LOG_ERR, "collector.failed", KV("thread", "core"), KV("why", "its loop failed"));
    kill(getpid(), SIGTERM); /* a collector without its core is of no use: the service manager starts a whole one */
    return NULL;
}

enum err core_start(struct core *core) {
    if (pthread_create(&core->thread, NULL, run, core) != 0) return ERR_SYS;
    core->running = true;
    return ERR_OK;
}

void core_stop(struct core *core) {
    if (!core->running) return;
    queue_push_always(core->opt.inbox, &core->quit->item);
    pthread_join(core->thread, NULL);
    core->running = false;
    for (struct queue_item *next, *item = queue_take_all(core->opt.inbox); item; item = next) {
        next = item->next;
        if (message_of(item) != core->quit) message_free(message_of(item));
    }
}

void core_free(struct core *core) {
    if (!core) return;
    core_questions_done(core);
    message_free_all(core->held);
    for (size_t i = 0; i < core->n_campaigns; i++) {
        campaign_free(core->campaigns[i].c);
        aggregate_free(core->campaigns[i].aggregate);
    }
    free(core->campaigns);
    map_free(core->by_id);
    fleet_free(core->fleet);
    sign_trust_free(core->operators);
    buf_done(&core->statement);
    core_triggers_close(core);
    audit_close(core->audit);
    free(core->audit_dir);
    store_close(core->reader);
    if (core->loop) {
        loop_timer_clear(core->loop, &core->tick);
        loop_timer_clear(core->loop, &core->watching);
        loop_timer_clear(core->loop, &core->seen);
        loop_timer_clear(core->loop, &core->pacing);
        if (core->inbox.fd >= 0) loop_remove(core->loop, &core->inbox);
        loop_free(core->loop);
    }
    message_free(core->quit);
    free(core);
}
