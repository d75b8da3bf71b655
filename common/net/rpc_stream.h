/* The calls of one connection.  Private to common/net. */
#pragma once

#include "common/net/rpc_conn.h"
#include "common/net/rpc_method.h"

struct rpc_stream_state {
    struct rpc_conn *conn;
    struct rpc_stream *stream; /* NULL: abandoned */
    const struct rpc_method_info *info;
    struct rpc_stream_state *next_dead;
    uint32_t number;
    unsigned slot;
    bool caller;              /* this side called */
    bool said_all, heard_all; /* half-closed, from here and from there */
    bool sent_one, got_one;   /* a message was sent, has come */
    bool used_bulk;           /* what ends the call must then wait in the bulk lane */
    bool wants_room;          /* rpc_send said ERR_AGAIN */
    bool wants_bulk;          /* and never but for bulk messages */
    bool ending;              /* ended() is due, with status and text */
    struct credit credit;
    uint64_t bulk_held;       /* of its bulk messages: has come, and is not consumed */
    struct buf partial[2];    /* the message that is coming in, per lane */
    struct loop_timer deadline;
    enum rpc_status status;
    char text[LIMIT_REASON_BYTES + 1];
};

/* Start one on this side; s may be NULL until the owner is known.  ERR_LIMIT: too many; ERR_NOMEM. */
NODISCARD enum err rpc_stream_open(struct rpc_conn *c, enum rpc_method m, uint32_t number, bool caller, uint32_t deadline_ms,
                                   struct rpc_stream_state **out);
/* Credit of the connection has come. */
void rpc_stream_credit(struct rpc_conn *c, struct span payload);
/* A frame of a stream has come. */
void rpc_stream_frame(struct rpc_conn *c, const struct frame *f, struct span payload);

NODISCARD enum err rpc_stream_send(struct rpc_stream_state *st, struct span message, enum rpc_lane lane);
void rpc_stream_half_close(struct rpc_stream_state *st);
void rpc_stream_consumed(struct rpc_stream_state *st, uint64_t n);
/* This side ends it: tells the peer; ended() comes from the loop. */
void rpc_stream_end(struct rpc_stream_state *st, enum rpc_status status, const char *text);
/* The same, but its owner forgets it at once. */
void rpc_stream_abandon(struct rpc_stream_state *st);

void rpc_stream_end_all(struct rpc_conn *c, enum rpc_status status, struct span text);
void rpc_stream_abandon_all(struct rpc_conn *c); /* without telling the peer */
void rpc_stream_wake(struct rpc_conn *c);        /* ended() of those that wait for it */
void rpc_stream_room(struct rpc_conn *c);        /* writable() of those that wait for it */
void rpc_stream_bury(struct rpc_conn *c);
