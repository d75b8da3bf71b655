/* What an agent and the collector say to each other ⇄ bytes.  Errors as in part.h. */
#pragma once

#include "common/wire/trigger.h"

struct tool_fact {
    struct span tool, flavour, why;
    bool runnable;
};

struct facts {
    struct span host, version, kernel, arch;
    struct label *labels;
    size_t n_labels;
    struct tool_fact *tools;
    size_t n_tools;
    bool replayed;
    uint64_t wall_ns;
    struct span lockdown; /* why nothing runs here; empty: it may */
    uint64_t *rates;      /* events a second, plus 1, by enum cost_counter; 0: not known */
    size_t n_rates;
    uint32_t cpus;
    uint64_t max_cost_ppm; /* that tools may cost; 0: no limit */
    uint64_t max_duration_s; /* of a run; 0: not told */
    struct span quiet;       /* why none is started now, by the host's hours; empty: it may be */
};

enum from_agent_kind { FROM_AGENT_FACTS, FROM_AGENT_STATE, FROM_AGENT_PART, FROM_AGENT_TRIGGER, FROM_AGENT_FIRING };
struct from_agent {
    enum from_agent_kind kind;
    struct facts facts;
    struct {
        struct campaign_id campaign;
        enum coverage coverage; /* pending or running */
        struct span note;
    } state;
    struct {
        struct part_key key;
        struct span body; /* PartBody, not yet looked into */
    } part;
    struct trigger_state trigger;
    struct signed_order firing;
};

enum to_agent_kind { TO_AGENT_ORDER, TO_AGENT_STOP, TO_AGENT_ACK, TO_AGENT_LOCKDOWN, TO_AGENT_ARM, TO_AGENT_DISARM, TO_AGENT_FIRING };
struct to_agent {
    enum to_agent_kind kind;
    struct signed_order order; /* ORDER; LOCKDOWN: of a statement; ARM: of a trigger */
    struct {
        struct campaign_id campaign;
        struct span why;
    } stop;                    /* STOP; FIRING: why it is refused, empty: it is not */
    struct campaign_id disarm; /* a trigger's id */
    struct part_key ack; /* host is empty */
};

NODISCARD enum err session_decode_from(struct span bytes, struct arena *mem, struct from_agent *out);
NODISCARD enum err session_encode_from(const struct from_agent *m, struct buf *out);
NODISCARD enum err session_decode_to(struct span bytes, struct arena *mem, struct to_agent *out);
NODISCARD enum err session_encode_to(const struct to_agent *m, struct buf *out);
