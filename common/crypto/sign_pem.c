#include "common/crypto/sign_pem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

static void close_file(FILE *f) { fclose(f); }
AUTO_TYPE(FILE, close_file)

static void free_crl(X509_CRL *crl) { X509_CRL_free(crl); }
AUTO_TYPE(X509_CRL, free_crl)

static void free_names(GENERAL_NAMES *names) { GENERAL_NAMES_free(names); }
AUTO_TYPE(GENERAL_NAMES, free_names)

void sign_pem_free_stack(sign_stack *s) { sk_X509_pop_free(s, X509_free); }

static enum err cannot_read(const char *path, char *why, size_t why_size) {
    int saved = errno;
    snprintf(why, why_size, "%s cannot be read: %s", path, strerror(saved));
    errno = saved;
    return ERR_SYS;
}

static enum err no_memory(char *why, size_t why_size) {
    ERR_clear_error();
    snprintf(why, why_size, "out of memory");
    return ERR_NOMEM;
}

int sign_pem_no_password(char *buf, int size, int writing, void *asked) {
    (void)buf, (void)size, (void)writing;
    if (asked) *(bool *)asked = true;
    return -1;
}

/* Why did a PEM reader return NULL?  ERR_OK: the file simply has no more of them. */
static enum err stopped(const char *path, const char *what, size_t found, char *why, size_t why_size) {
    unsigned long code = ERR_peek_last_error();
    ERR_clear_error();
    if (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE) {
        if (found) return ERR_OK;
        snprintf(why, why_size, "%s has no %s", path, what);
        return ERR_SYNTAX;
    }
    if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE) return no_memory(why, why_size);
    snprintf(why, why_size, "%s: %s %zu is damaged", path, what, found + 1);
    return ERR_SYNTAX;
}

enum err sign_pem_certificates(const char *path, char *why, size_t why_size, sign_stack **out) {
    AUTO(close_file) FILE *f = fopen(path, "re");
    if (!f) return cannot_read(path, why, why_size);
    AUTO(sign_pem_free_stack) sign_stack *all = sk_X509_new_null();
    if (!all) return no_memory(why, why_size);
    size_t n = 0;
    for (;; n++) {
        AUTO(X509_free) X509 *one = PEM_read_X509(f, NULL, sign_pem_no_password, NULL);
        if (!one) break;
        if (n == SIGN_CERTIFICATES_MAX) {
            snprintf(why, why_size, "%s has more than %d certificates", path, SIGN_CERTIFICATES_MAX);
            return ERR_LIMIT;
        }
        if (sk_X509_push(all, one) <= 0) return no_memory(why, why_size);
        TAKE(one);
    }
    enum err e = stopped(path, "certificate", n, why, why_size);
    if (e) return e;
    *out = TAKE(all);
    return ERR_OK;
}

enum err sign_pem_key(const char *path, char *why, size_t why_size, EVP_PKEY **out) {
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) return cannot_read(path, why, why_size);
    if (!S_ISREG(st.st_mode)) {
        snprintf(why, why_size, "%s is not a file", path);
        return ERR_SYNTAX;
    }
    if (st.st_mode & 077) {
        snprintf(why, why_size, "%s can be read or changed by others (mode %03o): chmod 600 it", path, (unsigned)st.st_mode & 0777U);
        return ERR_UNTRUSTED;
    }
    AUTO(close_file) FILE *f = fdopen(fd, "r");
    if (!f) return cannot_read(path, why, why_size);
    TAKE_FD(fd);
    bool asked = false;
    EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, sign_pem_no_password, &asked);
    bool out_of_memory = ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE;
    ERR_clear_error();
    if (key) {
        *out = key;
        return ERR_OK;
    }
    if (out_of_memory) return no_memory(why, why_size);
    snprintf(why, why_size,
             asked ? "%s is protected by a password: trawl reads keys without one" : "%s has no private key that can be read", path);
    return asked ? ERR_UNTRUSTED : ERR_SYNTAX;
}

enum err sign_pem_crls(const char *path, char *why, size_t why_size, X509_STORE *store) {
    AUTO(close_file) FILE *f = fopen(path, "re");
    if (!f) return cannot_read(path, why, why_size);
    size_t n = 0;
    for (;; n++) {
        AUTO(free_crl) X509_CRL *crl = PEM_read_X509_CRL(f, NULL, sign_pem_no_password, NULL);
        if (!crl) break;
        if (!X509_STORE_add_crl(store, crl)) return no_memory(why, why_size);
    }
    return stopped(path, "revocation list", n, why, why_size);
}

static bool printable(const unsigned char *p, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (p[i] < 0x21 || p[i] > 0x7e) return false;
    return true;
}

enum err sign_pem_uri(X509 *certificate, char *out, size_t size) {
    AUTO(free_names) GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    ERR_clear_error();
    if (!names) return ERR_UNTRUSTED;
    const ASN1_IA5STRING *uri = NULL;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(names, i);
        if (one->type != GEN_URI) continue;
        if (uri) return ERR_UNTRUSTED;
        uri = one->d.uniformResourceIdentifier;
    }
    if (!uri || ASN1_STRING_length(uri) <= 0) return ERR_UNTRUSTED;
    size_t n = (size_t)ASN1_STRING_length(uri);
    const unsigned char *p = ASN1_STRING_get0_data(uri);
    if (n >= size || !printable(p, n)) return ERR_UNTRUSTED;
    memcpy(out, p, n);
    out[n] = '\0';
    return ERR_OK;
}

bool sign_pem_key_is_ours(const EVP_PKEY *key) {
    if (EVP_PKEY_is_a(key, "ED25519")) return true;
    char group[32];
    size_t n = 0;
    return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, &n) && strcmp(group, "prime256v1") == 0;
}
