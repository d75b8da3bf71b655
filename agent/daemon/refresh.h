/* What changes on a host while its agent lives: how busy it is, and what it has for tools to run with.  Looked at with the
 * heartbeat, when the agent is awake anyway; who started it is told when it is worth telling.  Thread: the loop's. */
#pragma once

#include "agent/runner/policy.h"
#include "agent/runner/rates.h"

enum { REFRESH_LEAST_MS = 5 * 1000, REFRESH_SAY_MS = 60 * 1000 };

struct refresh;
struct refresh_ops {
    void (*busy)(struct refresh_ops *self);  /* rates are not what they were when this was last called, by a quarter or more */
    void (*other)(struct refresh_ops *self); /* packages, modules or mounts have changed: what was found out about tools is stale */
};

struct refresh {
    const struct policy *policy;
    struct refresh_ops *ops;
    struct rates_look last;
    uint64_t said[COUNTER__COUNT], said_ns;
    uint64_t print; /* of what tools run with */
    /* For the facts: events a second, plus 1; 0: not known. */
    uint64_t rates[COUNTER__COUNT];
    unsigned cpus;
};

/* keeps all of them.  Looks at once. */
void refresh_start(struct refresh *r, const struct policy *policy, struct refresh_ops *ops);
/* The first rates, when some time has gone by since the start. */
void refresh_look(struct refresh *r);
/* A heartbeat goes out, or an attempt to connect has failed.  Two that come close together count as one. */
void refresh_beat(struct refresh *r);
