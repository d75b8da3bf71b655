#include "collector/daemon/writer.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/log.h"

enum { BATCH_MAX = 1000, RETRY_STEPS = 10, RETRY_STEP_MS = 100 };

struct writer {
    struct store *store;
    struct queue *inbox, *core;
    pthread_t thread;
    struct message *quit; /* made at the start, so that stopping needs no memory */
    atomic_bool stopping;
    bool failing;
    struct message *batch[BATCH_MAX];
    size_t n_batch;
    struct store_op **ops;
    size_t n_ops, cap_ops;
};

static bool add_op(struct writer *w, struct store_op *op) {
    if (w->n_ops == w->cap_ops) {
        size_t want = w->cap_ops ? 2 * w->cap_ops : BATCH_MAX;
        struct store_op **p = reallocarray(w->ops, want, sizeof(struct store_op *));
        if (!p) return false;
        w->ops = p;
        w->cap_ops = want;
    }
    w->ops[w->n_ops++] = op;
    return true;
}

static enum err write_batch(struct writer *w) {
    w->n_ops = 0;
    for (size_t i = 0; i < w->n_batch; i++) {
        struct message *m = w->batch[i];
        bool room = true;
        if (m->kind == MESSAGE_PART) room = add_op(w, &m->part.op);
        for (size_t k = 0; room && m->kind == MESSAGE_WRITE && k < m->write.n; k++) room = add_op(w, &m->write.ops[k]);
        if (!room) return ERR_NOMEM;
    }
    return w->n_ops ? store_apply(w->store, w->ops, w->n_ops) : ERR_OK;
}

static void tell_core(struct writer *w, enum message_kind kind) {
    struct message *m = message_new(kind, 0);
    if (m) queue_push_always(w->core, &m->item); /* without: starts find out for themselves */
}

static void note_failure(struct writer *w, enum err e) {
    if (w->failing) return;
    w->failing = true;
    LOG(LOG_ERR, "store.failed", KV("why", e == ERR_NOMEM ? err_text(e) : store_why(w->store)), KV("waiting", w->n_batch));
    tell_core(w, MESSAGE_STORE_DOWN);
}

/* Nothing is stuck any more: it was written, or there was nothing but questions; the next one finds out how the store is. */
static void note_unstuck(struct writer *w) {
    if (!w->failing) return;
    w->failing = false;
    if (w->n_batch) LOG(LOG_NOTICE, "store.recovered", KV("written", w->n_batch));
    tell_core(w, MESSAGE_STORE_UP);
}

/* Those that somebody waits for leave the batch with the error. */
static void fail_questions(struct writer *w, enum err e) {
    size_t kept = 0;
    for (size_t i = 0; i < w->n_batch; i++) {
        struct message *m = w->batch[i];
        if (m->kind == MESSAGE_WRITE && m->write.question) {
            m->write.failed = e;
            queue_push_always(w->core, &m->item);
        } else {
            w->batch[kept++] = m;
        }
    }
    w->n_batch = kept;
}

static struct span host_of(const struct store_op *op, const struct campaign_id **out_campaign) {
    switch (op->kind) {
    case STORE_PUT_HOST:
        return op->host.name;
    case STORE_PUT_CAMPAIGN:
        *out_campaign = &op->campaign.row.id;
        break;
    case STORE_PUT_PART:
        *out_campaign = &op->part.key.campaign;
        return op->part.key.host;
    case STORE_SET_CAMPAIGN:
        *out_campaign = &op->control.id;
        break;
    case STORE_BEGIN_TARGET:
    case STORE_END_TARGET:
        *out_campaign = &op->target.campaign;
        return op->target.host;
    case STORE_REMOVE_RESULTS:
        *out_campaign = &op->remove.id;
        break;
    case STORE_END_CAMPAIGN:
        *out_campaign = &op->end.id;
        break;
    }
    return SPAN_LIT("");
}

static void log_refused(struct writer *w) {
    static const char *const what[] = {[STORE_PUT_HOST] = "a host",
                                       [STORE_PUT_CAMPAIGN] = "a campaign",
                                       [STORE_PUT_PART] = "a part",
                                       [STORE_BEGIN_TARGET] = "a host's begin",
                                       [STORE_SET_CAMPAIGN] = "a campaign's course",
                                       [STORE_END_TARGET] = "a host's end",
                                       [STORE_REMOVE_RESULTS] = "a campaign's removal",
                                       [STORE_END_CAMPAIGN] = "a campaign's end"};
    for (size_t i = 0; i < w->n_ops; i++) {
        const struct campaign_id *campaign = NULL;
        char hex[2 * CAMPAIGN_ID_BYTES + 1] = "";
        if (w->ops[i]->result != STORE_REFUSED) continue;
        struct span host = host_of(w->ops[i], &campaign);
        if (campaign) part_campaign_hex(campaign, hex);
        LOG(LOG_ERR, "store.refused", KV("what", what[w->ops[i]->kind]), KV("host", host), KV("campaign", hex),
            KV("why", store_why(w->store)));
    }
}

/* Whoever waits for a write that was refused must not believe it done. */
static void tell_refused(struct message *m) {
    for (size_t k = 0; m->kind == MESSAGE_WRITE && k < m->write.n; k++)
        if (m->write.ops[k].result == STORE_REFUSED) m->write.failed = ERR_DAMAGED;
}

/* To core, ahead if somebody waits for it. */
static void give_back(struct writer *w, struct message *m) {
    if (m->kind == MESSAGE_WRITE && m->write.question)
        queue_push_ahead(w->core, &m->item);
    else
        queue_push_always(w->core, &m->item);
}

static void pause_before_retry(struct writer *w) {
    const struct timespec step = {.tv_nsec = (long)(RETRY_STEP_MS * NS_PER_MS)};
    for (int i = 0; i < RETRY_STEPS && !atomic_load(&w->stopping); i++) nanosleep(&step, NULL);
}

static void flush(struct writer *w) {
    enum err e;
    while (w->n_batch && (e = write_batch(w)) != ERR_OK) {
        note_failure(w, e);
        fail_questions(w, e);
        if (atomic_load(&w->stopping)) {
            for (size_t i = 0; i < w->n_batch; i++) message_free(w->batch[i]); /* never acknowledged: the agents still have them */
            w->n_batch = 0;
            return;
        }
        pause_before_retry(w);
    }
    note_unstuck(w);
    if (w->n_batch) log_refused(w);
    for (size_t i = 0; i < w->n_batch; i++) {
        tell_refused(w->batch[i]);
        give_back(w, w->batch[i]);
    }
    w->n_batch = 0;
}

/* False: told to quit. */
static bool take(struct writer *w, struct queue_item *item) {
    bool go_on = true;
    for (struct queue_item *next; item; item = next) {
        next = item->next;
        struct message *m = message_of(item);
        if (m->kind == MESSAGE_QUIT) {
            go_on = false;
            message_free(m);
            continue;
        }
        w->batch[w->n_batch++] = m;
    }
    flush(w);
    return go_on;
}

static void *run(void *arg) {
    struct writer *w = arg;
    struct pollfd fd = {.fd = queue_fd(w->inbox), .events = POLLIN};
    do {
        poll(&fd, 1, -1);
    } while (take(w, queue_take(w->inbox, BATCH_MAX)));
    return NULL;
}

enum err writer_start(struct store *s, struct queue *inbox, struct queue *core, struct writer **out) {
    struct writer *w = calloc(1, sizeof *w);
    if (!w) return ERR_NOMEM;
    w->store = s;
    w->inbox = inbox;
    w->core = core;
    w->quit = message_new(MESSAGE_QUIT, 0);
    if (w->quit && pthread_create(&w->thread, NULL, run, w) == 0) {
        *out = w;
        return ERR_OK;
    }
    enum err e = w->quit ? ERR_SYS : ERR_NOMEM;
    message_free(w->quit);
    free(w);
    return e;
}

void writer_stop(struct writer *w) {
    queue_push_always(w->inbox, &w->quit->item);
    atomic_store(&w->stopping, true);
    pthread_join(w->thread, NULL);
    store_close(w->store);
    free(w->ops);
    free(w);
}
