/* A connection with calls on it: either side.  Private to common/net. */
#pragma once

#include "common/net/address.h"
#include "common/net/credit.h"
#include "common/net/gate.h"
#include "common/net/link.h"
#include "common/net/rpc.h"

struct rpc_stream_state;

/* The listener or dialler that a connection belongs to. */
struct rpc_conn_owner {
    /* The first frame but a Refuse: see to it that it is the right one. */
    void (*greeting)(struct rpc_conn_owner *o, struct rpc_conn *c, const struct frame *f, struct span payload);
    /* As in rpc_server_ops. */
    enum rpc_status (*call)(struct rpc_conn_owner *o, struct rpc_conn *c, enum rpc_method m, struct rpc_stream **out, char *text,
                            size_t text_size);
    /* It is over, and its calls have ended; c->link.why and .text say why. */
    void (*gone)(struct rpc_conn_owner *o, struct rpc_conn *c);
    /* A heartbeat goes out: the dialler's only. */
    void (*beat)(struct rpc_conn_owner *o);
};

struct rpc_conn {
    struct link link;
    struct net_member member;
    struct rpc_conn_owner *owner; /* NULL: forgotten, only says goodbye */
    struct rpc_conn *next, **at;  /* among its owner's */
    struct gate_place place;      /* at the listener, until it has greeted */
    bool counted;                 /* by the listener, among those of its identity */
    struct net_event wake;        /* things to do on the loop that came up in a call from outside */
    bool wake_posted, told;       /* told: the owner knows that it is over */
    bool open;                    /* greeted, calls may be made */
    struct identity peer;         /* role is ROLE_NONE until the greeting */
    char address[ADDRESS_TEXT_BYTES];
    const char *peer_word; /* "collector" or "peer" */
    enum role serves;      /* calls of this role are taken; ROLE_NONE: none are */
    uint32_t last_call;    /* highest stream number */
    struct rpc_stream_state **streams; /* by slot; NULL: free */
    unsigned n_streams;
    unsigned first_room;           /* the slot that is offered room first, another one each time */
    struct credit bulk_credit;     /* of the bulk messages of all streams */
    struct rpc_stream_state *dead; /* freed when the turn is over */
};

/* takes stream. */
NODISCARD enum err rpc_conn_new(struct net *n, nng_stream *stream, bool dialler, struct rpc_conn_owner *owner, struct rpc_conn **out);
/* The greeting was good. */
void rpc_conn_opened(struct rpc_conn *c, const struct identity *peer);
/* The peer's certificate against the CAs and revocation lists in force now.  As tls_verify. */
NODISCARD enum err rpc_conn_recheck(struct rpc_conn *c, char *why, size_t why_size);
/* Something is to be done on the loop. */
void rpc_conn_wake(struct rpc_conn *c);
/* Send Refuse, let the peer read it, close.  gone() comes from the loop. */
void rpc_conn_refuse(struct rpc_conn *c, enum err why, enum rpc_status status, const char *text);
/* The owner goes away: no callbacks any more, calls are forgotten; says goodbye and frees itself. */
void rpc_conn_orphan(struct rpc_conn *c);
/* The last thing in each turn. */
void rpc_conn_settle(struct rpc_conn *c);
