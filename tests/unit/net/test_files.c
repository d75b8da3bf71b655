#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "common/net/net_internal.h"
#include "common/net/rpc_control.h"
#include "tests/unit/net/raw.h"

static struct ca *ca;

static void write_file(const char *name, const char *text) {
    FILE *f = fopen(ca_file(ca, name), "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void copy_file(const char *from, const char *to) {
    char text[16384];
    FILE *f = fopen(ca_file(ca, from), "r");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = 0;
    fclose(f);
    write_file(to, text);
}

static struct net_files good(void) {
    return (struct net_files){
        .ca = ca_file(ca, "fleet-ca.pem"), .cert = ca_file(ca, "agents/web-1.pem"), .key = ca_file(ca, "agents/web-1.key")};
}

static void refused(struct net_files files, const char *fleet, enum err want, const char *part) {
    char why[300] = "";
    AUTO(loop_free) struct loop *loop = loop_new();
    struct net *n = NULL;
    struct net_options opt = {.loop = loop, .files = files, .fleet = fleet, .software = "test"};
    enum err e = net_new(&opt, why, sizeof why, &n);
    if (e != want || span_find_span(span_str(why), span_str(part)) == strlen(why)) fail_msg("%s: \"%s\" (%s)", err_name(e), why, part);
    assert_null(n);
}

static void files_that_are_not_there_are_named(void **state) {
    (void)state;
    struct net_files f = good();
    f.ca = "/nonexistent/ca.pem";
    refused(f, "north", ERR_SYS, "/nonexistent/ca.pem: No such file");
    f = good();
    f.cert = "/nonexistent/cert.pem";
    refused(f, "north", ERR_SYS, "/nonexistent/cert.pem: No such file");
    f = good();
    f.key = "/nonexistent/key";
    refused(f, "north", ERR_SYS, "/nonexistent/key: No such file");
    f = good();
    f.crl = "/nonexistent/crl";
    refused(f, "north", ERR_SYS, "/nonexistent/crl: cannot be read");
}

static void files_that_hold_something_else_are_refused(void **state) {
    (void)state;
    write_file("junk", "-----BEGIN NOTHING-----\nabc\n");
    struct net_files f = good();
    f.ca = ca_file(ca, "junk");
    refused(f, "north", ERR_UNTRUSTED, "junk: no CA certificates");
    f = good();
    f.cert = ca_file(ca, "junk");
    refused(f, "north", ERR_UNTRUSTED, "junk: not a certificate");
    f = good();
    f.crl = ca_file(ca, "junk");
    refused(f, "north", ERR_UNTRUSTED, "junk: not a revocation list");
    f = good();
    f.crl = ca_file(ca, "fleet-ca.pem");
    refused(f, "north", ERR_UNTRUSTED, "not a revocation list");
    f = good();
    chmod(ca_file(ca, "junk"), 0600);
    f.key = ca_file(ca, "junk");
    refused(f, "north", ERR_UNTRUSTED, "junk: not the key of the certificate");
}

static void a_key_that_others_can_use_is_refused(void **state) {
    (void)state;
    static const struct {
        mode_t mode;
        bool fine;
    } modes[] = {{0600, true}, {0400, true}, {0640, true}, {0660, false}, {0604, false}, {0644, false}, {0602, false}};
    copy_file("agents/web-1.key", "loose.key");
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        struct net_files f = good();
        f.key = ca_file(ca, "loose.key");
        assert_int_equal(chmod(f.key, modes[i].mode), 0);
        if (!modes[i].fine) {
            refused(f, "north", ERR_UNTRUSTED, "loose.key: the key can be used by others");
            continue;
        }
        char why[300] = "";
        struct net *n = NULL;
        AUTO(loop_free) struct loop *loop = loop_new();
        struct net_options opt = {.loop = loop, .files = f, .fleet = "north", .software = "test"};
        assert_int_equal(net_new(&opt, why, sizeof why, &n), ERR_OK);
        assert_string_equal(net_self(n)->name, "web-1");
        net_free(n);
    }
}

static void a_key_of_another_certificate_is_refused(void **state) {
    (void)state;
    struct net_files f = good();
    f.key = ca_file(ca, "collectors/c1.key");
    refused(f, "north", ERR_UNTRUSTED, "c1.key: not the key of the certificate");
}

static void an_expired_certificate_says_so_at_the_start(void **state) {
    (void)state;
    struct net_files f = good();
    f.cert = ca_file(ca, "agents/late-1.pem");
    f.key = ca_file(ca, "agents/late-1.key");
    refused(f, "north", ERR_EXPIRED, "late-1.pem: the certificate has expired");
}

static void a_certificate_of_another_fleet_is_refused(void **state) {
    (void)state;
    refused(good(), "south", ERR_UNTRUSTED, "the certificate is of fleet north, not south");
}

static void a_certificate_without_identity_is_refused(void **state) {
    (void)state;
    struct net_files f = good();
    f.cert = ca_file(ca, "fleet-ca.pem");
    struct net_files any = f;
    any.key = ca_file(ca, "fleet-ca.key");
    refused(any, "north", ERR_UNTRUSTED, "the certificate has no identity");
}

/* ---- reload ---- */

static void edge_with_copies(struct stage *st) {
    copy_file("agents/web-1.pem", "own.pem");
    copy_file("agents/web-1.key", "own.key");
    chmod(ca_file(ca, "own.key"), 0600);
    st->edge = stage_net(st, ca, "own", "fleet-ca.pem", NULL);
}

static void a_rotated_certificate_is_used_by_the_next_connection(void **state) {
    (void)state;
    struct stage st = {0};
    char why[300] = "";
    stage_listen(&st, ROLE_AGENT, NULL);
    edge_with_copies(&st);
    stage_dial(&st, NULL, true);
    net_times(st.edge)->backoff_low_ms = 10;
    UNTIL(&st, st.opened == 1 && st.server_opened == 1);
    uint64_t before = rpc_peer(st.server_conn)->expires_wall_ns;
    ca_run(ca, "agent", "web-1", "--renew", "--days", "7", NULL);
    copy_file("agents/web-1.pem", "own.pem");
    copy_file("agents/web-1.key", "own.key");
    assert_int_equal(net_reload(st.edge, why, sizeof why), ERR_OK);
    stage_turn(&st, 50);
    assert_int_equal(st.closed, 0); /* the open one goes on */
    rpc_disconnect(st.conn, RPC_UNAVAILABLE, "again");
    UNTIL(&st, st.opened == 2 && st.server_opened == 2);
    assert_int_not_equal(rpc_peer(st.server_conn)->expires_wall_ns, before);
    assert_int_equal(rpc_peer(st.server_conn)->expires_wall_ns, net_self(st.edge)->expires_wall_ns);
    stage_done(&st);
}

static void a_reload_that_fails_changes_nothing(void **state) {
    (void)state;
    struct stage st = {0};
    char why[300] = "";
    stage_listen(&st, ROLE_AGENT, NULL);
    edge_with_copies(&st);
    write_file("own.pem", "nothing");
    assert_int_equal(net_reload(st.edge, why, sizeof why), ERR_UNTRUSTED);
    assert_non_null(strstr(why, "own.pem: not a certificate"));
    copy_file("agents/db-1.pem", "own.pem");
    copy_file("agents/db-1.key", "own.key");
    assert_int_equal(net_reload(st.edge, why, sizeof why), ERR_UNTRUSTED);
    assert_non_null(strstr(why, "the certificate is for agent db-1, this is agent web-1"));
    stage_dial(&st, NULL, false);
    UNTIL(&st, st.opened == 1);
    assert_string_equal(st.admitted.name, "web-1");
    stage_done(&st);
}

/* ---- a reload while a handshake is under way ---- */
enum { HANDSHAKE_UNDER_WAY, HANDSHAKE_DONE, LISTS_RELOADED };

struct overtaken {
    struct loop_timer tick;
    struct stage *stage;
    atomic_int step;
    bool refused; /* told so, after its greeting */
};

static void reload_when_it_has_shaken_hands(struct loop_timer *t) {
    struct overtaken *o = container_of(t, struct overtaken, tick);
    char why[300] = "";
    if (atomic_load(&o->step) == HANDSHAKE_DONE) {
        copy_file("fleet.crl", "used.crl");
        assert_int_equal(net_reload(o->stage->center, why, sizeof why), ERR_OK);
        atomic_store(&o->step, LISTS_RELOADED);
    } else {
        assert_int_equal(loop_timer_set(o->stage->loop, t, clock_mono_ns() + 5 * NS_PER_MS), ERR_OK);
    }
}

static void shake_hands_and_greet_late(struct raw *r) {
    struct overtaken *o = r->arg;
    char hello[FRAME_CONTROL_BYTES];
    const struct rpc_control_hello h = {.version_low = WIRE_VERSION, .version_high = WIRE_VERSION};
    raw_connect(r);
    if (!raw_tls(r, ca, "agents/slow-1", TLS1_3_VERSION)) abort();
    atomic_store(&o->step, HANDSHAKE_DONE);
    while (atomic_load(&o->step) != LISTS_RELOADED) usleep(1000);
    raw_put(r, FRAME_HELLO, 0, 0, rpc_control_put_hello(h, "raw", hello));
    o->refused = raw_get(r) && r->frame.type == FRAME_REFUSE;
}

static void a_handshake_that_a_reload_overtook_is_looked_at_again(void **state) {
    (void)state;
    struct stage st = {0};
    struct overtaken o = {.stage = &st, .tick.fired = reload_when_it_has_shaken_hands};
    ca_agent(ca, "slow-1");
    copy_file("fleet.crl", "used.crl");
    ca_revoke(ca, "agents/slow-1.pem");
    stage_listen(&st, ROLE_AGENT, "used.crl");
    assert_int_equal(loop_timer_set(st.loop, &o.tick, clock_mono_ns()), ERR_OK);
    raw_run(&st, shake_hands_and_greet_late, &o);
    UNTIL(&st, st.refused == 1);
    assert_true(o.refused);
    assert_non_null(strstr(st.refused_text, "after a reload: certificate revoked"));
    assert_int_equal(st.server_opened, 0);
    stage_done(&st);
}

static void a_reload_disconnects_who_was_revoked_and_nobody_else(void **state) {
    (void)state;
    struct stage st = {0}, other = {0};
    char why[300] = "";
    copy_file("fleet.crl", "used.crl");
    stage_listen(&st, ROLE_AGENT, "used.crl");
    stage_dial(&st, "agents/db-1", false);
    UNTIL(&st, st.opened == 1 && st.server_opened == 1);
    other.loop = st.loop;
    other.ca = st.ca;
    memcpy(other.address, st.address, sizeof other.address);
    stage_dial(&other, "agents/web-1", false);
    UNTIL(&st, other.opened == 1 && st.server_opened == 2);
    assert_int_equal(net_reload(st.center, why, sizeof why), ERR_OK);
    stage_turn(&st, 50);
    assert_int_equal(st.closed + other.closed, 0);
    ca_revoke(ca, "agents/db-1.pem");
    copy_file("fleet.crl", "used.crl");
    assert_int_equal(net_reload(st.center, why, sizeof why), ERR_OK);
    UNTIL(&st, st.closed == 1 && st.server_closed == 1);
    assert_string_equal(st.text, "the collector says: after a reload: certificate revoked");
    assert_int_equal(st.server_why, ERR_UNTRUSTED);
    stage_turn(&st, 50);
    assert_int_equal(other.closed, 0);
    rpc_client_free(other.client);
    net_free(other.edge);
    stage_done(&st);
}

static int certificates(void **state) {
    (void)state;
    ca = stage_ca();
    ca_run(ca, "agent", "late-1", "--not-before", "2020-01-01", "--not-after", "2021-01-01", NULL);
    ca_agent(ca, "db-1");
    return 0;
}

static int no_more_certificates(void **state) {
    (void)state;
    stage_ca_done();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_are_not_there_are_named),
        cmocka_unit_test(files_that_hold_something_else_are_refused),
        cmocka_unit_test(a_key_that_others_can_use_is_refused),
        cmocka_unit_test(a_key_of_another_certificate_is_refused),
        cmocka_unit_test(an_expired_certificate_says_so_at_the_start),
        cmocka_unit_test(a_certificate_of_another_fleet_is_refused),
        cmocka_unit_test(a_certificate_without_identity_is_refused),
        cmocka_unit_test(a_rotated_certificate_is_used_by_the_next_connection),
        cmocka_unit_test(a_reload_that_fails_changes_nothing),
        cmocka_unit_test(a_handshake_that_a_reload_overtook_is_looked_at_again),
        cmocka_unit_test(a_reload_disconnects_who_was_revoked_and_nobody_else),
    };
    return cmocka_run_group_tests_name("net_files", tests, certificates, no_more_certificates);
}
