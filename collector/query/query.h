/* What a console is told, made from live state and the store.  Pure reading: nothing is changed but the store's handle.
 * Every answer has the campaign's coverage, its ledger, the hosts that are not ok and notes on what could not be merged: no answer
 * hides what is missing.
 * Thread: the one that owns the campaign, its aggregate and the store's handle. */
#pragma once

#include "collector/aggregate/aggregate.h"
#include "collector/campaign/campaign.h"
#include "collector/campaign/fleet.h"
#include "collector/store/store.h"
#include "common/net/rpc.h"
#include "common/order/order.h"
#include "common/wire/query.h"

enum { QUERY_WHY_BYTES = 1024 };

/* What a question about results is asked of. */
struct query_of {
    const struct campaign *campaign;
    const struct aggregate *aggregate;
    const struct fleet *fleet; /* labels of hosts, as they are now; NULL: none are known */
    struct store *store;
    enum query_kind kind; /* QUERY_HIST and those behind it */
    const struct query *query;
    size_t top_budget_bytes; /* 0: LIMIT_TOP_BYTES */
    unsigned mask;           /* bits 1 << catalog_class: what is not shown to the operator */
};

/* The encoded answer, appended to *out.  Otherwise a status and why (QUERY_WHY_BYTES) in words. */
enum rpc_status query_results(const struct query_of *of, struct arena *mem, char *why, struct buf *out);
enum rpc_status query_hosts(const struct fleet *f, struct span selector, struct arena *mem, char *why, struct buf *out);

/* What would become of the order on these hosts, by what they last said of themselves: a PlanAnswer by host, appended to *out.
 * ERR_NOMEM, ERR_LIMIT. */
NODISCARD enum err query_plan_make(const struct fleet *f, const struct order *o, const struct span *hosts, size_t n, struct arena *mem,
                                   struct buf *out);

/* In mem, texts borrowed from c.  ERR_NOMEM. */
void query_info(const struct campaign *c, struct campaign_info *out);
NODISCARD enum err query_detail(const struct campaign *c, unsigned mask, struct arena *mem, struct campaign_detail *out);
