/* A trigger as its operator signed it, how it stands, and what a console is told about it ⇄ bytes.  Errors as in part.h; what it means is
 * common/order's. */
#pragma once

#include "common/wire/spec.h"

struct trigger {
    uint32_t version;
    struct campaign_id id;
    struct span name, when;
    struct spec what; /* what a firing starts; its campaign and fired are empty, issued and expires are the trigger's own */
    uint32_t cooldown_s, per_hour, budget_s;
};

NODISCARD enum err trigger_decode(struct span bytes, struct arena *mem, struct trigger *out);
NODISCARD enum err trigger_encode(const struct trigger *t, struct buf *out);

/* How it stands on one host. */
struct trigger_state {
    struct campaign_id id;
    bool armed;
    struct span note; /* why not */
    uint64_t fired, suppressed;
};

/* How it stands in the fleet. */
struct trigger_host {
    struct span host;
    struct trigger_state state;
};
struct trigger_info {
    struct trigger trigger;
    struct span operator_name;
    bool removed;
    uint64_t added_wall_ms, fired, suppressed, last_wall_ms; /* last: 0 never */
    struct span last;                                        /* what came of the last event */
    struct trigger_host *hosts;
    size_t n_hosts;
};
struct trigger_list {
    struct trigger_info *triggers;
    size_t n;
};

/* A name, an id or the beginning of it; "": all. */
NODISCARD enum err trigger_decode_ref(struct span bytes, struct arena *mem, struct span *out);
NODISCARD enum err trigger_encode_ref(struct span ref, struct buf *out);
NODISCARD enum err trigger_decode_list(struct span bytes, struct arena *mem, struct trigger_list *out);
NODISCARD enum err trigger_encode_list(const struct trigger_list *l, struct buf *out);
