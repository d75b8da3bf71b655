/* Who is asked about, and the rows of their events one table after the other. */
#include "collector/query/query_body.h"

bool query_rows_on(const struct query_work *w, struct span host) {
    if (!w->selector) return true;
    const struct fleet_host *h = w->of->fleet ? fleet_find(w->of->fleet, host) : NULL;
    return selector_matches(w->selector, host, h ? h->facts.labels : NULL, h ? h->facts.n_labels : 0);
}

static struct where_source source_of(const struct query_work *w, struct span host) {
    const struct fleet_host *h = w->of->fleet ? fleet_find(w->of->fleet, host) : NULL;
    return (struct where_source){.host = host, .labels = h ? h->facts.labels : NULL, .n_labels = h ? h->facts.n_labels : 0};
}

struct reading {
    struct query_work *w;
    struct arena *scratch; /* of one part */
    query_rows_fn *fn;
    void *arg;
};

static enum err on_part(void *arg, const struct store_part *p) {
    struct reading *r = arg;
    struct part_body body = {0};
    if (!query_wants(r->w, p) || !query_rows_on(r->w, p->key.host)) return ERR_OK;
    arena_reset(r->scratch);
    enum err e = store_decode(p, r->scratch, &body);
    if (e != ERR_OK) return query_unreadable(r->w, p, e);
    if (body.kind != RESULT_EVENTS || body.events.n_columns == 0) return ERR_OK;
    struct where_source from = source_of(r->w, p->key.host);
    struct query_columns room;
    query_mask_events(r->w, &room, &body.events);
    return r->fn(r->arg, &from, &body.events);
}

static enum err from_memory(struct query_work *w, const struct event_table *table, query_rows_fn *fn, void *arg) {
    enum err e = ERR_OK;
    for (size_t i = 0; i < event_table_n(table) && e == ERR_OK; i++) {
        struct events events;
        uint32_t host;
        event_table_at(table, i, &host, &events);
        struct where_source from = source_of(w, span_str(aggregate_host(w->of->aggregate, host)->name));
        if (!query_rows_on(w, from.host)) continue;
        struct query_columns room;
        query_mask_events(w, &room, &events);
        from.dictionary = event_table_dictionary(table);
        e = fn(arg, &from, &events);
    }
    return e;
}

enum err query_rows(struct query_work *w, query_rows_fn *fn, void *arg) {
    const struct event_table *table = aggregate_events(w->of->aggregate);
    return table && !w->of->query->round ? from_memory(w, table, fn, arg) : query_rows_stored(w, fn, arg);
}

enum err query_rows_stored(struct query_work *w, query_rows_fn *fn, void *arg) {
    struct reading r = {.w = w, .scratch = arena_new(LIMIT_PART_ARENA_BYTES), .fn = fn, .arg = arg};
    enum err e = r.scratch ? store_parts(w->of->store, &w->of->campaign->id, SPAN_NONE, on_part, &r) : ERR_NOMEM;
    arena_free(r.scratch);
    return e;
}

/* ---- refusals that people can act on ---- */
void query_rows_list_columns(const struct events *e, bool numeric, char *out, size_t size) {
    size_t at = 0;
    out[0] = 0;
    for (size_t i = 0; i < e->n_columns && at < size; i++) {
        if (numeric && !column_is_number(e->columns[i].type)) continue;
        int n = snprintf(out + at, size - at, "%s%.*s", at ? ", " : "", (int)e->columns[i].name.n, e->columns[i].name.p);
        if (n > 0) at += (size_t)n;
    }
}

enum rpc_status query_rows_where(struct query_work *w, const struct where **out) {
    struct where_fault fault = {0};
    struct span text = w->of->query->where;
    *out = NULL;
    if (!text.n) return RPC_OK;
    enum err e = where_parse(text, w->mem, &fault, out);
    if (e == ERR_OK) return RPC_OK;
    if (e == ERR_NOMEM) return query_failed(w, e);
    return query_refuse(w, RPC_INVALID_ARGUMENT, "the condition, character %zu (before \"%.*s\"): %s", fault.at + 1,
                        (int)(text.n - fault.at < 20 ? text.n - fault.at : 20), text.p + fault.at, fault.what);
}

enum rpc_status query_rows_where_fits(struct query_work *w, const struct where *where, const struct events *e) {
    char columns[512];
    struct span name = SPAN_LIT("");
    unsigned char none = 0;
    struct events head = *e;
    const struct where_source nowhere = {.host = SPAN_LIT("")};
    head.n_rows = 0;
    if (!where) return RPC_OK;
    enum err err = where_rows(where, &head, &nowhere, &none, &name);
    if (err == ERR_OK) return RPC_OK;
    if (err == ERR_SYNTAX) return query_refuse(w, RPC_INVALID_ARGUMENT, "the condition: %.*s is a column of numbers", (int)name.n, name.p);
    if (err != ERR_NOTFOUND) return query_failed(w, err);
    query_rows_list_columns(e, false, columns, sizeof columns);
    return query_refuse(w, RPC_INVALID_ARGUMENT, "the condition: there is no column \"%.*s\"; there are %s, host and label:KEY",
                        (int)name.n, name.p, columns);
}
