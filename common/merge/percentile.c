#include "common/merge/percentile.h"

#include <assert.h>

#include "common/base/num.h"

struct percentile percentile_of(const struct hist *h, unsigned permille) {
    assert(permille >= 1 && permille <= 1000);
    uint64_t total = hist_total(h), seen = 0;
    if (total == 0) return (struct percentile){.known = false};
    uint64_t rank = (uint64_t)(((__uint128_t)total * permille + 999) / 1000);
    const struct hist_slot *s = h->slots;
    while ((seen = num_sat_add(seen, s->count)) < rank) s++;
    double value = s->high == HIST_OPEN ? (double)s->low : (double)s->low / 2 + (double)s->high / 2;
    return (struct percentile){true, value, s->low, s->high};
}
