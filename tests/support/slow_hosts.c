#include "tests/support/slow_hosts.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "common/merge/outliers.h"
#include "tests/support/gen.h"

enum { SLOTS = 32, ROLES = 4, FAULTY_IN = 100 };

static const struct { double share, at, width; } roles[ROLES] = {{0.4, 4.3, 0.8}, {0.3, 7.8, 1.5}, {0.2, 11.3, 0.5}, {0.1, 14.8, 1.1}};
static const double host_jitter = 0.15;

static double uniform(struct gen *g) { return ((double)(gen_u64(g) >> 11) + 0.5) / 9007199254740992.0; }
static double normal(struct gen *g) { return sqrt(-2 * log(uniform(g))) * cos(2 * M_PI * uniform(g)); }

static uint32_t choose_role(struct gen *g) {
    double u = uniform(g);
    uint32_t role = 0;
    while (role + 1 < ROLES && u >= roles[role].share) u -= roles[role++].share;
    return role;
}

/* A count around what is expected: the sum of many small chances is nearly normal. */
static uint64_t draw(struct gen *g, double expected) {
    double v = expected + sqrt(expected) * normal(g);
    return v > 0 ? (uint64_t)(v + 0.5) : 0;
}

static void fill(struct gen *g, double at, double width, double n, struct hist_slot *slots) {
    for (int i = 0; i < SLOTS; i++) {
        double low = i, high = i + 1;
        double share = (erf((high - at) / width / M_SQRT2) - (i == 0 ? -1 : erf((low - at) / width / M_SQRT2))) / 2;
        slots[i] = (struct hist_slot){i == 0 ? 0 : 1ULL << i, (2ULL << i) - 1, draw(g, share * n)};
    }
}

struct slow_hosts_score slow_hosts_try(const struct slow_hosts_options *opt) {
    struct gen g;
    struct outlier_host *hosts = calloc(opt->n, sizeof *hosts);
    bool *faulty = calloc(opt->n, sizeof *faulty);
    assert(hosts && faulty);
    gen_seed(&g, opt->seed);
    for (size_t i = 0; i < opt->n / FAULTY_IN; i++) {
        size_t at = gen_below(&g, opt->n);
        while (faulty[at]) at = gen_below(&g, opt->n);
        faulty[at] = true;
    }
    for (size_t i = 0; i < opt->n; i++) {
        struct hist_slot slots[SLOTS];
        struct hist h = {.unit = SPAN_LIT("usecs"), .slots = slots, .n_slots = SLOTS};
        uint32_t role = choose_role(&g);
        double at = roles[role].at + host_jitter * normal(&g), n = 200 * exp2(uniform(&g) * log2(100));
        if (faulty[i]) at += opt->low + (opt->high - opt->low) * uniform(&g);
        fill(&g, at, roles[role].width, n, slots);
        hosts[i].group = opt->labelled ? role : 0;
        hosts[i].split = !opt->labelled;
        bool some = outliers_place(&h, &hosts[i].at, &hosts[i].variance);
        assert(some);
    }
    const struct outliers_rule rule = {.rate = 0.05, .least = 0.5};
    enum err e = outliers_find(hosts, opt->n, &rule);
    assert(e == ERR_OK);
    double found = 0, right = 0, all = 0;
    for (size_t i = 0; i < opt->n; i++) {
        found += hosts[i].found;
        right += hosts[i].found && faulty[i];
        all += faulty[i];
    }
    free(hosts);
    free(faulty);
    return (struct slow_hosts_score){found > 0 ? right / found : 1, all > 0 ? right / all : 1};
}
