/* An uplink over real TLS on loopback and the collector at its other end, which the test plays: it keeps what came and says
 * what the test tells it to. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants these first */
#include <cmocka.h>

#include "agent/uplink/uplink.h"
#include "common/base/clock.h"
#include "tests/support/ca.h"
#include "tests/support/folder.h"

enum { CENTRE_HEARD = 256, CENTRE_TEXT = 600 };

struct heard { /* one message of the agent's */
    enum from_agent_kind kind;
    unsigned session; /* 1: the first one */
    uint32_t part;
    unsigned char campaign; /* every byte of its id */
    enum coverage coverage;
    char body[16];
    size_t body_bytes;
    char host[64];
};

struct centre {
    struct ca ca; /* of all tests */
    /* of one test */
    struct loop *loop;
    struct net *net, *edge;
    struct rpc_server *server;
    struct rpc_server_ops server_ops;
    struct rpc_conn *conn;
    struct rpc_stream session;
    bool in_session, takes_nothing; /* takes_nothing: no credit is given back */
    size_t taken_bytes;             /* not given back */
    unsigned sessions;
    struct heard heard[CENTRE_HEARD];
    size_t n_heard;
    struct folder dir;
    struct spool *spool;
    struct uplink *uplink;
    struct uplink_ops ops;
    unsigned connected, lost, orders, lockdowns, stops, troubles, damaged, beats, armed, disarmed, answered;
    bool amend_fails;
    unsigned char held; /* every byte of the campaign whose parts must wait; 0: none */
    char lost_why[CENTRE_TEXT], stop_why[CENTRE_TEXT], trouble[CENTRE_TEXT], order_spec[64];
    enum err trouble_err;
    char address[64];
};

/* Turn the loop until cond; a test that waits longer than 20 s fails. */
#define UNTIL(centre, cond)                                                                                                                \
    do {                                                                                                                                   \
        uint64_t give_up_ = clock_mono_ns() + 20 * NS_PER_S;                                                                               \
        while (!(cond)) {                                                                                                                  \
            if (clock_mono_ns() > give_up_) fail_msg("waited in vain: %s", #cond);                                                         \
            assert_int_equal(loop_turn((centre)->loop, 20), ERR_OK);                                                                       \
        }                                                                                                                                  \
    } while (0)

int centre_group_setup(void **state);
int centre_group_teardown(void **state);
int centre_setup(void **state); /* the collector listens; the uplink does not dial yet */
int centre_teardown(void **state);

void centre_dial(struct centre *c); /* waits for the session and the facts */
void centre_turn(struct centre *c, unsigned ms);
/* A part of a campaign whose body is so long and begins with text. */
void centre_spool(struct centre *c, unsigned char campaign, uint32_t part, const char *text, size_t bytes);
size_t centre_parts(const struct centre *c, unsigned session); /* how many parts came in it */
void centre_say(struct centre *c, const struct to_agent *m);
void centre_ack(struct centre *c, unsigned char campaign, uint32_t part);
void centre_give_credit(struct centre *c);
