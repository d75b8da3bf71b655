/* What a tool costs its host, told before it is started: how often its event comes (a counter that the kernel keeps in any case)
 * times what one event costs.  Pure. */
#pragma once

#include "common/catalog/catalog.h"

/* One per counter, events a second; a counter that could not be read has no bit in known. */
struct cost_rates {
    uint64_t per_s[COUNTER__COUNT];
    unsigned known; /* bit n: enum cost_counter n */
};

struct cost {
    bool known;            /* its counter could be read */
    bool at_least;         /* nothing counts exactly this event: a lower bound */
    uint64_t events_per_s; /* of the counter, or samples */
    uint64_t ppm;          /* of all the CPU time that the machine has, in millionths */
};

/* cpus at least 1.  ps: the sampling rate, when it is given. */
struct cost cost_of(const struct tool *t, const struct params *ps, const struct cost_rates *rates, unsigned cpus);
/* Is it over max_ppm (0: there is no limit), when spent_ppm is spent already?  Then out_why says so with the figures, and names a
 * cheaper relative that would fit. */
bool cost_is_over(const struct tool *t, const struct cost *c, const struct cost_rates *rates, unsigned cpus, uint64_t spent_ppm,
                  uint64_t max_ppm, struct buf *out_why);
/* "about 1.3 % of the CPU (21000 context switches a second at 0.8 us)". */
void cost_say(const struct tool *t, const struct cost *c, struct buf *out);
/* "1.3 %": of millionths. */
void cost_say_ppm(uint64_t ppm, struct buf *out);
/* What one event costs, nanoseconds, and where the figure is from. */
uint64_t cost_event_ns(const struct tool *t);
const char *cost_source(const struct tool *t);
/* The tool that answers nearly the same for less; NULL: none. */
const struct tool *cost_cheaper(const struct tool *t);
/* "context switches": what a counter counts. */
const char *cost_counter_name(enum cost_counter c);
