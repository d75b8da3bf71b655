/* The events of many hosts in memory, column by column, their texts in one dictionary: what questions over all rows are asked of.
 * Stacks below rows are not kept.  Owns its memory.  Thread: one owner. */
#pragma once

#include "common/base/auto.h"
#include "common/model/events.h"

struct event_table;
struct event_table *event_table_new(size_t budget_bytes);
void event_table_free(struct event_table *t);
AUTO_TYPE(struct event_table, event_table_free)
/* A copy of all rows of e, as one more piece.  ERR_NOMEM: over the budget or out of memory; t is only good for event_table_free. */
NODISCARD enum err event_table_add(struct event_table *t, uint32_t host, const struct events *e);
size_t event_table_n(const struct event_table *t); /* pieces, in the order in which they came */
/* *out lives as long as t, but dies with the next add. */
void event_table_at(const struct event_table *t, size_t i, uint32_t *out_host, struct events *out);
const struct strings *event_table_dictionary(const struct event_table *t);
uint64_t event_table_rows(const struct event_table *t);
size_t event_table_bytes(const struct event_table *t); /* memory held */
