#include "common/model/stacks.h"

#include <assert.h>

#include "common/base/num.h"
#include "common/model/hash.h"

enum { FIRST_NODES = 64, FIRST_ROWS = 32, FIRST_SLOTS = 128 };

enum err stacks_init(struct stacks *s, struct span unit, struct arena *mem) {
    struct stacks new = {.n_nodes = 1, .cap_nodes = FIRST_NODES, .cap_rows = FIRST_ROWS, .mem = mem};
    new.node_hash_size = new.row_hash_size = FIRST_SLOTS;
    enum err e = strings_init(&new.strings, mem);
    if (e) return e;
    new.unit = arena_copy(mem, unit);
    new.nodes = arena_array(mem, FIRST_NODES, sizeof *new.nodes);
    new.rows = arena_array(mem, FIRST_ROWS, sizeof *new.rows);
    new.node_hash = arena_array(mem, FIRST_SLOTS, sizeof *new.node_hash);
    new.row_hash = arena_array(mem, FIRST_SLOTS, sizeof *new.row_hash);
    if (!new.unit.p || !new.nodes || !new.rows || !new.node_hash || !new.row_hash) return ERR_NOMEM;
    *s = new;
    return ERR_OK;
}

enum err stacks_append(struct stacks *s, uint32_t parent, uint32_t frame, enum frame_kind kind, uint32_t *out) {
    if (s->n_nodes >= UINT32_MAX) return ERR_NOMEM;
    enum err e = arena_regrow(s->mem, &s->nodes, &s->cap_nodes, s->n_nodes + 1, sizeof *s->nodes);
    if (e) return e;
    s->nodes[s->n_nodes] = (struct stack_node){.parent = parent, .frame = frame, .kind = kind};
    *out = (uint32_t)s->n_nodes++;
    return ERR_OK;
}

static enum err new_node(struct stacks *s, const struct stack_node *node, uint32_t *out) {
    enum err e = hash_room(s->mem, &s->node_hash, &s->node_hash_size, s->n_nodes);
    if (!e) e = stacks_append(s, node->parent, node->frame, (enum frame_kind)node->kind, out);
    if (e) return e;
    s->nodes[*out].path = node->path;
    hash_place(s->node_hash, s->node_hash_size, (struct hash_slot){*out, node->path});
    return ERR_OK;
}

static uint32_t path_hash(const struct stacks *s, uint32_t parent_path, uint32_t frame, enum frame_kind kind) {
    return hash_words(hash_seed(s->mem), (uint64_t)parent_path << 32 | frame, kind);
}

/* The child whose path has this hash. */
static enum err child_at(struct stacks *s, struct stack_node want, uint32_t *out) {
    size_t mask = s->node_hash_size - 1;
    for (size_t i = want.path & mask; s->node_hash[i].index; i = (i + 1) & mask) {
        if (s->node_hash[i].tag != want.path) continue;
        const struct stack_node *have = &s->nodes[s->node_hash[i].index];
        if (have->parent == want.parent && have->frame == want.frame && have->kind == want.kind) {
            *out = s->node_hash[i].index;
            return ERR_OK;
        }
    }
    return new_node(s, &want, out);
}

enum err stacks_node(struct stacks *s, uint32_t parent, struct span frame, enum frame_kind kind, uint32_t *out) {
    uint32_t index = 0;
    enum err e = strings_add(&s->strings, frame, &index);
    return e ? e : stacks_child(s, parent, index, kind, out);
}

enum err stacks_child(struct stacks *s, uint32_t parent, uint32_t frame, enum frame_kind kind, uint32_t *out) {
    assert(s->node_hash && parent < s->n_nodes && frame < s->strings.n);
    uint32_t path = path_hash(s, s->nodes[parent].path, frame, kind);
    return child_at(s, (struct stack_node){.parent = parent, .frame = frame, .kind = kind, .path = path}, out);
}

enum err stacks_append_row(struct stacks *s, struct stack_row row, uint32_t *out) {
    if (s->n_rows >= UINT32_MAX - 1) return ERR_NOMEM;
    enum err e = arena_regrow(s->mem, &s->rows, &s->cap_rows, s->n_rows + 1, sizeof *s->rows);
    if (e) return e;
    s->rows[s->n_rows] = row;
    *out = (uint32_t)s->n_rows++;
    return ERR_OK;
}

static enum err new_row(struct stacks *s, struct stack_row row, uint32_t tag, uint32_t *out) {
    enum err e = hash_room(s->mem, &s->row_hash, &s->row_hash_size, s->n_rows);
    if (!e) e = stacks_append_row(s, row, out);
    if (!e) hash_place(s->row_hash, s->row_hash_size, (struct hash_slot){*out + 1, tag});
    return e;
}

enum err stacks_row(struct stacks *s, uint32_t leaf, struct span comm, int64_t pid, uint32_t *out) {
    assert(s->row_hash && leaf < s->n_nodes);
    struct stack_row want = {.leaf = leaf, .pid = pid};
    enum err e = strings_add(&s->strings, comm, &want.comm);
    if (e) return e;
    uint32_t tag = hash_words(hash_seed(s->mem), (uint64_t)leaf << 32 | want.comm, (uint64_t)pid);
    size_t mask = s->row_hash_size - 1;
    for (size_t i = tag & mask; s->row_hash[i].index; i = (i + 1) & mask) {
        if (s->row_hash[i].tag != tag) continue;
        const struct stack_row *have = &s->rows[s->row_hash[i].index - 1];
        if (have->leaf == want.leaf && have->comm == want.comm && have->pid == want.pid) {
            *out = s->row_hash[i].index - 1;
            return ERR_OK;
        }
    }
    return new_row(s, want, tag, out);
}

enum err stacks_add(struct stacks *s, uint32_t leaf, struct span comm, int64_t pid, uint64_t count) {
    uint32_t row = 0;
    enum err e = stacks_row(s, leaf, comm, pid, &row);
    if (e) return e;
    s->rows[row].count = num_sat_add(s->rows[row].count, count);
    return ERR_OK;
}

uint64_t stacks_total(const struct stacks *s) {
    uint64_t total = 0;
    for (size_t i = 0; i < s->n_rows; i++) total = num_sat_add(total, s->rows[i].count);
    return total;
}

size_t stacks_frames(const struct stacks *s, uint32_t leaf, uint32_t *out_nodes, size_t max) {
    size_t depth = 0;
    for (uint32_t n = leaf; n != STACKS_ROOT; n = s->nodes[n].parent) depth++;
    size_t i = depth;
    for (uint32_t n = leaf; n != STACKS_ROOT; n = s->nodes[n].parent)
        if (--i < max) out_nodes[i] = n;
    return depth;
}
