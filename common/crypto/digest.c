#include "common/crypto/digest.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <unistd.h>

#include "common/base/auto.h"

static void free_digest(EVP_MD_CTX *c) { EVP_MD_CTX_free(c); }
AUTO_TYPE(EVP_MD_CTX, free_digest)

enum err digest_bytes(struct span s, unsigned char out[DIGEST_BYTES]) {
    unsigned char sum[DIGEST_BYTES];
    int good = EVP_Digest(s.p ? s.p : "", s.n, sum, NULL, EVP_sha256(), NULL);
    ERR_clear_error();
    if (good != 1) return ERR_NOMEM;
    memcpy(out, sum, sizeof sum);
    return ERR_OK;
}

/* Only memory can be missing: SHA-256 itself is part of libcrypto. */
static enum err add_file(EVP_MD_CTX *c, int fd) {
    char piece[16 * 1024];
    for (off_t at = 0;;) {
        ssize_t n = pread(fd, piece, sizeof piece, at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return ERR_SYS;
        if (n == 0) return ERR_OK;
        if (EVP_DigestUpdate(c, piece, (size_t)n) != 1) return ERR_NOMEM;
        at += n;
    }
}

enum err digest_fd(int fd, unsigned char out[DIGEST_BYTES]) {
    AUTO(free_digest) EVP_MD_CTX *c = EVP_MD_CTX_new();
    if (!c || EVP_DigestInit_ex(c, EVP_sha256(), NULL) != 1) {
        ERR_clear_error();
        return ERR_NOMEM;
    }
    enum err e = add_file(c, fd);
    if (e) return e;
    unsigned char sum[DIGEST_BYTES];
    if (EVP_DigestFinal_ex(c, sum, NULL) != 1) return ERR_NOMEM;
    memcpy(out, sum, sizeof sum);
    return ERR_OK;
}

enum err digest_random(void *out, size_t n) {
    int good = RAND_bytes_ex(NULL, out, n, 0);
    ERR_clear_error();
    return good == 1 ? ERR_OK : ERR_SYS;
}
