#include "collector/store/store_sum.h"

#include <endian.h>
#include <zlib.h>

static uLong add(uLong crc, const void *p, size_t n) { return n ? crc32_z(crc, p, n) : crc; }

/* With its length, so that what moves from one text to the next is another sum. */
static uLong add_text(uLong crc, struct span s) {
    uint32_t n = htole32((uint32_t)s.n);
    return add(add(crc, &n, sizeof n), s.p, s.n);
}

uint64_t store_sum(const struct part_key *key, struct span body) {
    const uint32_t place[] = {htole32(key->round), htole32(key->part)};
    uLong crc = add(crc32_z(0, NULL, 0), key->campaign.b, sizeof key->campaign.b);
    crc = add_text(add_text(add(crc, place, sizeof place), key->host), key->tool);
    return UINT64_C(1) << 32 | add_text(crc, body);
}
