#include <stdio.h>

#include "collector/campaign/campaign_internal.h"

enum { WHOLE = 1000 };

static uint32_t failures(const struct campaign *c) { return c->coverage[COVERAGE_FAILED] + c->coverage[COVERAGE_TIMEOUT]; }

uint32_t campaign_rules_bad(const struct campaign *c) { return failures(c) + c->gone; }

/* Of the hosts that may have begun until now. */
static bool too_many(const struct campaign *c, uint32_t n, struct share most) {
    return share_given(most) && n > 0 && n >= share_of(most, campaign_turns_reach(c));
}

static void percent(uint64_t permille, char out[24]) {
    snprintf(out, 24, "%llu.%llu %%", (unsigned long long)permille / 10, (unsigned long long)permille % 10);
}

static bool over(uint64_t value, uint32_t most, const char *what, char *why, size_t size) {
    char is[24], may[24];
    if (!most || value <= most) return false;
    percent(value, is);
    percent(most, may);
    snprintf(why, size, "%s is %s on average, over %s", what, is, may);
    return true;
}

static bool hit(const struct campaign *c, char *why, size_t size) {
    const struct stop_when *s = &c->spec.stop;
    uint32_t dead = c->died + c->gone + c->lost, failed = failures(c), refused = c->coverage[COVERAGE_REFUSED];
    size_t among = campaign_turns_reach(c);
    if (too_many(c, failed, s->failures))
        snprintf(why, size, "%u of %zu hosts failed", failed, among);
    else if (too_many(c, refused, s->refusals))
        snprintf(why, size, "%u of %zu hosts refused", refused, among);
    else if (s->agent_deaths && dead >= s->agent_deaths)
        snprintf(why, size, "%u of %zu agents were lost in their captures", dead, among);
    else
        return over(c->wall_ns ? c->cpu_ns / (c->wall_ns / WHOLE + 1) : 0, s->cpu_permille, "the tools' CPU time", why, size) ||
               over(c->n_pressure ? c->pressure_sum / c->n_pressure : 0, s->pressure_permille, "the hosts' CPU pressure", why, size);
    return true;
}

void campaign_rules_check(struct campaign *c, struct campaign_now now) {
    char text[128];
    if (c->stopped || campaign_done(c) || !hit(c, text, sizeof text)) return;
    snprintf(c->why, sizeof c->why, "the campaign stopped itself: %s", text);
    campaign_halt(c, now);
}

bool campaign_rules_wave_is_well(struct campaign *c, struct campaign_now now) {
    uint32_t began = c->began - c->wave_began, ends = campaign_rules_bad(c), bad = ends > c->wave_bad ? ends - c->wave_bad : 0;
    if (2 * (uint64_t)bad <= began) return true;
    snprintf(c->why, sizeof c->why, "the campaign stopped itself: wave %u did not end well, %u of its %u hosts failed or were lost",
             c->wave + 1, bad, began);
    campaign_halt(c, now);
    return false;
}
