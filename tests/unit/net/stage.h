/* A collector and a peer of it in one process and one loop, over real TLS on loopback. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first */
#include <cmocka.h>

#include "common/base/clock.h"
#include "common/net/net_internal.h"
#include "common/net/rpc.h"
#include "tests/support/ca.h"

enum { STAGE_TEXT = 600, STAGE_ECHOES = 32768 /* more than fit into the credit */ };

/* What a called method does, at the collector. */
enum act { ACT_ECHO, ACT_ANSWER, ACT_STREAM, ACT_SILENT, ACT_REFUSE, ACT_HOLD, ACT_HOLD_AFTER_FIRST };

struct served { /* one call at the collector */
    struct rpc_stream stream;
    struct stage *stage;
    struct served *next;
    enum act act;
    unsigned left;            /* ACT_STREAM */
    char *echo[STAGE_ECHOES]; /* ACT_ECHO: what could not be sent yet */
    size_t echo_n[STAGE_ECHOES], echo_from, echo_to;
    uint64_t held; /* ACT_HOLD: bytes not consumed */
    bool half_closed, ended;
    enum rpc_status status;
};

struct called { /* one call at the peer */
    struct rpc_stream stream;
    struct stage *stage;
    uint64_t messages, bytes, writables;
    char last[64];
    bool in_order; /* message i begins with its number */
    bool ended;
    enum rpc_status status;
    char text[STAGE_TEXT];
};

struct stage {
    struct loop *loop;
    struct ca *ca;
    struct net *center, *edge;
    struct rpc_server *server;
    struct rpc_client *client;
    struct rpc_server_ops server_ops;
    struct rpc_client_ops client_ops;
    char address[64];
    const char *listen_ca, *listen_host, *server_name; /* set before: instead of the usual */
    /* at the collector */
    enum act session_act; /* instead of ACT_ECHO */
    bool answer_may_fail; /* the queue may be full */
    struct served *served;
    struct rpc_conn *server_conn; /* newest */
    struct identity admitted;
    enum rpc_status admit_status;
    const char *admit_text;
    unsigned server_opened, server_closed, refused;
    enum err server_why;
    char server_text[STAGE_TEXT], refused_text[STAGE_TEXT], refused_address[STAGE_TEXT];
    /* at the peer */
    struct rpc_conn *conn;
    unsigned opened, closed;
    enum err why;
    char text[STAGE_TEXT];
    bool free_client_when_opened, in_call; /* in_call: a callback now would be a bug */
};

/* Turn the loop until cond; a test that waits longer than 20 s fails. */
#define UNTIL(stage, cond)                                                                                                                 \
    do {                                                                                                                                   \
        uint64_t give_up_ = clock_mono_ns() + 20 * NS_PER_S;                                                                               \
        while (!(cond)) {                                                                                                                  \
            if (clock_mono_ns() > give_up_) fail_msg("waited in vain: %s", #cond);                                                         \
            assert_int_equal(loop_turn((stage)->loop, 2), ERR_OK);                                                                         \
        }                                                                                                                                  \
    } while (0)
/* Turn the loop for so long. */
void stage_turn(struct stage *st, uint64_t ms);

/* Certificates that several tests share: agent web-1, collector c1, operator ada, and another fleet's. */
struct ca *stage_ca(void);
struct ca *stage_other_ca(void);
void stage_ca_done(void);

/* A net with one of the CA's certificates: "agents/web-1". */
struct net *stage_net(struct stage *st, struct ca *own, const char *who, const char *ca_file, const char *crl);
/* Collector c1 listens for role, with the right CA. */
void stage_listen(struct stage *st, enum role role, const char *crl);
/* who: "agents/web-1", "operators/ada".  Dials, does not wait. */
void stage_dial(struct stage *st, const char *who, bool retry);
/* listen, dial, wait for both to be open. */
void stage_open(struct stage *st, enum role role);
void stage_done(struct stage *st);

void stage_call(struct stage *st, struct called *c, enum rpc_method m, uint32_t deadline_ms);
struct served *stage_served(struct stage *st); /* the newest call */
