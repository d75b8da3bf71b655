#include "collector/aggregate/aggregate.h"

#include <stdio.h>

#include "common/base/map.h"
#include "common/base/num.h"

struct aggregate {
    struct map *by_name;
    struct aggregate_host *hosts;
    size_t n_hosts, cap_hosts;
    struct stack_merge *stacks;
    size_t stacks_budget_bytes;
    struct event_table *events; /* NULL: over the budget */
    uint64_t shed;
    size_t hosts_bytes;
    size_t stacks_bytes; /* of what was added; merging makes it less */
};

struct aggregate *aggregate_new(size_t stacks_budget_bytes, size_t events_budget_bytes) {
    AUTO(aggregate_free) struct aggregate *a = calloc(1, sizeof *a);
    if (!a) return NULL;
    a->stacks_budget_bytes = stacks_budget_bytes;
    a->by_name = map_new();
    a->events = event_table_new(events_budget_bytes); /* NULL is fine: there is the store */
    return a->by_name ? TAKE(a) : NULL;
}

void aggregate_free(struct aggregate *a) {
    if (!a) return;
    for (size_t i = 0; i < a->n_hosts; i++) {
        part_set_done(&a->hosts[i].seen);
        hist_merge_free(a->hosts[i].hists);
    }
    free(a->hosts);
    stack_merge_free(a->stacks);
    event_table_free(a->events);
    map_free(a->by_name);
    free(a);
}

static struct aggregate_host *host_of(struct aggregate *a, struct span name) {
    const uint64_t *at = map_get(a->by_name, name);
    if (at) return &a->hosts[*at];
    if (name.n > LIMIT_NAME_BYTES) return NULL;
    if (a->n_hosts == a->cap_hosts) {
        size_t want = a->cap_hosts ? 2 * a->cap_hosts : 16;
        struct aggregate_host *p = reallocarray(a->hosts, want, sizeof *p);
        if (!p) return NULL;
        a->hosts = p;
        a->cap_hosts = want;
    }
    if (map_put(a->by_name, name, a->n_hosts) != ERR_OK) return NULL;
    struct aggregate_host *h = &a->hosts[a->n_hosts++];
    *h = (struct aggregate_host){0};
    snprintf(h->name, sizeof h->name, "%.*s", (int)name.n, name.p);
    return h;
}

static enum err add_hists(struct aggregate_host *h, const struct hist_set *set) {
    if (!h->hists && !(h->hists = hist_merge_new())) return ERR_NOMEM;
    for (size_t i = 0; i < set->n; i++) {
        enum err e = hist_merge_add(h->hists, &set->hists[i]);
        if (e == ERR_REFUSED)
            h->refused_hists++;
        else if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

static enum err add_stacks(struct aggregate *a, struct aggregate_host *h, const struct stacks *s) {
    if (!a->stacks && !(a->stacks = stack_merge_new(a->stacks_budget_bytes))) return ERR_NOMEM;
    enum err e = stack_merge_add(a->stacks, s);
    a->stacks_bytes += s->n_nodes * sizeof(struct stack_node) + s->n_rows * sizeof(struct stack_row);
    if (e == ERR_REFUSED)
        h->other_unit = true;
    else if (e == ERR_NOMEM)
        a->shed = num_sat_add(a->shed, stacks_total(s));
    else
        return e;
    return ERR_OK;
}

/* Half of the events would be no use: without room there are none. */
static void add_events(struct aggregate *a, const struct aggregate_host *h, const struct events *e) {
    if (a->events && event_table_add(a->events, (uint32_t)(h - a->hosts), e) != ERR_OK) event_table_free(TAKE(a->events));
}

static enum err add_body(struct aggregate *a, struct aggregate_host *h, const struct part_body *body) {
    switch (body->kind) {
    case RESULT_HISTOGRAM:
        return add_hists(h, &body->hists);
    case RESULT_STACKS:
        return add_stacks(a, h, &body->stacks);
    case RESULT_EVENTS:
        add_events(a, h, &body->events);
        break;
    case RESULT_NONE:
        break;
    }
    return ERR_OK;
}

static size_t host_bytes(const struct aggregate_host *h) {
    return h->seen.cap * sizeof *h->seen.runs + (h->hists ? hist_merge_bytes(h->hists) : 0);
}

enum err aggregate_add(struct aggregate *a, struct span host, uint32_t round, uint32_t part, const struct part_body *body) {
    struct aggregate_host *h = host_of(a, host);
    if (!h) return ERR_NOMEM;
    size_t before = host_bytes(h);
    enum err e = part_set_add(&h->seen, round, part);
    if (e == ERR_OK) e = add_body(a, h, body);
    a->hosts_bytes += host_bytes(h) - before;
    return e;
}

size_t aggregate_n_hosts(const struct aggregate *a) { return a->n_hosts; }

const struct aggregate_host *aggregate_host(const struct aggregate *a, size_t i) { return &a->hosts[i]; }

const struct stack_merge *aggregate_stacks(const struct aggregate *a) { return a->stacks; }

enum err aggregate_unread(struct aggregate *a, struct span host) {
    struct aggregate_host *h = host_of(a, host);
    event_table_free(TAKE(a->events));
    if (!h) return ERR_NOMEM;
    h->unread++;
    return ERR_OK;
}

const struct event_table *aggregate_events(const struct aggregate *a) { return a->events; }

uint64_t aggregate_shed(const struct aggregate *a) { return a->shed; }

size_t aggregate_bytes(const struct aggregate *a) {
    size_t stacks = a->stacks_bytes < a->stacks_budget_bytes ? a->stacks_bytes : a->stacks_budget_bytes;
    size_t events = a->events ? event_table_bytes(a->events) : 0;
    return sizeof *a + a->cap_hosts * sizeof *a->hosts + a->hosts_bytes + stacks + events;
}
