#include "common/order/allowance.h"

#include <stdio.h>

enum { MS_PER_S = 1000, MS_PER_HOUR = 3600 * MS_PER_S };

uint32_t allowance_cost_s(const struct trigger *t) { return spec_rounds(&t->what) * t->what.duration_s; }

/* Since then.  A clock that was set back counts as no time at all: the limits never become wider by it. */
static uint64_t age_ms(uint64_t at_ms, uint64_t now_ms) { return now_ms > at_ms ? now_ms - at_ms : 0; }

enum err allowance_ask(const struct allowance *a, const struct trigger *t, uint64_t now_wall_ms, char *why, size_t why_size) {
    uint64_t last = a->at_wall_ms[0], cooldown_ms = (uint64_t)t->cooldown_s * MS_PER_S, oldest = a->at_wall_ms[t->per_hour - 1];
    if (now_wall_ms >= t->what.expires_wall_ms) return err_because(why, why_size, ERR_EXPIRED, "the trigger has expired");
    if (last && age_ms(last, now_wall_ms) < cooldown_ms)
        return err_because(why, why_size, ERR_REFUSED, "cool-down: it fired %llu seconds ago and rests for %u",
                           (unsigned long long)age_ms(last, now_wall_ms) / MS_PER_S, t->cooldown_s);
    if (oldest && age_ms(oldest, now_wall_ms) < MS_PER_HOUR)
        return err_because(why, why_size, ERR_REFUSED, "it has fired %u times within an hour, which is the most", t->per_hour);
    if (a->spent_s + allowance_cost_s(t) > t->budget_s)
        return err_because(why, why_size, ERR_REFUSED, "its budget is spent: %llu of %u seconds of tracing", (unsigned long long)a->spent_s,
                           t->budget_s);
    return ERR_OK;
}

void allowance_spend(struct allowance *a, const struct trigger *t, uint64_t now_wall_ms) {
    memmove(a->at_wall_ms + 1, a->at_wall_ms, sizeof a->at_wall_ms - sizeof a->at_wall_ms[0]);
    a->at_wall_ms[0] = now_wall_ms;
    a->fired++;
    a->spent_s += allowance_cost_s(t);
}
