/* Signatures of operators over orders, and trust in the certificates that made them.  OpenSSL EVP.  ECDSA P-256 (SHA-256) or
 * Ed25519, by the key's type.  Thread: any; a handle has one owner. */
#pragma once

#include "common/base/auto.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/span.h"

/* An operator's private key and certificate chain, read from PEM files.  key is refused when others can read it (ERR_UNTRUSTED). */
struct signer;
NODISCARD enum err sign_load(const char *cert_pem, const char *key_pem, char *why, size_t why_size, struct signer **out);
void sign_free(struct signer *s);
AUTO_TYPE(struct signer, sign_free)
NODISCARD enum err sign_bytes(const struct signer *s, struct span domain, struct span bytes, struct buf *out_signature);
/* DER chain, own certificate first, each preceded by its length (u32 big endian). */
NODISCARD enum err sign_chain(const struct signer *s, struct buf *out);
/* The SAN URI of the signer's own certificate, valid while s is. */
struct span sign_uri(const struct signer *s);

/* Who may sign: a CA file (PEM, one or two) and an optional CRL (PEM). */
struct trust;
NODISCARD enum err sign_trust_load(const char *ca_pem, const char *crl_pem, char *why, size_t why_size, struct trust **out);
void sign_trust_free(struct trust *t);
AUTO_TYPE(struct trust, sign_trust_free)

/* Does the chain lead to t, is it valid at wall_ns, and did its first certificate's key sign domain ∥ bytes?
 * out_uri: the one SAN URI of the signing certificate, NUL-terminated.  Errors: ERR_SYNTAX chain is not DER; ERR_EXPIRED; ERR_UNTRUSTED with
 * why in words ("signed by an unknown CA", "revoked", "the signature does not match"). */
NODISCARD enum err sign_verify(const struct trust *t, uint64_t wall_ns, struct span domain, struct span bytes, struct span signature,
                               struct span chain, char *out_uri, size_t uri_size, char *why, size_t why_size);
