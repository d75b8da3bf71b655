/* The live results of one campaign, merged as its parts come.  Adding is idempotent per host, round and part and does not depend on
 * order, so the same parts give the same answer however often and in whatever order they came, a restart included.
 * Histograms are kept per host and merged over the fleet when asked, in the order of names; stacks are merged at once; events are kept
 * column-wise while there is room: over the budget none are, and they are read from the store when asked.
 * Pure: no clock, no store.  Thread: one owner. */
#pragma once

#include "collector/aggregate/part_set.h"
#include "common/merge/event_table.h"
#include "common/merge/hist_merge.h"
#include "common/merge/stack_merge.h"
#include "common/wire/part.h"

struct aggregate_host {
    char name[LIMIT_NAME_BYTES + 1];
    struct part_set seen;
    struct hist_merge *hists; /* NULL: none came */
    uint32_t refused_hists;   /* whose slots did not line up with the host's own earlier ones */
    uint32_t unread;          /* parts that could not be read: they are in no answer */
    bool other_unit;          /* its stacks are in another unit than those before */
};

struct aggregate;
/* Budgets for the merged stacks, and for the events. */
struct aggregate *aggregate_new(size_t stacks_budget_bytes, size_t events_budget_bytes);
void aggregate_free(struct aggregate *a);
AUTO_TYPE(struct aggregate, aggregate_free)

/* ERR_EXISTS: this host's part of this round was added before, nothing happened; ERR_LIMIT; ERR_NOMEM: out of memory. */
NODISCARD enum err aggregate_add(struct aggregate *a, struct span host, uint32_t round, uint32_t part, const struct part_body *body);

size_t aggregate_n_hosts(const struct aggregate *a);
/* In the order of their first part. */
const struct aggregate_host *aggregate_host(const struct aggregate *a, size_t i);
const struct stack_merge *aggregate_stacks(const struct aggregate *a); /* NULL: none came */
/* Rows of the host of this number (its place here); NULL: they are too many, ask the store. */
const struct event_table *aggregate_events(const struct aggregate *a);
/* A part of this host could not be read.  Who asks for events shall ask the store, and hear of it.  ERR_NOMEM. */
NODISCARD enum err aggregate_unread(struct aggregate *a, struct span host);
/* Counts of stacks that found no room in the budget (at most: some of them may be in). */
uint64_t aggregate_shed(const struct aggregate *a);
size_t aggregate_bytes(const struct aggregate *a); /* memory held, roughly; costs nothing to ask */
