#include "common/net/rpc_server.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/map.h"
#include "common/net/backlog.h"
#include "common/net/rpc_control.h"
#include "common/net/rpc_stream.h"

enum { ACCEPT_PAUSE_MS = 10, TELL_AWAY_MS = 1000 };

/* Connections of one identity at the same time.  An agent has one, and a second when the network has lost the first. */
static const unsigned most_of_identity[] = {[ROLE_AGENT] = 4, [ROLE_OPERATOR] = 256, [ROLE_COLLECTOR] = 4};

struct rpc_server {
    struct net_member member;
    struct rpc_conn_owner owner;
    struct net *net;
    struct rpc_server_ops *ops; /* NULL: freed, waits for nng */
    enum role role;
    nng_stream_listener *listener;
    struct engine_profile *profile;
    struct net_op accept;
    struct loop_timer pause; /* after a failed accept */
    struct loop_timer turn;  /* when somebody at the door may begin though nobody has left it */
    struct rpc_conn *conns;
    struct gate gate;        /* connections that are not open yet */
    struct map *by_identity; /* name → how many are open */
    unsigned away;           /* turned away at the gate and not told yet */
    uint64_t told_away_ns;
    uint64_t sessions;
    int port;
};

static void start_accept(struct rpc_server *s) {
    s->accept.busy = true;
    nng_stream_listener_accept(s->listener, s->accept.aio);
}

/* ---- the door ---- */

/* Let those begin whose turn it is. */
static void serve_door(struct rpc_server *s) {
    uint64_t now_ns = clock_mono_ns();
    if (!s->ops) return;
    uint64_t patience_ns = net_times(s->net)->patience_ms * NS_PER_MS;
    for (struct gate_place *p; (p = gate_next(&s->gate, now_ns, patience_ns));) link_begin(&container_of(p, struct rpc_conn, place)->link);
    uint64_t again_ns = gate_again_ns(&s->gate);
    if (again_ns) IGNORED(loop_timer_set(net_loop(s->net), &s->turn, again_ns)); /* else the next that comes or leaves sees to it */
}

static void on_turn(struct loop_timer *t) { serve_door(container_of(t, struct rpc_server, turn)); }

/* ---- greeting ---- */

static void put_conn(struct rpc_server *s, struct rpc_conn *c) {
    c->next = s->conns;
    c->at = &s->conns;
    if (c->next) c->next->at = &c->next;
    s->conns = c;
}

static void take_conn(struct rpc_server *s, struct rpc_conn *c) {
    *c->at = c->next;
    if (c->next) c->next->at = c->at;
    gate_leave(&s->gate, &c->place);
    if (!c->counted) return;
    uint64_t *n = map_get(s->by_identity, span_str(c->peer.name));
    if (n && --*n == 0) map_remove(s->by_identity, span_str(c->peer.name));
}

/* One more of this identity, unless it has too many. */
static bool count_in(struct rpc_server *s, struct rpc_conn *c, const struct identity *peer) {
    uint64_t *n = map_get(s->by_identity, span_str(peer->name));
    if (n ? *n >= most_of_identity[peer->role] : map_put(s->by_identity, span_str(peer->name), 0) != ERR_OK) return false;
    ++*map_get(s->by_identity, span_str(peer->name));
    c->counted = true;
    return true;
}

struct verdict {
    enum rpc_status status;
    enum err why;
    char text[LIMIT_REASON_BYTES];
};

static void refuse(struct verdict *v, enum rpc_status status, enum err why) {
    v->status = status;
    v->why = why;
}

/* May this peer come in?  v->status says. */
static void judge(const struct rpc_server *s, struct rpc_conn *c, struct span hello, struct identity *out_peer, struct verdict *v) {
    struct rpc_control_hello h;
    if (rpc_control_get_hello(hello, net_scratch(s->net), &h)) {
        refuse(v, RPC_INVALID_ARGUMENT, ERR_SYNTAX);
        snprintf(v->text, sizeof v->text, "the greeting cannot be read");
    } else if (tls_identity(c->link.report.leaf, out_peer)) {
        refuse(v, RPC_UNAUTHENTICATED, ERR_UNTRUSTED);
        snprintf(v->text, sizeof v->text, "the certificate has no identity (one URI spiffe://FLEET/ROLE/NAME)");
    } else if (net_reloaded_lately(s->net) && (v->why = rpc_conn_recheck(c, v->text, sizeof v->text))) {
        v->status = RPC_UNAUTHENTICATED;
    } else if (strcmp(out_peer->fleet, net_self(s->net)->fleet) != 0) {
        refuse(v, RPC_PERMISSION_DENIED, ERR_UNTRUSTED);
        snprintf(v->text, sizeof v->text, "the certificate is of fleet %s, this is fleet %s", out_peer->fleet, net_self(s->net)->fleet);
    } else if (out_peer->role != s->role) {
        refuse(v, RPC_PERMISSION_DENIED, ERR_UNTRUSTED);
        snprintf(v->text, sizeof v->text, "a certificate of role %s cannot connect here, only of role %s",
                 identity_role_name(out_peer->role), identity_role_name(s->role));
    } else if (h.version_low > WIRE_VERSION || h.version_high < WIRE_VERSION) {
        refuse(v, RPC_FAILED_PRECONDITION, ERR_VERSION);
        snprintf(v->text, sizeof v->text, "protocol version %d is spoken here, the peer offers %u to %u", WIRE_VERSION, h.version_low,
                 h.version_high);
    } else {
        v->text[0] = 0;
        refuse(v, s->ops->admit(s->ops, out_peer, span_str(c->address), v->text, sizeof v->text), ERR_REFUSED);
    }
}

static void on_greeting(struct rpc_conn_owner *o, struct rpc_conn *c, const struct frame *f, struct span payload) {
    struct rpc_server *s = container_of(o, struct rpc_server, owner);
    struct verdict v = {.status = RPC_OK};
    struct identity peer = {.role = ROLE_NONE};
    if (f->type != FRAME_HELLO) {
        rpc_conn_refuse(c, ERR_SYNTAX, RPC_INVALID_ARGUMENT, "the peer broke the protocol: its first frame is not Hello");
        return;
    }
    judge(s, c, payload, &peer, &v);
    if (!c->owner) return; /* freed in admit() */
    c->peer = peer;
    if (v.status == RPC_OK && !count_in(s, c, &peer)) {
        refuse(&v, RPC_RESOURCE_EXHAUSTED, ERR_LIMIT);
        snprintf(v.text, sizeof v.text, "%s %s has %u connections already", identity_role_name(peer.role), peer.name,
                 most_of_identity[peer.role]);
    }
    if (v.status != RPC_OK) {
        rpc_conn_refuse(c, v.why, v.status, v.text[0] ? v.text : rpc_status_name(v.status));
        return;
    }
    char out[FRAME_CONTROL_BYTES];
    struct rpc_control_welcome w = {
        .version = WIRE_VERSION, .heartbeat_ms = net_times(s->net)->heartbeat_ms, .session = ++s->sessions, .wall_ns = clock_wall_ns()};
    link_send(&c->link, FRAME_WELCOME, 0, false, rpc_control_put_welcome(w, net_software(s->net), out));
    rpc_conn_opened(c, &peer);
    c->serves = s->role;
    gate_leave(&s->gate, &c->place);
    serve_door(s);
    s->ops->opened(s->ops, c);
}

static enum rpc_status on_call(struct rpc_conn_owner *o, struct rpc_conn *c, enum rpc_method m, struct rpc_stream **out, char *text,
                               size_t text_size) {
    struct rpc_server *s = container_of(o, struct rpc_server, owner);
    return s->ops->call(s->ops, c, m, out, text, text_size);
}

static void tell_refused(struct rpc_server *s, const struct rpc_conn *c) {
    char why[LIMIT_REASON_BYTES + 2 * LIMIT_NAME_BYTES];
    if (!s->ops->refused) return;
    if (c->peer.role == ROLE_NONE)
        snprintf(why, sizeof why, "%s", c->link.text);
    else
        snprintf(why, sizeof why, "%s %s: %s", identity_role_name(c->peer.role), c->peer.name, c->link.text);
    s->ops->refused(s->ops, span_str(c->address), span_str(why));
}

static void on_gone(struct rpc_conn_owner *o, struct rpc_conn *c) {
    struct rpc_server *s = container_of(o, struct rpc_server, owner);
    take_conn(s, c);
    serve_door(s);
    if (c->open)
        s->ops->closed(s->ops, c, c->link.why, span_str(c->link.text));
    else
        tell_refused(s, c);
}

/* ---- accepting ---- */

static void settle(struct rpc_server *s) {
    if (s->ops || s->accept.busy) return;
    net_part(&s->member);
    if (s->accept.aio) net_op_done(&s->accept);
    if (s->listener) nng_stream_listener_free(s->listener);
    engine_profile_free(s->profile);
    map_free(s->by_identity);
    free(s);
}

static void on_pause_over(struct loop_timer *t) { start_accept(container_of(t, struct rpc_server, pause)); }

static void turn_away(nng_stream *stream) {
    nng_stream_close(stream);
    nng_stream_free(stream);
}

/* Said now and then, however many they are. */
static void tell_away(struct rpc_server *s, const nng_sockaddr *from) {
    char address[ADDRESS_TEXT_BYTES], why[160];
    uint64_t now = clock_mono_ns();
    s->away++;
    if (!s->ops->refused || now - s->told_away_ns < TELL_AWAY_MS * NS_PER_MS) return;
    address_text(from, address);
    snprintf(why, sizeof why, "too many connections have not greeted yet; turned away since this was last said: %u", s->away);
    s->told_away_ns = now;
    s->away = 0;
    s->ops->refused(s->ops, span_str(address), span_str(why));
}

static void welcome_in(struct rpc_server *s, nng_stream *stream) {
    const struct net_times *t = net_times(s->net);
    nng_sockaddr from = {0};
    struct gate_place *goes;
    struct rpc_conn *c;
    if (nng_stream_get_addr(stream, NNG_OPT_REMADDR, &from)) from.s_family = NNG_AF_UNSPEC;
    if (!gate_admits(&s->gate, &from, t->greetings, t->greetings_of_one, &goes)) {
        turn_away(stream);
        tell_away(s, &from);
        return;
    }
    if (goes) {
        struct rpc_conn *other = container_of(goes, struct rpc_conn, place);
        gate_leave(&s->gate, goes);
        link_fail(&other->link, ERR_LIMIT, "others wait to greet, and of this address most");
    }
    if (rpc_conn_new(s->net, stream, false, &s->owner, &c)) return;
    put_conn(s, c);
    if (gate_enter(&s->gate, &from, clock_mono_ns(), &c->place)) link_fail(&c->link, ERR_NOMEM, err_text(ERR_NOMEM));
    serve_door(s);
}

static void on_accepted(struct net_event *e) {
    struct rpc_server *s = container_of(e, struct rpc_server, accept.event);
    s->accept.busy = false;
    int error = nng_aio_result(s->accept.aio);
    nng_stream *stream = error ? NULL : nng_aio_get_output(s->accept.aio, 0);
    if (stream && s->ops) {
        welcome_in(s, stream);
    } else if (stream) {
        turn_away(stream);
    }
    if (!s->ops)
        settle(s);
    else if (!error || loop_timer_set(net_loop(s->net), &s->pause, clock_mono_ns() + ACCEPT_PAUSE_MS * NS_PER_MS))
        start_accept(s);
}

/* ---- life ---- */

static void shut(struct rpc_server *s, bool tell) {
    if (!s->ops) return;
    struct rpc_server_ops *ops = s->ops;
    s->ops = NULL;
    loop_timer_clear(net_loop(s->net), &s->pause);
    loop_timer_clear(net_loop(s->net), &s->turn);
    nng_stream_listener_close(s->listener);
    while (s->conns) {
        struct rpc_conn *c = s->conns;
        take_conn(s, c);
        if (tell) rpc_stream_end_all(c, RPC_UNAVAILABLE, SPAN_LIT("the collector is going down"));
        rpc_conn_orphan(c);
        if (tell && c->open) ops->closed(ops, c, ERR_GONE, SPAN_LIT("the listener was closed"));
    }
    settle(s);
}

void rpc_server_free(struct rpc_server *s) {
    if (s) shut(s, true);
}

static void on_news(struct net_member *m, enum net_news news) {
    struct rpc_server *s = container_of(m, struct rpc_server, member);
    switch (news) {
    case NET_LEAVE:
        shut(s, false);
        break;
    case NET_CLOSE:
        break;
    case NET_RELOADED:
        engine_profile_swap(s->profile, net_ctx(s->net));
        break;
    case NET_RECHECK:
        break;
    }
}

static int listen_nng(struct rpc_server *s, const struct address *a, nng_tls_config *config) {
    char url[ADDRESS_URL_BYTES];
    address_url(a, url);
    int rv = nng_stream_listener_alloc(&s->listener, url);
    if (!rv) rv = nng_stream_listener_set_ptr(s->listener, NNG_OPT_TLS_CONFIG, config);
    if (!rv) rv = nng_stream_listener_set_bool(s->listener, NNG_OPT_TCP_NODELAY, true);
    if (!rv) rv = nng_stream_listener_listen(s->listener);
    if (!rv) rv = nng_stream_listener_get_int(s->listener, NNG_OPT_TCP_BOUND_PORT, &s->port);
    if (!rv) backlog_widen(s->port);
    return rv;
}

static enum err set_up(struct rpc_server *s, const struct address *a, char *why, size_t why_size) {
    nng_tls_config *config;
    s->by_identity = map_new();
    s->profile = engine_profile_new(net_ctx(s->net), NULL);
    enum err e = s->profile && s->by_identity ? net_op_init(&s->accept, s->net, on_accepted) : ERR_NOMEM;
    if (!e) e = engine_profile_config(s->profile, &config);
    if (e) {
        snprintf(why, why_size, "%s", err_text(e));
        return e;
    }
    int rv = listen_nng(s, a, config);
    nng_tls_config_free(config);
    if (rv) snprintf(why, why_size, "cannot listen: %s", nng_strerror(rv));
    return net_err(rv);
}

enum err rpc_server_new(struct net *n, const char *address, enum role role, struct rpc_server_ops *ops, char *why, size_t why_size,
                        struct rpc_server **out) {
    struct address a;
    if (address_parse(address, &a)) {
        snprintf(why, why_size, "%s: not HOST:PORT", address);
        return ERR_SYNTAX;
    }
    struct rpc_server *s = calloc(1, sizeof *s);
    if (!s) {
        snprintf(why, why_size, "%s", err_text(ERR_NOMEM));
        return ERR_NOMEM;
    }
    *s = (struct rpc_server){.owner = {.greeting = on_greeting, .call = on_call, .gone = on_gone},
                             .member.hear = on_news,
                             .net = n,
                             .role = role,
                             .pause.fired = on_pause_over,
                             .turn.fired = on_turn};
    net_join(n, &s->member);
    enum err e = set_up(s, &a, why, why_size);
    if (e) {
        settle(s); /* ops is NULL: frees it */
        return e;
    }
    s->ops = ops;
    start_accept(s);
    *out = s;
    return ERR_OK;
}

int rpc_server_port(const struct rpc_server *s) { return s->port; }
