#include "collector/http/http_token.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/auto.h"
#include "common/base/buf.h"
#include "common/sys/fds.h"

static enum err check_file(const char *path, char *why, size_t size) {
    struct stat st;
    if (stat(path, &st) != 0) {
        snprintf(why, size, "%s: %s", path, strerror(errno));
        return ERR_SYS;
    }
    if ((st.st_uid == 0 || st.st_uid == geteuid()) && !(st.st_mode & (S_IRWXG | S_IRWXO)) && S_ISREG(st.st_mode)) return ERR_OK;
    snprintf(why, size, "%s must be a file that only its owner, root or this user, can read: chmod 600 it", path);
    return ERR_UNTRUSTED;
}

enum err http_token_read(const char *path, struct http_token *out, char *why, size_t why_size) {
    struct buf text;
    buf_init(&text, HTTP_TOKEN_MOST);
    enum err e = check_file(path, why, why_size);
    if (!e && (e = fds_read_file(path, &text)) != ERR_OK)
        snprintf(why, why_size, "%s: %s", path, e == ERR_SYS ? strerror(errno) : err_text(e));
    struct span token = span_trim(buf_span(&text));
    if (!e && token.n < HTTP_TOKEN_LEAST) {
        snprintf(why, why_size, "%s: a token has at least %d characters", path, HTTP_TOKEN_LEAST);
        e = ERR_LIMIT;
    }
    if (!e) e = digest_bytes(token, out->digest);
    buf_done(&text);
    return e;
}

bool http_token_fits(const struct http_token *t, struct span header) {
    unsigned char digest[DIGEST_BYTES];
    unsigned differs = 0;
    static const struct span scheme = {"Bearer ", 7};
    if (!span_starts(header, scheme) || header.n > HTTP_TOKEN_MOST) return false;
    if (digest_bytes(span_trim(span_drop(header, scheme.n)), digest) != ERR_OK) return false;
    for (size_t i = 0; i < sizeof digest; i++) differs |= digest[i] ^ t->digest[i];
    return differs == 0;
}
