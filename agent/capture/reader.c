#include "agent/capture/reader.h"

#include <errno.h>
#include <fcntl.h>

enum { READ_CHUNK_BYTES = 64 * 1024, READS_PER_TURN = 16 };

static void stream_close(struct loop *loop, struct reader_stream *s) {
    if (s->watch.fd < 0) return;
    int fd = s->watch.fd;
    loop_remove(loop, &s->watch);
    s->watch.fd = -1;
    close(fd);
}

static void keep(struct reader_stream *s, const char *p, size_t n) {
    size_t room = s->cap - s->text.n;
    size_t kept = n < room ? n : room;
    if (kept > 0 && !buf_failed(&s->text)) buf_add(&s->text, span_of(p, kept));
    if (buf_failed(&s->text)) kept = 0;
    s->dropped_bytes += n - kept;
}

static void stream_ready(struct loop_watch *w, uint32_t events) {
    (void)events;
    struct reader_stream *s = container_of(w, struct reader_stream, watch);
    struct reader *r = s->owner;
    char chunk[READ_CHUNK_BYTES];
    bool was_over = s->dropped_bytes > 0;
    /* A few reads a turn: a tool that floods must not keep the loop from its heartbeats. */
    for (int i = 0; i < READS_PER_TURN; i++) {
        ssize_t n = read(w->fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n <= 0) { /* end; a pty says EIO when its last writer is gone */
            stream_close(r->loop, s);
            break;
        }
        keep(s, chunk, (size_t)n);
    }
    if (s == &r->out && !was_over && s->dropped_bytes > 0) r->over(r);
    if (!reader_open(r)) r->done(r);
}

static enum err stream_start(struct reader *r, struct reader_stream *s, int fd, size_t cap) {
    s->owner = r;
    s->cap = cap;
    s->watch.ready = stream_ready;
    buf_init(&s->text, cap);
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return ERR_SYS;
    return loop_add(r->loop, &s->watch, fd, EPOLLIN);
}

enum err reader_start(struct reader *r, struct loop *loop, int out_fd, int err_fd, size_t out_cap, size_t err_cap) {
    r->loop = loop;
    r->out.watch.fd = r->err.watch.fd = -1;
    enum err e = stream_start(r, &r->out, out_fd, out_cap);
    if (e) close(out_fd);
    enum err e2 = e ? e : stream_start(r, &r->err, err_fd, err_cap);
    if (e2) {
        close(err_fd);
        reader_done(r);
    }
    return e2;
}

void reader_close(struct reader *r) {
    if (!r->loop) return;
    stream_close(r->loop, &r->out);
    stream_close(r->loop, &r->err);
}

void reader_done(struct reader *r) {
    reader_close(r);
    buf_done(&r->out.text);
    buf_done(&r->err.text);
}
