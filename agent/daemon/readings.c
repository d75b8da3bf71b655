#include "agent/daemon/readings.h"

#include <stdio.h>

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/sys/fds.h"

enum { FILE_BYTES = 4 << 20, PATH_BYTES = 256 };

static void add(struct readings *r, enum when_reading which, struct span number) {
    int64_t mantissa;
    unsigned decimals;
    if (!span_decimal(number, &mantissa, &decimals)) return;
    double v = (double)mantissa;
    for (; decimals > 0; decimals--) v /= 10;
    r->raw[which] += v;
    r->known |= 1u << which;
}

static void read_loadavg(struct span line, struct readings *r) { add(r, WHEN_LOAD1, span_nth_word(line, 0)); }

static void read_stat(struct span line, struct readings *r) {
    struct span name = span_nth_word(line, 0), first = span_nth_word(line, 1);
    if (span_eq_str(name, "ctxt")) add(r, WHEN_CONTEXT_SWITCHES, first);
    if (span_eq_str(name, "intr")) add(r, WHEN_INTERRUPTS, first);
    if (span_eq_str(name, "procs_running")) add(r, WHEN_RUN_QUEUE, first);
}

/* Whole devices and their partitions both count: the busiest is a whole one in any case. */
static void read_diskstats(struct span line, struct readings *r) {
    enum { READS = 3, WRITES = 7, BUSY_MS = 12 };
    uint64_t busy_ms = 0;
    add(r, WHEN_DISK_IOS, span_nth_word(line, READS));
    add(r, WHEN_DISK_IOS, span_nth_word(line, WRITES));
    if (r->n_disks == READINGS_DISKS || !span_u64(span_nth_word(line, BUSY_MS), &busy_ms)) return;
    r->busy_ms[r->n_disks++] = busy_ms;
    r->known |= 1u << WHEN_DISK_BUSY;
}

/* MemTotal comes first. */
static void read_meminfo(struct span line, struct readings *r) {
    uint64_t kib = 0;
    double *percent = &r->raw[WHEN_MEMORY_AVAILABLE];
    struct span name = span_nth_word(line, 0);
    if (!span_u64(span_nth_word(line, 1), &kib) || kib == 0) return;
    if (span_eq_str(name, "MemTotal:")) *percent = (double)kib;
    if (!span_eq_str(name, "MemAvailable:") || *percent <= 0) return;
    *percent = 100 * (double)kib / *percent;
    r->known |= 1u << WHEN_MEMORY_AVAILABLE;
}

void readings_take(const char *proc, uint64_t now_ns, struct readings *out) {
    static const struct {
        const char *name;
        void (*read)(struct span line, struct readings *r);
    } files[] = {{"loadavg", read_loadavg}, {"stat", read_stat}, {"diskstats", read_diskstats}, {"meminfo", read_meminfo}};
    *out = (struct readings){.at_ns = now_ns};
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        char path[PATH_BYTES];
        struct buf text;
        buf_init(&text, FILE_BYTES);
        snprintf(path, sizeof path, "%s/%s", proc, files[i].name);
        if (fds_read_file(path, &text) == ERR_OK)
            for (struct span line, rest = buf_span(&text); span_line(&rest, &line);) files[i].read(line, out);
        buf_done(&text);
    }
}

static bool busiest(const struct readings *before, const struct readings *now, double seconds, double *out) {
    double most = 0;
    if (before->n_disks != now->n_disks) return false; /* a disk has come or gone: their order says nothing */
    for (size_t i = 0; i < now->n_disks; i++) {
        double ms = now->busy_ms[i] >= before->busy_ms[i] ? (double)(now->busy_ms[i] - before->busy_ms[i]) : 0;
        if (ms > most) most = ms;
    }
    *out = most / (10 * seconds); /* milliseconds of 1000, as a percentage */
    return true;
}

bool readings_level(const struct readings *before, const struct readings *now, enum when_reading which, double *out) {
    bool level = which == WHEN_LOAD1 || which == WHEN_RUN_QUEUE || which == WHEN_MEMORY_AVAILABLE;
    if (!(now->known >> which & 1)) return false;
    if (level) {
        *out = now->raw[which];
        return true;
    }
    if (!(before->known >> which & 1) || now->at_ns <= before->at_ns) return false;
    double seconds = (double)(now->at_ns - before->at_ns) / (double)NS_PER_S;
    if (which == WHEN_DISK_BUSY) return busiest(before, now, seconds, out);
    if (now->raw[which] < before->raw[which]) return false;
    *out = (now->raw[which] - before->raw[which]) / seconds;
    return true;
}

bool readings_meet(const struct when *w, bool has_last, double last, double level) {
    if (w->change == WHEN_LEVEL) return w->above ? level > w->value : level < w->value;
    if (!has_last) return false;
    return (w->change == WHEN_ROSE ? level - last : last - level) > w->value;
}
