/* A made-up fleet with a known fault in it: what outlier detection is held to.
 * Four roles whose usual latency is 3.5 octaves apart, in unequal shares and widths; the hosts of a role differ by a factor that is
 * log-normal (0.15 octaves); each has a log2 histogram of some 200 to 20,000 samples.  One in a hundred is slower by 2^low … 2^high. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slow_hosts_options {
    uint64_t seed;
    size_t n;
    bool labelled;    /* the role is known */
    double low, high; /* octaves */
};
struct slow_hosts_score {
    double precision, recall; /* precision of nothing found: 1 */
};
struct slow_hosts_score slow_hosts_try(const struct slow_hosts_options *opt);
