/* Who may wait at a listener's door, and whose turn it is: connections that have not greeted yet, in all and by source address (an IPv4
 * address, or the /64 of an IPv6 one), so that one address that opens many and says nothing keeps nobody else out.
 * Turns: a handshake costs a millisecond of a core.  When thousands come at once and all begin, none is done before its peer has lost
 * patience, and they begin again; so only some are at it at a time, the others wait, the addresses taking turns.  Who is at it for long
 * (a silent one) does not count any more.  Who has waited for long is passed over for who came last: when more come than can be served in
 * their patience, serving them in order would serve each when it is about to leave.  Pure.  Private to common/net. */
#pragma once

#include <nng/nng.h>

#include "common/base/auto.h"
#include "common/base/err.h"

enum { GATE_SOURCE_BYTES = 8, GATE_AT_ONCE = 256, GATE_YOUNG_MS = 4000, GATE_STALE_MS = 10000 };

struct gate_source;
struct gate_place { /* of one that waits */
    struct gate_place *next, **at;
    struct gate_source *source; /* NULL: does not wait */
    bool begun;
    struct gate_place *next_young, **at_young; /* at NULL: it is not young any more, or has not begun */
    uint64_t entered_ns, begun_ns;
};
struct gate_list {
    struct gate_place *first, **last; /* who has waited longest is first; last NULL: as empty */
};

struct gate {
    unsigned waiting, young;
    struct gate_source *sources, *turns, **last_turn; /* turns: those of whom some have not begun */
    struct gate_list begun;                           /* by next_young: those that are young, the oldest first */
};

/* May one from there wait, when at most so many may, and so many of one address?  False: no.  *out_goes is then NULL; else it is who must
 * leave for it, the one that has waited longest of the address that has most; NULL: there is room. */
NODISCARD bool gate_admits(const struct gate *g, const nng_sockaddr *from, unsigned most, unsigned most_of_one,
                           struct gate_place **out_goes);
/* It waits for its turn.  ERR_NOMEM. */
NODISCARD enum err gate_enter(struct gate *g, const nng_sockaddr *from, uint64_t now_ns, struct gate_place *p);
/* Whose turn it is; from now on it has begun.  Who has waited longer than patience_ns is given first, to be sent away.  NULL: nobody's. */
struct gate_place *gate_next(struct gate *g, uint64_t now_ns, uint64_t patience_ns);
/* When to ask gate_next again though nobody came or left.  0: need not. */
uint64_t gate_again_ns(const struct gate *g);
void gate_leave(struct gate *g, struct gate_place *p); /* one that does not wait: nothing happens */
