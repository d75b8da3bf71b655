#include "common/merge/quantiles.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/events.h"

enum {
    SLOT_BITS = 6,
    SLOTS = 1 << SLOT_BITS, /* of an octave */
    EXPONENT_AT = 52,       /* in a double's bits */
    BEFORE = 1023 - 30 - 1, /* the exponent below that of the first octave, which begins at 2^-30 */
    OCTAVES = 94,           /* up to 2^64 */
    /* Octaves in the order of their values: the negative ones, zero, the positive ones. */
    NO_OCTAVE = 0,
    ZERO = 1 + OCTAVES,
    ALL_OCTAVES = ZERO + OCTAVES + 1,
    FIRST_WIDTH = 16,
    NO_PLACE = UINT8_MAX,
    CODE_AT = 24, /* in a want: above a seat, of which there are fewer than 2^24 */
    FEWEST_SEATS = 16,
    AHEAD = 16 /* rows whose counts are fetched, for those of many groups fit no cache */
};

/* A group whose quantile is asked for. */
struct chosen {
    uint32_t group;
    uint32_t octave; /* that it lies in */
    uint32_t rank;   /* among the numbers of this octave */
    uint32_t slot;   /* of the octave, known after the second reading */
};

struct quantiles {
    unsigned permille;
    size_t budget_bytes;
    /* Per group `width` counts, one for each octave that any number was in, in the order in which these came: `place`. */
    uint32_t *counts;
    size_t groups, cap_groups, width, places;
    uint8_t place[ALL_OCTAVES];
    /* The second reading. */
    struct chosen *chosen;       /* by group */
    size_t n_chosen, first, end; /* those that have their turn have a seat */
    uint32_t *want;              /* per group: octave and seat; 0: nothing */
    uint32_t *slots;             /* per seat SLOTS counts */
    size_t max_seats;
};

struct quantiles *quantiles_new(unsigned permille, size_t budget_bytes) {
    assert(permille >= 1 && permille <= 1000);
    struct quantiles *q = calloc(1, sizeof *q);
    if (!q) return NULL;
    *q = (struct quantiles){.permille = permille, .budget_bytes = budget_bytes, .width = FIRST_WIDTH};
    memset(q->place, NO_PLACE, sizeof q->place);
    return q;
}

void quantiles_free(struct quantiles *q) {
    if (!q) return;
    free(q->counts);
    free(q->chosen);
    free(q->want);
    free(q->slots);
    free(q);
}

/* A quarter of the budget is the seats'. */
static size_t most_groups(const struct quantiles *q, size_t width) {
    return q->budget_bytes / 4 * 3 / (width * sizeof *q->counts + sizeof *q->chosen + sizeof *q->want);
}

static size_t most_seats(const struct quantiles *q) {
    size_t n = q->budget_bytes / 4 / (SLOTS * sizeof *q->slots), most = ((size_t)1 << CODE_AT) - 1;
    return n < FEWEST_SEATS ? FEWEST_SEATS : n < most ? n : most;
}

enum err quantiles_room(struct quantiles *q, size_t n) {
    size_t most = most_groups(q, q->width), row = q->width * sizeof *q->counts;
    if (n > most) n = most;
    if (n > q->cap_groups) {
        size_t cap = n < most / 2 ? 2 * n : most;
        uint32_t *p = reallocarray(q->counts, cap, row);
        if (!p) return ERR_NOMEM;
        memset(p + q->cap_groups * q->width, 0, (cap - q->cap_groups) * row);
        q->counts = p;
        q->cap_groups = cap;
    }
    if (n > q->groups) q->groups = n;
    return ERR_OK;
}

size_t quantiles_groups(const struct quantiles *q) { return q->groups; }

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static unsigned octave_of(uint64_t bits) {
    int octave = (int)(bits >> EXPONENT_AT & 0x7ff) - BEFORE;
    if (octave < 1) return ZERO;
    return (unsigned)(bits >> 63 ? ZERO - octave : ZERO + octave);
}

static unsigned slot_of(uint64_t bits) { return (unsigned)(bits >> (EXPONENT_AT - SLOT_BITS)) % SLOTS; }

/* ---- first reading ---- */
/* Twice as wide, for as many of the groups as there is room for then. */
static enum err widen(struct quantiles *q) {
    size_t most = most_groups(q, 2 * q->width), cap = q->cap_groups < most ? q->cap_groups : most;
    uint32_t *p = calloc(cap + 1, 2 * q->width * sizeof *p);
    if (!p) return ERR_NOMEM;
    if (q->groups > cap) q->groups = cap;
    for (size_t i = 0; i < q->groups; i++) memcpy(p + 2 * i * q->width, q->counts + i * q->width, q->width * sizeof *p);
    free(q->counts);
    q->counts = p;
    q->cap_groups = cap;
    q->width *= 2;
    return ERR_OK;
}

static enum err new_place(struct quantiles *q, unsigned octave) {
    enum err e = q->places == q->width ? widen(q) : ERR_OK;
    if (!e) q->place[octave] = (uint8_t)q->places++;
    return e;
}

enum err quantiles_count(struct quantiles *q, const struct quantiles_rows *rows) {
    const uint32_t *group = rows->group;
    for (size_t i = 0; i < rows->n; i++) {
        if (i + AHEAD < rows->n && group[i + AHEAD] < q->groups) __builtin_prefetch(&q->counts[group[i + AHEAD] * q->width], 1);
        if (group[i] >= q->groups || rows->number[i] == EVENTS_NULL) continue;
        unsigned octave = octave_of(bits_of((double)rows->number[i] / rows->unit));
        if (q->place[octave] == NO_PLACE) {
            enum err e = new_place(q, octave);
            if (e) return e;
            if (group[i] >= q->groups) continue;
        }
        uint32_t *count = &q->counts[group[i] * q->width + q->place[octave]];
        *count += *count != UINT32_MAX;
    }
    return ERR_OK;
}

/* ---- between them ---- */
static uint32_t count_at(const struct quantiles *q, size_t group, unsigned octave) {
    return q->place[octave] == NO_PLACE ? 0 : q->counts[group * q->width + q->place[octave]];
}

/* Where the group's quantile lies: .octave NO_OCTAVE when it has no number. */
static struct chosen locate(const struct quantiles *q, size_t group) {
    uint64_t n = 0, rank;
    for (size_t i = 0; i < q->places; i++) n += q->counts[group * q->width + i];
    rank = (n * q->permille + 999) / 1000;
    for (unsigned octave = NO_OCTAVE + 1; octave < ALL_OCTAVES && n; octave++) {
        uint32_t here = count_at(q, group, octave);
        if (rank <= here) return (struct chosen){.group = (uint32_t)group, .octave = octave, .rank = (uint32_t)rank};
        rank -= here;
    }
    return (struct chosen){.octave = NO_OCTAVE};
}

void quantiles_highest(const struct quantiles *q, size_t n, unsigned char *out_wanted) {
    size_t groups_of[ALL_OCTAVES] = {0}, above = 0;
    unsigned least = ALL_OCTAVES;
    for (size_t i = 0; i < q->groups; i++) groups_of[locate(q, i).octave]++;
    while (least > NO_OCTAVE + 1 && above < n) above += groups_of[--least];
    for (size_t i = 0; i < q->groups; i++) out_wanted[i] = locate(q, i).octave >= least;
}

enum err quantiles_choose(struct quantiles *q, const unsigned char *wanted) {
    size_t n = 0;
    for (size_t i = 0; i < q->groups; i++) n += wanted[i];
    q->max_seats = n < most_seats(q) ? n : most_seats(q);
    q->chosen = calloc(n + 1, sizeof *q->chosen);
    q->want = calloc(q->groups + 1, sizeof *q->want);
    q->slots = calloc(q->max_seats + 1, SLOTS * sizeof *q->slots);
    if (!q->chosen || !q->want || !q->slots) return ERR_NOMEM;
    for (size_t i = 0; i < q->groups; i++) {
        struct chosen c = wanted[i] ? locate(q, i) : (struct chosen){.octave = NO_OCTAVE};
        if (c.octave != NO_OCTAVE) q->chosen[q->n_chosen++] = c;
    }
    return ERR_OK;
}

/* Below zero the larger number has the lower slot. */
static uint32_t slot_at(const uint32_t *slots, const struct chosen *c) {
    uint64_t seen = 0;
    uint32_t i = 0;
    while (i < SLOTS - 1 && (seen += slots[c->octave < ZERO ? SLOTS - 1 - i : i]) < c->rank) i++;
    return c->octave < ZERO ? SLOTS - 1 - i : i;
}

bool quantiles_again(struct quantiles *q) {
    for (size_t i = q->first; i < q->end; i++) {
        q->chosen[i].slot = slot_at(q->slots + (i - q->first) * SLOTS, &q->chosen[i]);
        q->want[q->chosen[i].group] = 0;
    }
    q->first = q->end;
    q->end = q->n_chosen - q->first < q->max_seats ? q->n_chosen : q->first + q->max_seats;
    for (size_t i = q->first; i < q->end; i++) q->want[q->chosen[i].group] = q->chosen[i].octave << CODE_AT | (uint32_t)(i - q->first);
    memset(q->slots, 0, q->max_seats * SLOTS * sizeof *q->slots);
    return q->first < q->end;
}

/* ---- second reading ---- */
void quantiles_refine(struct quantiles *q, const struct quantiles_rows *rows) {
    for (size_t i = 0; i < rows->n; i++) {
        uint32_t want = rows->group[i] < q->groups ? q->want[rows->group[i]] : 0;
        if (!want || rows->number[i] == EVENTS_NULL) continue; /* most are of groups that are not wanted */
        uint64_t bits = bits_of((double)rows->number[i] / rows->unit);
        if (want >> CODE_AT != octave_of(bits)) continue;
        q->slots[(want & ((1u << CODE_AT) - 1)) * SLOTS + slot_of(bits)]++;
    }
}

static double edge(unsigned octave, unsigned slot) {
    uint64_t bits = (uint64_t)(octave + BEFORE) << EXPONENT_AT | (uint64_t)slot << (EXPONENT_AT - SLOT_BITS);
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* The value whose distance from both ends of its slot is the same, relatively. */
static struct quantile of_slot(unsigned octave, unsigned slot) {
    if (octave == ZERO) return (struct quantile){.known = true};
    unsigned size = octave > ZERO ? octave - ZERO : ZERO - octave;
    double low = edge(size, slot), high = slot + 1 < SLOTS ? edge(size, slot + 1) : edge(size + 1, 0);
    double value = 2 * low * high / (low + high);
    return octave > ZERO ? (struct quantile){true, value, low, high} : (struct quantile){true, -value, -high, -low};
}

static int by_group(const void *pa, const void *pb) {
    const struct chosen *a = pa, *b = pb;
    return a->group < b->group ? -1 : a->group > b->group;
}

struct quantile quantiles_get(const struct quantiles *q, uint32_t group) {
    const struct chosen key = {.group = group};
    const struct chosen *c = q->n_chosen ? bsearch(&key, q->chosen, q->first, sizeof key, by_group) : NULL;
    return c ? of_slot(c->octave, c->slot) : (struct quantile){.known = false};
}
