/* How well hosts with an injected fault are found: precision and recall, mean over seeds 1 … 200, and below a factor of two the curve. */
#include <math.h>
#include <stdio.h>

#include "tests/support/slow_hosts.h"

enum { SEEDS = 200 };

static void row(size_t n, bool labelled, double low, double high) {
    double precision = 0, recall = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct slow_hosts_score s = slow_hosts_try(&(struct slow_hosts_options){seed, n, labelled, low, high});
        precision += s.precision / SEEDS;
        recall += s.recall / SEEDS;
    }
    printf("%6zu  %-9s  %4.2f … %4.2f  %9.4f  %6.4f\n", n, labelled ? "labelled" : "unknown", exp2(low), exp2(high), precision, recall);
    fflush(stdout);
}

int main(void) {
    printf(" hosts  roles      slower by    precision  recall\n");
    for (size_t n = 1000; n <= 10000; n += n < 3000 ? 2000 : 7000) {
        row(n, true, 1, 2);
        row(n, false, 1, 2);
    }
    for (double at = 0.2; at < 1.01; at += 0.1) row(3000, true, at, at);
    return 0;
}
