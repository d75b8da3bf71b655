#include "common/crypto/sign_trust.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "common/base/clock.h"

struct trust {
    X509_STORE *store;
};

/* Nothing weaker than 112 bits, and no SHA-1, anywhere in a chain. */
enum { SECURITY_LEVEL = 2 };

static void free_context(X509_STORE_CTX *c) { X509_STORE_CTX_free(c); }
AUTO_TYPE(X509_STORE_CTX, free_context)

void sign_trust_free(struct trust *t) {
    if (!t) return;
    X509_STORE_free(t->store);
    free(t);
}

static enum err no_memory(char *why, size_t why_size) {
    ERR_clear_error();
    snprintf(why, why_size, "out of memory");
    return ERR_NOMEM;
}

enum err sign_trust_load(const char *ca_pem, const char *crl_pem, char *why, size_t why_size, struct trust **out) {
    AUTO(sign_pem_free_stack) sign_stack *cas = NULL;
    enum err e = sign_pem_certificates(ca_pem, why, why_size, &cas);
    if (e) return e;
    AUTO(sign_trust_free) struct trust *t = calloc(1, sizeof *t);
    if (!t) return no_memory(why, why_size);
    t->store = X509_STORE_new();
    if (!t->store) return no_memory(why, why_size);
    for (int i = 0; i < sk_X509_num(cas); i++) {
        X509 *ca = sk_X509_value(cas, i);
        if (X509_check_ca(ca) != 1) {
            snprintf(why, why_size, "%s: certificate %d is not a CA's", ca_pem, i + 1);
            return ERR_UNTRUSTED;
        }
        if (!X509_STORE_add_cert(t->store, ca)) return no_memory(why, why_size);
    }
    if (crl_pem) {
        e = sign_pem_crls(crl_pem, why, why_size, t->store);
        if (e) return e;
        if (!X509_STORE_set_flags(t->store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL)) return no_memory(why, why_size);
    }
    *out = TAKE(t);
    return ERR_OK;
}

/* "2026-11-23", or "an unknown day". */
static const char *day(const ASN1_TIME *when, char out[32]) {
    struct tm tm;
    if (!ASN1_TIME_to_tm(when, &tm)) return "an unknown day";
    snprintf(out, 32, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    return out;
}

static enum err explain(X509_STORE_CTX *c, char *why, size_t why_size) {
    int code = X509_STORE_CTX_get_error(c);
    X509 *at = X509_STORE_CTX_get_current_cert(c);
    const char *whose = X509_STORE_CTX_get_error_depth(c) ? "its CA's" : "the operator's";
    char text[32];
    switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        snprintf(why, why_size, "%s certificate expired on %s", whose, at ? day(X509_get0_notAfter(at), text) : "an unknown day");
        return ERR_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        snprintf(why, why_size, "%s certificate is valid only from %s on", whose,
                 at ? day(X509_get0_notBefore(at), text) : "an unknown day");
        return ERR_EXPIRED;
    case X509_V_ERR_CRL_HAS_EXPIRED:
        snprintf(why, why_size, "the operators' revocation list here has expired: a new one is needed");
        return ERR_EXPIRED;
    case X509_V_ERR_CRL_NOT_YET_VALID:
        snprintf(why, why_size, "the operators' revocation list here is from the future: is the clock right?");
        return ERR_EXPIRED;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
        snprintf(why, why_size, "the revocation list here does not cover the CA that signed %s certificate", whose);
        return ERR_UNTRUSTED;
    case X509_V_ERR_CERT_REVOKED:
        snprintf(why, why_size, "%s certificate was revoked", whose);
        return ERR_UNTRUSTED;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        snprintf(why, why_size, "the operator's certificate is signed by an unknown CA");
        return ERR_UNTRUSTED;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        snprintf(why, why_size, "%s certificate was altered", whose);
        return ERR_UNTRUSTED;
    case X509_V_ERR_INVALID_PURPOSE:
        snprintf(why, why_size, "%s certificate is not meant for this", whose);
        return ERR_UNTRUSTED;
    case X509_V_ERR_OUT_OF_MEM:
        return no_memory(why, why_size);
    default:
        snprintf(why, why_size, "%s certificate does not verify: %s", whose, X509_verify_cert_error_string(code));
        return ERR_UNTRUSTED;
    }
}

enum err sign_trust_check(const struct trust *t, uint64_t wall_ns, sign_stack *chain, char *why, size_t why_size) {
    X509 *own = sk_X509_value(chain, 0);
    AUTO(free_context) X509_STORE_CTX *c = X509_STORE_CTX_new();
    if (!c || !X509_STORE_CTX_init(c, t->store, own, chain) || !X509_STORE_CTX_set_purpose(c, X509_PURPOSE_SSL_CLIENT))
        return no_memory(why, why_size);
    X509_VERIFY_PARAM *how = X509_STORE_CTX_get0_param(c);
    X509_VERIFY_PARAM_set_time(how, (time_t)(wall_ns / NS_PER_S));
    X509_VERIFY_PARAM_set_auth_level(how, SECURITY_LEVEL);
    X509_VERIFY_PARAM_set_depth(how, SIGN_CERTIFICATES_MAX);
    int good = X509_verify_cert(c);
    ERR_clear_error();
    if (good != 1) return explain(c, why, why_size);
    if (!(X509_get_key_usage(own) & KU_DIGITAL_SIGNATURE)) {
        snprintf(why, why_size, "the operator's certificate is not meant for signatures");
        return ERR_UNTRUSTED;
    }
    return ERR_OK;
}
