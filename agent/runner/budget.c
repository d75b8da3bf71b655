#include "agent/runner/budget.h"

enum err budget_allows(const struct policy *p, const struct admitted *a, const struct rates_look *before, const struct rates_look *after,
                       uint64_t spent_ppm, uint64_t *out_ppm, struct buf *out_why) {
    struct cost_rates rates;
    unsigned cpus = after->cpus ? after->cpus : 1;
    rates_between(before, after, &rates);
    struct cost c = cost_of(a->tool, &a->params, &rates, cpus);
    *out_ppm = c.known ? c.ppm : 0;
    return cost_is_over(a->tool, &c, &rates, cpus, spent_ppm, p->max_cost_ppm, out_why) ? ERR_REFUSED : ERR_OK;
}
