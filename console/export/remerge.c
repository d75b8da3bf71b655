#include "console/export/remerge.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/merge/hist_merge.h"
#include "common/merge/stack_merge.h"
#include "common/model/events_copy.h"

struct remerge {
    struct arena *mem; /* the answer's: events go there at once */
    char host[LIMIT_NAME_BYTES + 1];
    struct hist_merge *own, *fleet; /* of the host that goes by, of all */
    uint32_t merged_hosts;
    struct stack_merge *stacks;
    struct host_events *events;
    size_t n_events, cap_events;
    uint64_t rows, given;
};

struct remerge *remerge_new(struct arena *mem) {
    AUTO(remerge_free) struct remerge *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->mem = mem;
    r->fleet = hist_merge_new();
    return r->fleet ? TAKE(r) : NULL;
}

void remerge_free(struct remerge *r) {
    if (!r) return;
    hist_merge_free(r->own);
    hist_merge_free(r->fleet);
    stack_merge_free(r->stacks);
    free(r);
}

/* ---- histograms: each host's merged first, then the hosts in the order of their names ---- */
static enum err add_set(struct hist_merge *into, const struct hist_set *set) {
    enum err e = ERR_OK;
    for (size_t i = 0; i < set->n && e != ERR_NOMEM; i++) e = hist_merge_add(into, &set->hists[i]); /* what does not line up stays out */
    return e == ERR_NOMEM ? e : ERR_OK;
}

static enum err end_host(struct remerge *r) {
    AUTO(arena_free) struct arena *scratch = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    struct hist_set set = {0};
    if (!r->own) return ERR_OK;
    enum err e = scratch ? hist_merge_get(r->own, false, scratch, &set) : ERR_NOMEM;
    if (!e) e = add_set(r->fleet, &set);
    r->merged_hosts += set.n > 0;
    hist_merge_free(TAKE(r->own));
    return e;
}

/* ---- events: the hosts' tables behind each other, as many rows as an answer has ---- */
static enum err table_for(struct remerge *r, const struct events *e, struct events **out) {
    struct host_events *last = r->n_events ? &r->events[r->n_events - 1] : NULL;
    if (last && span_eq_str(last->host, r->host) && events_copy_fits(&last->events, e)) {
        *out = &last->events;
        return ERR_OK;
    }
    enum err err = arena_grow(r->mem, &r->events, &r->cap_events, r->n_events + 1, sizeof *r->events);
    if (err) return err;
    struct host_events *h = &r->events[r->n_events++];
    *h = (struct host_events){.host = arena_copy(r->mem, span_str(r->host))};
    *out = &h->events;
    return h->host.p ? events_init(&h->events, e->columns, e->n_columns, r->mem) : ERR_NOMEM;
}

static enum err add_events(struct remerge *r, const struct events *e) {
    struct events *into = NULL;
    r->rows += e->n_rows;
    if (e->n_rows == 0 || r->given == LIMIT_ANSWER_ROWS) return ERR_OK;
    enum err err = table_for(r, e, &into);
    for (size_t row = 0; row < e->n_rows && r->given < LIMIT_ANSWER_ROWS && !err; row++, r->given++)
        err = events_copy_row(into, e, row, r->mem);
    return err;
}

enum err remerge_add(struct remerge *r, struct span host, const struct part_body *body) {
    enum err e = span_eq_str(host, r->host) ? ERR_OK : end_host(r);
    if (e) return e;
    snprintf(r->host, sizeof r->host, "%.*s", (int)host.n, host.p);
    switch (body->kind) {
    case RESULT_HISTOGRAM:
        if (!r->own && !(r->own = hist_merge_new())) return ERR_NOMEM;
        return add_set(r->own, &body->hists);
    case RESULT_STACKS:
        if (!r->stacks && !(r->stacks = stack_merge_new(LIMIT_ANSWER_ARENA_BYTES))) return ERR_NOMEM;
        e = stack_merge_add(r->stacks, &body->stacks);
        return e == ERR_REFUSED ? ERR_OK : e; /* in another unit than those before: left out */
    case RESULT_EVENTS:
        return body->events.n_columns ? add_events(r, &body->events) : ERR_OK;
    case RESULT_NONE:
        break;
    }
    return ERR_OK;
}

/* ---- the answer ---- */
enum query_kind remerge_question(enum result_kind kind, struct query *out) {
    *out = (struct query){.merged_only = true};
    return kind == RESULT_HISTOGRAM ? QUERY_HIST : kind == RESULT_STACKS ? QUERY_STACKS : QUERY_EVENTS;
}

static enum err give_stacks(struct remerge *r, struct arena *mem, struct answer *a) {
    const struct stack_row **rows = NULL;
    size_t n = 0;
    a->total = a->whole = a->distinct = 0;
    if (!r->stacks) return stacks_init(&a->stacks, SPAN_LIT(""), mem);
    const struct stacks *view = stack_merge_view(r->stacks);
    AUTO_FREE uint32_t *places = calloc(view->n_nodes, sizeof *places);
    enum err e = places ? stacks_init(&a->stacks, view->unit, mem) : ERR_NOMEM;
    if (!e) e = stack_merge_top(r->stacks, 0, mem, &rows, &n);
    for (size_t i = 0; i < n && !e; i++) {
        a->total += rows[i]->count;
        e = stack_merge_copy(r->stacks, rows[i], places, &a->stacks);
    }
    a->distinct = (uint32_t)n;
    a->whole = stacks_total(view);
    return e;
}

enum err remerge_answer(struct remerge *r, enum query_kind kind, struct answer *a) {
    enum err e = end_host(r);
    if (e) return e;
    if (kind == QUERY_STACKS) return give_stacks(r, r->mem, a);
    if (kind == QUERY_HIST) {
        a->merged_hosts = r->merged_hosts;
        return hist_merge_get(r->fleet, false, r->mem, &a->merged);
    }
    a->host_events = r->events;
    a->n_host_events = r->n_events;
    a->total = r->rows;
    return ERR_OK;
}

bool remerge_adds_up(const struct answer *a, const struct campaign_detail *d) {
    uint32_t coverage[COVERAGE__COUNT] = {0};
    struct ledger sum = {0};
    for (size_t i = 0; i < d->n_targets; i++) {
        coverage[d->targets[i].coverage]++;
        if (d->targets[i].outcome) capture_ledger_add(&sum, &d->targets[i].outcome->ledger);
    }
    sum.shed = a->info.ledger.shed > sum.shed ? a->info.ledger.shed : sum.shed; /* the collector's own comes on top */
    return d->n_targets == a->info.targeted && memcmp(coverage, a->info.coverage, sizeof coverage) == 0 &&
           memcmp(&sum, &a->info.ledger, sizeof sum) == 0;
}
