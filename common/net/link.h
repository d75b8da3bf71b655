/* One connection: an nng stream, the frames that come and go on it, its heartbeat and its end.  Knows nothing of calls.
 * Embedded in its owner; everything happens on the loop.  Private to common/net.
 *
 *   UP ──link_close──▶ CLOSING ──peer closes, or linger──▶ DOWN
 *   └───────link_fail, an error, a watchdog───────────────▶ DOWN */
#pragma once

#include "common/net/engine.h"
#include "common/net/net_internal.h"
#include "common/net/txq.h"

struct link;

struct link_ops {
    /* A frame has come (not Ping, Pong, Goodbye).  payload is borrowed. */
    void (*frame)(struct link *l, const struct frame *f, struct span payload);
    /* The peer broke the protocol: tell it and link_close. */
    void (*violated)(struct link *l, const char *what);
    /* Something was sent: there may be room in the queue. */
    void (*room)(struct link *l);
    /* The dialler has sent a heartbeat. */
    void (*beat)(struct link *l);
    /* It is down; why and text are in the link.  May come from inside link_fail; nobody may be called back from here. */
    void (*down)(struct link *l);
    /* The last call of each turn that concerns this link.  When link_idle, it may be freed. */
    void (*settle)(struct link *l);
};

enum link_state { LINK_UP, LINK_CLOSING, LINK_DOWN };

struct link {
    const struct link_ops *ops;
    struct net *net;
    nng_stream *stream;
    enum link_state state;
    bool dialler; /* this side dialled: it sends the Pings */
    uint32_t heartbeat_ms;
    bool greeted;                /* Hello and Welcome were exchanged */
    struct engine_report report; /* who the peer is; from its first byte on */
    struct net_op rx, tx;
    char *in; /* what has come and is not handled yet */
    size_t in_n, in_size;
    uint32_t in_sequence;
    struct txq queue;
    struct buf out; /* what nng is sending */
    size_t out_sent;
    struct loop_timer timer;
    uint64_t began_ns, heard_ns, spoke_ns, pinged_ns;
    uint64_t stuck_ns; /* since when nng has had the same bytes */
    int tx_error;      /* nng cannot send; the receive will soon say why */
    uint64_t tx_failed_ns;
    enum err why; /* when it is down, or closing */
    char text[LIMIT_REASON_BYTES + 1];
};

/* takes stream.  Nothing happens on it until link_begin, which fails it when the peer will have lost patience. */
NODISCARD enum err link_init(struct link *l, struct net *n, nng_stream *stream, bool dialler, const struct link_ops *ops);
void link_begin(struct link *l);
void link_done(struct link *l); /* only when link_idle */

/* The owner found the greeting good: from now on there are heartbeats and calls. */
void link_greeted(struct link *l);
/* Queue a control frame.  A peer that lets too much of that pile up is disconnected. */
void link_send(struct link *l, enum frame_type type, uint32_t stream, bool bulk, struct span payload);
/* Queue a message.  ERR_AGAIN: the queue is full; ERR_GONE; ERR_NOMEM. */
NODISCARD enum err link_send_message(struct link *l, uint32_t stream, bool bulk, struct span message);
bool link_has_room(const struct link *l);
/* Let the peer have what is queued, wait for it to close, at most linger_ms.  Nothing that comes is handled any more. */
void link_close(struct link *l, enum err why, const char *text);
/* Close at once. */
void link_fail(struct link *l, enum err why, const char *text);
static inline bool link_idle(const struct link *l) { return l->state == LINK_DOWN && !l->rx.busy && !l->tx.busy; }
static inline bool link_flushing(const struct link *l) { return l->state != LINK_DOWN && (txq_bytes(&l->queue) || l->out.n); }
