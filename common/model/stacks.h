/* Stacks as a flat tree: a node is a frame under its parent; a row is a stack (its leaf node), its process, its count.
 * A node's parent always has a smaller index.  In an arena. */
#pragma once

#include "common/model/strings.h"

#define STACKS_ROOT   0u /* node 0 is the root: no frame, its own parent */
#define STACKS_NO_PID (-1)

enum frame_kind { FRAME_UNKNOWN, FRAME_USER, FRAME_KERNEL };

struct stack_node {
    uint32_t parent; /* index of a node; smaller than its own */
    uint32_t frame;  /* index into strings */
    uint32_t kind;   /* enum frame_kind */
    uint32_t path;   /* hash of all from the root to here; of no use in stacks only read */
};

struct stack_row {
    uint32_t leaf;  /* index into nodes */
    uint32_t comm;  /* index into strings; 0 when not printed */
    int64_t pid;    /* STACKS_NO_PID when not printed */
    uint64_t count; /* in stacks.unit */
};

struct stacks {
    struct strings strings;
    struct span unit; /* "samples" or "usecs" */
    struct stack_node *nodes;
    size_t n_nodes, cap_nodes;
    struct stack_row *rows;
    size_t n_rows, cap_rows;
    struct hash_slot *node_hash; /* path → node, and (leaf, comm, pid) → 1 + row; NULL in stacks only read */
    struct hash_slot *row_hash;
    size_t node_hash_size, row_hash_size; /* powers of two */
    struct arena *mem;
};

NODISCARD enum err stacks_init(struct stacks *s, struct span unit, struct arena *mem);
/* The child of parent for this frame, made when new.  ERR_NOMEM leaves the tree as it was, also below. */
NODISCARD enum err stacks_node(struct stacks *s, uint32_t parent, struct span frame, enum frame_kind kind, uint32_t *out);
/* The same for a frame that is in s->strings already. */
NODISCARD enum err stacks_child(struct stacks *s, uint32_t parent, uint32_t frame, enum frame_kind kind, uint32_t *out);
/* A child that is known not to be there yet.  stacks_node and stacks_child do not find it: who appends looks after that alone. */
NODISCARD enum err stacks_append(struct stacks *s, uint32_t parent, uint32_t frame, enum frame_kind kind, uint32_t *out);
/* A row that is known not to be there yet, and that stacks_row and stacks_add do not find. */
NODISCARD enum err stacks_append_row(struct stacks *s, struct stack_row row, uint32_t *out);
/* The row of (leaf, comm, pid), made with count 0 when new. */
NODISCARD enum err stacks_row(struct stacks *s, uint32_t leaf, struct span comm, int64_t pid, uint32_t *out);
/* Adds count to the row of (leaf, comm, pid), made when new; counts saturate. */
NODISCARD enum err stacks_add(struct stacks *s, uint32_t leaf, struct span comm, int64_t pid, uint64_t count);
uint64_t stacks_total(const struct stacks *s); /* saturating */
/* Nodes of a row, root first (the root itself left out), into out_nodes; returns the depth.  When that is more than max, the max
 * nodes next to the root are given. */
size_t stacks_frames(const struct stacks *s, uint32_t leaf, uint32_t *out_nodes, size_t max);
