#include "collector/query/query_body.h"
#include "common/model/events_copy.h"

enum { ROWS_MAX = LIMIT_ANSWER_ROWS }; /* with no limit given */

struct events_work {
    struct query_work *w;
    struct host_events *hosts;
    size_t n_hosts, cap_hosts;
    uint64_t left;       /* rows that may still be given */
    uint64_t hosts_left; /* hosts that may still come */
    uint64_t share;      /* of the host that is going by */
    char host[LIMIT_NAME_BYTES + 1];
    const struct where *where;
    enum rpc_status status; /* of a refusal while iterating */
    bool fits;              /* the condition was held against the columns */
};

/* The table that a host's rows go to: the last one, or a new one when host or columns change. */
static enum err table_for(struct events_work *t, struct span host, const struct events *e, struct events **out) {
    struct arena *mem = t->w->mem;
    if (t->n_hosts && span_eq(t->hosts[t->n_hosts - 1].host, host) && events_copy_fits(&t->hosts[t->n_hosts - 1].events, e)) {
        *out = &t->hosts[t->n_hosts - 1].events;
        return ERR_OK;
    }
    enum err err = arena_grow(mem, &t->hosts, &t->cap_hosts, t->n_hosts + 1, sizeof *t->hosts);
    if (err != ERR_OK) return err;
    struct host_events *h = &t->hosts[t->n_hosts];
    *h = (struct host_events){.host = arena_copy(mem, host)};
    if (!h->host.p) return ERR_NOMEM;
    err = events_init(&h->events, e->columns, e->n_columns, mem);
    if (err == ERR_OK) {
        t->n_hosts++;
        *out = &h->events;
    }
    return err;
}

/* Every host gets an equal share of the rows that are left when its turn comes; what it does not need is the next ones'. */
static void next_host(struct events_work *t, struct span host) {
    if (span_eq_str(host, t->host)) return;
    snprintf(t->host, sizeof t->host, "%.*s", (int)host.n, host.p);
    uint64_t among = t->hosts_left ? t->hosts_left : 1;
    t->share = (t->left + among - 1) / among;
    if (t->hosts_left) t->hosts_left--;
}

static enum err on_rows(void *arg, const struct where_source *from, const struct events *e) {
    struct events_work *t = arg;
    struct events *into = NULL;
    struct span name = SPAN_LIT("");
    AUTO_FREE unsigned char *yes = malloc(e->n_rows + 1);
    if (!yes) return ERR_NOMEM;
    memset(yes, 1, e->n_rows + 1);
    if (!t->fits) t->status = query_rows_where_fits(t->w, t->where, e);
    if (t->status != RPC_OK) return ERR_REFUSED;
    t->fits = true;
    enum err err = t->where ? where_rows(t->where, e, from, yes, &name) : ERR_OK;
    if (err == ERR_NOTFOUND || err == ERR_SYNTAX) {
        query_note(t->w, "%.*s: its events have no column %.*s that fits the condition", (int)from->host.n, from->host.p, (int)name.n,
                   name.p);
        return ERR_OK;
    }
    if (err != ERR_OK) return err;
    next_host(t, from->host);
    for (size_t row = 0; row < e->n_rows; row++) t->w->a->total += yes[row];
    if (t->share == 0 || e->n_rows == 0) return ERR_OK;
    err = table_for(t, from->host, e, &into);
    for (size_t row = 0; err == ERR_OK && row < e->n_rows && t->share; row++) {
        if (!yes[row]) continue;
        err = events_copy_row(into, e, row, t->w->mem);
        t->share--;
        t->left--;
    }
    return err;
}

static uint64_t hosts_with_results(const struct query_work *w) {
    const struct campaign *c = w->of->campaign;
    uint64_t n = 0;
    for (size_t i = 0; i < c->n_targets; i++)
        if ((c->targets[i].outcome.n || c->targets[i].parts.n) && query_rows_on(w, span_str(c->targets[i].host))) n++;
    return n;
}

enum rpc_status query_events_fill(struct query_work *w) {
    uint32_t limit = w->of->query->n;
    struct events_work t = {.w = w, .left = limit ? limit : ROWS_MAX};
    t.status = query_rows_where(w, &t.where);
    if (t.status != RPC_OK) return t.status;
    t.hosts_left = hosts_with_results(w);
    if (!limit) t.hosts_left = 1;                   /* whoever comes first: the answer's own limit speaks */
    enum err e = query_rows_stored(w, on_rows, &t); /* in the order of hosts, with the stacks below rows */
    if (t.status != RPC_OK) return t.status;
    if (e != ERR_OK) return query_failed(w, e);
    w->a->host_events = t.hosts;
    w->a->n_host_events = t.n_hosts;
    uint64_t given = (limit ? limit : ROWS_MAX) - t.left;
    if (given < w->a->total)
        query_note(w, "%llu of %llu rows, an equal share of every host", (unsigned long long)given, (unsigned long long)w->a->total);
    return RPC_OK;
}
