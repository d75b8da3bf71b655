#include "collector/store/store_sum.h"

#include <endian.h>

/* Each step is one to one in h and in v: what differs once cannot become the same again by the steps after it. */
static uint64_t mix(uint64_t h, uint64_t v) {
    h = (h ^ v) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 32;
}

static uint64_t add(uint64_t h, struct span s) {
    size_t n = s.n;
    for (; s.n >= 8; s = span_drop(s, 8)) {
        uint64_t v;
        memcpy(&v, s.p, sizeof v);
        h = mix(h, le64toh(v));
    }
    uint64_t rest = 0;
    memcpy(&rest, s.p, s.n);
    return mix(mix(h, le64toh(rest)), n);
}

uint64_t store_sum(const struct part_key *key, struct span body) {
    uint64_t h = add(1, span_of((const char *)key->campaign.b, sizeof key->campaign.b));
    h = add(add(mix(h, (uint64_t)key->round << 32 | key->part), key->host), key->tool);
    h = add(h, body);
    return h ? h : 1;
}
