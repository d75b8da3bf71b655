#include "common/net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "common/net/crl.h"

enum { URI_BYTES = 512, RECORD_BYTES = 8160 };

static enum err say(enum err e, char *why, size_t size, const char *file, const char *what) {
    snprintf(why, size, "%s: %s", file, what);
    return e;
}

static enum err say_openssl(enum err e, char *why, size_t size, const char *file, const char *what) {
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    snprintf(why, size, "%s: %s%s%s", file, what, reason ? ": " : "", reason ? reason : "");
    ERR_clear_error();
    return e;
}

const char *tls_fault_text(int error) {
    switch (error) {
    case X509_V_ERR_CERT_REVOKED:
        return "certificate revoked";
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return "certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "certificate is not valid yet";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return "certificate is not from a CA that is trusted here";
    case X509_V_ERR_INVALID_PURPOSE:
        return "certificate may not be used for this side of a connection";
    case X509_V_ERR_HOSTNAME_MISMATCH:
        return "certificate does not name the host that was dialled";
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return "certificate does not name the address that was dialled";
    case X509_V_ERR_UNABLE_TO_GET_CRL:
        return "there is no revocation list of the certificate's CA here";
    case X509_V_ERR_CRL_HAS_EXPIRED:
        return "the revocation list here is out of date";
    case X509_V_ERR_CRL_NOT_YET_VALID:
        return "the revocation list here is from the future: is the clock right?";
    default:
        return X509_verify_cert_error_string(error);
    }
}

enum err tls_fault_err(int error) { return error == X509_V_ERR_CERT_HAS_EXPIRED ? ERR_EXPIRED : ERR_UNTRUSTED; }

/* The certificate's one SAN URI; bytes live in names. */
static struct span uri_of(const GENERAL_NAMES *names) {
    struct span found = SPAN_NONE;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
        if (g->type != GEN_URI) continue;
        if (found.p) return SPAN_NONE;
        const ASN1_IA5STRING *s = g->d.uniformResourceIdentifier;
        found = span_of((const char *)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
    }
    return found;
}

static uint64_t wall_ns(const ASN1_TIME *t) {
    int days = 0, seconds = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    bool ok = epoch && ASN1_TIME_diff(&days, &seconds, epoch, t) && days >= 0 && seconds >= 0;
    ASN1_TIME_free(epoch);
    return ok ? ((uint64_t)days * 86400 + (uint64_t)seconds) * NS_PER_S : 0;
}

enum err tls_identity(X509 *certificate, struct identity *out) {
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    struct identity id = {0};
    enum err e = names ? identity_parse(uri_of(names), &id) : ERR_UNTRUSTED;
    GENERAL_NAMES_free(names);
    ERR_clear_error();
    if (e) return e;
    id.expires_wall_ns = wall_ns(X509_get0_notAfter(certificate));
    *out = id;
    return ERR_OK;
}

void tls_describe(X509 *certificate, char *out, size_t size) {
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    struct span uri = names ? uri_of(names) : SPAN_NONE;
    if (uri.n && uri.n < URI_BYTES)
        snprintf(out, size, "%.*s", (int)uri.n, uri.p);
    else
        X509_NAME_oneline(X509_get_subject_name(certificate), out, (int)size);
    GENERAL_NAMES_free(names);
    ERR_clear_error();
}

static enum err key_mode(const char *path, char *why, size_t size) {
    struct stat st;
    if (stat(path, &st)) return say(ERR_SYS, why, size, path, strerror(errno));
    if (!S_ISREG(st.st_mode)) return say(ERR_UNTRUSTED, why, size, path, "not a file");
    if (st.st_mode & (S_IRWXO | S_IWGRP)) return say(ERR_UNTRUSTED, why, size, path, "the key can be used by others; chmod 600 it");
    return ERR_OK;
}

static enum err readable(const char *path, char *why, size_t size) {
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 ? ERR_OK : say(ERR_SYS, why, size, path, strerror(errno));
}

/* A daemon has nobody to ask; without this OpenSSL would ask at the terminal. */
static int no_password(char *to, int size, int writing, void *asked) {
    (void)to, (void)size, (void)writing;
    if (asked) *(bool *)asked = true;
    return -1;
}

static enum err load_own(SSL_CTX *ctx, const struct net_files *f, char *why, size_t size) {
    enum err e = readable(f->cert, why, size);
    if (!e) e = key_mode(f->key, why, size);
    if (!e) e = readable(f->key, why, size);
    if (e) return e;
    if (SSL_CTX_use_certificate_chain_file(ctx, f->cert) != 1) return say_openssl(ERR_UNTRUSTED, why, size, f->cert, "not a certificate");
    ERR_clear_error();
    bool asked = false;
    SSL_CTX_set_default_passwd_cb(ctx, no_password);
    SSL_CTX_set_default_passwd_cb_userdata(ctx, &asked);
    int loaded = SSL_CTX_use_PrivateKey_file(ctx, f->key, SSL_FILETYPE_PEM);
    SSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);
    if (asked) {
        ERR_clear_error();
        return say(ERR_UNTRUSTED, why, size, f->key, "the key is protected by a password: trawl reads keys without one");
    }
    if (loaded != 1)
        return say_openssl(ERR_UNTRUSTED, why, size, f->key, "not the key of the certificate");
    if (SSL_CTX_check_private_key(ctx) != 1) return say_openssl(ERR_UNTRUSTED, why, size, f->key, "not the key of the certificate");
    return ERR_OK;
}

static enum err load_crls(SSL_CTX *ctx, const char *path, char *why, size_t size) {
    BIO *in = BIO_new_file(path, "r");
    if (!in) {
        ERR_clear_error();
        return say(ERR_SYS, why, size, path, "cannot be read");
    }
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    bool any = false, ok = true;
    for (X509_CRL *crl; ok && (crl = PEM_read_bio_X509_CRL(in, NULL, NULL, NULL)); X509_CRL_free(crl)) {
        any = true;
        ok = X509_STORE_add_crl(store, crl) == 1;
    }
    ok = ok && any && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE; /* how the end of a PEM file looks */
    BIO_free(in);
    if (!ok) return say_openssl(ERR_UNTRUSTED, why, size, path, "not a revocation list");
    ERR_clear_error();
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
    return crl_verify(store);
}

static enum err load_trust(SSL_CTX *ctx, const struct net_files *f, char *why, size_t size) {
    enum err e = readable(f->ca, why, size);
    if (e) return e;
    if (SSL_CTX_load_verify_file(ctx, f->ca) != 1) return say_openssl(ERR_UNTRUSTED, why, size, f->ca, "no CA certificates");
    ERR_clear_error();
    return f->crl ? load_crls(ctx, f->crl, why, size) : ERR_OK;
}

static SSL_CTX *bare_ctx(void) {
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    if (!ctx) return NULL;
    /* Each connection is checked in full: a resumed one would skip the revocation list. */
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify_depth(ctx, 4);
    bool ok = SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 && SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
              SSL_CTX_set_num_tickets(ctx, 0) == 1 && SSL_CTX_set_max_send_fragment(ctx, RECORD_BYTES) == 1;
    if (ok) return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

static enum err check_self(SSL_CTX *ctx, const char *file, const char *fleet, char *why, size_t size, struct identity *out) {
    X509 *own = SSL_CTX_get0_certificate(ctx);
    struct identity id;
    if (tls_identity(own, &id))
        return say(ERR_UNTRUSTED, why, size, file, "the certificate has no identity (one URI spiffe://FLEET/ROLE/NAME)");
    if (strcmp(id.fleet, fleet) != 0) {
        snprintf(why, size, "%s: the certificate is of fleet %s, not %s", file, id.fleet, fleet);
        return ERR_UNTRUSTED;
    }
    if (X509_cmp_current_time(X509_get0_notBefore(own)) > 0) return say(ERR_UNTRUSTED, why, size, file, "the certificate is not valid yet");
    if (X509_cmp_current_time(X509_get0_notAfter(own)) < 0) return say(ERR_EXPIRED, why, size, file, "the certificate has expired");
    *out = id;
    return ERR_OK;
}

enum err tls_load(const struct net_files *files, const char *fleet, char *why, size_t why_size, SSL_CTX **out_ctx,
                  struct identity *out_self) {
    ERR_clear_error();
    AUTO(tls_ctx_free) SSL_CTX *ctx = bare_ctx();
    if (!ctx) return say_openssl(ERR_NOMEM, why, why_size, "TLS", "cannot be set up");
    struct identity self;
    enum err e = load_own(ctx, files, why, why_size);
    if (!e) e = load_trust(ctx, files, why, why_size);
    if (!e) e = check_self(ctx, files->cert, fleet, why, why_size, &self);
    if (e) return e;
    *out_self = self;
    *out_ctx = TAKE(ctx);
    return ERR_OK;
}

enum err tls_verify(SSL_CTX *ctx, X509 *leaf, STACK_OF(X509) * chain, bool peer_is_server, char *why, size_t why_size) {
    X509_STORE_CTX *check = X509_STORE_CTX_new();
    int error = X509_V_ERR_OUT_OF_MEM;
    if (check && X509_STORE_CTX_init(check, SSL_CTX_get_cert_store(ctx), leaf, chain) == 1 &&
        X509_STORE_CTX_set_default(check, peer_is_server ? "ssl_server" : "ssl_client") == 1)
        error = X509_verify_cert(check) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(check);
    X509_STORE_CTX_free(check);
    ERR_clear_error();
    if (error == X509_V_OK) return ERR_OK;
    snprintf(why, why_size, "%s", tls_fault_text(error));
    return tls_fault_err(error);
}
