#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/net/raw.h"

static bool says(const char *text, const char *part) {
    bool yes = span_find_span(span_str(text), span_str(part)) < strlen(text);
    if (!yes) print_error("\"%s\" does not say \"%s\"\n", text, part);
    return yes;
}

static void taken_down(void) { _exit(1); }

/* Without this the console, at its exit, could meet nng's reaper in a lock that was gone. */
static void openssl_is_not_taken_down_at_exit(void **state) {
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) exit(OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL) && OPENSSL_atexit(taken_down) ? 0 : 2);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void an_idle_connection_is_kept_alive_by_heartbeats(void **state) {
    (void)state;
    struct stage st = {0};
    stage_listen(&st, ROLE_AGENT, NULL);
    st.edge = stage_net(&st, st.ca, "agents/web-1", "fleet-ca.pem", NULL);
    net_times(st.edge)->heartbeat_ms = net_times(st.center)->heartbeat_ms = 50;
    net_times(st.edge)->dead_ms = net_times(st.center)->dead_ms = 300;
    stage_dial(&st, NULL, false);
    UNTIL(&st, st.opened == 1);
    stage_turn(&st, 1000);
    assert_int_equal(st.closed + st.server_closed, 0);
    stage_done(&st);
}

static void one_that_says_nothing_is_dead(void **state) {
    (void)state;
    struct stage st = {0};
    stage_listen(&st, ROLE_AGENT, NULL);
    st.edge = stage_net(&st, st.ca, "agents/web-1", "fleet-ca.pem", NULL);
    net_times(st.edge)->heartbeat_ms = 60000; /* never pings */
    net_times(st.center)->dead_ms = 300;
    stage_dial(&st, NULL, false);
    UNTIL(&st, st.server_closed == 1);
    assert_int_equal(st.server_why, ERR_TIMEOUT);
    assert_string_equal(st.server_text, "the peer has been silent for too long");
    UNTIL(&st, st.closed == 1);
    stage_done(&st);
}

static void a_disconnect_says_why_on_both_sides_and_ends_the_calls(void **state) {
    (void)state;
    struct stage st = {0};
    struct called c;
    stage_open(&st, ROLE_AGENT);
    stage_call(&st, &c, RPC_AGENTS_SESSION, 0);
    assert_int_equal(rpc_send(&c.stream, SPAN_LIT("0 hello"), RPC_BULK), ERR_OK);
    UNTIL(&st, c.messages == 1);
    rpc_disconnect(st.server_conn, RPC_RESOURCE_EXHAUSTED, "too many parts");
    assert_int_equal(st.server_closed, 0); /* from the loop only */
    UNTIL(&st, st.closed == 1 && st.server_closed == 1);
    assert_int_equal(st.why, ERR_REFUSED);
    assert_string_equal(st.text, "the collector says: too many parts");
    assert_string_equal(st.server_text, "too many parts");
    assert_true(c.ended);
    assert_int_equal(c.status, RPC_UNAVAILABLE);
    assert_string_equal(c.text, "the collector says: too many parts");
    assert_true(st.served->ended);
    assert_int_equal(st.served->status, RPC_UNAVAILABLE);
    stage_done(&st);
}

static void a_connection_that_is_closing_takes_no_calls(void **state) {
    (void)state;
    struct stage st = {0};
    struct called c;
    stage_open(&st, ROLE_AGENT);
    stage_call(&st, &c, RPC_AGENTS_SESSION, 0);
    st.in_call = true;
    rpc_disconnect(st.conn, RPC_ABORTED, NULL);
    struct rpc_stream more = {.ops = c.stream.ops};
    assert_int_equal(rpc_call(st.conn, RPC_AGENTS_SESSION, 0, &more), ERR_GONE);
    assert_int_equal(rpc_send(&c.stream, SPAN_LIT("x"), RPC_BULK), ERR_GONE);
    st.in_call = false;
    UNTIL(&st, st.closed == 1 && st.server_closed == 1);
    assert_string_equal(st.text, "ABORTED");
    assert_true(says(st.server_text, "the peer says: ABORTED"));
    stage_done(&st);
}

static void a_client_says_goodbye(void **state) {
    (void)state;
    struct stage st = {0};
    stage_open(&st, ROLE_AGENT);
    rpc_client_free(st.client);
    st.client = NULL;
    UNTIL(&st, st.server_closed == 1);
    assert_string_equal(st.server_text, "the peer said goodbye");
    assert_int_equal(st.closed, 0);
    stage_done(&st);
}

static void what_was_sent_before_the_goodbye_arrives(void **state) {
    (void)state;
    struct stage st = {.session_act = ACT_HOLD};
    struct called c;
    static char block[LIMIT_FRAME_BYTES];
    stage_open(&st, ROLE_AGENT);
    stage_call(&st, &c, RPC_AGENTS_SESSION, 0);
    for (int i = 0; i < 16; i++) assert_int_equal(rpc_send(&c.stream, span_of(block, sizeof block), RPC_BULK), ERR_OK);
    rpc_client_free(st.client);
    st.client = NULL;
    UNTIL(&st, st.server_closed == 1);
    assert_int_equal(st.served->held, 16 * sizeof block);
    stage_done(&st);
}

static void a_client_may_free_itself_in_its_callback(void **state) {
    (void)state;
    struct stage st = {.free_client_when_opened = true};
    stage_listen(&st, ROLE_AGENT, NULL);
    stage_dial(&st, "agents/web-1", true);
    UNTIL(&st, st.opened == 1 && st.server_closed == 1);
    stage_done(&st);
}

static void freeing_the_listener_closes_its_connections_before_it_returns(void **state) {
    (void)state;
    struct stage st = {0};
    struct called c;
    stage_open(&st, ROLE_AGENT);
    stage_call(&st, &c, RPC_AGENTS_SESSION, 0);
    UNTIL(&st, st.served);
    rpc_server_free(st.server);
    st.server = NULL;
    assert_int_equal(st.server_closed, 1);
    assert_true(st.served->ended);
    UNTIL(&st, st.closed == 1);
    assert_true(c.ended);
    stage_done(&st);
}

static void a_net_may_be_freed_with_everything_open(void **state) {
    (void)state;
    for (int turns = 0; turns < 12; turns++) { /* in every state of connecting */
        struct stage st = {0};
        stage_listen(&st, ROLE_AGENT, NULL);
        stage_dial(&st, "agents/web-1", true);
        for (int i = 0; i < turns; i++) assert_int_equal(loop_turn(st.loop, 2), ERR_OK);
        net_free(st.edge);
        net_free(st.center);
        loop_free(st.loop);
    }
}

static void a_client_comes_back_when_its_collector_does(void **state) {
    (void)state;
    struct stage st = {0};
    char why[300], address[64];
    stage_listen(&st, ROLE_AGENT, NULL);
    st.edge = stage_net(&st, st.ca, "agents/web-1", "fleet-ca.pem", NULL);
    net_times(st.edge)->backoff_low_ms = 5;
    net_times(st.edge)->backoff_high_ms = 50;
    stage_dial(&st, NULL, true);
    UNTIL(&st, st.opened == 1);
    memcpy(address, st.address, sizeof address);
    for (unsigned round = 2; round < 5; round++) {
        unsigned closed = st.closed;
        rpc_server_free(st.server);
        st.server = NULL;
        UNTIL(&st, st.closed >= closed + 3); /* some attempts in vain */
        assert_true(says(st.text, "cannot connect to 127.0.0.1"));
        assert_int_equal(rpc_listen(st.center, address, ROLE_AGENT, &st.server_ops, why, sizeof why, &st.server), ERR_OK);
        UNTIL(&st, st.opened == round);
    }
    stage_done(&st);
}

static void refusals_do_not_reset_the_back_off(void **state) {
    (void)state;
    struct stage st = {.admit_status = RPC_PERMISSION_DENIED};
    stage_listen(&st, ROLE_AGENT, NULL);
    st.edge = stage_net(&st, st.ca, "agents/web-1", "fleet-ca.pem", NULL);
    net_times(st.edge)->backoff_low_ms = 10;
    net_times(st.edge)->backoff_high_ms = 100000;
    stage_dial(&st, NULL, true);
    stage_turn(&st, 1500);
    /* The windows double: 10, 20, … 1280 ms, half of it on average; a reset would make 100 attempts and more. */
    assert_true(st.closed >= 4);
    assert_true(st.closed <= 25);
    assert_int_equal(st.server_opened, 0);
    stage_done(&st);
}

static void a_second_listener_on_a_port_is_refused(void **state) {
    (void)state;
    struct stage st = {0};
    char why[300] = "";
    struct rpc_server *second = NULL;
    stage_listen(&st, ROLE_AGENT, NULL);
    assert_int_equal(rpc_listen(st.center, st.address, ROLE_AGENT, &st.server_ops, why, sizeof why, &second), ERR_EXISTS);
    assert_string_equal(why, "cannot listen: Address in use");
    assert_int_equal(rpc_listen(st.center, "nonsense", ROLE_AGENT, &st.server_ops, why, sizeof why, &second), ERR_SYNTAX);
    assert_null(second);
    struct rpc_client *client = NULL;
    assert_int_equal(rpc_dial(st.center, "*:7000", NULL, false, &st.client_ops, &client), ERR_SYNTAX);
    assert_int_equal(rpc_dial(st.center, "host:0", NULL, false, &st.client_ops, &client), ERR_SYNTAX);
    assert_null(client);
    stage_done(&st);
}

static void two_listeners_of_one_process_trust_different_cas(void **state) {
    (void)state;
    struct stage agents = {0}, consoles = {0};
    stage_listen(&agents, ROLE_AGENT, NULL);
    consoles.loop = agents.loop;
    stage_listen(&consoles, ROLE_OPERATOR, NULL);
    stage_dial(&agents, "agents/web-1", false);
    stage_dial(&consoles, "operators/ada", false);
    UNTIL(&agents, agents.opened == 1 && consoles.opened == 1);
    struct stage wrong = {.loop = agents.loop, .ca = agents.ca};
    memcpy(wrong.address, consoles.address, sizeof wrong.address);
    stage_dial(&wrong, "agents/web-1", false);
    UNTIL(&agents, wrong.closed == 1);
    assert_true(says(wrong.text, "the collector says: unknown CA"));
    rpc_client_free(wrong.client);
    net_free(wrong.edge);
    rpc_client_free(consoles.client);
    rpc_server_free(consoles.server);
    net_free(consoles.edge);
    net_free(consoles.center);
    stage_done(&agents);
}

/* ---- who waits at the door ---- */

static void be_silent(struct stage *st, struct raw *r, uint8_t from) {
    *r = (struct raw){.port = rpc_server_port(st->server), .from = from};
    raw_connect(r);
}

static void one_address_that_says_nothing_keeps_nobody_out(void **state) {
    (void)state;
    struct stage st = {0};
    struct raw silent[3], more;
    stage_listen(&st, ROLE_AGENT, NULL);
    net_times(st.center)->greetings_of_one = COUNT_OF(silent);
    for (size_t i = 0; i < COUNT_OF(silent); i++) be_silent(&st, &silent[i], 9);
    be_silent(&st, &more, 9);
    UNTIL(&st, st.refused == 1);
    assert_true(says(st.refused_text, "too many connections have not greeted yet"));
    assert_true(says(st.refused_address, "127.0.0.9:"));
    assert_true(raw_at_end(&more));
    stage_dial(&st, "agents/web-1", false);
    UNTIL(&st, st.opened == 1);
    assert_int_equal(st.refused, 1); /* the silent ones still have their time */
    for (size_t i = 0; i < COUNT_OF(silent); i++) raw_done(&silent[i]);
    raw_done(&more);
    stage_done(&st);
}

static void when_all_places_are_taken_the_address_with_most_gives_one_up(void **state) {
    (void)state;
    struct stage st = {0};
    struct raw silent[3];
    stage_listen(&st, ROLE_AGENT, NULL);
    net_times(st.center)->greetings = COUNT_OF(silent);
    be_silent(&st, &silent[0], 8);
    be_silent(&st, &silent[1], 9);
    be_silent(&st, &silent[2], 9);
    stage_turn(&st, 100);
    stage_dial(&st, "agents/web-1", false);
    UNTIL(&st, st.opened == 1);
    assert_int_equal(st.refused, 1);
    assert_true(says(st.refused_text, "others wait to greet"));
    assert_true(says(st.refused_address, "127.0.0.9:"));
    assert_true(raw_at_end(&silent[1])); /* who has waited longest */
    for (size_t i = 0; i < COUNT_OF(silent); i++) raw_done(&silent[i]);
    stage_done(&st);
}

static void an_identity_has_so_many_connections_and_no_more(void **state) {
    (void)state;
    enum { MOST = 4 };
    struct stage st = {0}, others[MOST];
    stage_listen(&st, ROLE_AGENT, NULL);
    for (size_t i = 0; i < MOST; i++) {
        others[i] = (struct stage){.loop = st.loop, .ca = st.ca};
        memcpy(others[i].address, st.address, sizeof st.address);
        stage_dial(&others[i], "agents/web-1", false);
        UNTIL(&st, others[i].opened == 1);
    }
    stage_dial(&st, "agents/web-1", false);
    UNTIL(&st, st.closed == 1 && st.refused == 1);
    assert_true(says(st.text, "the collector says: agent web-1 has 4 connections already"));
    rpc_client_free(TAKE(st.client));
    rpc_client_free(others[0].client);
    UNTIL(&st, st.server_closed == 1);
    net_free(TAKE(st.edge));
    stage_dial(&st, "agents/web-1", false);
    UNTIL(&st, st.opened == 1);
    for (size_t i = 0; i < MOST; i++) {
        if (i) rpc_client_free(others[i].client);
        net_free(others[i].edge);
    }
    stage_done(&st);
}

static void many_connect_at_once(void **state) {
    (void)state;
    enum { MANY = 40 };
    struct stage st = {0}, others[MANY];
    stage_listen(&st, ROLE_OPERATOR, NULL);
    for (size_t i = 0; i < MANY; i++) {
        others[i] = (struct stage){.loop = st.loop, .ca = st.ca};
        memcpy(others[i].address, st.address, sizeof st.address);
        stage_dial(&others[i], "operators/ada", false);
    }
    UNTIL(&st, st.server_opened == MANY);
    for (size_t i = 0; i < MANY; i++) UNTIL(&st, others[i].opened == 1);
    for (size_t i = 0; i < MANY; i += 2) rpc_client_free(others[i].client);
    UNTIL(&st, st.server_closed == MANY / 2);
    rpc_server_free(st.server);
    st.server = NULL;
    assert_int_equal(st.server_closed, MANY);
    for (size_t i = 0; i < MANY; i++) {
        if (i % 2) rpc_client_free(others[i].client);
        net_free(others[i].edge);
    }
    stage_done(&st);
}

/* The loop does not turn meanwhile, so nobody accepts them but the kernel. */
static void hundreds_may_wait_to_be_accepted(void **state) {
    (void)state;
    enum { HUNDREDS = 300 };
    struct stage st = {0};
    int fds[HUNDREDS];
    stage_listen(&st, ROLE_AGENT, NULL);
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)rpc_server_port(st.server)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (size_t i = 0; i < HUNDREDS; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        assert_true(fds[i] >= 0);
        IGNORED(connect(fds[i], (const struct sockaddr *)&to, sizeof to) != 0); /* under way */
    }
    for (size_t i = 0; i < HUNDREDS; i++) {
        struct pollfd p = {.fd = fds[i], .events = POLLOUT};
        assert_int_equal(poll(&p, 1, 900), 1); /* a dropped one is tried again after a second */
        close(fds[i]);
    }
    stage_done(&st);
}

static int no_more_certificates(void **state) {
    (void)state;
    stage_ca_done();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_is_not_taken_down_at_exit),
        cmocka_unit_test(an_idle_connection_is_kept_alive_by_heartbeats),
        cmocka_unit_test(one_that_says_nothing_is_dead),
        cmocka_unit_test(a_disconnect_says_why_on_both_sides_and_ends_the_calls),
        cmocka_unit_test(a_connection_that_is_closing_takes_no_calls),
        cmocka_unit_test(a_client_says_goodbye),
        cmocka_unit_test(what_was_sent_before_the_goodbye_arrives),
        cmocka_unit_test(a_client_may_free_itself_in_its_callback),
        cmocka_unit_test(freeing_the_listener_closes_its_connections_before_it_returns),
        cmocka_unit_test(a_net_may_be_freed_with_everything_open),
        cmocka_unit_test(a_client_comes_back_when_its_collector_does),
        cmocka_unit_test(refusals_do_not_reset_the_back_off),
        cmocka_unit_test(a_second_listener_on_a_port_is_refused),
        cmocka_unit_test(two_listeners_of_one_process_trust_different_cas),
        cmocka_unit_test(one_address_that_says_nothing_keeps_nobody_out),
        cmocka_unit_test(when_all_places_are_taken_the_address_with_most_gives_one_up),
        cmocka_unit_test(an_identity_has_so_many_connections_and_no_more),
        cmocka_unit_test(many_connect_at_once),
        cmocka_unit_test(hundreds_may_wait_to_be_accepted),
    };
    return cmocka_run_group_tests_name("life", tests, NULL, no_more_certificates);
}
