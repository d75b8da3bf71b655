/* Who may wait at a listener's door: connections that have not greeted yet, in all and by source address (an IPv4 address, or the /64 of an
 * IPv6 one), so that one address that opens many and says nothing keeps nobody else out.  Private to common/net. */
#pragma once

#include <nng/nng.h>

#include "common/base/auto.h"
#include "common/base/err.h"

enum { GATE_SOURCE_BYTES = 8 };

struct gate_source;
struct gate_place { /* of one that waits */
    struct gate_place *next, **at;
    struct gate_source *source; /* NULL: does not wait */
};

struct gate {
    unsigned waiting;
    struct gate_source *sources;
};

/* May one from there wait, when at most so many may, and so many of one address?  False: no.  *out_goes is then NULL; else it is who must
 * leave for it, the one that has waited longest of the address that has most; NULL: there is room. */
NODISCARD bool gate_admits(const struct gate *g, const nng_sockaddr *from, unsigned most, unsigned most_of_one,
                           struct gate_place **out_goes);
/* It waits.  ERR_NOMEM. */
NODISCARD enum err gate_enter(struct gate *g, const nng_sockaddr *from, struct gate_place *p);
void gate_leave(struct gate *g, struct gate_place *p); /* one that does not wait: nothing happens */
