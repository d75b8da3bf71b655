/* gRPC-style calls over one connection: services and methods of proto/, unary, server-streaming and bidirectional; status
 * codes, deadline, cancel, credit.  Payloads are bytes (common/wire packs and unpacks them).
 *
 * One struct rpc_conn per connection, one struct rpc_stream per call, both sides alike.  A stream is embedded in its owner and
 * calls it back; callbacks run from the loop only, never from inside a function below (so a failure of rpc_call comes back
 * as its result, or later as ended()).  After ended() the stream is the owner's again: it may be freed or reused.
 * Thread: the loop's. */
#pragma once

#include "common/net/net.h"

/* gRPC's codes. */
enum rpc_status {
    RPC_OK = 0,
    RPC_CANCELLED = 1,
    RPC_UNKNOWN = 2,
    RPC_INVALID_ARGUMENT = 3,
    RPC_DEADLINE_EXCEEDED = 4,
    RPC_NOT_FOUND = 5,
    RPC_ALREADY_EXISTS = 6,
    RPC_PERMISSION_DENIED = 7,
    RPC_RESOURCE_EXHAUSTED = 8,
    RPC_FAILED_PRECONDITION = 9,
    RPC_ABORTED = 10,
    RPC_OUT_OF_RANGE = 11,
    RPC_UNIMPLEMENTED = 12,
    RPC_INTERNAL = 13,
    RPC_UNAVAILABLE = 14,
    RPC_DATA_LOSS = 15,
    RPC_UNAUTHENTICATED = 16
};
const char *rpc_status_name(enum rpc_status s); /* "PERMISSION_DENIED" */

enum rpc_method {
    RPC_AGENTS_SESSION,
    RPC_CONSOLE_START,
    RPC_CONSOLE_STOP,
    RPC_CONSOLE_HOSTS,
    RPC_CONSOLE_CAMPAIGNS,
    RPC_CONSOLE_SHOW,
    RPC_CONSOLE_WATCH,
    RPC_CONSOLE_HIST,
    RPC_CONSOLE_TOP,
    RPC_CONSOLE_STACKS,
    RPC_CONSOLE_EVENTS,
    RPC_CONSOLE_SET_LOCKDOWN,
    RPC_CONSOLE_GET_LOCKDOWN,
    RPC_CONSOLE_AUDIT,
    RPC_CONSOLE_PAUSE,
    RPC_CONSOLE_RESUME,
    RPC_CONSOLE_CONNECTIONS,
    RPC_CONSOLE_OUTLIERS,
    RPC_CONSOLE_PLAN,
    RPC_CONSOLE_ADD_TRIGGER,
    RPC_CONSOLE_TRIGGERS,
    RPC_CONSOLE_REMOVE_TRIGGER,
    RPC_CONSOLE_PARTS,
    RPC_METHOD__COUNT
};

/* The least that an operator must be to call it: a column of the table of methods. */
enum authority rpc_method_least(enum rpc_method m);
/* "trawl.Console/Hosts" into out, NUL-terminated. */
void rpc_method_name(enum rpc_method m, char *out, size_t size);

enum rpc_lane { RPC_INTERACTIVE, RPC_BULK }; /* interactive frames overtake bulk ones */

struct rpc_conn;
struct rpc_stream;

struct rpc_stream_ops {
    /* A whole message has come.  bytes are borrowed.  With manual_credit the owner says rpc_consumed later. */
    void (*message)(struct rpc_stream *s, struct span bytes);
    /* The peer will send no more messages (unary and server streaming: the request is complete).  May be NULL. */
    void (*half_closed)(struct rpc_stream *s);
    /* There is room again after rpc_send said ERR_AGAIN.  May be NULL. */
    void (*writable)(struct rpc_stream *s);
    /* The call is over, exactly once, whoever ended it (but not after rpc_abandon). */
    void (*ended)(struct rpc_stream *s, enum rpc_status status, struct span text);
};

struct rpc_stream {
    const struct rpc_stream_ops *ops;
    bool manual_credit;
    struct rpc_stream_state *state; /* rpc's own; NULL when no call is on */
};

/* ---- calling ---- */
/* Start a call.  deadline_ms 0: none.  ERR_GONE: not connected; ERR_LIMIT: too many calls. */
NODISCARD enum err rpc_call(struct rpc_conn *c, enum rpc_method m, uint32_t deadline_ms, struct rpc_stream *s);
/* Send one message (copied; cut into frames of ≤ 64 KiB).  ERR_AGAIN: no credit or the queue is full, nothing was sent, writable()
 * comes; ERR_GONE; ERR_LIMIT: larger than the method allows. */
NODISCARD enum err rpc_send(struct rpc_stream *s, struct span message, enum rpc_lane lane);
void rpc_half_close(struct rpc_stream *s); /* caller's side: no more messages from us */
void rpc_cancel(struct rpc_stream *s);     /* caller's side: ended(RPC_CANCELLED) comes */
/* Give n bytes of credit back (manual_credit). */
void rpc_consumed(struct rpc_stream *s, size_t n);
/* Forget the call, whoever made it: the peer is told that it is cancelled, no callback comes any more, s may be freed at once. */
void rpc_abandon(struct rpc_stream *s);

/* ---- serving ---- */
/* End the call.  Messages sent before it arrive before it.  ended() comes from the loop afterwards. */
void rpc_end(struct rpc_stream *s, enum rpc_status status, const char *text);

struct rpc_server_ops {
    /* Is this peer welcome?  RPC_OK, or the status and text (≥ 256 bytes) it is refused with.  identity and fleet were verified. */
    enum rpc_status (*admit)(struct rpc_server_ops *self, const struct identity *peer, struct span address, char *text, size_t text_size);
    void (*opened)(struct rpc_server_ops *self, struct rpc_conn *c);
    /* A call came; its method is one of the role's.  RPC_OK and *out set, or a status and text.  *out can be used after this returned. */
    enum rpc_status (*call)(struct rpc_server_ops *self, struct rpc_conn *c, enum rpc_method m, struct rpc_stream **out, char *text,
                            size_t text_size);
    /* The connection is gone; all its streams have ended.  c must not be used any more. */
    void (*closed)(struct rpc_server_ops *self, struct rpc_conn *c, enum err why, struct span text);
    /* A peer was refused before it was opened (TLS failure, wrong role, …): for the log.  May be NULL. */
    void (*refused)(struct rpc_server_ops *self, struct span address, struct span why);
};

struct rpc_server;
/* address: "HOST:PORT" (PORT 0: any).  role: the only one that may connect (its methods are those of its service).
 * ops: embedded in the owner, keeps. */
NODISCARD enum err rpc_listen(struct net *n, const char *address, enum role role, struct rpc_server_ops *ops, char *why, size_t why_size,
                              struct rpc_server **out);
/* Closes its connections; closed() is called for each, exceptionally from inside this call: nothing comes after it. */
void rpc_server_free(struct rpc_server *s);
int rpc_server_port(const struct rpc_server *s);

/* ---- dialling ---- */
struct rpc_client_ops {
    void (*opened)(struct rpc_client_ops *self, struct rpc_conn *c, uint64_t peer_wall_ns);
    /* Not connected (any more), or the attempt failed; text is a sentence for people (the TLS alert or the Refuse in words). */
    void (*closed)(struct rpc_client_ops *self, enum err why, struct span text);
    /* A heartbeat goes out.  May be NULL. */
    void (*beat)(struct rpc_client_ops *self);
};
struct rpc_client;
/* Dial HOST:PORT and, with retry, dial again for ever: back-off 1…60 s, full jitter, reset by a Welcome only.  server_name: the
 * collector's NAME that its identity must have, NULL: any of the fleet.  The host part must be a name or address in its certificate. */
NODISCARD enum err rpc_dial(struct net *n, const char *address, const char *server_name, bool retry, struct rpc_client_ops *ops,
                            struct rpc_client **out);
void rpc_client_free(struct rpc_client *c); /* says goodbye, closes; no callback afterwards, not even ended() */

/* ---- either side ---- */
const struct identity *rpc_peer(const struct rpc_conn *c);
struct span rpc_peer_address(const struct rpc_conn *c);
/* Tell the peer why, let it read that, close.  closed() comes. */
void rpc_disconnect(struct rpc_conn *c, enum rpc_status status, const char *text);
