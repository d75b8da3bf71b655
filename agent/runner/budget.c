#include "agent/runner/budget.h"

enum err budget_allows(const struct policy *p, const struct admitted *a, const struct rates_look *before, const struct rates_look *after,
                       uint64_t spent_ppm, uint64_t *out_ppm, struct buf *out_why) {
    struct cost_rates rates;
    unsigned cpus = after->cpus ? after->cpus : 1;
    rates_between(before, after, &rates);
    struct cost c = cost_of(a->tool, &a->params, &rates, cpus);
    *out_ppm = c.known ? c.ppm : 0;
    if (!p->max_cost_ppm || !c.known || c.ppm + spent_ppm <= p->max_cost_ppm) return ERR_OK;
    buf_add_fmt(out_why, "%s would cost ", a->tool->name);
    cost_say(a->tool, &c, out_why);
    buf_add_str(out_why, ", this host allows ");
    cost_say_ppm(p->max_cost_ppm, out_why);
    if (spent_ppm) {
        buf_add_str(out_why, " and ");
        cost_say_ppm(spent_ppm, out_why);
        buf_add_str(out_why, " is spent by what runs already");
    }
    const struct tool *cheaper = cost_cheaper(a->tool);
    if (!cheaper) return ERR_REFUSED;
    struct cost less = cost_of(cheaper, NULL, &rates, cpus);
    if (!less.known || less.ppm + spent_ppm > p->max_cost_ppm) return ERR_REFUSED;
    buf_add_fmt(out_why, "; %s would cost ", cheaper->name);
    cost_say_ppm(less.ppm, out_why);
    return ERR_REFUSED;
}
