/* Generated input: the same seed gives the same input.  gen_init takes $TRAWL_SEED, else a fresh seed, which a test prints with
 * gen_print before it uses it, so that a failure can be repeated. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct gen {
    uint64_t seed, state;
};

void gen_init(struct gen *g);
void gen_seed(struct gen *g, uint64_t seed);
void gen_print(const struct gen *g); /* "seed 123 (TRAWL_SEED=123 repeats it)" on standard error */

uint64_t gen_u64(struct gen *g);
uint64_t gen_below(struct gen *g, uint64_t limit);                 /* 0 … limit - 1; limit > 0 */
uint64_t gen_between(struct gen *g, uint64_t low, uint64_t high); /* both included */
void gen_bytes(struct gen *g, void *to, size_t n);
