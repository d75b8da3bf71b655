#include "common/order/when.h"

#include <assert.h>
#include <stdio.h>

#include "common/base/auto.h"
#include "common/base/clock.h"

enum { WINDOW_LEAST_S = 2, WINDOW_MOST_S = 10, MISSING_LEAST_S = 10, MISSING_MOST_S = 24 * 3600, HOSTS_MOST = 1000000 };

static const char *const PRESSURES[] = {[WHEN_CPU] = "cpu", [WHEN_IO] = "io", [WHEN_MEMORY] = "memory"};
static const struct {
    const char *name;
    bool percent;
} READINGS[] = {[WHEN_LOAD1] = {"load1", false},
                [WHEN_RUN_QUEUE] = {"run_queue", false},
                [WHEN_CONTEXT_SWITCHES] = {"context_switches", false},
                [WHEN_INTERRUPTS] = {"interrupts", false},
                [WHEN_DISK_IOS] = {"disk_ios", false},
                [WHEN_DISK_BUSY] = {"disk_busy", true},
                [WHEN_MEMORY_AVAILABLE] = {"memory_available", true}};
static_assert(COUNT_OF(PRESSURES) == WHEN_PRESSURE__COUNT && COUNT_OF(READINGS) == WHEN_READING__COUNT, "every one has a name");

const char *when_pressure_name(enum when_pressure p) { return PRESSURES[p]; }
const char *when_reading_name(enum when_reading r) { return READINGS[r].name; }

struct reading_text {
    struct span rest;
    const char *wrong; /* NULL: nothing yet */
};

static bool wrong(struct reading_text *r, const char *what) {
    if (!r->wrong) r->wrong = what;
    return false;
}

static bool word_is(struct reading_text *r, const char *want, const char *otherwise) {
    struct span w;
    return (span_word(&r->rest, &w) && span_eq_str(w, want)) || wrong(r, otherwise);
}

static bool number(struct span text, double *out) {
    int64_t mantissa;
    unsigned decimals;
    if (!span_decimal(text, &mantissa, &decimals) || mantissa < 0) return false;
    double v = (double)mantissa;
    for (; decimals > 0; decimals--) v /= 10;
    *out = v;
    return true;
}

static bool percent(struct span text, double *out) {
    if (!span_ends(text, SPAN_LIT("%"))) return false;
    text.n--;
    return number(text, out) && *out <= 100;
}

static bool compare(struct reading_text *r, struct when *w) {
    struct span op;
    if (!span_word(&r->rest, &op) || op.n != 1 || (op.p[0] != '<' && op.p[0] != '>')) return wrong(r, "it takes > or <");
    w->above = op.p[0] == '>';
    return true;
}

/* > 20% in 2s */
static bool read_pressure(struct reading_text *r, struct span name, struct when *w) {
    struct span which, full, amount, window;
    uint64_t window_ns = 0;
    double share = 0;
    w->kind = WHEN_PRESSURE;
    w->full = span_cut(name, '.', &which, &full);
    if (w->full && !span_eq_str(full, "full")) return wrong(r, "behind the resource there is .full or nothing");
    w->pressure = WHEN_PRESSURE__COUNT;
    for (unsigned i = 0; i < WHEN_PRESSURE__COUNT; i++)
        if (span_eq_str(which, PRESSURES[i])) w->pressure = (enum when_pressure)i;
    if (w->pressure == WHEN_PRESSURE__COUNT) return wrong(r, "pressure is of cpu, io or memory");
    if (!compare(r, w)) return false;
    if (!w->above) return wrong(r, "pressure is waited for with >");
    if (!span_word(&r->rest, &amount) || !percent(amount, &share) || share <= 0) return wrong(r, "pressure is a percentage: > 20%");
    if (!word_is(r, "in", "pressure is measured in a window: in 2s")) return false;
    if (!span_word(&r->rest, &window) || !span_duration_ns(window, &window_ns)) return wrong(r, "the window is a duration: 2s");
    if (window_ns % (WINDOW_LEAST_S * NS_PER_S) || window_ns < WINDOW_LEAST_S * NS_PER_S || window_ns > WINDOW_MOST_S * NS_PER_S)
        return wrong(r, "the window is 2, 4, 6, 8 or 10 seconds");
    w->window_ms = (uint32_t)(window_ns / NS_PER_MS);
    w->stall_ms = (uint32_t)(share / 100 * w->window_ms);
    return w->stall_ms > 0 || wrong(r, "so little pressure cannot be told from none");
}

static bool read_reading(struct reading_text *r, enum when_reading which, struct when *w) {
    struct span rest = r->rest, word;
    w->kind = WHEN_READING;
    w->reading = which;
    if (span_word(&rest, &word) && (span_eq_str(word, "rose") || span_eq_str(word, "fell"))) {
        w->change = span_eq_str(word, "rose") ? WHEN_ROSE : WHEN_FELL;
        r->rest = rest;
    }
    if (!compare(r, w)) return false;
    if (w->change && !w->above) return wrong(r, "how much it rose or fell is waited for with >");
    if (!span_word(&r->rest, &word)) return wrong(r, "a figure is missing");
    if (READINGS[which].percent) return percent(word, &w->value) || wrong(r, "it is a percentage: 90%");
    return number(word, &w->value) || wrong(r, "the figure is no number");
}

/* on 3 of 5 hosts, on 2 hosts; nothing: on one. */
static bool read_hosts(struct reading_text *r, struct when *w) {
    struct span word, n;
    uint64_t hosts = 1, of = 0;
    w->hosts = 1;
    if (!span_word(&r->rest, &word)) return true;
    if (!span_eq_str(word, "on") || !span_word(&r->rest, &n) || !span_u64(n, &hosts) || hosts < 1 || hosts > HOSTS_MOST)
        return wrong(r, "hosts are counted so: on 3 of 5 hosts");
    if (!span_word(&r->rest, &word)) return wrong(r, "hosts are counted so: on 2 hosts");
    if (span_eq_str(word, "of")) {
        if (!span_word(&r->rest, &n) || !span_u64(n, &of) || of < hosts || of > HOSTS_MOST)
            return wrong(r, "hosts are counted so: on 3 of 5 hosts");
        if (!span_word(&r->rest, &word)) word = SPAN_NONE;
    }
    if (!span_eq_str(word, "hosts") && !span_eq_str(word, "host")) return wrong(r, "hosts are counted so: on 3 of 5 hosts");
    w->hosts = (uint32_t)hosts;
    w->of = (uint32_t)of;
    return true;
}

static bool read_result(struct reading_text *r, const struct tool *t, struct span percentile, struct when *w) {
    static const struct {
        const char *name;
        unsigned per_thousand;
    } names[] = {{"p50", 500}, {"p90", 900}, {"p99", 990}, {"p999", 999}};
    struct span amount;
    uint64_t ns;
    w->kind = WHEN_RESULT;
    w->tool = t->id;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (span_eq_str(percentile, names[i].name)) w->per_thousand = names[i].per_thousand;
    if (!w->per_thousand) return wrong(r, "percentiles are p50, p90, p99 and p999");
    if (t->kind != RESULT_HISTOGRAM) return wrong(r, "only histograms have percentiles");
    if (!compare(r, w)) return false;
    if (!span_word(&r->rest, &amount) || !span_duration_ns(amount, &ns)) return wrong(r, "the figure is a duration: 1ms");
    w->value = (double)ns;
    return read_hosts(r, w);
}

static bool read_missing(struct reading_text *r, struct when *w) {
    struct span amount;
    uint64_t ns = 0;
    w->kind = WHEN_MISSING;
    if (!compare(r, w) || !w->above || !span_word(&r->rest, &amount) || !span_duration_ns(amount, &ns))
        return wrong(r, "a host is missing for a while: missing > 2m");
    if (ns < MISSING_LEAST_S * NS_PER_S || ns > MISSING_MOST_S * NS_PER_S) return wrong(r, "a host is missing for 10 seconds to a day");
    w->missing_s = (uint32_t)(ns / NS_PER_S);
    return true;
}

static bool is_key(struct span s) {
    for (size_t i = 0; i < s.n; i++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_", s.p[i])) return false;
    return s.n > 0;
}

static bool read_call(struct reading_text *r, struct when *w) {
    struct span word, keys;
    w->kind = WHEN_CALL;
    if (!span_word(&r->rest, &word)) return true;
    if (!span_eq_str(word, "by") || !span_word(&r->rest, &keys)) return wrong(r, "behind call there is by LABEL,LABEL or nothing");
    for (bool more = true; more; w->n_by++) {
        if (w->n_by == WHEN_BY_MAX) return wrong(r, "that are too many labels");
        more = span_cut(keys, ',', &w->by[w->n_by], &keys);
        if (!is_key(w->by[w->n_by])) return wrong(r, "a label's name has letters, digits and _");
    }
    return true;
}

static bool read_when(struct reading_text *r, struct when *w) {
    struct span first, head, rest, word, look;
    if (!span_word(&r->rest, &first)) return wrong(r, "it is empty");
    bool dotted = span_cut(first, '.', &head, &rest);
    if (dotted && span_eq_str(head, "pressure")) return read_pressure(r, rest, w);
    for (unsigned i = 0; i < WHEN_READING__COUNT; i++)
        if (span_eq_str(first, READINGS[i].name)) return read_reading(r, (enum when_reading)i, w);
    if (span_eq_str(first, "missing")) return read_missing(r, w);
    if (span_eq_str(first, "call")) return read_call(r, w);
    const struct tool *t = catalog_find(head);
    if (!t) return wrong(r, "it begins with neither pressure.cpu, a reading, a tool, missing, nor call");
    if (dotted) return read_result(r, t, rest, w);
    look = r->rest;
    if (!span_word(&look, &word) || !span_eq_str(word, "outlier")) return wrong(r, "of a tool there is TOOL.p99 or TOOL outlier");
    r->rest = look;
    w->kind = WHEN_OUTLIER;
    w->tool = t->id;
    return true;
}

enum err when_parse(struct span text, struct when *out, char *why, size_t why_size) {
    struct reading_text r = {.rest = text};
    struct when w = {.hosts = 0};
    struct span left;
    if (read_when(&r, &w) && span_word(&r.rest, &left)) wrong(&r, "something stands behind its end");
    if (!r.wrong) {
        *out = w;
        return ERR_OK;
    }
    snprintf(why, why_size, "the condition cannot be read: %s", r.wrong);
    return ERR_SYNTAX;
}
