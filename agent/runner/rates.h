/* How often the events of the catalogue's cost counters come on this host: two looks at what the kernel counts in any case, and
 * what lies between. */
#pragma once

#include "common/catalog/cost.h"

enum { RATES_WINDOW_MS = 250 }; /* between two looks, when there was none before */

struct rates_look {
    uint64_t at_ns;
    uint64_t count[COUNTER__COUNT];
    unsigned known; /* bit n: enum cost_counter n was there */
    unsigned cpus;  /* 0: not told */
};

/* proc is "/proc"; what is not there is not known. */
void rates_look(const char *proc, uint64_t now_ns, struct rates_look *out);
/* Counters that went backwards between the looks are not known. */
void rates_between(const struct rates_look *before, const struct rates_look *after, struct cost_rates *out);
