/* The console's line to a collector, over real TLS, with the collector in a process of its own: the client waits for its answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sys/wait.h>

#include "common/base/clock.h"
#include "console/client/client.h"
#include "tests/support/ca.h"

enum { TICKS = 5 };

/* ---- the collector, in the child ---- */

struct call {
    struct rpc_stream stream;
    enum rpc_method method;
};

struct collector {
    struct loop *loop;
    struct net *net;
    struct rpc_server *server;
    struct rpc_server_ops ops;
    struct rpc_conn *conn;
};

static struct collector the;

static void on_message(struct rpc_stream *s, struct span bytes) {
    switch ((unsigned)container_of(s, struct call, stream)->method) {
    case RPC_CONSOLE_HOSTS: /* says it back */
        IGNORED(rpc_send(s, bytes, RPC_BULK));
        rpc_end(s, RPC_OK, "");
        break;
    case RPC_CONSOLE_WATCH:
        for (int i = 0; i < TICKS; i++) IGNORED(rpc_send(s, SPAN_LIT("tick"), RPC_INTERACTIVE));
        if (span_eq_str(bytes, "end")) rpc_end(s, RPC_OK, "");
        break;
    case RPC_CONSOLE_SHOW:
        rpc_end(s, RPC_NOT_FOUND, "there is no campaign beef");
        break;
    case RPC_CONSOLE_STOP:
        rpc_disconnect(the.conn, RPC_UNAVAILABLE, "the collector is stopping");
        break;
    default:
        rpc_end(s, RPC_PERMISSION_DENIED, "viewers cannot start campaigns");
        break;
    }
}

static void on_ended(struct rpc_stream *s, enum rpc_status status, struct span text) {
    (void)status, (void)text;
    free(container_of(s, struct call, stream));
}
static const struct rpc_stream_ops call_ops = {.message = on_message, .ended = on_ended};

static enum rpc_status on_admit(struct rpc_server_ops *o, const struct identity *peer, struct span address, char *text, size_t size) {
    (void)o, (void)address;
    if (strcmp(peer->name, "eve") != 0) return RPC_OK;
    snprintf(text, size, "eve is not welcome");
    return RPC_PERMISSION_DENIED;
}
static void on_opened(struct rpc_server_ops *o, struct rpc_conn *c) {
    (void)o;
    the.conn = c;
}
static enum rpc_status on_call(struct rpc_server_ops *o, struct rpc_conn *c, enum rpc_method m, struct rpc_stream **out, char *text,
                               size_t size) {
    (void)o, (void)c, (void)text, (void)size;
    struct call *call = calloc(1, sizeof *call);
    if (!call) return RPC_RESOURCE_EXHAUSTED;
    *call = (struct call){.stream.ops = &call_ops, .method = m};
    *out = &call->stream;
    return RPC_OK;
}
static void on_closed(struct rpc_server_ops *o, struct rpc_conn *c, enum err why, struct span text) {
    (void)o, (void)c, (void)why, (void)text;
}

/* Tells its port through the pipe and serves until it is killed. */
static void serve(struct ca *ca, int port_fd) {
    char why[300] = "";
    the.loop = loop_new();
    struct net_options opt = {
        .loop = the.loop,
        .files = {.ca = ca_file(ca, "operators-ca.pem"), .cert = ca_file(ca, "collectors/c1.pem"), .key = ca_file(ca, "collectors/c1.key")},
        .fleet = "north",
        .software = "test 1"};
    the.ops = (struct rpc_server_ops){.admit = on_admit, .opened = on_opened, .call = on_call, .closed = on_closed};
    if (net_new(&opt, why, sizeof why, &the.net) ||
        rpc_listen(the.net, "127.0.0.1:0", ROLE_OPERATOR, &the.ops, why, sizeof why, &the.server)) {
        fprintf(stderr, "%s\n", why);
        _exit(1);
    }
    int port = rpc_server_port(the.server);
    if (write(port_fd, &port, sizeof port) != (ssize_t)sizeof port) _exit(1);
    IGNORED(loop_run(the.loop));
    _exit(0);
}

/* ---- the console ---- */

struct stage {
    struct ca ca;
    pid_t child;
    char address[64];
    struct buf answer;
};

static int group_setup(void **state) {
    struct stage *s = calloc(1, sizeof *s);
    int pipe_fds[2], port = 0;
    if (!s || pipe(pipe_fds) != 0) return -1;
    ca_make(&s->ca, "north");
    ca_collector(&s->ca, "c1");
    ca_operator(&s->ca, "ada");
    ca_operator(&s->ca, "eve");
    ca_agent(&s->ca, "web-1");
    fflush(NULL);
    s->child = fork(); /* before any of nng's threads */
    if (s->child == 0) serve(&s->ca, pipe_fds[1]);
    close(pipe_fds[1]);
    if (read(pipe_fds[0], &port, sizeof port) != (ssize_t)sizeof port) return -1;
    close(pipe_fds[0]);
    snprintf(s->address, sizeof s->address, "127.0.0.1:%d", port);
    buf_init(&s->answer, 0);
    *state = s;
    return 0;
}

static int group_teardown(void **state) {
    struct stage *s = *state;
    kill(s->child, SIGKILL);
    waitpid(s->child, NULL, 0);
    ca_done(&s->ca);
    buf_done(&s->answer);
    free(s);
    return 0;
}

/* settings borrow: texts live in the stage. */
static struct client *open_as(struct stage *s, const char *name, enum err want) {
    char cert[80], key[80];
    struct client *c = NULL;
    snprintf(cert, sizeof cert, "%s.pem", name);
    snprintf(key, sizeof key, "%s.key", name);
    char *texts[] = {strdup("north"), strdup(s->address), strdup(ca_file(&s->ca, "fleet-ca.pem")), strdup(ca_file(&s->ca, cert)),
                     strdup(ca_file(&s->ca, key))};
    const struct settings settings = {.fleet = texts[0], .collector = texts[1], .tls_ca = texts[2], .cert = texts[3], .key = texts[4]};
    enum err e = client_open(&settings, &c);
    for (size_t i = 0; i < COUNT_OF(texts); i++) free(texts[i]);
    if (e != want) fail_msg("%s: %s", err_name(e), client_why(c));
    return c;
}

static void a_question_gets_its_answer_again_and_again(void **state) {
    struct stage *s = *state;
    struct client *c = open_as(s, "operators/ada", ERR_OK);
    for (int i = 0; i < 3; i++) {
        char question[32];
        snprintf(question, sizeof question, "question %d", i);
        assert_int_equal(client_call(c, RPC_CONSOLE_HOSTS, span_str(question), &s->answer), ERR_OK);
        assert_true(span_eq_str(buf_span(&s->answer), question));
    }
    client_close(c);
}

static void a_refusal_comes_in_the_collectors_words(void **state) {
    struct stage *s = *state;
    struct client *c = open_as(s, "operators/ada", ERR_OK);
    assert_int_equal(client_call(c, RPC_CONSOLE_SHOW, SPAN_LIT("beef"), &s->answer), ERR_NOTFOUND);
    assert_string_equal(client_why(c), "there is no campaign beef");
    assert_int_equal(client_call(c, RPC_CONSOLE_START, SPAN_LIT("order"), &s->answer), ERR_REFUSED);
    assert_string_equal(client_why(c), "viewers cannot start campaigns");
    assert_int_equal(client_call(c, RPC_CONSOLE_HOSTS, SPAN_LIT("still there?"), &s->answer), ERR_OK);
    assert_string_equal(client_why(c), "");
    client_close(c);
}

static void a_request_too_large_is_not_sent_and_leaves_no_call(void **state) {
    static char much[LIMIT_REQUEST_BYTES + 1];
    struct stage *s = *state;
    struct client *c = open_as(s, "operators/ada", ERR_OK);
    for (int i = 0; i < 3; i++) assert_int_equal(client_call(c, RPC_CONSOLE_HOSTS, span_of(much, sizeof much), &s->answer), ERR_LIMIT);
    assert_non_null(strstr(client_why(c), "asking the collector"));
    enum err e = client_call(c, RPC_CONSOLE_HOSTS, SPAN_LIT("small"), &s->answer);
    if (e) fail_msg("%s: %s", err_name(e), client_why(c));
    client_close(c);
}

static int left; /* messages until it is enough; -1: never */
static unsigned ticks;
static volatile sig_atomic_t interrupted;

static bool on_tick(void *arg, struct span bytes) {
    (void)arg;
    assert_true(span_eq_str(bytes, "tick"));
    ticks++;
    if (ticks == TICKS && left == -2) interrupted = 1; /* as a signal's handler does */
    return left < 0 || --left > 0;
}

static void a_stream_ends_is_left_or_is_interrupted(void **state) {
    struct stage *s = *state;
    struct client *c = open_as(s, "operators/ada", ERR_OK);
    const struct {
        const char *request;
        int left;
        enum err want;
        unsigned ticks;
    } rows[] = {{"end", -1, ERR_OK, TICKS}, {"go on", 2, ERR_OK, 2}, {"go on", -2, ERR_AGAIN, TICKS}, {"end", -1, ERR_OK, TICKS}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        left = rows[i].left;
        ticks = 0;
        interrupted = 0;
        assert_int_equal(client_stream(c, RPC_CONSOLE_WATCH, span_str(rows[i].request), on_tick, NULL, &interrupted), rows[i].want);
        assert_int_equal(ticks, rows[i].ticks);
    }
    client_close(c);
}

static void a_collector_that_goes_away_is_named(void **state) {
    struct stage *s = *state;
    struct client *c = open_as(s, "operators/ada", ERR_OK);
    assert_int_equal(client_call(c, RPC_CONSOLE_STOP, SPAN_LIT("x"), &s->answer), ERR_GONE);
    assert_non_null(strstr(client_why(c), "the collector is stopping"));
    assert_int_equal(client_call(c, RPC_CONSOLE_HOSTS, SPAN_LIT("x"), &s->answer), ERR_GONE);
    client_close(c);
}

static void who_is_not_let_in_is_told_why(void **state) {
    struct stage *s = *state;
    struct client *c = open_as(s, "operators/eve", ERR_GONE);
    assert_non_null(strstr(client_why(c), "eve is not welcome"));
    assert_non_null(strstr(client_why(c), s->address));
    client_close(c);
    c = open_as(s, "agents/web-1", ERR_GONE); /* of the other CA: the console's listener does not know it */
    assert_true(strlen(client_why(c)) > 0);
    client_close(c);
}

static void a_collector_that_is_not_there_is_named(void **state) {
    struct stage *s = *state;
    char before[64];
    memcpy(before, s->address, sizeof before);
    snprintf(s->address, sizeof s->address, "127.0.0.1:1");
    struct client *c = open_as(s, "operators/ada", ERR_GONE);
    assert_non_null(strstr(client_why(c), "127.0.0.1:1"));
    client_close(c);
    snprintf(s->address, sizeof s->address, "nowhere");
    c = open_as(s, "operators/ada", ERR_SYNTAX);
    assert_non_null(strstr(client_why(c), "nowhere"));
    client_close(c);
    memcpy(s->address, before, sizeof before);
}

static void files_that_are_not_there_are_named(void **state) {
    struct stage *s = *state;
    struct client *c = open_as(s, "operators/nobody", ERR_SYS);
    assert_non_null(strstr(client_why(c), "operators/nobody"));
    client_close(c);
    client_close(NULL);
    assert_string_equal(client_why(NULL), err_text(ERR_NOMEM));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_gets_its_answer_again_and_again),
        cmocka_unit_test(a_refusal_comes_in_the_collectors_words),
        cmocka_unit_test(a_request_too_large_is_not_sent_and_leaves_no_call),
        cmocka_unit_test(a_stream_ends_is_left_or_is_interrupted),
        cmocka_unit_test(a_collector_that_goes_away_is_named),
        cmocka_unit_test(who_is_not_let_in_is_told_why),
        cmocka_unit_test(a_collector_that_is_not_there_is_named),
        cmocka_unit_test(files_that_are_not_there_are_named),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
