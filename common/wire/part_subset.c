#include "common/wire/part_subset.h"

#include <assert.h>

#include "common/base/num.h"

enum { MESSAGE_BYTES = 128, COLUMN_BYTES = 64 }; /* tags and lengths, generously */

/* Which entries of one of the source's tables this piece needs, in the order they were met. */
struct pick {
    struct {
        uint32_t epoch, index;
    } * mark;
    uint32_t *source; /* index here → index there */
    uint32_t n;
};

struct part_subset {
    const struct capture *c;
    uint32_t epoch;                   /* of this piece: marks of older pieces are no marks */
    struct pick strings, nodes, rows; /* strings of events; nodes and rows of stacks */
    struct pick stack_strings;
    struct strings seen; /* texts of this piece's histograms, which have no table */
};

static bool pick_new(struct pick *p, size_t n, struct arena *mem) {
    p->mark = arena_array(mem, n + 1, sizeof *p->mark);
    p->source = arena_array(mem, n + 1, sizeof *p->source);
    return p->mark && p->source;
}

struct part_subset *part_subset_new(const struct capture *c, struct arena *mem) {
    const struct stacks *stacks = c->kind == RESULT_EVENTS ? &c->events.stacks : &c->stacks;
    struct part_subset *s = arena_array(mem, 1, sizeof *s);
    if (!s) return NULL;
    s->c = c;
    if (c->kind == RESULT_EVENTS && !pick_new(&s->strings, c->events.strings.n, mem)) return NULL;
    if (c->kind == RESULT_HISTOGRAM || c->kind == RESULT_NONE) return s;
    if (!pick_new(&s->stack_strings, stacks->strings.n, mem)) return NULL;
    if (!pick_new(&s->nodes, stacks->n_nodes, mem) || !pick_new(&s->rows, stacks->n_rows, mem)) return NULL;
    return s;
}

size_t part_subset_rows(const struct capture *c) {
    switch (c->kind) {
    case RESULT_HISTOGRAM:
        return c->hists.n;
    case RESULT_EVENTS:
        return c->events.n_rows;
    case RESULT_STACKS:
        return c->stacks.n_rows;
    case RESULT_NONE:
        break;
    }
    return 0;
}

static bool is_picked(const struct part_subset *s, const struct pick *p, uint32_t source) { return p->mark[source].epoch == s->epoch; }

static uint32_t add(const struct part_subset *s, struct pick *p, uint32_t source) {
    p->mark[source].epoch = s->epoch;
    p->mark[source].index = p->n;
    p->source[p->n] = source;
    return p->n++;
}

static void take_back(struct pick *p, uint32_t n) {
    while (p->n > n) p->mark[p->source[--p->n]].epoch = 0;
}

static size_t varint_bytes(uint64_t v) { return 1 + (63 - (size_t)__builtin_clzll(v | 1)) / 7; }

static uint64_t zigzag(int64_t v) { return ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0); }

static size_t text_bytes(struct span s) {
    size_t n = s.n < LIMIT_TEXT_BYTES ? s.n : LIMIT_TEXT_BYTES;
    return n + varint_bytes(n);
}

/* What a reference to string i costs, and the string itself when it is new here. */
static size_t string_cost(struct part_subset *s, struct pick *p, const struct strings *t, uint32_t i) {
    if (i == 0) return 1;
    assert(i < t->n);
    if (is_picked(s, p, i)) return varint_bytes(p->mark[i].index);
    return varint_bytes(add(s, p, i)) + text_bytes(t->text[i]);
}

/* SIZE_MAX: deeper than any part may be. */
static size_t path_cost(struct part_subset *s, const struct stacks *from, uint32_t leaf) {
    uint32_t path[LIMIT_STACK_DEPTH];
    size_t n = 0, cost = 0, depth = 0;
    for (uint32_t i = leaf; i != STACKS_ROOT; i = from->nodes[i].parent) {
        assert(i < from->n_nodes && from->nodes[i].parent < i);
        if (depth++ == LIMIT_STACK_DEPTH) return SIZE_MAX;
        if (!is_picked(s, &s->nodes, i)) path[n++] = i;
    }
    while (n-- > 0) {
        const struct stack_node *node = &from->nodes[path[n]];
        cost += varint_bytes(s->nodes.mark[node->parent].index) + string_cost(s, &s->stack_strings, &from->strings, node->frame) + 1;
        add(s, &s->nodes, path[n]);
    }
    return cost;
}

static size_t stack_cost(struct part_subset *s, const struct stacks *from, uint32_t row) {
    if (is_picked(s, &s->rows, row)) return varint_bytes(s->rows.mark[row].index + 1);
    const struct stack_row *r = &from->rows[row];
    size_t path = path_cost(s, from, r->leaf);
    if (path == SIZE_MAX) return SIZE_MAX;
    size_t cost = path + varint_bytes(s->nodes.mark[r->leaf].index) + string_cost(s, &s->stack_strings, &from->strings, r->comm);
    return cost + varint_bytes(zigzag(r->pid + 1)) + varint_bytes(r->count) + varint_bytes(add(s, &s->rows, row) + 1);
}

static size_t event_cost(struct part_subset *s, const struct events *e, size_t row, size_t index) {
    size_t cost = 0;
    for (size_t i = 0; i < e->n_columns; i++) {
        const struct column *c = &e->columns[i];
        if (!column_is_number(c->type))
            cost += string_cost(s, &s->strings, &e->strings, c->text[row]);
        else if (c->number[row] == EVENTS_NULL)
            cost += 1 + varint_bytes(index);
        else
            cost += varint_bytes(zigzag(c->number[row]));
    }
    if (!e->stack_of) return cost;
    size_t stack = e->stack_of[row] ? stack_cost(s, &e->stacks, e->stack_of[row] - 1) : 1;
    return stack == SIZE_MAX ? SIZE_MAX : cost + stack;
}

static size_t text_cost(struct part_subset *s, struct span text) {
    uint32_t n = s->seen.n, index;
    if (strings_add(&s->seen, text, &index)) return 5 + text_bytes(text); /* no memory to know whether it is new */
    return varint_bytes(index) + (index == n ? text_bytes(text) : 0);
}

static size_t hist_cost(struct part_subset *s, const struct hist *h) {
    size_t cost = 2 + varint_bytes(h->n_slots) + text_cost(s, h->unit) + text_cost(s, h->interval);
    for (size_t i = 0; i < h->n_section; i++) cost += text_cost(s, h->section[i].key) + text_cost(s, h->section[i].value);
    for (size_t i = 0; i < h->n_slots; i++) {
        const struct hist_slot *slot = &h->slots[i];
        cost += varint_bytes(slot->low) + varint_bytes(slot->high - slot->low + 1) + varint_bytes(slot->count);
    }
    return cost;
}

static size_t row_cost(struct part_subset *s, size_t row, size_t index) {
    if (s->c->kind == RESULT_HISTOGRAM) return hist_cost(s, &s->c->hists.hists[row]);
    if (s->c->kind == RESULT_EVENTS) return event_cost(s, &s->c->events, row, index);
    return stack_cost(s, &s->c->stacks, (uint32_t)row);
}

static size_t fixed_cost(const struct capture *c) {
    size_t cost = MESSAGE_BYTES;
    for (size_t i = 0; c->kind == RESULT_EVENTS && i < c->events.n_columns; i++)
        cost += COLUMN_BYTES + c->events.columns[i].name.n + c->events.columns[i].unit.n;
    return cost;
}

static void begin(struct part_subset *s) {
    struct pick *const all[] = {&s->strings, &s->stack_strings, &s->nodes, &s->rows};
    s->epoch++;
    for (size_t i = 0; i < COUNT_OF(all); i++) all[i]->n = 0;
    /* Index 0 is the empty string, and the root, here as there. */
    for (size_t i = 0; i < 3; i++)
        if (all[i]->mark) add(s, all[i], 0);
}

/* Picks what the rows need; returns where they end: `from` itself when its row is one that no part can have. */
static size_t choose(struct part_subset *s, size_t from, size_t max_rows, size_t max_bytes) {
    size_t n = part_subset_rows(s->c), used = fixed_cost(s->c), row = from;
    for (; row < n && row - from < max_rows; row++) {
        uint32_t strings = s->strings.n, stack_strings = s->stack_strings.n, nodes = s->nodes.n, rows = s->rows.n;
        used = (size_t)num_sat_add(used, row_cost(s, row, row - from));
        if (used <= max_bytes || (row == from && used < SIZE_MAX)) continue;
        take_back(&s->strings, strings);
        take_back(&s->stack_strings, stack_strings);
        take_back(&s->nodes, nodes);
        take_back(&s->rows, rows);
        break;
    }
    return row;
}

static enum err build_strings(const struct pick *p, const struct strings *from, struct arena *mem, struct strings *out) {
    struct span *text = arena_array(mem, p->n, sizeof *text);
    if (!text) return ERR_NOMEM;
    for (uint32_t i = 1; i < p->n; i++) text[i] = from->text[p->source[i]];
    text[0] = span_of("", 0);
    *out = (struct strings){.text = text, .n = p->n, .cap = p->n, .mem = mem};
    return ERR_OK;
}

static enum err build_stacks(const struct part_subset *s, const struct stacks *from, struct arena *mem, struct stacks *out) {
    struct stacks new = {.unit = from->unit, .n_nodes = s->nodes.n, .cap_nodes = s->nodes.n, .mem = mem};
    enum err e = build_strings(&s->stack_strings, &from->strings, mem, &new.strings);
    if (e) return e;
    new.n_rows = new.cap_rows = s->rows.n;
    new.nodes = arena_array(mem, new.n_nodes, sizeof *new.nodes);
    new.rows = arena_array(mem, new.n_rows + 1, sizeof *new.rows);
    if (!new.nodes || !new.rows) return ERR_NOMEM;
    for (uint32_t i = 1; i < s->nodes.n; i++) {
        const struct stack_node *node = &from->nodes[s->nodes.source[i]];
        new.nodes[i].parent = s->nodes.mark[node->parent].index;
        new.nodes[i].frame = node->frame ? s->stack_strings.mark[node->frame].index : 0;
        new.nodes[i].kind = node->kind;
    }
    for (uint32_t i = 0; i < s->rows.n; i++) {
        new.rows[i] = from->rows[s->rows.source[i]];
        new.rows[i].leaf = s->nodes.mark[new.rows[i].leaf].index;
        new.rows[i].comm = new.rows[i].comm ? s->stack_strings.mark[new.rows[i].comm].index : 0;
    }
    *out = new;
    return ERR_OK;
}

static uint32_t *map_column(const struct pick *p, const uint32_t *from, size_t n, uint32_t base, struct arena *mem) {
    uint32_t *to = arena_array(mem, n + 1, sizeof *to);
    for (size_t i = 0; to && i < n; i++) to[i] = from[i] ? p->mark[from[i] - base].index + base : 0;
    return to;
}

static enum err build_events(const struct part_subset *s, size_t first, size_t end, struct arena *mem, struct events *out) {
    const struct events *from = &s->c->events;
    struct events new = {.n_columns = from->n_columns, .n_rows = end - first, .cap_rows = end - first};
    enum err e = build_strings(&s->strings, &from->strings, mem, &new.strings);
    if (!e && from->stack_of) e = build_stacks(s, &from->stacks, mem, &new.stacks);
    if (e) return e;
    new.columns = arena_array(mem, from->n_columns + 1, sizeof *new.columns);
    if (!new.columns) return ERR_NOMEM;
    for (size_t i = 0; i < from->n_columns; i++) {
        struct column *c = &new.columns[i];
        *c = from->columns[i];
        if (c->number) c->number += first;
        if (c->text) c->text = map_column(&s->strings, from->columns[i].text + first, new.n_rows, 0, mem);
        if (from->columns[i].text && !c->text) return ERR_NOMEM;
    }
    if (from->stack_of) new.stack_of = map_column(&s->rows, from->stack_of + first, new.n_rows, 1, mem);
    if (from->stack_of && !new.stack_of) return ERR_NOMEM;
    *out = new;
    return ERR_OK;
}

enum err part_subset_take(struct part_subset *s, size_t from, size_t max_rows, size_t max_bytes, struct arena *mem, struct part_body *out,
                          size_t *out_to) {
    begin(s);
    if (s->c->kind == RESULT_HISTOGRAM && strings_init(&s->seen, mem)) return ERR_NOMEM;
    size_t end = choose(s, from, max_rows, max_bytes);
    if (end == from && from < part_subset_rows(s->c)) return ERR_LIMIT;
    struct part_body b = {.kind = s->c->kind};
    enum err e = ERR_OK;
    if (b.kind == RESULT_HISTOGRAM && end > from) b.hists = (struct hist_set){.hists = s->c->hists.hists + from, .n = end - from};
    if (b.kind == RESULT_EVENTS) e = build_events(s, from, end, mem, &b.events);
    if (b.kind == RESULT_STACKS) e = build_stacks(s, &s->c->stacks, mem, &b.stacks);
    if (e) return e;
    *out = b;
    *out_to = end;
    return ERR_OK;
}
