#include <stdatomic.h>

#include "tests/support/fault.h"
#include "tests/unit/net/stage.h"

static unsigned ends;   /* opened or closed, on either side */
static unsigned closes; /* of them: closed */

/* ---- a send of nng's that fails, as when the peer has reset the connection ---- */

static atomic_uint sends, send_that_fails; /* counted from 1; 0: none */

void __real_nng_stream_send(nng_stream *s, nng_aio *aio);
void __wrap_nng_stream_send(nng_stream *s, nng_aio *aio);
void __wrap_nng_stream_send(nng_stream *s, nng_aio *aio) {
    if (++sends != send_that_fails)
        __real_nng_stream_send(s, aio);
    else if (nng_aio_begin(aio))
        nng_aio_finish(aio, NNG_ECONNRESET);
}

/* ---- the life of a connection ---- */

static enum rpc_status on_admit(struct rpc_server_ops *o, const struct identity *peer, struct span address, char *text, size_t size) {
    (void)o, (void)peer, (void)address, (void)text, (void)size;
    return RPC_OK;
}
static void on_server_opened(struct rpc_server_ops *o, struct rpc_conn *c) { (void)o, (void)c, ends++; }
static void on_server_closed(struct rpc_server_ops *o, struct rpc_conn *c, enum err why, struct span text) {
    (void)o, (void)c, (void)why, (void)text, ends++, closes++;
}
static void served_message(struct rpc_stream *s, struct span bytes) {
    if (rpc_send(s, bytes, RPC_BULK)) rpc_end(s, RPC_INTERNAL, "no memory");
}
static void served_ended(struct rpc_stream *s, enum rpc_status status, struct span text) { (void)s, (void)status, (void)text; }
static const struct rpc_stream_ops served_ops = {.message = served_message, .ended = served_ended};
static struct rpc_stream served;

static enum rpc_status on_call(struct rpc_server_ops *o, struct rpc_conn *c, enum rpc_method m, struct rpc_stream **out, char *text,
                               size_t size) {
    (void)o, (void)c, (void)m, (void)text, (void)size;
    served = (struct rpc_stream){.ops = &served_ops};
    *out = &served;
    return RPC_OK;
}

static void called_message(struct rpc_stream *s, struct span bytes) { (void)s, (void)bytes, ends += 2; }
static void called_ended(struct rpc_stream *s, enum rpc_status status, struct span text) { (void)s, (void)status, (void)text, ends += 2; }
static const struct rpc_stream_ops called_ops = {.message = called_message, .ended = called_ended};
static struct rpc_stream called;

static void on_opened(struct rpc_client_ops *o, struct rpc_conn *c, uint64_t wall_ns) {
    static char block[LIMIT_FRAME_BYTES];
    (void)o, (void)wall_ns;
    called = (struct rpc_stream){.ops = &called_ops};
    if (rpc_call(c, RPC_AGENTS_SESSION, 60000, &called) || rpc_send(&called, span_of(block, sizeof block), RPC_BULK)) ends += 2;
}
static void on_closed(struct rpc_client_ops *o, enum err why, struct span text) { (void)o, (void)why, (void)text, ends += 2, closes++; }

static struct rpc_server_ops server_ops = {.admit = on_admit, .opened = on_server_opened, .call = on_call, .closed = on_server_closed};
static struct rpc_client_ops client_ops = {.opened = on_opened, .closed = on_closed};

static enum err one_life(struct loop *loop, struct net_files center_has, struct net_files edge_has) {
    char why[300], address[64];
    AUTO(net_free) struct net *center = NULL;
    AUTO(net_free) struct net *edge = NULL;
    struct rpc_server *server = NULL;
    struct rpc_client *client = NULL;
    struct net_options opt = {.loop = loop, .files = center_has, .fleet = "north", .software = "x"};
    enum err e = net_new(&opt, why, sizeof why, &center);
    if (e) return e;
    opt.files = edge_has;
    e = net_new(&opt, why, sizeof why, &edge);
    if (!e) e = rpc_listen(center, "127.0.0.1:0", ROLE_AGENT, &server_ops, why, sizeof why, &server);
    if (e) return e;
    snprintf(address, sizeof address, "127.0.0.1:%d", rpc_server_port(server));
    e = rpc_dial(edge, address, NULL, false, &client_ops, &client);
    ends = 0;
    for (uint64_t until = clock_mono_ns() + 5 * NS_PER_S; !e && ends < 2 && clock_mono_ns() < until;) e = loop_turn(loop, 5);
    if (!e && ends < 2) fail_msg("nothing happened");
    return e;
}

static struct net_files center_files(void) {
    struct ca *ca = stage_ca();
    return (struct net_files){.ca = ca_file(ca, "fleet-ca.pem"),
                              .cert = ca_file(ca, "collectors/c1.pem"),
                              .key = ca_file(ca, "collectors/c1.key"),
                              .crl = ca_file(ca, "fleet.crl")};
}

static struct net_files edge_files(void) {
    struct ca *ca = stage_ca();
    return (struct net_files){
        .ca = ca_file(ca, "fleet-ca.pem"), .cert = ca_file(ca, "agents/web-1.pem"), .key = ca_file(ca, "agents/web-1.key")};
}

static void every_send_may_fail(void **state) {
    (void)state;
    struct net_files center = center_files(), edge = edge_files();
    unsigned failed = 0;
    bool hit = true;
    for (unsigned n = 1; hit; n++) {
        struct loop *loop = loop_new();
        assert_non_null(loop);
        sends = closes = 0;
        send_that_fails = n;
        assert_int_equal(one_life(loop, center, edge), ERR_OK); /* both ends could be freed, and one of them was told */
        hit = sends >= n;
        failed += closes > 0;
        loop_free(loop);
    }
    send_that_fails = 0;
    assert_true(failed >= 4); /* the greetings, the call, its message, the answer */
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    struct net_files center = center_files(), edge = edge_files();
    unsigned failed = 0;
    FOR_EACH_FAULT(n) {
        struct loop *loop = loop_new();
        if (!loop) continue;
        enum err e = one_life(loop, center, edge);
        assert_true(e == ERR_OK || (e == ERR_NOMEM && fault_hit()));
        failed += e != ERR_OK;
        loop_free(loop);
    }
    assert_true(failed >= 5);
}

static int no_more_certificates(void **state) {
    (void)state;
    stage_ca_done();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_send_may_fail), cmocka_unit_test(every_allocation_may_fail)};
    return cmocka_run_group_tests_name("net_fault", tests, NULL, no_more_certificates);
}
