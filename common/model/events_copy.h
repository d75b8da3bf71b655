/* Rows of one table of events into another with the same columns. */
#pragma once

#include "common/model/events.h"

/* The same columns: names, types, decimals. */
bool events_copy_fits(const struct events *a, const struct events *b);
/* One more row of into, with the stack below it, if there is one.  ERR_NOMEM. */
NODISCARD enum err events_copy_row(struct events *into, const struct events *from, size_t row, struct arena *mem);
