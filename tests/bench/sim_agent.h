/* One simulated agent: a real TLS session under a certificate of its own, facts, and an answer to each order.  Any number of them
 * live on one loop.  What it does as trawl-agentd does: facts first, a state, results in parts, each kept until it is acknowledged and
 * sent again in the next session; a redial after a reload.  What it does not: it believes every order, runs nothing, and
 * forgets an order whose parts are all acknowledged. */
#pragma once

#include "common/base/loop.h"
#include "tests/bench/sim_recording.h"

struct sim_agent;

enum { SIM_LATE_MS = 8192 };

/* Of all agents that share it. */
struct sim_counts {
    unsigned connected; /* sessions that are up */
    unsigned running;   /* orders being obeyed */
    unsigned waiting;   /* parts without acknowledgement */
    uint64_t opened;    /* sessions begun */
    uint64_t lost;      /* sessions ended by the other side or the network, and by a reload */
    uint64_t failed;    /* attempts to connect that failed */
    uint64_t orders;    /* the same one sent again counts again */
    uint64_t parts;     /* sent; a part sent again counts again */
    uint64_t acks;
    uint64_t trouble; /* what could not be understood, made or sent */
    /* Orders by how many ms after they were signed they came; the last: so late or later.  An order that comes again does not count. */
    uint64_t late_ms[SIM_LATE_MS];
};

struct sim_ops {
    void (*opened)(struct sim_ops *self, const char *host); /* it is counted as connected now */
    /* A session or an attempt has ended.  why is the peer's: escape before printing. */
    void (*lost)(struct sim_ops *self, const char *host, struct span why);
};

struct sim_options {
    struct loop *loop;                     /* keeps */
    const struct sim_recording *recording; /* keeps */
    struct sim_counts *counts;             /* keeps */
    struct sim_ops *ops;                   /* keeps */
    const char *certs;                     /* folder that trawl-certs made */
    const char *collector;                 /* HOST:PORT */
    const char *fleet;
    const char *host;
    unsigned number; /* of this host: its labels and its results come from it and the seed */
    uint64_t seed;
    unsigned slow_ms;      /* it gives credit back so late; 0: at once */
    unsigned cut_permille; /* so many of its parts are the last of their session: the connection breaks, and what was on its way is lost */
};

/* Reads its certificate.  host is copied, the other texts are kept.  Errors as net_new; why gets a sentence. */
NODISCARD enum err sim_agent_new(const struct sim_options *opt, char *why, size_t why_size, struct sim_agent **out);
void sim_agent_free(struct sim_agent *a);
AUTO_TYPE(struct sim_agent, sim_agent_free)
/* Dials, and dials again for ever.  Errors as rpc_dial. */
NODISCARD enum err sim_agent_dial(struct sim_agent *a);
/* Its connection breaks, if it has one; it dials again. */
void sim_agent_cut(struct sim_agent *a);
/* As trawl-agentd after SIGHUP: certificates and lists are read again and the collector is dialled anew.  On failure nothing changes. */
NODISCARD enum err sim_agent_reload(struct sim_agent *a, char *why, size_t why_size);
