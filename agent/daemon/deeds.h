/* What this host did and refused, into its own audit log, under a checkpoint at once: what happens here is rare.  Thread: the loop's. */
#pragma once

#include "common/audit/audit.h"
#include "common/order/order.h"

struct deeds {
    struct audit *audit; /* NULL: none is kept */
    bool failing;
};

/* limited: what others can cause as often as they like.  A failure is logged, once until it works again. */
void deeds_add(struct deeds *d, const struct audit_record *r, bool limited);
void deeds_taken(struct deeds *d, const struct order *o);
