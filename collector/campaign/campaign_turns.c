#include <stdio.h>

#include "collector/campaign/campaign_internal.h"
#include "common/base/clock.h"

static const uint64_t RATE_CATCH_UP_NS = 100 * NS_PER_MS; /* a rate that was not used for so long may be made up for */

/* ---- waves ---- */
static size_t reach_of(const struct campaign *c, uint32_t wave) {
    size_t most = wave < c->spec.n_waves ? 0 : c->n_targets;
    for (uint32_t i = 0; i <= wave && i < c->spec.n_waves; i++) {
        size_t n = share_of(c->spec.waves[i], c->n_targets);
        if (n > most) most = n;
    }
    return most;
}

size_t campaign_turns_reach(const struct campaign *c) { return reach_of(c, c->wave); }

void campaign_turns_init(struct campaign *c) {
    c->n_waves = (uint32_t)c->spec.n_waves;
    if (!c->n_waves || reach_of(c, c->n_waves - 1) < c->n_targets) c->n_waves++; /* the others come last */
}

static bool open_next_wave(struct campaign *c, struct campaign_now now) {
    if (c->active || c->wave + 1 >= c->n_waves || c->began < campaign_turns_reach(c)) return false;
    if (!campaign_rules_wave_is_well(c, now)) return false;
    c->wave++;
    c->wave_began = c->began;
    c->wave_bad = campaign_rules_bad(c);
    c->control_changed = true;
    c->changes++;
    return true;
}

/* ---- lines ---- */
enum err campaign_turns_domain(struct campaign *c, struct span value, uint32_t *out) {
    const uint64_t *known = map_get(c->by_domain, value);
    if (known) {
        *out = (uint32_t)*known;
        return ERR_OK;
    }
    if (c->n_domains == c->cap_domains) {
        size_t want = c->cap_domains ? 2 * c->cap_domains : 1;
        struct campaign_domain *p = reallocarray(c->domains, want, sizeof *p);
        if (!p) return ERR_NOMEM;
        c->domains = p;
        c->cap_domains = want;
    }
    enum err e = map_put(c->by_domain, value, c->n_domains);
    if (e != ERR_OK) return e;
    *out = (uint32_t)c->n_domains;
    c->domains[c->n_domains++] = (struct campaign_domain){0};
    return ERR_OK;
}

static bool is_full(const struct campaign *c, const struct campaign_domain *d) {
    return c->spec.domain_hosts && d->active >= c->spec.domain_hosts;
}

/* A domain with hosts in line and room joins the end of the domains that take turns. */
static void open_domain(struct campaign *c, struct campaign_domain *d) {
    if (d->open || !d->first || is_full(c, d)) return;
    uint32_t me = (uint32_t)(d - c->domains) + 1;
    d->open = true;
    d->next_open = 0;
    if (c->last_open)
        c->domains[c->last_open - 1].next_open = me;
    else
        c->first_open = me;
    c->last_open = me;
}

void campaign_turns_wait(struct campaign *c, struct campaign_target *t) {
    if (t->ready) return;
    t->ready = true;
    c->ready++;
    struct campaign_domain *d = &c->domains[t->domain];
    if (!t->queued) {
        uint32_t me = campaign_number(c, t);
        t->queued = true;
        t->next_ready = 0;
        if (d->last)
            c->targets[d->last - 1].next_ready = me;
        else
            d->first = me;
        d->last = me;
    }
    open_domain(c, d);
}

/* It stays in line, and is passed over when it comes to the front. */
void campaign_turns_leave(struct campaign *c, struct campaign_target *t) {
    if (!t->ready) return;
    t->ready = false;
    c->ready--;
}

void campaign_turns_active(struct campaign *c, struct campaign_target *t, bool active) {
    struct campaign_domain *d = &c->domains[t->domain];
    if (active) {
        c->active++;
        d->active++;
    } else {
        c->active--;
        d->active--;
        open_domain(c, d);
    }
}

static struct campaign_target *take_front(struct campaign *c, struct campaign_domain *d) {
    while (d->first) {
        struct campaign_target *t = &c->targets[d->first - 1];
        d->first = t->next_ready;
        if (!d->first) d->last = 0;
        t->queued = false;
        if (t->ready) return t;
    }
    return NULL;
}

/* ---- the next ---- */
static bool may_begin(struct campaign *c, struct campaign_now now) {
    if (c->stopped || c->paused || c->expired || !c->ready || now.mono_ns >= c->expires_ns) return false;
    if (c->spec.concurrency && c->active >= c->spec.concurrency) return false;
    if (c->spec.rate_per_s && now.mono_ns < c->rate_next_ns) return false;
    while (c->began >= campaign_turns_reach(c))
        if (!open_next_wave(c, now)) return false;
    return true;
}

static void count_rate(struct campaign *c, struct campaign_now now) {
    if (!c->spec.rate_per_s) return;
    uint64_t floor_ns = now.mono_ns > RATE_CATCH_UP_NS ? now.mono_ns - RATE_CATCH_UP_NS : 0;
    if (c->rate_next_ns < floor_ns) c->rate_next_ns = c->rate_next_ns ? floor_ns : now.mono_ns;
    c->rate_next_ns += NS_PER_S / c->spec.rate_per_s;
}

struct campaign_target *campaign_turns_next(struct campaign *c, struct campaign_now now) {
    if (!may_begin(c, now)) return NULL;
    while (c->first_open) {
        struct campaign_domain *d = &c->domains[c->first_open - 1];
        c->first_open = d->next_open;
        if (!c->first_open) c->last_open = 0;
        d->open = false;
        struct campaign_target *t = is_full(c, d) ? NULL : take_front(c, d);
        if (!t) continue; /* one that is full comes back when one of its hosts has ended */
        campaign_turns_leave(c, t);
        count_rate(c, now);
        campaign_move(c, t, STAGE_SENT, COVERAGE_PENDING);
        open_domain(c, d);
        return t;
    }
    return NULL;
}
