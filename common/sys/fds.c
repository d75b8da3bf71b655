#include "common/sys/fds.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/base/auto.h"

enum { MOST_SENT = 4, MOST_RECEIVED = 253 /* the kernel's SCM_MAX_FD */, CHUNK_BYTES = 64 << 10 };

static enum err socket_error(void) {
    switch (errno) {
    case EAGAIN: return ERR_AGAIN;
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN: return ERR_GONE;
    case EMSGSIZE: return ERR_LIMIT;
    default: return ERR_SYS;
    }
}

enum err fds_send(int sock, const void *bytes, size_t n, const int *fds, size_t n_fds) {
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(MOST_SENT * sizeof(int))];
    } control = {0};
    struct iovec piece = {.iov_len = n};
    memcpy(&piece.iov_base, &bytes, sizeof bytes); /* sendmsg only reads it */
    struct msghdr m = {.msg_iov = &piece, .msg_iovlen = 1};
    assert(n_fds <= MOST_SENT);
    if (n_fds) {
        m.msg_control = &control;
        m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
    }
    ssize_t sent;
    do sent = sendmsg(sock, &m, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? socket_error() : ERR_OK;
}

/* The first `most` descriptors of the packet go to out, the others are closed.  Returns how many went out. */
static size_t take_fds(struct msghdr *m, int *out, size_t most) {
    size_t taken = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (taken < most) out[taken++] = fd;
            else close(fd);
        }
    }
    return taken;
}

enum err fds_receive(int sock, void *bytes, size_t *n, int *out_fds, size_t max_fds, size_t *out_n_fds) {
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(MOST_RECEIVED * sizeof(int))];
    } control;
    struct iovec piece = {.iov_base = bytes, .iov_len = *n};
    struct msghdr m = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t got;
    do got = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0) return socket_error();
    bool cut = m.msg_flags & (MSG_TRUNC | MSG_CTRUNC);
    size_t taken = take_fds(&m, out_fds, cut || got == 0 ? 0 : max_fds);
    if (cut) return ERR_LIMIT;
    if (got == 0) return ERR_GONE;
    *n = (size_t)got;
    *out_n_fds = taken;
    return ERR_OK;
}

void fds_close_from(int low) { closefrom(low); }

/* Like read, but a signal does not count. */
static ssize_t read_some(int fd, char *to, size_t n) {
    ssize_t got;
    do got = read(fd, to, n);
    while (got < 0 && errno == EINTR);
    return got;
}

static enum err read_all(int fd, struct buf *out) {
    for (;;) {
        size_t left = out->cap ? out->cap - out->n : CHUNK_BYTES, room = left < CHUNK_BYTES ? left : CHUNK_BYTES;
        char beyond; /* the cap is reached: one more byte decides whether it is the end */
        char *to = room ? buf_reserve(out, room) : &beyond;
        if (!to) return buf_failed(out);
        ssize_t got = read_some(fd, to, room ? room : 1);
        if (got < 0) return ERR_SYS;
        if (got == 0) return ERR_OK;
        if (room == 0) return ERR_LIMIT;
        buf_grew(out, (size_t)got);
    }
}

enum err fds_read_file(const char *path, struct buf *out) {
    if (buf_failed(out)) return buf_failed(out);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return ERR_SYS;
    size_t before = out->n;
    enum err e = read_all(fd, out);
    if (e) out->n = before;
    return e;
}

static bool write_all(int fd, struct span bytes) {
    while (bytes.n) {
        ssize_t put = write(fd, bytes.p, bytes.n);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return false;
        bytes = span_drop(bytes, (size_t)put);
    }
    return true;
}

/* The file under its temporary name, complete and on disk. */
static bool write_temporary(int dir_fd, const char *name, struct span bytes, mode_t mode) {
    if (unlinkat(dir_fd, name, 0) != 0 && errno != ENOENT) return false; /* of a writer that was killed */
    int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    bool ok = write_all(fd, bytes) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    int error = errno;
    if (close(fd) != 0 && ok) return false;
    errno = error;
    return ok;
}

enum err fds_write_file(int dir_fd, const char *name, struct span bytes, mode_t mode) {
    char temporary[NAME_MAX + 1];
    int n = snprintf(temporary, sizeof temporary, ".%s.tmp", name);
    if (n < 0 || (size_t)n >= sizeof temporary || strchr(name, '/')) {
        errno = strchr(name, '/') ? EINVAL : ENAMETOOLONG;
        return ERR_SYS;
    }
    if (write_temporary(dir_fd, temporary, bytes, mode) && renameat(dir_fd, temporary, dir_fd, name) == 0)
        return fsync(dir_fd) == 0 ? ERR_OK : ERR_SYS;
    int error = errno;
    IGNORED(unlinkat(dir_fd, temporary, 0) != 0); /* may never have come to be */
    errno = error;
    return ERR_SYS;
}
