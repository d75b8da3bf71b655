#include "common/merge/heavy.h"

#include <assert.h>

#include "common/base/num.h"
#include "common/model/hash.h"

#define NONE UINT32_MAX

struct counter {
    char *key;
    uint32_t n, cap; /* bytes of the key, and of its memory */
    uint32_t next;   /* in its chain */
    uint32_t heap;   /* its place there */
    uint64_t weight, error;
};

struct heavy {
    struct counter *all;
    uint32_t *heap; /* the lightest first */
    uint32_t *chains;
    uint32_t n, max, chains_mask;
};

struct heavy *heavy_new(uint32_t counters) {
    assert(counters >= 1 && counters < NONE / 4);
    AUTO(heavy_free) struct heavy *h = calloc(1, sizeof *h);
    if (!h) return NULL;
    uint32_t chains = 16;
    while (chains < counters) chains *= 2;
    h->max = counters;
    h->chains_mask = chains - 1;
    h->all = calloc(counters, sizeof *h->all);
    h->heap = calloc(counters, sizeof *h->heap);
    h->chains = malloc(chains * sizeof *h->chains);
    if (!h->all || !h->heap || !h->chains) return NULL;
    memset(h->chains, 0xff, chains * sizeof *h->chains);
    return TAKE(h);
}

void heavy_free(struct heavy *h) {
    if (!h) return;
    for (uint32_t i = 0; i < h->n; i++) free(h->all[i].key);
    free(h->all);
    free(h->heap);
    free(h->chains);
    free(h);
}

static uint32_t *chain_of(const struct heavy *h, struct span key) { return &h->chains[hash_bytes(hash_seed(h), key) & h->chains_mask]; }

static uint32_t find(const struct heavy *h, struct span key) {
    uint32_t i = *chain_of(h, key);
    while (i != NONE && !span_eq(span_of(h->all[i].key, h->all[i].n), key)) i = h->all[i].next;
    return i;
}

static void put(struct heavy *h, uint32_t at, uint32_t counter) {
    h->heap[at] = counter;
    h->all[counter].heap = at;
}

static uint64_t weight_at(const struct heavy *h, uint32_t at) { return h->all[h->heap[at]].weight; }

static void sink(struct heavy *h, uint32_t at) {
    uint32_t moved = h->heap[at];
    for (uint32_t child; (child = 2 * at + 1) < h->n; at = child) {
        if (child + 1 < h->n && weight_at(h, child + 1) < weight_at(h, child)) child++;
        if (weight_at(h, child) >= h->all[moved].weight) break;
        put(h, at, h->heap[child]);
    }
    put(h, at, moved);
}

static void rise(struct heavy *h, uint32_t at) {
    uint32_t moved = h->heap[at];
    for (; at > 0 && weight_at(h, (at - 1) / 2) > h->all[moved].weight; at = (at - 1) / 2) put(h, at, h->heap[(at - 1) / 2]);
    put(h, at, moved);
}

static enum err set_key(struct counter *c, struct span key) {
    if (key.n > UINT32_MAX) return ERR_NOMEM;
    if (key.n > c->cap || !c->key) {
        char *p = realloc(c->key, key.n ? key.n : 1);
        if (!p) return ERR_NOMEM;
        c->key = p;
        c->cap = (uint32_t)key.n;
    }
    if (key.n) memcpy(c->key, key.p, key.n);
    c->n = (uint32_t)key.n;
    return ERR_OK;
}

static void link_key(struct heavy *h, uint32_t i) {
    uint32_t *chain = chain_of(h, span_of(h->all[i].key, h->all[i].n));
    h->all[i].next = *chain;
    *chain = i;
}

static void unlink_key(struct heavy *h, uint32_t i) {
    uint32_t *at = chain_of(h, span_of(h->all[i].key, h->all[i].n));
    while (*at != i) at = &h->all[*at].next;
    *at = h->all[i].next;
}

static enum err add_counter(struct heavy *h, struct span key, uint64_t weight) {
    struct counter *c = &h->all[h->n];
    enum err e = set_key(c, key);
    if (e) return e;
    c->weight = weight;
    link_key(h, h->n);
    put(h, h->n, h->n);
    h->n++;
    rise(h, c->heap);
    return ERR_OK;
}

static enum err take_over(struct heavy *h, struct span key, uint64_t weight) {
    uint32_t i = h->heap[0];
    struct counter *c = &h->all[i];
    unlink_key(h, i);
    enum err e = set_key(c, key);
    if (!e) {
        c->error = c->weight;
        c->weight = num_sat_add(c->weight, weight);
    }
    link_key(h, i);
    sink(h, 0);
    return e;
}

enum err heavy_add(struct heavy *h, struct span key, uint64_t weight) {
    uint32_t i = find(h, key);
    if (i == NONE) return h->n < h->max ? add_counter(h, key, weight) : take_over(h, key, weight);
    h->all[i].weight = num_sat_add(h->all[i].weight, weight);
    sink(h, h->all[i].heap);
    return ERR_OK;
}

void heavy_scale(struct heavy *h, uint64_t factor) {
    for (uint32_t i = 0; i < h->n; i++) {
        h->all[i].weight = num_sat_mul(h->all[i].weight, factor);
        h->all[i].error = num_sat_mul(h->all[i].error, factor);
    }
}

uint32_t heavy_n(const struct heavy *h) { return h->n; }

struct heavy_key heavy_at(const struct heavy *h, uint32_t i) {
    const struct counter *c = &h->all[i];
    return (struct heavy_key){span_of(c->key, c->n), c->weight, c->error};
}

uint64_t heavy_least(const struct heavy *h) { return h->n < h->max ? 0 : weight_at(h, 0); }
