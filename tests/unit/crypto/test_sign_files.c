/* Keys, certificates, CAs and revocation lists as files: what is taken, what is refused and in which words. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/crypto/sign.h"
#include "tests/support/ca.h"
#include "tests/unit/crypto/made.h"

struct fixture {
    struct ca ca;
    char why[512];
};

static int setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    ca_make(&f->ca, "prod");
    ca_operator(&f->ca, "ann");
    ca_operator(&f->ca, "bob");
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    ca_done(&f->ca);
    free(f);
    return 0;
}

static const char *text_file(struct fixture *f, const char *name, const char *text) {
    const char *path = ca_file(&f->ca, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    return path;
}

static void load(struct fixture *f, const char *cert, const char *key, enum err want, const char *why) {
    struct signer *s = NULL;
    snprintf(f->why, sizeof f->why, "nothing");
    enum err e = sign_load(ca_file(&f->ca, cert), ca_file(&f->ca, key), f->why, sizeof f->why, &s);
    if (e != want || !strstr(f->why, why)) fail_msg("%s \"%s\" instead of %s \"%s\"", err_name(e), f->why, err_name(want), why);
    assert_int_equal(s == NULL, want != ERR_OK);
    sign_free(s);
}

static void load_trust(struct fixture *f, const char *ca, const char *crl, enum err want, const char *why) {
    struct trust *t = NULL;
    snprintf(f->why, sizeof f->why, "nothing");
    enum err e = sign_trust_load(ca_file(&f->ca, ca), crl ? ca_file(&f->ca, crl) : NULL, f->why, sizeof f->why, &t);
    if (e != want || !strstr(f->why, why)) fail_msg("%s \"%s\" instead of %s \"%s\"", err_name(e), f->why, err_name(want), why);
    assert_int_equal(t == NULL, want != ERR_OK);
    sign_trust_free(t);
}

static void a_signer_knows_its_name_and_its_end(void **state) {
    struct fixture *f = *state;
    struct signer *s = NULL;
    assert_int_equal(sign_load(ca_file(&f->ca, "operators/ann.pem"), ca_file(&f->ca, "operators/ann.key"), NULL, 0, &s), ERR_OK);
    struct span uri = sign_uri(s);
    assert_true(span_eq_str(uri, "spiffe://prod/operator/ann/runner"));
    uint64_t days = (sign_expires_wall_ns(s) - clock_wall_ns() + 3600 * NS_PER_S) / NS_PER_S / 86400;
    assert_int_equal(days, 90);
    sign_free(s);
}

static void missing_files_are_named(void **state) {
    struct fixture *f = *state;
    load(f, "operators/none.pem", "operators/ann.key", ERR_SYS, "operators/none.pem cannot be read: No such file");
    assert_int_equal(errno, ENOENT);
    load(f, "operators/ann.pem", "operators/none.key", ERR_SYS, "operators/none.key cannot be read: No such file");
    assert_int_equal(errno, ENOENT);
    load_trust(f, "none.pem", NULL, ERR_SYS, "none.pem cannot be read: No such file");
    load_trust(f, "operators-ca.pem", "none.crl", ERR_SYS, "none.crl cannot be read: No such file");
}

static void a_key_that_others_can_read_is_refused(void **state) {
    struct fixture *f = *state;
    const char *key = ca_file(&f->ca, "operators/ann.key");
    static const mode_t open_modes[] = {0640, 0604, 0620, 0602, 0610, 0601, 0666};
    for (size_t i = 0; i < COUNT_OF(open_modes); i++) {
        assert_int_equal(chmod(key, open_modes[i]), 0);
        load(f, "operators/ann.pem", "operators/ann.key", ERR_UNTRUSTED, "can be read or changed by others");
    }
    assert_int_equal(chmod(key, 0400), 0);
    load(f, "operators/ann.pem", "operators/ann.key", ERR_OK, "nothing");
    assert_int_equal(chmod(key, 0600), 0);
}

static void a_key_must_be_its_certificates(void **state) {
    struct fixture *f = *state;
    load(f, "operators/ann.pem", "operators/bob.key", ERR_UNTRUSTED, "operators/bob.key is not the key of the certificate");
}

static void what_is_not_pem_is_said_to_be_none(void **state) {
    struct fixture *f = *state;
    text_file(f, "empty", "");
    text_file(f, "text", "hello\n");
    text_file(f, "torn", "-----BEGIN CERTIFICATE-----\nMIIB\n");
    text_file(f, "bad64", "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n");
    text_file(f, "badder", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
    text_file(f, "badkey", "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n");
    text_file(f, "badcrl", "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n");
    load(f, "empty", "operators/ann.key", ERR_SYNTAX, "empty has no certificate");
    load(f, "text", "operators/ann.key", ERR_SYNTAX, "text has no certificate");
    load(f, "torn", "operators/ann.key", ERR_SYNTAX, "certificate 1 is damaged");
    load(f, "bad64", "operators/ann.key", ERR_SYNTAX, "certificate 1 is damaged");
    load(f, "badder", "operators/ann.key", ERR_SYNTAX, "certificate 1 is damaged");
    load(f, "operators/ann.pem", "empty", ERR_SYNTAX, "empty has no private key");
    load(f, "operators/ann.pem", "operators/ann.pem", ERR_UNTRUSTED, "can be read");
    load(f, "operators/ann.pem", "badkey", ERR_SYNTAX, "badkey has no private key that can be read");
    load(f, "operators/ann.pem", "agents", ERR_SYS, "cannot be read");
    load(f, "operators/ann.pem", "operators", ERR_SYNTAX, "is not a file");
    load_trust(f, "operators-ca.pem", "empty", ERR_SYNTAX, "empty has no revocation list");
    load_trust(f, "operators-ca.pem", "badcrl", ERR_SYNTAX, "revocation list 1 is damaged");
    load_trust(f, "text", NULL, ERR_SYNTAX, "text has no certificate");
}

static void a_key_behind_a_password_is_refused(void **state) {
    struct fixture *f = *state;
    struct made m = made_certificate(&(struct made_wish){0});
    made_write(&m, ca_file(&f->ca, "locked.pem"), ca_file(&f->ca, "locked.key"));
    FILE *out = fopen(ca_file(&f->ca, "locked.key"), "we");
    assert_non_null(out);
    unsigned char word[] = "secret";
    assert_true(PEM_write_PrivateKey(out, m.key, EVP_aes_128_cbc(), word, 6, NULL, NULL));
    fclose(out);
    load(f, "locked.pem", "locked.key", ERR_UNTRUSTED, "locked.key is protected by a password");
    made_free(&m);
}

static void keys_and_names_of_other_kinds_are_refused(void **state) {
    struct fixture *f = *state;
    static const struct {
        struct made_wish wish;
        const char *why;
    } odds[] = {
        {{.curve = "P-384"}, "neither an ECDSA P-256 nor an Ed25519 key"},
        {{.curve = "RSA"}, "neither an ECDSA P-256 nor an Ed25519 key"},
        {{.san = ""}, "not exactly one name"},
        {{.san = "URI:spiffe://prod/operator/ann,URI:spiffe://prod/operator/bob"}, "not exactly one name"},
        {{.san = "URI:spiffe://prod/operator/\xc3\xa4"}, "not exactly one name"},
    };
    for (size_t i = 0; i < COUNT_OF(odds); i++) {
        struct made m = made_certificate(&odds[i].wish);
        made_write(&m, ca_file(&f->ca, "odd.pem"), ca_file(&f->ca, "odd.key"));
        load(f, "odd.pem", "odd.key", ERR_UNTRUSTED, odds[i].why);
        made_free(&m);
    }
}

static void a_ca_file_holds_cas_only(void **state) {
    struct fixture *f = *state;
    load_trust(f, "operators/ann.pem", NULL, ERR_UNTRUSTED, "certificate 1 is not a CA's");
    load_trust(f, "operators-ca.pem", "operators.crl", ERR_OK, "nothing");
    ca_run(&f->ca, "rotate", "operators", NULL);
    load_trust(f, "operators-ca.pem", "operators.crl", ERR_OK, "nothing");
    for (int i = 0; i < 3; i++) ca_run(&f->ca, "rotate", "operators", NULL);
    load_trust(f, "operators-ca.pem", "operators.crl", ERR_LIMIT, "more than 4 certificates");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signer_knows_its_name_and_its_end),       cmocka_unit_test(missing_files_are_named),
        cmocka_unit_test(a_key_that_others_can_read_is_refused),     cmocka_unit_test(a_key_must_be_its_certificates),
        cmocka_unit_test(what_is_not_pem_is_said_to_be_none),        cmocka_unit_test(a_key_behind_a_password_is_refused),
        cmocka_unit_test(keys_and_names_of_other_kinds_are_refused), cmocka_unit_test(a_ca_file_holds_cas_only),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
