/* An order that was taken: how it is remembered, and what is left of it when a crash has cut it short.  Thread: the loop's. */
#pragma once

#include "agent/spool/journal.h"
#include "agent/spool/spool.h"
#include "common/order/order.h"

/* Durable when it returns.  so is what o was verified from.  ERR_EXISTS, ERR_SYS, ERR_NOMEM. */
NODISCARD enum err taken_note(struct journal *j, const struct signed_order *so, const struct order *o, uint64_t base_wall_ms);

enum { TAKEN_WHY_BYTES = LIMIT_REASON_BYTES / 2 };

struct taken {
    bool over;     /* all is in the spool: only the journal's note is missing */
    bool begun;    /* the time of the round lost had come: whatever was measured in it is gone */
    uint32_t lost; /* that round */
    bool goes_on;  /* there are rounds from next on, and the order still holds here */
    uint32_t next;
    struct order order;        /* goes_on: verified again */
    char why[TAKEN_WHY_BYTES]; /* not goes_on, and there were others: why they cannot take place */
};

/* mem holds the order; NULL: there is no memory to go on with. */
void taken_read(const struct journal_entry *e, struct spool *s, const struct order_check *check, struct arena *mem, struct taken *out);
