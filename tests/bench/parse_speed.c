/* How fast print-outs are parsed, and in how much memory: the parsers of `trawl parse` and the agent, beside what others need to read the
 * same bytes.  Reading order: main → measure → ours, memchr_lines, program; the print-outs are print_out.c. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/catalog/catalog.h"
#include "common/wire/limits.h"
#include "tests/bench/print_out.h"

enum { TIMES = 5, ANSWER_BYTES = 64 };

static const char usage[] = "usage: parse_speed write NAME SIZE SEED > FILE    a print-out: folded (bytes); tcpconnlat, execsnoop, "
                            "biosnoop (rows); histograms (sections)\n"
                            "       parse_speed measure NAME FILE [TIMES]      CPU time, the best of TIMES (5)\n";

/* What a reading costs, and what it found. */
struct reading {
    uint64_t ns;
    uint64_t faults;           /* of pages */
    char answer[ANSWER_BYTES]; /* "COUNT SUM" */
};

static uint64_t cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static uint64_t page_faults(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (uint64_t)used.ru_minflt;
}

static void keep_best(struct reading *best, const struct reading *r) {
    if (best->ns == 0 || r->ns < best->ns) *best = *r;
}

/* ---- the readers ---- */

static uint64_t sum_column(const struct column *c, size_t n_rows) {
    uint64_t sum = 0;
    for (size_t i = 0; i < n_rows; i++) sum += (uint64_t)c->number[i];
    return sum;
}

/* As the print-out's awk program counts. */
static void answer(const struct capture *c, struct reading *out) {
    uint64_t count = 0, sum = 0;
    if (c->kind == RESULT_STACKS) {
        count = c->stacks.n_rows;
        sum = stacks_total(&c->stacks);
    } else if (c->kind == RESULT_EVENTS) {
        size_t column = events_column(&c->events, SPAN_LIT("LAT"));
        if (column == c->events.n_columns) column = events_column(&c->events, SPAN_LIT("PID"));
        count = c->events.n_rows;
        if (column < c->events.n_columns) sum = sum_column(&c->events.columns[column], c->events.n_rows);
    } else {
        for (size_t i = 0; i < c->hists.n; i++) {
            count += c->hists.hists[i].n_slots;
            sum += hist_total(&c->hists.hists[i]);
        }
    }
    snprintf(out->answer, sizeof out->answer, "%llu %llu", (unsigned long long)count, (unsigned long long)sum);
}

static bool ours(const struct print_out *p, struct span text, struct reading *out) {
    const struct flavour *f = catalog_flavour(catalog_find(span_str(p->tool)), FLAVOUR_LIBBPF);
    struct parse_input in = {.out = text};
    struct capture c;
    uint64_t began = cpu_ns(), faults = page_faults();
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_OFFLINE_ARENA_BYTES);
    enum err e = mem ? parse_output(&f->parse, &in, mem, &c) : ERR_NOMEM;
    out->ns = cpu_ns() - began;
    out->faults = page_faults() - faults;
    if (e || c.ledger.parse > 0) {
        fprintf(stderr, "parse_speed: %s: %s, %llu lines not understood\n", p->name, err_text(e),
                e ? 0 : (unsigned long long)c.ledger.parse);
        return false;
    }
    answer(&c, out);
    return true;
}

/* The least that a reader of lines can do. */
static void memchr_lines(struct span text, struct reading *out) {
    uint64_t began = cpu_ns(), lines = 0;
    for (const char *p = text.p, *end = p + text.n; (p = memchr(p, '\n', (size_t)(end - p))); p++) lines++;
    out->ns = cpu_ns() - began;
    snprintf(out->answer, sizeof out->answer, "%llu", (unsigned long long)lines);
}

/* A program's CPU time, from its start; its first line is the answer. */
static bool program(char *const argv[], struct reading *out) {
    int ends[2], status;
    struct rusage used;
    if (pipe2(ends, O_CLOEXEC)) return false;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execv(argv[0], argv);
        _exit(127);
    }
    close(ends[1]);
    ssize_t n = pid > 0 ? read(ends[0], out->answer, sizeof out->answer - 1) : -1;
    close(ends[0]);
    if (pid < 0 || wait4(pid, &status, 0, &used) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) || n < 0) return false;
    out->answer[span_find(span_of(out->answer, (size_t)n), '\n')] = '\0';
    out->ns = (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * NS_PER_S +
              (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000;
    return true;
}

/* ---- what is printed ---- */

static void tell(const char *who, const struct reading *r, size_t bytes, const char *of) {
    double ns = r->ns ? (double)r->ns : 1;
    printf("  %-12s %8.3f GB/s %8.1f ms   %s%s\n", who, (double)bytes / ns, ns / 1e6, of, r->answer);
}

static uint64_t peak_bytes(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (uint64_t)used.ru_maxrss * 1024;
}

static int measure(const struct print_out *p, const char *path, struct span text, uint64_t times) {
    struct reading parsed = {0}, lines = {0}, wc = {0}, mawk = {0}, r = {0};
    char awk[512], file[PATH_MAX];
    snprintf(awk, sizeof awk, "%s", p->awk);
    snprintf(file, sizeof file, "%s", path);
    char *const wc_argv[] = {"/usr/bin/wc", "-l", file, NULL}, *const mawk_argv[] = {"/usr/bin/mawk", awk, file, NULL};
    if (!ours(p, text, &parsed)) return EXIT_FAILURE;
    uint64_t peak = peak_bytes();
    for (uint64_t i = 1; i < times; i++) {
        if (!ours(p, text, &r)) return EXIT_FAILURE;
        keep_best(&parsed, &r);
    }
    for (uint64_t i = 0; i < times; i++) {
        memchr_lines(text, &r);
        keep_best(&lines, &r);
        if (!program(wc_argv, &r)) return fputs("parse_speed: wc failed\n", stderr), EXIT_FAILURE;
        keep_best(&wc, &r);
    }
    if (!program(mawk_argv, &mawk)) return fputs("parse_speed: mawk failed\n", stderr), EXIT_FAILURE;
    uint64_t n_lines = 0;
    if (!span_u64(span_str(lines.answer), &n_lines) || n_lines == 0) return EXIT_FAILURE;
    printf("%s: %.1f MB, %llu lines\n", p->name, (double)text.n / 1e6, (unsigned long long)n_lines);
    tell("parse", &parsed, text.n, "count and sum: ");
    tell("memchr", &lines, text.n, "lines: ");
    tell("wc -l", &wc, text.n, "");
    tell("mawk", &mawk, text.n, "count and sum: ");
    printf("  %.1f ns a line, %llu page faults; peak memory %.2f × the input, which is part of it\n", (double)parsed.ns / (double)n_lines,
           (unsigned long long)parsed.faults, (double)peak / (double)text.n);
    if (strcmp(parsed.answer, mawk.answer) == 0) return EXIT_SUCCESS;
    fputs("parse_speed: mawk counts something else\n", stderr);
    return EXIT_FAILURE;
}

static bool map(const char *path, struct span *out) {
    struct stat st;
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) || st.st_size == 0) return false;
    const char *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (p == MAP_FAILED) return false;
    *out = span_of(p, (size_t)st.st_size);
    return true;
}

int main(int argc, char **argv) {
    const struct print_out *p = argc > 2 ? print_out_find(span_str(argv[2])) : NULL;
    struct span text;
    if (p && argc == 5 && strcmp(argv[1], "write") == 0) {
        uint64_t size, seed;
        if (span_u64(span_str(argv[3]), &size) && span_u64(span_str(argv[4]), &seed)) {
            p->write(stdout, size, seed);
            return fflush(stdout) || ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
        }
    }
    if (p && (argc == 4 || argc == 5) && strcmp(argv[1], "measure") == 0) {
        uint64_t times = TIMES;
        if ((argc == 4 || span_u64(span_str(argv[4]), &times)) && times > 0) {
            if (map(argv[3], &text)) return measure(p, argv[3], text, times);
            fprintf(stderr, "parse_speed: %s: %s\n", argv[3], strerror(errno));
            return EXIT_FAILURE;
        }
    }
    fputs(usage, stderr);
    return 2;
}
