/* Certificates that trawl-certs would never make, made in memory for tests. */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

struct made {
    EVP_PKEY *key;
    X509 *certificate;
};

/* How one is to be.  All zero: a good operator's, ECDSA P-256, signed by itself. */
struct made_wish {
    const struct made *issuer; /* NULL: itself */
    const char *name;          /* CN; NULL: "test" */
    const char *curve;         /* NULL: "P-256"; "RSA": RSA 2048 */
    const char *san;           /* as in openssl.cnf; NULL: URI:spiffe://prod/operator/ann; "": none */
    const char *usage;         /* keyUsage; NULL: digitalSignature, of a CA keyCertSign,cRLSign */
    const char *purpose;       /* extendedKeyUsage; NULL: clientAuth */
    const char *digest;        /* NULL: SHA256 */
    bool ca;
};

struct made made_certificate(const struct made_wish *wish);
void made_free(struct made *m);
/* PEM files, the key with mode 0600. */
void made_write(const struct made *m, const char *cert_pem, const char *key_pem);
