/* The options that say how a campaign is to go: which hosts and when, and when it ends early. */
#pragma once

#include "common/wire/spec.h"

struct course_args {
    struct share limit, waves[LIMIT_WAVES];
    size_t n_waves;
    uint64_t seed;
    bool has_seed;
    uint32_t rate_per_s, concurrency, domain_hosts, rounds;
    struct span domain;
    struct stop_when stop;
    uint64_t at_ahead_ns; /* --at +5s */
    const char *at_time;  /* --at 12:00:00; NULL: not given */
    uint64_t every_ns;
};

/* One option of them, by its name.  False: it is not well-formed; complained of in the verb's name. */
bool course_args_take(const char *verb, const char *name, const char *value, struct course_args *a);
/* Into the spec, whose issued_wall_ms and duration_s are set already: with when it starts and expires.  wait_ns: for hosts that are
 * away, 0: as usual.  False: it cannot be done; complained of.  waves stay a's. */
bool course_args_fill(const char *verb, const struct course_args *a, uint64_t wait_ns, struct spec *s);
