#include "collector/query/query_body.h"

/* One row with its frames, copied. */
static enum err copy_row(struct stacks *into, const struct stacks *from, const struct stack_row *row) {
    uint32_t nodes[LIMIT_STACK_DEPTH], at = STACKS_ROOT;
    size_t depth = stacks_frames(from, row->leaf, nodes, LIMIT_STACK_DEPTH);
    if (depth > LIMIT_STACK_DEPTH) depth = LIMIT_STACK_DEPTH;
    for (size_t i = 0; i < depth; i++) {
        const struct stack_node *node = &from->nodes[nodes[i]];
        enum err e = stacks_node(into, at, from->strings.text[node->frame], (enum frame_kind)node->kind, &at);
        if (e != ERR_OK) return e;
    }
    return stacks_add(into, at, from->strings.text[row->comm], row->pid, row->count);
}

static void note_losses(struct query_work *w) {
    const struct aggregate *agg = w->of->aggregate;
    uint64_t shed = aggregate_shed(agg);
    if (shed) {
        w->a->info.ledger.shed += shed;
        w->a->exact = false;
        query_note(w, "the merged stacks are over the collector's memory budget: up to %llu are missing", (unsigned long long)shed);
    }
    for (size_t i = 0; i < aggregate_n_hosts(agg); i++)
        if (aggregate_host(agg, i)->other_unit)
            query_note(w, "%s: its stacks are in another unit than the others' and are left out", aggregate_host(agg, i)->name);
}

enum rpc_status query_stacks_fill(struct query_work *w) {
    note_losses(w);
    const struct stack_merge *m = aggregate_stacks(w->of->aggregate);
    if (!m) {
        enum err e = stacks_init(&w->a->stacks, SPAN_LIT(""), w->mem);
        return e == ERR_OK ? RPC_OK : query_failed(w, e);
    }
    const struct stacks *view = stack_merge_view(m);
    const struct stack_row **rows = NULL;
    size_t n = 0;
    enum err e = stack_merge_top(m, w->of->query->n, w->mem, &rows, &n);
    if (e == ERR_OK) e = stacks_init(&w->a->stacks, view->unit, w->mem);
    for (size_t i = 0; e == ERR_OK && i < n; i++) e = copy_row(&w->a->stacks, view, rows[i]);
    if (e != ERR_OK) return query_failed(w, e);
    w->a->total = stacks_total(view);
    w->a->distinct = (uint32_t)view->n_rows;
    return RPC_OK;
}
