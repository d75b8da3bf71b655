#include "collector/aggregate/part_set.h"

#include "common/base/auto.h"
#include "common/wire/limits.h"

static uint64_t key(uint32_t round, uint32_t part) { return (uint64_t)round << 32 | part; }

void part_set_done(struct part_set *s) {
    free(s->runs);
    *s = (struct part_set){0};
}

/* The first run that does not end before k; n: there is none. */
static size_t place_of(const struct part_set *s, uint64_t k) {
    size_t low = 0, high = s->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->runs[middle].high < k)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool part_set_has(const struct part_set *s, uint32_t round, uint32_t part) {
    size_t at = place_of(s, key(round, part));
    return at < s->n && s->runs[at].low <= key(round, part);
}

static enum err insert(struct part_set *s, size_t at, uint64_t k) {
    if (s->n == s->cap) {
        size_t want = s->cap ? 2 * s->cap : 1;
        struct part_run *p = reallocarray(s->runs, want, sizeof *p);
        if (!p) return ERR_NOMEM;
        s->runs = p;
        s->cap = want;
    }
    memmove(s->runs + at + 1, s->runs + at, (s->n - at) * sizeof *s->runs);
    s->runs[at] = (struct part_run){k, k};
    s->n++;
    return ERR_OK;
}

enum err part_set_add(struct part_set *s, uint32_t round, uint32_t part) {
    if (part >= LIMIT_PARTS || round >= LIMIT_ROUNDS) return ERR_LIMIT;
    uint64_t k = key(round, part);
    size_t at = place_of(s, k);
    if (at < s->n && s->runs[at].low <= k) return ERR_EXISTS;
    bool after = at > 0 && s->runs[at - 1].high + 1 == k, before = at < s->n && s->runs[at].low == k + 1;
    if (after && before) {
        s->runs[at - 1].high = s->runs[at].high;
        memmove(s->runs + at, s->runs + at + 1, (s->n - at - 1) * sizeof *s->runs);
        s->n--;
    } else if (after) {
        s->runs[at - 1].high = k;
    } else if (before) {
        s->runs[at].low = k;
    } else {
        return insert(s, at, k);
    }
    return ERR_OK;
}

bool part_set_full(const struct part_set *s, uint32_t round, uint32_t n) {
    if (n == 0) return true;
    size_t at = place_of(s, key(round, 0));
    return at < s->n && s->runs[at].low <= key(round, 0) && s->runs[at].high >= key(round, n - 1);
}
