#include "common/merge/sketch.h"

#include <assert.h>

#include "common/base/num.h"

enum {
    SLOT_BITS = 6,                     /* 64 slots per octave */
    DROP_BITS = 52 - SLOT_BITS,        /* of a double's fraction */
    LOWEST = (1023 - 30) << SLOT_BITS, /* the slot of 2^-30, which is 1 here */
    SLOTS_MAX = 94 << SLOT_BITS,       /* up to 2^64 */
    FEW = 24,                          /* as a list; then as a window */
    COUNT_BITS = 48
};
#define COUNT_MAX (((uint64_t)1 << COUNT_BITS) - 1)

/* Ascending with the value; 0: nothing. */
static int32_t slot_of(double value) {
    double size = value < 0 ? -value : value;
    uint64_t bits;
    memcpy(&bits, &size, sizeof bits);
    int32_t slot = (int32_t)(bits >> DROP_BITS) - LOWEST + 1;
    if (slot < 1) return 0;
    if (slot > SLOTS_MAX) slot = SLOTS_MAX;
    return value < 0 ? -slot : slot;
}

static double edge(int32_t slot) {
    uint64_t bits = (uint64_t)(slot + LOWEST - 1) << DROP_BITS;
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static uint64_t pair(int32_t slot, uint64_t count) { return (uint64_t)(slot + SLOTS_MAX) << COUNT_BITS | count; }
static int32_t pair_slot(uint64_t p) { return (int32_t)(p >> COUNT_BITS) - SLOTS_MAX; }

static enum err resize(struct sketch *s, size_t want, struct arena *mem) {
    return want <= s->cap ? ERR_OK : arena_grow(mem, &s->slots, &s->cap, want, sizeof *s->slots);
}

/* A window that has room for slot, with as much again on the side that it grew to. */
static enum err widen(struct sketch *s, int32_t slot, struct arena *mem) {
    int32_t first = s->first, end = s->first + (int32_t)s->n_slots, more = (end - first) / 2;
    if (slot < first) first = slot - more > -SLOTS_MAX ? slot - more : -SLOTS_MAX;
    if (slot >= end) end = slot + more < SLOTS_MAX ? slot + more + 1 : SLOTS_MAX + 1;
    size_t n = (size_t)(end - first);
    uint64_t *slots = arena_array(mem, n, sizeof *slots);
    if (!slots) return ERR_NOMEM;
    memcpy(slots + (s->first - first), s->slots, s->n_slots * sizeof *slots);
    s->slots = slots;
    s->n_slots = s->cap = n;
    s->first = first;
    return ERR_OK;
}

static enum err make_dense(struct sketch *s, struct arena *mem) {
    int32_t first = pair_slot(s->slots[0]), last = pair_slot(s->slots[s->n_slots - 1]);
    size_t n = (size_t)(last - first) + 1;
    uint64_t *slots = arena_array(mem, n, sizeof *slots);
    if (!slots) return ERR_NOMEM;
    for (size_t i = 0; i < s->n_slots; i++) slots[pair_slot(s->slots[i]) - first] = s->slots[i] & COUNT_MAX;
    *s = (struct sketch){.n = s->n, .slots = slots, .n_slots = n, .cap = n, .first = first, .dense = true};
    return ERR_OK;
}

static enum err add_dense(struct sketch *s, int32_t slot, uint64_t count, struct arena *mem) {
    int64_t at = (int64_t)slot - s->first;
    if (at < 0 || at >= (int64_t)s->n_slots) {
        enum err e = widen(s, slot, mem);
        if (e) return e;
        at = (int64_t)slot - s->first;
    }
    s->slots[at] = num_sat_add(s->slots[at], count);
    s->n = num_sat_add(s->n, count);
    return ERR_OK;
}

static enum err add_slot(struct sketch *s, int32_t slot, uint64_t count, struct arena *mem) {
    if (count == 0) return ERR_OK;
    if (count > COUNT_MAX) count = COUNT_MAX;
    if (s->dense) return add_dense(s, slot, count, mem);
    size_t i = s->n_slots;
    while (i > 0 && pair_slot(s->slots[i - 1]) > slot) i--;
    bool there = i > 0 && pair_slot(s->slots[i - 1]) == slot;
    bool too_many = there ? (s->slots[i - 1] & COUNT_MAX) + count > COUNT_MAX : s->n_slots == FEW;
    if (too_many) {
        enum err e = make_dense(s, mem);
        return e ? e : add_dense(s, slot, count, mem);
    }
    if (there) {
        s->slots[i - 1] += count;
    } else {
        enum err e = resize(s, s->n_slots + 1, mem);
        if (e) return e;
        memmove(s->slots + i + 1, s->slots + i, (s->n_slots - i) * sizeof *s->slots);
        s->slots[i] = pair(slot, count);
        s->n_slots++;
    }
    s->n = num_sat_add(s->n, count);
    return ERR_OK;
}

enum err sketch_add(struct sketch *s, double value, uint64_t count, struct arena *mem) { return add_slot(s, slot_of(value), count, mem); }

void sketch_soon(const struct sketch *s, double value) {
    int64_t at = s->dense ? (int64_t)slot_of(value) - s->first : 0;
    if (at >= 0 && at < (int64_t)s->n_slots) __builtin_prefetch(&s->slots[at], 1);
}

static int32_t slot_at(const struct sketch *s, size_t i) { return s->dense ? s->first + (int32_t)i : pair_slot(s->slots[i]); }
static uint64_t count_at(const struct sketch *s, size_t i) { return s->dense ? s->slots[i] : s->slots[i] & COUNT_MAX; }

enum err sketch_merge(struct sketch *into, const struct sketch *from, struct arena *mem) {
    enum err e = ERR_OK;
    for (size_t i = 0; i < from->n_slots && !e; i++) e = add_slot(into, slot_at(from, i), count_at(from, i), mem);
    return e;
}

/* The value whose distance from both ends of its slot is the same, relatively. */
static struct quantile of_slot(int32_t slot) {
    if (slot == 0) return (struct quantile){.known = true};
    double low = edge(slot < 0 ? -slot : slot), high = edge((slot < 0 ? -slot : slot) + 1), value = 2 * low * high / (low + high);
    return slot > 0 ? (struct quantile){true, value, low, high} : (struct quantile){true, -value, -high, -low};
}

struct quantile sketch_quantile(const struct sketch *s, unsigned permille) {
    assert(permille >= 1 && permille <= 1000);
    if (s->n == 0) return (struct quantile){.known = false};
    uint64_t rank = (uint64_t)(((__uint128_t)s->n * permille + 999) / 1000), seen = 0;
    size_t i = 0;
    while ((seen = num_sat_add(seen, count_at(s, i))) < rank) i++;
    return of_slot(slot_at(s, i));
}
