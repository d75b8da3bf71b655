#include "agent/runner/brake.h"

#include "common/base/clock.h"
#include "common/catalog/cost.h"
#include "common/sys/fds.h"

enum { FILE_BYTES = 4096, PATH_BYTES = 256, PPM = 1000000 };

/* User and system time, of children that it waited for too.  The name before them may hold blanks and brackets. */
static uint64_t cpu_of(struct span stat) {
    enum { UTIME = 11, STIME, CUTIME, CSTIME }; /* words behind the name, the first is 0 */
    struct span word, rest = span_drop(stat, span_rfind(stat, ')') + 1);
    uint64_t ticks = 0, n;
    for (size_t i = 0; i <= CSTIME && span_word(&rest, &word); i++)
        if (i >= UTIME && span_u64(word, &n)) ticks += n;
    long per_s = sysconf(_SC_CLK_TCK);
    return per_s > 0 ? ticks * (NS_PER_S / (uint64_t)per_s) : 0;
}

/* "some avg10=98.65 avg60=…" */
static bool pressure_of(struct span text, uint64_t *out_ppm) {
    struct span line, word, whole, part;
    uint64_t percent, hundredths;
    if (!span_line(&text, &line) || !span_word(&line, &word) || !span_eq_str(word, "some") || !span_word(&line, &word)) return false;
    if (!span_starts(word, SPAN_LIT("avg10=")) || !span_cut(span_drop(word, strlen("avg10=")), '.', &whole, &part)) return false;
    if (part.n != 2 || !span_u64(whole, &percent) || !span_u64(part, &hundredths)) return false;
    *out_ppm = percent * 10000 + hundredths * 100;
    return true;
}

static bool read_small(const char *proc, const char *name, struct buf *out) {
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", proc, name);
    buf_init(out, FILE_BYTES);
    return fds_read_file(path, out) == ERR_OK;
}

void brake_read(const char *proc, pid_t tool, uint64_t now_ns, struct brake_look *out) {
    char name[32];
    struct buf text;
    *out = (struct brake_look){.at_ns = now_ns};
    snprintf(name, sizeof name, "%d/stat", (int)tool);
    if (read_small(proc, name, &text)) out->cpu_ns = cpu_of(buf_span(&text));
    buf_done(&text);
    if (read_small(proc, "pressure/cpu", &text)) out->pressure_known = pressure_of(buf_span(&text), &out->pressure_ppm);
    buf_done(&text);
}

bool brake_over(struct brake *b, const struct policy *p, const struct brake_look *now, struct buf *out_why) {
    if (b->n == 0) b->first = *now;
    b->looks[b->n++ % COUNT_OF(b->looks)] = *now;
    const struct brake_look *oldest = &b->looks[b->n % COUNT_OF(b->looks)]; /* of a full ring */
    bool full = b->n >= COUNT_OF(b->looks), alive = now->cpu_ns >= oldest->cpu_ns && now->at_ns > oldest->at_ns;
    if (p->brake_cpu_ppm && full && alive) {
        uint64_t ppm = (now->cpu_ns - oldest->cpu_ns) * PPM / (now->at_ns - oldest->at_ns);
        if (ppm > p->brake_cpu_ppm) {
            buf_add_str(out_why, "it used ");
            cost_say_ppm(ppm, out_why);
            buf_add_fmt(out_why, " of a CPU over %.1f s, this host allows ", (double)(now->at_ns - oldest->at_ns) / (double)NS_PER_S);
            cost_say_ppm(p->brake_cpu_ppm, out_why);
            return true;
        }
    }
    uint64_t before = b->first.pressure_ppm;
    if (p->brake_pressure_ppm && now->pressure_known && b->first.pressure_known && now->pressure_ppm > before + p->brake_pressure_ppm) {
        buf_add_str(out_why, "the host's CPU pressure (some avg10) rose from ");
        cost_say_ppm(before, out_why);
        buf_add_str(out_why, " to ");
        cost_say_ppm(now->pressure_ppm, out_why);
        buf_add_str(out_why, " while it ran, this host allows a rise of ");
        cost_say_ppm(p->brake_pressure_ppm, out_why);
        return true;
    }
    return false;
}
