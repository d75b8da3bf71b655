#include "tests/unit/net/stage.h"

#include <stdio.h>

static struct ca own_ca, other_ca;

struct ca *stage_ca(void) {
    if (own_ca.dir[0]) return &own_ca;
    ca_make(&own_ca, "north");
    ca_agent(&own_ca, "web-1");
    ca_collector(&own_ca, "c1");
    ca_operator(&own_ca, "ada");
    return &own_ca;
}

struct ca *stage_other_ca(void) {
    if (other_ca.dir[0]) return &other_ca;
    ca_make(&other_ca, "north");
    ca_agent(&other_ca, "web-1");
    ca_collector(&other_ca, "c1");
    return &other_ca;
}

void stage_ca_done(void) {
    ca_done(&own_ca);
    ca_done(&other_ca);
}

static void keep(char *to, struct span s) { snprintf(to, STAGE_TEXT, "%.*s", (int)s.n, s.p ? s.p : ""); }

/* ---- at the collector ---- */

static void flush_echo(struct served *v) {
    while (v->echo_from < v->echo_to) {
        size_t i = v->echo_from % COUNT_OF(v->echo);
        enum err e = rpc_send(&v->stream, span_of(v->echo[i], v->echo_n[i]), RPC_BULK);
        if (e == ERR_AGAIN) return;
        assert_int_equal(e, ERR_OK);
        rpc_consumed(&v->stream, v->echo_n[i]);
        free(v->echo[i]);
        v->echo_from++;
    }
    if (v->half_closed) rpc_end(&v->stream, RPC_OK, "all echoed");
}

static void answer(struct served *v, struct span request) {
    uint64_t n = 0;
    assert_true(span_u64(request, &n));
    char *bytes = malloc(n + 1);
    for (size_t i = 0; i < n; i++) bytes[i] = (char)(i * 7 % 251);
    enum err e = rpc_send(&v->stream, span_of(bytes, n), RPC_BULK);
    free(bytes);
    if (e && v->stage->answer_may_fail) return;
    assert_int_equal(e, ERR_OK);
    rpc_end(&v->stream, RPC_OK, "");
}

static void stream_more(struct served *v) {
    while (v->left) {
        char text[32];
        int n = snprintf(text, sizeof text, "%u", v->left);
        enum err e = rpc_send(&v->stream, span_of(text, (size_t)n), RPC_BULK);
        if (e == ERR_AGAIN) return;
        assert_int_equal(e, ERR_OK);
        v->left--;
    }
    rpc_end(&v->stream, RPC_OK, "that was all");
}

static void served_message(struct rpc_stream *s, struct span bytes) {
    struct served *v = container_of(s, struct served, stream);
    assert_false(v->stage->in_call);
    switch (v->act) {
    case ACT_ECHO:
        assert_true(v->echo_to - v->echo_from < COUNT_OF(v->echo));
        v->echo[v->echo_to % COUNT_OF(v->echo)] = memcpy(malloc(bytes.n + 1), bytes.p, bytes.n);
        v->echo_n[v->echo_to++ % COUNT_OF(v->echo)] = bytes.n;
        flush_echo(v);
        break;
    case ACT_ANSWER:
        answer(v, bytes);
        break;
    case ACT_STREAM: {
        uint64_t n = 0;
        assert_true(span_u64(bytes, &n));
        v->left = (unsigned)n;
        stream_more(v);
        break;
    }
    case ACT_HOLD:
        v->held += bytes.n;
        break;
    case ACT_HOLD_AFTER_FIRST:
        assert_int_equal(rpc_send(&v->stream, bytes, RPC_BULK), ERR_OK);
        v->act = ACT_HOLD;
        break;
    case ACT_SILENT:
    case ACT_REFUSE:
        break;
    }
}

static void served_half_closed(struct rpc_stream *s) {
    struct served *v = container_of(s, struct served, stream);
    v->half_closed = true;
    if (v->act == ACT_ECHO) flush_echo(v);
}

static void served_writable(struct rpc_stream *s) {
    struct served *v = container_of(s, struct served, stream);
    if (v->act == ACT_ECHO) flush_echo(v);
    if (v->act == ACT_STREAM) stream_more(v);
}

static void served_ended(struct rpc_stream *s, enum rpc_status status, struct span text) {
    struct served *v = container_of(s, struct served, stream);
    (void)text;
    assert_false(v->ended);
    assert_null(s->state);
    v->ended = true;
    v->status = status;
    for (; v->echo_from < v->echo_to; v->echo_from++) free(v->echo[v->echo_from % COUNT_OF(v->echo)]);
}

static const struct rpc_stream_ops served_ops = {
    .message = served_message, .half_closed = served_half_closed, .writable = served_writable, .ended = served_ended};

static const enum act acts[RPC_METHOD__COUNT] = {
    [RPC_AGENTS_SESSION] = ACT_ECHO, [RPC_CONSOLE_HIST] = ACT_ANSWER, [RPC_CONSOLE_WATCH] = ACT_STREAM,
    [RPC_CONSOLE_SHOW] = ACT_SILENT, [RPC_CONSOLE_STOP] = ACT_REFUSE, [RPC_CONSOLE_HOSTS] = ACT_ANSWER,
};

static struct stage *of_server(struct rpc_server_ops *o) { return container_of(o, struct stage, server_ops); }

static enum rpc_status on_admit(struct rpc_server_ops *o, const struct identity *peer, struct span address, char *text, size_t size) {
    struct stage *st = of_server(o);
    (void)address;
    st->admitted = *peer;
    if (st->admit_text) snprintf(text, size, "%s", st->admit_text);
    return st->admit_status;
}

static void on_server_opened(struct rpc_server_ops *o, struct rpc_conn *c) {
    of_server(o)->server_conn = c;
    of_server(o)->server_opened++;
}

static enum rpc_status on_call(struct rpc_server_ops *o, struct rpc_conn *c, enum rpc_method m, struct rpc_stream **out, char *text,
                               size_t size) {
    struct stage *st = of_server(o);
    (void)c;
    if (acts[m] == ACT_REFUSE) {
        snprintf(text, size, "not today");
        return RPC_FAILED_PRECONDITION;
    }
    struct served *v = calloc(1, sizeof *v);
    v->stream.ops = &served_ops;
    v->stream.manual_credit = acts[m] == ACT_ECHO;
    v->stage = st;
    v->act = m == RPC_AGENTS_SESSION ? st->session_act : acts[m];
    v->next = st->served;
    st->served = v;
    *out = &v->stream;
    return RPC_OK;
}

static void on_server_closed(struct rpc_server_ops *o, struct rpc_conn *c, enum err why, struct span text) {
    struct stage *st = of_server(o);
    if (st->server_conn == c) st->server_conn = NULL;
    st->server_closed++;
    st->server_why = why;
    keep(st->server_text, text);
}

static void on_refused(struct rpc_server_ops *o, struct span address, struct span why) {
    struct stage *st = of_server(o);
    st->refused++;
    keep(st->refused_text, why);
    keep(st->refused_address, address);
}

/* ---- at the peer ---- */

static struct stage *of_client(struct rpc_client_ops *o) { return container_of(o, struct stage, client_ops); }

static void on_opened(struct rpc_client_ops *o, struct rpc_conn *c, uint64_t peer_wall_ns) {
    struct stage *st = of_client(o);
    assert_false(st->in_call);
    assert_true(peer_wall_ns > 0);
    st->conn = c;
    st->opened++;
    if (st->free_client_when_opened) {
        rpc_client_free(st->client);
        st->client = NULL;
    }
}

static void on_closed(struct rpc_client_ops *o, enum err why, struct span text) {
    struct stage *st = of_client(o);
    assert_false(st->in_call);
    st->conn = NULL;
    st->closed++;
    st->why = why;
    keep(st->text, text);
}

static void called_message(struct rpc_stream *s, struct span bytes) {
    struct called *c = container_of(s, struct called, stream);
    struct span first, rest;
    uint64_t number;
    assert_false(c->stage->in_call);
    IGNORED(span_cut(bytes, ' ', &first, &rest));
    if (!span_u64(first, &number) || number != c->messages) c->in_order = false;
    c->messages++;
    c->bytes += bytes.n;
    snprintf(c->last, sizeof c->last, "%.*s", (int)(bytes.n < 60 ? bytes.n : 60), bytes.p);
}

static void called_writable(struct rpc_stream *s) {
    struct called *c = container_of(s, struct called, stream);
    assert_false(c->stage->in_call);
    c->writables++;
}

static void called_ended(struct rpc_stream *s, enum rpc_status status, struct span text) {
    struct called *c = container_of(s, struct called, stream);
    assert_false(c->stage->in_call);
    assert_false(c->ended);
    c->ended = true;
    c->status = status;
    keep(c->text, text);
}

static const struct rpc_stream_ops called_ops = {.message = called_message, .writable = called_writable, .ended = called_ended};

void stage_call(struct stage *st, struct called *c, enum rpc_method m, uint32_t deadline_ms) {
    *c = (struct called){.stream.ops = &called_ops, .stage = st, .in_order = true};
    assert_int_equal(rpc_call(st->conn, m, deadline_ms, &c->stream), ERR_OK);
}

struct served *stage_served(struct stage *st) {
    return st->served;
}

/* ---- life ---- */

void stage_turn(struct stage *st, uint64_t ms) {
    for (uint64_t until = clock_mono_ns() + ms * NS_PER_MS; clock_mono_ns() < until;) assert_int_equal(loop_turn(st->loop, 10), ERR_OK);
}

struct net *stage_net(struct stage *st, struct ca *own, const char *who, const char *ca_name, const char *crl) {
    char cert[80], key[80], why[300] = "";
    snprintf(cert, sizeof cert, "%s.pem", who);
    snprintf(key, sizeof key, "%s.key", who);
    if (!st->loop) st->loop = loop_new();
    struct net_options opt = {.loop = st->loop,
                              .files = {.ca = ca_file(st->ca, ca_name),
                                        .cert = ca_file(own, cert),
                                        .key = ca_file(own, key),
                                        .crl = crl ? ca_file(st->ca, crl) : NULL},
                              .fleet = "north",
                              .software = "test 1"};
    struct net *n = NULL;
    enum err e = net_new(&opt, why, sizeof why, &n);
    if (e) fail_msg("net_new: %s: %s", err_name(e), why);
    return n;
}

void stage_listen(struct stage *st, enum role role, const char *crl) {
    char why[300] = "";
    if (!st->ca) st->ca = stage_ca();
    const char *trusted = role == ROLE_AGENT ? "fleet-ca.pem" : "operators-ca.pem";
    st->center = stage_net(st, st->ca, "collectors/c1", st->listen_ca ? st->listen_ca : trusted, crl);
    st->server_ops = (struct rpc_server_ops){
        .admit = on_admit, .opened = on_server_opened, .call = on_call, .closed = on_server_closed, .refused = on_refused};
    snprintf(st->address, sizeof st->address, "%s:0", st->listen_host ? st->listen_host : "127.0.0.1");
    enum err e = rpc_listen(st->center, st->address, role, &st->server_ops, why, sizeof why, &st->server);
    if (e) fail_msg("rpc_listen: %s: %s", err_name(e), why);
    snprintf(st->address, sizeof st->address, "127.0.0.1:%d", rpc_server_port(st->server));
}

void stage_dial(struct stage *st, const char *who, bool retry) {
    if (!st->edge) st->edge = stage_net(st, st->ca, who, "fleet-ca.pem", NULL);
    st->client_ops = (struct rpc_client_ops){.opened = on_opened, .closed = on_closed};
    assert_int_equal(rpc_dial(st->edge, st->address, st->server_name, retry, &st->client_ops, &st->client), ERR_OK);
}

void stage_open(struct stage *st, enum role role) {
    stage_listen(st, role, NULL);
    stage_dial(st, role == ROLE_AGENT ? "agents/web-1" : "operators/ada", false);
    UNTIL(st, st->opened + st->closed == 1);
    if (st->closed) fail_msg("not opened: %s", st->text);
    assert_int_equal(st->server_opened, 1);
}

void stage_done(struct stage *st) {
    rpc_client_free(st->client);
    rpc_server_free(st->server);
    net_free(st->edge);
    net_free(st->center);
    while (st->served) {
        struct served *v = st->served;
        st->served = v->next;
        assert_true(v->ended);
        free(v);
    }
    loop_free(st->loop);
}
