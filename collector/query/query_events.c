#include "collector/query/query_body.h"

enum { ROWS_MAX = 1000000 }; /* with no limit given: what an answer could hold at most */

struct events_work {
    struct query_work *w;
    struct arena *scratch; /* of one part */
    struct host_events *hosts;
    size_t n_hosts, cap_hosts;
    uint64_t left;       /* rows that may still be given */
    uint64_t hosts_left; /* hosts that may still come */
    uint64_t share;      /* of the host that is going by */
    char host[LIMIT_NAME_BYTES + 1];
};

static enum err copy_stack(struct events *into, size_t row, const struct events *from, uint32_t stack, struct arena *mem) {
    uint32_t nodes[LIMIT_STACK_DEPTH], at = STACKS_ROOT, made = 0;
    const struct stacks *s = &from->stacks;
    const struct stack_row *r = &s->rows[stack];
    enum err e = events_stacks(into, s->unit, mem);
    size_t depth = stacks_frames(s, r->leaf, nodes, LIMIT_STACK_DEPTH);
    if (depth > LIMIT_STACK_DEPTH) depth = LIMIT_STACK_DEPTH;
    for (size_t i = 0; e == ERR_OK && i < depth; i++)
        e = stacks_node(&into->stacks, at, s->strings.text[s->nodes[nodes[i]].frame], (enum frame_kind)s->nodes[nodes[i]].kind, &at);
    if (e == ERR_OK) e = stacks_row(&into->stacks, at, s->strings.text[r->comm], r->pid, &made);
    if (e == ERR_OK) into->stack_of[row] = made + 1;
    return e;
}

static enum err copy_row(struct events *into, const struct events *from, size_t row, struct arena *mem) {
    size_t at = 0;
    enum err e = events_row(into, mem, &at);
    for (size_t c = 0; e == ERR_OK && c < from->n_columns; c++) {
        if (column_is_number(from->columns[c].type))
            into->columns[c].number[at] = from->columns[c].number[row];
        else
            e = strings_add(&into->strings, from->strings.text[from->columns[c].text[row]], &into->columns[c].text[at]);
    }
    if (e == ERR_OK && from->stack_of && from->stack_of[row]) e = copy_stack(into, at, from, from->stack_of[row] - 1, mem);
    return e;
}

static bool same_columns(const struct events *a, const struct events *b) {
    if (a->n_columns != b->n_columns) return false;
    for (size_t i = 0; i < a->n_columns; i++)
        if (!span_eq(a->columns[i].name, b->columns[i].name) || a->columns[i].type != b->columns[i].type ||
            a->columns[i].decimals != b->columns[i].decimals)
            return false;
    return true;
}

/* The table that a host's rows go to: the last one, or a new one when host or columns change. */
static enum err table_for(struct events_work *t, struct span host, const struct events *e, struct events **out) {
    struct arena *mem = t->w->mem;
    if (t->n_hosts && span_eq(t->hosts[t->n_hosts - 1].host, host) && same_columns(&t->hosts[t->n_hosts - 1].events, e)) {
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

static enum err on_part(void *arg, const struct store_part *p) {
    struct events_work *t = arg;
    struct part_body body = {0};
    struct events *into = NULL;
    if (!query_wants(t->w, p)) return ERR_OK;
    arena_reset(t->scratch);
    enum err e = part_decode(p->body, t->scratch, &body);
    if (e != ERR_OK) return query_unreadable(t->w, p, e);
    if (body.kind != RESULT_EVENTS) return ERR_OK;
    next_host(t, p->key.host);
    t->w->a->total += body.events.n_rows;
    if (t->share == 0 || body.events.n_rows == 0) return ERR_OK;
    e = table_for(t, p->key.host, &body.events, &into);
    for (size_t row = 0; e == ERR_OK && row < body.events.n_rows && t->share; row++) {
        e = copy_row(into, &body.events, row, t->w->mem);
        t->share--;
        t->left--;
    }
    return e;
}

static uint64_t hosts_with_results(const struct campaign *c) {
    uint64_t n = 0;
    for (size_t i = 0; i < c->n_targets; i++)
        if (c->targets[i].outcome.n || c->targets[i].parts.n) n++;
    return n;
}

enum rpc_status query_events_fill(struct query_work *w) {
    uint32_t limit = w->of->query->n;
    struct events_work t = {.w = w, .scratch = arena_new(LIMIT_PART_ARENA_BYTES), .left = limit ? limit : ROWS_MAX};
    t.hosts_left = hosts_with_results(w->of->campaign);
    if (!limit) t.hosts_left = 1; /* whoever comes first: the answer's own limit speaks */
    enum err e = t.scratch ? store_parts(w->of->store, &w->of->campaign->id, SPAN_NONE, on_part, &t) : ERR_NOMEM;
    arena_free(t.scratch);
    if (e != ERR_OK) return query_failed(w, e);
    w->a->host_events = t.hosts;
    w->a->n_host_events = t.n_hosts;
    uint64_t given = (limit ? limit : ROWS_MAX) - t.left;
    if (given < w->a->total)
        query_note(w, "%llu of %llu rows, an equal share of every host", (unsigned long long)given, (unsigned long long)w->a->total);
    return RPC_OK;
}
