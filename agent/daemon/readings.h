/* What triggers look at besides pressure: load, run queue, context switches, interrupts, disks, memory.  From /proc, when somebody asks;
 * nothing here looks by itself. */
#pragma once

#include "common/order/when.h"

enum { READINGS_DISKS = 16 };

/* One look.  Counters are since the host's start. */
struct readings {
    uint64_t at_ns; /* monotonic; 0: nobody has looked */
    unsigned known; /* bit per enum when_reading */
    double raw[WHEN_READING__COUNT];
    uint64_t busy_ms[READINGS_DISKS]; /* of the first disks, in /proc/diskstats' order */
    size_t n_disks;
};

/* proc: "/proc". */
void readings_take(const char *proc, uint64_t now_ns, struct readings *out);
/* How high one is: counters per second between the looks, everything else as it is now.  False: not known, or there is no look before. */
bool readings_level(const struct readings *before, const struct readings *now, enum when_reading which, double *out);
/* Is w's condition fulfilled by a level, and for rose and fell the level of the look before? */
bool readings_meet(const struct when *w, bool has_last, double last, double level);
