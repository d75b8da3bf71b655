/* The core thread's state and what its files do for each other.  Private to core*.c. */
#pragma once

#include <pthread.h>

#include "collector/aggregate/aggregate.h"
#include "collector/campaign/campaign.h"
#include "collector/campaign/fleet.h"
#include "collector/daemon/core.h"
#include "collector/query/query.h"
#include "common/audit/audit.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/order/lockdown.h"
#include "common/order/rulebook.h"

enum {
    CORE_TICK_MS = 1000,
    CORE_PACE_MS = 10,            /* hosts of a campaign with a rate begin at most this often */
    CORE_WATCH_MS = 100,          /* changes of a campaign are told to its watchers at most this often */
    CORE_SEEN_MS = 5 * 60 * 1000, /* how often it is stored that a connected host is here */
    CORE_FACTS_MS = 10 * 1000,    /* a host's facts are stored at most this often; the latest always by CORE_SEEN_MS */
    CORE_TARGET_S = 24 * 3600,    /* hosts not seen for longer are not targeted */
    CORE_LIVE_MAX = 1000,         /* campaigns that have not ended */
    CORE_ENDED_MAX = 64,          /* ended campaigns that are kept loaded */
    CORE_SLICE = 1024,            /* messages that are taken before one that was pushed ahead meanwhile has its turn */
    CORE_SMALL_TARGETS = 16       /* a campaign on so many hosts at most is ahead of larger ones on its way to them */
};
static const size_t CORE_STACKS_BYTES = (size_t)256 << 20;     /* of one campaign */
static const size_t CORE_EVENTS_BYTES = (size_t)512 << 20;     /* of one campaign */
static const size_t CORE_AGGREGATES_BYTES = (size_t)768 << 20; /* of all; the least recently used are dropped and rebuilt when asked for */

struct core_campaign {
    struct campaign *c;
    struct aggregate *aggregate; /* NULL: rebuilt from the store when asked for */
    uint64_t used_ns;
    bool touched;      /* in this round of the inbox */
    bool stop_is_sent; /* to those that have the order */
    bool just_ended;   /* in this round */
};

struct core_watch {
    struct core_watch *next;
    uint64_t question;
    struct campaign_id campaign;
    uint64_t told; /* 1 + campaign's changes when last told; 0: never */
};

/* A campaign whose start is on its way to the disk.  question: a console's, or of a firing (core_firings_is). */
struct core_starting {
    struct core_starting *next;
    uint64_t question, session; /* session: of the host that fired; 0: none did */
    struct campaign *c;
};

/* A trigger, and what hosts say of it. */
struct core_trigger_host {
    char host[LIMIT_NAME_BYTES + 1];
    bool armed;
    bool missing; /* for so long as the trigger waits for, and that was acted on */
    uint64_t fired, suppressed;
    char note[LIMIT_REASON_BYTES + 1];
};
struct core_trigger {
    struct core_trigger *next;
    struct rulebook_entry *entry;
    struct arena *mem;
    const struct selector *targets; /* in mem; NULL: its selector does not parse, so that it is for nobody */
    struct core_trigger_host *hosts;
    size_t n_hosts, cap_hosts;
    struct map *host_at; /* a host's name → its place in hosts */
    struct map *alerts;  /* that are firing and were acted on, by fingerprint and begin; NULL: none was */
    uint64_t unsaid;     /* suppressed since the audit log had it */
    uint64_t last_wall_ms;
    char last[LIMIT_REASON_BYTES + 1]; /* what came of the last event */
};

struct core {
    struct core_options opt;
    pthread_t thread;
    bool running;
    struct message *quit; /* made at the start, so that stopping needs no memory */
    struct loop *loop;
    struct loop_watch inbox;
    struct loop_timer tick, watching, seen, pacing;
    bool is_watching;
    struct store *reader;
    bool store_down; /* it cannot be written at the moment */
    struct trust *operators;
    struct audit *audit;
    char *audit_dir;
    bool audit_failing, audit_unsigned;
    struct lockdown lockdown; /* what holds */
    struct buf statement;     /* it, as it was signed */
    struct rulebook *rulebook;
    struct core_trigger *triggers;
    uint64_t last_firing; /* numbers questions of firings */
    struct {
        uint64_t repeated, resolved, malformed; /* alerts */
        uint64_t calls, refused;                /* calls from outside; peers and requests that were turned away */
    } counts;
    struct fleet *fleet;
    struct map *by_id;
    struct core_campaign *campaigns;
    size_t n_campaigns, cap_campaigns;
    struct core_watch *watches;
    struct core_starting *starting;
    struct queue_item *held, **last_held; /* their writes, until the audit log has them; the oldest first; last_held NULL: none */
    struct {
        bool on, waits;   /* a campaign's results are going; a step is on its way to the disk */
        uint64_t look_ns; /* when to look again whether one is due */
        struct campaign_id campaign;
        char why[64];
    } retention;
};

static inline struct campaign_now core_now(void) { return (struct campaign_now){.mono_ns = clock_mono_ns(), .wall_ns = clock_wall_ns()}; }

/* ---- core_campaigns.c: loaded campaigns ---- */
NODISCARD enum err core_campaigns_load_unended(struct core *core);
/* Loaded when it is not yet.  ERR_GONE its results were removed, ERR_NOTFOUND, ERR_DAMAGED, ERR_SYS, ERR_NOMEM.  The pointer dies with the
 * next one loaded. */
NODISCARD enum err core_campaigns_get(struct core *core, const struct campaign_id *id, struct core_campaign **out);
/* Whoever asks for it from now on gets it from the store. */
void core_campaigns_forget(struct core *core, const struct campaign_id *id);
/* takes c on success. */
NODISCARD enum err core_campaigns_add(struct core *core, struct campaign *c, struct core_campaign **out);
/* id, prefix or "last" → id; otherwise a status and why (QUERY_WHY_BYTES). */
enum rpc_status core_campaigns_resolve(struct core *core, struct span ref, char *why, struct campaign_id *out);
/* Newest first, texts in mem or borrowed from those that are loaded.  Those that have ended are not loaded for it. */
NODISCARD enum err core_campaigns_list(struct core *core, uint32_t limit, struct arena *mem, struct campaign_list *out);
/* NULL: not loaded. */
struct core_campaign *core_campaigns_loaded(struct core *core, const struct campaign_id *id);
/* aggregate is there afterwards.  ERR_NOMEM, ERR_SYS, ERR_DAMAGED. */
NODISCARD enum err core_campaigns_aggregate(struct core *core, struct core_campaign *cc);
/* One of its rounds alone, read from the store.  The caller's to free.  Errors as above. */
NODISCARD enum err core_campaigns_round(struct core *core, const struct core_campaign *cc, uint32_t round, struct aggregate **out);
/* Adds one stored part: coverage, and live results if they are there. */
NODISCARD enum err core_campaigns_part(struct core_campaign *cc, struct span host, uint32_t round, uint32_t part,
                                       const struct part_body *body);
/* Sends orders to those whose turn it is, and stores and logs what came with this round. */
void core_campaigns_settle(struct core *core);
/* The rate lets somebody begin. */
void core_campaigns_pace(struct core *core);
void core_campaigns_tick(struct core *core);
void core_campaigns_evict(struct core *core);

/* ---- core_agents.c: what agents say and are sent ---- */
NODISCARD enum err core_agents_load(struct core *core);
void core_agents_connected(struct core *core, struct message *m);
void core_agents_facts(struct core *core, struct message *m);
void core_agents_twice(struct core *core, struct message *m);
void core_agents_disconnected(struct core *core, struct message *m);
void core_agents_state(struct core *core, struct message *m);
void core_agents_taken(struct core *core, struct message *m); /* takes m: its session gets the credit back */
void core_agents_part(struct core *core, struct message *m);  /* takes m */
/* Stop to every target that is connected and has not ended. */
void core_agents_stop(struct core *core, const struct campaign *c);
/* A host that is connected, and a campaign that may want it: what it must be sent at once. */
enum campaign_send core_agents_joins(struct campaign *c, const struct fleet_host *h);
/* The order to everybody whose turn it is. */
void core_agents_turns(struct core *core, struct campaign *c);
void core_agents_seen(struct core *core); /* stores that the connected hosts are here */

/* The same message to these sessions. */
NODISCARD enum err core_agents_tell(struct core *core, enum rpc_lane lane, const struct to_agent *to, const uint64_t *sessions, size_t n);

/* ---- core_audit.c: who asked for what, and what came of it; docs/audit.md lists the events ---- */
NODISCARD enum err core_audit_open(struct core *core, char *why, size_t why_size);
/* Failures are logged. */
NODISCARD enum err core_audit_add(struct core *core, const struct audit_record *r);
/* As audit_put and audit_sync: core_start_flush makes everything durable at once. */
NODISCARD enum err core_audit_put(struct core *core, const struct audit_record *r);
NODISCARD enum err core_audit_sync(struct core *core);
void core_audit_stranger(struct core *core, const struct audit_record *r); /* what may come in floods */
void core_audit_refused(struct core *core, const struct message_question *q, enum rpc_status status, const char *why);
void core_audit_campaign(struct core *core, const char *event, const struct campaign *c, struct span who, const char *result);
void core_audit_ended(struct core *core, const struct campaign *c);
/* After campaign.started, which is written first: it did not come to that. */
void core_audit_not_started(struct core *core, const struct campaign *c, const char *why);
void core_audit_host(struct core *core, const struct campaign *c, const struct campaign_target *t);
void core_audit_tick(struct core *core); /* signs a checkpoint when there is something new */
NODISCARD enum err core_audit_answer(struct core *core, const struct message_question *q, struct arena *mem, struct buf *out);

/* ---- core_lockdown.c: an admin's word ---- */
void core_lockdown_load(struct core *core);
/* Whatever was said last, to these sessions; nothing when nothing was. */
void core_lockdown_send(struct core *core, const uint64_t *sessions, size_t n);
/* True with why: nothing may start. */
bool core_lockdown_refuses(const struct core *core, char *why);
enum rpc_status core_lockdown_set(struct core *core, const struct message_question *q, struct arena *mem, char *why);
NODISCARD enum err core_lockdown_info(const struct core *core, struct buf *out);

/* ---- core_triggers.c: the triggers that are armed in the fleet ---- */
NODISCARD enum err core_triggers_open(struct core *core, char *why, size_t why_size);
void core_triggers_close(struct core *core);
/* NULL: not known.  Also one that was removed. */
struct core_trigger *core_triggers_find(struct core *core, const struct campaign_id *id);
bool core_triggers_is_for(const struct core_trigger *t, const struct fleet_host *h);
/* What is known of a host, made when nothing is.  NULL: out of memory. */
struct core_trigger_host *core_triggers_host(struct core_trigger *t, struct span name);
/* What became of an event, for those who ask. */
void core_triggers_note(struct core_trigger *t, struct span what);
/* A host has connected: what it must arm, and what it must not. */
void core_triggers_connected(struct core *core, const struct fleet_host *h);
void core_triggers_state(struct core *core, struct message *m);
void core_triggers_tick(struct core *core);
enum rpc_status core_triggers_add(struct core *core, const struct message_question *q, struct arena *mem, char *why, struct buf *out);
enum rpc_status core_triggers_list(struct core *core, const struct message_question *q, struct arena *mem, char *why, struct buf *out);
enum rpc_status core_triggers_remove(struct core *core, const struct message_question *q, struct arena *mem, char *why, struct buf *out);

/* ---- core_firings.c: firings, of hosts and our own, become campaigns ---- */
bool core_firings_is(uint64_t question);
/* The collector fires one itself, where ("": all of its targets) being a selector.  False: it is suppressed, counted and written down, why
 * (QUERY_WHY_BYTES) says why. */
bool core_firings_fire(struct core *core, struct core_trigger *t, struct span where, struct span what, char *why, struct campaign_id *out);
void core_firings_told(struct core *core, struct message *m);
/* The campaign of such a question is on the disk and goes on (c), or is not (NULL, why). */
void core_firings_started(struct core *core, const struct core_starting *s, const struct campaign_id *id, struct campaign *c,
                          const char *why);

/* ---- core_results.c: what results and silence set off ---- */
void core_results_ended(struct core *core, const struct campaign_id *campaign);
void core_results_tick(struct core *core);

/* ---- core_calls.c: what callers from outside ask ---- */
void core_calls_ask(struct core *core, struct message *m);

/* ---- core_metrics.c: how the collector does, as OpenMetrics ---- */
void core_metrics_write(const struct core *core, struct buf *out);

/* ---- core_questions.c: what consoles ask ---- */
void core_questions_ask(struct core *core, struct message *m);
void core_questions_unwatch(struct core *core, uint64_t question);
/* A write that a question waited for is durable, or failed. */
void core_questions_written(struct core *core, struct message *m);
void core_questions_watches(struct core *core); /* tell what has changed */
void core_questions_done(struct core *core);

/* ---- core_retention.c: results that are older than they are kept go, a few rows at a time ---- */
void core_retention_tick(struct core *core);
void core_retention_written(struct core *core, const struct store_op *op); /* a step is on the disk */

/* ---- core_start.c: a signed order becomes a campaign; prefix core_start_ ---- */
/* Of each host the value of the order's domain label, "" for none; NULL when there is no such label.  In mem. */
NODISCARD enum err core_start_domains(const struct core *core, const struct spec *spec, const struct span *hosts, size_t n,
                                      struct arena *mem, struct span **out);
/* What would become of an order with this spec; nothing is changed. */
enum rpc_status core_start_plan(struct core *core, struct span spec_bytes, struct arena *mem, char *why, struct buf *out);
/* Whom an order is for, in the order in which they begin; within, if it is not empty, is a selector that they must fit as well. */
enum rpc_status core_start_hosts(struct core *core, const struct spec *spec, struct span within, struct arena *mem, char *why,
                                 struct span **out, size_t *out_n);
/* A verified order for these hosts becomes a campaign; question: who waits for it. */
struct core_start {
    const struct order *order;
    struct span signed_order;
    const struct span *hosts;
    size_t n_hosts;
    uint64_t question, session;
};
enum rpc_status core_start_campaign(struct core *core, const struct core_start *start, struct arena *mem, char *why);
enum rpc_status core_start_order(struct core *core, const struct message_question *q, struct arena *mem, char *why);
/* The end of a turn: the audit log is made durable, once for all that were started in it, and they go to the disk. */
void core_start_flush(struct core *core);
