/* What trawl doctor and the expiry warnings read out of certificate files. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/crypto/cert.h"
#include "tests/support/ca.h"

struct fixture {
    struct ca ca;
    char why[512];
};

static int setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    ca_make(&f->ca, "prod");
    ca_agent(&f->ca, "web-1");
    ca_agent(&f->ca, "web-2");
    ca_operator(&f->ca, "ann");
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    ca_done(&f->ca);
    free(f);
    return 0;
}

static const char *file(struct fixture *f, const char *name) { return ca_file(&f->ca, name); }

static void expect(struct fixture *f, enum err e, enum err want, const char *why) {
    if (e != want || (want && !strstr(f->why, why))) fail_msg("%s \"%s\" instead of %s \"%s\"", err_name(e), f->why, err_name(want), why);
}

static void a_certificate_says_who_it_is_and_how_long(void **state) {
    struct fixture *f = *state;
    struct cert c[SIGN_CERTIFICATES_MAX];
    size_t n = 0;
    ca_run(&f->ca, "agent", "old", "--not-before", "2020-01-02", "--not-after", "2021-03-04", NULL);
    expect(f, cert_read(file(f, "agents/old.pem"), f->why, sizeof f->why, c, &n), ERR_OK, "");
    assert_int_equal(n, 1);
    assert_string_equal(c[0].uri, "spiffe://prod/agent/old");
    assert_false(c[0].is_ca);
    assert_int_equal(c[0].not_before_wall_ns, 1577923200 * NS_PER_S);
    assert_int_equal(c[0].not_after_wall_ns, 1614816000 * NS_PER_S);
}

static void both_cas_of_a_change_are_read(void **state) {
    struct fixture *f = *state;
    struct cert c[SIGN_CERTIFICATES_MAX];
    size_t n = 0;
    ca_run(&f->ca, "rotate", "fleet", NULL);
    expect(f, cert_read(file(f, "fleet-ca.pem"), f->why, sizeof f->why, c, &n), ERR_OK, "");
    assert_int_equal(n, 2);
    assert_true(c[0].is_ca && c[1].is_ca);
    assert_string_equal(c[0].uri, "");
    expect(f, cert_issued_by(file(f, "agents/web-1.pem"), file(f, "fleet-ca.pem"), file(f, "fleet.crl"), f->why, sizeof f->why), ERR_OK, "");
}

static void a_key_fits_its_own_certificate_only(void **state) {
    struct fixture *f = *state;
    expect(f, cert_key_fits(file(f, "agents/web-1.pem"), file(f, "agents/web-1.key"), f->why, sizeof f->why), ERR_OK, "");
    expect(f, cert_key_fits(file(f, "agents/web-1.pem"), file(f, "agents/web-2.key"), f->why, sizeof f->why), ERR_UNTRUSTED,
           "is not the key of the certificate");
    expect(f, cert_key_fits(file(f, "agents/web-1.pem"), file(f, "agents/web-2.pem"), f->why, sizeof f->why), ERR_SYNTAX, "has no private key");
    expect(f, cert_key_fits(file(f, "agents/web-1.pem"), file(f, "agents/none.key"), f->why, sizeof f->why), ERR_SYS, "No such file");
    expect(f, cert_key_fits(file(f, "agents/none.pem"), file(f, "agents/web-1.key"), f->why, sizeof f->why), ERR_SYS, "No such file");
}

static void the_issuer_and_a_revocation_are_told_apart(void **state) {
    struct fixture *f = *state;
    const char *crl = file(f, "fleet.crl"), *ca = file(f, "fleet-ca.pem");
    expect(f, cert_issued_by(file(f, "agents/web-1.pem"), ca, NULL, f->why, sizeof f->why), ERR_OK, "");
    expect(f, cert_issued_by(file(f, "agents/web-1.pem"), ca, crl, f->why, sizeof f->why), ERR_OK, "");
    expect(f, cert_issued_by(file(f, "operators/ann.pem"), ca, NULL, f->why, sizeof f->why), ERR_UNTRUSTED, "was not issued by a CA in");
    expect(f, cert_issued_by(file(f, "agents/web-1.pem"), ca, file(f, "operators.crl"), f->why, sizeof f->why), ERR_UNTRUSTED,
           "has no list of the CA");
    ca_revoke(&f->ca, "agents/web-1.pem");
    expect(f, cert_issued_by(file(f, "agents/web-1.pem"), ca, crl, f->why, sizeof f->why), ERR_UNTRUSTED, "was revoked");
    expect(f, cert_issued_by(file(f, "agents/web-1.pem"), ca, NULL, f->why, sizeof f->why), ERR_OK, "");
}

static void the_end_of_the_first_list_counts(void **state) {
    struct fixture *f = *state;
    uint64_t end = 7;
    ca_run(&f->ca, "crl", "--days", "9", NULL);
    expect(f, cert_crl_end(file(f, "fleet.crl"), f->why, sizeof f->why, &end), ERR_OK, "");
    int64_t days = cert_days_left(end, clock_wall_ns());
    assert_in_range(days, 8, 9);
    end = 7;
    expect(f, cert_crl_end(file(f, "fleet-ca.pem"), f->why, sizeof f->why, &end), ERR_SYNTAX, "has no revocation list");
    expect(f, cert_crl_end(file(f, "none.crl"), f->why, sizeof f->why, &end), ERR_SYS, "No such file");
    assert_int_equal(end, 7);
}

static void days_are_whole_and_the_past_is_negative(void **state) {
    (void)state;
    const uint64_t day = 86400 * NS_PER_S, now = 1000 * day;
    assert_int_equal(cert_days_left(now + 30 * day - 1, now), 29);
    assert_int_equal(cert_days_left(now, now), 0);
    assert_int_equal(cert_days_left(now - 1, now), -1);
    assert_int_equal(cert_days_left(now - day, now), -1);
    assert_int_equal(cert_days_left(now - day - 1, now), -2);
}

static void only_what_ends_within_thirty_days_is_worth_a_word(void **state) {
    struct fixture *f = *state;
    const uint64_t day = 86400 * NS_PER_S, now = clock_wall_ns();
    uint64_t end = 7;
    ca_run(&f->ca, "agent", "soon", "--days", "29", NULL);
    assert_false(cert_is_ending(file(f, "agents/web-1.pem"), CERT_OWN, now, &end));
    assert_false(cert_is_ending(file(f, "agents/none.pem"), CERT_OWN, now, &end));
    assert_false(cert_is_ending(file(f, "none.crl"), CERT_LIST, now, &end));
    assert_false(cert_is_ending(file(f, "fleet-ca.pem"), CERT_CA, now, &end));
    assert_int_equal(end, 7);
    assert_true(cert_is_ending(file(f, "agents/soon.pem"), CERT_OWN, now, &end));
    assert_in_range(end, now + 28 * day, now + 29 * day + 600 * NS_PER_S); /* its making took a moment */
    assert_true(cert_is_ending(file(f, "fleet.crl"), CERT_LIST, now + 340 * day, &end));
    assert_true(cert_is_ending(file(f, "fleet-ca.pem"), CERT_CA, now + 3640 * day, &end));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_certificate_says_who_it_is_and_how_long, setup, teardown),
        cmocka_unit_test_setup_teardown(both_cas_of_a_change_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_fits_its_own_certificate_only, setup, teardown),
        cmocka_unit_test_setup_teardown(the_issuer_and_a_revocation_are_told_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_of_the_first_list_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(only_what_ends_within_thirty_days_is_worth_a_word, setup, teardown),
        cmocka_unit_test(days_are_whole_and_the_past_is_negative),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
