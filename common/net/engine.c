#include "common/net/engine.h"

#include <arpa/inet.h>
#include <nng/supplemental/tls/engine.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>

#include "common/net/alert.h"

static const char engine_label[] = "trawl-openssl";
static const char profile_prefix[] = "profile/";

struct engine_profile {
    struct engine_profile *next; /* in registry.profiles */
    uint64_t number;
    unsigned refs;
    SSL_CTX *ctx;
    char host[256]; /* "" for a listener */
};

/* nng's callbacks carry nothing of ours but a server's name, so a profile is found by name.  The lock is a leaf: nng's are taken
 * before it and none is taken under it. */
static struct {
    pthread_mutex_t lock;
    pthread_once_t once;
    struct engine_profile *profiles;
    uint64_t last_number;
    BIO_METHOD *bio;
    bool registered;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER, .once = PTHREAD_ONCE_INIT};

struct nng_tls_engine_config {
    struct engine_profile *profile;
    bool server;
};

struct nng_tls_engine_conn {
    SSL *ssl;
    void *tls; /* nng's end; also the nng_stream */
    bool fatal, closed, server;
    bool lingering; /* this side refused the peer's certificate and waits for it to have read the alert */
    enum err fault;
    char text[256];
};

/* nng_stream_get_bool calls conn_verified on the asking thread, under the connection's lock: the only way to ask for more than a bool. */
static _Thread_local struct engine_report *asking;

/* ---- profiles ---- */

static void profile_unref(struct engine_profile *p) {
    if (!p) return;
    pthread_mutex_lock(&registry.lock);
    bool last = --p->refs == 0;
    if (last) {
        struct engine_profile **at = &registry.profiles;
        while (*at != p) at = &(*at)->next;
        *at = p->next;
    }
    pthread_mutex_unlock(&registry.lock);
    if (!last) return;
    SSL_CTX_free(p->ctx);
    free(p);
}

struct engine_profile *engine_profile_new(SSL_CTX *ctx, const char *host) {
    struct engine_profile *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    SSL_CTX_up_ref(ctx);
    p->ctx = ctx;
    p->refs = 1;
    if (host) snprintf(p->host, sizeof p->host, "%s", host);
    pthread_mutex_lock(&registry.lock);
    p->number = ++registry.last_number;
    p->next = registry.profiles;
    registry.profiles = p;
    pthread_mutex_unlock(&registry.lock);
    return p;
}

void engine_profile_free(struct engine_profile *p) { profile_unref(p); }

void engine_profile_swap(struct engine_profile *p, SSL_CTX *ctx) {
    SSL_CTX_up_ref(ctx);
    pthread_mutex_lock(&registry.lock);
    SSL_CTX *old = p->ctx;
    p->ctx = ctx;
    pthread_mutex_unlock(&registry.lock);
    SSL_CTX_free(old);
}

static struct engine_profile *profile_find(uint64_t number) {
    pthread_mutex_lock(&registry.lock);
    struct engine_profile *p = registry.profiles;
    while (p && p->number != number) p = p->next;
    if (p) p->refs++;
    pthread_mutex_unlock(&registry.lock);
    return p;
}

static SSL_CTX *profile_ctx(struct engine_profile *p) {
    pthread_mutex_lock(&registry.lock);
    SSL_CTX *ctx = p->ctx;
    SSL_CTX_up_ref(ctx);
    pthread_mutex_unlock(&registry.lock);
    return ctx;
}

/* ---- configuration: only the profile's name is taken from nng ---- */

static int config_init(nng_tls_engine_config *c, nng_tls_mode mode) {
    c->server = mode == NNG_TLS_MODE_SERVER;
    return 0;
}

static void config_fini(nng_tls_engine_config *c) { profile_unref(c->profile); }

static int config_server(nng_tls_engine_config *c, const char *name) {
    struct span s = span_str(name), prefix = span_str(profile_prefix);
    uint64_t number;
    if (!span_starts(s, prefix) || !span_u64(span_drop(s, prefix.n), &number)) return 0; /* nng names the host of each dialler */
    struct engine_profile *p = profile_find(number);
    if (!p) return NNG_ENOENT;
    profile_unref(c->profile);
    c->profile = p;
    return 0;
}

static int config_auth(nng_tls_engine_config *c, nng_tls_auth_mode mode) {
    (void)c;
    return mode == NNG_TLS_AUTH_MODE_REQUIRED ? 0 : NNG_ENOTSUP;
}

static int config_ca_chain(nng_tls_engine_config *c, const char *certs, const char *crl) {
    (void)c, (void)certs, (void)crl;
    return NNG_ENOTSUP;
}

static int config_own_cert(nng_tls_engine_config *c, const char *cert, const char *key, const char *password) {
    (void)c, (void)cert, (void)key, (void)password;
    return NNG_ENOTSUP;
}

static int config_version(nng_tls_engine_config *c, nng_tls_version low, nng_tls_version high) {
    (void)c;
    return low <= NNG_TLS_1_3 && high >= NNG_TLS_1_3 ? 0 : NNG_ENOTSUP;
}

enum err engine_profile_config(struct engine_profile *p, nng_tls_config **out) {
    char name[40];
    snprintf(name, sizeof name, "%s%llu", profile_prefix, (unsigned long long)p->number);
    nng_tls_config *config;
    if (nng_tls_config_alloc(&config, p->host[0] ? NNG_TLS_MODE_CLIENT : NNG_TLS_MODE_SERVER)) return ERR_NOMEM;
    if (nng_tls_config_server_name(config, name)) {
        nng_tls_config_free(config);
        return ERR_SYS;
    }
    *out = config;
    return ERR_OK;
}

/* ---- bytes between OpenSSL and nng ---- */

static int bio_create(BIO *b) {
    BIO_set_init(b, 1);
    return 1;
}

static int bio_result(BIO *b, int rv) {
    BIO_clear_retry_flags(b);
    return rv == 0;
}

static int bio_read(BIO *b, char *to, size_t n, size_t *got) {
    *got = n;
    int rv = nng_tls_engine_recv(BIO_get_data(b), (uint8_t *)to, got);
    if (rv) *got = 0;
    int ok = bio_result(b, rv);
    if (rv == NNG_EAGAIN) BIO_set_retry_read(b);
    return ok;
}

static int bio_write(BIO *b, const char *from, size_t n, size_t *put) {
    *put = n;
    int rv = nng_tls_engine_send(BIO_get_data(b), (const uint8_t *)from, put);
    if (rv) *put = 0;
    int ok = bio_result(b, rv);
    if (rv == NNG_EAGAIN) BIO_set_retry_write(b);
    return ok;
}

static long bio_ctrl(BIO *b, int command, long n, void *p) {
    (void)b, (void)n, (void)p;
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_PUSH || command == BIO_CTRL_POP;
}

/* ---- a connection ---- */

static void conn_fault(nng_tls_engine_conn *c, enum err e, const char *text) {
    c->fatal = true;
    if (c->fault) return;
    c->fault = e;
    snprintf(c->text, sizeof c->text, "%s", text);
}

static int on_verify(int ok, X509_STORE_CTX *store) {
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    nng_tls_engine_conn *c = SSL_get_app_data(ssl);
    if (ok || c->fault) return ok;
    char who[160] = "";
    X509 *certificate = X509_STORE_CTX_get0_cert(store);
    if (certificate) tls_describe(certificate, who, sizeof who);
    int error = X509_STORE_CTX_get_error(store);
    c->fault = tls_fault_err(error);
    c->lingering = true;
    snprintf(c->text, sizeof c->text, "%s: %s", tls_fault_text(error), who);
    return 0;
}

static bool expect_host(SSL *ssl, char *host) {
    unsigned char address[sizeof(struct in6_addr)];
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

static int conn_init(nng_tls_engine_conn *c, void *tls, nng_tls_engine_config *config) {
    if (!config->profile) return NNG_ECRYPTO; /* not one of our listeners: fail closed */
    c->tls = tls;
    c->server = config->server;
    ERR_clear_error();
    SSL_CTX *ctx = profile_ctx(config->profile);
    c->ssl = SSL_new(ctx);
    SSL_CTX_free(ctx);
    if (!c->ssl) return NNG_ENOMEM;
    SSL_set_app_data(c->ssl, c);
    SSL_set_verify(c->ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, on_verify);
    if (!c->server && !expect_host(c->ssl, config->profile->host)) return NNG_ENOMEM;
    BIO *bio = BIO_new(registry.bio);
    if (!bio) return NNG_ENOMEM;
    BIO_set_data(bio, tls);
    SSL_set_bio(c->ssl, bio, bio);
    /* The state is set here because nng may send before it asks for a handshake. */
    if (c->server)
        SSL_set_accept_state(c->ssl);
    else
        SSL_set_connect_state(c->ssl);
    return 0;
}

/* Also called for connections that were never initialised. */
static void conn_fini(nng_tls_engine_conn *c) {
    SSL_free(c->ssl);
    c->ssl = NULL;
}

static void conn_close(nng_tls_engine_conn *c) {
    bool polite = c->ssl && !c->fatal && !c->closed && SSL_is_init_finished(c->ssl);
    c->closed = true;
    if (!polite) return;
    ERR_clear_error();
    SSL_shutdown(c->ssl);
}

static void note_tls_error(nng_tls_engine_conn *c) {
    unsigned long error = ERR_peek_error();
    int alert = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) - SSL_AD_REASON_OFFSET : -1;
    char text[256];
    if (alert >= 0) {
        snprintf(text, sizeof text, "the %s says: %s", c->server ? "peer" : "collector", alert_text(alert));
        conn_fault(c, alert_err(alert), text);
        return;
    }
    if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
        conn_fault(c, ERR_UNTRUSTED, "the peer has no certificate");
        c->lingering = true;
        return;
    }
    const char *reason = ERR_reason_error_string(error);
    snprintf(text, sizeof text, "not the TLS that is spoken here: %s", reason ? reason : "unknown error");
    conn_fault(c, ERR_UNTRUSTED, text);
}

/* Out of bytes for now.  nng forgets a disconnect that comes while no receive waits; asking the socket for its peer tells. */
static int conn_dry(const nng_tls_engine_conn *c) {
    nng_sockaddr peer;
    return nng_stream_get_addr(c->tls, NNG_OPT_REMADDR, &peer) ? NNG_ECONNSHUT : NNG_EAGAIN;
}

/* After the alert: take what the peer still sends and throw it away until it closes or the link's patience ends.  Closing with bytes
 * unread would make the kernel reset the connection, and the peer would never hear why. */
static int conn_drain(const nng_tls_engine_conn *c) {
    uint8_t waste[1024];
    for (;;) {
        size_t n = sizeof waste;
        int rv = nng_tls_engine_recv(c->tls, waste, &n);
        if (rv) return rv == NNG_EAGAIN ? conn_dry(c) : NNG_ECONNSHUT;
    }
}

/* The result of an SSL call, as nng must hear it: never NNG_ECLOSED or NNG_ECANCELED, which stop a listener for ever. */
static int conn_result(nng_tls_engine_conn *c, int result) {
    if (result > 0) return 0;
    switch (SSL_get_error(c->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return conn_dry(c);
    case SSL_ERROR_ZERO_RETURN:
        return NNG_ECONNSHUT;
    case SSL_ERROR_SYSCALL:
        c->fatal = true;
        return NNG_ECONNSHUT;
    default:
        note_tls_error(c);
        return c->lingering ? conn_drain(c) : NNG_EPEERAUTH;
    }
}

/* What is to be said without asking OpenSSL; 0: nothing. */
static int conn_over(const nng_tls_engine_conn *c) {
    if (c->closed) return NNG_ECONNSHUT;
    if (!c->fatal) return 0;
    return c->lingering ? conn_drain(c) : NNG_EPEERAUTH;
}

static int conn_handshake(nng_tls_engine_conn *c) {
    int over = conn_over(c);
    if (over) return over;
    ERR_clear_error();
    return conn_result(c, SSL_do_handshake(c->ssl));
}

/* One call gives one record; what is there besides saves its own way through the loop. */
static int conn_recv(nng_tls_engine_conn *c, uint8_t *to, size_t *n) {
    int rv = conn_over(c);
    size_t got = 0, more = 0;
    for (; rv == 0 && got < *n; got += more) {
        ERR_clear_error();
        more = 0;
        rv = conn_result(c, SSL_read_ex(c->ssl, to + got, *n - got, &more));
    }
    if (got == 0) return rv; /* an error after some bytes will come again with the next call */
    *n = got;
    return 0;
}

static int conn_send(nng_tls_engine_conn *c, const uint8_t *from, size_t *n) {
    int over = conn_over(c);
    if (over) return over;
    size_t put = 0;
    ERR_clear_error();
    int rv = conn_result(c, SSL_write_ex(c->ssl, from, *n, &put));
    if (rv == 0) *n = put;
    return rv;
}

static bool conn_verified(nng_tls_engine_conn *c) {
    bool ok = c->ssl && SSL_is_init_finished(c->ssl) && SSL_get0_peer_certificate(c->ssl) && SSL_get_verify_result(c->ssl) == X509_V_OK;
    if (!asking) return ok;
    asking->fault = c->fault;
    memcpy(asking->text, c->text, sizeof asking->text);
    if (!ok) return false;
    asking->leaf = SSL_get1_peer_certificate(c->ssl);
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(c->ssl);
    asking->chain = chain ? X509_chain_up_ref(chain) : NULL;
    asking->verified = asking->leaf != NULL;
    return asking->verified;
}

void engine_ask(nng_stream *s, struct engine_report *out) {
    bool verified = false;
    *out = (struct engine_report){0};
    asking = out;
    int rv = nng_stream_get_bool(s, NNG_OPT_TLS_VERIFIED, &verified);
    asking = NULL;
    if (rv || !verified) out->verified = false;
}

void engine_report_done(struct engine_report *r) {
    X509_free(r->leaf);
    sk_X509_pop_free(r->chain, X509_free);
    *r = (struct engine_report){0};
}

/* ---- registration ---- */

static nng_tls_engine_config_ops config_ops = {
    .size = sizeof(struct nng_tls_engine_config),
    .init = config_init,
    .fini = config_fini,
    .server = config_server,
    .auth = config_auth,
    .ca_chain = config_ca_chain,
    .own_cert = config_own_cert,
    .version = config_version,
};

static nng_tls_engine_conn_ops conn_ops = {
    .size = sizeof(struct nng_tls_engine_conn),
    .init = conn_init,
    .fini = conn_fini,
    .close = conn_close,
    .handshake = conn_handshake,
    .recv = conn_recv,
    .send = conn_send,
    .verified = conn_verified,
};

static const nng_tls_engine engine = {
    .version = NNG_TLS_ENGINE_VERSION,
    .config_ops = &config_ops,
    .conn_ops = &conn_ops,
    .name = engine_label,
    .description = "OpenSSL, TLS 1.3, mutual authentication",
};

/* nng frees its last connections on a thread of its own, which may still be at it while the process exits: OpenSSL must not take
 * itself down beneath it.  Only the first call of all into OpenSSL can say so. */
__attribute__((constructor)) static void openssl_stays_to_the_end(void) { OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL); }

static void register_once(void) {
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, engine_label);
    if (!m || !BIO_meth_set_create(m, bio_create) || !BIO_meth_set_read_ex(m, bio_read) || !BIO_meth_set_write_ex(m, bio_write) ||
        !BIO_meth_set_ctrl(m, bio_ctrl))
        return;
    registry.bio = m;
    /* The name is asked for first because that initialises nng, which would otherwise replace our engine by its own later. */
    registry.registered = nng_tls_engine_name() && nng_tls_engine_register(&engine) == 0;
}

enum err engine_register(void) {
    pthread_once(&registry.once, register_once);
    return registry.registered && strcmp(nng_tls_engine_name(), engine_label) == 0 ? ERR_OK : ERR_SYS;
}
