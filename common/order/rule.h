/* A trigger as hosts and the collector trust it: an operator signed it once, and each of its firings is an order whose authority is that
 * signature and whose spec is exactly what the trigger makes of the firing.  So whoever fires it can choose when, and which of its targets,
 * and nothing else. */
#pragma once

#include "common/order/order.h"
#include "common/order/when.h"
#include "common/wire/trigger.h"

#define RULE_DOMAIN SPAN_LIT("trawl trigger v1\n") /* signed in front of the trigger's bytes: no order is one, nor the reverse */
enum { RULE_EXPIRY_MAX_S = 30 * 24 * 3600, RULE_COOLDOWN_MAX_S = 24 * 3600, RULE_JOIN_S = 60, RULE_LATE_S = ORDER_EXPIRY_MAX_S };

struct rule {
    struct trigger trigger;
    struct when when;
    struct identity signer;
};

/* Sign t.  *out gets an encoded SignedOrder appended, whose spec t is.  Errors as order_sign's. */
NODISCARD enum err rule_sign(const struct trigger *t, const struct signer *by, struct buf *out);

/* The signature verifies, the signer may sign here, the trigger is of this fleet, in date and complete, its limits are some, its tool and
 * parameters are in the catalogue, and this host (check->host) is among its targets.  In mem.  why and errors as order_verify's. */
NODISCARD enum err rule_verify(const struct signed_order *so, const struct order_check *check, struct arena *mem, char *why,
                               size_t why_size, struct rule *out);

/* One firing. */
struct rule_firing {
    uint64_t number;   /* from 1 on, of its place */
    struct span where; /* a selector: of its targets only these; a host that fires by itself: its name */
    struct span why;   /* valid UTF-8 */
    uint64_t at_wall_ms;
};
/* What t makes of it.  Its campaign's id follows from the trigger, number and where.  It expires soon, that of a
 * host that fires by itself late, since it may be told late.  In mem.  ERR_NOMEM, ERR_LIMIT, ERR_SYNTAX. */
NODISCARD enum err rule_fire(const struct trigger *t, const struct rule_firing *f, struct arena *mem, struct spec *out);
/* The same as an order: trigger as it was signed.  *out gets an encoded SignedOrder appended. */
NODISCARD enum err rule_fire_order(const struct signed_order *trigger, const struct rule_firing *f, struct arena *mem, struct buf *out);

/* Of order_verify, when so->trigger is there and its signature holds: spec is what it makes of this firing, it is in date, and the host is
 * among its targets too.  ERR_REFUSED, ERR_EXPIRED, ERR_SYNTAX, ERR_LIMIT, ERR_NOMEM. */
NODISCARD enum err rule_allows(const struct signed_order *so, const struct spec *spec, const struct order_check *check, struct arena *mem,
                               char *why, size_t why_size);
/* What was signed, of a firing's order or of a trigger that is armed. */
static inline struct signed_order rule_signed(const struct signed_order *firing) {
    return (struct signed_order){.spec = firing->trigger, .signature = firing->signature, .certificates = firing->certificates};
}
