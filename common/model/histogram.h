/* Histograms as tools print them.  Pure data: everything lives in the arena it was made in.
 * Slots are ascending and do not overlap; high is inclusive; HIST_OPEN means "and above". */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/err.h"
#include "common/base/span.h"

#define HIST_OPEN UINT64_MAX
enum { HIST_SECTION_MAX = 4 };

enum hist_scale { HIST_LOG2, HIST_LINEAR };

struct label {
    struct span key, value;
};

struct hist_slot {
    uint64_t low, high, count;
};

struct hist {
    struct span unit; /* "usecs" as printed; "" when the print-out has none */
    enum hist_scale scale;
    struct label section[HIST_SECTION_MAX]; /* disk=vda, flags=Sync-Write; in the order printed */
    size_t n_section;
    struct span interval; /* the interval's mark as printed ("11:07:42" or "#2"); "" when the run has one interval */
    struct hist_slot *slots;
    size_t n_slots;
};

struct hist_set {
    struct hist *hists;
    size_t n;
};

/* Nanoseconds in one of a unit as tools print it ("usecs"); 0: it is no unit of time. */
double hist_unit_ns(struct span unit);
uint64_t hist_total(const struct hist *h); /* saturating */
/* Same unit, scale and section (intervals are not compared). */
bool hist_same_kind(const struct hist *a, const struct hist *b);
