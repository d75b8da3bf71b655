#include "common/crypto/cert.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/num.h"
#include "common/crypto/sign_pem.h"

static void close_file(FILE *f) { fclose(f); }
AUTO_TYPE(FILE, close_file)
static void free_crl(X509_CRL *crl) { X509_CRL_free(crl); }
AUTO_TYPE(X509_CRL, free_crl)
static void free_store(X509_STORE *s) { X509_STORE_free(s); }
AUTO_TYPE(X509_STORE, free_store)
static void free_context(X509_STORE_CTX *c) { X509_STORE_CTX_free(c); }
AUTO_TYPE(X509_STORE_CTX, free_context)

static enum err no_memory(char *why, size_t why_size) {
    ERR_clear_error();
    snprintf(why, why_size, "out of memory");
    return ERR_NOMEM;
}

static uint64_t wall_ns_of(const ASN1_TIME *when) {
    struct tm tm;
    time_t t = when && ASN1_TIME_to_tm(when, &tm) ? timegm(&tm) : 0;
    ERR_clear_error();
    return t > 0 ? num_sat_mul((uint64_t)t, NS_PER_S) : 0;
}

enum err cert_read(const char *pem, char *why, size_t why_size, struct cert out[SIGN_CERTIFICATES_MAX], size_t *out_n) {
    AUTO(sign_pem_free_stack) sign_stack *all = NULL;
    enum err e = sign_pem_certificates(pem, why, why_size, &all);
    if (e) return e;
    int n = sk_X509_num(all);
    for (int i = 0; i < n; i++) {
        X509 *one = sk_X509_value(all, i);
        out[i] = (struct cert){.not_before_wall_ns = wall_ns_of(X509_get0_notBefore(one)),
                               .not_after_wall_ns = wall_ns_of(X509_get0_notAfter(one)),
                               .is_ca = X509_check_ca(one) == 1};
        if (sign_pem_uri(one, out[i].uri, sizeof out[i].uri) != ERR_OK) out[i].uri[0] = '\0';
    }
    ERR_clear_error();
    *out_n = (size_t)n;
    return ERR_OK;
}

/* The modes that sign_pem_key insists on are an operator's; an agent's key may be its group's. */
static enum err read_key(const char *path, char *why, size_t why_size, EVP_PKEY **out) {
    AUTO(close_file) FILE *f = fopen(path, "re");
    if (!f) {
        snprintf(why, why_size, "%s cannot be read: %s", path, strerror(errno));
        return ERR_SYS;
    }
    *out = PEM_read_PrivateKey(f, NULL, sign_pem_no_password, NULL);
    ERR_clear_error();
    if (*out) return ERR_OK;
    snprintf(why, why_size, "%s has no private key that can be read without a password", path);
    return ERR_SYNTAX;
}

enum err cert_key_fits(const char *cert_pem, const char *key_pem, char *why, size_t why_size) {
    AUTO(sign_pem_free_stack) sign_stack *all = NULL;
    AUTO(EVP_PKEY_free) EVP_PKEY *key = NULL;
    enum err e = sign_pem_certificates(cert_pem, why, why_size, &all);
    if (!e) e = read_key(key_pem, why, why_size, &key);
    if (e) return e;
    int fits = X509_check_private_key(sk_X509_value(all, 0), key);
    ERR_clear_error();
    if (fits == 1) return ERR_OK;
    snprintf(why, why_size, "%s is not the key of the certificate %s", key_pem, cert_pem);
    return ERR_UNTRUSTED;
}

static enum err load_store(const char *ca_pem, const char *crl_pem, char *why, size_t why_size, X509_STORE *store) {
    AUTO(sign_pem_free_stack) sign_stack *cas = NULL;
    enum err e = sign_pem_certificates(ca_pem, why, why_size, &cas);
    if (e) return e;
    for (int i = 0; i < sk_X509_num(cas); i++)
        if (!X509_STORE_add_cert(store, sk_X509_value(cas, i))) return no_memory(why, why_size);
    return crl_pem ? sign_pem_crls(crl_pem, why, why_size, store) : ERR_OK;
}

enum err cert_issued_by(const char *cert_pem, const char *ca_pem, const char *crl_pem, char *why, size_t why_size) {
    AUTO(sign_pem_free_stack) sign_stack *all = NULL;
    enum err e = sign_pem_certificates(cert_pem, why, why_size, &all);
    if (e) return e;
    AUTO(free_store) X509_STORE *store = X509_STORE_new();
    if (!store) return no_memory(why, why_size);
    e = load_store(ca_pem, crl_pem, why, why_size, store);
    if (e) return e;
    AUTO(free_context) X509_STORE_CTX *c = X509_STORE_CTX_new();
    if (!c || !X509_STORE_CTX_init(c, store, sk_X509_value(all, 0), all)) return no_memory(why, why_size);
    X509_STORE_CTX_set_flags(c, X509_V_FLAG_NO_CHECK_TIME | (crl_pem ? X509_V_FLAG_CRL_CHECK : 0));
    int good = X509_verify_cert(c), code = X509_STORE_CTX_get_error(c);
    ERR_clear_error();
    if (good == 1) return ERR_OK;
    if (code == X509_V_ERR_CERT_REVOKED)
        snprintf(why, why_size, "%s was revoked: %s names it", cert_pem, crl_pem);
    else if (code == X509_V_ERR_UNABLE_TO_GET_CRL)
        snprintf(why, why_size, "%s has no list of the CA that issued %s", crl_pem, cert_pem);
    else
        snprintf(why, why_size, "%s was not issued by a CA in %s", cert_pem, ca_pem);
    return ERR_UNTRUSTED;
}

enum err cert_crl_end(const char *crl_pem, char *why, size_t why_size, uint64_t *out_wall_ns) {
    AUTO(free_store) X509_STORE *unused = X509_STORE_new();
    if (!unused) return no_memory(why, why_size);
    enum err e = sign_pem_crls(crl_pem, why, why_size, unused); /* says what is wrong with the file */
    if (e) return e;
    AUTO(close_file) FILE *f = fopen(crl_pem, "re");
    uint64_t first = UINT64_MAX;
    for (bool more = f != NULL; more;) {
        AUTO(free_crl) X509_CRL *crl = PEM_read_X509_CRL(f, NULL, NULL, NULL);
        more = crl != NULL;
        uint64_t end = crl ? wall_ns_of(X509_CRL_get0_nextUpdate(crl)) : 0;
        if (end && end < first) first = end;
    }
    ERR_clear_error();
    *out_wall_ns = first;
    return ERR_OK;
}

int64_t cert_days_left(uint64_t then_wall_ns, uint64_t now_wall_ns) {
    const uint64_t day = 86400 * NS_PER_S;
    if (then_wall_ns >= now_wall_ns) return (int64_t)((then_wall_ns - now_wall_ns) / day);
    return -(int64_t)((now_wall_ns - then_wall_ns + day - 1) / day);
}

static uint64_t end_of(const char *pem, enum cert_kind kind) {
    struct cert all[SIGN_CERTIFICATES_MAX];
    size_t n = 0;
    uint64_t end = 0;
    if (kind == CERT_LIST) return cert_crl_end(pem, NULL, 0, &end) == ERR_OK ? end : UINT64_MAX;
    if (cert_read(pem, NULL, 0, all, &n) != ERR_OK) return UINT64_MAX;
    for (size_t i = 0; i < (kind == CERT_OWN ? 1 : n); i++)
        if (all[i].not_after_wall_ns > end) end = all[i].not_after_wall_ns;
    return end;
}

bool cert_is_ending(const char *pem, enum cert_kind kind, uint64_t now_wall_ns, uint64_t *out_end_wall_ns) {
    uint64_t end = end_of(pem, kind);
    if (end == UINT64_MAX || cert_days_left(end, now_wall_ns) >= CERT_WARN_DAYS) return false;
    *out_end_wall_ns = end;
    return true;
}
