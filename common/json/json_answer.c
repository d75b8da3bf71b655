#include "common/json/json_answer.h"

#include "common/catalog/ranking.h"
#include "common/json/json_answer_internal.h"
#include "common/json/json_body.h"
#include "common/json/json_campaign.h"

static json_t *notes(struct json_maker *m, const struct answer *a) {
    json_t *array = json_make_texts(m, a->notes, a->n_notes);
    if (!json_campaign_adds_up(&a->info)) json_make_add(m, array, json_make_name(m, "the coverage does not add up to the targeted hosts"));
    return array;
}

json_t *json_answer_head(struct json_maker *m, const struct answer *a, const char *kind) {
    json_t *o = json_make_object(m), *targets = json_make_array(m), *measured = json_make_array(m);
    json_campaign_put(m, o, &a->info);
    if (kind) json_make_put(m, o, "kind", json_make_name(m, kind));
    json_make_put(m, o, "replayed", json_make_bool(a->info.replayed));
    json_make_put(m, o, "notes", notes(m, a));
    for (size_t i = 0; i < a->n_targets; i++) json_make_add(m, targets, json_campaign_target(m, &a->targets[i]));
    json_make_put(m, o, "targets", targets);
    for (size_t i = 0; i < a->n_measured; i++) json_make_add(m, measured, json_campaign_target(m, &a->measured[i]));
    json_make_put(m, o, "measured", measured);
    return o;
}

static json_t *verdict(struct json_maker *m, const struct answer *a, const struct tool *t, const struct hist *h) {
    const char *word = t ? bands_verdict(t, h, a->bands) : NULL;
    return word ? json_make_name(m, word) : json_make_null();
}

_Static_assert((int)JSON_PERCENTILES == (int)RANKING_PERCENTILES, "p50, p90, p99, p999");

static json_t *host_entry(struct json_maker *m, const struct ranking_row *r) {
    json_t *o = json_make_object(m);
    json_make_put(m, o, "host", json_make_text(m, r->host));
    json_make_put(m, o, "total", json_make_count(m, r->total));
    json_body_percentiles(m, o, r->percentile);
    json_make_put(m, o, "verdict", r->verdict ? json_make_name(m, r->verdict) : json_make_null());
    json_make_put(m, o, "brackets", json_body_brackets(m, r->percentile));
    json_make_put(m, o, "unit", json_make_text(m, r->unit));
    json_make_put(m, o, "left_out", json_make_count(m, r->left_out));
    return o;
}

static enum err rank_all(const struct answer *a, const struct tool *tool, struct arena *mem, struct ranking **out) {
    struct ranking *r = ranking_new(tool, a->bands, a->n_host_hists, mem);
    if (!r) return ERR_NOMEM;
    for (size_t i = 0; i < a->n_host_hists; i++) {
        enum err e = ranking_add(r, a->host_hists[i].host, &a->host_hists[i].hists);
        if (e) return e;
    }
    *out = r;
    return ERR_OK;
}

enum err json_answer_hist(const struct answer *a, struct buf *out) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    const struct tool *tool = catalog_find(a->info.spec.tool);
    struct ranking *ranking = NULL;
    struct json_maker m;
    if (!mem) return ERR_NOMEM;
    enum err e = rank_all(a, tool, mem, &ranking);
    if (!e) e = json_make_init(&m, out);
    if (e) return e;
    json_t *head = json_answer_head(&m, a, "histogram"), *merged = json_make_array(&m);
    for (size_t i = 0; i < a->merged.n; i++) {
        json_t *h = json_body_hist(&m, &a->merged.hists[i]);
        json_make_put(&m, h, "verdict", verdict(&m, a, tool, &a->merged.hists[i]));
        json_make_add(&m, merged, h);
    }
    json_make_put(&m, head, "histograms", merged);
    json_make_list(&m, head, "hosts");
    size_t n = 0;
    const struct ranking_row *rows = ranking_rows(ranking, &n);
    for (size_t i = 0; i < n && !m.failed; i++) json_make_item(&m, host_entry(&m, &rows[i]));
    json_make_list_end(&m);
    return json_make_done(&m);
}

static double average(const struct top_row *r) {
    double unit = 1;
    for (unsigned i = 0; i < r->decimals; i++) unit *= 10;
    return (double)r->total / (double)r->count / unit;
}

static json_t *reading(struct json_maker *m, const struct answer *a, const struct top_row *r) {
    const char *word = bands_reading(a->info.spec.tool, a->of, average(r));
    return word ? json_make_name(m, word) : json_make_null();
}

/* Of a bounded answer only what it is ranked by is known. */
static json_t *top_entry(struct json_maker *m, const struct answer *a, const struct answer_top_row *row) {
    const struct top_row *r = &row->row;
    bool counts = !a->bounded || a->rank == TOP_COUNT, totals = a->of.n && (!a->bounded || a->rank == TOP_TOTAL),
         rest = a->of.n && !a->bounded;
    json_t *o = json_make_object(m), *values = json_make_array(m);
    json_make_put(m, o, "value", json_make_text(m, r->value));
    for (size_t i = 0; i <= a->n_more_by; i++) json_make_add(m, values, json_make_text(m, r->values[i]));
    json_make_put(m, o, "values", values);
    json_make_put(m, o, "count", counts ? json_make_count(m, r->count) : json_make_null());
    json_make_put(m, o, "total", totals ? json_make_decimal(m, r->total, r->decimals) : json_make_null());
    json_make_put(m, o, "avg", rest && r->count ? json_make_real(m, average(r)) : json_make_null());
    json_make_put(m, o, "reading", rest && r->count ? reading(m, a, r) : json_make_null());
    json_make_put(m, o, "max", rest ? json_make_decimal(m, r->max, r->decimals) : json_make_null());
    json_make_put(m, o, "p99", rest && r->p99.known ? json_make_real(m, r->p99.value) : json_make_null());
    if (a->bounded) {
        json_make_put(m, o, "count_low", counts ? json_make_count(m, r->count - r->count_error) : json_make_null());
        json_make_put(m, o, "total_low", totals ? json_make_decimal(m, r->total - (int64_t)r->total_error, r->decimals) : json_make_null());
    }
    if (row->host.n) json_make_put(m, o, "host", json_make_text(m, row->host));
    return o;
}

static enum err top_like(const struct answer *a, const char *kind, struct buf *out) {
    static const char *const ranks[] = {
        [TOP_COUNT] = "count", [TOP_TOTAL] = "total", [TOP_AVG] = "avg", [TOP_MAX] = "max", [TOP_P99] = "p99"};
    struct json_maker m;
    enum err e = json_make_init(&m, out);
    if (e) return e;
    json_t *head = json_answer_head(&m, a, kind), *fields = json_make_array(&m);
    json_make_put(&m, head, "by", json_make_text(&m, a->by));
    json_make_add(&m, fields, json_make_text(&m, a->by));
    for (size_t i = 0; i < a->n_more_by; i++) json_make_add(&m, fields, json_make_text(&m, a->more_by[i]));
    json_make_put(&m, head, "fields", fields);
    json_make_put(&m, head, "of", json_make_text_or_null(&m, a->of));
    json_make_put(&m, head, "rank", json_make_name(&m, ranks[a->rank]));
    json_make_put(&m, head, "exact", json_make_bool(a->exact));
    json_make_put(&m, head, "bounded", json_make_bool(a->bounded));
    json_make_put(&m, head, "unlisted_at_most", a->bounded ? json_make_count(&m, a->unlisted) : json_make_null());
    json_make_put(&m, head, "groups", json_make_count(&m, a->groups));
    json_make_put(&m, head, "matched", json_make_count(&m, a->matched));
    json_make_list(&m, head, "rows");
    for (size_t i = 0; i < a->n_top && !m.failed; i++) json_make_item(&m, top_entry(&m, a, &a->top[i]));
    json_make_list_end(&m);
    return json_make_done(&m);
}

enum err json_answer_top(const struct answer *a, struct buf *out) { return top_like(a, "top", out); }
enum err json_answer_connections(const struct answer *a, struct buf *out) { return top_like(a, "connections", out); }

static json_t *outlier(struct json_maker *m, const struct answer_outlier *o) {
    bool slot = o->times > 0 && o->unit.n;
    json_t *j = json_make_object(m);
    json_make_put(m, j, "host", json_make_text(m, o->host));
    json_make_put(m, j, "what", json_make_text(m, o->what));
    json_make_put(m, j, "group", json_make_text_or_null(m, o->group));
    json_make_put(m, j, "peers", json_make_count(m, o->peers));
    json_make_put(m, j, "octaves", json_make_real(m, o->octaves));
    json_make_put(m, j, "q", json_make_real(m, o->q));
    json_make_put(m, j, "times", o->times > 0 ? json_make_real(m, o->times) : json_make_null());
    json_make_put(m, j, "low", slot ? json_make_count(m, o->low) : json_make_null());
    json_make_put(m, j, "high", slot && o->high != HIST_OPEN ? json_make_count(m, o->high) : json_make_null());
    json_make_put(m, j, "unit", json_make_text_or_null(m, o->unit));
    json_make_put(m, j, "frame", json_make_text_or_null(m, o->name));
    json_make_put(m, j, "sentence", json_make_text(m, o->sentence));
    return j;
}

enum err json_answer_outliers(const struct answer *a, struct buf *out) {
    struct json_maker m;
    enum err e = json_make_init(&m, out);
    if (e) return e;
    json_t *head = json_answer_head(&m, a, "outliers");
    json_make_put(&m, head, "tested", json_make_count(&m, a->tested));
    json_make_put(&m, head, "groups", json_make_texts(&m, a->groups_compared, a->n_groups_compared));
    json_make_list(&m, head, "outliers");
    for (size_t i = 0; i < a->n_outliers && !m.failed; i++) json_make_item(&m, outlier(&m, &a->outliers[i]));
    json_make_list_end(&m);
    return json_make_done(&m);
}

static json_t *stack(struct json_maker *m, const struct stacks *s, const struct stack_row *row) {
    json_t *o = json_make_object(m);
    json_make_put(m, o, "frames", json_body_frames(m, s, row->leaf, false));
    json_make_put(m, o, "comm", json_make_text_or_null(m, s->strings.text[row->comm]));
    json_make_put(m, o, "count", json_make_count(m, row->count));
    return o;
}

static json_t *stack_parts(struct json_maker *m, const struct answer *a) {
    json_t *parts = json_make_array(m);
    for (size_t i = 0; i < a->n_parts; i++) {
        json_t *o = json_make_object(m);
        json_make_put(m, o, "name", json_make_text(m, a->parts[i].name));
        json_make_put(m, o, "self", json_make_count(m, a->parts[i].self));
        json_make_put(m, o, "total", json_make_count(m, a->parts[i].total));
        json_make_add(m, parts, o);
    }
    return parts;
}

/* Coverage and ledger at the top would be of one campaign only when there are several. */
static json_t *stacks_head(struct json_maker *m, const struct answer *a) {
    if (!a->n_also) return json_answer_head(m, a, "stacks");
    json_t *o = json_make_object(m), *campaigns = json_make_array(m);
    json_make_put(m, o, "kind", json_make_name(m, "stacks"));
    json_make_add(m, campaigns, json_answer_head(m, a, NULL));
    for (size_t i = 0; i < a->n_also; i++) json_make_add(m, campaigns, json_answer_head(m, &a->also[i], NULL));
    json_make_put(m, o, "campaigns", campaigns);
    return o;
}

enum err json_answer_stacks(const struct answer *a, struct buf *out) {
    struct json_maker m;
    enum err e = json_make_init(&m, out);
    if (e) return e;
    json_t *head = stacks_head(&m, a);
    json_make_put(&m, head, "unit", json_make_text(&m, a->stacks.unit));
    json_make_put(&m, head, "total", json_make_count(&m, a->total));
    json_make_put(&m, head, "distinct", json_make_count(&m, a->distinct));
    json_make_put(&m, head, "whole", json_make_count(&m, a->whole));
    json_make_put(&m, head, "by", json_make_text_or_null(&m, a->by));
    json_make_put(&m, head, "parts", stack_parts(&m, a));
    json_make_list(&m, head, "stacks");
    for (size_t i = 0; i < a->stacks.n_rows && !m.failed; i++) json_make_item(&m, stack(&m, &a->stacks, &a->stacks.rows[i]));
    json_make_list_end(&m);
    return json_make_done(&m);
}

/* The columns of all hosts by key, first come first: flavours of a tool need not print the same ones. */
static void put_columns(struct json_maker *m, json_t *head, const struct answer *a, struct span *const *keys) {
    json_t *columns = json_make_array(m), *seen = json_make_object(m);
    for (size_t h = 0; h < a->n_host_events; h++) {
        const struct events *e = &a->host_events[h].events;
        for (size_t i = 0; i < e->n_columns; i++) {
            size_t before = json_object_size(seen);
            json_make_put_key(m, seen, keys[h][i], json_make_null());
            if (json_object_size(seen) > before) json_make_add(m, columns, json_body_column(m, &e->columns[i], keys[h][i]));
        }
    }
    json_decref(seen);
    json_make_put(m, head, "columns", columns);
}

static enum err all_keys(const struct answer *a, struct arena *mem, struct span ***out) {
    struct span **keys = arena_array(mem, a->n_host_events ? a->n_host_events : 1, sizeof *keys);
    if (!keys) return ERR_NOMEM;
    for (size_t h = 0; h < a->n_host_events; h++) {
        enum err e = json_body_keys(&a->host_events[h].events, mem, &keys[h]);
        if (e) return e;
    }
    *out = keys;
    return ERR_OK;
}

enum err json_answer_events(const struct answer *a, struct buf *out) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    struct span **keys = NULL;
    struct json_maker m;
    if (!mem) return ERR_NOMEM;
    enum err e = all_keys(a, mem, &keys);
    if (!e) e = json_make_init(&m, out);
    if (e) return e;
    uint64_t given = 0;
    for (size_t h = 0; h < a->n_host_events; h++) given += a->host_events[h].events.n_rows;
    json_t *head = json_answer_head(&m, a, "events");
    put_columns(&m, head, a, keys);
    json_make_put(&m, head, "count", json_make_count(&m, a->total));
    json_make_put(&m, head, "given", json_make_count(&m, given));
    json_make_list(&m, head, "events");
    for (size_t h = 0; h < a->n_host_events; h++) {
        const struct host_events *one = &a->host_events[h];
        for (size_t row = 0; row < one->events.n_rows && !m.failed; row++)
            json_make_item(&m, json_body_event(&m, &one->events, keys[h], row, one->host));
    }
    json_make_list_end(&m);
    return json_make_done(&m);
}
