#include "agent/runner/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "common/base/auto.h"
#include "common/crypto/digest.h"

enum { LINKS_MAX = 40 };

struct walk {
    int dir;                     /* where we are, O_PATH */
    char at[TRUST_PATH_BYTES];   /* its path without links; "" for the root */
    char rest[TRUST_PATH_BYTES]; /* names still to go */
    unsigned links;
    struct buf *why;
};

__attribute__((format(printf, 2, 3))) static enum err untrusted(struct walk *w, const char *fmt, ...) {
    char text[TRUST_PATH_BYTES + 128];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    buf_add_str(w->why, text);
    return ERR_UNTRUSTED;
}

static enum err check_owner(struct walk *w, const struct stat *st, const char *path) {
    if (st->st_uid != 0) return untrusted(w, "%s is not owned by root", path);
    if (st->st_mode & S_IWOTH) return untrusted(w, "%s is writable by others", path); /* a sticky bit is no excuse */
    if (st->st_mode & S_IWGRP) return untrusted(w, "%s is writable by its group", path);
    return ERR_OK;
}

static enum err enter(struct walk *w, int fd, const char *path) {
    struct stat st;
    if (fstat(fd, &st) != 0) return ERR_SYS;
    enum err e = check_owner(w, &st, path[0] ? path : "/");
    if (e) return e;
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0) return ERR_SYS;
    if (w->dir >= 0) close(w->dir);
    w->dir = own;
    memmove(w->at, path, strlen(path) + 1);
    return ERR_OK;
}

static enum err enter_root(struct walk *w) {
    AUTO_CLOSE int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? ERR_SYS : enter(w, fd, "");
}

static enum err enter_parent(struct walk *w) {
    AUTO_CLOSE int fd = openat(w->dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return ERR_SYS;
    char parent[TRUST_PATH_BYTES];
    size_t slash = span_rfind(span_str(w->at), '/');
    snprintf(parent, sizeof parent, "%.*s", w->at[0] ? (int)slash : 0, w->at);
    return enter(w, fd, parent);
}

/* Takes the next name off the way; *more: others follow it. */
static bool next_name(struct walk *w, char out[NAME_MAX + 1], bool *more) {
    size_t skip = strspn(w->rest, "/");
    size_t n = strcspn(w->rest + skip, "/");
    if (n == 0 || n > NAME_MAX) return false;
    memcpy(out, w->rest + skip, n);
    out[n] = 0;
    size_t used = skip + n;
    used += strspn(w->rest + used, "/");
    memmove(w->rest, w->rest + used, strlen(w->rest + used) + 1);
    *more = w->rest[0] != 0;
    return true;
}

static enum err follow(struct walk *w, int fd, const char *path) {
    if (++w->links > LINKS_MAX) return untrusted(w, "%s: too many links", path);
    char way[TRUST_PATH_BYTES];
    ssize_t n = readlinkat(fd, "", way, sizeof way);
    if (n <= 0) return ERR_SYS;
    size_t rest = strlen(w->rest);
    if ((size_t)n + 1 + rest >= sizeof way) return untrusted(w, "%s: the link is too long", path);
    if (rest) {
        way[n] = '/';
        memcpy(way + n + 1, w->rest, rest);
        n += 1 + (ssize_t)rest;
    }
    memcpy(w->rest, way, (size_t)n);
    w->rest[n] = 0;
    return way[0] == '/' ? enter_root(w) : ERR_OK;
}

static enum err check_file(struct walk *w, int path_fd, const struct stat *st, const char *path, int *out_fd) {
    if (!S_ISREG(st->st_mode)) return untrusted(w, "%s is not a regular file", path);
    enum err e = check_owner(w, st, path);
    if (e) return e;
    if (st->st_mode & S_ISUID) return untrusted(w, "%s is set-uid", path);
    if (st->st_mode & S_ISGID) return untrusted(w, "%s is set-gid", path);
    if (!(st->st_mode & S_IXOTH)) return untrusted(w, "%s is not executable by everybody", path);
    char self[64]; /* the held descriptor itself, not its name again */
    snprintf(self, sizeof self, "/proc/self/fd/%d", path_fd);
    AUTO_CLOSE int fd = open(self, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return ERR_SYS;
    if (fgetxattr(fd, "security.capability", NULL, 0) >= 0) return untrusted(w, "%s has file capabilities", path);
    if (errno != ENODATA && errno != ENOTSUP) return ERR_SYS;
    *out_fd = TAKE_FD(fd);
    return ERR_OK;
}

/* One name further.  ERR_AGAIN: not there yet. */
static enum err step(struct walk *w, int *out_fd, char out_real[TRUST_PATH_BYTES]) {
    char name[NAME_MAX + 1], path[TRUST_PATH_BYTES];
    bool more;
    if (!next_name(w, name, &more)) return untrusted(w, "%s is not a regular file", w->at[0] ? w->at : "/");
    if (strcmp(name, ".") == 0) return ERR_AGAIN;
    if (strcmp(name, "..") == 0) {
        enum err e = enter_parent(w);
        return e ? e : ERR_AGAIN;
    }
    if ((size_t)snprintf(path, sizeof path, "%s/%s", w->at, name) >= sizeof path) return untrusted(w, "%s: the path is too long", w->at);
    AUTO_CLOSE int fd = openat(w->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? ERR_NOTFOUND : ERR_SYS;
    struct stat st;
    if (fstat(fd, &st) != 0) return ERR_SYS;
    if (S_ISLNK(st.st_mode)) {
        enum err e = follow(w, fd, path);
        return e ? e : ERR_AGAIN;
    }
    if (more) {
        if (!S_ISDIR(st.st_mode)) return ERR_NOTFOUND;
        enum err e = enter(w, fd, path);
        return e ? e : ERR_AGAIN;
    }
    int found = -1;
    enum err e = check_file(w, fd, &st, path, &found);
    if (e) return e;
    memcpy(out_real, path, strlen(path) + 1);
    *out_fd = found;
    return ERR_OK;
}

enum err trust_open(const char *path, int *out_fd, char out_real[TRUST_PATH_BYTES], struct buf *out_why) {
    struct walk w = {.dir = -1, .why = out_why};
    size_t n = strlen(path);
    if (path[0] != '/') return untrusted(&w, "%s is not an absolute path", path);
    if (n >= sizeof w.rest) return untrusted(&w, "%.64s…: the path is too long", path);
    memcpy(w.rest, path, n + 1);
    enum err e = enter_root(&w);
    if (!e) do e = step(&w, out_fd, out_real);
        while (e == ERR_AGAIN);
    if (w.dir >= 0) close(w.dir);
    return e;
}

static bool hex_is(struct span hex, const unsigned char digest[DIGEST_BYTES]) {
    char text[2 * DIGEST_BYTES + 1];
    for (size_t i = 0; i < DIGEST_BYTES; i++) snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return hex.n == (size_t)2 * DIGEST_BYTES && strncasecmp(hex.p, text, hex.n) == 0;
}

enum err trust_pin(const char *pins, const char *path, const char *real, int fd, struct buf *out_why) {
    unsigned char digest[DIGEST_BYTES];
    bool hashed = false;
    struct span rest = span_str(pins), word;
    while (span_word(&rest, &word)) {
        size_t eq = span_rfind(word, '=');
        struct span name = span_head(word, eq);
        if (!span_eq_str(name, path) && !span_eq_str(name, real)) continue;
        enum err e = hashed ? ERR_OK : digest_fd(fd, digest);
        if (e) return e;
        hashed = true;
        if (hex_is(span_drop(word, eq + 1), digest)) continue;
        buf_add_fmt(out_why, "%s does not match its pin", path);
        return ERR_UNTRUSTED;
    }
    return ERR_OK;
}
