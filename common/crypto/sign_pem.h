/* What sign.c reads from PEM files and takes out of certificates.  Private to common/crypto.
 * Errors of the readers: ERR_SYS the file cannot be read; ERR_SYNTAX not PEM of that kind; ERR_LIMIT more than SIGN_CERTIFICATES_MAX;
 * ERR_NOMEM; each with why, a sentence that names the file. */
#pragma once

#include <openssl/x509.h>

#include "common/base/auto.h"
#include "common/crypto/sign.h"

typedef STACK_OF(X509) sign_stack;

void sign_pem_free_stack(sign_stack *s);
AUTO_TYPE(sign_stack, sign_pem_free_stack)
AUTO_TYPE(X509, X509_free)
AUTO_TYPE(EVP_PKEY, EVP_PKEY_free)

/* For OpenSSL's PEM readers.  A key is never behind a prompt: a daemon has nobody to ask.  asked: NULL, or a bool that is set when a
 * password would have been needed. */
int sign_pem_no_password(char *buf, int size, int writing, void *asked);
/* All certificates of the file, in its order, at least one.  Gives. */
NODISCARD enum err sign_pem_certificates(const char *path, char *why, size_t why_size, sign_stack **out);
/* ERR_UNTRUSTED: others can read it, or it needs a password.  Gives. */
NODISCARD enum err sign_pem_key(const char *path, char *why, size_t why_size, EVP_PKEY **out);
/* Add every revocation list of the file to store. */
NODISCARD enum err sign_pem_crls(const char *path, char *why, size_t why_size, X509_STORE *store);

/* The certificate's one SAN URI, NUL-terminated.  ERR_UNTRUSTED: none, several, unprintable or too long. */
NODISCARD enum err sign_pem_uri(X509 *certificate, char *out, size_t size);
/* ECDSA P-256 or Ed25519. */
bool sign_pem_key_is_ours(const EVP_PKEY *key);
