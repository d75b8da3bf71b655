#include "common/crypto/sign.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/num.h"
#include "common/crypto/sign_trust.h"

struct signer {
    EVP_PKEY *key;
    sign_stack *chain;
    char uri[SIGN_URI_BYTES];
};

static void free_digest(EVP_MD_CTX *c) { EVP_MD_CTX_free(c); }
AUTO_TYPE(EVP_MD_CTX, free_digest)

static enum err no_memory(char *why, size_t why_size) {
    ERR_clear_error();
    snprintf(why, why_size, "out of memory");
    return ERR_NOMEM;
}

void sign_free(struct signer *s) {
    if (!s) return;
    EVP_PKEY_free(s->key);
    sign_pem_free_stack(s->chain);
    free(s);
}

enum err sign_load(const char *cert_pem, const char *key_pem, char *why, size_t why_size, struct signer **out) {
    AUTO(sign_free) struct signer *s = calloc(1, sizeof *s);
    if (!s) return no_memory(why, why_size);
    enum err e = sign_pem_certificates(cert_pem, why, why_size, &s->chain);
    if (!e) e = sign_pem_key(key_pem, why, why_size, &s->key);
    if (e) return e;
    X509 *own = sk_X509_value(s->chain, 0);
    if (!sign_pem_key_is_ours(s->key)) {
        snprintf(why, why_size, "%s is neither an ECDSA P-256 nor an Ed25519 key", key_pem);
        return ERR_UNTRUSTED;
    }
    int match = X509_check_private_key(own, s->key);
    ERR_clear_error();
    if (match != 1) {
        snprintf(why, why_size, "%s is not the key of the certificate %s", key_pem, cert_pem);
        return ERR_UNTRUSTED;
    }
    e = sign_pem_uri(own, s->uri, sizeof s->uri);
    if (e) {
        snprintf(why, why_size, "%s says not exactly one name (SAN URI)", cert_pem);
        return e;
    }
    *out = TAKE(s);
    return ERR_OK;
}

/* Ed25519 has no digest of its own choice. */
static const char *digest_for(const EVP_PKEY *key) { return EVP_PKEY_is_a(key, "ED25519") ? NULL : "SHA256"; }

/* Both key types are used in one shot, which Ed25519 demands. */
static void join(struct buf *b, struct span domain, struct span bytes) {
    buf_add(b, domain);
    buf_add(b, bytes);
}

enum err sign_bytes(const struct signer *s, struct span domain, struct span bytes, struct buf *out_signature) {
    __attribute__((cleanup(buf_done))) struct buf text;
    buf_init(&text, 0);
    join(&text, domain, bytes);
    AUTO(free_digest) EVP_MD_CTX *c = EVP_MD_CTX_new();
    if (!c || buf_failed(&text)) return ERR_NOMEM;
    unsigned char signature[SIGN_SIGNATURE_BYTES];
    size_t n = sizeof signature;
    int good = EVP_DigestSignInit_ex(c, NULL, digest_for(s->key), NULL, NULL, s->key, NULL) == 1 &&
               EVP_DigestSign(c, signature, &n, (const unsigned char *)buf_span(&text).p, text.n) == 1;
    ERR_clear_error();
    /* The key was checked when it was loaded: only memory is left to fail, and then OpenSSL 3.0 may call a length of -1 good. */
    if (!good || n == 0 || n > sizeof signature) return ERR_NOMEM;
    buf_add(out_signature, span_of((const char *)signature, n));
    return buf_failed(out_signature);
}

enum err sign_chain(const struct signer *s, struct buf *out) {
    for (int i = 0; i < sk_X509_num(s->chain); i++) {
        unsigned char *der = NULL;
        int n = i2d_X509(sk_X509_value(s->chain, i), &der);
        if (n <= 0) {
            ERR_clear_error();
            return ERR_NOMEM;
        }
        const char length[4] = {(char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n};
        buf_add(out, span_of(length, sizeof length));
        buf_add(out, span_of((const char *)der, (size_t)n));
        OPENSSL_free(der);
    }
    return buf_failed(out);
}

struct span sign_uri(const struct signer *s) {
    return span_str(s->uri);
}

uint64_t sign_expires_wall_ns(const struct signer *s) {
    struct tm tm;
    int good = ASN1_TIME_to_tm(X509_get0_notAfter(sk_X509_value(s->chain, 0)), &tm);
    ERR_clear_error();
    time_t t = good ? timegm(&tm) : 0;
    return t > 0 ? num_sat_mul((uint64_t)t, NS_PER_S) : 0;
}

/* One certificate off the front of *rest. */
static enum err next_certificate(struct span *rest, X509 **out) {
    if (rest->n < 4) return ERR_SYNTAX;
    const unsigned char *p = (const unsigned char *)rest->p;
    uint32_t n = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    struct span body = span_drop(*rest, 4);
    if (n == 0 || n > body.n) return ERR_SYNTAX;
    const unsigned char *at = (const unsigned char *)body.p;
    AUTO(X509_free) X509 *one = d2i_X509(NULL, &at, (long)n);
    ERR_clear_error();
    if (!one || at != (const unsigned char *)body.p + n) return ERR_SYNTAX;
    *rest = span_drop(body, n);
    *out = TAKE(one);
    return ERR_OK;
}

static enum err read_chain(struct span chain, sign_stack *into) {
    do {
        if (sk_X509_num(into) == SIGN_CERTIFICATES_MAX) return ERR_LIMIT;
        AUTO(X509_free) X509 *one = NULL;
        enum err e = next_certificate(&chain, &one);
        if (e) return e;
        if (sk_X509_push(into, one) <= 0) return ERR_NOMEM;
        TAKE(one);
    } while (chain.n);
    return ERR_OK;
}

static enum err check_signature(X509 *own, struct span domain, struct span bytes, struct span signature, char *why, size_t why_size) {
    EVP_PKEY *key = X509_get0_pubkey(own);
    if (!key || !sign_pem_key_is_ours(key)) {
        ERR_clear_error();
        snprintf(why, why_size, "the operator's key is neither ECDSA P-256 nor Ed25519");
        return ERR_UNTRUSTED;
    }
    __attribute__((cleanup(buf_done))) struct buf text;
    buf_init(&text, 0);
    join(&text, domain, bytes);
    AUTO(free_digest) EVP_MD_CTX *c = EVP_MD_CTX_new();
    if (!c || buf_failed(&text) || EVP_DigestVerifyInit_ex(c, NULL, digest_for(key), NULL, NULL, key, NULL) != 1)
        return no_memory(why, why_size);
    int good = EVP_DigestVerify(c, (const unsigned char *)signature.p, signature.n, (const unsigned char *)buf_span(&text).p, text.n);
    ERR_clear_error();
    if (good == 1) return ERR_OK;
    snprintf(why, why_size, "the signature does not match");
    return ERR_UNTRUSTED;
}

enum err sign_verify(const struct trust *t, uint64_t wall_ns, struct span domain, struct span bytes, struct span signature,
                     struct span chain, char *out_uri, size_t uri_size, char *why, size_t why_size) {
    AUTO(sign_pem_free_stack) sign_stack *certificates = sk_X509_new_null();
    if (!certificates) return no_memory(why, why_size);
    enum err e = read_chain(chain, certificates);
    if (e == ERR_NOMEM) return no_memory(why, why_size);
    if (e) {
        snprintf(why, why_size, e == ERR_LIMIT ? "the order carries too many certificates" : "the operator's certificate cannot be read");
        return e;
    }
    X509 *own = sk_X509_value(certificates, 0);
    char uri[SIGN_URI_BYTES];
    e = sign_trust_check(t, wall_ns, certificates, why, why_size);
    if (!e) e = check_signature(own, domain, bytes, signature, why, why_size);
    if (e) return e;
    e = sign_pem_uri(own, uri, sizeof uri);
    if (e || strlen(uri) >= uri_size) {
        snprintf(why, why_size, "the operator's certificate says not exactly one name (SAN URI)");
        return ERR_UNTRUSTED;
    }
    memcpy(out_uri, uri, strlen(uri) + 1);
    return ERR_OK;
}
