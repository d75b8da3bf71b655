/* May a tool be started, by what it would cost this host now? */
#pragma once

#include "agent/runner/admit.h"
#include "agent/runner/rates.h"

/* spent_ppm: what the tools that run already were estimated at.  *out_ppm: what this one is estimated at, 0 when unknown.
 * ERR_REFUSED: over the host's max_cost; why says it with the figures, and names a cheaper relative that would fit. */
NODISCARD enum err budget_allows(const struct policy *p, const struct admitted *a, const struct rates_look *before,
                                 const struct rates_look *after, uint64_t spent_ppm, uint64_t *out_ppm, struct buf *out_why);
