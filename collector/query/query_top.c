#include "collector/query/query_body.h"

__extension__ typedef __int128 wide;

/* While the parts go by. */
struct top_work {
    struct query_work *w;
    struct arena *scratch; /* of one part */
    struct top *fleet, *mine;
    char host[LIMIT_NAME_BYTES + 1]; /* whose mine is */
    struct answer_top_row *rows;     /* per host */
    size_t n_rows, cap_rows;
    uint64_t groups, left_out;
    enum rpc_status status; /* of a refusal while iterating */
};

/* "PID, COMM, LAT(ms)" – all, or the numeric ones. */
static void list_columns(const struct events *e, bool numeric, char *out, size_t size) {
    size_t at = 0;
    out[0] = 0;
    for (size_t i = 0; i < e->n_columns && at < size; i++) {
        if (numeric && !column_is_number(e->columns[i].type)) continue;
        int n = snprintf(out + at, size - at, "%s%.*s", at ? ", " : "", (int)e->columns[i].name.n, e->columns[i].name.p);
        if (n > 0) at += (size_t)n;
    }
}

/* The columns' full names from the first events there are. */
static enum rpc_status resolve(struct query_work *w, const struct events *e) {
    char columns[512];
    const struct query *q = w->of->query;
    size_t by = events_column(e, q->by);
    if (!q->by.n || by == e->n_columns) {
        list_columns(e, false, columns, sizeof columns);
        return query_refuse(w, RPC_INVALID_ARGUMENT, "there is no column \"%.*s\"; there are %s", (int)q->by.n, q->by.p ? q->by.p : "",
                            columns);
    }
    if (q->of.n) {
        size_t of = events_column(e, q->of);
        if (of == e->n_columns || !column_is_number(e->columns[of].type)) {
            list_columns(e, true, columns, sizeof columns);
            return query_refuse(w, RPC_INVALID_ARGUMENT, "there is no numeric column \"%.*s\"; there are %s", (int)q->of.n, q->of.p,
                                columns);
        }
        w->a->of = arena_copy(w->mem, e->columns[of].name);
    }
    w->a->by = arena_copy(w->mem, e->columns[by].name);
    return w->a->by.p && (!q->of.n || w->a->of.p) ? RPC_OK : query_failed(w, ERR_NOMEM);
}

/* ---- per host ---- */
static int compare(wide a, wide b) { return a < b ? -1 : a > b; }

static wide scaled(int64_t v, unsigned decimals_of_other) {
    wide s = v;
    for (unsigned i = 0; i < decimals_of_other; i++) s *= 10;
    return s;
}

static long double average(const struct top_row *r) {
    long double v = r->count ? (long double)r->total / (long double)r->count : 0;
    for (unsigned i = 0; i < r->decimals; i++) v /= 10;
    return v;
}

static int worth(const struct top_row *a, const struct top_row *b, enum top_rank rank) {
    long double x, y;
    switch (rank) {
    case TOP_COUNT:
        return compare((wide)a->count, (wide)b->count);
    case TOP_TOTAL:
        return compare(scaled(a->total, b->decimals), scaled(b->total, a->decimals));
    case TOP_MAX:
        return compare(scaled(a->max, b->decimals), scaled(b->max, a->decimals));
    case TOP_AVG:
        x = average(a), y = average(b);
        return x < y ? -1 : x > y;
    }
    return 0;
}

static int best_first(const void *a, const void *b, void *arg) {
    const struct answer_top_row *x = a, *y = b;
    const enum top_rank *rank = arg;
    int c = worth(&y->row, &x->row, *rank);
    if (c == 0) c = span_cmp(x->row.value, y->row.value);
    return c ? c : span_cmp(x->host, y->host);
}

/* The host that mine was for is complete: its best rows join the others'. */
static enum err end_host(struct top_work *t) {
    const struct query *q = t->w->of->query;
    struct top_row *rows = NULL;
    size_t n = 0, groups = 0;
    if (!t->mine) return ERR_OK;
    enum err e = top_get(t->mine, q->rank, q->n, t->w->mem, &rows, &n, &groups);
    if (e == ERR_OK) e = arena_grow(t->w->mem, &t->rows, &t->cap_rows, t->n_rows + n, sizeof *t->rows);
    struct span host = arena_copy(t->w->mem, span_str(t->host));
    if (e == ERR_OK && !host.p) e = ERR_NOMEM;
    if (e != ERR_OK) return e;
    for (size_t i = 0; i < n; i++) {
        struct span value = arena_copy(t->w->mem, rows[i].value); /* theirs may be the table's, which goes now */
        if (!value.p) return ERR_NOMEM;
        t->rows[t->n_rows] = (struct answer_top_row){.row = rows[i], .host = host};
        t->rows[t->n_rows++].row.value = value;
    }
    t->groups += groups;
    t->left_out += top_left_out(t->mine);
    top_free(TAKE(t->mine));
    return ERR_OK;
}

static struct top *new_top(const struct query_work *w) {
    size_t budget = w->of->top_budget_bytes;
    return top_new(w->a->by, w->a->of, budget ? budget : LIMIT_TOP_BYTES);
}

static enum err begin_host(struct top_work *t, struct span host) {
    enum err e = end_host(t);
    if (e != ERR_OK) return e;
    snprintf(t->host, sizeof t->host, "%.*s", (int)host.n, host.p);
    t->mine = new_top(t->w);
    return t->mine ? ERR_OK : ERR_NOMEM;
}

/* ---- the parts ---- */
static enum err add(struct top_work *t, struct span host, const struct events *e) {
    struct query_work *w = t->w;
    bool per_host = w->of->query->per_host;
    enum err err = ERR_OK;
    if (per_host && (!t->mine || !span_eq_str(host, t->host))) err = begin_host(t, host);
    if (err == ERR_OK) err = top_add(per_host ? t->mine : t->fleet, e);
    if (err != ERR_NOTFOUND) return err;
    w->a->exact = false;
    query_note(w, "%.*s: its events have no column %.*s%s%.*s; %zu rows are left out", (int)host.n, host.p, (int)w->a->by.n, w->a->by.p,
               w->a->of.n ? " with a number in " : "", (int)w->a->of.n, w->a->of.p ? w->a->of.p : "", e->n_rows);
    return ERR_OK;
}

static enum err on_part(void *arg, const struct store_part *p) {
    struct top_work *t = arg;
    struct part_body body = {0};
    if (!query_wants(t->w, p)) return ERR_OK;
    arena_reset(t->scratch);
    enum err e = part_decode(p->body, t->scratch, &body);
    if (e != ERR_OK) return query_unreadable(t->w, p, e);
    if (body.kind != RESULT_EVENTS || body.events.n_columns == 0) return ERR_OK;
    if (!t->fleet) {
        t->status = resolve(t->w, &body.events);
        if (t->status != RPC_OK) return ERR_REFUSED;
        t->fleet = new_top(t->w);
        if (!t->fleet) return ERR_NOMEM;
    }
    return add(t, p->key.host, &body.events);
}

static enum err finish(struct top_work *t) {
    struct answer *a = t->w->a;
    const struct query *q = t->w->of->query;
    if (!t->fleet) {
        query_note(t->w, "no events have come");
        a->by = q->by;
        a->of = q->of;
        return ERR_OK;
    }
    if (q->per_host) {
        enum top_rank rank = q->rank;
        enum err e = end_host(t);
        if (e != ERR_OK) return e;
        if (t->n_rows) qsort_r(t->rows, t->n_rows, sizeof *t->rows, best_first, &rank);
        a->top = t->rows;
        a->n_top = q->n && t->n_rows > q->n ? q->n : t->n_rows;
        a->groups = (uint32_t)t->groups;
        return ERR_OK;
    }
    struct top_row *rows = NULL;
    size_t n = 0, groups = 0;
    t->left_out = top_left_out(t->fleet);
    enum err e = top_get(t->fleet, q->rank, q->n, t->w->mem, &rows, &n, &groups);
    if (e != ERR_OK) return e;
    a->top = arena_array(t->w->mem, n + 1, sizeof *a->top);
    if (!a->top) return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        a->top[i].row = rows[i];
        a->top[i].host = SPAN_LIT("");
        a->top[i].row.value = arena_copy(t->w->mem, rows[i].value);
        if (!a->top[i].row.value.p) return ERR_NOMEM;
    }
    a->n_top = n;
    a->groups = (uint32_t)groups;
    return ERR_OK;
}

static void note_left_out(struct top_work *t) {
    if (!t->left_out) return;
    t->w->a->exact = false;
    t->w->a->info.ledger.shed += t->left_out;
    query_note(t->w,
               "%llu rows are left out: there are more values of %.*s than an answer has memory for; no value that is missing has more",
               (unsigned long long)t->left_out, (int)t->w->a->by.n, t->w->a->by.p);
}

enum rpc_status query_top_fill(struct query_work *w) {
    const struct query *q = w->of->query;
    if (q->rank > TOP_MAX) return query_refuse(w, RPC_INVALID_ARGUMENT, "unknown ranking");
    if (q->rank != TOP_COUNT && !q->of.n)
        return query_refuse(w, RPC_INVALID_ARGUMENT, "ranking by total, average or maximum needs a numeric column to rank (--of)");
    struct top_work t = {.w = w, .scratch = arena_new(LIMIT_PART_ARENA_BYTES), .status = RPC_OK};
    enum err e = t.scratch ? store_parts(w->of->store, &w->of->campaign->id, SPAN_NONE, on_part, &t) : ERR_NOMEM;
    if (e == ERR_OK) e = finish(&t);
    if (e == ERR_OK) note_left_out(&t);
    arena_free(t.scratch);
    top_free(t.fleet);
    top_free(t.mine);
    if (t.status != RPC_OK) return t.status;
    return e == ERR_OK ? RPC_OK : query_failed(w, e);
}
