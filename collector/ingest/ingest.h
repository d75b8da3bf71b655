/* Where agents arrive: their sessions, who they are, and what they send, validated and handed on.  No state of campaigns here.
 * Parts go to the store's queue and come back from core as acks, all else goes to core and comes back as taken; only then does the
 * agent get its credit back, so a slow store or core makes agents wait and nothing grows.
 * Thread: the loop's.  The others reach it through its inbox only. */
#pragma once

#include "collector/message/message.h"

struct ingest;

enum ingest_event {
    INGEST_CONNECTED,
    INGEST_DISCONNECTED,
    INGEST_REFUSED,      /* a peer, before or instead of a session */
    INGEST_TWICE,        /* a peer, because another agent with its name is connected; said once for that other one */
    INGEST_PART_REFUSED, /* a part that does not follow the format, or of somebody else; it is not acknowledged */
    INGEST_RELOADED,
    INGEST_RELOAD_FAILED
};

/* Embedded in the owner.  For the log; host may be empty. */
struct ingest_ops {
    void (*report)(struct ingest_ops *self, enum ingest_event what, struct span host, struct span address, struct span why);
};

struct ingest_options {
    struct net_options net; /* with the loop */
    const char *listen;     /* HOST:PORT */
    struct ingest_ops *ops; /* keeps */
    struct queue *inbox;    /* keeps: ACK, TAKEN, SEND, DISCONNECT, RELOAD, QUIT (which stops the loop) */
    struct queue *store;    /* keeps: PART; its cap is what holds agents back */
    size_t store_cap;       /* that cap */
    struct queue *core;     /* keeps: CONNECTED, FACTS, STATE, TWICE, DISCONNECTED */
};

/* As net_new and rpc_listen, with why. */
NODISCARD enum err ingest_new(const struct ingest_options *opt, char *why, size_t why_size, struct ingest **out);
/* Closes every session (core is told) and the listener. */
void ingest_free(struct ingest *in);
AUTO_TYPE(struct ingest, ingest_free)
int ingest_port(const struct ingest *in);
