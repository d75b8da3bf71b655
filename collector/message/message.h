/* What the collector's threads hand each other.  A message lives in its own arena, which has all it points to; whoever holds
 * it owns it whole, and pushing it on a queue gives it away.
 *
 *   ingest ──PART──▶ store ──PART──▶ core ──ACK, TAKEN──▶ ingest     core ──WRITE──▶ store ──WRITE──▶ core
 *   ingest ──CONNECTED, FACTS, STATE, TRIGGER, FIRING──▶ core ──TAKEN──▶ ingest       ingest ──TWICE, DISCONNECTED──▶ core ──SEND,
 * DISCONNECT──▶ ingest store ──STORE_DOWN, STORE_UP──▶ core ingest, main, http ──AUDIT──▶ core                             http ──CALL──▶
 * core ──REPLY──▶ http main ──QUESTION, UNWATCH──▶ core ──ANSWER──▶ main                main ──RELOAD, QUIT──▶ any */
#pragma once

#include "collector/store/store.h"
#include "common/base/queue.h"
#include "common/json/json_alert.h"
#include "common/net/rpc.h"
#include "common/wire/session.h"

enum message_kind {
    MESSAGE_CONNECTED,
    MESSAGE_FACTS,
    MESSAGE_STATE,
    MESSAGE_TRIGGER,
    MESSAGE_FIRING,
    MESSAGE_TWICE,
    MESSAGE_DISCONNECTED,
    MESSAGE_PART,
    MESSAGE_ACK,
    MESSAGE_TAKEN,
    MESSAGE_SEND,
    MESSAGE_DISCONNECT,
    MESSAGE_WRITE,
    MESSAGE_STORE_DOWN,
    MESSAGE_STORE_UP,
    MESSAGE_QUESTION,
    MESSAGE_UNWATCH,
    MESSAGE_ANSWER,
    MESSAGE_AUDIT,
    MESSAGE_CALL,
    MESSAGE_REPLY,
    MESSAGE_RELOAD,
    MESSAGE_QUIT
};

/* Of one agent's session.  session: ingest's number for it, never used twice. */
struct message_agent {
    uint64_t session;
    size_t credit; /* CONNECTED, FACTS, STATE, TRIGGER, FIRING: bytes of the session's credit that it holds */
    struct span host;
    struct span address; /* CONNECTED */
    uint64_t cert_expires_wall_ns;
    struct span facts_bytes;     /* CONNECTED, FACTS, TRIGGER, FIRING: the FromAgent message they came in */
    struct span why;             /* TWICE, DISCONNECTED; DISCONNECT: what the agent is told */
    struct campaign_id campaign; /* STATE */
    enum coverage coverage;
    struct span note;
};

/* A part on its way to the store, to core, and back as the ack. */
struct message_part {
    uint64_t session;
    size_t credit;            /* bytes of the session's credit that it holds */
    struct store_op op;       /* STORE_PUT_PART */
    struct part_body decoded; /* of op.part.body */
};

/* Done with what a session sent, without an ack. */
struct message_taken {
    uint64_t session;
    size_t credit;
};

struct message_send {
    uint64_t *sessions;
    size_t n;
    struct span bytes; /* a ToAgent message */
};

/* Ops that core wants to be durable; it comes back when they are. */
struct message_write {
    struct store_op *ops;
    size_t n;
    uint64_t question; /* whoever asked for it; 0: nobody waits, and it is tried until it succeeds */
    enum err failed;   /* with a question: it was not written */
};

struct message_question {
    uint64_t id; /* main's number for the call */
    enum rpc_method method;
    enum authority authority; /* the operator's */
    struct span operator_name;
    struct span bytes;
};

/* Somebody was turned away before core heard of him.  event: a constant. */
struct message_audit {
    const char *event;
    struct span who, host, address, what, why;
    enum authority authority;
};

/* Somebody outside asks, with the token unless it is for health.  id: http's number for it. */
enum message_call_kind { CALL_HEALTH, CALL_READY, CALL_METRICS, CALL_TRIGGER, CALL_ALERTS };
struct message_call {
    uint64_t id;
    enum message_call_kind kind;
    struct span trigger, address;
    struct json_notice notice; /* ALERTS */
    struct json_call call;     /* TRIGGER */
};

struct message_reply {
    uint64_t id;
    unsigned status;  /* of HTTP */
    const char *type; /* a constant */
    struct buf bytes; /* heap, freed with the message */
};

struct message_answer {
    uint64_t id;
    enum rpc_status status;
    struct span text;
    struct buf bytes; /* heap, freed with the message */
    bool more;        /* Watch: others follow; bytes is one message of the stream.  Without: bytes, if any, then the status */
};

struct message {
    struct queue_item item;
    enum message_kind kind;
    struct arena *mem;
    union {
        struct message_agent agent;
        struct message_part part;
        struct message_taken taken;
        struct message_send send;
        struct message_write write;
        struct message_question question;
        struct message_answer answer;
        struct message_audit audit;
        struct message_call call;
        struct message_reply reply;
    };
};

/* extra_bytes: what the message's arena may hold besides the message.  All zero but kind and mem.  NULL: out of memory. */
struct message *message_new(enum message_kind kind, size_t extra_bytes);
void message_free(struct message *m);
AUTO_TYPE(struct message, message_free)
static inline struct message *message_of(struct queue_item *item) { return container_of(item, struct message, item); }
/* Frees every message of a taken list. */
void message_free_all(struct queue_item *first);
