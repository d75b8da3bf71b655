#include "collector/daemon/outside.h"

#include <pthread.h>
#include <signal.h>

#include "common/base/log.h"

struct outside {
    struct queue *inbox;
    struct loop *loop;
    struct http *http;
    struct message *quit; /* made at the start, so that stopping needs no memory */
    pthread_t thread;
    bool running;
};

enum err outside_new(const struct settings *set, struct queue *core, char *why, size_t why_size, struct outside **out) {
    if (!set->http_listen[0]) return ERR_OK;
    struct outside *o = calloc(1, sizeof *o);
    if (!o) return ERR_NOMEM;
    o->inbox = queue_new(0);
    o->loop = loop_new();
    o->quit = message_new(MESSAGE_QUIT, 0);
    const struct http_options opt = {.loop = o->loop,
                                     .listen = set->http_listen,
                                     .cert = set->http_cert[0] ? set->http_cert : set->tls_cert,
                                     .key = set->http_key[0] ? set->http_key : set->tls_key,
                                     .token_file = set->http_token_file,
                                     .inbox = o->inbox,
                                     .core = core};
    enum err e = o->inbox && o->loop && o->quit ? http_new(&opt, why, why_size, &o->http) : ERR_NOMEM;
    if (e)
        outside_stop(o);
    else
        *out = o;
    return e;
}

struct queue *outside_inbox(const struct outside *o) {
    return o ? o->inbox : NULL;
}

static void *run(void *arg) {
    struct outside *o = arg;
    if (loop_run(o->loop) == ERR_OK) return NULL;
    LOG(LOG_ERR, "collector.failed", KV("thread", "http"), KV("why", "its loop failed"));
    kill(getpid(), SIGTERM);
    return NULL;
}

enum err outside_start(struct outside *o) {
    if (!o) return ERR_OK;
    o->running = pthread_create(&o->thread, NULL, run, o) == 0;
    return o->running ? ERR_OK : ERR_SYS;
}

void outside_stop(struct outside *o) {
    if (!o) return;
    if (o->running) {
        queue_push_always(o->inbox, &TAKE(o->quit)->item);
        pthread_join(o->thread, NULL);
    }
    http_free(o->http);
    if (o->inbox) message_free_all(queue_take_all(o->inbox));
    queue_free(o->inbox);
    message_free(o->quit);
    loop_free(o->loop);
    free(o);
}

int outside_port(const struct outside *o) { return o ? http_port(o->http) : 0; }
