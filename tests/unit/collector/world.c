#include "tests/unit/collector/world.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/order/order.h"

/* ---- the daemon ---- */
static void write_config(struct world *w) {
    FILE *f = fopen(w->config, "w");
    assert_non_null(f);
    fprintf(f, "fleet = test\nname = c-1\nlisten = 127.0.0.1:%d\nconsole_listen = 127.0.0.1:%d\n", w->agents_port, w->consoles_port);
    fprintf(f, "tls_ca = %s\ntls_cert = %s\n", ca_file(&w->ca, "fleet-ca.pem"), ca_file(&w->ca, "collectors/c-1.pem"));
    fprintf(f, "tls_key = %s\noperators_ca = %s\n", ca_file(&w->ca, "collectors/c-1.key"), ca_file(&w->ca, "operators-ca.pem"));
    fprintf(f, "store = %s\n", w->store);
    assert_int_equal(fclose(f), 0);
}

void world_make(struct world *w) {
    memset(w, 0, sizeof *w);
    w->log = -1;
    ca_make(&w->ca, "test");
    ca_collector(&w->ca, "c-1");
    ca_agent(&w->ca, "web-1");
    ca_agent(&w->ca, "web-2");
    ca_operator(&w->ca, "ada");
    snprintf(w->store, sizeof w->store, "%s", ca_file(&w->ca, "store.db"));
    snprintf(w->config, sizeof w->config, "%s", ca_file(&w->ca, "collector.conf"));
    w->loop = loop_new();
    assert_non_null(w->loop);
}

void world_done(struct world *w) {
    if (w->pid > 0) world_end(w, SIGKILL);
    if (w->log >= 0) close(w->log);
    loop_free(w->loop);
    ca_done(&w->ca);
}

/* More of the log, waiting at most this long.  False: nothing came. */
static bool read_log(struct world *w, int timeout_ms) {
    struct pollfd fd = {.fd = w->log, .events = POLLIN};
    if (poll(&fd, 1, timeout_ms) <= 0) return false;
    ssize_t n = read(w->log, w->text + w->n_text, sizeof w->text - 1 - w->n_text);
    if (n <= 0) return false;
    w->n_text += (size_t)n;
    w->text[w->n_text] = 0;
    return true;
}

void world_wait_log(struct world *w, const char *text) {
    uint64_t until_ns = clock_mono_ns() + 10 * NS_PER_S;
    while (!strstr(w->text, text)) {
        assert_int_equal(loop_turn(w->loop, 0), ERR_OK);
        if (!read_log(w, 10) && clock_mono_ns() > until_ns) fail_msg("\"%s\" did not come:\n%s", text, w->text);
    }
}

static int number_after(const char *text, const char *key) {
    uint64_t v = 0;
    const char *p = strstr(text, key);
    assert_non_null(p);
    struct span s = span_str(p + strlen(key));
    size_t n = 0;
    while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9') n++;
    assert_true(span_u64(span_head(s, n), &v));
    return (int)v;
}

void world_start(struct world *w) {
    int fds[2];
    write_config(w);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    if (w->log >= 0) close(w->log);
    w->log = fds[0];
    w->n_text = 0;
    w->text[0] = 0;
    w->pid = fork();
    assert_true(w->pid >= 0);
    if (w->pid == 0) {
        dup2(fds[1], 2);
        execl(COLLECTORD, COLLECTORD, "--config", w->config, (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    world_wait_log(w, "collector.ready");
    while (!strchr(strstr(w->text, "collector.ready"), '\n')) read_log(w, 100);
    w->agents_port = number_after(w->text, "agents=");
    w->consoles_port = number_after(w->text, "consoles=");
}

int world_end(struct world *w, int signo) {
    int status = 0;
    kill(w->pid, signo);
    assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
    while (read_log(w, 0)) {
    }
    w->pid = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0) print_message("%s", w->text);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void world_turn_until(struct world *w, const bool *done) {
    uint64_t until_ns = clock_mono_ns() + 10 * NS_PER_S;
    while (!*done) {
        assert_int_equal(loop_turn(w->loop, 20), ERR_OK);
        while (w->log >= 0 && read_log(w, 0)) {
        }
        if (clock_mono_ns() > until_ns) fail_msg("nothing came; the log:\n%s", w->text);
    }
}

/* ---- an agent ---- */
static struct net *net_of(struct world *w, const char *ca, const char *cert, const char *key) {
    char why[256] = "", cert_path[256], key_path[256];
    struct net *n = NULL;
    snprintf(cert_path, sizeof cert_path, "%s", ca_file(&w->ca, cert));
    snprintf(key_path, sizeof key_path, "%s", ca_file(&w->ca, key));
    const struct net_options opt = {
        .loop = w->loop, .files = {.ca = ca_file(&w->ca, ca), .cert = cert_path, .key = key_path}, .fleet = "test", .software = "fake 0"};
    enum err e = net_new(&opt, why, sizeof why, &n);
    if (e != ERR_OK) fail_msg("%s", why);
    return n;
}

static void send_from(struct fake_agent *a, const struct from_agent *m) {
    struct buf b;
    buf_init(&b, 0);
    assert_int_equal(session_encode_from(m, &b), ERR_OK);
    assert_int_equal(rpc_send(&a->session, buf_span(&b), RPC_BULK), ERR_OK);
    buf_done(&b);
}

static void agent_message(struct rpc_stream *s, struct span bytes) {
    struct fake_agent *a = container_of(s, struct fake_agent, session);
    struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    struct to_agent to = {0};
    assert_int_equal(session_decode_to(bytes, mem, &to), ERR_OK);
    if (to.kind == TO_AGENT_ORDER) {
        struct spec spec = {0};
        assert_int_equal(spec_decode(to.order.spec, mem, &spec), ERR_OK);
        a->campaign = spec.campaign;
        a->got_order = true;
        a->orders++;
    } else if (to.kind == TO_AGENT_STOP) {
        a->got_stop = true;
    } else {
        a->acked = true;
        a->acks++;
    }
    arena_free(mem);
}

static void agent_ended(struct rpc_stream *s, enum rpc_status status, struct span text) {
    struct fake_agent *a = container_of(s, struct fake_agent, session);
    a->ended = true;
    a->status = status;
    snprintf(a->why, sizeof a->why, "%.*s", (int)text.n, text.p ? text.p : "");
}

static const struct rpc_stream_ops agent_ops = {.message = agent_message, .ended = agent_ended};

static void agent_opened(struct rpc_client_ops *self, struct rpc_conn *c, uint64_t peer_wall_ns) {
    struct fake_agent *a = container_of(self, struct fake_agent, client_ops);
    struct label role = {SPAN_LIT("role"), SPAN_LIT("web")};
    (void)peer_wall_ns;
    a->session.ops = &agent_ops;
    assert_int_equal(rpc_call(c, RPC_AGENTS_SESSION, 0, &a->session), ERR_OK);
    const struct from_agent facts = {.kind = FROM_AGENT_FACTS,
                                     .facts = {.host = span_str(a->says),
                                               .version = SPAN_LIT("0"),
                                               .kernel = SPAN_LIT("6.1"),
                                               .arch = SPAN_LIT("x86_64"),
                                               .labels = &role,
                                               .n_labels = 1,
                                               .wall_ns = clock_wall_ns()}};
    send_from(a, &facts);
    a->connected = true;
}

static void agent_closed(struct rpc_client_ops *self, enum err why, struct span text) {
    struct fake_agent *a = container_of(self, struct fake_agent, client_ops);
    (void)why;
    a->refused = !a->connected;
    if (a->refused && !a->may_be_refused) fail_msg("%s cannot connect: %.*s", a->host, (int)text.n, text.p);
    if (a->refused) snprintf(a->why, sizeof a->why, "%.*s", (int)text.n, text.p);
}

static void dial(struct fake_agent *a) {
    char address[32], cert[64], key[64];
    struct world *w = a->w;
    const char *host = a->host;
    a->client_ops = (struct rpc_client_ops){.opened = agent_opened, .closed = agent_closed};
    snprintf(cert, sizeof cert, "agents/%s.pem", host);
    snprintf(key, sizeof key, "agents/%s.key", host);
    snprintf(address, sizeof address, "127.0.0.1:%d", w->agents_port);
    a->net = net_of(w, "fleet-ca.pem", cert, key);
    assert_int_equal(rpc_dial(a->net, address, "c-1", false, &a->client_ops, &a->client), ERR_OK);
}

void world_agent(struct world *w, struct fake_agent *a, const char *host, const char *says) {
    *a = (struct fake_agent){.w = w, .host = host, .says = says};
    dial(a);
    world_turn_until(w, &a->connected);
}

void world_agent_refused(struct world *w, struct fake_agent *a, const char *host) {
    *a = (struct fake_agent){.w = w, .host = host, .says = host, .may_be_refused = true};
    dial(a);
    world_turn_until(w, &a->refused);
}

void world_agent_done(struct fake_agent *a) {
    rpc_client_free(a->client);
    net_free(a->net);
}

void world_agent_state(struct fake_agent *a, enum coverage coverage) {
    const struct from_agent m = {.kind = FROM_AGENT_STATE, .state = {.campaign = a->campaign, .coverage = coverage}};
    send_from(a, &m);
}

void world_agent_part_as(struct fake_agent *a, const char *host, uint32_t part, struct span body) {
    const struct from_agent m = {
        .kind = FROM_AGENT_PART,
        .part = {.key = {.campaign = a->campaign, .host = span_str(host), .tool = SPAN_LIT("runqlat"), .part = part}, .body = body}};
    send_from(a, &m);
}

void world_agent_part(struct fake_agent *a, uint32_t part, struct span body) { world_agent_part_as(a, a->host, part, body); }

/* ---- a console ---- */
static void console_message(struct rpc_stream *s, struct span bytes) {
    struct fake_console *c = container_of(s, struct fake_console, call);
    buf_reset(&c->answer);
    buf_add(&c->answer, bytes);
    c->messages++;
}

static void console_ended(struct rpc_stream *s, enum rpc_status status, struct span text) {
    struct fake_console *c = container_of(s, struct fake_console, call);
    c->ended = true;
    c->status = status;
    snprintf(c->why, sizeof c->why, "%.*s", (int)text.n, text.p ? text.p : "");
}

static const struct rpc_stream_ops console_ops = {.message = console_message, .ended = console_ended};

static void console_opened(struct rpc_client_ops *self, struct rpc_conn *conn, uint64_t peer_wall_ns) {
    struct fake_console *c = container_of(self, struct fake_console, client_ops);
    (void)peer_wall_ns;
    c->conn = conn;
    c->connected = true;
}

static void console_closed(struct rpc_client_ops *self, enum err why, struct span text) {
    struct fake_console *c = container_of(self, struct fake_console, client_ops);
    (void)why;
    c->conn = NULL;
    if (!c->connected) fail_msg("the console cannot connect: %.*s", (int)text.n, text.p);
}

void world_console(struct world *w, struct fake_console *c, const char *operator_name) {
    char address[32], cert[64], key[64], why[256] = "", cert_path[256];
    *c = (struct fake_console){.w = w, .mem = arena_new(LIMIT_ANSWER_ARENA_BYTES)};
    buf_init(&c->answer, 0);
    c->client_ops = (struct rpc_client_ops){.opened = console_opened, .closed = console_closed};
    snprintf(cert, sizeof cert, "operators/%s.pem", operator_name);
    snprintf(key, sizeof key, "operators/%s.key", operator_name);
    snprintf(address, sizeof address, "127.0.0.1:%d", w->consoles_port);
    c->net = net_of(w, "fleet-ca.pem", cert, key);
    snprintf(cert_path, sizeof cert_path, "%s", ca_file(&w->ca, cert));
    if (sign_load(cert_path, ca_file(&w->ca, key), why, sizeof why, &c->signer) != ERR_OK) fail_msg("%s", why);
    assert_int_equal(rpc_dial(c->net, address, "c-1", false, &c->client_ops, &c->client), ERR_OK);
    world_turn_until(w, &c->connected);
}

void world_console_done(struct fake_console *c) {
    rpc_client_free(c->client);
    net_free(c->net);
    sign_free(c->signer);
    buf_done(&c->answer);
    arena_free(c->mem);
}

enum rpc_status world_ask(struct fake_console *c, enum rpc_method m, struct span request) {
    c->ended = false;
    c->messages = 0;
    c->call = (struct rpc_stream){.ops = &console_ops};
    buf_reset(&c->answer);
    assert_int_equal(rpc_call(c->conn, m, 10000, &c->call), ERR_OK);
    assert_int_equal(rpc_send(&c->call, request, RPC_INTERACTIVE), ERR_OK);
    rpc_half_close(&c->call);
    world_turn_until(c->w, &c->ended);
    return c->status;
}

enum rpc_status world_ask_query(struct fake_console *c, enum rpc_method m, enum query_kind kind, const struct query *q) {
    struct buf b;
    buf_init(&b, 0);
    assert_int_equal(query_encode(kind, q, &b), ERR_OK);
    enum rpc_status status = world_ask(c, m, buf_span(&b));
    buf_done(&b);
    return status;
}

enum rpc_status world_order(struct fake_console *c, const struct fake_console *signer_of, unsigned char n, const char *tool,
                            const char *selector) {
    struct buf b;
    buf_init(&b, 0);
    uint64_t now_ms = clock_wall_ns() / NS_PER_MS;
    const struct spec spec = {.version = SPEC_VERSION,
                              .fleet = SPAN_LIT("test"),
                              .campaign = made_id(n),
                              .tool = span_str(tool),
                              .flavour = SPAN_LIT("any"),
                              .duration_s = 1,
                              .selector = span_str(selector),
                              .issued_wall_ms = now_ms,
                              .expires_wall_ms = now_ms + 60000};
    assert_int_equal(order_sign(&spec, signer_of->signer, &b), ERR_OK);
    enum rpc_status status = world_ask(c, RPC_CONSOLE_START, buf_span(&b));
    buf_done(&b);
    return status;
}
