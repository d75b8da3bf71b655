/* The agent's line to the collector: dials, opens the session, sends what waits in the spool in order, forgets a part when it
 * is acknowledged, and hands orders on.  After a lost connection everything not acknowledged is sent again.
 * Thread: the loop's. */
#pragma once

#include "agent/spool/spool.h"
#include "common/net/rpc.h"
#include "common/wire/session.h"

struct uplink;

struct uplink_ops {
    /* A session begins: what is there to say about this host? */
    void (*facts)(struct uplink_ops *self, struct facts *out);
    void (*connected)(struct uplink_ops *self, uint64_t peer_wall_ns);
    /* Not connected any more, or an attempt failed; told once each. */
    void (*lost)(struct uplink_ops *self, struct span why);
    void (*beat)(struct uplink_ops *self); /* a heartbeat goes out: the agent is awake anyway */
    void (*order)(struct uplink_ops *self, const struct signed_order *o);
    void (*lockdown)(struct uplink_ops *self, const struct signed_order *statement);
    /* A trigger to arm; one to disarm; what the collector says about a firing (why empty: it is wanted). */
    void (*arm)(struct uplink_ops *self, const struct signed_order *trigger);
    void (*disarm)(struct uplink_ops *self, const struct campaign_id *trigger);
    void (*firing)(struct uplink_ops *self, const struct campaign_id *campaign, struct span why);
    /* Must this campaign's parts wait, since the collector does not know it yet? */
    bool (*held)(struct uplink_ops *self, const struct campaign_id *campaign);
    void (*stop)(struct uplink_ops *self, const struct campaign_id *campaign, struct span why);
    /* A part does not read back: put in its place what can be said (agent/spool/amend.h), or say why not. */
    enum err (*damaged)(struct uplink_ops *self, struct spool_entry *e);
    /* The collector sent what is not a message, or a part cannot be sent; it is tried again in the next session. */
    void (*trouble)(struct uplink_ops *self, const char *what, enum err why);
};

/* address HOST:PORT.  keeps net, spool and ops. */
NODISCARD enum err uplink_new(struct net *net, const char *address, struct spool *spool, struct uplink_ops *ops, struct uplink **out);
void uplink_free(struct uplink *u);
AUTO_TYPE(struct uplink, uplink_free)

/* Leave the connection and dial again at once, with what net has been reloaded with. */
void uplink_reconnect(struct uplink *u);
/* What is there to say about this host has changed: say it, when there is a session. */
void uplink_facts(struct uplink *u);
/* New parts are in the spool. */
void uplink_push(struct uplink *u);
/* How an order stands (pending, running), when there is a session; else it is not said: the outcome will be. */
void uplink_state(struct uplink *u, const struct campaign_id *campaign, enum coverage c, struct span note);
/* How a trigger stands; that one has fired: both only when there is a session, and said again by the owner in the next. */
void uplink_trigger(struct uplink *u, const struct trigger_state *state);
void uplink_firing(struct uplink *u, const struct signed_order *order);
