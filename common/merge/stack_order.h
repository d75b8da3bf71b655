/* The order of stacks by their frames, root first, bytewise, then by kind; what is shorter comes first.  Found once for a whole tree, so
 * that sorting its stacks compares numbers.  Pure. */
#pragma once

#include "common/model/stacks.h"

/* out_nodes[n_nodes]: each node's place, ascending in that order; out_strings[strings.n]: each string's place, bytewise.  ERR_NOMEM. */
NODISCARD enum err stack_order(const struct stacks *s, uint32_t *out_nodes, uint32_t *out_strings);
