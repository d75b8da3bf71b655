/* This host's triggers: those that are armed here and fire by themselves, and what those that fire elsewhere may still start here.  Every
 * firing is an order like any other (captures.h) whose authority is the trigger's signature, so what was signed, revoked or has expired is
 * judged anew each time; cool-down, firings per hour and budget are kept here, on the disk before anything begins.
 *
 * A firing is told to the collector until it answers; its parts wait for that (holds).
 *
 * Thread: the loop's. */
#pragma once

#include "agent/daemon/captures.h"
#include "common/order/rulebook.h"

struct triggers;

struct triggers_options { /* keeps all of them */
    const struct policy *policy;
    const char *host;
    struct channel *runner;
    struct locked *locked;
    struct deeds *deeds;
};

/* Reads what was armed before from spool_dir/triggers.  ERR_SYS with errno; ERR_NOMEM. */
NODISCARD enum err triggers_new(const struct triggers_options *opt, struct triggers **out);
void triggers_free(struct triggers *t);
struct captures_gate *triggers_gate(struct triggers *t);
/* The runner takes requests now: what was armed is armed again.  captures: who obeys firings (keeps). */
void triggers_start(struct triggers *t, struct captures *captures);
void triggers_set_uplink(struct triggers *t, struct uplink *u);

/* The collector says: arm this one; disarm that one, for good; a firing is wanted (why empty), or is not. */
void triggers_arm(struct triggers *t, const struct signed_order *so);
void triggers_disarm(struct triggers *t, const struct campaign_id *id);
void triggers_answer(struct triggers *t, const struct campaign_id *campaign, struct span why);
/* A session begins: how all of them stand, and what has fired meanwhile. */
void triggers_tell(struct triggers *t);
bool triggers_holds(const struct triggers *t, const struct campaign_id *campaign);

/* REPORT_ALARM. */
void triggers_alarm(struct triggers *t, const struct report *r);
/* About as often as the heartbeat: readings are looked at, and what was suppressed is written down. */
void triggers_look(struct triggers *t);
