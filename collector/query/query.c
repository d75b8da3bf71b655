#include "collector/query/query.h"

#include <stdarg.h>
#include <stdio.h>

#include "collector/query/query_body.h"
#include "common/base/clock.h"
#include "common/catalog/catalog.h"
#include "common/order/selector.h"

/* ---- said beside the numbers ---- */
void query_note(struct query_work *w, const char *fmt, ...) {
    char text[LIMIT_NOTE_BYTES];
    struct answer *a = w->a;
    if (w->again || a->n_notes > QUERY_NOTES_MAX) return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (a->n_notes == QUERY_NOTES_MAX) snprintf(text, sizeof text, "there are more notes like these");
    if (arena_grow(w->mem, &a->notes, &w->cap_notes, a->n_notes + 1, sizeof *a->notes) != ERR_OK)
        return; /* the arena is spent: the answer fails anyway */
    struct span note = arena_copy(w->mem, span_str(text));
    if (note.p) a->notes[a->n_notes++] = note;
}

enum rpc_status query_refuse(struct query_work *w, enum rpc_status status, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(w->why, QUERY_WHY_BYTES, fmt, ap);
    va_end(ap);
    return status;
}

bool query_wants(const struct query_work *w, const struct store_part *p) {
    return w->of->query->round == 0 || p->key.round + 1 == w->of->query->round;
}

enum err query_unreadable(struct query_work *w, const struct store_part *p, enum err e) {
    if (e != ERR_SYNTAX && e != ERR_LIMIT && e != ERR_DAMAGED) return e;
    w->a->exact = false;
    query_note(w, "%.*s: its part %u cannot be read and is left out: %s", (int)p->key.host.n, p->key.host.p, p->key.part, err_text(e));
    return ERR_OK;
}

void query_note_unread(struct query_work *w) {
    const struct aggregate *agg = w->of->aggregate;
    for (size_t i = 0; i < aggregate_n_hosts(agg); i++) {
        const struct aggregate_host *h = aggregate_host(agg, i);
        if (!h->unread || !query_rows_on(w, span_str(h->name))) continue;
        w->a->exact = false;
        query_note(w, "%s: %u of its parts cannot be read and are left out; `trawl-collectord check` says why", h->name, h->unread);
    }
}

enum rpc_status query_failed(struct query_work *w, enum err e) {
    if (e == ERR_NOMEM)
        return query_refuse(w, RPC_RESOURCE_EXHAUSTED, "the answer needs more memory than an answer may have; ask for less");
    if (e == ERR_LIMIT)
        return query_refuse(w, RPC_RESOURCE_EXHAUSTED, "the answer is larger than %d MiB; ask for fewer rows", LIMIT_ANSWER_BYTES >> 20);
    return query_refuse(w, RPC_INTERNAL, "the collector cannot read its store: %s", store_why(w->of->store));
}

/* ---- campaigns ---- */
void query_info(const struct campaign *c, struct campaign_info *out) {
    *out = (struct campaign_info){.id = span_str(c->hex),
                                  .operator_name = c->operator_name,
                                  .spec = c->spec,
                                  .state = campaign_done(c) ? (c->stopped ? SPAN_LIT("stopped") : SPAN_LIT("done"))
                                           : c->paused      ? SPAN_LIT("paused")
                                                            : SPAN_LIT("running"),
                                  .why = c->stopped || c->paused ? span_str(c->why) : SPAN_LIT(""),
                                  .wave = c->wave + 1,
                                  .waves = c->n_waves,
                                  .held = c->held,
                                  .first_start_wall_ns = c->first_start_wall_ns,
                                  .last_start_wall_ns = c->last_start_wall_ns,
                                  .created_wall_ns = c->created_wall_ns,
                                  .ended_wall_ns = c->ended_wall_ns,
                                  .targeted = (uint32_t)c->n_targets,
                                  .ledger = c->ledger,
                                  .replayed = c->replayed};
    memcpy(out->coverage, c->coverage, sizeof out->coverage);
    for (int k = 0; k < COVERAGE__COUNT; k++)
        if (coverage_is_end((enum coverage)k) && k != COVERAGE_OK && k != COVERAGE_PARTIAL) out->with_result += c->with_result[k];
}

static enum err target_info(const struct campaign_target *t, unsigned mask, struct arena *mem, struct target_info *out) {
    *out = (struct target_info){.host = span_str(t->host), .coverage = t->coverage, .reason = span_str(t->reason ? t->reason : "")};
    if (!t->outcome.n) return ERR_OK;
    struct part_body body = {0};
    enum err e = part_decode(t->outcome, mem, &body);
    if (e != ERR_OK) return e;
    if (body.outcome) query_mask_outcome(mask, body.outcome);
    out->outcome = body.outcome;
    return ERR_OK;
}

enum targets { TARGETS_ALL, TARGETS_OK, TARGETS_NOT_OK };

/* w: of those that are asked about; NULL: of all. */
static enum err target_infos(const struct campaign *c, enum targets which, const struct query_work *w, unsigned mask, struct arena *mem,
                             struct target_info **out, size_t *out_n) {
    struct target_info *infos = arena_array(mem, c->n_targets ? c->n_targets : 1, sizeof *infos);
    if (!infos) return ERR_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < c->n_targets; i++) {
        if (which != TARGETS_ALL && (c->targets[i].coverage == COVERAGE_OK) != (which == TARGETS_OK)) continue;
        if (w && !query_rows_on(w, span_str(c->targets[i].host))) continue;
        enum err e = target_info(&c->targets[i], mask, mem, &infos[n++]);
        if (e != ERR_OK) return e;
    }
    *out = infos;
    *out_n = n;
    return ERR_OK;
}

enum err query_detail(const struct campaign *c, unsigned mask, struct arena *mem, struct campaign_detail *out) {
    struct campaign_detail d = {0};
    query_info(c, &d.info);
    enum err e = target_infos(c, TARGETS_ALL, NULL, mask, mem, &d.targets, &d.n_targets);
    if (e == ERR_OK) *out = d;
    return e;
}

/* ---- results ---- */
static const struct {
    enum result_kind kind;
    const char *what, *verb;
} kinds[] = {
    {RESULT_HISTOGRAM, "histograms", "hist"},
    {RESULT_EVENTS, "events", "top` or `trawl events"},
    {RESULT_STACKS, "stacks", "stacks"},
};

static enum rpc_status right_kind(struct query_work *w) {
    const struct campaign *c = w->of->campaign;
    enum query_kind asked = w->of->kind;
    bool any = asked == QUERY_OUTLIERS;
    enum result_kind want = asked == QUERY_HIST ? RESULT_HISTOGRAM : asked == QUERY_STACKS ? RESULT_STACKS : RESULT_EVENTS;
    const struct tool *tool = catalog_find(c->spec.tool);
    int n = (int)c->spec.tool.n;
    if (!tool)
        return query_refuse(w, RPC_FAILED_PRECONDITION, "campaign %.8s is of %.*s, which this collector does not know", c->hex, n,
                            c->spec.tool.p);
    if (tool->kind == want || any) return RPC_OK;
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (kinds[i].kind == tool->kind)
            return query_refuse(w, RPC_FAILED_PRECONDITION, "campaign %.8s is of %.*s: %s; try `trawl %s %.8s`", c->hex, n, c->spec.tool.p,
                                kinds[i].what, kinds[i].verb, c->hex);
    return query_refuse(w, RPC_FAILED_PRECONDITION, "campaign %.8s is of %.*s, which has no results of this kind", c->hex, n,
                        c->spec.tool.p);
}

static enum rpc_status fill(struct query_work *w) {
    switch (w->of->kind) {
    case QUERY_HIST:
        return query_hist_fill(w);
    case QUERY_TOP:
    case QUERY_CONNECTIONS:
        return query_top_fill(w);
    case QUERY_OUTLIERS:
        return query_outliers_fill(w);
    case QUERY_STACKS:
        return query_stacks_fill(w);
    case QUERY_EVENTS:
        return query_events_fill(w);
    case QUERY_REF:
    case QUERY_HOSTS:
    case QUERY_CAMPAIGNS:
        break;
    }
    return query_refuse(w, RPC_UNIMPLEMENTED, "this is not a question about results");
}

/* What the course of the campaign has to do with the numbers. */
static void note_course(struct query_work *w) {
    const struct campaign *c = w->of->campaign;
    if (c->stopped) query_note(w, "%s", c->why);
    if (!c->spec.start_wall_ms || !c->first_start_wall_ns) return;
    int64_t late_ns = (int64_t)(c->first_start_wall_ns - c->spec.start_wall_ms * NS_PER_MS);
    query_note(w, "the tools started within %.1f ms of each other, the first %.1f ms after the time that was asked for",
               (double)(c->last_start_wall_ns - c->first_start_wall_ns) / NS_PER_MS, (double)late_ns / NS_PER_MS);
}

static enum rpc_status select_hosts(struct query_work *w) {
    struct buf words;
    if (!w->of->query->on.n) return RPC_OK;
    buf_init(&words, QUERY_WHY_BYTES);
    enum err e = selector_parse(w->of->query->on, w->mem, &words, &w->selector);
    const char *text = buf_str(&words);
    enum rpc_status status =
        e == ERR_OK ? RPC_OK : query_refuse(w, RPC_INVALID_ARGUMENT, "the selector: %s", text && *text ? text : err_text(e));
    buf_done(&words);
    return status;
}

/* Coverage and ledger of the hosts that are asked about. */
static enum err narrow_info(struct query_work *w) {
    const struct campaign *c = w->of->campaign;
    struct campaign_info *info = &w->a->info;
    uint32_t all = info->targeted;
    memset(info->coverage, 0, sizeof info->coverage);
    info->ledger = (struct ledger){0};
    info->targeted = info->with_result = 0;
    for (size_t i = 0; i < c->n_targets; i++) {
        const struct campaign_target *t = &c->targets[i];
        struct target_info one;
        if (!query_rows_on(w, span_str(t->host))) continue;
        enum err e = target_info(t, w->of->mask, w->mem, &one);
        if (e != ERR_OK) return e;
        if (one.outcome) capture_ledger_add(&info->ledger, &one.outcome->ledger);
        info->targeted++;
        info->coverage[t->coverage]++;
        if (coverage_is_end(t->coverage) && t->coverage != COVERAGE_OK && t->coverage != COVERAGE_PARTIAL && t->has_result)
            info->with_result++;
    }
    query_note(w, "of the campaign's %u hosts only the %u of %.*s, by the labels that they have now", all, info->targeted,
               (int)w->of->query->on.n, w->of->query->on.p);
    return ERR_OK;
}

enum rpc_status query_results(const struct query_of *of, struct arena *mem, char *why, struct buf *out) {
    struct answer a = {.exact = true};
    struct query_work w = {.of = of, .mem = mem, .why = why, .a = &a};
    enum rpc_status status = right_kind(&w);
    if (status != RPC_OK) return status;
    status = select_hosts(&w);
    if (status != RPC_OK) return status;
    query_info(of->campaign, &a.info);
    enum err e = target_infos(of->campaign, TARGETS_NOT_OK, &w, of->mask, mem, &a.targets, &a.n_targets);
    if (e == ERR_OK) e = target_infos(of->campaign, TARGETS_OK, &w, of->mask, mem, &a.measured, &a.n_measured);
    if (e == ERR_OK && w.selector) e = narrow_info(&w);
    if (e != ERR_OK) return query_failed(&w, e);
    note_course(&w);
    status = fill(&w);
    if (status != RPC_OK) return status;
    query_mask_note(&w);
    e = query_encode_answer(of->kind, &a, out);
    if (e == ERR_OK && out->n > LIMIT_ANSWER_BYTES) e = ERR_LIMIT;
    return e == ERR_OK ? RPC_OK : query_failed(&w, e);
}

/* ---- hosts ---- */
static int by_host(const void *a, const void *b) {
    const struct host_info *x = a, *y = b;
    return span_cmp(x->facts.host, y->facts.host);
}

enum rpc_status query_hosts(const struct fleet *f, struct span selector, struct arena *mem, char *why, struct buf *out) {
    const struct selector *sel = NULL;
    struct buf words;
    buf_init(&words, QUERY_WHY_BYTES);
    enum err e = selector_parse(selector, mem, &words, &sel);
    if (e != ERR_OK) {
        const char *text = buf_str(&words);
        snprintf(why, QUERY_WHY_BYTES, "the selector: %s", text && *text ? text : err_text(e));
        buf_done(&words);
        return RPC_INVALID_ARGUMENT;
    }
    buf_done(&words);
    struct host_list list = {.hosts = arena_array(mem, fleet_n(f) + 1, sizeof *list.hosts)};
    for (size_t i = 0; list.hosts && i < fleet_n(f); i++) {
        const struct fleet_host *h = fleet_host(f, i);
        if (!selector_matches(sel, span_str(h->name), h->facts.labels, h->facts.n_labels)) continue;
        list.hosts[list.n++] = (struct host_info){.facts = h->facts,
                                                  .online = h->session != 0,
                                                  .seen_wall_ns = h->seen_wall_ns,
                                                  .cert_expires_wall_ns = h->cert_expires_wall_ns,
                                                  .address = span_str(h->address),
                                                  .note = span_str(h->note)};
    }
    if (list.hosts) qsort(list.hosts, list.n, sizeof *list.hosts, by_host);
    e = list.hosts ? query_encode_hosts(&list, out) : ERR_NOMEM;
    if (e == ERR_OK) return RPC_OK;
    snprintf(why, QUERY_WHY_BYTES, "%s", err_text(e));
    return RPC_RESOURCE_EXHAUSTED;
}
