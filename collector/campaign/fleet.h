/* The hosts that the collector knows: what they said about themselves and whether they are here.  Thread: one owner. */
#pragma once

#include "common/base/auto.h"
#include "common/wire/session.h"

struct fleet_host {
    char name[LIMIT_NAME_BYTES + 1];
    char address[64];
    char note[256];   /* what is wrong with it */
    uint64_t session; /* 0: not connected */
    uint64_t seen_wall_ns, cert_expires_wall_ns;
    int64_t clock_ns;   /* our clock less its own, when it connected */
    uint64_t stored_ns; /* when the owner last stored it; monotonic */
    struct arena *mem;  /* of facts and facts_bytes */
    struct facts facts;
    struct span facts_bytes; /* the message they came in */
};

struct fleet;
struct fleet *fleet_new(void);
void fleet_free(struct fleet *f);
AUTO_TYPE(struct fleet, fleet_free)
size_t fleet_n(const struct fleet *f);
/* In no order.  The pointer dies with the next fleet_put. */
struct fleet_host *fleet_host(const struct fleet *f, size_t i);
struct fleet_host *fleet_find(const struct fleet *f, struct span name);
/* The host of these facts (a FromAgent message), made when new, with them.  ERR_SYNTAX, ERR_LIMIT, ERR_NOMEM: nothing changed. */
NODISCARD enum err fleet_put(struct fleet *f, struct span facts_bytes, struct fleet_host **out);
