#include "common/merge/stack_merge.h"

#include <stdlib.h>


struct stack_merge {
    struct arena *mem;
    struct stacks all;
    bool has_unit;
};

struct stack_merge *stack_merge_new(size_t budget_bytes) {
    AUTO(stack_merge_free) struct stack_merge *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    m->mem = arena_new(budget_bytes);
    if (!m->mem || stacks_init(&m->all, SPAN_LIT(""), m->mem)) return NULL;
    return TAKE(m);
}

void stack_merge_free(struct stack_merge *m) {
    if (!m) return;
    arena_free(m->mem);
    free(m);
}

/* Where the strings and nodes of one host's stacks are in the whole; 0: not looked up yet (the empty string, the root: themselves). */
struct places {
    uint32_t *string, *node;
};

static enum err place_string(struct stack_merge *m, const struct stacks *s, struct places *at, uint32_t i) {
    if (i == 0 || at->string[i]) return ERR_OK;
    return strings_add(&m->all.strings, s->strings.text[i], &at->string[i]);
}

/* A parent comes before its children, so its place is known. */
static enum err place_nodes(struct stack_merge *m, const struct stacks *s, struct places *at) {
    for (size_t i = 1; i < s->n_nodes; i++) {
        const struct stack_node *node = &s->nodes[i];
        enum err e = place_string(m, s, at, node->frame);
        if (e) return e;
        e = stacks_child(&m->all, at->node[node->parent], at->string[node->frame], (enum frame_kind)node->kind, &at->node[i]);
        if (e) return e;
    }
    return ERR_OK;
}

static enum err add(struct stack_merge *m, const struct stacks *s, struct places *at) {
    enum err e = place_nodes(m, s, at);
    for (size_t i = 0; i < s->n_rows && !e; i++) {
        const struct stack_row *row = &s->rows[i];
        e = stacks_add(&m->all, at->node[row->leaf], s->strings.text[row->comm], STACKS_NO_PID, row->count);
    }
    return e;
}

enum err stack_merge_add(struct stack_merge *m, const struct stacks *s) {
    if (s->n_rows == 0) return ERR_OK;
    if (!m->has_unit) {
        struct span unit = arena_copy(m->mem, s->unit);
        if (!unit.p) return ERR_NOMEM;
        m->all.unit = unit;
        m->has_unit = true;
    }
    if (!span_eq(m->all.unit, s->unit)) return ERR_REFUSED;
    struct places at = {calloc(s->strings.n, sizeof *at.string), calloc(s->n_nodes, sizeof *at.node)};
    enum err e = at.string && at.node ? add(m, s, &at) : ERR_NOMEM;
    free(at.string);
    free(at.node);
    return e;
}

const struct stacks *stack_merge_view(const struct stack_merge *m) { return &m->all; }

static size_t depth_of(const struct stacks *s, uint32_t node) {
    size_t depth = 0;
    for (; node != STACKS_ROOT; node = s->nodes[node].parent) depth++;
    return depth;
}

/* Root first.  Equal paths are one node, so two paths part below one ancestor, and the frames there decide. */
static int path_cmp(const struct stacks *s, uint32_t a, uint32_t b) {
    size_t da = depth_of(s, a), db = depth_of(s, b), longer = da, other = db;
    for (; longer > db; longer--) a = s->nodes[a].parent;
    for (; other > da; other--) b = s->nodes[b].parent;
    if (a == b) return da < db ? -1 : da > db;
    while (s->nodes[a].parent != s->nodes[b].parent) {
        a = s->nodes[a].parent;
        b = s->nodes[b].parent;
    }
    int c = span_cmp(s->strings.text[s->nodes[a].frame], s->strings.text[s->nodes[b].frame]);
    return c ? c : (int)s->nodes[a].kind - (int)s->nodes[b].kind;
}

static int by_count(const void *pa, const void *pb, void *arg) {
    const struct stack_row *a = *(const struct stack_row *const *)pa, *b = *(const struct stack_row *const *)pb;
    const struct stacks *s = arg;
    if (a->count != b->count) return a->count > b->count ? -1 : 1;
    int c = span_cmp(s->strings.text[a->comm], s->strings.text[b->comm]);
    return c ? c : path_cmp(s, a->leaf, b->leaf);
}

enum err stack_merge_top(const struct stack_merge *m, size_t n, struct arena *mem, const struct stack_row ***out, size_t *out_n) {
    size_t n_rows = m->all.n_rows;
    const struct stack_row **rows = arena_array(mem, n_rows ? n_rows : 1, sizeof *rows);
    if (!rows) return ERR_NOMEM;
    for (size_t i = 0; i < n_rows; i++) rows[i] = &m->all.rows[i];
    struct stacks view = m->all;
    qsort_r(rows, n_rows, sizeof *rows, by_count, &view);
    *out = rows;
    *out_n = n && n < n_rows ? n : n_rows;
    return ERR_OK;
}
