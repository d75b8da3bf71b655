/* Signatures of operators over orders, and trust in the certificates that made them.  OpenSSL EVP.  ECDSA P-256 (SHA-256) or
 * Ed25519, by the key's type.  why gets a sentence for people; it may be NULL with size 0.  Thread: any; a handle has one owner. */
#pragma once

#include "common/base/auto.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/span.h"

enum {
    SIGN_CERTIFICATES_MAX = 4, /* in a file or a chain */
    SIGN_URI_BYTES = 256,      /* a SAN URI with its NUL */
    SIGN_SIGNATURE_BYTES = 80  /* the largest signature */
};

/* An operator's private key and certificate chain, read from PEM files.
 * Errors: ERR_SYS a file cannot be read; ERR_SYNTAX not PEM; ERR_LIMIT too many certificates; ERR_UNTRUSTED others can read the key, it
 * has a password, key and certificate do not match, the key is of another type, or the certificate has not exactly one SAN URI. */
struct signer;
NODISCARD enum err sign_load(const char *cert_pem, const char *key_pem, char *why, size_t why_size, struct signer **out);
void sign_free(struct signer *s);
AUTO_TYPE(struct signer, sign_free)
/* Appended to *out_signature: the signature over domain ∥ bytes. */
NODISCARD enum err sign_bytes(const struct signer *s, struct span domain, struct span bytes, struct buf *out_signature);
/* Appended: the DER chain, own certificate first, each preceded by its length (u32 big endian). */
NODISCARD enum err sign_chain(const struct signer *s, struct buf *out);
/* The SAN URI of the signer's own certificate, valid while s is. */
struct span sign_uri(const struct signer *s);
/* When the signer's own certificate ends; 0: it does not say. */
uint64_t sign_expires_wall_ns(const struct signer *s);

/* Who may sign: a CA file (PEM; two CAs during a change) and an optional CRL file (PEM, a list for each CA).  With a CRL file every
 * certificate of a chain must be covered by a list that is in date.  Errors: as sign_load's; ERR_UNTRUSTED a certificate of the CA file is
 * not a CA's. */
struct trust;
NODISCARD enum err sign_trust_load(const char *ca_pem, const char *crl_pem, char *why, size_t why_size, struct trust **out);
void sign_trust_free(struct trust *t);
AUTO_TYPE(struct trust, sign_trust_free)

/* Does the chain lead to t, is it valid at wall_ns for a client that signs, and did its first certificate's key sign domain ∥ bytes?
 * out_uri: the one SAN URI of the signing certificate, NUL-terminated.  Errors: ERR_SYNTAX chain is not DER; ERR_LIMIT over
 * SIGN_CERTIFICATES_MAX; ERR_EXPIRED (not yet valid, too; or the CRL is out of date); ERR_UNTRUSTED; ERR_NOMEM.  Every failure has its why
 * ("the operator's certificate is signed by an unknown CA", "… was revoked", "the signature does not match"). */
NODISCARD enum err sign_verify(const struct trust *t, uint64_t wall_ns, struct span domain, struct span bytes, struct span signature,
                               struct span chain, char *out_uri, size_t uri_size, char *why, size_t why_size);
