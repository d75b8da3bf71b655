#include "common/json/json.h"

#include "common/catalog/catalog.h"
#include "common/json/json_body.h"
#include "common/wire/limits.h"

static enum result_kind kind_of(const struct capture *c) {
    if (c->kind != RESULT_NONE) return c->kind;
    const struct tool *t = catalog_find(c->tool);
    return t ? t->kind : RESULT_NONE;
}

static json_t *head_of(struct json_maker *m, const struct capture *c, enum result_kind kind) {
    json_t *o = json_make_object(m);
    json_make_put(m, o, "tool", json_make_text(m, c->tool));
    json_make_put(m, o, "flavour", json_make_text_or_null(m, c->flavour));
    json_make_put(m, o, "kind", json_make_name(m, capture_kind_name(kind)));
    json_make_put(m, o, "partial", json_make_bool(c->partial || c->failed));
    json_make_put(m, o, "ledger", json_body_ledger(m, &c->ledger));
    json_make_put(m, o, "notes", json_make_texts(m, c->notes, c->n_notes));
    if (c->leftover.n) json_make_put(m, o, "leftover", json_make_text(m, c->leftover));
    return o;
}

static void hists(struct json_maker *m, json_t *head, const struct hist_set *set) {
    json_make_list(m, head, "histograms");
    for (size_t i = 0; i < set->n && !m->failed; i++) json_make_item(m, json_body_hist(m, &set->hists[i]));
    json_make_list_end(m);
}

static void events(struct json_maker *m, json_t *head, const struct events *e, const struct span *keys) {
    json_t *columns = json_make_array(m);
    for (size_t i = 0; i < e->n_columns; i++) json_make_add(m, columns, json_body_column(m, &e->columns[i], keys[i]));
    json_make_put(m, head, "columns", columns);
    json_make_put(m, head, "count", json_make_count(m, e->n_rows));
    json_make_list(m, head, "events");
    for (size_t row = 0; row < e->n_rows && !m->failed; row++) json_make_item(m, json_body_event(m, e, keys, row, SPAN_LIT("")));
    json_make_list_end(m);
}

static json_t *stack(struct json_maker *m, const struct stacks *s, const struct stack_row *row) {
    json_t *o = json_make_object(m);
    json_make_put(m, o, "frames", json_body_frames(m, s, row->leaf, false));
    json_make_put(m, o, "count", json_make_count(m, row->count));
    json_make_put(m, o, "comm", json_make_text(m, s->strings.text[row->comm]));
    json_make_put(m, o, "pid", row->pid == STACKS_NO_PID ? json_make_null() : json_make_int(m, row->pid));
    return o;
}

static void stacks(struct json_maker *m, json_t *head, const struct stacks *s) {
    json_make_put(m, head, "unit", json_make_text(m, s->unit));
    json_make_put(m, head, "total", json_make_count(m, stacks_total(s)));
    json_make_list(m, head, "stacks");
    for (size_t i = 0; i < s->n_rows && !m->failed; i++) json_make_item(m, stack(m, s, &s->rows[i]));
    json_make_list_end(m);
}

enum err json_capture(const struct capture *c, struct buf *out) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    struct span *keys = NULL;
    if (!mem) return ERR_NOMEM;
    enum err e = json_body_keys(&c->events, mem, &keys);
    if (e) return e;
    struct json_maker m;
    e = json_make_init(&m, out);
    if (e) return e;
    enum result_kind kind = kind_of(c);
    json_t *head = head_of(&m, c, kind);
    switch (kind) {
    case RESULT_HISTOGRAM: hists(&m, head, &c->hists); break;
    case RESULT_EVENTS: events(&m, head, &c->events, keys); break;
    case RESULT_STACKS: stacks(&m, head, &c->stacks); break;
    case RESULT_NONE: json_make_document(&m, head); break;
    }
    return json_make_done(&m);
}
