#include "agent/runner/rates.h"

#include "common/base/clock.h"
#include "common/sys/fds.h"

enum { FILE_BYTES = 4 << 20, PATH_BYTES = 256 }; /* /proc/stat has a number for each interrupt */

static void add(struct rates_look *l, enum cost_counter c, struct span number) {
    uint64_t n;
    if (!span_u64(number, &n)) return;
    l->count[c] = (l->known >> c & 1) ? l->count[c] + n : n;
    l->known |= 1u << c;
}

static void read_stat(struct span line, struct rates_look *l) {
    static const struct {
        const char *name;
        enum cost_counter counter;
    } names[] = {
        {"ctxt", COUNTER_CONTEXT_SWITCHES}, {"intr", COUNTER_INTERRUPTS}, {"softirq", COUNTER_SOFTIRQS}, {"processes", COUNTER_PROCESSES}};
    struct span name = span_nth_word(line, 0);
    if (span_starts(name, SPAN_LIT("cpu")) && name.n > 3) l->cpus++;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (span_eq_str(name, names[i].name)) add(l, names[i].counter, span_nth_word(line, 1));
}

/* Whole devices and their partitions both count: an I/O is counted twice at most, on the safe side. */
static void read_diskstats(struct span line, struct rates_look *l) {
    add(l, COUNTER_DISK_IOS, span_nth_word(line, 3));
    add(l, COUNTER_DISK_IOS, span_nth_word(line, 7));
}

static void read_vmstat(struct span line, struct rates_look *l) {
    struct span name = span_nth_word(line, 0);
    if (span_eq_str(name, "pgpgin") || span_eq_str(name, "pgpgout")) add(l, COUNTER_FILE_OPERATIONS, span_nth_word(line, 1));
}

/* Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs … */
static void read_snmp(struct span line, struct rates_look *l) {
    enum { ACTIVE = 5, PASSIVE = 6, IN_SEGMENTS = 10, RETRANSMITTED = 12 };
    if (!span_eq_str(span_nth_word(line, 0), "Tcp:")) return;
    add(l, COUNTER_TCP_OPENS, span_nth_word(line, ACTIVE));
    add(l, COUNTER_TCP_OPENS, span_nth_word(line, PASSIVE));
    add(l, COUNTER_TCP_SEGMENTS, span_nth_word(line, IN_SEGMENTS));
    add(l, COUNTER_TCP_RETRANSMITS, span_nth_word(line, RETRANSMITTED));
}

void rates_look(const char *proc, uint64_t now_ns, struct rates_look *out) {
    static const struct {
        const char *name;
        void (*read)(struct span line, struct rates_look *l);
    } files[] = {{"stat", read_stat}, {"diskstats", read_diskstats}, {"vmstat", read_vmstat}, {"net/snmp", read_snmp}};
    *out = (struct rates_look){.at_ns = now_ns};
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

void rates_between(const struct rates_look *before, const struct rates_look *after, struct cost_rates *out) {
    *out = (struct cost_rates){.known = 0};
    if (after->at_ns <= before->at_ns) return;
    double seconds = (double)(after->at_ns - before->at_ns) / (double)NS_PER_S;
    for (unsigned c = 0; c < COUNTER__COUNT; c++) {
        if (!(before->known & after->known & 1u << c) || after->count[c] < before->count[c]) continue;
        out->per_s[c] = (uint64_t)((double)(after->count[c] - before->count[c]) / seconds);
        out->known |= 1u << c;
    }
}
