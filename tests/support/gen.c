#include "tests/support/gen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/span.h"

void gen_seed(struct gen *g, uint64_t seed) { *g = (struct gen){.seed = seed, .state = seed}; }

void gen_init(struct gen *g) {
    uint64_t seed;
    if (!span_u64(span_str(getenv("TRAWL_SEED")), &seed)) seed = clock_wall_ns() ^ clock_mono_ns() << 20;
    gen_seed(g, seed);
}

void gen_print(const struct gen *g) {
    fprintf(stderr, "seed %llu (TRAWL_SEED=%llu repeats it)\n", (unsigned long long)g->seed, (unsigned long long)g->seed);
}

/* splitmix64 (Vigna, public domain): any seed is a good one. */
uint64_t gen_u64(struct gen *g) {
    uint64_t z = g->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t gen_below(struct gen *g, uint64_t limit) { return gen_u64(g) % limit; }

uint64_t gen_between(struct gen *g, uint64_t low, uint64_t high) {
    uint64_t width = high - low;
    return width == UINT64_MAX ? gen_u64(g) : low + gen_below(g, width + 1);
}

void gen_bytes(struct gen *g, void *to, size_t n) {
    for (size_t at = 0; at < n; at += sizeof(uint64_t)) {
        uint64_t word = gen_u64(g);
        memcpy((char *)to + at, &word, n - at < sizeof word ? n - at : sizeof word);
    }
}
