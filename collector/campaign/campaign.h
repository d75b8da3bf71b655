/* One campaign: its targets, where each of them stands, whose turn it is, and when the collector itself decides how one ended.
 * Pure: events go in, states and reasons come out; no clock, socket, store or thread.  Thread: one owner.
 *
 *   held ──its turn──▶ sent ──state or part──▶ running ──all parts of all rounds──▶ the outcome: a real end
 *     ▲──lost before it began──┘                                                            ▲
 *   held, sent, running ──expiry, silence, stop──▶ offline, timeout, cancelled: decided here ─┘ all parts, however late
 *
 * Held and sent are COVERAGE_PENDING.  Turns: hosts start in the order in which they were given, those that are connected;
 * never more of them at a time than concurrency and domain_hosts, per second than rate_per_s (a tenth more in any one second), and
 * in all than the wave reaches.  A wave has ended when all that it reaches have begun and ended; when more than half of its hosts failed,
 * timed out or were lost, or when a stop condition is hit, the campaign stops itself and says why. */
#pragma once

#include "collector/aggregate/part_set.h"
#include "common/base/map.h"
#include "common/wire/spec.h"

enum {
    CAMPAIGN_SILENT_S = 30, /* a running host that is connected may be this late with its result */
    CAMPAIGN_LOST_S = 15,   /* a running host that is not connected: its duration and this; one that was sent the order: this */
    CAMPAIGN_STOP_S = 10    /* to report after a stop */
};

struct campaign_now {
    uint64_t mono_ns, wall_ns;
};

enum campaign_stage { STAGE_HELD, STAGE_SENT, STAGE_RUNNING, STAGE_ENDED };

/* A round whose last part has come, but not yet all of its parts. */
struct campaign_round {
    uint32_t round, n_parts;
    struct span outcome; /* heap */
};

struct campaign_target {
    char host[LIMIT_NAME_BYTES + 1];
    enum campaign_stage stage;
    enum coverage coverage;
    char *reason;      /* heap; NULL: none */
    bool decided_here; /* the end is the collector's */
    bool online;
    bool began;      /* its turn has come once */
    bool died;       /* its agent was restarted in its capture */
    bool gone;       /* it was lost in its capture, and ended so */
    bool has_result; /* something that it measured is stored */
    bool dirty;      /* its end has changed since campaign_next_dirty gave it */
    bool unstored;   /* its beginning has, since campaign_next_begun */
    bool ready, queued;
    uint32_t next_dirty, next_begun, next_ready; /* 1 + index of the next such target; 0: it is the last */
    uint32_t domain;
    uint64_t running_ns, heard_ns, lost_ns; /* when it began to run, was last heard of, was lost (0: never) */
    uint64_t due_ns;                        /* when to look at it again, while due_at */
    uint32_t due_at;                        /* 1 + its place in the campaign's heap; 0: not in it */
    uint64_t seen_wall_ns;                  /* when it was last connected; 0: not known */
    int64_t clock_ns;                       /* the collector's clock less this host's */
    struct part_set parts;
    struct campaign_round *rounds; /* heap */
    size_t n_open;                 /* of rounds */
    uint32_t n_ended, n_rounds;    /* rounds of which all has come; how many there are, 0 until the last one's outcome has come */
    struct span outcome;           /* heap: a PartBody with nothing but the outcome, of all ended rounds together; empty: none has */
    enum coverage outcome_coverage;
    struct ledger ledger; /* of the outcome, as the following */
    bool replayed;
    uint64_t started_wall_ns, wall_ns, cpu_ns;
    uint32_t pressure_permille;
};

/* Hosts with one value of the order's domain label. */
struct campaign_domain {
    uint32_t active;
    uint32_t first, last; /* 1 + index of the targets that wait; 0: none */
    uint32_t next_open;   /* 1 + index of the next domain that may have a turn */
    bool open;
};

struct campaign {
    struct campaign_id id;
    char hex[2 * CAMPAIGN_ID_BYTES + 1];
    struct arena *mem; /* what does not change: the order and its spec */
    struct span signed_order, operator_name;
    struct spec spec;
    uint64_t created_wall_ns, ended_wall_ns; /* ended_wall_ns: set by the owner when it is done */
    uint64_t expires_ns;                     /* monotonic */
    bool stopped, paused;
    bool expired, overdue, swept; /* what time has brought to all hosts at once */
    bool control_changed;         /* stopped, paused, why or wave, since the owner stored it */
    char why[LIMIT_REASON_BYTES]; /* it is stopped or paused */
    uint64_t stop_ns;
    uint64_t quiet_ns, quiet_after_ns; /* since when no connected host is waiting or running, 0: one is; not before that */
    struct campaign_target *targets;   /* by name */
    size_t n_targets;
    uint32_t *order; /* of n_targets: their indexes in the order in which they start */
    uint32_t *due_heap;
    size_t n_due;
    struct map *by_host, *by_domain;
    struct campaign_domain *domains;
    size_t n_domains, cap_domains;
    uint32_t first_open, last_open;
    uint32_t first_dirty, last_dirty, first_begun, last_begun; /* 1 + index; 0: none */
    uint32_t n_begun;                                          /* in the list of those to be stored */
    uint32_t coverage[COVERAGE__COUNT];
    uint32_t with_result[COVERAGE__COUNT]; /* those of them that has_result */
    uint32_t held, ready, active, began;   /* ready: held and connected; active: sent and running */
    uint32_t died, gone, lost;             /* lost: running and not connected at the moment */
    uint32_t wave, n_waves;                /* wave: from 0 on */
    uint32_t wave_began, wave_bad;         /* began and bad ends when it was opened */
    uint64_t rate_next_ns;
    uint64_t cpu_ns, wall_ns, pressure_sum;
    uint32_t n_pressure;
    uint64_t first_start_wall_ns, last_start_wall_ns;
    struct ledger ledger; /* sums over the real ends */
    bool replayed;        /* one of them is */
    uint64_t changes;     /* counts up with everything that a watcher would see */
};

struct campaign_start {
    struct campaign_id id;
    struct span signed_order, operator_name;
    uint64_t created_wall_ns;
    const struct span *hosts;   /* distinct, in the order in which they start */
    const struct span *domains; /* of each the value of the order's domain label; NULL: none has one */
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
/* The host has connected: what it must be sent again, at once.  The first time it is campaign_next's. */
enum campaign_send campaign_connected(struct campaign *c, struct span host, struct campaign_now now);
void campaign_disconnected(struct campaign *c, struct span host, struct campaign_now now);
/* What the agent says about the order: COVERAGE_PENDING taken, COVERAGE_RUNNING. */
void campaign_state(struct campaign *c, struct span host, enum coverage coverage, struct campaign_now now);
/* A part is stored durably; outcome is its round's last part's, else NULL.  ERR_EXISTS: known already, or not needed any more;
 * ERR_NOTFOUND: not a target; ERR_LIMIT: also a round that was not ordered; ERR_NOMEM. */
NODISCARD enum err campaign_part(struct campaign *c, struct span host, uint32_t round, uint32_t part, const struct outcome *outcome,
                                 struct campaign_now now);
/* Of a stored part: has the host measured something?  Before campaign_part. */
void campaign_result(struct campaign *c, struct span host, const struct part_body *body);
/* Hosts that are not connected or whose turn has not come end at once; the others have CAMPAIGN_STOP_S. */
void campaign_stop(struct campaign *c, struct span operator_name, struct campaign_now now);
/* Nobody's turn comes while it is paused; what runs goes on.  False: it is stopped or done, or was so already. */
bool campaign_pause(struct campaign *c, struct span operator_name);
bool campaign_resume(struct campaign *c);
/* Time has passed: about once a second.  Costs what there is to do, not what there are hosts. */
void campaign_tick(struct campaign *c, struct campaign_now now);

/* Whose turn it is: to be sent the order, now.  NULL: nobody's at the moment.  Ask after every event. */
const struct campaign_target *campaign_next(struct campaign *c, struct campaign_now now);
/* When the rate lets the next one begin; 0: it is not the rate that is waited for. */
uint64_t campaign_wake_ns(const struct campaign *c);
/* How many targets the waves up to the one under way reach. */
size_t campaign_reach(const struct campaign *c);

/* ---- from and to the store ---- */
/* Where a target stands, as it was stored. */
struct campaign_end {
    enum coverage coverage;
    struct span reason, outcome; /* outcome empty: decided by the collector */
    bool has_result, began, gone;
};
NODISCARD enum err campaign_restore(struct campaign *c, struct span host, const struct campaign_end *end, struct campaign_now now);
/* Before the targets. */
struct campaign_control {
    bool stopped, paused;
    uint32_t wave;
    struct span why;
};
void campaign_restore_control(struct campaign *c, const struct campaign_control *control, struct campaign_now now);

/* The targets whose ends must be stored, in the order in which they ended: prev NULL: the first one; NULL when there is no other. */
const struct campaign_target *campaign_dirty(const struct campaign *c, const struct campaign_target *prev);
/* As campaign_dirty(c, NULL), and clears its mark. */
const struct campaign_target *campaign_next_dirty(struct campaign *c);
/* The next target whose beginning must be stored, so that a restart does not take it for one that waits; clears its mark. */
const struct campaign_target *campaign_next_begun(struct campaign *c);
