#include "common/net/net.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/net/engine.h"
#include "common/net/net_internal.h"

enum { SCRATCH_BYTES = 256 * 1024, LINGER_MS = 2000, FLUSH_MS = 500, GREETINGS = 2000, GREETINGS_OF_ONE = 1500 };

struct net {
    struct loop *loop;
    struct queue *queue;
    struct loop_watch watch;
    struct arena *scratch;
    SSL_CTX *ctx;
    struct net_files files;
    char *paths[4]; /* what files points to */
    struct identity self;
    char software[LIMIT_NAME_BYTES + 1];
    struct net_times times;
    uint64_t reloaded_ns; /* 0: never */
    struct net_member *members;
};

/* ---- events ---- */

void net_post(struct net *n, struct net_event *e) { queue_push_always(n->queue, &e->item); }

static void pump(struct net *n) {
    for (struct queue_item *item = queue_take_all(n->queue), *next; item; item = next) {
        next = item->next;
        struct net_event *e = container_of(item, struct net_event, item);
        e->happened(e);
    }
}

static void on_queue(struct loop_watch *w, uint32_t events) {
    (void)events;
    pump(container_of(w, struct net, watch));
}

static void op_ended(void *arg) {
    struct net_op *op = arg;
    if (op->again && op->again(op)) return;
    net_post(op->net, &op->event);
}

enum err net_op_init(struct net_op *op, struct net *n, void (*happened)(struct net_event *e)) {
    *op = (struct net_op){.event.happened = happened, .net = n};
    if (nng_aio_alloc(&op->aio, op_ended, op)) return ERR_NOMEM;
    nng_aio_set_timeout(op->aio, NNG_DURATION_INFINITE); /* our own timers watch: nng's do not work under TLS */
    return ERR_OK;
}

void net_op_done(struct net_op *op) {
    nng_aio_free(op->aio); /* waits for op_ended to return */
    op->aio = NULL;
}

void net_join(struct net *n, struct net_member *m) {
    m->next = n->members;
    m->at = &n->members;
    if (m->next) m->next->at = &m->next;
    n->members = m;
}

void net_part(struct net_member *m) {
    *m->at = m->next;
    if (m->next) m->next->at = m->at;
}

/* ---- life ---- */

static enum err keep_path(struct net *n, int i, const char *path, const char **out) {
    if (!path) return ERR_OK;
    n->paths[i] = strdup(path);
    *out = n->paths[i];
    return n->paths[i] ? ERR_OK : ERR_NOMEM;
}

static enum err keep_files(struct net *n, const struct net_files *f) {
    enum err e = keep_path(n, 0, f->ca, &n->files.ca);
    if (!e) e = keep_path(n, 1, f->cert, &n->files.cert);
    if (!e) e = keep_path(n, 2, f->key, &n->files.key);
    if (!e) e = keep_path(n, 3, f->crl, &n->files.crl);
    return e;
}

/* Frees a net that has no members, half-built ones too. */
static void destroy(struct net *n) {
    loop_remove(n->loop, &n->watch);
    queue_free(n->queue);
    arena_free(n->scratch);
    SSL_CTX_free(n->ctx);
    for (size_t i = 0; i < COUNT_OF(n->paths); i++) free(n->paths[i]);
    free(n);
}

static enum err set_up(struct net *n, const struct net_options *opt) {
    n->loop = opt->loop;
    n->watch = (struct loop_watch){.fd = -1, .ready = on_queue};
    snprintf(n->software, sizeof n->software, "%s", opt->software);
    n->times = (struct net_times){.heartbeat_ms = LINK_HEARTBEAT_MS,
                                  .dead_ms = LINK_DEAD_MS,
                                  .first_frame_ms = LINK_FIRST_FRAME_MS,
                                  .patience_ms = LINK_PATIENCE_MS,
                                  .linger_ms = LINGER_MS,
                                  .backoff_low_ms = LINK_BACKOFF_LOW_MS,
                                  .backoff_high_ms = LINK_BACKOFF_HIGH_MS,
                                  .greetings = opt->waiting ? (unsigned)opt->waiting : GREETINGS,
                                  .greetings_of_one = opt->waiting_of_address ? (unsigned)opt->waiting_of_address : GREETINGS_OF_ONE};
    n->queue = queue_new(0);
    n->scratch = arena_new(SCRATCH_BYTES);
    if (!n->queue || !n->scratch || keep_files(n, &opt->files)) return ERR_NOMEM;
    return loop_add(n->loop, &n->watch, queue_fd(n->queue), EPOLLIN);
}

enum err net_new(const struct net_options *opt, char *why, size_t why_size, struct net **out) {
    if (engine_register()) {
        snprintf(why, why_size, "nng did not take the TLS engine of trawl (it has \"%s\")", nng_tls_engine_name());
        return ERR_SYS;
    }
    SSL_CTX *ctx = NULL;
    struct identity self;
    enum err e = tls_load(&opt->files, opt->fleet, why, why_size, &ctx, &self);
    if (e) return e;
    struct net *n = calloc(1, sizeof *n);
    if (!n) {
        SSL_CTX_free(ctx);
        snprintf(why, why_size, "%s", err_text(ERR_NOMEM));
        return ERR_NOMEM;
    }
    n->ctx = ctx;
    n->self = self;
    e = set_up(n, opt);
    if (e) {
        snprintf(why, why_size, "%s", err_text(e));
        destroy(n);
        return e;
    }
    *out = n;
    return ERR_OK;
}

static bool anyone_flushing(const struct net *n) {
    for (const struct net_member *m = n->members; m; m = m->next)
        if (m->flushing) return true;
    return false;
}

static void wait_for_events(struct net *n, int timeout_ms) {
    struct pollfd p = {.fd = queue_fd(n->queue), .events = POLLIN};
    if (poll(&p, 1, timeout_ms) < 0 && errno != EINTR) abort(); /* impossible with these arguments */
    pump(n);
}

static void tell_members(struct net *n, enum net_news news) {
    for (struct net_member *m = n->members, *next; m; m = next) {
        next = m->next;
        m->hear(m, news);
    }
}

void net_free(struct net *n) {
    if (!n) return;
    tell_members(n, NET_LEAVE);
    uint64_t until = clock_mono_ns() + FLUSH_MS * NS_PER_MS;
    for (uint64_t now; anyone_flushing(n) && (now = clock_mono_ns()) < until;) wait_for_events(n, (int)((until - now) / NS_PER_MS) + 1);
    tell_members(n, NET_CLOSE);
    while (n->members) wait_for_events(n, -1);
    pump(n);
    destroy(n);
}

enum err net_reload(struct net *n, char *why, size_t why_size) {
    SSL_CTX *ctx = NULL;
    struct identity self;
    enum err e = tls_load(&n->files, n->self.fleet, why, why_size, &ctx, &self);
    if (e) return e;
    if (self.role != n->self.role || strcmp(self.name, n->self.name) != 0) {
        snprintf(why, why_size, "%s: the certificate is for %s %s, this is %s %s", n->files.cert, identity_role_name(self.role), self.name,
                 identity_role_name(n->self.role), n->self.name);
        SSL_CTX_free(ctx);
        return ERR_UNTRUSTED;
    }
    SSL_CTX_free(n->ctx);
    n->ctx = ctx;
    n->self = self;
    tell_members(n, NET_RELOADED);
    n->reloaded_ns = clock_mono_ns(); /* only now has everyone the new ones */
    tell_members(n, NET_RECHECK);
    return ERR_OK;
}

bool net_reloaded_lately(const struct net *n) {
    uint64_t longest_ns = ((uint64_t)n->times.patience_ms + n->times.first_frame_ms) * NS_PER_MS;
    return n->reloaded_ns && clock_mono_ns() - n->reloaded_ns <= longest_ns;
}

/* ---- what members ask ---- */

const struct identity *net_self(const struct net *n) { return &n->self; }
struct net_times *net_times(struct net *n) {
    return &n->times;
}
struct loop *net_loop(const struct net *n) {
    return n->loop;
}
SSL_CTX *net_ctx(const struct net *n) { return n->ctx; }
const char *net_software(const struct net *n) { return n->software; }

struct arena *net_scratch(struct net *n) {
    arena_reset(n->scratch);
    return n->scratch;
}

enum err net_err(int nng_error) {
    switch (nng_error) {
    case 0:
        return ERR_OK;
    case NNG_ENOMEM:
        return ERR_NOMEM;
    case NNG_EPEERAUTH:
        return ERR_UNTRUSTED;
    case NNG_ETIMEDOUT:
        return ERR_TIMEOUT;
    case NNG_EADDRINUSE:
        return ERR_EXISTS;
    case NNG_ECONNREFUSED:
    case NNG_ECONNRESET:
    case NNG_ECONNABORTED:
    case NNG_ECONNSHUT:
    case NNG_ECLOSED:
    case NNG_EUNREACHABLE:
        return ERR_GONE;
    default:
        return ERR_SYS;
    }
}
