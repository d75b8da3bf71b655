#include "common/base/map.h"

#include <sys/random.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(node) ((node)->failed = true)
#include <uthash.h>

struct node {
    UT_hash_handle hh;
    uint64_t value;
    bool failed; /* uthash found no memory for its table */
    char key[];
};

struct map {
    struct node *nodes;
    uint64_t seed[2];
};

struct map *map_new(void) {
    struct map *m = malloc(sizeof *m);
    if (!m) return NULL;
    m->nodes = NULL;
    if (getrandom(m->seed, sizeof m->seed, 0) == (ssize_t)sizeof m->seed) return m;
    free(m);
    return NULL;
}

void map_free(struct map *m) {
    if (!m) return;
    struct node *node = m->nodes;
    while (node) {
        struct node *next = node->hh.next;
        HASH_DEL(m->nodes, node);
        free(node);
        node = next;
    }
    free(m);
}

static uint64_t rotate(uint64_t v, unsigned bits) { return v << bits | v >> (64 - bits); }

static void sip_round(uint64_t v[4]) {
    v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
    v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
}

/* SipHash-1-3: a peer that chooses keys cannot aim them at one bucket without knowing the seed. */
static uint32_t hash(const struct map *m, struct span key) {
    uint64_t v[4] = {m->seed[0] ^ 0x736f6d6570736575, m->seed[1] ^ 0x646f72616e646f6d, m->seed[0] ^ 0x6c7967656e657261,
                     m->seed[1] ^ 0x7465646279746573};
    uint64_t last = (uint64_t)key.n << 56, word;
    for (; key.n >= sizeof word; key = span_drop(key, sizeof word)) {
        memcpy(&word, key.p, sizeof word);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    for (size_t i = 0; i < key.n; i++) last |= (uint64_t)(unsigned char)key.p[i] << (8 * i);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++) sip_round(v);
    uint64_t h = v[0] ^ v[1] ^ v[2] ^ v[3];
    return (uint32_t)(h ^ h >> 32);
}

static struct node *find(const struct map *m, struct span key, uint32_t h) {
    struct node *found = NULL;
    const char *p = key.n ? key.p : "";
    HASH_FIND_BYHASHVALUE(hh, m->nodes, p, key.n, h, found);
    return found;
}

uint64_t *map_get(const struct map *m, struct span key) {
    struct node *found = find(m, key, hash(m, key));
    return found ? &found->value : NULL;
}

enum err map_put(struct map *m, struct span key, uint64_t value) {
    uint32_t h = hash(m, key);
    if (find(m, key, h)) return ERR_EXISTS;
    if (key.n > UINT32_MAX) return ERR_NOMEM; /* uthash counts a key's bytes in 32 bits */
    struct node *node = malloc(sizeof *node + key.n);
    if (!node) return ERR_NOMEM;
    node->value = value;
    node->failed = false;
    if (key.n) memcpy(node->key, key.p, key.n);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, m->nodes, node->key, (unsigned)key.n, h, node);
    if (!node->failed) return ERR_OK;
    free(node);
    return ERR_NOMEM;
}

bool map_remove(struct map *m, struct span key) {
    struct node *found = find(m, key, hash(m, key));
    if (!found) return false;
    HASH_DEL(m->nodes, found);
    free(found);
    return true;
}

size_t map_count(const struct map *m) { return HASH_COUNT(m->nodes); }

void map_each(const struct map *m, map_each_fn *fn, void *arg) {
    for (const struct node *node = m->nodes; node; node = node->hh.next) fn(span_of(node->key, node->hh.keylen), node->value, arg);
}
