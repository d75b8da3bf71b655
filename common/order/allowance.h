/* What a trigger may still do here: its limits against what it has done.  Pure. */
#pragma once

#include "common/wire/trigger.h"

struct allowance {
    uint64_t fired, spent_s, suppressed;
    uint64_t at_wall_ms[LIMIT_PER_HOUR]; /* of the last firings, newest first; 0: none */
};

/* May it fire now?  ERR_REFUSED: cool-down, firings per hour or budget; ERR_EXPIRED; with why, a sentence without its full stop. */
NODISCARD enum err allowance_ask(const struct allowance *a, const struct trigger *t, uint64_t now_wall_ms, char *why, size_t why_size);
/* It fires. */
void allowance_spend(struct allowance *a, const struct trigger *t, uint64_t now_wall_ms);
/* What one firing costs of the budget. */
uint32_t allowance_cost_s(const struct trigger *t);
