/* One campaign: its targets, where each of them stands, and when the collector itself decides how one ended.  Pure: events go
 * in, states and reasons come out; no clock, socket, store or thread.  Thread: one owner.
 *
 *   pending ──state or part──▶ running ──all parts──▶ the outcome in the last part: a real end
 *   pending, running ──expiry, silence, stop──▶ offline, timeout, cancelled: decided here
 *   decided here ──all parts, however late──▶ the real end.  No other way leads out of an end. */
#pragma once

#include "collector/aggregate/part_set.h"
#include "common/base/map.h"
#include "common/wire/spec.h"

enum {
    CAMPAIGN_SILENT_S = 30, /* a running host that is connected may be this late with its result */
    CAMPAIGN_LOST_S = 15,   /* a running host that is not connected: its duration and this */
    CAMPAIGN_STOP_S = 10    /* to report after a stop */
};

struct campaign_now {
    uint64_t mono_ns, wall_ns;
};

struct campaign_target {
    char host[LIMIT_NAME_BYTES + 1];
    enum coverage coverage;
    char *reason;      /* heap; NULL: none */
    bool decided_here; /* the end is the collector's */
    bool online;
    bool has_result;                        /* something that it measured is stored */
    bool dirty;                             /* its end has changed since campaign_next_dirty gave it */
    uint32_t next_dirty;                    /* 1 + index of the next such target; 0: it is the last */
    uint64_t running_ns, heard_ns, lost_ns; /* when it began to run, was last heard of, was lost (0: never) */
    uint64_t seen_wall_ns;                  /* when it was last connected; 0: not known */
    struct part_set parts;
    uint32_t n_parts;    /* 0 until its last part has come */
    struct span outcome; /* heap: a PartBody with nothing but the outcome; empty until its last part has come */
    enum coverage outcome_coverage;
    struct ledger ledger; /* of the outcome */
    bool replayed;
};

struct campaign {
    struct campaign_id id;
    char hex[2 * CAMPAIGN_ID_BYTES + 1];
    struct arena *mem; /* what does not change: the order and its spec */
    struct span signed_order, operator_name;
    struct spec spec;
    uint64_t created_wall_ns, ended_wall_ns; /* ended_wall_ns: set by the owner when it is done */
    uint64_t expires_ns;                     /* monotonic */
    bool stopped;
    uint64_t stop_ns;
    struct campaign_target *targets; /* by name */
    size_t n_targets;
    struct map *by_host;
    uint32_t first_dirty, last_dirty; /* 1 + index; 0: none */
    uint32_t coverage[COVERAGE__COUNT];
    uint32_t with_result[COVERAGE__COUNT]; /* those of them that has_result */
    struct ledger ledger;                  /* sums over the real ends */
    bool replayed;                         /* one of them is */
    uint64_t changes;                      /* counts up with everything that a watcher would see */
};

struct campaign_start {
    struct campaign_id id;
    struct span signed_order, operator_name;
    const struct spec *spec;
    uint64_t created_wall_ns;
    const struct span *hosts; /* distinct */
    size_t n_hosts;
    struct campaign_now now;
};

/* Copies all it needs.  ERR_NOMEM; ERR_LIMIT a name is too long; ERR_SYNTAX the order is not one. */
NODISCARD enum err campaign_new(const struct campaign_start *start, struct campaign **out);
void campaign_free(struct campaign *c);
AUTO_TYPE(struct campaign, campaign_free)
struct campaign_target *campaign_find(const struct campaign *c, struct span host);
bool campaign_done(const struct campaign *c); /* every target has ended */

/* ---- events ---- */
enum campaign_send { CAMPAIGN_SEND_NOTHING, CAMPAIGN_SEND_ORDER, CAMPAIGN_SEND_STOP };
/* The host has connected: what it must be sent. */
enum campaign_send campaign_connected(struct campaign *c, struct span host, struct campaign_now now);
void campaign_disconnected(struct campaign *c, struct span host, struct campaign_now now);
/* What the agent says about the order: COVERAGE_PENDING taken, COVERAGE_RUNNING. */
void campaign_state(struct campaign *c, struct span host, enum coverage coverage, struct campaign_now now);
/* A part is stored durably; outcome is the last part's, else NULL.  ERR_EXISTS: known already, or not needed any more; ERR_NOTFOUND: not a
 * target; ERR_LIMIT; ERR_NOMEM. */
NODISCARD enum err campaign_part(struct campaign *c, struct span host, uint32_t part, const struct outcome *outcome,
                                 struct campaign_now now);
/* Of a stored part: has the host measured something?  Before campaign_part. */
void campaign_result(struct campaign *c, struct span host, const struct part_body *body);
/* Hosts that are not connected and have not begun end at once; the others have CAMPAIGN_STOP_S. */
void campaign_stop(struct campaign *c, struct span operator_name, struct campaign_now now);
/* Time has passed: about once a second. */
void campaign_tick(struct campaign *c, struct campaign_now now);
/* An end as it was stored. */
struct campaign_end {
    enum coverage coverage;
    struct span reason, outcome; /* outcome empty: decided by the collector */
    bool has_result;
};
NODISCARD enum err campaign_restore(struct campaign *c, struct span host, const struct campaign_end *end);

/* The targets whose ends must be stored, in the order in which they ended: prev NULL: the first one; NULL when there is no other. */
const struct campaign_target *campaign_dirty(const struct campaign *c, const struct campaign_target *prev);
/* As campaign_dirty(c, NULL), and clears its mark. */
const struct campaign_target *campaign_next_dirty(struct campaign *c);
