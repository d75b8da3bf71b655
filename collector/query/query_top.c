#include "collector/query/query_body.h"
#include "common/merge/connections.h"
#include "common/model/events_copy.h"

/* While the rows go by. */
struct top_work {
    struct query_work *w;
    const struct where *where;
    struct top_options opt;
    struct top *top;
    struct arena *scratch; /* of one table of connections */
    bool connections;
    enum rpc_status status; /* of a refusal while iterating */
};

enum { BY_HOST_LAST = TOP_FIELDS_MAX - 1 };

/* The field's full name: a column's, or itself when it is `host` or `label:KEY`. */
static enum rpc_status resolve_field(struct query_work *w, const struct events *e, struct span name, struct span *out) {
    char columns[512];
    struct span none;
    const struct where_source nowhere = {.host = SPAN_LIT("")};
    size_t at = name.n ? events_column(e, name) : e->n_columns;
    if (at == e->n_columns && !where_of_source(name, &nowhere, &none)) {
        query_rows_list_columns(e, false, columns, sizeof columns);
        return query_refuse(w, RPC_INVALID_ARGUMENT, "there is no column \"%.*s\"; there are %s, host and label:KEY", (int)name.n,
                            name.p ? name.p : "", columns);
    }
    *out = arena_copy(w->mem, at < e->n_columns ? e->columns[at].name : name);
    return out->p ? RPC_OK : query_failed(w, ERR_NOMEM);
}

static enum rpc_status resolve_of(struct query_work *w, const struct events *e) {
    char columns[512];
    struct span name = w->of->query->of;
    if (!name.n) return RPC_OK;
    size_t at = events_column(e, name);
    if (at == e->n_columns || !column_is_number(e->columns[at].type)) {
        query_rows_list_columns(e, true, columns, sizeof columns);
        return query_refuse(w, RPC_INVALID_ARGUMENT, "there is no numeric column \"%.*s\"; there are %s", (int)name.n, name.p, columns);
    }
    w->a->of = arena_copy(w->mem, e->columns[at].name);
    return w->a->of.p ? RPC_OK : query_failed(w, ERR_NOMEM);
}

/* The columns' full names from the first events there are. */
static enum rpc_status resolve(struct top_work *t, const struct events *e) {
    struct query_work *w = t->w;
    const struct query *q = w->of->query;
    enum rpc_status status = resolve_field(w, e, q->by, &w->a->by);
    w->a->n_more_by = q->n_more_by;
    w->a->more_by = arena_array(w->mem, q->n_more_by + 1, sizeof *w->a->more_by);
    if (!w->a->more_by) return query_failed(w, ERR_NOMEM);
    for (size_t i = 0; i < q->n_more_by && status == RPC_OK; i++) status = resolve_field(w, e, q->more_by[i], &w->a->more_by[i]);
    return status == RPC_OK ? resolve_of(w, e) : status;
}

/* Connections: the two ends, and the time if the tool prints one. */
static enum rpc_status resolve_connections(struct top_work *t, const struct events *made) {
    struct query_work *w = t->w;
    w->a->by = SPAN_LIT("SOURCE");
    w->a->more_by = arena_array(w->mem, 1, sizeof *w->a->more_by);
    if (!w->a->more_by) return query_failed(w, ERR_NOMEM);
    w->a->more_by[0] = SPAN_LIT("DESTINATION");
    w->a->n_more_by = 1;
    if (made->n_columns == 3) w->a->of = arena_copy(w->mem, made->columns[2].name);
    return w->a->rank != TOP_COUNT && !w->a->of.n
               ? query_refuse(w, RPC_INVALID_ARGUMENT, "this tool prints no times: connections can only be ranked by count")
               : RPC_OK;
}

static enum err begin(struct top_work *t, const struct events *e) {
    const struct answer *a = t->w->a;
    const struct query *q = t->w->of->query;
    size_t budget = t->w->of->top_budget_bytes;
    if (!t->connections) t->status = query_rows_where_fits(t->w, t->where, e);
    if (t->status == RPC_OK) t->status = t->connections ? resolve_connections(t, e) : resolve(t, e);
    if (t->status != RPC_OK) return ERR_REFUSED;
    t->opt = (struct top_options){.fields = {a->by},
                                  .n_fields = 1 + a->n_more_by,
                                  .of = a->of,
                                  .rank = q->rank,
                                  .p99 = a->of.n > 0,
                                  .where = t->connections ? NULL : t->where,
                                  .budget_bytes = budget ? budget : LIMIT_TOP_BYTES};
    for (size_t i = 0; i < a->n_more_by; i++) t->opt.fields[1 + i] = a->more_by[i];
    if (q->per_host) t->opt.fields[t->opt.n_fields++] = SPAN_LIT("host");
    t->top = top_new(&t->opt);
    return t->top ? ERR_OK : ERR_NOMEM;
}

static void note_misfit(struct top_work *t, struct span host, struct span name, size_t rows) {
    t->w->a->exact = false;
    query_note(t->w, "%.*s: its events have no column %.*s that fits the question; %zu rows are left out", (int)host.n, host.p, (int)name.n,
               name.p, rows);
}

static enum err on_rows(void *arg, const struct where_source *from, const struct events *e) {
    struct top_work *t = arg;
    struct span name = SPAN_LIT("");
    if (!t->top) {
        enum err err = begin(t, e);
        if (err != ERR_OK) return err;
    }
    enum err err = top_add(t->top, e, from, &name);
    if (err != ERR_NOTFOUND && err != ERR_SYNTAX) return err;
    note_misfit(t, from->host, name, e->n_rows);
    return ERR_OK;
}

/* The rows that fulfil the condition, as rows of connections. */
static enum err fulfilling(struct top_work *t, const struct where_source *from, const struct events *e, struct events *out,
                           struct span *out_name) {
    AUTO_FREE unsigned char *yes = t->where ? malloc(e->n_rows + 1) : NULL;
    *out = *e;
    if (!t->where) return ERR_OK;
    if (!yes) return ERR_NOMEM;
    enum err err = where_rows(t->where, e, from, yes, out_name);
    if (err == ERR_OK) err = events_init(out, e->columns, e->n_columns, t->scratch);
    for (size_t row = 0; row < e->n_rows && err == ERR_OK; row++)
        if (yes[row]) err = events_copy_row(out, e, row, t->scratch);
    return err;
}

static enum err on_connections(void *arg, const struct where_source *from, const struct events *e) {
    struct top_work *t = arg;
    struct span name = SPAN_LIT("SADDR");
    struct events some, made;
    arena_reset(t->scratch);
    enum err err = t->top ? ERR_OK : (t->status = query_rows_where_fits(t->w, t->where, e)) == RPC_OK ? ERR_OK : ERR_REFUSED;
    if (err == ERR_OK) err = fulfilling(t, from, e, &some, &name);
    if (err == ERR_OK) err = connections_of(&some, t->w->of->query->of, t->scratch, &made);
    if (err == ERR_OK) {
        const struct where_source host_only = {.host = from->host, .labels = from->labels, .n_labels = from->n_labels};
        return on_rows(t, &host_only, &made);
    }
    if (err != ERR_NOTFOUND && err != ERR_SYNTAX) return err;
    if (!t->top) {
        t->status = query_refuse(t->w, RPC_FAILED_PRECONDITION, "the events of this tool have no two ends of a connection%s",
                                 t->w->of->query->of.n ? ", or not that column" : "");
        return ERR_REFUSED;
    }
    note_misfit(t, from->host, name, e->n_rows);
    return ERR_OK;
}

/* ---- the answer ---- */
static enum err give_rows(struct top_work *t) {
    struct answer *a = t->w->a;
    struct top_row *rows = NULL;
    struct top_summary summary;
    enum err e = top_get(t->top, t->w->of->query->rank, t->w->of->query->n, t->w->mem, &rows, &a->n_top, &summary);
    if (e != ERR_OK) return e;
    a->top = arena_array(t->w->mem, a->n_top + 1, sizeof *a->top);
    if (!a->top) return ERR_NOMEM;
    for (size_t i = 0; i < a->n_top; i++)
        a->top[i] = (struct answer_top_row){rows[i], t->w->of->query->per_host ? rows[i].values[t->opt.n_fields - 1] : SPAN_LIT("")};
    a->groups = (uint32_t)summary.groups;
    a->matched = summary.rows;
    a->bounded = summary.bounded;
    a->unlisted = summary.unlisted;
    if (summary.bounded || summary.left_out) a->exact = false;
    if (summary.bounded)
        query_note(t->w,
                   "there are more values of %.*s than an answer has memory for: each figure is an upper bound, with its possible error",
                   (int)a->by.n, a->by.p);
    if (!summary.left_out) return ERR_OK;
    a->info.ledger.shed += summary.left_out;
    query_note(t->w,
               "%llu rows are left out: there are more values of %.*s than an answer has memory for; no value that is missing has more",
               (unsigned long long)summary.left_out, (int)a->by.n, a->by.p);
    return ERR_OK;
}

static enum err finish(struct top_work *t) {
    struct answer *a = t->w->a;
    const struct query *q = t->w->of->query;
    if (t->top) return give_rows(t);
    query_note(t->w, "no events have come");
    a->by = t->connections ? SPAN_LIT("SOURCE") : q->by;
    a->more_by = q->more_by;
    a->n_more_by = t->connections ? 0 : q->n_more_by;
    a->of = q->of;
    return ERR_OK;
}

/* Once, and as often as the quantiles need. */
static enum err read_rows(struct top_work *t) {
    const struct query *q = t->w->of->query;
    enum err e = ERR_OK;
    do {
        e = query_rows(t->w, t->connections ? on_connections : on_rows, t);
        if (e == ERR_OK && t->top) e = top_again(t->top, q->rank, q->n, &t->w->again);
    } while (e == ERR_OK && t->w->again);
    return e;
}

enum rpc_status query_top_fill(struct query_work *w) {
    const struct query *q = w->of->query;
    bool connections = w->of->kind == QUERY_CONNECTIONS;
    if (q->rank > TOP_P99) return query_refuse(w, RPC_INVALID_ARGUMENT, "unknown ranking");
    if (q->rank != TOP_COUNT && !q->of.n && !connections)
        return query_refuse(w, RPC_INVALID_ARGUMENT, "ranking by total, average, maximum or p99 needs a numeric column to rank (--of)");
    if (q->n_more_by + q->per_host > BY_HOST_LAST)
        return query_refuse(w, RPC_INVALID_ARGUMENT, "at most %d fields to group by, the host among them", TOP_FIELDS_MAX);
    struct top_work t = {.w = w, .scratch = arena_new(LIMIT_FRAME_ARENA_BYTES * 8), .connections = connections, .status = RPC_OK};
    w->a->rank = q->rank;
    t.status = query_rows_where(w, &t.where);
    enum err e = t.status != RPC_OK ? ERR_REFUSED : t.scratch ? read_rows(&t) : ERR_NOMEM;
    if (e == ERR_OK) e = finish(&t);
    top_free(t.top);
    arena_free(t.scratch);
    if (t.status != RPC_OK) return t.status;
    return e == ERR_OK ? RPC_OK : query_failed(w, e);
}
