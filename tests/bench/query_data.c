#include "tests/bench/query_data.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "tests/support/gen.h"

enum { COMMS = 300, PEERS = 20000, FAN_OUT = 11, LEVELS = 6, CHAIN = 2, PRIME = 1299709 };

static const struct column columns[] = {{.name = SPAN_LIT("PID"), .type = COLUMN_INT},
                                        {.name = SPAN_LIT("COMM"), .type = COLUMN_TEXT},
                                        {.name = SPAN_LIT("SADDR"), .type = COLUMN_ADDRESS},
                                        {.name = SPAN_LIT("DADDR"), .type = COLUMN_ADDRESS},
                                        {.name = SPAN_LIT("DPORT"), .type = COLUMN_PORT},
                                        {.name = SPAN_LIT("LAT(ms)"), .unit = SPAN_LIT("ms"), .type = COLUMN_DECIMAL, .decimals = 2}};
enum { PID, COMM, SADDR, DADDR, DPORT, LAT };

#define MUST(call)                                                                                                                         \
    do {                                                                                                                                   \
        enum err must_ = (call);                                                                                                           \
        assert(must_ == ERR_OK);                                                                                                           \
    } while (0)

static double uniform(struct gen *g) { return ((double)(gen_u64(g) >> 11) + 0.5) / 9007199254740992.0; }
static double normal(struct gen *g) { return sqrt(-2 * log(uniform(g))) * cos(2 * M_PI * uniform(g)); }
/* Few are often, many are rare. */
static uint64_t skewed(struct gen *g, uint64_t n) { return (uint64_t)((double)n * uniform(g) * uniform(g) * uniform(g)); }

struct span query_data_host(size_t i, char out[LIMIT_NAME_BYTES + 1]) {
    snprintf(out, LIMIT_NAME_BYTES + 1, "host-%05zu", i);
    return span_str(out);
}

void query_data_hist(size_t host, struct hist_slot slots[QUERY_DATA_SLOTS], struct hist *out) {
    struct gen g;
    gen_seed(&g, host + 1);
    double at = 9 + 0.15 * normal(&g), events = 2000 * (1 + uniform(&g));
    if (host % 100 == 0) at += 1 + uniform(&g);
    for (int i = 0; i < QUERY_DATA_SLOTS; i++) {
        double far = (i + 0.5 - at) / 1.3;
        uint64_t high = i + 1 < QUERY_DATA_SLOTS ? (2ULL << i) - 1 : HIST_OPEN;
        slots[i] = (struct hist_slot){i ? 1ULL << i : 0, high, (uint64_t)(events * 0.3 * exp(-far * far / 2) + uniform(&g))};
    }
    *out = (struct hist){.unit = SPAN_LIT("usecs"), .slots = slots, .n_slots = QUERY_DATA_SLOTS};
}

static void text(struct events *e, int column, size_t row, const char *z) {
    MUST(strings_add(&e->strings, span_str(z), &e->columns[column].text[row]));
}

struct events query_data_events(size_t host, size_t rows, struct arena *mem) {
    struct gen g;
    struct events e;
    char word[32];
    size_t row = 0;
    gen_seed(&g, host + 1);
    MUST(events_init(&e, columns, COUNT_OF(columns), mem));
    for (size_t i = 0; i < rows; i++) {
        MUST(events_row(&e, mem, &row));
        uint64_t comm = skewed(&g, COMMS), peer = skewed(&g, PEERS);
        e.columns[PID].number[row] = (int64_t)gen_between(&g, 300, 40000);
        snprintf(word, sizeof word, "service-%03u", (unsigned)comm);
        text(&e, COMM, row, word);
        snprintf(word, sizeof word, "10.1.%zu.%zu", host / 250, host % 250);
        text(&e, SADDR, row, word);
        snprintf(word, sizeof word, "10.2.%u.%u", (unsigned)(peer / 250), (unsigned)(peer % 250));
        text(&e, DADDR, row, word);
        e.columns[DPORT].number[row] = gen_below(&g, 3) ? 443 : 5432;
        e.columns[LAT].number[row] = (int64_t)(100 * exp(0.01 * (double)comm + 0.7 * normal(&g)));
    }
    return e;
}

/* The n-th stack of the pool: at each of some levels one of many functions, each followed by a chain that belongs to it. */
static uint32_t path(struct stacks *s, uint64_t n) {
    char name[48];
    uint32_t at = STACKS_ROOT;
    uint64_t prefix = 0;
    MUST(stacks_node(s, at, SPAN_LIT("start_thread"), FRAME_USER, &at));
    MUST(stacks_node(s, at, SPAN_LIT("event_loop_run"), FRAME_USER, &at));
    for (int level = 0; level < LEVELS; level++) {
        uint64_t digit = n % FAN_OUT;
        n /= FAN_OUT;
        prefix = prefix * FAN_OUT + digit;
        for (int i = 0; i <= (level < LEVELS - 1 ? CHAIN : 0); i++) {
            snprintf(name, sizeof name, "module_%d_function_%u_%d", level, (unsigned)digit, i);
            MUST(stacks_node(s, at, span_str(name), level < 4 ? FRAME_USER : FRAME_KERNEL, &at));
        }
    }
    MUST(stacks_node(s, at, SPAN_LIT("schedule"), FRAME_KERNEL, &at));
    return at;
}

struct stacks query_data_stacks(size_t host, size_t each, struct arena *mem) {
    struct stacks s;
    uint64_t pool = 1;
    for (int i = 0; i < LEVELS; i++) pool *= FAN_OUT;
    MUST(stacks_init(&s, SPAN_LIT("usecs"), mem));
    for (size_t i = 0; i < each; i++) {
        uint64_t n = (host * each + i) * PRIME % pool; /* all different, in no order */
        MUST(stacks_add(&s, path(&s, n), SPAN_LIT("service"), 100 + (int64_t)(i % 7), 1 + n % 1000));
    }
    return s;
}
