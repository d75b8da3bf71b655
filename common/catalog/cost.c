#include "common/catalog/cost.h"

enum { PPM = 1000000, NS_PER_SECOND = 1000000000, SAMPLES_HZ = 99, LOOKUPS_PER_S = 50 };

#define MEASURED  "measured with kernel.bpf_stats_enabled at 25 000 events a second on 6.18"
#define MEASURED1 "measured with kernel.bpf_stats_enabled at 20 to 500 events a second on 6.18, halved for warm caches"
#define ROWS      "10 us for a row that is printed, read and shipped, and 5 us for its probes"
#define RELATIVE  "not measured: as its nearest relative"

/* Everything that one event of the counter sets off: all probes of the tool, and the row that it prints. */
static const struct {
    uint64_t event_ns;
    enum tool_id cheaper;
    const char *source;
} costs[TOOL__COUNT] = {
    [TOOL_RUNQLAT] = {800, TOOL_RUNQLEN, MEASURED},
    [TOOL_CPUDIST] = {600, TOOL_RUNQLEN, MEASURED},
    [TOOL_OFFCPUTIME] = {12000, TOOL_CPUDIST, MEASURED},
    [TOOL_RUNQLEN] = {2000, TOOL_NONE, RELATIVE},
    [TOOL_PROFILE] = {10000, TOOL_RUNQLEN, "a stack is walked, as in offcputime"},
    [TOOL_HARDIRQS] = {3500, TOOL_NONE, MEASURED1},
    [TOOL_SOFTIRQS] = {1700, TOOL_HARDIRQS, MEASURED1},
    [TOOL_BIOLATENCY] = {5000, TOOL_BITESIZE, MEASURED1},
    [TOOL_BITESIZE] = {2000, TOOL_NONE, MEASURED1},
    [TOOL_BIOSNOOP] = {15000, TOOL_BIOLATENCY, ROWS},
    [TOOL_EXT4SLOWER] = {2000, TOOL_BIOLATENCY, RELATIVE},
    [TOOL_FILESLOWER] = {2000, TOOL_EXT4SLOWER, RELATIVE},
    [TOOL_CACHESTAT] = {600, TOOL_NONE, RELATIVE},
    [TOOL_TCPCONNLAT] = {15000, TOOL_NONE, ROWS},
    [TOOL_TCPRETRANS] = {15000, TOOL_NONE, ROWS},
    [TOOL_TCPRTT] = {800, TOOL_TCPCONNLAT, RELATIVE},
    [TOOL_TCPDROP] = {600, TOOL_TCPRETRANS, RELATIVE},
    [TOOL_TCPSTATES] = {60000, TOOL_TCPCONNLAT, "a connection changes its state four times or more; " ROWS},
    [TOOL_GETHOSTLATENCY] = {20000, TOOL_NONE, "two uprobes and a row"},
    [TOOL_EXECSNOOP] = {25000, TOOL_NONE, ROWS "; arguments are copied"},
};

static const char *const counter_names[COUNTER__COUNT] = {
    [COUNTER_CONSTANT] = "samples",
    [COUNTER_CONTEXT_SWITCHES] = "context switches",
    [COUNTER_INTERRUPTS] = "interrupts",
    [COUNTER_SOFTIRQS] = "soft interrupts",
    [COUNTER_PROCESSES] = "new processes",
    [COUNTER_DISK_IOS] = "disk I/Os",
    [COUNTER_FILE_OPERATIONS] = "pages read and written",
    [COUNTER_TCP_SEGMENTS] = "TCP segments",
    [COUNTER_TCP_RETRANSMITS] = "TCP retransmits",
    [COUNTER_TCP_OPENS] = "TCP connections",
};

uint64_t cost_event_ns(const struct tool *t) { return costs[t->id].event_ns; }
const char *cost_source(const struct tool *t) { return costs[t->id].source; }
const struct tool *cost_cheaper(const struct tool *t) { return catalog_tool(costs[t->id].cheaper); }
const char *cost_counter_name(enum cost_counter c) { return (unsigned)c < COUNTER__COUNT ? counter_names[c] : "unknown"; }

/* A rate that is the tool's own: samples on every CPU, or so many look-ups as a busy host makes. */
static uint64_t own_rate(const struct tool *t, const struct params *ps, unsigned cpus) {
    if (t->id == TOOL_GETHOSTLATENCY) return LOOKUPS_PER_S;
    uint64_t hz = SAMPLES_HZ;
    for (size_t i = 0; ps && i < ps->n; i++)
        if (ps->p[i].id == PARAM_HZ && ps->p[i].number > 0) hz = (uint64_t)ps->p[i].number;
    return hz * cpus;
}

struct cost cost_of(const struct tool *t, const struct params *ps, const struct cost_rates *rates, unsigned cpus) {
    struct cost c = {.at_least = t->counter == COUNTER_FILE_OPERATIONS};
    uint64_t all_ns = 0, ns = 0;
    c.known = t->counter == COUNTER_CONSTANT || (rates->known >> t->counter & 1);
    if (!c.known) return c;
    c.events_per_s = t->counter == COUNTER_CONSTANT ? own_rate(t, ps, cpus) : rates->per_s[t->counter];
    bool huge = __builtin_mul_overflow(c.events_per_s, cost_event_ns(t), &ns) || __builtin_mul_overflow(ns, (uint64_t)PPM, &all_ns);
    c.ppm = huge ? PPM : all_ns / ((uint64_t)NS_PER_SECOND * (cpus ? cpus : 1));
    if (c.ppm > PPM) c.ppm = PPM; /* more than all there is would only slow its own events down */
    return c;
}

void cost_say_ppm(uint64_t ppm, struct buf *out) {
    if (ppm >= PPM / 10)
        buf_add_fmt(out, "%llu %%", (unsigned long long)((ppm + 5000) / 10000));
    else if (ppm >= 1000)
        buf_add_fmt(out, "%.1f %%", (double)ppm / 1e4);
    else if (ppm >= 10)
        buf_add_fmt(out, "%.3f %%", (double)ppm / 1e4);
    else
        buf_add_str(out, ppm ? "under 0.001 %" : "0 %");
}

void cost_say(const struct tool *t, const struct cost *c, struct buf *out) {
    if (!c->known) {
        buf_add_fmt(out, "unknown (the kernel does not count %s)", cost_counter_name(t->counter));
        return;
    }
    buf_add_str(out, c->at_least ? "at least " : "about ");
    cost_say_ppm(c->ppm, out);
    buf_add_fmt(out, " of the CPU (%llu %s a second at %.1f us)", (unsigned long long)c->events_per_s, cost_counter_name(t->counter),
                (double)cost_event_ns(t) / 1000.0);
}

bool cost_is_over(const struct tool *t, const struct cost *c, const struct cost_rates *rates, unsigned cpus, uint64_t spent_ppm,
                  uint64_t max_ppm, struct buf *out_why) {
    if (!max_ppm || !c->known || c->ppm + spent_ppm <= max_ppm) return false;
    buf_add_fmt(out_why, "%s would cost ", t->name);
    cost_say(t, c, out_why);
    buf_add_str(out_why, ", this host allows ");
    cost_say_ppm(max_ppm, out_why);
    if (spent_ppm) {
        buf_add_str(out_why, " and ");
        cost_say_ppm(spent_ppm, out_why);
        buf_add_str(out_why, " is spent by what runs already");
    }
    const struct tool *cheaper = cost_cheaper(t);
    if (!cheaper) return true;
    struct cost less = cost_of(cheaper, NULL, rates, cpus);
    if (!less.known || less.ppm + spent_ppm > max_ppm) return true;
    buf_add_fmt(out_why, "; %s would cost ", cheaper->name);
    cost_say_ppm(less.ppm, out_why);
    return true;
}
