/* A peer that does what it likes: plain sockets and OpenSSL, blocking, in a thread of its own while the stage's loop turns. */
#pragma once

#include <openssl/ssl.h>

#include "common/net/frame.h"
#include "tests/unit/net/stage.h"

struct raw {
    int port, fd;
    uint8_t from; /* 127.0.0.from; 0: 127.0.0.1 */
    SSL_CTX *ctx;
    SSL *ssl;
    uint32_t sequence;
    int alert;          /* the TLS alert that came, or -1 */
    struct frame frame; /* raw_get's */
    char payload[LIMIT_FRAME_BYTES];
    void *arg;
};

void raw_connect(struct raw *r);
/* TLS with a certificate of the CA ("agents/web-1") or NULL: none.  False: the handshake failed. */
bool raw_tls(struct raw *r, struct ca *ca, const char *who, int most_version);
void raw_write(struct raw *r, const void *bytes, size_t n); /* over TLS if there is some */
void raw_put(struct raw *r, enum frame_type type, uint8_t flags, uint32_t stream, struct span payload);
bool raw_get(struct raw *r); /* one frame; false: the connection is over */
bool raw_get_until(struct raw *r, enum frame_type type);
bool raw_at_end(struct raw *r); /* reads until the connection is over */
void raw_greet(struct raw *r);  /* Hello, Welcome */
void raw_call(struct raw *r, uint32_t stream, const char *method);
void raw_reset(struct raw *r); /* RST */
void raw_done(struct raw *r);

/* Run script in a thread and turn the loop until it is through. */
typedef void raw_script(struct raw *r);
void raw_run(struct stage *st, raw_script *script, void *arg);
