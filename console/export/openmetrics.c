#include "console/export/openmetrics.h"

#include "common/base/num.h"
#include "console/export/text.h"

/* How a tool's unit is written. */
static const struct unit {
    const char *printed, *name;
    unsigned decimals, factor; /* of a base unit: 1 usec is 10^-6 s, 1 Kbyte 1024 bytes */
} UNITS[] = {{"secs", "seconds", 0, 1},  {"s", "seconds", 0, 1},       {"msecs", "seconds", 3, 1}, {"ms", "seconds", 3, 1},
             {"usecs", "seconds", 6, 1}, {"us", "seconds", 6, 1},      {"nsecs", "seconds", 9, 1}, {"ns", "seconds", 9, 1},
             {"bytes", "bytes", 0, 1},   {"Kbytes", "bytes", 0, 1024}, {"KB", "bytes", 0, 1024}};

static const struct unit *unit_of(struct span printed) {
    for (size_t i = 0; i < COUNT_OF(UNITS); i++)
        if (span_eq_str(printed, UNITS[i].printed)) return &UNITS[i];
    return NULL;
}

/* What a name may not have becomes '_'. */
static char name_char(char c) {
    bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return fine ? c : '_';
}

static void add_name(struct buf *out, struct span s) {
    for (size_t i = 0; i < s.n; i++) buf_add_char(out, name_char(s.p[i]));
}

static bool same_name(struct span a, struct span b) {
    bool same = a.n == b.n;
    for (size_t i = 0; same && i < a.n; i++) same = name_char(a.p[i]) == name_char(b.p[i]);
    return same;
}

static void add_label(struct buf *out, const char *name, struct span value) {
    buf_add_fmt(out, "%s=\"", name);
    text_add(out, value, TEXT_LABEL);
    buf_add_char(out, '"');
}

/* Both are in the same family of metrics. */
static bool same_unit(struct span a, struct span b) {
    const struct unit *x = unit_of(a), *y = unit_of(b);
    return x && y ? strcmp(x->name, y->name) == 0 : same_name(a, b);
}

/* "trawl_runqlat_seconds" */
static void add_metric(struct buf *out, struct span tool, struct span unit) {
    const struct unit *known = unit_of(unit);
    buf_add_str(out, "trawl_");
    add_name(out, tool);
    if (unit.n == 0) return;
    buf_add_char(out, '_');
    if (known)
        buf_add_str(out, known->name);
    else
        add_name(out, unit);
}

static void add_gauge(struct buf *out, const char *name, const char *unit, const char *help) {
    buf_add_fmt(out, "# TYPE %s gauge\n", name);
    if (unit) buf_add_fmt(out, "# UNIT %s %s\n", name, unit);
    buf_add_fmt(out, "# HELP %s %s\n", name, help);
}

static void add_gauges(const struct answer *a, struct buf *out) {
    const struct campaign_info *i = &a->info;
    const struct {
        const char *metric, *where;
        uint64_t n;
    } losses[] = {{"trawl_lost_events", "kernel", i->ledger.kernel}, {"trawl_lost_events", "tool", i->ledger.tool},
                  {"trawl_lost_events", "parse", i->ledger.parse},   {"trawl_lost_events", "shed", i->ledger.shed},
                  {"trawl_lost_bytes", "cap", i->ledger.cap},        {"trawl_lost_bytes", "spool", i->ledger.spool}};
    add_gauge(out, "trawl_campaign", NULL, "What was asked; replayed: recordings, not these hosts' kernels.");
    buf_add_str(out, "trawl_campaign{");
    add_label(out, "campaign", i->id);
    add_label(out, ",tool", i->spec.tool);
    add_label(out, ",operator", i->operator_name);
    add_label(out, ",selector", i->spec.selector);
    add_label(out, ",state", i->state);
    buf_add_fmt(out, ",replayed=\"%s\"} 1\n", i->replayed ? "true" : "false");
    add_gauge(out, "trawl_coverage_hosts", "hosts", "Targeted hosts by where they stand; all together are the targeted ones.");
    for (int c = 0; c < COVERAGE__COUNT; c++)
        buf_add_fmt(out, "trawl_coverage_hosts{state=\"%s\"} %u\n", capture_coverage_name((enum coverage)c), i->coverage[c]);
    for (size_t k = 0; k < COUNT_OF(losses); k++) {
        if (k == 0)
            add_gauge(out, losses[k].metric, "events",
                      "Lost, by where: the kernel's buffers, the tool, lines not understood, the collector.");
        if (k == 4) add_gauge(out, losses[k].metric, "bytes", "Bytes lost, by where: print-out over its cap, full or damaged spools.");
        buf_add_fmt(out, "%s{where=\"%s\"} %llu\n", losses[k].metric, losses[k].where, (unsigned long long)losses[k].n);
    }
}

/* An edge in the base unit, exactly. */
static void add_edge(struct buf *out, uint64_t edge, const struct unit *u) {
    uint64_t power = 1;
    for (unsigned i = 0; u && i < u->decimals; i++) power *= 10;
    unsigned factor = u ? u->factor : 1;
    if (edge > UINT64_MAX / factor) factor = 1, edge = UINT64_MAX;
    buf_add_fmt(out, "%llu.", (unsigned long long)(edge * factor / power));
    uint64_t rest = edge * factor % power;
    do {
        power = power > 1 ? power / 10 : 1;
        buf_add_char(out, (char)('0' + rest / power % 10));
        rest %= power;
    } while (rest);
}

static void add_labels(const struct hist *h, struct span host, struct buf *out) {
    add_label(out, "scale", span_str(h->scale == HIST_LOG2 ? "log2" : "linear"));
    add_label(out, ",printed", h->unit);
    if (host.n) add_label(out, ",host", host);
    for (size_t i = 0; i < h->n_section; i++) {
        buf_add_str(out, ",section_");
        for (size_t k = 0; k < i; k++) /* which only a host that makes up sections can do */
            if (same_name(h->section[k].key, h->section[i].key)) buf_add_fmt(out, "%zu_", i + 1);
        add_name(out, h->section[i].key);
        buf_add_str(out, "=\"");
        text_add(out, h->section[i].value, TEXT_LABEL);
        buf_add_char(out, '"');
    }
}

static void add_hist(const struct answer *a, const struct hist *h, struct span host, struct buf *out) {
    uint64_t sum = 0;
    for (size_t i = 0; i <= h->n_slots; i++) {
        bool end = i == h->n_slots;
        if (!end) sum = num_sat_add(sum, h->slots[i].count);
        if (!end && h->slots[i].high == HIST_OPEN) continue;
        add_metric(out, a->info.spec.tool, h->unit);
        buf_add_str(out, "_bucket{");
        add_labels(h, host, out);
        buf_add_str(out, ",le=\"");
        if (end)
            buf_add_str(out, "+Inf");
        else
            add_edge(out, h->slots[i].high, unit_of(h->unit));
        buf_add_fmt(out, "\"} %llu\n", (unsigned long long)sum);
    }
}

/* A family's lines stand together, so each unit has its turn. */
static void add_family(const struct answer *a, bool per_host, struct span unit, struct buf *out) {
    const struct unit *known = unit_of(unit);
    const char *const words[] = {"TYPE", "UNIT", "HELP"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (i == 1 && unit.n == 0) continue;
        buf_add_fmt(out, "# %s ", words[i]);
        add_metric(out, a->info.spec.tool, unit);
        if (i == 0) buf_add_str(out, " histogram\n");
        if (i == 1) buf_add_char(out, ' ');
        if (i == 1 && known) buf_add_str(out, known->name);
        if (i == 1 && !known) add_name(out, unit);
        if (i == 1) buf_add_char(out, '\n');
        if (i == 2) buf_add_str(out, per_host ? " As printed by the tool, host by host.\n" : " Merged over all hosts that answered.\n");
    }
    for (size_t i = 0; !per_host && i < a->merged.n; i++)
        if (same_unit(a->merged.hists[i].unit, unit)) add_hist(a, &a->merged.hists[i], SPAN_NONE, out);
    for (size_t k = 0; per_host && k < a->n_host_hists; k++)
        for (size_t i = 0; i < a->host_hists[k].hists.n; i++)
            if (same_unit(a->host_hists[k].hists.hists[i].unit, unit))
                add_hist(a, &a->host_hists[k].hists.hists[i], a->host_hists[k].host, out);
}

enum err openmetrics_write(const struct answer *a, bool per_host, struct buf *out) {
    add_gauges(a, out);
    for (size_t i = 0; i < a->merged.n; i++) { /* hosts have no unit that the merged ones have not */
        bool first = true;
        for (size_t k = 0; k < i; k++) first = first && !same_unit(a->merged.hists[k].unit, a->merged.hists[i].unit);
        if (first) add_family(a, per_host, a->merged.hists[i].unit, out);
    }
    buf_add_str(out, "# EOF\n");
    return buf_failed(out);
}
