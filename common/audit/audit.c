#include "common/audit/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "common/sys/fds.h"

#define BUF __attribute__((cleanup(buf_done))) struct buf

enum { NAME_BYTES = 64, PATH_BYTES = 512 };

/* How far the log has come. */
struct place {
    uint64_t size, n;
    char hash[AUDIT_HASH_HEX + 1]; /* of line n */
};

struct audit {
    struct audit_options opt;
    int dir_fd, fd;
    struct place at, durable; /* they differ between put and sync */
    bool waiting, taken_back; /* something was put, and audit_sync will be asked for it; it was taken back before that */
    uint64_t signed_n;
    uint64_t missing; /* records that could not be written */
    uint64_t minute, in_minute, suppressed;
};

static enum err add(struct audit *a, const struct audit_record *r);

/* The last complete line of the file says where the chain stands; what is behind it is cut off. */
static enum err take_up(struct audit *a, uint64_t *out_torn) {
    char tail[2 * AUDIT_LINE_BYTES];
    uint64_t from = a->at.size > sizeof tail ? a->at.size - sizeof tail : 0;
    ssize_t got = pread(a->fd, tail, sizeof tail, (off_t)from);
    if (got < 0) return ERR_SYS;
    struct span text = span_of(tail, (size_t)got);
    size_t end = span_rfind(text, '\n');
    size_t whole = end < text.n ? end + 1 : 0;
    struct span lines = span_head(text, whole ? whole - 1 : 0);
    size_t start = span_rfind(lines, '\n');
    struct audit_link l = {0};
    memset(a->at.hash, '0', AUDIT_HASH_HEX);
    if (lines.n && audit_line_read(span_drop(lines, start < lines.n ? start + 1 : 0), &l) == ERR_OK) {
        a->at.n = l.n;
        memcpy(a->at.hash, l.hash.p, AUDIT_HASH_HEX);
    }
    *out_torn = text.n - whole;
    if (!*out_torn) return ERR_OK;
    a->at.size -= *out_torn;
    return ftruncate(a->fd, (off_t)a->at.size) == 0 ? ERR_OK : ERR_SYS;
}

static enum err open_file(struct audit *a) {
    struct stat st;
    a->fd = openat(a->dir_fd, a->opt.name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (a->fd < 0 || fstat(a->fd, &st) != 0) return ERR_SYS;
    a->at.size = (uint64_t)st.st_size;
    return ERR_OK;
}

/* A log that was shortened or made anew while nobody wrote it: the old checkpoint knows, and the log will say so. */
static enum err compare(struct audit *a) {
    BUF text;
    struct audit_checkpoint p;
    char why[160];
    buf_init(&text, AUDIT_CHECKPOINT_BYTES);
    enum err e = audit_read_checkpoint(a, &text);
    if (e || !text.n || audit_check_read(buf_span(&text), &p) != ERR_OK) return e;
    if (p.n < a->at.n || (p.n == a->at.n && strcmp(p.hash, a->at.hash) == 0)) return ERR_OK;
    snprintf(why, sizeof why, "the log ended at line %llu; the last checkpoint signs line %llu, %.16s…", (unsigned long long)a->at.n,
             (unsigned long long)p.n, p.hash);
    return add(a, &(struct audit_record){.event = "audit.tampered", .result = SPAN_LIT("damaged"), .why = span_str(why)});
}

enum err audit_open(const struct audit_options *opt, struct audit **out) {
    AUTO(audit_close) struct audit *a = calloc(1, sizeof *a);
    if (!a) return ERR_NOMEM;
    uint64_t torn = 0;
    a->opt = *opt;
    a->fd = -1;
    a->dir_fd = open(opt->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (a->dir_fd < 0) return ERR_SYS;
    enum err e = open_file(a);
    if (!e) e = take_up(a, &torn);
    a->durable = a->at;
    if (!e) e = compare(a);
    if (!e && torn)
        e = add(a, &(struct audit_record){.event = "audit.torn", .why = SPAN_LIT("a crash cut the last line short; it was removed")});
    if (e) return e;
    *out = TAKE(a);
    return ERR_OK;
}

void audit_close(struct audit *a) {
    char why[256];
    if (!a) return;
    if (a->fd >= 0) IGNORED(audit_checkpoint(a, why, sizeof why)); /* the next start covers what this one could not */
    if (a->fd >= 0) close(a->fd);
    if (a->dir_fd >= 0) close(a->dir_fd);
    free(a);
}

/* NAME → NAME.1 → … → NAME.keep → gone. */
static enum err rotate(struct audit *a) {
    char from[NAME_BYTES], to[NAME_BYTES];
    for (unsigned i = a->opt.keep; i > 0; i--) {
        snprintf(to, sizeof to, "%s.%u", a->opt.name, i);
        snprintf(from, sizeof from, i > 1 ? "%s.%u" : "%s", a->opt.name, i - 1);
        if (renameat(a->dir_fd, from, a->dir_fd, to) != 0 && errno != ENOENT) return ERR_SYS;
    }
    close(a->fd);
    a->fd = -1;
    return open_file(a);
}

static enum err append(struct audit *a, struct span line) {
    ssize_t n = write(a->fd, line.p, line.n);
    if (n == (ssize_t)line.n) return ERR_OK;
    int error = n >= 0 ? ENOSPC : errno;
    if (ftruncate(a->fd, (off_t)a->at.size) != 0) error = errno; /* then the next start does it */
    errno = error;
    return ERR_SYS;
}

static enum err make_durable(struct audit *a) {
    if (a->at.n == a->durable.n) return ERR_OK;
    if (fdatasync(a->fd) == 0) {
        a->durable = a->at;
        a->waiting = false;
        return ERR_OK;
    }
    int error = errno;
    a->missing += a->at.n - a->durable.n;
    a->at = a->durable;
    a->taken_back = a->taken_back || a->waiting;
    a->waiting = false;
    if (ftruncate(a->fd, (off_t)a->at.size) != 0) error = errno; /* then the next start does it */
    errno = error;
    return ERR_SYS;
}

static enum err put(struct audit *a, const struct audit_record *r) {
    BUF line;
    struct place next = a->at;
    buf_init(&line, AUDIT_LINE_BYTES);
    if (a->fd < 0) return ERR_SYS;
    enum err e = audit_line_write(r, ++next.n, clock_wall_ns(), a->at.hash, &line, next.hash);
    if (!e && a->opt.max_bytes && a->at.size && a->at.size + line.n > a->opt.max_bytes) {
        e = make_durable(a); /* of the file that is over */
        if (!e) e = rotate(a);
        a->durable.size = next.size = a->at.size;
    }
    if (!e) e = append(a, buf_span(&line));
    if (e) return e;
    next.size += line.n;
    a->at = next;
    return ERR_OK;
}

static enum err add(struct audit *a, const struct audit_record *r) {
    enum err e = put(a, r);
    return e ? e : make_durable(a);
}

static enum err put_or_count(struct audit *a, const struct audit_record *r) {
    enum err e = ERR_OK;
    if (a->missing) {
        e = add(a, &(struct audit_record){.event = "audit.missing",
                                          .hosts = 0,
                                          .result = SPAN_LIT("lost"),
                                          .why = SPAN_LIT("records before this one could not be written")});
        if (!e) a->missing = 0;
    }
    if (!e) e = put(a, r);
    if (e) a->missing++;
    return e;
}

enum err audit_put(struct audit *a, const struct audit_record *r) {
    enum err e = put_or_count(a, r);
    a->waiting = a->waiting || !e;
    return e;
}

enum err audit_sync(struct audit *a) {
    enum err e = make_durable(a);
    if (a->taken_back && !e) {
        errno = EIO;
        e = ERR_SYS;
    }
    a->taken_back = false;
    return e;
}

enum err audit_add(struct audit *a, const struct audit_record *r) {
    enum err e = put_or_count(a, r);
    return e ? e : make_durable(a);
}

static enum err say_suppressed(struct audit *a) {
    char why[96];
    snprintf(why, sizeof why, "%llu more of the kind were not written down one by one", (unsigned long long)a->suppressed);
    if (!a->suppressed) return ERR_OK;
    a->suppressed = 0;
    return audit_add(a, &(struct audit_record){.event = "audit.suppressed", .why = span_str(why)});
}

enum err audit_add_limited(struct audit *a, const struct audit_record *r) {
    uint64_t minute = clock_mono_ns() / (60 * NS_PER_S);
    enum err e = ERR_OK;
    if (minute != a->minute) {
        a->minute = minute;
        a->in_minute = 0;
        e = say_suppressed(a);
    }
    if (++a->in_minute <= AUDIT_LIMITED_PER_MINUTE) return e ? e : audit_add(a, r);
    a->suppressed++;
    return e;
}

enum err audit_checkpoint(struct audit *a, char *why, size_t why_size) {
    BUF text;
    char name[NAME_BYTES];
    AUTO(sign_free) struct signer *by = NULL;
    buf_init(&text, AUDIT_CHECKPOINT_BYTES);
    if (a->signed_n == a->at.n || !a->opt.cert) return ERR_OK;
    enum err e = make_durable(a);
    if (!e) e = sign_load(a->opt.cert, a->opt.key, why, why_size, &by);
    if (e) return e;
    e = audit_check_write(a->at.n, a->at.hash, clock_wall_ns() / NS_PER_MS, by, &text);
    snprintf(name, sizeof name, "%s.checkpoint", a->opt.name);
    if (!e) e = fds_write_file(a->dir_fd, name, buf_span(&text), 0600);
    if (!e)
        a->signed_n = a->at.n;
    else
        snprintf(why, why_size, "%s", e == ERR_SYS ? strerror(errno) : err_text(e));
    return e;
}

enum err audit_read(const struct audit *a, uint64_t offset, size_t max_bytes, struct buf *out, uint64_t *out_next) {
    *out_next = offset;
    if (offset >= a->at.size) return ERR_OK;
    size_t want = a->at.size - offset < max_bytes ? (size_t)(a->at.size - offset) : max_bytes;
    char *at = buf_reserve(out, want);
    if (!at) return ERR_NOMEM;
    ssize_t n = pread(a->fd, at, want, (off_t)offset);
    if (n < 0) return ERR_SYS;
    size_t end = span_rfind(span_of(at, (size_t)n), '\n');
    if (end == (size_t)n) return ERR_OK; /* not even one line: max_bytes is too small, or offset is nowhere */
    buf_grew(out, end + 1);
    *out_next = offset + end + 1;
    return ERR_OK;
}

enum err audit_read_checkpoint(const struct audit *a, struct buf *out) {
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s.checkpoint", a->dir_fd, a->opt.name);
    enum err e = fds_read_file(path, out);
    return e == ERR_SYS ? ERR_OK : e;
}
