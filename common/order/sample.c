#include "common/order/sample.h"

static uint64_t rotate(uint64_t v, unsigned n) { return v << n | v >> (64 - n); }

static void sip_round(uint64_t v[4]) {
    v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
    v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
}

static uint64_t little_endian(const char *p, size_t n) {
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) v |= (uint64_t)(unsigned char)p[i] << (8 * i);
    return v;
}

static void take(uint64_t v[4], uint64_t word) {
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
}

uint64_t sample_hash(uint64_t seed, struct span host) {
    uint64_t v[4] = {seed ^ 0x736f6d6570736575ULL, 0x646f72616e646f6dULL, seed ^ 0x6c7967656e657261ULL, 0x7465646279746573ULL};
    size_t whole = host.n - host.n % 8;
    for (size_t i = 0; i < whole; i += 8) take(v, little_endian(host.p + i, 8));
    take(v, little_endian(host.p + whole, host.n % 8) | (uint64_t)host.n << 56);
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++) sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct place {
    uint64_t hash;
    struct span host;
};

static int by_hash(const void *a, const void *b) {
    const struct place *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return span_cmp(x->host, y->host);
}

enum err sample_sort(uint64_t seed, struct span *hosts, size_t n) {
    AUTO_FREE struct place *places = calloc(n ? n : 1, sizeof *places);
    if (!places) return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) places[i] = (struct place){.hash = sample_hash(seed, hosts[i]), .host = hosts[i]};
    qsort(places, n, sizeof *places, by_hash);
    for (size_t i = 0; i < n; i++) hosts[i] = places[i].host;
    return ERR_OK;
}
