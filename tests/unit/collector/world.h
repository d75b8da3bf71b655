/* A trawl-collectord under test with certificates of its own, fake agents and a console, all on real TLS.  One loop, no threads here. */
#pragma once

#include "tests/unit/collector/made.h"

#include <sys/types.h>

#include "common/crypto/sign.h"
#include "common/net/rpc.h"
#include "common/wire/query.h"
#include "common/wire/session.h"
#include "tests/support/ca.h"

struct world {
    struct ca ca;
    char store[128], config[128];
    pid_t pid;
    int log; /* read end of its stderr */
    char text[32768];
    size_t n_text;
    int agents_port, consoles_port;
    struct loop *loop;
};

void world_make(struct world *w);
void world_done(struct world *w);
/* Start it and wait until it is ready. */
void world_start(struct world *w);
/* Send the signal, wait, return its exit code (-1: died by signal). */
int world_end(struct world *w, int signo);
/* Wait until its log contains text. */
void world_wait_log(struct world *w, const char *text);
/* Turn the loop until *done; fails the test after 10 s. */
void world_turn_until(struct world *w, const bool *done);

/* A fake agent. */
struct fake_agent {
    struct world *w;
    struct net *net;
    struct rpc_client *client;
    struct rpc_client_ops client_ops;
    struct rpc_stream session;
    const char *host, *says; /* says: the host that its facts name */
    bool connected, ended, got_order, got_stop;
    bool may_be_refused, refused;
    enum rpc_status status;
    char why[256];
    struct campaign_id campaign;
    unsigned orders, acks;
    bool acked; /* cleared by the test */
};
void world_agent(struct world *w, struct fake_agent *a, const char *host, const char *says);
/* Dial, and wait until it is turned away; why says with what words. */
void world_agent_refused(struct world *w, struct fake_agent *a, const char *host);
void world_agent_done(struct fake_agent *a);
void world_agent_state(struct fake_agent *a, enum coverage coverage);
/* Without waiting for the ack. */
void world_agent_part(struct fake_agent *a, uint32_t part, struct span body);
void world_agent_part_as(struct fake_agent *a, const char *host, uint32_t part, struct span body);

/* A console: one connection, one call at a time. */
struct fake_console {
    struct world *w;
    struct net *net;
    struct rpc_client *client;
    struct rpc_client_ops client_ops;
    struct rpc_conn *conn;
    struct rpc_stream call;
    struct signer *signer;
    bool connected, ended;
    enum rpc_status status;
    char why[1024];
    struct buf answer; /* the last message */
    unsigned messages;
    struct arena *mem; /* of decoded answers, until done */
};
void world_console(struct world *w, struct fake_console *c, const char *operator_name);
void world_console_done(struct fake_console *c);
enum rpc_status world_ask(struct fake_console *c, enum rpc_method m, struct span request);
enum rpc_status world_ask_query(struct fake_console *c, enum rpc_method m, enum query_kind kind, const struct query *q);
/* Start a campaign of tool on selector with id n, signed by signer_of. */
enum rpc_status world_order(struct fake_console *c, const struct fake_console *signer_of, unsigned char n, const char *tool,
                            const char *selector);
