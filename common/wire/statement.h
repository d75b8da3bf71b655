/* An admin's word to the whole fleet, lockdown or its lift, and what the collector says about it ⇄ bytes.  It travels in a SignedOrder,
 * signed over these exact bytes behind a prefix of its own.  Errors as in part.h; what it means is common/order's. */
#pragma once

#include "common/wire/spec.h"

struct statement {
    uint32_t version;
    struct span fleet;
    uint64_t counter; /* higher than in any statement before: one that comes again changes nothing */
    bool lifted;      /* else: locked down */
    struct span reason;
    uint64_t issued_wall_ms;
};

NODISCARD enum err statement_decode(struct span bytes, struct arena *mem, struct statement *out);
NODISCARD enum err statement_encode(const struct statement *s, struct buf *out);

/* How the fleet stands. */
struct statement_info {
    bool locked;
    uint64_t counter; /* 0: nobody has said anything yet */
    struct span operator_name, reason;
    uint64_t since_wall_ms;
    uint32_t online, online_locked; /* hosts: connected, and of those how many say that they are locked down */
};

NODISCARD enum err statement_decode_info(struct span bytes, struct arena *mem, struct statement_info *out);
NODISCARD enum err statement_encode_info(const struct statement_info *i, struct buf *out);
