/* OpenSSL as nng's TLS engine.  nng owns the connections and their locks; this side owns the profiles that they are set up with and
 * reports who the peer is.  docs/adr/0010 says why, 0011 which of nng's bugs are worked around.
 * Thread: any, unless said otherwise.  Private to common/net. */
#pragma once

#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>

#include "common/net/tls.h"

/* Make nng use this engine, once per process.  ERR_SYS: nng did not take it; nothing may be dialled or listened to then. */
NODISCARD enum err engine_register(void);

/* What one listener or dialler sets its connections up with. */
struct engine_profile;
/* ctx: keeps a reference.  host: the name or address that the peer's certificate must have, NULL for a listener.  NULL: no memory. */
struct engine_profile *engine_profile_new(SSL_CTX *ctx, const char *host);
void engine_profile_free(struct engine_profile *p);               /* connections that are being made keep theirs */
void engine_profile_swap(struct engine_profile *p, SSL_CTX *ctx); /* for new connections */
/* Gives a TLS configuration for nng that stands for p. */
NODISCARD enum err engine_profile_config(struct engine_profile *p, nng_tls_config **out);

/* Who is at the other end of a stream and what went wrong with TLS, as far as known by now. */
struct engine_report {
    bool verified; /* the handshake is done and the certificate was accepted */
    X509 *leaf;    /* when verified */
    STACK_OF(X509) * chain;
    enum err fault; /* ERR_OK: TLS has no complaint */
    char text[256]; /* the complaint */
};
void engine_ask(nng_stream *s, struct engine_report *out);
void engine_report_done(struct engine_report *r);
