#include "common/wire/message.h"

/* Nodes come parents first, so one pass checks the tree and its depth. */
static void get_nodes(struct unpack *in, const Trawl__Stacks *m, uint32_t n_strings, struct stack_node *nodes) {
    const uint32_t *parent = unpack_u32(in, m->node_parent, m->n_node_parent, m->n_nodes);
    const uint32_t *frame = unpack_u32(in, m->node_frame, m->n_node_frame, m->n_nodes);
    const uint32_t *kind = unpack_u32(in, m->node_kind, m->n_node_kind, m->n_nodes);
    uint16_t *depth = unpack_array(in, (size_t)m->n_nodes + 1, sizeof *depth);
    for (uint32_t i = 0; i < m->n_nodes && in->failed == ERR_OK; i++) {
        if (parent[i] > i || frame[i] >= n_strings || kind[i] > FRAME_KERNEL) return unpack_refuse(in, ERR_SYNTAX);
        depth[i + 1] = (uint16_t)(depth[parent[i]] + 1);
        if (depth[i + 1] > LIMIT_STACK_DEPTH) return unpack_refuse(in, ERR_LIMIT);
        nodes[i + 1] = (struct stack_node){.parent = parent[i], .frame = frame[i], .kind = kind[i]};
    }
}

static void get_rows(struct unpack *in, const Trawl__Stacks *m, uint32_t n_strings, struct stack_row *rows) {
    const uint32_t *leaf = unpack_u32(in, m->row_leaf, m->n_row_leaf, m->n_rows);
    const uint32_t *comm = unpack_u32(in, m->row_comm, m->n_row_comm, m->n_rows);
    const int64_t *pid = unpack_i64(in, m->row_pid, m->n_row_pid, m->n_rows);
    const uint64_t *count = unpack_u64(in, m->row_count, m->n_row_count, m->n_rows);
    for (uint32_t i = 0; i < m->n_rows && in->failed == ERR_OK; i++) {
        if (leaf[i] > m->n_nodes || comm[i] >= n_strings || pid[i] < 0) return unpack_refuse(in, ERR_SYNTAX);
        rows[i] = (struct stack_row){.leaf = leaf[i], .comm = comm[i], .pid = pid[i] - 1, .count = count[i]};
    }
}

void message_stacks_get(struct unpack *in, const Trawl__Stacks *m, struct stacks *out) {
    Trawl__Stacks none;
    trawl__stacks__init(&none);
    struct stacks s = {0};
    if (!m) m = &none;
    if (m->n_nodes > in->max_rows || m->n_rows > in->max_rows) return unpack_refuse(in, ERR_LIMIT);
    message_strings_get(in, m->strings, &s.strings);
    s.unit = unpack_bytes(in, m->unit, LIMIT_LABEL_BYTES);
    s.n_nodes = s.cap_nodes = (size_t)m->n_nodes + 1;
    s.n_rows = s.cap_rows = m->n_rows;
    s.nodes = unpack_array(in, s.n_nodes, sizeof *s.nodes);
    s.rows = unpack_array(in, s.n_rows, sizeof *s.rows);
    s.mem = in->mem;
    get_nodes(in, m, s.strings.n, s.nodes);
    get_rows(in, m, s.strings.n, s.rows);
    if (in->failed == ERR_OK) *out = s;
}

static void put_nodes(struct pack *o, const struct stacks *s, Trawl__Stacks *m) {
    size_t n = s->n_nodes > 1 ? s->n_nodes - 1 : 0;
    m->n_nodes = (uint32_t)n;
    m->node_parent = pack_array(o, n, sizeof *m->node_parent);
    m->node_frame = pack_array(o, n, sizeof *m->node_frame);
    m->node_kind = pack_array(o, n, sizeof *m->node_kind);
    uint16_t *depth = pack_array(o, n + 1, sizeof *depth);
    for (size_t i = 0; i < n && o->failed == ERR_OK; i++) {
        const struct stack_node *from = &s->nodes[i + 1];
        if (from->parent > i || (from->frame && from->frame >= s->strings.n) || from->kind > FRAME_KERNEL) return pack_fail(o, ERR_SYNTAX);
        depth[i + 1] = (uint16_t)(depth[from->parent] + 1);
        if (depth[i + 1] > LIMIT_STACK_DEPTH) return pack_fail(o, ERR_LIMIT);
        m->node_parent[i] = from->parent;
        m->node_frame[i] = from->frame;
        m->node_kind[i] = from->kind;
    }
    if (o->failed != ERR_OK) return;
    m->n_node_parent = pack_count_u32(m->node_parent, n);
    m->n_node_frame = pack_count_u32(m->node_frame, n);
    m->n_node_kind = pack_count_u32(m->node_kind, n);
}

static void put_rows(struct pack *o, const struct stacks *s, Trawl__Stacks *m) {
    size_t n = s->n_rows;
    m->n_rows = (uint32_t)n;
    m->row_leaf = pack_array(o, n, sizeof *m->row_leaf);
    m->row_comm = pack_array(o, n, sizeof *m->row_comm);
    m->row_pid = pack_array(o, n, sizeof *m->row_pid);
    m->row_count = pack_array(o, n, sizeof *m->row_count);
    for (size_t i = 0; i < n && o->failed == ERR_OK; i++) {
        const struct stack_row *from = &s->rows[i];
        if (from->leaf > m->n_nodes || (from->comm && from->comm >= s->strings.n)) return pack_fail(o, ERR_SYNTAX);
        if (from->pid < STACKS_NO_PID || from->pid == INT64_MAX) return pack_fail(o, ERR_SYNTAX);
        m->row_leaf[i] = from->leaf;
        m->row_comm[i] = from->comm;
        m->row_pid[i] = from->pid + 1;
        m->row_count[i] = from->count;
    }
    if (o->failed != ERR_OK) return;
    m->n_row_leaf = pack_count_u32(m->row_leaf, n);
    m->n_row_comm = pack_count_u32(m->row_comm, n);
    m->n_row_pid = pack_count_i64(m->row_pid, n);
    m->n_row_count = pack_count_u64(m->row_count, n);
}

Trawl__Stacks *message_stacks_put(struct pack *o, const struct stacks *s) {
    Trawl__Stacks *m = pack_array(o, 1, sizeof *m);
    if (!m) return NULL;
    trawl__stacks__init(m);
    if (s->n_nodes > UINT32_MAX || s->n_rows > UINT32_MAX) pack_fail(o, ERR_LIMIT);
    m->strings = message_strings_put(o, &s->strings);
    m->unit = pack_bytes(o, pack_cut(o, s->unit, LIMIT_LABEL_BYTES), LIMIT_LABEL_BYTES);
    put_nodes(o, s, m);
    put_rows(o, s, m);
    return m;
}
