#include "common/json/json_body.h"

json_t *json_body_ledger(struct json_maker *m, const struct ledger *l) {
    json_t *o = json_make_object(m);
    json_make_put(m, o, "kernel", json_make_count(m, l->kernel));
    json_make_put(m, o, "tool", json_make_count(m, l->tool));
    json_make_put(m, o, "cap", json_make_count(m, l->cap));
    json_make_put(m, o, "parse", json_make_count(m, l->parse));
    json_make_put(m, o, "spool", json_make_count(m, l->spool));
    json_make_put(m, o, "shed", json_make_count(m, l->shed));
    return o;
}

static json_t *high_end(struct json_maker *m, uint64_t high) { return high == HIST_OPEN ? json_make_null() : json_make_count(m, high); }

static json_t *bracket(struct json_maker *m, const struct percentile *p) {
    if (!p->known) return json_make_null();
    json_t *a = json_make_array(m);
    json_make_add(m, a, json_make_count(m, p->low));
    json_make_add(m, a, high_end(m, p->high));
    return a;
}

static const char *const percentile_names[JSON_PERCENTILES] = {"p50", "p90", "p99", "p999"};

void json_body_percentiles(struct json_maker *m, json_t *object, const struct percentile p[JSON_PERCENTILES]) {
    for (size_t i = 0; i < JSON_PERCENTILES; i++)
        json_make_put(m, object, percentile_names[i], p[i].known ? json_make_real(m, p[i].value) : json_make_null());
}

json_t *json_body_brackets(struct json_maker *m, const struct percentile p[JSON_PERCENTILES]) {
    json_t *o = json_make_object(m);
    for (size_t i = 0; i < JSON_PERCENTILES; i++) json_make_put(m, o, percentile_names[i], bracket(m, &p[i]));
    return o;
}

json_t *json_body_hist(struct json_maker *m, const struct hist *h) {
    const struct percentile p[] = {percentile_of(h, 500), percentile_of(h, 900), percentile_of(h, 990), percentile_of(h, 999)};
    json_t *o = json_make_object(m), *section = json_make_object(m), *buckets = json_make_array(m);
    for (size_t i = 0; i < h->n_section; i++) json_make_put_key(m, section, h->section[i].key, json_make_text(m, h->section[i].value));
    for (size_t i = 0; i < h->n_slots; i++) {
        json_t *b = json_make_object(m);
        json_make_put(m, b, "low", json_make_count(m, h->slots[i].low));
        json_make_put(m, b, "high", high_end(m, h->slots[i].high));
        json_make_put(m, b, "count", json_make_count(m, h->slots[i].count));
        json_make_add(m, buckets, b);
    }
    json_make_put(m, o, "unit", json_make_text(m, h->unit));
    json_make_put(m, o, "scale", json_make_name(m, h->scale == HIST_LINEAR ? "linear" : "log2"));
    json_make_put(m, o, "section", section);
    json_make_put(m, o, "interval", json_make_text_or_null(m, h->interval));
    json_make_put(m, o, "buckets", buckets);
    json_make_put(m, o, "total", json_make_count(m, hist_total(h)));
    json_body_percentiles(m, o, p);
    json_make_put(m, o, "brackets", json_body_brackets(m, p));
    return o;
}

static bool key_taken(const struct span *keys, size_t n, struct span key) {
    if (span_eq_str(key, "host") || span_eq_str(key, "stack")) return true;
    for (size_t i = 0; i < n; i++)
        if (span_eq(keys[i], key)) return true;
    return false;
}

static struct span numbered(struct arena *mem, struct span name, unsigned number) {
    struct buf text;
    buf_init(&text, 0);
    buf_add(&text, name);
    buf_add_fmt(&text, "_%u", number);
    struct span key = buf_failed(&text) ? SPAN_NONE : arena_copy(mem, buf_span(&text));
    buf_done(&text);
    return key;
}

enum err json_body_keys(const struct events *e, struct arena *mem, struct span **out_keys) {
    struct span *keys = arena_array(mem, e->n_columns ? e->n_columns : 1, sizeof *keys);
    if (!keys) return ERR_NOMEM;
    for (size_t i = 0; i < e->n_columns; i++) {
        keys[i] = e->columns[i].name;
        for (unsigned number = 2; key_taken(keys, i, keys[i]); number++) {
            keys[i] = numbered(mem, e->columns[i].name, number);
            if (!keys[i].p) return ERR_NOMEM;
        }
    }
    *out_keys = keys;
    return ERR_OK;
}

static const char *type_name(enum column_type t) {
    switch (t) {
    case COLUMN_INT: return "integer";
    case COLUMN_DECIMAL: return "decimal";
    case COLUMN_PORT: return "port";
    case COLUMN_TEXT: return "text";
    case COLUMN_ADDRESS: return "address";
    case COLUMN_TIME: return "time";
    }
    return "text";
}

json_t *json_body_column(struct json_maker *m, const struct column *c, struct span key) {
    json_t *o = json_make_object(m);
    json_make_put(m, o, "name", json_make_text(m, key));
    json_make_put(m, o, "type", json_make_name(m, type_name(c->type)));
    json_make_put(m, o, "unit", json_make_text(m, c->unit));
    return o;
}

static json_t *cell(struct json_maker *m, const struct events *e, const struct column *c, size_t row) {
    if (!column_is_number(c->type)) return json_make_text(m, e->strings.text[c->text[row]]);
    if (c->number[row] == EVENTS_NULL) return json_make_null();
    return json_make_decimal(m, c->number[row], c->type == COLUMN_DECIMAL ? c->decimals : 0);
}

json_t *json_body_event(struct json_maker *m, const struct events *e, const struct span *keys, size_t row, struct span host) {
    json_t *o = json_make_object(m);
    if (host.n) json_make_put(m, o, "host", json_make_text(m, host));
    for (size_t i = 0; i < e->n_columns; i++) json_make_put_key(m, o, keys[i], cell(m, e, &e->columns[i], row));
    if (e->stack_of && e->stack_of[row]) {
        uint32_t leaf = e->stacks.rows[e->stack_of[row] - 1].leaf;
        json_make_put(m, o, "stack", json_body_frames(m, &e->stacks, leaf, true));
    }
    return o;
}

json_t *json_body_frames(struct json_maker *m, const struct stacks *s, uint32_t leaf, bool leaf_first) {
    json_t *a = json_make_array(m);
    for (uint32_t n = leaf; n != STACKS_ROOT; n = s->nodes[n].parent) {
        json_t *frame = json_make_text(m, s->strings.text[s->nodes[n].frame]);
        if (leaf_first)
            json_make_add(m, a, frame);
        else if (json_array_insert_new(a, 0, frame))
            m->failed = true;
    }
    return a;
}
