#include "tests/unit/net/raw.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>

#include "common/net/rpc_control.h"

void raw_connect(struct raw *r) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)r->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl((INADDR_LOOPBACK & ~0xffu) | r->from)};
    struct timeval patience = {.tv_sec = 20};
    *r = (struct raw){.port = r->port, .from = r->from, .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .alert = -1, .arg = r->arg};
    if (r->from && bind(r->fd, (struct sockaddr *)&from, sizeof from)) abort();
    if (r->fd < 0 || connect(r->fd, (struct sockaddr *)&to, sizeof to)) abort();
    if (setsockopt(r->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience)) abort();
}

static void note_alert(struct raw *r) {
    unsigned long e = ERR_peek_error();
    if (ERR_GET_LIB(e) == ERR_LIB_SSL && ERR_GET_REASON(e) > SSL_AD_REASON_OFFSET) r->alert = ERR_GET_REASON(e) - SSL_AD_REASON_OFFSET;
    ERR_clear_error();
}

bool raw_tls(struct raw *r, struct ca *ca, const char *who, int most_version) {
    r->ctx = SSL_CTX_new(TLS_client_method());
    if (!r->ctx || !SSL_CTX_set_max_proto_version(r->ctx, most_version)) abort();
    if (who) {
        char path[CA_PATH_BYTES + 64];
        snprintf(path, sizeof path, "%s/%s.pem", ca->dir, who);
        if (SSL_CTX_use_certificate_chain_file(r->ctx, path) != 1) abort();
        snprintf(path, sizeof path, "%s/%s.key", ca->dir, who);
        if (SSL_CTX_use_PrivateKey_file(r->ctx, path, SSL_FILETYPE_PEM) != 1) abort();
    }
    r->ssl = SSL_new(r->ctx);
    if (!r->ssl || !SSL_set_fd(r->ssl, r->fd)) abort();
    ERR_clear_error();
    if (SSL_connect(r->ssl) == 1) return true;
    note_alert(r);
    return false;
}

void raw_write(struct raw *r, const void *bytes, size_t n) {
    size_t done = 0;
    if (r->ssl)
        IGNORED(SSL_write_ex(r->ssl, bytes, n, &done) != 1); /* the peer may be gone: what is read tells */
    else
        IGNORED(send(r->fd, bytes, n, MSG_NOSIGNAL) < 0);
}

void raw_put(struct raw *r, enum frame_type type, uint8_t flags, uint32_t stream, struct span payload) {
    char bytes[FRAME_HEADER_BYTES + LIMIT_FRAME_BYTES];
    struct frame f = {.length = (uint32_t)payload.n, .type = type, .flags = flags, .stream = stream, .sequence = r->sequence++};
    frame_encode(&f, bytes);
    if (payload.n) memcpy(bytes + FRAME_HEADER_BYTES, payload.p, payload.n);
    raw_write(r, bytes, FRAME_HEADER_BYTES + payload.n);
}

static bool read_all(struct raw *r, char *to, size_t n) {
    for (size_t got = 0, more; got < n; got += more) {
        ERR_clear_error();
        if (SSL_read_ex(r->ssl, to + got, n - got, &more) == 1) continue;
        note_alert(r);
        return false;
    }
    return true;
}

bool raw_get(struct raw *r) {
    char head[FRAME_HEADER_BYTES];
    const char *what;
    if (!read_all(r, head, sizeof head)) return false;
    if (frame_decode(head, &r->frame, &what)) abort();
    return read_all(r, r->payload, r->frame.length);
}

bool raw_get_until(struct raw *r, enum frame_type type) {
    while (raw_get(r))
        if (r->frame.type == type) return true;
    return false;
}

bool raw_at_end(struct raw *r) {
    char byte;
    if (r->ssl)
        while (raw_get(r)) continue;
    else
        while (recv(r->fd, &byte, 1, 0) > 0) continue;
    return true;
}

void raw_greet(struct raw *r) {
    char out[FRAME_CONTROL_BYTES];
    raw_put(r, FRAME_HELLO, 0, 0, rpc_control_put_hello((struct rpc_control_hello){1, 1}, "raw", out));
    if (!raw_get(r) || r->frame.type != FRAME_WELCOME) abort();
}

void raw_call(struct raw *r, uint32_t stream, const char *method) {
    char out[FRAME_CONTROL_BYTES];
    raw_put(r, FRAME_CALL, 0, stream, rpc_control_put_call(method, 0, out));
}

void raw_reset(struct raw *r) {
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    if (setsockopt(r->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now)) abort();
    close(r->fd);
    r->fd = -1;
}

void raw_done(struct raw *r) {
    SSL_free(r->ssl);
    SSL_CTX_free(r->ctx);
    if (r->fd >= 0) close(r->fd);
}

struct run {
    raw_script *script;
    struct raw raw;
    atomic_bool through;
};

static void *thread(void *arg) {
    struct run *run = arg;
    sigset_t pipes;
    sigemptyset(&pipes);
    sigaddset(&pipes, SIGPIPE); /* OpenSSL writes to closed sockets */
    pthread_sigmask(SIG_BLOCK, &pipes, NULL);
    run->script(&run->raw);
    raw_done(&run->raw);
    atomic_store(&run->through, true);
    return NULL;
}

void raw_run(struct stage *st, raw_script *script, void *arg) {
    struct run *run = calloc(1, sizeof *run);
    pthread_t id;
    run->script = script;
    run->raw = (struct raw){.port = rpc_server_port(st->server), .fd = -1, .arg = arg};
    if (pthread_create(&id, NULL, thread, run)) abort();
    UNTIL(st, atomic_load(&run->through));
    pthread_join(id, NULL);
    free(run);
}
