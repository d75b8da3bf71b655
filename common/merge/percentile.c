#include "common/merge/percentile.h"

#include <assert.h>

struct percentile percentile_of(const struct hist *h, unsigned permille) {
    assert(permille >= 1 && permille <= 1000);
    __uint128_t total = 0, seen = 0; /* hist_total saturates */
    for (size_t i = 0; i < h->n_slots; i++) total += h->slots[i].count;
    if (total == 0) return (struct percentile){.known = false};
    __uint128_t rank = (total * permille + 999) / 1000;
    const struct hist_slot *s = h->slots;
    while ((seen += s->count) < rank) s++;
    double value = s->high == HIST_OPEN ? (double)s->low : (double)s->low / 2 + (double)s->high / 2;
    return (struct percentile){true, value, s->low, s->high};
}
