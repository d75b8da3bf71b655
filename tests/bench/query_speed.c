/* How fast questions about a large fleet are answered: by what the collector answers with, from the results in its memory to the encoded
 * answer, and by what the console draws.  CPU time of one thread, the best of several.  tests/bench/query puts others beside it. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "collector/query/query.h"
#include "common/catalog/ranking.h"
#include "console/render/flame.h"
#include "tests/bench/query_data.h"
#include "tests/unit/collector/made.h"

static const char usage[] = "usage: query_speed dump hists|events|stacks HOSTS EACH > FILE    the data as tab-separated rows\n"
                            "       query_speed measure hists|events|stacks HOSTS EACH [TIMES]\n"
                            "EACH: rows or stacks of a host\n";

struct fleet_results {
    size_t hosts, each;
    unsigned times;
    struct campaign *c;
    struct aggregate *a;
};

static uint64_t cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void tell(const char *what, uint64_t ns, const char *more) {
    printf("%s\t%.1f\t%s\n", what, (double)ns / 1e6, more), fflush(stdout);
}

static bool all_well(enum err e, const char *what) {
    if (e) fprintf(stderr, "query_speed: %s: %s\n", what, err_text(e));
    return !e;
}

/* ---- the data ---- */
static struct events events_of(const struct fleet_results *f, size_t i, struct arena *mem) { return query_data_events(i, f->each, mem); }

static void dump_events(const char *host, const struct events *e) {
    struct buf cell;
    buf_init(&cell, 0);
    for (size_t row = 0; row < e->n_rows; row++) {
        fputs(host, stdout);
        for (size_t c = 0; c < e->n_columns; c++) {
            buf_reset(&cell);
            events_cell(e, row, c, &cell);
            printf("\t%.*s", (int)cell.n, cell.p);
        }
        putchar('\n');
    }
    buf_done(&cell);
}

static void dump_stacks(const char *host, const struct stacks *s) {
    for (size_t i = 0; i < s->n_rows; i++) {
        uint32_t nodes[LIMIT_STACK_DEPTH];
        size_t depth = stacks_frames(s, s->rows[i].leaf, nodes, LIMIT_STACK_DEPTH);
        printf("%s\t%.*s", host, (int)s->strings.text[s->rows[i].comm].n, s->strings.text[s->rows[i].comm].p);
        for (size_t d = 0; d < depth; d++)
            printf(";%.*s", (int)s->strings.text[s->nodes[nodes[d]].frame].n, s->strings.text[s->nodes[nodes[d]].frame].p);
        printf("\t%llu\n", (unsigned long long)s->rows[i].count);
    }
}

static int dump(const char *what, const struct fleet_results *f) {
    AUTO(arena_free) struct arena *mem = arena_new((size_t)1 << 28);
    for (size_t i = 0; mem && i < f->hosts; i++) {
        char name[LIMIT_NAME_BYTES + 1];
        query_data_host(i, name);
        arena_reset(mem);
        struct hist_slot slots[QUERY_DATA_SLOTS];
        struct hist h;
        struct events e = {.n_rows = 0};
        struct stacks s = {.n_rows = 0};
        if (strcmp(what, "hists") == 0) {
            query_data_hist(i, slots, &h);
            for (size_t k = 0; k < h.n_slots; k++) printf("%s\t%zu\t%llu\n", name, k, (unsigned long long)h.slots[k].count);
        } else if (strcmp(what, "events") == 0) {
            e = events_of(f, i, mem);
            dump_events(name, &e);
        } else {
            s = query_data_stacks(i, f->each, mem);
            dump_stacks(name, &s);
        }
    }
    return mem ? 0 : 1;
}

/* ---- asking ---- */
static bool ask(const struct fleet_results *f, enum query_kind kind, const struct query *q, uint64_t *best, struct answer *out,
                struct arena **out_mem) {
    for (unsigned i = 0; i < f->times; i++) {
        AUTO(arena_free) struct arena *mem = arena_new(LIMIT_ANSWER_ARENA_BYTES);
        char why[QUERY_WHY_BYTES] = "";
        struct buf bytes;
        const struct query_of of = {.campaign = f->c, .aggregate = f->a, .kind = kind, .query = q};
        buf_init(&bytes, 0);
        uint64_t began = cpu_ns();
        enum rpc_status status = query_results(&of, mem, why, &bytes);
        uint64_t ns = cpu_ns() - began;
        if (i == 0 || ns < *best) *best = ns;
        if (status != RPC_OK) fprintf(stderr, "query_speed: %s\n", why);
        bool last = status == RPC_OK && i + 1 == f->times;
        if (last) {
            arena_reset(mem);
            if (!all_well(query_decode_answer(kind, buf_span(&bytes), mem, out), "the answer")) status = RPC_INTERNAL;
            *out_mem = TAKE(mem);
        }
        buf_done(&bytes);
        if (status != RPC_OK) return false;
    }
    return true;
}

static bool begin(struct fleet_results *f, const char *tool) {
    struct span *names = calloc(f->hosts, sizeof *names);
    char(*texts)[LIMIT_NAME_BYTES + 1] = calloc(f->hosts, sizeof *texts);
    for (size_t i = 0; names && texts && i < f->hosts; i++) names[i] = query_data_host(i, texts[i]);
    if (names && texts) f->c = made_campaign(made_id(1), tool, names, f->hosts);
    f->a = aggregate_new((size_t)256 << 20, (size_t)512 << 20); /* as the collector does */
    free(names);
    free(texts);
    return f->c && f->a;
}

static bool add(struct fleet_results *f, size_t host, uint32_t part, const struct part_body *body) {
    char name[LIMIT_NAME_BYTES + 1];
    return all_well(aggregate_add(f->a, query_data_host(host, name), 0, part, body), "adding");
}

/* ---- histograms ---- */
static bool merge_alone(const struct fleet_results *f) {
    struct hist_slot(*slots)[QUERY_DATA_SLOTS] = calloc(f->hosts, sizeof *slots);
    struct hist *hists = calloc(f->hosts, sizeof *hists);
    uint64_t best = UINT64_MAX;
    bool good = slots && hists;
    for (size_t i = 0; good && i < f->hosts; i++) query_data_hist(i, slots[i], &hists[i]);
    for (unsigned t = 0; good && t < f->times; t++) {
        AUTO(hist_merge_free) struct hist_merge *m = hist_merge_new();
        uint64_t began = cpu_ns();
        for (size_t i = 0; good && i < f->hosts; i++) good = all_well(hist_merge_add(m, &hists[i]), "merging");
        if (cpu_ns() - began < best) best = cpu_ns() - began;
    }
    tell("hists: merged", best, "");
    free(slots);
    free(hists);
    return good;
}

static bool rank(const struct fleet_results *f, const struct answer *a) {
    uint64_t best = UINT64_MAX;
    char more[64] = "";
    for (unsigned t = 0; t < f->times; t++) {
        AUTO(arena_free) struct arena *mem = arena_new(LIMIT_ANSWER_ARENA_BYTES);
        uint64_t began = cpu_ns();
        struct ranking *r = ranking_new(catalog_find(SPAN_LIT("runqlat")), NULL, a->n_host_hists, mem);
        size_t n = 0;
        for (size_t i = 0; r && i < a->n_host_hists; i++)
            if (!all_well(ranking_add(r, a->host_hists[i].host, &a->host_hists[i].hists), "ranking")) return false;
        const struct ranking_row *rows = ranking_rows(r, &n);
        if (cpu_ns() - began < best) best = cpu_ns() - began;
        snprintf(more, sizeof more, "worst %.*s, p99 %.0f", (int)rows[0].host.n, rows[0].host.p, rows[0].percentile[RANKING_P99].value);
    }
    tell("hists: hosts ranked", best, more);
    return true;
}

static bool measure_hists(struct fleet_results *f) {
    const struct query none = {0};
    struct answer a;
    struct arena *mem = NULL;
    uint64_t ns = 0;
    char more[64];
    if (!merge_alone(f) || !begin(f, "runqlat")) return false;
    for (size_t i = 0; i < f->hosts; i++) {
        struct hist_slot slots[QUERY_DATA_SLOTS];
        struct hist h;
        query_data_hist(i, slots, &h);
        if (!add(f, i, 0, &(struct part_body){.kind = RESULT_HISTOGRAM, .hists = {&h, 1}})) return false;
    }
    if (!ask(f, QUERY_HIST, &none, &ns, &a, &mem)) return false;
    snprintf(more, sizeof more, "total %llu", (unsigned long long)hist_total(&a.merged.hists[0]));
    tell("hists: answered, each host in it", ns, more);
    bool good = rank(f, &a);
    arena_free(TAKE(mem));
    if (!good || !ask(f, QUERY_OUTLIERS, &none, &ns, &a, &mem)) return false;
    snprintf(more, sizeof more, "%zu of %zu hosts", a.n_outliers, f->hosts);
    tell("hists: outliers", ns, more);
    arena_free(mem);
    return true;
}

/* ---- events ---- */
static bool top_list(const struct fleet_results *f, const char *what, const char *by, const char *of, enum top_rank rank_by) {
    const struct query q = {.by = span_str(by), .of = span_str(of), .rank = rank_by, .n = 10};
    struct answer a;
    struct arena *mem = NULL;
    uint64_t ns = 0;
    char more[96];
    if (!ask(f, QUERY_TOP, &q, &ns, &a, &mem)) return false;
    const struct top_row *first = &a.top[0].row;
    snprintf(more, sizeof more, "%.*s %.2f of %u%s", (int)first->value.n, first->value.p, of[0] ? first->p99.value : (double)first->count,
             a.groups, a.exact ? "" : ", not exact");
    tell(what, ns, more);
    arena_free(mem);
    return true;
}

static bool measure_events(struct fleet_results *f) {
    AUTO(arena_free) struct arena *mem = arena_new((size_t)1 << 28);
    uint64_t columnar = 0, began = 0, ns = 0;
    char more[96];
    if (!mem || !begin(f, "tcpconnlat")) return false;
    for (size_t i = 0; i < f->hosts; i++) {
        arena_reset(mem);
        struct events e = events_of(f, i, mem);
        for (size_t c = 0; c < e.n_columns; c++)
            columnar += e.n_rows * (column_is_number(e.columns[c].type) ? sizeof(int64_t) : sizeof(uint32_t));
        began = cpu_ns();
        if (!add(f, i, 0, &(struct part_body){.kind = RESULT_EVENTS, .events = e})) return false;
        ns += cpu_ns() - began;
    }
    if (!aggregate_events(f->a)) return all_well(ERR_LIMIT, "the events");
    double held = (double)event_table_bytes(aggregate_events(f->a));
    snprintf(more, sizeof more, "%.0f MB held, %.2f of the columns' %.0f", held / 1e6, held / (double)columnar, (double)columnar / 1e6);
    tell("events: taken in", ns, more);
    return top_list(f, "events: top 10 of COMM", "COMM", "", TOP_COUNT) && top_list(f, "events: top 10 of DADDR", "DADDR", "", TOP_COUNT) &&
           top_list(f, "events: top 10 of host", "host", "", TOP_COUNT) &&
           top_list(f, "events: top 10 of COMM by p99", "COMM", "LAT", TOP_P99) &&
           top_list(f, "events: top 10 of DADDR by p99", "DADDR", "LAT", TOP_P99);
}

/* ---- stacks ---- */
static bool measure_stacks(struct fleet_results *f) {
    AUTO(arena_free) struct arena *mem = arena_new((size_t)1 << 28);
    const struct query all = {0}, some = {.n = 10};
    struct answer a;
    struct arena *of_answer = NULL;
    struct buf svg;
    uint64_t ns = 0, began = 0;
    char more[96];
    if (!mem || !begin(f, "offcputime")) return false;
    for (size_t i = 0; i < f->hosts; i++) {
        arena_reset(mem);
        struct stacks s = query_data_stacks(i, f->each, mem);
        began = cpu_ns();
        if (!add(f, i, 0, &(struct part_body){.kind = RESULT_STACKS, .stacks = s})) return false;
        ns += cpu_ns() - began;
    }
    const struct stacks *view = stack_merge_view(aggregate_stacks(f->a));
    snprintf(more, sizeof more, "%zu stacks, %zu frames, %.0f MB", view->n_rows, view->n_nodes, (double)aggregate_bytes(f->a) / 1e6);
    tell("stacks: merged", ns, more);
    if (aggregate_shed(f->a)) return all_well(ERR_LIMIT, "the stacks");
    if (!ask(f, QUERY_STACKS, &some, &ns, &a, &of_answer)) return false;
    tell("stacks: ten largest", ns, "");
    arena_free(TAKE(of_answer));
    if (!ask(f, QUERY_STACKS, &all, &ns, &a, &of_answer)) return false;
    tell("stacks: all, encoded", ns, "");
    buf_init(&svg, 0);
    began = cpu_ns();
    bool good = all_well(flame_svg(&a, NULL, &svg), "the flame graph");
    snprintf(more, sizeof more, "%.1f MB of SVG", (double)svg.n / 1e6);
    tell("stacks: flame graph", cpu_ns() - began, more);
    buf_done(&svg);
    arena_free(of_answer);
    return good;
}

static bool number(const char *text, uint64_t *out) { return span_u64(span_str(text), out) && *out > 0 && *out <= UINT32_MAX; }

int main(int argc, char **argv) {
    uint64_t hosts = 0, each = 0, times = 5;
    static bool (*const measures[])(struct fleet_results *) = {measure_hists, measure_events, measure_stacks};
    static const char *const names[] = {"hists", "events", "stacks"};
    if (argc < 5 || !number(argv[3], &hosts) || !number(argv[4], &each) || (argc > 5 && !number(argv[5], &times))) {
        fputs(usage, stderr);
        return 2;
    }
    struct fleet_results f = {.hosts = hosts, .each = each, .times = (unsigned)times};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (strcmp(argv[2], names[i]) != 0) continue;
        if (strcmp(argv[1], "dump") == 0) return dump(argv[2], &f);
        bool good = measures[i](&f);
        aggregate_free(f.a);
        campaign_free(f.c);
        return good ? 0 : 1;
    }
    fputs(usage, stderr);
    return 2;
}
