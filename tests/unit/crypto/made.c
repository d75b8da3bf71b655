#include "tests/unit/crypto/made.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void extend(X509 *x, X509 *issuer, int nid, const char *value) {
    X509V3_CTX how;
    X509V3_set_ctx(&how, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &how, nid, value);
    assert_non_null(e);
    assert_true(X509_add_ext(x, e, -1));
    X509_EXTENSION_free(e);
}

static void name(X509 *x, const char *cn) {
    X509_NAME *n = X509_get_subject_name(x);
    assert_true(X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0));
}

static void name_and_time(X509 *x, const char *cn) {
    static long serial = 1;
    assert_true(X509_set_version(x, X509_VERSION_3));
    assert_true(ASN1_INTEGER_set(X509_get_serialNumber(x), serial++));
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), -3600));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 3600L * 24));
    name(x, cn);
}

struct made made_certificate(const struct made_wish *w) {
    struct made m = {0};
    const char *curve = w->curve ? w->curve : "P-256";
    m.key = strcmp(curve, "RSA") == 0 ? EVP_RSA_gen(2048) : EVP_EC_gen(curve);
    m.certificate = X509_new();
    assert_non_null(m.key);
    assert_non_null(m.certificate);
    X509 *x = m.certificate;
    const struct made *issuer = w->issuer ? w->issuer : &m;
    name_and_time(x, w->name ? w->name : "test");
    assert_true(X509_set_issuer_name(x, X509_get_subject_name(issuer->certificate)));
    assert_true(X509_set_pubkey(x, m.key));
    extend(x, issuer->certificate, NID_basic_constraints, w->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    extend(x, issuer->certificate, NID_key_usage,
           w->usage ? w->usage
           : w->ca  ? "critical,keyCertSign,cRLSign"
                    : "critical,digitalSignature");
    extend(x, issuer->certificate, NID_subject_key_identifier, "hash");
    if (!w->ca) extend(x, issuer->certificate, NID_ext_key_usage, w->purpose ? w->purpose : "clientAuth");
    const char *san = w->san ? w->san : "URI:spiffe://prod/operator/ann";
    if (!w->ca && *san) extend(x, issuer->certificate, NID_subject_alt_name, san);
    assert_true(X509_sign(x, issuer->key, EVP_get_digestbyname(w->digest ? w->digest : "SHA256")));
    return m;
}

void made_free(struct made *m) {
    EVP_PKEY_free(m->key);
    X509_free(m->certificate);
    *m = (struct made){0};
}

void made_write(const struct made *m, const char *cert_pem, const char *key_pem) {
    FILE *f = fopen(cert_pem, "we");
    assert_non_null(f);
    assert_true(PEM_write_X509(f, m->certificate));
    fclose(f);
    if (!key_pem) return;
    int fd = open(key_pem, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    f = fdopen(fd, "w");
    assert_non_null(f);
    assert_true(PEM_write_PrivateKey(f, m->key, NULL, NULL, 0, NULL, NULL));
    fclose(f);
}
