#include "common/merge/stack_merge.h"

#include <stdlib.h>

#include "common/base/num.h"
#include "common/merge/stack_order.h"
#include "common/model/hash.h"

/* One fleet's tree fits no cache, so what counts is how seldom it is looked at.  A node is found by the hash of its whole path's texts,
 * which a host's stacks tell without a look at the tree: the leaf is asked for first, and only what is not there is asked for above it. */
struct stack_merge {
    struct arena *mem;
    struct stacks all; /* its own hash of nodes is not used */
    bool has_unit;
    struct hash_slot *paths; /* hash of path → node */
    size_t paths_size;       /* a power of two */
    uint32_t *first;         /* per node 1 + the first row that it is the leaf of; 0: none */
    size_t cap_first;
};
/* Rows whose places are fetched before they are asked for; so many levels of them, for most of what is new is near the leaf. */
enum { FIRST_PATHS = 128, AHEAD = 8, LEVELS = 3 };

struct stack_merge *stack_merge_new(size_t budget_bytes) {
    AUTO(stack_merge_free) struct stack_merge *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    m->mem = arena_new(budget_bytes);
    if (!m->mem || stacks_init(&m->all, SPAN_LIT(""), m->mem)) return NULL;
    m->paths_size = FIRST_PATHS;
    m->paths = arena_array(m->mem, FIRST_PATHS, sizeof *m->paths);
    m->first = arena_array(m->mem, 1, sizeof *m->first); /* the root's */
    m->cap_first = 1;
    return m->paths && m->first ? TAKE(m) : NULL;
}

void stack_merge_free(struct stack_merge *m) {
    if (!m) return;
    arena_free(m->mem);
    free(m);
}

/* Where the strings and nodes of one host's stacks are in the whole; 0: not known yet (the empty string, the root: themselves). */
struct places {
    uint32_t *string, *node;
    uint32_t *path; /* per node the hash of its path */
    uint32_t *todo; /* nodes on the way to the root that are not in the whole */
};

static enum err hash_paths(const struct stack_merge *m, const struct stacks *s, uint32_t *path) {
    AUTO_FREE uint32_t *text = malloc((s->strings.n + 1) * sizeof *text);
    uint64_t seed = hash_seed(m->mem);
    if (!text) return ERR_NOMEM;
    for (uint32_t i = 0; i < s->strings.n; i++) text[i] = hash_bytes(seed, s->strings.text[i]);
    for (size_t i = 1; i < s->n_nodes; i++) {
        const struct stack_node *n = &s->nodes[i];
        path[i] = hash_words(seed, (uint64_t)path[n->parent] << 32 | text[n->frame], n->kind);
    }
    return ERR_OK;
}

/* Is `there` of the whole the path of node n?  If so all of it is known from now on. */
static bool same_path(const struct stack_merge *m, const struct stacks *s, struct places *at, uint32_t n, uint32_t there) {
    uint32_t x = n, y = there;
    for (; x != STACKS_ROOT && !at->node[x]; x = s->nodes[x].parent, y = m->all.nodes[y].parent) {
        const struct stack_node *a = &s->nodes[x], *b = &m->all.nodes[y];
        if (y == STACKS_ROOT || a->kind != b->kind || !span_eq(s->strings.text[a->frame], m->all.strings.text[b->frame])) return false;
    }
    if (y != at->node[x]) return false;
    for (x = n, y = there; x != STACKS_ROOT && !at->node[x]; x = s->nodes[x].parent, y = m->all.nodes[y].parent) at->node[x] = y;
    return true;
}

static bool find(const struct stack_merge *m, const struct stacks *s, struct places *at, uint32_t n) {
    size_t mask = m->paths_size - 1;
    for (size_t i = at->path[n] & mask; m->paths[i].index; i = (i + 1) & mask)
        if (m->paths[i].tag == at->path[n] && same_path(m, s, at, n, m->paths[i].index)) return true;
    return false;
}

static enum err place_string(struct stack_merge *m, const struct stacks *s, struct places *at, uint32_t i) {
    return i && !at->string[i] ? strings_add(&m->all.strings, s->strings.text[i], &at->string[i]) : ERR_OK;
}

/* Its parent is known. */
static enum err make(struct stack_merge *m, const struct stacks *s, struct places *at, uint32_t n) {
    const struct stack_node *node = &s->nodes[n];
    uint32_t *frame = &at->string[node->frame];
    enum err e = place_string(m, s, at, node->frame);
    if (!e) e = arena_regrow(m->mem, &m->first, &m->cap_first, m->all.n_nodes + 1, sizeof *m->first);
    if (!e) e = hash_room(m->mem, &m->paths, &m->paths_size, m->all.n_nodes);
    if (!e) e = stacks_append(&m->all, at->node[node->parent], *frame, (enum frame_kind)node->kind, &at->node[n]);
    if (!e) hash_place(m->paths, m->paths_size, (struct hash_slot){at->node[n], at->path[n]});
    return e;
}

static enum err place(struct stack_merge *m, const struct stacks *s, struct places *at, uint32_t leaf) {
    size_t n_todo = 0;
    enum err e = ERR_OK;
    for (uint32_t n = leaf; n != STACKS_ROOT && !at->node[n] && !find(m, s, at, n); n = s->nodes[n].parent) at->todo[n_todo++] = n;
    while (n_todo > 0 && !e) e = make(m, s, at, at->todo[--n_todo]);
    return e;
}

/* Most leaves have one process: only what comes besides is looked up among the rows. */
static enum err add_row(struct stack_merge *m, uint32_t leaf, uint32_t comm, uint64_t count) {
    uint32_t row = m->first[leaf] - 1;
    if (m->first[leaf] && m->all.rows[row].comm != comm) return stacks_add(&m->all, leaf, m->all.strings.text[comm], STACKS_NO_PID, count);
    if (m->first[leaf]) {
        m->all.rows[row].count = num_sat_add(m->all.rows[row].count, count);
        return ERR_OK;
    }
    enum err e = stacks_append_row(&m->all, (struct stack_row){leaf, comm, STACKS_NO_PID, count}, &row);
    if (!e) m->first[leaf] = row + 1;
    return e;
}

static void fetch(const struct stack_merge *m, const struct stacks *s, const struct places *at, uint32_t n) {
    for (int level = 0; level < LEVELS && n != STACKS_ROOT && !at->node[n]; level++, n = s->nodes[n].parent)
        __builtin_prefetch(&m->paths[at->path[n] & (m->paths_size - 1)], 1);
}

static enum err add(struct stack_merge *m, const struct stacks *s, struct places *at) {
    enum err e = hash_paths(m, s, at->path);
    for (size_t i = 0; i < s->n_rows && !e; i++) {
        const struct stack_row *row = &s->rows[i];
        if (i + AHEAD < s->n_rows) fetch(m, s, at, row[AHEAD].leaf);
        e = place(m, s, at, row->leaf);
        if (!e) e = place_string(m, s, at, row->comm);
        if (!e) e = add_row(m, at->node[row->leaf], at->string[row->comm], row->count);
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
    size_t n = s->n_nodes;
    struct places at = {calloc(s->strings.n, sizeof *at.string), calloc(n, sizeof *at.node), calloc(n, sizeof *at.path),
                        calloc(n, sizeof *at.todo)};
    enum err e = at.string && at.node && at.path && at.todo ? add(m, s, &at) : ERR_NOMEM;
    free(at.string);
    free(at.node);
    free(at.path);
    free(at.todo);
    return e;
}

const struct stacks *stack_merge_view(const struct stack_merge *m) { return &m->all; }

/* What rows are sorted by. */
struct ranked {
    uint64_t count;
    uint32_t comm, path, row; /* places of its process and its frames in their orders */
};

static int by_count(const void *pa, const void *pb) {
    const struct ranked *a = pa, *b = pb;
    if (a->count != b->count) return a->count > b->count ? -1 : 1;
    if (a->comm != b->comm) return a->comm < b->comm ? -1 : 1;
    return a->path < b->path ? -1 : a->path > b->path;
}

static enum err rank(const struct stacks *s, struct ranked *out) {
    AUTO_FREE uint32_t *nodes = malloc(s->n_nodes * sizeof *nodes), *strings = malloc((s->strings.n + 1) * sizeof *strings);
    enum err e = nodes && strings ? stack_order(s, nodes, strings) : ERR_NOMEM;
    for (size_t i = 0; i < s->n_rows && e == ERR_OK; i++)
        out[i] = (struct ranked){s->rows[i].count, strings[s->rows[i].comm], nodes[s->rows[i].leaf], (uint32_t)i};
    if (e == ERR_OK) qsort(out, s->n_rows, sizeof *out, by_count);
    return e;
}

enum err stack_merge_top(const struct stack_merge *m, size_t n, struct arena *mem, const struct stack_row ***out, size_t *out_n) {
    size_t n_rows = m->all.n_rows, n_out = n && n < n_rows ? n : n_rows;
    const struct stack_row **rows = arena_array(mem, n_out ? n_out : 1, sizeof(const struct stack_row *));
    AUTO_FREE struct ranked *ranked = malloc((n_rows + 1) * sizeof *ranked);
    enum err e = rows && ranked ? rank(&m->all, ranked) : ERR_NOMEM;
    if (e != ERR_OK) return e;
    for (size_t i = 0; i < n_out; i++) rows[i] = &m->all.rows[ranked[i].row];
    *out = rows;
    *out_n = n_out;
    return ERR_OK;
}

enum err stack_merge_copy(const struct stack_merge *m, const struct stack_row *row, uint32_t *places, struct stacks *into) {
    const struct stacks *from = &m->all;
    enum err e = ERR_OK;
    uint32_t below = STACKS_ROOT; /* the way down: each node's place has the next one's number until it has its own */
    for (uint32_t n = row->leaf; n != STACKS_ROOT && !places[n]; n = from->nodes[n].parent) {
        places[n] = below;
        below = n;
    }
    while (below != STACKS_ROOT && !e) {
        uint32_t n = below;
        const struct stack_node *node = &from->nodes[n];
        below = places[n];
        e = stacks_node(into, places[node->parent], from->strings.text[node->frame], (enum frame_kind)node->kind, &places[n]);
    }
    return e ? e : stacks_add(into, places[row->leaf], from->strings.text[row->comm], row->pid, row->count);
}
