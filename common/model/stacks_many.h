/* Many stacks at once, a level of the tree at a time: what is looked at for a level is little and stays near, and a stack that is
 * alone below some frame needs no looking for the rest. */
#pragma once

#include "common/model/stacks.h"

/* A frame in one word: an index into the strings and its kind. */
enum { STACKS_MANY_KIND_BITS = 2, STACKS_MANY_KIND = (1 << STACKS_MANY_KIND_BITS) - 1 };
#define STACKS_MANY_STRINGS_MAX (UINT32_MAX >> STACKS_MANY_KIND_BITS)

static inline uint32_t stacks_many_frame(uint32_t string, enum frame_kind kind) { return string << STACKS_MANY_KIND_BITS | (uint32_t)kind; }

struct stacks_path {
    size_t begin;  /* of its frames, root first */
    uint32_t n;    /* how many */
    uint32_t leaf; /* stacks_many sets it: its node */
};

/* Fills a tree that has no node but the root.  stacks_node and stacks_child do not find its nodes.
 * Errors: ERR_NOMEM, also for more than UINT32_MAX nodes; the tree is of no use then. */
NODISCARD enum err stacks_many(struct stacks *s, const uint32_t *frames, struct stacks_path *paths, size_t n_paths);
