#include "collector/query/query_body.h"

static void note_losses(struct query_work *w) {
    const struct aggregate *agg = w->of->aggregate;
    uint64_t shed = aggregate_shed(agg);
    query_note_unread(w);
    if (shed) {
        w->a->info.ledger.shed += shed;
        w->a->exact = false;
        query_note(w, "the merged stacks are over the collector's memory budget: up to %llu are missing", (unsigned long long)shed);
    }
    for (size_t i = 0; i < aggregate_n_hosts(agg); i++)
        if (aggregate_host(agg, i)->other_unit)
            query_note(w, "%s: its stacks are in another unit than the others' and are left out", aggregate_host(agg, i)->name);
}

/* ---- of some hosts, or by host: what the aggregate has merged is read again, apart ---- */
struct some_hosts {
    struct query_work *w;
    struct arena *scratch;
    struct stack_merge *merge;
    struct stack_filter filter;
    struct stack_part *hosts; /* what each has, of what stays */
    size_t n_hosts, cap_hosts;
    uint64_t shed;
};

static enum err add_host(struct some_hosts *t, struct span host, const struct stacks *s) {
    struct arena *mem = t->w->mem;
    AUTO_FREE unsigned char *stay = malloc(s->n_rows + 1);
    enum err e = stay ? stack_view_rows(s, &t->filter, stay) : ERR_NOMEM;
    bool known = t->n_hosts && span_eq(t->hosts[t->n_hosts - 1].name, host); /* parts come by host */
    if (e == ERR_OK && !known) {
        e = arena_grow(mem, &t->hosts, &t->cap_hosts, t->n_hosts + 1, sizeof *t->hosts);
        struct span name = arena_copy(mem, host);
        if (e == ERR_OK && name.p)
            t->hosts[t->n_hosts++] = (struct stack_part){.name = name};
        else
            e = ERR_NOMEM;
    }
    for (size_t i = 0; e == ERR_OK && i < s->n_rows; i++)
        if (stay[i]) t->hosts[t->n_hosts - 1].total += s->rows[i].count;
    if (e == ERR_OK) t->hosts[t->n_hosts - 1].self = t->hosts[t->n_hosts - 1].total;
    return e;
}

static enum err on_part(void *arg, const struct store_part *p) {
    struct some_hosts *t = arg;
    struct part_body body = {0};
    if (!query_wants(t->w, p) || !query_rows_on(t->w, p->key.host)) return ERR_OK;
    arena_reset(t->scratch);
    enum err e = store_decode(p, t->scratch, &body);
    if (e != ERR_OK) return query_unreadable(t->w, p, e);
    if (body.kind != RESULT_STACKS) return ERR_OK;
    e = stack_merge_add(t->merge, &body.stacks);
    if (e == ERR_NOMEM) t->shed += stacks_total(&body.stacks);
    if (e == ERR_REFUSED)
        query_note(t->w, "%.*s: its stacks are in another unit than the others' and are left out", (int)p->key.host.n, p->key.host.p);
    return e == ERR_REFUSED ? ERR_OK : add_host(t, p->key.host, &body.stacks);
}

static enum err read_hosts(struct some_hosts *t) {
    t->scratch = arena_new(LIMIT_PART_ARENA_BYTES);
    t->merge = stack_merge_new(LIMIT_TOP_BYTES);
    enum err e = t->scratch && t->merge ? store_parts(t->w->of->store, &t->w->of->campaign->id, SPAN_NONE, on_part, t) : ERR_NOMEM;
    arena_free(TAKE(t->scratch));
    if (e != ERR_OK || !t->shed) return e;
    t->w->a->info.ledger.shed += t->shed;
    t->w->a->exact = false;
    query_note(t->w, "the stacks of these hosts are over an answer's memory budget: up to %llu are missing", (unsigned long long)t->shed);
    return e;
}

/* ---- the answer ---- */
static enum err give_parts(struct query_work *w, const struct stack_part *parts, size_t n, size_t all) {
    w->a->parts = arena_array(w->mem, n + 1, sizeof *w->a->parts);
    if (!w->a->parts) return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        w->a->parts[i] = (struct stack_part){arena_copy(w->mem, parts[i].name), parts[i].self, parts[i].total};
        if (!w->a->parts[i].name.p) return ERR_NOMEM;
    }
    w->a->n_parts = n;
    w->a->all_parts = (uint32_t)all;
    w->a->by = w->of->query->by;
    return ERR_OK;
}

static int most_first(const void *a, const void *b) {
    const struct stack_part *x = a, *y = b;
    if (x->total != y->total) return x->total > y->total ? -1 : 1;
    return span_cmp(x->name, y->name);
}

static enum err fill_parts(struct query_work *w, struct some_hosts *t, const struct stacks *view, const unsigned char *stay) {
    const struct query *q = w->of->query;
    struct stack_part *parts = t->hosts;
    size_t n = 0, all = t->n_hosts;
    enum err e = ERR_OK;
    if (!q->by.n) return ERR_OK;
    if (span_eq_str(q->by, "host")) {
        qsort(parts, all, sizeof *parts, most_first);
        n = q->n && q->n < all ? q->n : all;
    } else if (span_eq_str(q->by, "process")) {
        e = stack_view_processes(view, stay, q->n, w->mem, &parts, &n, &all);
    } else {
        e = stack_view_frames(view, stay, q->stack_rank, q->n, w->mem, &parts, &n, &all);
    }
    return e == ERR_OK ? give_parts(w, parts, n, all) : e;
}

static enum err fill_rows(struct query_work *w, const struct stack_merge *m, const unsigned char *stay) {
    const struct stacks *view = stack_merge_view(m);
    const struct stack_row **rows = NULL;
    size_t n = 0, given = 0;
    AUTO_FREE uint32_t *places = calloc(view->n_nodes, sizeof *places);
    enum err e = places ? stack_merge_top(m, 0, w->mem, &rows, &n) : ERR_NOMEM;
    for (size_t i = 0; e == ERR_OK && i < n; i++) {
        if (!stay[rows[i] - view->rows]) continue;
        w->a->total += rows[i]->count;
        w->a->distinct++;
        if (w->of->query->n && given == w->of->query->n) continue;
        given++;
        e = stack_merge_copy(m, rows[i], places, &w->a->stacks);
    }
    w->a->whole = stacks_total(view);
    return e;
}

static enum err fill(struct query_work *w, struct some_hosts *t, const struct stack_merge *m) {
    if (!m) return stacks_init(&w->a->stacks, SPAN_LIT(""), w->mem);
    const struct stacks *view = stack_merge_view(m);
    AUTO_FREE unsigned char *stay = malloc(view->n_rows + 1);
    enum err e = stay ? stack_view_rows(view, &t->filter, stay) : ERR_NOMEM;
    if (e == ERR_OK) e = stacks_init(&w->a->stacks, view->unit, w->mem);
    if (e == ERR_OK) e = fill_rows(w, m, stay);
    return e == ERR_OK ? fill_parts(w, t, view, stay) : e;
}

enum rpc_status query_stacks_fill(struct query_work *w) {
    const struct query *q = w->of->query;
    struct some_hosts t = {.w = w, .filter = {q->focus, q->ignore}};
    bool by_host = span_eq_str(q->by, "host");
    if (q->by.n && !by_host && !span_eq_str(q->by, "process") && !span_eq_str(q->by, "frame"))
        return query_refuse(w, RPC_INVALID_ARGUMENT, "stacks are divided by frame, process or host, not by \"%.*s\"", (int)q->by.n,
                            q->by.p);
    enum err e = ERR_OK;
    if (w->selector || by_host)
        e = read_hosts(&t);
    else
        note_losses(w);
    if (e == ERR_OK) e = fill(w, &t, t.merge ? t.merge : aggregate_stacks(w->of->aggregate));
    stack_merge_free(t.merge);
    return e == ERR_OK ? RPC_OK : query_failed(w, e);
}
