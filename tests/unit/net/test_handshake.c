#include <netdb.h>
#include <openssl/pem.h>
#include <stdio.h>

#include "tests/unit/net/raw.h"

static bool says(const char *text, const char *part) {
    bool yes = span_find_span(span_str(text), span_str(part)) < strlen(text);
    if (!yes) print_error("\"%s\" does not say \"%s\"\n", text, part);
    return yes;
}

/* The peer dials and is refused. */
static void refused(struct stage *st, enum err why, const char *there, const char *here) {
    UNTIL(st, st->opened + st->closed == 1 && (!there || st->refused == 1));
    assert_int_equal(st->opened, 0);
    assert_int_equal(st->server_opened, 0);
    assert_true(says(st->text, here));
    assert_int_equal(st->why, why);
    if (there) assert_true(says(st->refused_text, there));
    if (there) assert_true(says(st->refused_address, "127.0.0.1:"));
    stage_done(st);
}

static void a_certificate_of_another_ca_is_refused_and_the_refused_side_hears_why(void **state) {
    (void)state;
    for (int i = 0; i < 40; i++) { /* the reason must not get lost now and then */
        struct stage st = {0};
        stage_listen(&st, ROLE_AGENT, NULL);
        st.edge = stage_net(&st, stage_other_ca(), "agents/web-1", "fleet-ca.pem", NULL);
        stage_dial(&st, NULL, false);
        refused(&st, ERR_UNTRUSTED, "not from a CA that is trusted here: spiffe://north/agent/web-1", "the collector says: unknown CA");
    }
}

static void a_collector_of_another_ca_is_not_trusted(void **state) {
    (void)state;
    struct stage st = {0}, other = {.ca = stage_other_ca()};
    stage_listen(&st, ROLE_AGENT, NULL);
    other.loop = st.loop;
    st.edge = stage_net(&other, stage_ca(), "agents/web-1", "fleet-ca.pem", NULL); /* trusts the other CA only */
    stage_dial(&st, NULL, false);
    refused(&st, ERR_UNTRUSTED, "the peer says: unknown CA", "not from a CA that is trusted here: spiffe://north/collector/c1");
}

static void use_certificate(struct net *n, struct ca *ca, const char *who) {
    char name[80];
    snprintf(name, sizeof name, "%s.pem", who);
    assert_int_equal(SSL_CTX_use_certificate_chain_file(net_ctx(n), ca_file(ca, name)), 1);
    snprintf(name, sizeof name, "%s.key", who);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(net_ctx(n), ca_file(ca, name), SSL_FILETYPE_PEM), 1);
}

static void an_expired_certificate_is_refused_in_words(void **state) {
    (void)state;
    struct stage st = {0};
    stage_listen(&st, ROLE_AGENT, NULL);
    st.edge = stage_net(&st, st.ca, "agents/web-1", "fleet-ca.pem", NULL);
    use_certificate(st.edge, st.ca, "agents/late-1"); /* net_new would not take it */
    stage_dial(&st, NULL, false);
    refused(&st, ERR_EXPIRED, "certificate has expired: spiffe://north/agent/late-1", "the collector says: certificate expired");
}

static void a_revoked_certificate_is_refused_in_words(void **state) {
    (void)state;
    struct stage st = {0};
    stage_listen(&st, ROLE_AGENT, "fleet.crl");
    stage_dial(&st, "agents/lost-1", false);
    refused(&st, ERR_UNTRUSTED, "certificate revoked: spiffe://north/agent/lost-1", "the collector says: certificate revoked");
}

/* A file with the lists of both CAs, one behind the other; NULL: of one. */
static void write_lists(struct ca *first, struct ca *second, const char *name) {
    struct ca *const cas[] = {first, second};
    FILE *out = fopen(ca_file(stage_ca(), name), "w");
    assert_non_null(out);
    for (size_t i = 0; i < COUNT_OF(cas) && cas[i]; i++) {
        FILE *in = fopen(ca_file(cas[i], "fleet.crl"), "r");
        assert_non_null(in);
        X509_CRL *crl = PEM_read_X509_CRL(in, NULL, NULL, NULL);
        assert_int_equal(PEM_write_X509_CRL(out, crl), 1);
        X509_CRL_free(crl);
        fclose(in);
    }
    fclose(out);
}

static void refused_by_lists(const char *lists, const char *who, const char *there, const char *here) {
    struct stage st = {0};
    stage_listen(&st, ROLE_AGENT, lists);
    stage_dial(&st, who, false);
    refused(&st, ERR_UNTRUSTED, there, here);
}

static void a_list_of_another_ca_with_the_same_name_lets_nobody_in(void **state) {
    (void)state;
    write_lists(stage_other_ca(), NULL, "other.crl");
    refused_by_lists("other.crl", "agents/web-1", "spiffe://north/agent/web-1", "the collector says: "); /* is it revoked?  Nobody says. */
    write_lists(stage_ca(), stage_other_ca(), "both.crl");
    refused_by_lists("both.crl", "agents/lost-1", "spiffe://north/agent/lost-1", "the collector says: ");
    write_lists(stage_other_ca(), stage_ca(), "both.crl");
    refused_by_lists("both.crl", "agents/lost-1", "spiffe://north/agent/lost-1", "the collector says: ");
}

/* A copy of the list in which a byte of its signature is another. */
static void spoil_list(const char *from, const char *to) {
    unsigned char *der = NULL;
    FILE *in = fopen(from, "r"), *out = fopen(to, "w");
    assert_true(in && out);
    X509_CRL *crl = PEM_read_X509_CRL(in, NULL, NULL, NULL);
    int n = i2d_X509_CRL(crl, &der);
    assert_true(n > 0);
    der[n - 1] ^= 1;
    const unsigned char *p = der;
    X509_CRL *spoilt = d2i_X509_CRL(NULL, &p, n);
    assert_non_null(spoilt);
    assert_int_equal(PEM_write_X509_CRL(out, spoilt), 1);
    X509_CRL_free(crl);
    X509_CRL_free(spoilt);
    OPENSSL_free(der);
    fclose(in);
    fclose(out);
}

static void a_list_whose_signature_does_not_hold_counts_for_nothing(void **state) {
    (void)state;
    spoil_list(ca_file(stage_ca(), "fleet.crl"), ca_file(stage_ca(), "spoilt.crl"));
    refused_by_lists("spoilt.crl", "agents/web-1", "CRL signature failure: spiffe://north/agent/web-1", "the collector says: ");
}

static void a_collector_s_certificate_cannot_act_as_an_agent(void **state) {
    (void)state;
    struct stage st = {0};
    stage_listen(&st, ROLE_AGENT, NULL);
    stage_dial(&st, "collectors/c1", false);
    refused(&st, ERR_REFUSED, "collector c1: a certificate of role collector cannot connect here, only of role agent",
            "the collector says: a certificate of role collector cannot connect here");
}

static void an_agent_s_certificate_cannot_listen(void **state) {
    (void)state;
    struct stage st = {0};
    stage_listen(&st, ROLE_AGENT, NULL);
    use_certificate(st.center, st.ca, "agents/web-1");
    stage_dial(&st, "agents/web-1", false);
    UNTIL(&st, st.closed == 1);
    assert_int_equal(st.why, ERR_UNTRUSTED);
    assert_true(says(st.text, "certificate"));
    stage_done(&st);
}

static void a_wrong_role_is_refused_by_name(void **state) {
    (void)state;
    struct stage st = {.listen_ca = "fleet-ca.pem"};
    stage_listen(&st, ROLE_OPERATOR, NULL);
    stage_dial(&st, "agents/web-1", false);
    refused(&st, ERR_REFUSED, "agent web-1: a certificate of role agent cannot connect here, only of role operator",
            "the collector says: a certificate of role agent cannot connect here");
}

static void an_operator_cannot_pose_as_an_agent(void **state) {
    (void)state;
    struct stage st = {0};
    stage_listen(&st, ROLE_AGENT, NULL);
    stage_dial(&st, "operators/ada", false);
    refused(&st, ERR_UNTRUSTED, "not from a CA that is trusted here", "the collector says: unknown CA");
}

static void whom_the_service_does_not_admit_hears_why(void **state) {
    (void)state;
    struct stage st = {.admit_status = RPC_ALREADY_EXISTS, .admit_text = "web-1 is connected from elsewhere"};
    stage_listen(&st, ROLE_AGENT, NULL);
    stage_dial(&st, "agents/web-1", false);
    refused(&st, ERR_REFUSED, "agent web-1: web-1 is connected from elsewhere", "the collector says: web-1 is connected from elsewhere");
}

static void a_collector_of_another_name_is_left(void **state) {
    (void)state;
    struct stage st = {.server_name = "c2"};
    stage_listen(&st, ROLE_AGENT, NULL);
    stage_dial(&st, "agents/web-1", false);
    UNTIL(&st, st.closed == 1 && st.server_closed == 1);
    assert_int_equal(st.opened, 0);
    assert_int_equal(st.why, ERR_UNTRUSTED);
    assert_string_equal(st.text, "the peer is collector c1 of fleet north, not collector c2 of fleet north");
    assert_true(says(st.server_text, "the peer says: the peer is collector c1"));
    stage_done(&st);
}

static void the_host_that_was_dialled_must_be_in_the_certificate(void **state) {
    (void)state;
    struct stage st = {.listen_host = "0.0.0.0"};
    stage_listen(&st, ROLE_AGENT, NULL);
    snprintf(st.address, sizeof st.address, "127.0.0.2:%d", rpc_server_port(st.server));
    stage_dial(&st, "agents/web-1", false);
    refused(&st, ERR_UNTRUSTED, "the peer says: certificate is not acceptable", "does not name the address that was dialled");
}

static void a_host_may_be_dialled_by_name(void **state) {
    (void)state;
    struct addrinfo *list = NULL;
    if (getaddrinfo("localhost", NULL, NULL, &list) != 0) {
        print_message("skipped: this machine does not know \"localhost\" (no /etc/hosts)\n");
        skip();
    }
    freeaddrinfo(list);
    struct stage st = {.listen_host = "127.0.0.1"};
    stage_listen(&st, ROLE_AGENT, NULL);
    snprintf(st.address, sizeof st.address, "localhost:%d", rpc_server_port(st.server));
    stage_dial(&st, "agents/web-1", false);
    UNTIL(&st, st.opened + st.closed == 1);
    assert_string_equal(st.text, "");
    stage_done(&st);
}

static void no_certificate(struct raw *r) {
    raw_connect(r);
    if (raw_tls(r, NULL, NULL, TLS1_3_VERSION)) raw_at_end(r);
    *(int *)r->arg = r->alert;
}

static void who_has_no_certificate_is_told_to_get_one(void **state) {
    (void)state;
    struct stage st = {0};
    int alert = 0;
    stage_listen(&st, ROLE_AGENT, NULL);
    raw_run(&st, no_certificate, &alert);
    UNTIL(&st, st.refused == 1);
    assert_int_equal(alert, SSL_AD_CERTIFICATE_REQUIRED);
    assert_string_equal(st.refused_text, "the peer has no certificate");
    stage_done(&st);
}

static void old_tls(struct raw *r) {
    raw_connect(r);
    *(int *)r->arg = raw_tls(r, stage_ca(), "agents/web-1", TLS1_2_VERSION) ? 0 : r->alert;
}

static void tls_1_2_is_refused(void **state) {
    (void)state;
    struct stage st = {0};
    int alert = 0;
    stage_listen(&st, ROLE_AGENT, NULL);
    raw_run(&st, old_tls, &alert);
    UNTIL(&st, st.refused == 1);
    assert_int_equal(alert, SSL_AD_PROTOCOL_VERSION);
    assert_true(says(st.refused_text, "not the TLS that is spoken here"));
    stage_done(&st);
}

static void nobody_listens(void **state) {
    (void)state;
    struct stage st = {0};
    stage_listen(&st, ROLE_AGENT, NULL);
    rpc_server_free(st.server);
    st.server = NULL;
    stage_dial(&st, "agents/web-1", false);
    UNTIL(&st, st.closed == 1);
    assert_int_equal(st.why, ERR_GONE);
    assert_true(says(st.text, "cannot connect to 127.0.0.1:"));
    stage_done(&st);
}

static int certificates(void **state) {
    (void)state;
    struct ca *ca = stage_ca();
    ca_run(ca, "agent", "late-1", "--not-before", "2020-01-01", "--not-after", "2021-01-01", NULL);
    ca_agent(ca, "lost-1");
    ca_revoke(ca, "agents/lost-1.pem");
    return 0;
}

static int no_more_certificates(void **state) {
    (void)state;
    stage_ca_done();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_of_another_ca_is_refused_and_the_refused_side_hears_why),
        cmocka_unit_test(a_collector_of_another_ca_is_not_trusted),
        cmocka_unit_test(an_expired_certificate_is_refused_in_words),
        cmocka_unit_test(a_revoked_certificate_is_refused_in_words),
        cmocka_unit_test(a_list_of_another_ca_with_the_same_name_lets_nobody_in),
        cmocka_unit_test(a_list_whose_signature_does_not_hold_counts_for_nothing),
        cmocka_unit_test(a_collector_s_certificate_cannot_act_as_an_agent),
        cmocka_unit_test(an_agent_s_certificate_cannot_listen),
        cmocka_unit_test(a_wrong_role_is_refused_by_name),
        cmocka_unit_test(an_operator_cannot_pose_as_an_agent),
        cmocka_unit_test(whom_the_service_does_not_admit_hears_why),
        cmocka_unit_test(a_collector_of_another_name_is_left),
        cmocka_unit_test(the_host_that_was_dialled_must_be_in_the_certificate),
        cmocka_unit_test(a_host_may_be_dialled_by_name),
        cmocka_unit_test(who_has_no_certificate_is_told_to_get_one),
        cmocka_unit_test(tls_1_2_is_refused),
        cmocka_unit_test(nobody_listens),
    };
    return cmocka_run_group_tests_name("handshake", tests, certificates, no_more_certificates);
}
