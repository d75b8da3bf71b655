/* The life of captures on this host: an order comes, is verified, taken, run, parsed, judged and spooled.  Every order that is
 * really one ends in a last part with an outcome, whatever happens.
 *
 *   WAITING ──its time──▶ ASKED ──started──▶ RUNNING ──ended──▶ ENDED ──read to the end──▶ OVER (parsed, judged, spooled, forgotten)
 *     ▲                     └────refused────────────────────────────────────────────────▶ OVER (outcome spooled, forgotten)
 *     └──────────── another round is to come (this one is parsed, judged, spooled) ◀── ENDED, WAITING
 *
 * The limits of the order are kept here as well: nothing begins before its start, no round after its expiry, and none while the
 * host's CPU pressure is over what it allows.
 *
 * Thread: the loop's. */
#pragma once

#include "agent/daemon/capability.h"
#include "agent/daemon/deeds.h"
#include "agent/daemon/locked.h"
#include "agent/runner/policy.h"
#include "agent/spool/journal.h"
#include "agent/uplink/uplink.h"
#include "common/order/order.h"

struct captures;

/* Who knows what a trigger may still do.  Embedded in the owner. */
struct captures_gate {
    /* A firing whose order verifies and was not seen before: from now on it counts.  ERR_OK, or ERR_REFUSED with why. */
    enum err (*admit)(struct captures_gate *self, const struct signed_order *so, const struct order *o, char *why, size_t why_size);
};

struct captures_options { /* keeps all of them */
    struct loop *loop;
    const struct policy *policy;
    const char *host;
    const struct label *labels;
    size_t n_labels;
    const struct trust *operators;
    const struct capabilities *capabilities;
    struct channel *runner;
    struct spool *spool;
    struct journal *journal;
    struct locked *locked;
    struct deeds *deeds;
    struct captures_gate *gate; /* NULL: no firing is obeyed */
};

NODISCARD enum err captures_new(const struct captures_options *opt, struct captures **out);
void captures_free(struct captures *c);
/* The line to the collector, once there is one; parts wait in the spool before. */
void captures_set_uplink(struct captures *c, struct uplink *u);
/* From now on orders are verified against these (keeps). */
void captures_set_operators(struct captures *c, const struct trust *operators);
/* Orders that a crash cut short: the round that was under way has failed, the others take place if the order still verifies. */
void captures_recover(struct captures *c);

/* What an order, or a trigger, must fit to be obeyed here, now. */
struct order_check captures_check(const struct captures *c);
/* Obeys it, or refuses it in writing.  An order of a campaign that is known here changes nothing, however it is signed. */
void captures_order(struct captures *c, const struct signed_order *so);
/* An admin's statement has come: verified, remembered, obeyed; everything that runs is stopped by a lockdown.  True: this host is locked
 * or free for another reason than before, which the collector should hear. */
bool captures_lockdown(struct captures *c, const struct signed_order *so);
/* The runner says how the kill switch is. */
void captures_switch(struct captures *c, bool thrown);
void captures_stop(struct captures *c, const struct campaign_id *campaign, struct span why);
/* A spooled part does not read back.  Errors as amend_damaged. */
NODISCARD enum err captures_damaged(struct captures *c, struct spool_entry *e);
/* STARTED, ATTACHED, REFUSED, ENDED from the runner.  takes the descriptors. */
void captures_report(struct captures *c, const struct report *r, int out_fd, int err_fd);
