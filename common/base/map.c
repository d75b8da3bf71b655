#include "common/base/map.h"

#include <stdlib.h>
#include <sys/random.h>

/* Keys come from peers: the hash is seeded, so that nobody can choose keys that collide. */
static unsigned map_hash(const void *key, size_t n, uint64_t seed);
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(node) ((node)->failed = true)
#define HASH_FUNCTION(keyptr, keylen, hashv) ((hashv) = map_hash((keyptr), (keylen), map_seed))
static uint64_t map_seed;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wconversion"
#include <uthash.h>

struct node {
    uint64_t value;
    UT_hash_handle hh;
    bool failed;
    size_t n;
    char key[];
};

struct map {
    struct node *first;
};

/* FNV-1a over the bytes, begun from a secret and finished by MurmurHash3's mixer (both in the public domain). */
static unsigned map_hash(const void *key, size_t n, uint64_t seed) {
    const unsigned char *p = key;
    uint64_t h = 0xcbf29ce484222325u ^ seed;
    for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * 0x100000001b3u;
    h ^= seed >> 7;
    h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdu;
    h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53u;
    return (unsigned)(h ^ (h >> 33));
}

static __attribute__((constructor)) void map_choose_seed(void) {
    if (getrandom(&map_seed, sizeof map_seed, GRND_NONBLOCK) != (ssize_t)sizeof map_seed) map_seed = (uint64_t)(uintptr_t)&map_seed;
}

struct map *map_new(void) { return calloc(1, sizeof(struct map)); }

void map_free(struct map *m) {
    if (!m) return;
    struct node *n, *next;
    HASH_ITER(hh, m->first, n, next) {
        HASH_DEL(m->first, n);
        free(n);
    }
    free(m);
}

static struct node *find(const struct map *m, struct span key) {
    struct node *n = NULL;
    HASH_FIND(hh, m->first, key.p ? key.p : "", key.n, n);
    return n;
}

uint64_t *map_get(const struct map *m, struct span key) {
    struct node *n = find(m, key);
    return n ? &n->value : NULL;
}

enum err map_put(struct map *m, struct span key, uint64_t value) {
    if (find(m, key)) return ERR_EXISTS;
    struct node *n = calloc(1, sizeof *n + key.n);
    if (!n) return ERR_NOMEM;
    n->value = value;
    n->n = key.n;
    if (key.n > 0) memcpy(n->key, key.p, key.n);
    HASH_ADD_KEYPTR(hh, m->first, n->key, n->n, n);
    if (!n->failed) return ERR_OK;
    free(n);
    return ERR_NOMEM;
}

bool map_remove(struct map *m, struct span key) {
    struct node *n = find(m, key);
    if (!n) return false;
    HASH_DEL(m->first, n);
    free(n);
    return true;
}

size_t map_count(const struct map *m) { return HASH_COUNT(m->first); }

void map_each(const struct map *m, map_each_fn *fn, void *arg) {
    struct node *n, *next;
    HASH_ITER(hh, m->first, n, next) fn(span_of(n->key, n->n), n->value, arg);
}
#pragma GCC diagnostic pop
