/* How nng's threads and the loop meet: an operation's end is an event that travels through the net's queue and happens on the loop.
 * Private to common/net and its tests. */
#pragma once

#include <nng/nng.h>

#include "common/base/arena.h"
#include "common/base/queue.h"
#include "common/net/net.h"
#include "common/net/tls.h"

/* What happens later, on the loop.  Posted at most once at a time; its owner stays until it has happened. */
struct net_event {
    struct queue_item item;
    void (*happened)(struct net_event *e);
};
void net_post(struct net *n, struct net_event *e); /* Thread: any */

/* One of nng's asynchronous operations; at most one is under way. */
struct net_op {
    struct net_event event; /* its end; happened() must set busy to false */
    struct net *net;
    nng_aio *aio;
    bool (*again)(struct net_op *op); /* may be NULL; on nng's thread: true when it began the operation anew, which has not ended then */
    bool busy;
};
NODISCARD enum err net_op_init(struct net_op *op, struct net *n, void (*happened)(struct net_event *e));
void net_op_done(struct net_op *op); /* not busy */

enum net_news {
    NET_LEAVE,   /* say goodbye, call nobody back from now on */
    NET_CLOSE,   /* end everything at once */
    NET_RELOADED, /* there is another net_ctx: use it for what begins */
    NET_RECHECK   /* after all have heard that: look at the peers again */
};
/* What lives on a net: connections, listeners, diallers.  They free themselves when nothing of nng is under way any more. */
struct net_member {
    struct net_member *next, **at;
    bool flushing; /* still has bytes that the peer should get */
    void (*hear)(struct net_member *m, enum net_news news);
};
void net_join(struct net *n, struct net_member *m);
void net_part(struct net_member *m);

/* Tests make them short and small. */
struct net_times {
    uint32_t heartbeat_ms, dead_ms, linger_ms, backoff_low_ms, backoff_high_ms;
    uint32_t first_frame_ms, patience_ms; /* a listener waits so long for a greeting once it has begun; a dialler for its answer */
    unsigned greetings, greetings_of_one; /* connections of a listener that have not greeted, at most; of one address */
};
struct net_times *net_times(struct net *n);

struct loop *net_loop(const struct net *n);
SSL_CTX *net_ctx(const struct net *n);
const char *net_software(const struct net *n);
/* May a handshake that has just ended have begun under an earlier net_ctx? */
bool net_reloaded_lately(const struct net *n);
struct arena *net_scratch(struct net *n); /* emptied: for unpacking one control message */
/* What nng's error means for us. */
enum err net_err(int nng_error);
