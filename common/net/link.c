#include "common/net/link.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/net/pace.h"

enum {
    IN_SMALL_BYTES = 512,                               /* an idle connection's: a heartbeat, an acknowledgement, a small histogram */
    OUT_BYTES = LIMIT_FRAME_BYTES + FRAME_HEADER_BYTES, /* nng gets at once; nothing overtakes these */
    IN_LARGE_BYTES = OUT_BYTES,
    CONTROL_BYTES_MAX = 1024 * 1024,
};

static void pump_out(struct link *l);
static void watch(struct link *l);

/* ---- the end ---- */

static void describe(struct link *l, enum err why, const char *text) {
    if (l->text[0]) return; /* the first reason stands */
    l->why = why;
    snprintf(l->text, sizeof l->text, "%s", text);
}

void link_fail(struct link *l, enum err why, const char *text) {
    if (l->state == LINK_DOWN) return;
    describe(l, why, text);
    l->state = LINK_DOWN;
    loop_timer_clear(net_loop(l->net), &l->timer);
    nng_stream_close(l->stream); /* the operations under way come back with an error */
    txq_clear(&l->queue);
    l->ops->down(l);
}

void link_close(struct link *l, enum err why, const char *text) {
    if (l->state != LINK_UP) return;
    describe(l, why, text);
    l->state = LINK_CLOSING;
    l->began_ns = clock_mono_ns();
    watch(l);
    pump_out(l);
}

/* An operation of nng failed: TLS may know better why. */
static void fail_nng(struct link *l, int error) {
    struct engine_report r;
    engine_ask(l->stream, &r);
    if (r.fault)
        link_fail(l, r.fault, r.text);
    else if (error == NNG_ETIMEDOUT && !l->greeted)
        link_fail(l, ERR_TIMEOUT, "no greeting in time");
    else if (!l->report.verified && net_err(error) == ERR_GONE)
        link_fail(l, ERR_GONE, "the connection was closed before the first frame");
    else
        link_fail(l, net_err(error), net_err(error) == ERR_GONE ? "the connection was closed by the peer" : nng_strerror(error));
    engine_report_done(&r);
}

/* ---- sending ---- */

static bool send_rest(struct link *l) {
    nng_iov iov = {.iov_buf = l->out.p + l->out_sent, .iov_len = l->out.n - l->out_sent};
    if (nng_aio_set_iov(l->tx.aio, 1, &iov)) return false; /* cannot be: one piece always fits */
    nng_stream_send(l->stream, l->tx.aio);
    return true;
}

/* On nng's thread: out and out_sent are its as long as tx is busy.  nng takes a TLS record at a time. */
static bool send_again(struct net_op *op) {
    struct link *l = container_of(op, struct link, tx);
    if (nng_aio_result(op->aio)) return false;
    l->out_sent += nng_aio_count(op->aio);
    return l->out_sent < l->out.n && send_rest(l);
}

static void start_tx(struct link *l) {
    l->tx.busy = true;
    l->stuck_ns = clock_mono_ns();
    if (send_rest(l)) return;
    l->tx.busy = false;
    link_fail(l, ERR_NOMEM, err_text(ERR_NOMEM));
}

static void pump_out(struct link *l) {
    if (l->state == LINK_DOWN || l->tx.busy || l->tx_error) return;
    if (l->out_sent == l->out.n) {
        if (txq_bytes(&l->queue) == 0) { /* an idle connection should cost little */
            buf_done(&l->out);
            buf_init(&l->out, 0);
        }
        buf_reset(&l->out);
        l->out_sent = 0;
        if (txq_fill(&l->queue, OUT_BYTES, &l->out)) {
            link_fail(l, ERR_NOMEM, err_text(ERR_NOMEM));
            return;
        }
    }
    if (l->out.n) start_tx(l);
}

static void on_sent(struct net_event *e) {
    struct link *l = container_of(e, struct link, tx.event);
    l->tx.busy = false;
    int error = nng_aio_result(l->tx.aio);
    if (l->state != LINK_DOWN && error) {
        /* What the peer said before it closed may still be on its way in: the receive will tell, and better. */
        l->tx_error = error;
        l->tx_failed_ns = clock_mono_ns();
        watch(l);
    } else if (l->state != LINK_DOWN) {
        l->spoke_ns = clock_mono_ns();
        pump_out(l);
        if (l->state == LINK_UP) l->ops->room(l);
    }
    l->ops->settle(l);
}

void link_send(struct link *l, enum frame_type type, uint32_t stream, bool bulk, struct span payload) {
    if (l->state != LINK_UP) return;
    if (txq_push(&l->queue, type, stream, bulk, payload))
        link_fail(l, ERR_NOMEM, err_text(ERR_NOMEM));
    else if (l->queue.control_bytes > CONTROL_BYTES_MAX)
        link_fail(l, ERR_LIMIT, "the peer does not read what it is sent");
    else
        pump_out(l);
}

bool link_has_room(const struct link *l) { return txq_bytes(&l->queue) < LIMIT_SEND_QUEUE_BYTES; }

enum err link_send_message(struct link *l, uint32_t stream, bool bulk, struct span message) {
    if (l->state != LINK_UP) return ERR_GONE;
    if (!link_has_room(l)) return ERR_AGAIN;
    enum err e = txq_push_message(&l->queue, stream, bulk, message);
    if (!e) pump_out(l);
    return e;
}

/* ---- receiving ---- */

static void start_rx(struct link *l) {
    nng_iov iov = {.iov_buf = l->in + l->in_n, .iov_len = l->in_size - l->in_n};
    if (nng_aio_set_iov(l->rx.aio, 1, &iov)) {
        link_fail(l, ERR_NOMEM, err_text(ERR_NOMEM));
        return;
    }
    l->rx.busy = true;
    nng_stream_recv(l->stream, l->rx.aio);
}

static bool resize_in(struct link *l, size_t size) {
    if (size == l->in_size) return true;
    char *p = realloc(l->in, size);
    if (!p) return false;
    l->in = p;
    l->in_size = size;
    return true;
}

static void handle(struct link *l, const struct frame *f, struct span payload) {
    if (f->sequence != l->in_sequence++) {
        l->ops->violated(l, "a frame out of sequence");
        return;
    }
    switch (f->type) {
    case FRAME_PING:
    case FRAME_PONG:
        if (!l->greeted)
            l->ops->violated(l, "a heartbeat before the greeting");
        else if (f->type == FRAME_PING)
            link_send(l, FRAME_PONG, 0, false, SPAN_NONE);
        return;
    case FRAME_GOODBYE:
        link_fail(l, ERR_GONE, "the peer said goodbye");
        return;
    case FRAME_HELLO:
    case FRAME_WELCOME:
    case FRAME_REFUSE:
    case FRAME_CALL:
    case FRAME_MESSAGE:
    case FRAME_HALF_CLOSE:
    case FRAME_STATUS:
    case FRAME_CANCEL:
    case FRAME_CREDIT:
        l->ops->frame(l, f, payload);
        return;
    case FRAME__COUNT:
        return;
    }
}

/* All whole frames of what has come.  *want: bytes that the next frame needs in all. */
static size_t handle_all(struct link *l, size_t *want) {
    size_t done = 0;
    *want = FRAME_HEADER_BYTES;
    while (l->state == LINK_UP && l->in_n - done >= FRAME_HEADER_BYTES) {
        struct frame f;
        const char *what = NULL;
        if (frame_decode(l->in + done, &f, &what)) {
            l->ops->violated(l, what);
            break;
        }
        if (!l->greeted && f.length > FRAME_CONTROL_BYTES) {
            l->ops->violated(l, "a long frame before the greeting");
            break;
        }
        *want = FRAME_HEADER_BYTES + f.length;
        if (l->in_n - done < *want) break;
        handle(l, &f, span_of(l->in + done + FRAME_HEADER_BYTES, f.length));
        done += *want;
        *want = FRAME_HEADER_BYTES;
    }
    return done;
}

static void received(struct link *l, size_t n) {
    l->in_n += n;
    l->heard_ns = clock_mono_ns();
    if (!l->report.leaf) engine_ask(l->stream, &l->report);
    if (!l->report.verified) { /* cannot be: TLS gives no bytes before */
        link_fail(l, ERR_UNTRUSTED, "the peer is not authenticated");
        return;
    }
    bool full = l->in_n == l->in_size;
    size_t want, done = handle_all(l, &want);
    if (l->state == LINK_CLOSING) done = l->in_n;
    if (l->state == LINK_DOWN) return;
    l->in_n -= done;
    memmove(l->in, l->in + done, l->in_n);
    size_t size = full && l->in_size < IN_LARGE_BYTES / 2 ? 2 * l->in_size : l->in_size;
    if (want > size) size = want;
    if (l->in_n == 0 && n < IN_SMALL_BYTES) size = IN_SMALL_BYTES; /* an idle connection should cost little */
    if (!resize_in(l, size)) link_fail(l, ERR_NOMEM, err_text(ERR_NOMEM));
}

static void on_received(struct net_event *e) {
    struct link *l = container_of(e, struct link, rx.event);
    l->rx.busy = false;
    int error = nng_aio_result(l->rx.aio);
    if (l->state != LINK_DOWN) {
        if (error)
            fail_nng(l, error);
        else
            received(l, nng_aio_count(l->rx.aio));
        if (l->state != LINK_DOWN) start_rx(l);
    }
    l->ops->settle(l);
}

/* ---- time ---- */

static uint64_t earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }
static uint64_t later(uint64_t a, uint64_t b) { return a > b ? a : b; }

static uint64_t dead_at(const struct link *l, const struct net_times *t) {
    uint64_t since = l->tx.busy ? earlier(l->heard_ns, l->stuck_ns) : l->heard_ns;
    return since + t->dead_ms * NS_PER_MS;
}

/* Pings keep both directions awake: the peer answers each. */
static uint64_t ping_at(const struct link *l) {
    return later(l->pinged_ns, earlier(l->heard_ns, l->spoke_ns)) + l->heartbeat_ms * NS_PER_MS;
}

static bool has_heartbeat(const struct link *l) { return l->state == LINK_UP && l->greeted && l->dialler; }

static uint64_t end_at(const struct link *l, const struct net_times *t) {
    if (l->state == LINK_CLOSING) return l->began_ns + t->linger_ms * NS_PER_MS;
    if (l->tx_error) return l->tx_failed_ns + t->linger_ms * NS_PER_MS;
    if (l->greeted) return dead_at(l, t);
    return l->began_ns + (l->dialler ? t->patience_ms : t->first_frame_ms) * NS_PER_MS;
}

/* Arm the timer for what is due next. */
static void watch(struct link *l) {
    const struct net_times *t = net_times(l->net);
    uint64_t due = end_at(l, t);
    if (has_heartbeat(l)) due = earlier(due, pace_beat_ns(ping_at(l), clock_mono_ns(), clock_wall_ns(), l->heartbeat_ms));
    if (loop_timer_set(net_loop(l->net), &l->timer, due)) link_fail(l, ERR_NOMEM, err_text(ERR_NOMEM));
}

static void end_by_time(struct link *l) {
    if (l->state == LINK_CLOSING)
        link_fail(l, ERR_GONE, "closed");
    else if (l->tx_error)
        fail_nng(l, l->tx_error);
    else if (!l->greeted)
        fail_nng(l, NNG_ETIMEDOUT);
    else
        link_fail(l, ERR_TIMEOUT, "the peer has been silent for too long");
}

static void on_timer(struct loop_timer *timer) {
    struct link *l = container_of(timer, struct link, timer);
    const struct net_times *t = net_times(l->net);
    uint64_t now = clock_mono_ns();
    if (now >= end_at(l, t)) {
        end_by_time(l);
    } else if (has_heartbeat(l) && now >= ping_at(l)) {
        l->pinged_ns = now;
        link_send(l, FRAME_PING, 0, false, SPAN_NONE);
        l->ops->beat(l);
    }
    if (l->state != LINK_DOWN) watch(l);
    l->ops->settle(l);
}

void link_greeted(struct link *l) {
    l->greeted = true;
    watch(l);
}

/* ---- life ---- */

enum err link_init(struct link *l, struct net *n, nng_stream *stream, bool dialler, const struct link_ops *ops) {
    uint64_t now = clock_mono_ns();
    *l = (struct link){.ops = ops,
                       .net = n,
                       .dialler = dialler,
                       .heartbeat_ms = net_times(n)->heartbeat_ms,
                       .began_ns = now,
                       .heard_ns = now,
                       .spoke_ns = now,
                       .pinged_ns = now,
                       .timer.fired = on_timer};
    txq_init(&l->queue);
    buf_init(&l->out, 0);
    if (!resize_in(l, IN_SMALL_BYTES) || net_op_init(&l->rx, n, on_received) || net_op_init(&l->tx, n, on_sent)) goto fail;
    l->tx.again = send_again;
    l->stream = stream;
    return ERR_OK;
fail:
    link_done(l);
    return ERR_NOMEM;
}

void link_begin(struct link *l) {
    uint64_t now = clock_mono_ns();
    if (l->state != LINK_UP) return;
    if (now - l->began_ns >= net_times(l->net)->patience_ms * NS_PER_MS) {
        link_fail(l, ERR_TIMEOUT, "its turn to greet came too late");
        return;
    }
    l->began_ns = l->heard_ns = l->spoke_ns = l->pinged_ns = now;
    watch(l);
    if (l->state == LINK_UP) start_rx(l);
}

void link_done(struct link *l) {
    loop_timer_clear(net_loop(l->net), &l->timer);
    if (l->rx.aio) net_op_done(&l->rx);
    if (l->tx.aio) net_op_done(&l->tx);
    if (l->stream) nng_stream_free(l->stream);
    engine_report_done(&l->report);
    txq_clear(&l->queue);
    buf_done(&l->out);
    free(l->in);
    l->in = NULL;
}
