#include "common/merge/stack_diff.h"

#include <math.h>
#include <stdlib.h>

#include "common/base/map.h"
#include "common/base/num.h"

static void set_shares(struct stack_change *c, size_t n, uint64_t is, uint64_t was) {
    for (size_t i = 0; i < n; i++) {
        c[i].share = is ? (double)c[i].is / (double)is : 0;
        c[i].before = was ? (double)c[i].was / (double)was : 0;
        c[i].change = c[i].share - c[i].before;
    }
}

static int largest_first(const void *a, const void *b) {
    const struct stack_change *x = a, *y = b;
    double dx = fabs(x->change), dy = fabs(y->change);
    if (dx > dy || dx < dy) return dx > dy ? -1 : 1;
    int by_name = span_cmp(x->name, y->name);
    return by_name ? by_name : x->leaf < y->leaf ? -1 : x->leaf > y->leaf;
}

/* ---- stacks ---- */
struct both {
    struct stacks tree; /* its rows: processes and leaves of either */
    uint64_t *counts[2];
    size_t cap[2];
};

/* A node's parent has a smaller index: one walk maps the whole tree. */
static enum err add_nodes(struct stacks *into, const struct stacks *from, uint32_t *map) {
    for (size_t i = 1; i < from->n_nodes; i++) {
        const struct stack_node *n = &from->nodes[i];
        enum err e = stacks_node(into, map[n->parent], from->strings.text[n->frame], (enum frame_kind)n->kind, &map[i]);
        if (e != ERR_OK) return e;
    }
    return ERR_OK;
}

static enum err add(struct both *b, int side, const struct stacks *s, struct arena *mem) {
    uint32_t *map = arena_array(mem, s->n_nodes + 1, sizeof *map), row = 0;
    enum err e = map ? add_nodes(&b->tree, s, map) : ERR_NOMEM;
    for (size_t i = 0; i < s->n_rows && e == ERR_OK; i++) {
        e = stacks_row(&b->tree, map[s->rows[i].leaf], s->strings.text[s->rows[i].comm], STACKS_NO_PID, &row);
        for (int k = 0; k < 2 && e == ERR_OK; k++) e = arena_grow(mem, &b->counts[k], &b->cap[k], b->tree.n_rows, sizeof *b->counts[k]);
        if (e == ERR_OK) b->counts[side][row] = num_sat_add(b->counts[side][row], s->rows[i].count);
    }
    return e;
}

enum err stack_diff_stacks(const struct stacks *is, const struct stacks *was, struct arena *mem, struct stacks *out_tree,
                           struct stack_change **out, size_t *out_n) {
    struct both b = {.cap = {0}};
    if (is->n_rows && was->n_rows && !span_eq(is->unit, was->unit)) return ERR_REFUSED;
    enum err e = stacks_init(&b.tree, is->n_rows ? is->unit : was->unit, mem);
    if (e == ERR_OK) e = add(&b, 0, is, mem);
    if (e == ERR_OK) e = add(&b, 1, was, mem);
    struct stack_change *changes = e == ERR_OK ? arena_array(mem, b.tree.n_rows + 1, sizeof *changes) : NULL;
    if (!changes) return e == ERR_OK ? ERR_NOMEM : e;
    for (size_t i = 0; i < b.tree.n_rows; i++)
        changes[i] = (struct stack_change){
            .name = b.tree.strings.text[b.tree.rows[i].comm], .leaf = b.tree.rows[i].leaf, .is = b.counts[0][i], .was = b.counts[1][i]};
    set_shares(changes, b.tree.n_rows, stacks_total(is), stacks_total(was));
    qsort(changes, b.tree.n_rows, sizeof *changes, largest_first);
    *out_tree = b.tree;
    *out = changes;
    *out_n = b.tree.n_rows;
    return ERR_OK;
}

/* ---- parts ---- */
static uint64_t counted(const struct stack_part *p, enum stack_rank rank) { return rank == STACK_BY_SELF ? p->self : p->total; }

enum err stack_diff_parts(const struct stack_side *is, const struct stack_side *was, enum stack_rank rank, struct arena *mem,
                          struct stack_change **out, size_t *out_n) {
    AUTO(map_free) struct map *by_name = map_new();
    struct stack_change *changes = arena_array(mem, is->n + was->n + 1, sizeof *changes);
    size_t n = 0;
    if (!by_name || !changes) return ERR_NOMEM;
    for (size_t i = 0; i < is->n; i++) {
        if (map_put(by_name, is->parts[i].name, n) != ERR_OK) return ERR_NOMEM;
        changes[n++] = (struct stack_change){.name = is->parts[i].name, .is = counted(&is->parts[i], rank)};
    }
    for (size_t i = 0; i < was->n; i++) {
        const uint64_t *known = map_get(by_name, was->parts[i].name);
        struct stack_change *c = known ? &changes[*known] : &changes[n++];
        if (!known) *c = (struct stack_change){.name = was->parts[i].name};
        c->was = counted(&was->parts[i], rank);
    }
    set_shares(changes, n, is->total, was->total);
    qsort(changes, n, sizeof *changes, largest_first);
    *out = changes;
    *out_n = n;
    return ERR_OK;
}
