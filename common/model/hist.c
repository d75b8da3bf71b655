#include "common/base/auto.h"
#include "common/base/num.h"
#include "common/model/histogram.h"

double hist_unit_ns(struct span unit) {
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"nsecs", 1}, {"usecs", 1e3}, {"msecs", 1e6}, {"ms", 1e6}, {"us", 1e3}, {"secs", 1e9}};
    for (size_t i = 0; i < COUNT_OF(units); i++)
        if (span_eq_str(unit, units[i].name)) return units[i].ns;
    return 0;
}

uint64_t hist_total(const struct hist *h) {
    uint64_t total = 0;
    for (size_t i = 0; i < h->n_slots; i++) total = num_sat_add(total, h->slots[i].count);
    return total;
}

/* The same labels, in any order: flavours of a tool print them in different orders. */
static bool same_section(const struct hist *a, const struct hist *b) {
    if (a->n_section != b->n_section) return false;
    unsigned used = 0;
    for (size_t i = 0; i < a->n_section; i++) {
        size_t j = 0;
        while (j < b->n_section &&
               (used >> j & 1 || !span_eq(a->section[i].key, b->section[j].key) || !span_eq(a->section[i].value, b->section[j].value)))
            j++;
        if (j == b->n_section) return false;
        used |= 1u << j;
    }
    return true;
}

bool hist_same_kind(const struct hist *a, const struct hist *b) {
    return a->scale == b->scale && span_eq(a->unit, b->unit) && same_section(a, b);
}
