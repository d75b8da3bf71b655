#include "common/base/num.h"
#include "common/model/histogram.h"

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
        while (j < b->n_section && (used >> j & 1 || !span_eq(a->section[i].key, b->section[j].key) ||
                                    !span_eq(a->section[i].value, b->section[j].value)))
            j++;
        if (j == b->n_section) return false;
        used |= 1u << j;
    }
    return true;
}

bool hist_same_kind(const struct hist *a, const struct hist *b) {
    return a->scale == b->scale && span_eq(a->unit, b->unit) && same_section(a, b);
}
