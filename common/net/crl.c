#include "common/net/crl.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

/* A list and the CA that has signed it; both are the store's. */
struct pair {
    const X509_CRL *crl;
    const X509 *ca;
};

/* What hangs on a store. */
struct known {
    X509_STORE_CTX_check_crl_fn in_full; /* OpenSSL's own check */
    size_t n;
    struct pair pairs[];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int slot = -1;

static void forget(void *store, void *known, CRYPTO_EX_DATA *data, int index, long argl, void *argp) {
    (void)store, (void)data, (void)index, (void)argl, (void)argp;
    free(known);
}

static void take_slot(void) { slot = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_X509_STORE, 0, NULL, NULL, NULL, forget); }

/* Of every certificate of its CA, and none is left to another list. */
static bool is_plain(const X509_CRL *crl) {
    return X509_CRL_get_ext_by_NID(crl, NID_issuing_distribution_point, -1) < 0 && X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) < 0;
}

static bool has_signed(X509 *ca, X509_CRL *crl) {
    if (X509_NAME_cmp(X509_get_subject_name(ca), X509_CRL_get_issuer(crl)) != 0) return false;
    return X509_get_key_usage(ca) & KU_CRL_SIGN && X509_CRL_verify(crl, X509_get0_pubkey(ca)) == 1;
}

static bool is_in_time(const X509_CRL *crl) {
    const ASN1_TIME *from = X509_CRL_get0_lastUpdate(crl), *to = X509_CRL_get0_nextUpdate(crl);
    return from && to && X509_cmp_current_time(from) < 0 && X509_cmp_current_time(to) > 0;
}

/* Whose list it should be: the next one in the chain. */
static const X509 *issuer_of(X509_STORE_CTX *ctx) {
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
    return sk_X509_value(chain, X509_STORE_CTX_get_error_depth(ctx) + 1); /* NULL: there is none */
}

static int check(X509_STORE_CTX *ctx, X509_CRL *crl) {
    const struct known *k = X509_STORE_get_ex_data(X509_STORE_CTX_get0_store(ctx), slot);
    const X509 *issuer = issuer_of(ctx);
    for (size_t i = 0; issuer && i < k->n; i++)
        if (k->pairs[i].crl == crl && X509_cmp(k->pairs[i].ca, issuer) == 0 && is_in_time(crl)) return 1;
    return k->in_full(ctx, crl);
}

static X509_STORE_CTX_check_crl_fn openssls_check(X509_STORE *store) {
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_STORE_CTX_check_crl_fn fn = ctx && X509_STORE_CTX_init(ctx, store, NULL, NULL) == 1 ? X509_STORE_CTX_get_check_crl(ctx) : NULL;
    X509_STORE_CTX_free(ctx);
    return fn;
}

static void add_pairs(struct known *k, const STACK_OF(X509_OBJECT) * objects, X509_CRL *crl) {
    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        X509 *ca = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
        if (ca && has_signed(ca, crl)) k->pairs[k->n++] = (struct pair){crl, ca};
    }
}

enum err crl_verify(X509_STORE *store) {
    pthread_once(&once, take_slot);
    const STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
    size_t n = (size_t)sk_X509_OBJECT_num(objects);
    struct known *k = slot >= 0 ? calloc(1, sizeof *k + n * n * sizeof *k->pairs) : NULL;
    if (!k || !(k->in_full = openssls_check(store)) || X509_STORE_set_ex_data(store, slot, k) != 1) {
        free(k);
        ERR_clear_error();
        return ERR_NOMEM;
    }
    for (int i = 0; i < (int)n; i++) {
        X509_CRL *crl = X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(objects, i));
        if (crl && is_plain(crl)) add_pairs(k, objects, crl);
    }
    ERR_clear_error(); /* a list that nobody here has signed */
    X509_STORE_set_check_crl(store, check);
    return ERR_OK;
}
