/* Who may sign what: certificates as trawl-certs makes them, and worse ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/crypto/sign.h"
#include "tests/support/ca.h"
#include "tests/unit/crypto/made.h"

#define DOMAIN SPAN_LIT("trawl test v1\n")
#define TEXT   SPAN_LIT("runqlat on web-* for 10 s")
#define DAY_NS (24ULL * 3600 * NS_PER_S)

/* A signed text on its way, and what its verification said. */
struct fixture {
    struct ca ca;
    struct buf signature, chain;
    char uri[SIGN_URI_BYTES], why[256];
};

static int setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    ca_make(&f->ca, "prod");
    ca_operator(&f->ca, "ann");
    buf_init(&f->signature, 0);
    buf_init(&f->chain, 0);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    ca_done(&f->ca);
    buf_done(&f->signature);
    buf_done(&f->chain);
    free(f);
    return 0;
}

static void sign_with(struct fixture *f, const char *cert, const char *key) {
    struct signer *s = NULL;
    enum err e = sign_load(cert, key, f->why, sizeof f->why, &s);
    if (e) fail_msg("%s: %s", err_name(e), f->why);
    buf_reset(&f->signature);
    buf_reset(&f->chain);
    assert_int_equal(sign_bytes(s, DOMAIN, TEXT, &f->signature), ERR_OK);
    assert_int_equal(sign_chain(s, &f->chain), ERR_OK);
    sign_free(s);
}

static void sign_as(struct fixture *f, const char *operator) {
    char cert[64], key[64];
    snprintf(cert, sizeof cert, "%s.pem", operator);
    snprintf(key, sizeof key, "%s.key", operator);
    sign_with(f, ca_file(&f->ca, cert), ca_file(&f->ca, key));
}

static enum err verify_with(struct fixture *f, const char *ca, const char *crl, uint64_t wall_ns) {
    struct trust *t = NULL;
    enum err e = sign_trust_load(ca, crl, f->why, sizeof f->why, &t);
    if (e) fail_msg("%s: %s", err_name(e), f->why);
    f->uri[0] = '\0';
    snprintf(f->why, sizeof f->why, "nothing");
    e = sign_verify(t, wall_ns, DOMAIN, TEXT, buf_span(&f->signature), buf_span(&f->chain), f->uri, sizeof f->uri, f->why, sizeof f->why);
    if (e) assert_string_equal(f->uri, "");
    sign_trust_free(t);
    return e;
}

static enum err verify_at(struct fixture *f, uint64_t wall_ns) {
    return verify_with(f, ca_file(&f->ca, "operators-ca.pem"), ca_file(&f->ca, "operators.crl"), wall_ns);
}

static void refused(struct fixture *f, enum err e, enum err want, const char *why) {
    if (e != want || !strstr(f->why, why)) fail_msg("%s \"%s\" instead of %s \"%s\"", err_name(e), f->why, err_name(want), why);
}

static void what_an_operator_signed_verifies(void **state) {
    struct fixture *f = *state;
    sign_as(f, "operators/ann");
    assert_int_equal(verify_at(f, clock_wall_ns()), ERR_OK);
    assert_string_equal(f->uri, "spiffe://prod/operator/ann/runner");
    assert_int_equal(verify_with(f, ca_file(&f->ca, "operators-ca.pem"), NULL, clock_wall_ns()), ERR_OK);
}

static void an_ed25519_key_signs_as_well(void **state) {
    struct fixture *f = *state;
    ca_run(&f->ca, "operator", "eve", "--ed25519", NULL);
    sign_as(f, "operators/eve");
    assert_int_equal(f->signature.n, 64);
    assert_int_equal(verify_at(f, clock_wall_ns()), ERR_OK);
    assert_string_equal(f->uri, "spiffe://prod/operator/eve/runner");
}

/* Every step-th bit of each byte. */
static void flip_all(struct fixture *f, const struct trust *t, struct buf *what, unsigned step) {
    for (size_t i = 0; i < what->n; i++)
        for (unsigned bit = 0; bit < 8; bit += step) {
            what->p[i] = (char)(what->p[i] ^ (1 << bit));
            enum err e = sign_verify(t, clock_wall_ns(), DOMAIN, TEXT, buf_span(&f->signature), buf_span(&f->chain), f->uri, sizeof f->uri,
                                     f->why, sizeof f->why);
            if (!e) fail_msg("bit %u of byte %zu may change unnoticed", bit, i);
            what->p[i] = (char)(what->p[i] ^ (1 << bit));
        }
}

static void no_bit_of_signature_or_certificate_may_change(void **state) {
    struct fixture *f = *state;
    sign_as(f, "operators/ann");
    struct trust *t = NULL;
    assert_int_equal(sign_trust_load(ca_file(&f->ca, "operators-ca.pem"), NULL, f->why, sizeof f->why, &t), ERR_OK);
    flip_all(f, t, &f->signature, 1);
    flip_all(f, t, &f->chain, 4);
    sign_trust_free(t);
    assert_int_equal(verify_at(f, clock_wall_ns()), ERR_OK);
}

static void another_text_or_domain_does_not_match(void **state) {
    struct fixture *f = *state;
    sign_as(f, "operators/ann");
    struct trust *t = NULL;
    assert_int_equal(sign_trust_load(ca_file(&f->ca, "operators-ca.pem"), NULL, f->why, sizeof f->why, &t), ERR_OK);
    struct span signature = buf_span(&f->signature), chain = buf_span(&f->chain);
    const struct span texts[][2] = {
        {DOMAIN, SPAN_LIT("runqlat on web-* for 11 s")}, {SPAN_LIT("trawl tesT v1\n"), TEXT}, {SPAN_NONE, TEXT}, {DOMAIN, SPAN_NONE}};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        refused(f,
                sign_verify(t, clock_wall_ns(), texts[i][0], texts[i][1], signature, chain, f->uri, sizeof f->uri, f->why, sizeof f->why),
                ERR_UNTRUSTED, "the signature does not match");
    refused(f, sign_verify(t, clock_wall_ns(), DOMAIN, TEXT, SPAN_NONE, chain, f->uri, sizeof f->uri, f->why, sizeof f->why), ERR_UNTRUSTED,
            "the signature does not match");
    sign_trust_free(t);
}

static void a_certificate_of_the_fleet_ca_orders_nothing(void **state) {
    struct fixture *f = *state;
    ca_agent(&f->ca, "web-1");
    ca_collector(&f->ca, "c1");
    sign_as(f, "agents/web-1");
    refused(f, verify_at(f, clock_wall_ns()), ERR_UNTRUSTED, "the operator's certificate is signed by an unknown CA");
    sign_as(f, "collectors/c1");
    refused(f, verify_at(f, clock_wall_ns()), ERR_UNTRUSTED, "the operator's certificate is signed by an unknown CA");
}

static void another_operators_ca_is_unknown(void **state) {
    struct fixture *f = *state;
    struct ca other;
    ca_make(&other, "prod");
    ca_operator(&other, "ann");
    sign_with(f, ca_file(&other, "operators/ann.pem"), ca_file(&other, "operators/ann.key"));
    assert_int_equal(verify_at(f, clock_wall_ns()), ERR_UNTRUSTED); /* same names, other key */
    assert_string_not_equal(f->why, "nothing");
    ca_done(&other);
}

static void a_revoked_operator_signs_no_more(void **state) {
    struct fixture *f = *state;
    ca_operator(&f->ca, "bob");
    sign_as(f, "operators/bob");
    assert_int_equal(verify_at(f, clock_wall_ns()), ERR_OK);
    ca_revoke(&f->ca, "operators/bob.pem");
    refused(f, verify_at(f, clock_wall_ns()), ERR_UNTRUSTED, "the operator's certificate was revoked");
    sign_as(f, "operators/ann");
    assert_int_equal(verify_at(f, clock_wall_ns()), ERR_OK);
}

static void a_certificate_counts_only_from_its_first_to_its_last_day(void **state) {
    struct fixture *f = *state;
    ca_run(&f->ca, "operator", "old", "--not-before", "2020-01-01", "--not-after", "2021-02-03T04:05:06Z", NULL);
    ca_run(&f->ca, "operator", "new", "--not-before", "2090-01-02", "--not-after", "2091-01-01", NULL);
    sign_as(f, "operators/old");
    refused(f, verify_at(f, clock_wall_ns()), ERR_EXPIRED, "the operator's certificate expired on 2021-02-03");
    sign_as(f, "operators/new");
    refused(f, verify_at(f, clock_wall_ns()), ERR_EXPIRED, "the operator's certificate is valid only from 2090-01-02 on");
}

static void the_time_that_counts_is_the_callers(void **state) {
    struct fixture *f = *state;
    sign_as(f, "operators/ann");
    const char *ca = ca_file(&f->ca, "operators-ca.pem");
    assert_int_equal(verify_with(f, ca, NULL, clock_wall_ns() + 89 * DAY_NS), ERR_OK);
    refused(f, verify_with(f, ca, NULL, clock_wall_ns() + 91 * DAY_NS), ERR_EXPIRED, "the operator's certificate expired on");
    refused(f, verify_with(f, ca, NULL, clock_wall_ns() + 5000 * DAY_NS), ERR_EXPIRED, "certificate expired on");
    assert_int_equal(verify_with(f, ca, NULL, 0), ERR_EXPIRED);
}

static void a_revocation_list_out_of_date_lets_nobody_in(void **state) {
    struct fixture *f = *state;
    sign_as(f, "operators/ann");
    ca_run(&f->ca, "crl", "--days", "2", NULL);
    assert_int_equal(verify_at(f, clock_wall_ns() + DAY_NS), ERR_OK);
    refused(f, verify_at(f, clock_wall_ns() + 3 * DAY_NS), ERR_EXPIRED, "revocation list here has expired");
    refused(f, verify_at(f, clock_wall_ns() - 10 * 60 * NS_PER_S), ERR_EXPIRED, "from the future");
    ca_run(&f->ca, "crl", NULL);
}

static void during_a_change_two_cas_are_trusted(void **state) {
    struct fixture *f = *state;
    struct ca *ca = &f->ca;
    ca_operator(ca, "carl");
    ca_run(ca, "rotate", "operators", NULL);
    ca_operator(ca, "dora");
    ca_revoke(ca, "operators/carl.pem");
    sign_as(f, "operators/ann");
    assert_int_equal(verify_at(f, clock_wall_ns()), ERR_OK);
    sign_as(f, "operators/dora");
    assert_int_equal(verify_at(f, clock_wall_ns()), ERR_OK);
    sign_as(f, "operators/carl");
    refused(f, verify_at(f, clock_wall_ns()), ERR_UNTRUSTED, "revoked");
    ca_run(ca, "retire", "operators", NULL);
    sign_as(f, "operators/dora");
    assert_int_equal(verify_at(f, clock_wall_ns()), ERR_OK);
    sign_as(f, "operators/ann");
    refused(f, verify_at(f, clock_wall_ns()), ERR_UNTRUSTED, "unknown CA");
}

static void a_list_of_another_ca_does_not_count(void **state) {
    struct fixture *f = *state;
    sign_as(f, "operators/ann");
    refused(f, verify_with(f, ca_file(&f->ca, "operators-ca.pem"), ca_file(&f->ca, "fleet.crl"), clock_wall_ns()), ERR_UNTRUSTED,
            "the revocation list here does not cover");
}

static void a_chain_that_is_none_is_a_syntax_error(void **state) {
    struct fixture *f = *state;
    sign_as(f, "operators/ann");
    struct trust *t = NULL;
    assert_int_equal(sign_trust_load(ca_file(&f->ca, "operators-ca.pem"), NULL, f->why, sizeof f->why, &t), ERR_OK);
    struct span signature = buf_span(&f->signature), chain = buf_span(&f->chain);
    for (size_t n = 0; n < chain.n; n++)
        refused(f,
                sign_verify(t, clock_wall_ns(), DOMAIN, TEXT, signature, span_head(chain, n), f->uri, sizeof f->uri, f->why, sizeof f->why),
                ERR_SYNTAX, "cannot be read");
    static const char bad[][9] = {"\0\0\0\0", "\xff\xff\xff\xff\x30", "\0\0\0\2\x30\x80", "\0\0\0\1\0"};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        refused(
            f,
            sign_verify(t, clock_wall_ns(), DOMAIN, TEXT, signature, span_of(bad[i], 4 + i), f->uri, sizeof f->uri, f->why, sizeof f->why),
            ERR_SYNTAX, "cannot be read");
    for (int i = 0; i < 4; i++) buf_add(&f->chain, SPAN_LIT("\0\0\0\5\x30\3\2\1\1"));
    refused(f, sign_verify(t, clock_wall_ns(), DOMAIN, TEXT, signature, buf_span(&f->chain), f->uri, sizeof f->uri, f->why, sizeof f->why),
            ERR_SYNTAX, "cannot be read");
    sign_trust_free(t);
}

/* ---- certificates that trawl-certs would not make ---- */

struct odd {
    const char *why;
    enum err want;
    struct made_wish wish;
};

static void sign_as_made(struct fixture *f, const struct made *ca, const struct made_wish *wish) {
    struct made_wish w = *wish;
    w.issuer = ca;
    struct made one = made_certificate(&w);
    made_write(&one, ca_file(&f->ca, "odd.pem"), ca_file(&f->ca, "odd.key"));
    made_free(&one);
    sign_with(f, ca_file(&f->ca, "odd.pem"), ca_file(&f->ca, "odd.key"));
}

static void a_certificate_for_something_else_is_refused(void **state) {
    struct fixture *f = *state;
    static const struct odd odds[] = {
        {"nothing", ERR_OK, {0}},
        {"is not meant for this", ERR_UNTRUSTED, {.purpose = "serverAuth"}},
        {"is not meant for this", ERR_UNTRUSTED, {.purpose = "codeSigning"}},
        {"is not meant for signatures", ERR_UNTRUSTED, {.usage = "critical,keyAgreement"}},
        {"does not verify", ERR_UNTRUSTED, {.digest = "SHA1"}},
    };
    struct made ca = made_certificate(&(struct made_wish){.name = "odd CA", .ca = true});
    const char *ca_pem = ca_file(&f->ca, "odd-ca.pem");
    made_write(&ca, ca_pem, NULL);
    for (size_t i = 0; i < COUNT_OF(odds); i++) {
        sign_as_made(f, &ca, &odds[i].wish);
        refused(f, verify_with(f, ca_pem, NULL, clock_wall_ns()), odds[i].want, odds[i].why);
    }
    made_free(&ca);
}

/* sign_load would not take such certificates: the chain is put together here. */
static void a_certificate_must_have_one_name_and_a_key_of_ours(void **state) {
    struct fixture *f = *state;
    static const struct odd odds[] = {
        {"not exactly one name", ERR_UNTRUSTED, {.san = ""}},
        {"not exactly one name", ERR_UNTRUSTED, {.san = "DNS:ann"}},
        {"not exactly one name", ERR_UNTRUSTED, {.san = "URI:spiffe://prod/operator/ann,URI:spiffe://prod/operator/bob"}},
        {"not exactly one name", ERR_UNTRUSTED, {.san = "URI:spiffe://prod/operator/an n"}},
        {"neither ECDSA P-256 nor Ed25519", ERR_UNTRUSTED, {.curve = "P-384"}},
        {"neither ECDSA P-256 nor Ed25519", ERR_UNTRUSTED, {.curve = "RSA"}},
    };
    struct made ca = made_certificate(&(struct made_wish){.name = "odd CA", .ca = true});
    made_write(&ca, ca_file(&f->ca, "odd-ca.pem"), NULL);
    for (size_t i = 0; i < COUNT_OF(odds); i++) {
        struct made_wish w = odds[i].wish;
        w.issuer = &ca;
        struct made one = made_certificate(&w);
        unsigned char *der = NULL, signature[1024];
        int n = i2d_X509(one.certificate, &der);
        size_t n_signature = sizeof signature;
        EVP_MD_CTX *c = EVP_MD_CTX_new();
        assert_int_equal(EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, one.key), 1);
        struct span text = SPAN_LIT("trawl test v1\nrunqlat on web-* for 10 s");
        assert_int_equal(EVP_DigestSign(c, signature, &n_signature, (const unsigned char *)text.p, text.n), 1);
        buf_reset(&f->chain);
        buf_add(&f->chain, span_of((const char[]){0, 0, (char)(n >> 8), (char)n}, 4));
        buf_add(&f->chain, span_of((const char *)der, (size_t)n));
        buf_reset(&f->signature);
        buf_add(&f->signature, span_of((const char *)signature, n_signature));
        refused(f, verify_with(f, ca_file(&f->ca, "odd-ca.pem"), NULL, clock_wall_ns()), odds[i].want, odds[i].why);
        EVP_MD_CTX_free(c);
        OPENSSL_free(der);
        made_free(&one);
    }
    made_free(&ca);
}

static void join(struct fixture *f, const char *a, const char *b, const char *to) {
    FILE *out = fopen(ca_file(&f->ca, to), "we");
    assert_non_null(out);
    const char *from[] = {a, b};
    for (size_t i = 0; i < 2; i++) {
        char text[4096];
        FILE *in = fopen(ca_file(&f->ca, from[i]), "re");
        assert_non_null(in);
        size_t n = fread(text, 1, sizeof text, in);
        assert_int_equal(fwrite(text, 1, n, out), n);
        fclose(in);
    }
    fclose(out);
}

static void an_intermediate_ca_may_stand_between(void **state) {
    struct fixture *f = *state;
    struct made root = made_certificate(&(struct made_wish){.name = "root", .ca = true});
    struct made middle = made_certificate(&(struct made_wish){.name = "middle", .ca = true, .issuer = &root});
    struct made leaf = made_certificate(&(struct made_wish){.issuer = &middle});
    made_write(&root, ca_file(&f->ca, "root.pem"), NULL);
    made_write(&middle, ca_file(&f->ca, "middle.pem"), NULL);
    made_write(&leaf, ca_file(&f->ca, "leaf.pem"), ca_file(&f->ca, "leaf.key"));
    join(f, "leaf.pem", "middle.pem", "both.pem");
    sign_with(f, ca_file(&f->ca, "both.pem"), ca_file(&f->ca, "leaf.key"));
    assert_int_equal(verify_with(f, ca_file(&f->ca, "root.pem"), NULL, clock_wall_ns()), ERR_OK);
    sign_with(f, ca_file(&f->ca, "leaf.pem"), ca_file(&f->ca, "leaf.key"));
    refused(f, verify_with(f, ca_file(&f->ca, "root.pem"), NULL, clock_wall_ns()), ERR_UNTRUSTED, "unknown CA");
    /* What an operator's certificate signs is no certificate. */
    struct made below = made_certificate(&(struct made_wish){.issuer = &leaf, .name = "below"});
    made_write(&below, ca_file(&f->ca, "below.pem"), ca_file(&f->ca, "below.key"));
    join(f, "below.pem", "both.pem", "three.pem");
    sign_with(f, ca_file(&f->ca, "three.pem"), ca_file(&f->ca, "below.key"));
    assert_int_equal(verify_with(f, ca_file(&f->ca, "root.pem"), NULL, clock_wall_ns()), ERR_UNTRUSTED);
    /* And a chain has its limit. */
    join(f, "three.pem", "three.pem", "six.pem");
    struct signer *s = NULL;
    assert_int_equal(sign_load(ca_file(&f->ca, "six.pem"), ca_file(&f->ca, "below.key"), f->why, sizeof f->why, &s), ERR_LIMIT);
    struct buf twice;
    buf_init(&twice, 0);
    buf_add(&twice, buf_span(&f->chain));
    buf_add(&f->chain, buf_span(&twice));
    refused(f, verify_with(f, ca_file(&f->ca, "root.pem"), NULL, clock_wall_ns()), ERR_LIMIT, "too many certificates");
    buf_done(&twice);
    made_free(&root);
    made_free(&middle);
    made_free(&leaf);
    made_free(&below);
}

static void a_small_buffer_gets_no_half_name(void **state) {
    struct fixture *f = *state;
    ca_operator(&f->ca, "zoe");
    sign_as(f, "operators/zoe");
    struct trust *t = NULL;
    assert_int_equal(sign_trust_load(ca_file(&f->ca, "operators-ca.pem"), NULL, NULL, 0, &t), ERR_OK);
    char uri[34] = "x"; /* one byte more than spiffe://prod/operator/zoe/runner has */
    struct span signature = buf_span(&f->signature), chain = buf_span(&f->chain);
    assert_int_equal(sign_verify(t, clock_wall_ns(), DOMAIN, TEXT, signature, chain, uri, 33, NULL, 0), ERR_UNTRUSTED);
    assert_string_equal(uri, "x");
    assert_int_equal(sign_verify(t, clock_wall_ns(), DOMAIN, TEXT, signature, chain, uri, 34, NULL, 0), ERR_OK);
    assert_string_equal(uri, "spiffe://prod/operator/zoe/runner");
    sign_trust_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_operator_signed_verifies),
        cmocka_unit_test(an_ed25519_key_signs_as_well),
        cmocka_unit_test(no_bit_of_signature_or_certificate_may_change),
        cmocka_unit_test(another_text_or_domain_does_not_match),
        cmocka_unit_test(a_certificate_of_the_fleet_ca_orders_nothing),
        cmocka_unit_test(another_operators_ca_is_unknown),
        cmocka_unit_test(a_revoked_operator_signs_no_more),
        cmocka_unit_test(a_certificate_counts_only_from_its_first_to_its_last_day),
        cmocka_unit_test(the_time_that_counts_is_the_callers),
        cmocka_unit_test(a_revocation_list_out_of_date_lets_nobody_in),
        cmocka_unit_test(a_list_of_another_ca_does_not_count),
        cmocka_unit_test(a_chain_that_is_none_is_a_syntax_error),
        cmocka_unit_test(a_certificate_for_something_else_is_refused),
        cmocka_unit_test(a_certificate_must_have_one_name_and_a_key_of_ours),
        cmocka_unit_test(an_intermediate_ca_may_stand_between),
        cmocka_unit_test(during_a_change_two_cas_are_trusted),
        cmocka_unit_test(a_small_buffer_gets_no_half_name),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
