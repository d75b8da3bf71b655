/* The hash under the tables of strings.c and stacks.c.  Names come from traced processes, so it is seeded: with the
 * address of the arena, which nobody outside knows.  Nothing that is printed or sent depends on it. */
#pragma once

#include "common/base/arena.h"
#include "common/base/err.h"
#include "common/base/span.h"

static inline uint64_t hash_mix(uint64_t a, uint64_t b) {
    __uint128_t r = (__uint128_t)a * b;
    return (uint64_t)r ^ (uint64_t)(r >> 64);
}

static inline uint64_t hash_seed(const void *mem) {
    return hash_mix((uint64_t)(uintptr_t)mem ^ 0x9e3779b97f4a7c15ULL, 0xd6e8feb86659fd93ULL);
}

static inline uint64_t hash_load8(const char *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline uint64_t hash_load4(const char *p) {
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t hash_pair(uint64_t h, const char *first, const char *second) {
    return hash_mix(h ^ hash_load8(first), hash_load8(second) ^ 0x9e3779b97f4a7c15ULL);
}

static inline uint64_t hash_short(uint64_t h, struct span s) {
    if (s.n >= 8) return hash_pair(h, s.p, s.p + s.n - 8);
    if (s.n >= 4) return hash_mix(h ^ (hash_load4(s.p) << 32 | hash_load4(s.p + s.n - 4)), 0xc2b2ae3d27d4eb4fULL);
    if (s.n == 0) return h;
    uint64_t v = (uint64_t)(unsigned char)s.p[0] << 16 | (uint64_t)(unsigned char)s.p[s.n / 2] << 8 | (unsigned char)s.p[s.n - 1];
    return hash_mix(h ^ v, 0xc2b2ae3d27d4eb4fULL);
}

/* 32 bytes into two lanes. */
static inline void hash_block(uint64_t lane[2], const char *p) {
    lane[0] = hash_pair(lane[0], p, p + 8);
    lane[1] = hash_pair(lane[1], p + 16, p + 24);
}

/* In two lanes, or four while there are many; the last 32 bytes, or 16, are read overlapping what was read before, so there is no loop
 * over the rest. */
static inline uint32_t hash_bytes(uint64_t seed, struct span s) {
    uint64_t h = seed ^ s.n * 0xa0761d6478bd642fULL;
    if (s.n <= 16) {
        h = hash_short(h, s);
    } else {
        const char *p = s.p, *end = s.p + s.n;
        uint64_t lane[2] = {h, seed}, more[2] = {~h, ~seed};
        for (; end - p > 64; p += 64) {
            hash_block(lane, p);
            hash_block(more, p + 32);
        }
        if (end - p > 32) hash_block(lane, p);
        p = s.n < 32 ? s.p : end - 32;
        h = hash_pair(lane[0] ^ more[0], p, p + 8) ^ hash_pair(lane[1] + more[1], end - 16, end - 8);
    }
    h = hash_mix(h, 0xc2b2ae3d27d4eb4fULL);
    return (uint32_t)(h ^ h >> 32);
}

/* The same bytes, of short texts mostly: n of both. */
static inline bool hash_same(const char *a, const char *b, size_t n) {
    if (n < 8 || n > 16) return memcmp(a, b, n) == 0;
    return ((hash_load8(a) ^ hash_load8(b)) | (hash_load8(a + n - 8) ^ hash_load8(b + n - 8))) == 0;
}

static inline uint32_t hash_words(uint64_t seed, uint64_t a, uint64_t b) {
    uint64_t h = hash_mix(hash_mix(seed ^ a, 0x9e3779b97f4a7c15ULL) ^ b, 0xc2b2ae3d27d4eb4fULL);
    return (uint32_t)(h ^ h >> 32);
}

/* A table's slot: the number of what it stands for (0: empty) and its whole hash, so that growing needs no key again. */
struct hash_slot {
    uint32_t index, tag;
};

/* Into a table of size (a power of two) slots with room. */
static inline void hash_place(struct hash_slot *table, size_t size, struct hash_slot entry) {
    size_t i = entry.tag & (size - 1);
    while (table[i].index) i = (i + 1) & (size - 1);
    table[i] = entry;
}

/* Room for one more entry beside used ones: the table stays at most three quarters full. */
NODISCARD static inline enum err hash_room(struct arena *mem, struct hash_slot **table, size_t *size, size_t used) {
    if (used < *size / 4 * 3) return ERR_OK;
    struct hash_slot *bigger = arena_array(mem, *size * 2, sizeof *bigger);
    if (!bigger) return ERR_NOMEM;
    for (size_t i = 0; i < *size; i++)
        if ((*table)[i].index) hash_place(bigger, *size * 2, (*table)[i]);
    arena_release(mem, *table, *size * sizeof *bigger);
    *table = bigger;
    *size *= 2;
    return ERR_OK;
}
