#include "common/merge/event_table.h"

#include <stdlib.h>

struct piece {
    uint32_t host;
    struct events events; /* its strings are the dictionary, set when it is given out */
};

struct event_table {
    struct arena *mem;
    struct strings dictionary;
    struct piece *pieces;
    size_t n, cap;
    uint64_t rows;
};

struct event_table *event_table_new(size_t budget_bytes) {
    AUTO(event_table_free) struct event_table *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->mem = arena_new(budget_bytes);
    if (!t->mem || strings_init(&t->dictionary, t->mem)) return NULL;
    return TAKE(t);
}

void event_table_free(struct event_table *t) {
    if (!t) return;
    arena_free(t->mem);
    free(t->pieces);
    free(t);
}

static enum err copy_head(struct arena *mem, const struct column *from, struct column *to) {
    *to = (struct column){
        .name = arena_copy(mem, from->name), .unit = arena_copy(mem, from->unit), .type = from->type, .decimals = from->decimals};
    return to->name.p && to->unit.p ? ERR_OK : ERR_NOMEM;
}

/* Hosts of one flavour have the same heads, so most pieces borrow those of the piece before. */
static bool same_heads(const struct events *a, const struct events *b) {
    if (a->n_columns != b->n_columns) return false;
    for (size_t i = 0; i < a->n_columns; i++)
        if (!span_eq(a->columns[i].name, b->columns[i].name) || !span_eq(a->columns[i].unit, b->columns[i].unit) ||
            a->columns[i].type != b->columns[i].type || a->columns[i].decimals != b->columns[i].decimals)
            return false;
    return true;
}

static enum err copy_heads(struct event_table *t, const struct events *e, struct column *columns) {
    const struct events *last = t->n ? &t->pieces[t->n - 1].events : NULL;
    enum err err = ERR_OK;
    if (last && same_heads(last, e))
        memcpy(columns, last->columns, e->n_columns * sizeof *columns);
    else
        for (size_t i = 0; i < e->n_columns && !err; i++) err = copy_head(t->mem, &e->columns[i], &columns[i]);
    return err;
}

/* place: 1 + index in the dictionary of each text of e, 0 not looked up yet. */
static enum err copy_texts(struct event_table *t, const struct events *e, const uint32_t *text, uint32_t *place, uint32_t *out) {
    for (size_t row = 0; row < e->n_rows; row++) {
        uint32_t *at = &place[text[row]];
        if (!*at) {
            enum err err = strings_add(&t->dictionary, e->strings.text[text[row]], at);
            if (err) return err;
            ++*at;
        }
        out[row] = *at - 1;
    }
    return ERR_OK;
}

static enum err copy_columns(struct event_table *t, const struct events *e, struct column *columns) {
    AUTO_FREE uint32_t *place = calloc(e->strings.n + 1, sizeof *place);
    if (!place) return ERR_NOMEM;
    enum err err = copy_heads(t, e, columns);
    for (size_t i = 0; i < e->n_columns && !err; i++) {
        struct column *c = &columns[i];
        c->number = NULL;
        c->text = NULL;
        if (column_is_number(c->type)) {
            c->number = arena_array(t->mem, e->n_rows, sizeof *c->number);
            if (!c->number) return ERR_NOMEM;
            memcpy(c->number, e->columns[i].number, e->n_rows * sizeof *c->number);
        } else {
            c->text = arena_array(t->mem, e->n_rows, sizeof *c->text);
            err = c->text ? copy_texts(t, e, e->columns[i].text, place, c->text) : ERR_NOMEM;
        }
    }
    return err;
}

enum err event_table_add(struct event_table *t, uint32_t host, const struct events *e) {
    if (e->n_rows == 0) return ERR_OK;
    if (t->n == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 64;
        struct piece *p = reallocarray(t->pieces, cap, sizeof *p);
        if (!p) return ERR_NOMEM;
        t->pieces = p;
        t->cap = cap;
    }
    struct column *columns = arena_array(t->mem, e->n_columns + 1, sizeof *columns);
    enum err err = columns ? copy_columns(t, e, columns) : ERR_NOMEM;
    if (err) return err;
    t->pieces[t->n++] = (struct piece){host, {.columns = columns, .n_columns = e->n_columns, .n_rows = e->n_rows, .cap_rows = e->n_rows}};
    t->rows += e->n_rows;
    return ERR_OK;
}

size_t event_table_n(const struct event_table *t) { return t->n; }

void event_table_at(const struct event_table *t, size_t i, uint32_t *out_host, struct events *out) {
    *out_host = t->pieces[i].host;
    *out = t->pieces[i].events;
    out->strings = t->dictionary;
}

const struct strings *event_table_dictionary(const struct event_table *t) { return &t->dictionary; }
uint64_t event_table_rows(const struct event_table *t) { return t->rows; }
size_t event_table_bytes(const struct event_table *t) { return sizeof *t + t->cap * sizeof *t->pieces + arena_used(t->mem); }
