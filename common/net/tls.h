/* PEM files → an SSL_CTX, certificates → identities.  What a connection needs to know of X.509.
 * Private to common/net. */
#pragma once

#include <openssl/ssl.h>

#include "common/net/net.h"

static inline void tls_ctx_free(SSL_CTX *ctx) { SSL_CTX_free(ctx); }
AUTO_TYPE(SSL_CTX, tls_ctx_free)

/* Read and check the files; TLS 1.3 only, peers must have a certificate, no resumption.  Gives *out_ctx, for both ends of a connection.
 * Errors as net_new; why gets a sentence. */
NODISCARD enum err tls_load(const struct net_files *files, const char *fleet, char *why, size_t why_size, SSL_CTX **out_ctx,
                            struct identity *out_self);
/* The identity in the certificate's one SAN URI, expiry included. */
NODISCARD enum err tls_identity(X509 *certificate, struct identity *out);
/* "spiffe://…" or the subject, for people.  Hostile bytes: escape before printing. */
void tls_describe(X509 *certificate, char *out, size_t size);
/* Verify a peer of an open connection once more, with the CAs and the revocation list of ctx.  ERR_UNTRUSTED or ERR_EXPIRED with why. */
NODISCARD enum err tls_verify(SSL_CTX *ctx, X509 *leaf, STACK_OF(X509) * chain, bool peer_is_server, char *why, size_t why_size);
/* The sentence for X509_V_ERR_… and what it means for the caller. */
const char *tls_fault_text(int x509_error);
enum err tls_fault_err(int x509_error);
