#include "tests/bench/print_out.h"

#include "common/base/auto.h"
#include "tests/support/gen.h"

/* ---- stacks ---- */

enum { STACKS = 50000, FRAMES = 31, SHARED_LEAST = 10, SYMBOLS = 4000, SYMBOL_LEAST = 5, SYMBOL_MOST = 24, SYMBOL_BYTES = 32, TASKS = 40 };

/* Stacks grow out of others, as calls do: each has the first frames of an earlier one. */
struct forest {
    char symbol[SYMBOLS][SYMBOL_BYTES];
    uint16_t stack[STACKS][FRAMES];
};

static void make_symbols(struct forest *f, struct gen *g) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_0123456789";
    for (size_t i = 0; i < SYMBOLS; i++) {
        size_t n = gen_between(g, SYMBOL_LEAST, SYMBOL_MOST);
        for (size_t c = 0; c < n; c++) f->symbol[i][c] = letters[gen_below(g, c ? sizeof letters - 1 : 27)];
        f->symbol[i][n] = '\0';
    }
}

static void make_stacks(struct forest *f, struct gen *g) {
    for (size_t i = 0; i < STACKS; i++) {
        size_t shared = i ? gen_between(g, SHARED_LEAST, FRAMES - 1) : 0;
        if (shared) memcpy(f->stack[i], f->stack[gen_below(g, i)], shared * sizeof f->stack[i][0]);
        for (size_t j = shared; j < FRAMES; j++) f->stack[i][j] = (uint16_t)gen_below(g, SYMBOLS);
    }
}

/* Every stack once, then any of them until there are as many bytes. */
static void write_folded(FILE *to, uint64_t bytes, uint64_t seed) {
    struct gen g;
    gen_seed(&g, seed);
    AUTO_FREE struct forest *f = calloc(1, sizeof *f);
    if (!f) return;
    make_symbols(f, &g);
    make_stacks(f, &g);
    uint64_t written = 0;
    for (uint64_t line = 0; line < STACKS || written < bytes; line++) {
        size_t which = line < STACKS ? line : gen_below(&g, STACKS);
        int n = fprintf(to, "task-%zu", which % TASKS);
        for (size_t j = 0; n >= 0 && j < FRAMES; j++) n += fprintf(to, ";%s", f->symbol[f->stack[which][j]]);
        n += fprintf(to, " %llu\n", (unsigned long long)gen_between(&g, 1, 9999));
        written += (uint64_t)n;
    }
}

/* ---- tables ---- */

/* One in sixteen has a blank in it. */
static const char *const comms[] = {"curl",  "nginx", "postgres", "python3", "sshd",        "systemd", "kworker/0:1", "java",
                                    "redis", "node",  "envoy",    "jbd2/vd", "Web Content", "chronyd", "dockerd",     "runc"};

static const char *comm(struct gen *g) { return comms[gen_below(g, COUNT_OF(comms))]; }

static unsigned below(struct gen *g, unsigned limit) { return (unsigned)gen_below(g, limit); }

/* Short times are many, long ones few. */
static double latency_ms(struct gen *g) { return (double)gen_below(g, (uint64_t)1 << gen_between(g, 6, 20)) / 1000; }

static void write_tcpconnlat(FILE *to, uint64_t rows, uint64_t seed) {
    struct gen g;
    char from[32], other[32];
    gen_seed(&g, seed);
    fputs("TIME(s)   PID    COMM         IP SADDR            LPORT  DADDR            DPORT LAT(ms)\n", to);
    for (uint64_t i = 0; i < rows; i++) {
        bool v6 = below(&g, 8) == 0;
        snprintf(from, sizeof from, v6 ? "fd00:9::%x" : "10.9.0.%u", 1 + below(&g, 4));
        snprintf(other, sizeof other, v6 ? "fd00:9:1::%x" : "10.9.1.%u", 1 + below(&g, 250));
        fprintf(to, "%-9.3f %-6u %-12.12s %-2d %-16s %-6u %-16s %-5u %.2f\n", (double)i / 1000, 300 + below(&g, 60000), comm(&g),
                v6 ? 6 : 4, from, 32768 + below(&g, 28000), other, below(&g, 2) ? 443 : 80 + below(&g, 20), latency_ms(&g));
    }
}

/* The same 16,000 command lines again and again. */
static void write_execsnoop(FILE *to, uint64_t rows, uint64_t seed) {
    struct gen g;
    gen_seed(&g, seed);
    fputs("TIME     PCOMM            PID    PPID   RET ARGS\n", to);
    for (uint64_t i = 0; i < rows; i++) {
        const char *name = comm(&g);
        unsigned at = (unsigned)(i / 40), pid = 300 + below(&g, 60000), parent = 1 + below(&g, 300), conf = below(&g, 1000);
        fprintf(to, "%02u:%02u:%02u %-16s %-6u %-6u %3d /usr/bin/%s --config /etc/app/%u.conf -n 4 \n", at / 3600 % 24, at / 60 % 60,
                at % 60, name, pid, parent, below(&g, 32) ? 0 : -2, name, conf);
    }
}

static void write_biosnoop(FILE *to, uint64_t rows, uint64_t seed) {
    static const char *const kinds[] = {"R", "W", "WS", "RA", "WSM", "FF"};
    static const char *const disks[] = {"vda", "vdb", "nvme0n1"};
    struct gen g;
    gen_seed(&g, seed);
    fputs("TIME(s)     COMM           PID     DISK    T    SECTOR     BYTES   LAT(ms)\n", to);
    for (uint64_t i = 0; i < rows; i++)
        fprintf(to, "%-11.6f %-14.14s %-7u %-7s %-4s %-10u %-7u %7.3f\n", (double)i / 5000, comm(&g), 300 + below(&g, 60000),
                disks[below(&g, COUNT_OF(disks))], kinds[below(&g, COUNT_OF(kinds))], below(&g, 200000000), 4096u << below(&g, 6),
                latency_ms(&g));
}

/* ---- histograms ---- */

enum { SLOTS_LEAST = 8, SLOTS_MOST = 24, BAR = 40 };

static void write_histograms(FILE *to, uint64_t sections, uint64_t seed) {
    static const char stars[] = "****************************************";
    struct gen g;
    gen_seed(&g, seed);
    fputs("Tracing block device I/O... Hit Ctrl-C to end.\n", to);
    for (uint64_t i = 0; i < sections; i++) {
        fprintf(to, "\ndisk = dm-%llu\n     usecs               : count    distribution\n", (unsigned long long)i);
        uint64_t slots = gen_between(&g, SLOTS_LEAST, SLOTS_MOST);
        for (uint64_t s = 0; s < slots; s++) {
            int length = (int)below(&g, BAR + 1);
            fprintf(to, "%*llu -> %-*llu : %-8u |%.*s%*s|\n", 10, s ? 1ULL << s : 0, 10, (2ULL << s) - 1, below(&g, 100000), length, stars,
                    BAR - length, "");
        }
    }
}

/* What awk counts and sums: stacks and their counts; rows and the last column or the PIDs; slots and their counts. */
#define AWK_STACKS      "{ n = $NF; sub(/ [0-9]+$/, \"\"); c[$0] += n } END { for (k in c) { d++; t += c[k] } printf \"%.0f %.0f\\n\", d, t }"
#define AWK_LAST(scale) "NR > 1 { n++; s += $NF * " scale " } END { printf \"%.0f %.0f\\n\", n, s }"
#define AWK_PIDS        "NR > 1 { n++; s += substr($0, 27, 6) } END { printf \"%.0f %.0f\\n\", n, s }"
#define AWK_SLOTS       "$2 == \"->\" { n++; s += $5 } END { printf \"%.0f %.0f\\n\", n, s }"

static const struct print_out all[] = {
    {"folded", "profile", AWK_STACKS, write_folded},           {"tcpconnlat", "tcpconnlat", AWK_LAST("100"), write_tcpconnlat},
    {"execsnoop", "execsnoop", AWK_PIDS, write_execsnoop},     {"biosnoop", "biosnoop", AWK_LAST("1000"), write_biosnoop},
    {"histograms", "biolatency", AWK_SLOTS, write_histograms},
};

const struct print_out *print_out_find(struct span name) {
    for (size_t i = 0; i < COUNT_OF(all); i++)
        if (span_eq_str(name, all[i].name)) return &all[i];
    return NULL;
}
