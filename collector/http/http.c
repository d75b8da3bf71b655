#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "collector/http/http_internal.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/sys/fds.h"

enum { BACKLOG = 128, PEM_BYTES = 256 * 1024, TICK_MS = 1000 };

/* ---- turns ---- */
static void turn(struct http *h) {
    MHD_UNSIGNED_LONG_LONG ms = 0;
    MHD_run(h->daemon);
    if (MHD_get_timeout(h->daemon, &ms) == MHD_YES)
        IGNORED(loop_timer_set(h->opt.loop, &h->timer, clock_mono_ns() + ms * NS_PER_MS)); /* the tick turns it as well */
    else
        loop_timer_clear(h->opt.loop, &h->timer);
}

static void on_ready(struct loop_watch *w, uint32_t events) {
    (void)events;
    turn(container_of(w, struct http, watch));
}

static void on_timer(struct loop_timer *t) { turn(container_of(t, struct http, timer)); }

/* ---- connections, and how long they may take ---- */
static void end_late(struct http *h) {
    uint64_t now = clock_mono_ns(), most = HTTP_REQUEST_S * NS_PER_S;
    for (struct http_request *next, *r = h->waiting; r; r = next) {
        next = r->next;
        if (now - r->asked_ns > most)
            http_request_answer(r, MHD_HTTP_SERVICE_UNAVAILABLE, "text/plain", SPAN_LIT("core does not answer\n"));
    }
    for (struct http_conn *c = h->conns; c; c = c->next)
        if (now - c->began_ns > 2 * most || (now - c->began_ns > most && !c->asked)) shutdown(c->fd, SHUT_RDWR);
}

static void on_tick(struct loop_timer *t) {
    struct http *h = container_of(t, struct http, tick);
    end_late(h);
    turn(h);
    h->ticking = h->conns && loop_timer_set(h->opt.loop, &h->tick, clock_mono_ns() + TICK_MS * NS_PER_MS) == ERR_OK;
}

static void text_of(const struct sockaddr *sa, char *out, size_t size) {
    char host[48] = "?", port[8] = "?";
    socklen_t n = sa->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    if (getnameinfo(sa, n, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0) host[0] = '?';
    snprintf(out, size, "%s:%s", host, port);
}

static void *opened(struct http *h, struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD),
                                   *address = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct http_conn *c = fd && address ? calloc(1, sizeof *c) : NULL;
    if (!c) return NULL;
    *c = (struct http_conn){.next = h->conns, .at = &h->conns, .connection = connection, .fd = fd->connect_fd, .began_ns = clock_mono_ns()};
    text_of(address->client_addr, c->address, sizeof c->address);
    if (c->next) c->next->at = &c->next;
    h->conns = c;
    if (!h->ticking) h->ticking = loop_timer_set(h->opt.loop, &h->tick, clock_mono_ns() + TICK_MS * NS_PER_MS) == ERR_OK;
    return c;
}

static void closed(struct http *h, struct http_conn *c) {
    *c->at = c->next;
    if (c->next) c->next->at = c->at;
    if (!c->asked) http_request_refused(h, c, "", "no request came whole");
    free(c);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context, enum MHD_ConnectionNotificationCode code) {
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *context = opened(cls, connection);
    else if (*context)
        closed(cls, *context);
}

/* Nothing in a path is decoded. */
static size_t as_it_is(void *cls, struct MHD_Connection *c, char *s) {
    (void)cls, (void)c;
    return strlen(s);
}

/* ---- core's answers ---- */
static void on_inbox(struct loop_watch *w, uint32_t events) {
    struct http *h = container_of(w, struct http, inbox);
    (void)events;
    for (struct queue_item *next, *item = queue_take_all(h->opt.inbox); item; item = next) {
        next = item->next;
        struct message *m = message_of(item);
        struct http_request *r = m->kind == MESSAGE_REPLY ? h->waiting : NULL;
        while (r && r->id != m->reply.id) r = r->next;
        if (r) http_request_answer(r, m->reply.status, m->reply.type, buf_span(&m->reply.bytes));
        if (m->kind == MESSAGE_QUIT) loop_stop(h->opt.loop);
        message_free(m);
    }
    turn(h);
}

/* ---- life ---- */
static enum err listen_on(struct http *h, char *why, size_t why_size) {
    struct span text = span_str(h->opt.listen);
    size_t colon = span_rfind(text, ':');
    struct span host = span_head(text, colon);
    char node[256], service[16];
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (host.n > 1 && host.p[0] == '[') host = span_of(host.p + 1, host.n - 2);
    snprintf(node, sizeof node, "%.*s", (int)host.n, host.n ? host.p : "");
    snprintf(service, sizeof service, "%s", colon < text.n ? text.p + colon + 1 : "");
    if (colon == text.n || getaddrinfo(node[0] ? node : NULL, service, &hints, &found) != 0) {
        snprintf(why, why_size, "http_listen: \"%s\" is not HOST:PORT", h->opt.listen);
        return ERR_SYNTAX;
    }
    int one = 1;
    h->listener = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool ok = h->listener >= 0 && setsockopt(h->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
              bind(h->listener, found->ai_addr, found->ai_addrlen) == 0 && listen(h->listener, BACKLOG) == 0;
    if (!ok) snprintf(why, why_size, "http_listen %s: %s", h->opt.listen, strerror(errno));
    freeaddrinfo(found);
    return ok ? ERR_OK : ERR_SYS;
}

static enum err read_pem(const char *path, struct buf *out, char *why, size_t why_size) {
    buf_init(out, PEM_BYTES);
    enum err e = fds_read_file(path, out);
    if (e) snprintf(why, why_size, "%s: %s", path, e == ERR_SYS ? strerror(errno) : err_text(e));
    return e ? e : buf_str(out) ? ERR_OK : ERR_NOMEM;
}

static enum err begin(struct http *h, struct buf *cert, struct buf *key, char *why, size_t why_size) {
    h->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, http_request_handle, h,
                                 MHD_OPTION_LISTEN_SOCKET, h->listener, MHD_OPTION_HTTPS_MEM_CERT, buf_str(cert), MHD_OPTION_HTTPS_MEM_KEY,
                                 buf_str(key), MHD_OPTION_HTTPS_PRIORITIES, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2",
                                 MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                                 (unsigned)HTTP_CONNECTIONS_PER_ADDRESS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEAD_BYTES,
                                 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_REQUEST_S, MHD_OPTION_STRICT_FOR_CLIENT, 1,
                                 MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_NOTIFY_COMPLETED, http_request_done, h,
                                 MHD_OPTION_UNESCAPE_CALLBACK, as_it_is, h, MHD_OPTION_END);
    const union MHD_DaemonInfo *info = h->daemon ? MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info) {
        snprintf(why, why_size, "the listener for calls from outside cannot start with %s and %s", h->opt.cert, h->opt.key);
        return ERR_SYS;
    }
    enum err e = loop_add(h->opt.loop, &h->watch, info->epoll_fd, EPOLLIN);
    return e ? e : loop_add(h->opt.loop, &h->inbox, queue_fd(h->opt.inbox), EPOLLIN);
}

enum err http_new(const struct http_options *opt, char *why, size_t why_size, struct http **out) {
    AUTO(http_free) struct http *h = calloc(1, sizeof *h);
    struct buf cert = {0}, key = {0};
    if (!h) return ERR_NOMEM;
    *h = (struct http){.opt = *opt,
                       .listener = -1,
                       .watch = {.fd = -1, .ready = on_ready},
                       .inbox = {.fd = -1, .ready = on_inbox},
                       .timer.fired = on_timer,
                       .tick.fired = on_tick};
    enum err e = http_token_read(opt->token_file, &h->token, why, why_size);
    if (!e) e = read_pem(opt->cert, &cert, why, why_size);
    if (!e) e = read_pem(opt->key, &key, why, why_size);
    if (!e) e = listen_on(h, why, why_size);
    if (!e) e = begin(h, &cert, &key, why, why_size);
    if (key.p) explicit_bzero(key.p, key.size);
    buf_done(&cert);
    buf_done(&key);
    if (!e) *out = TAKE(h);
    return e;
}

void http_free(struct http *h) {
    if (!h) return;
    while (h->waiting) http_request_answer(h->waiting, MHD_HTTP_SERVICE_UNAVAILABLE, "text/plain", SPAN_LIT("the collector ends\n"));
    if (h->watch.fd >= 0) loop_remove(h->opt.loop, &h->watch);
    if (h->inbox.fd >= 0) loop_remove(h->opt.loop, &h->inbox);
    if (h->daemon) {
        MHD_run(h->daemon);         /* what was just answered goes out, as far as it goes */
        MHD_stop_daemon(h->daemon); /* closes the listener too */
    } else if (h->listener >= 0) {
        close(h->listener);
    }
    loop_timer_clear(h->opt.loop, &h->timer);
    loop_timer_clear(h->opt.loop, &h->tick);
    free(h);
}

int http_port(const struct http *h) {
    struct sockaddr_storage sa;
    socklen_t n = sizeof sa;
    char text[64];
    uint64_t port = 0;
    if (getsockname(h->listener, (struct sockaddr *)&sa, &n) != 0) return 0;
    text_of((const struct sockaddr *)&sa, text, sizeof text);
    struct span s = span_str(text);
    return span_u64(span_drop(s, span_rfind(s, ':') + 1), &port) ? (int)port : 0;
}
