#include "tests/support/capture_check.h"

#include <assert.h>
#include <stdlib.h>

/* Reads every byte, so that a span into freed memory is noticed. */
static size_t touch(struct span s) {
    size_t sum = 0;
    for (size_t i = 0; i < s.n; i++) sum += (unsigned char)s.p[i];
    return sum;
}

static void check_hists(const struct hist_set *set) {
    for (size_t i = 0; i < set->n; i++) {
        const struct hist *h = &set->hists[i];
        assert(h->n_section <= HIST_SECTION_MAX && h->n_slots > 0);
        assert(touch(h->unit) + touch(h->interval) < SIZE_MAX);
        for (size_t j = 0; j < h->n_section; j++) assert(touch(h->section[j].key) + touch(h->section[j].value) < SIZE_MAX);
        for (size_t j = 0; j < h->n_slots; j++) {
            assert(h->slots[j].low <= h->slots[j].high);
            assert(j == 0 || h->slots[j - 1].high < h->slots[j].low);
        }
    }
}

static void check_strings(const struct strings *t) {
    for (uint32_t i = 0; i < t->n; i++) assert(touch(t->text[i]) < SIZE_MAX);
}

static void check_events(const struct events *e) {
    assert(e->n_columns <= PARSE_COLUMNS_MAX && (e->n_columns > 0 || e->n_rows == 0));
    check_strings(&e->strings);
    for (size_t i = 0; i < e->n_columns; i++) {
        const struct column *c = &e->columns[i];
        assert(touch(c->name) > 0 && touch(c->unit) < SIZE_MAX && c->decimals <= 9);
        for (size_t r = 0; r < e->n_rows && !column_is_number(c->type); r++) assert(c->text[r] < e->strings.n);
    }
}

static void check_stacks(const struct stacks *s) {
    check_strings(&s->strings);
    for (size_t i = 1; i < s->n_nodes; i++) assert(s->nodes[i].parent < i && s->nodes[i].frame < s->strings.n);
    for (size_t i = 0; i < s->n_rows; i++) assert(s->rows[i].leaf < s->n_nodes && s->rows[i].comm < s->strings.n);
}

static void check(const struct capture *c) {
    assert(c->leftover.n <= PARSE_LEFTOVER_BYTES && touch(c->leftover) < SIZE_MAX);
    assert((c->leftover.n > 0) == (c->ledger.parse > 0));
    assert(!c->failed || c->partial);
    assert(!c->partial || c->n_notes > 0);
    for (size_t i = 0; i < c->n_notes; i++) assert(touch(c->notes[i]) < SIZE_MAX);
    if (c->kind == RESULT_HISTOGRAM) check_hists(&c->hists);
    if (c->kind == RESULT_EVENTS) check_events(&c->events);
    if (c->kind == RESULT_STACKS) check_stacks(&c->stacks);
}

/* Exactly as long as the text, so that reading past it is noticed. */
static char *copied(struct span s) {
    char *p = malloc(s.n ? s.n : 1);
    if (p && s.n) memcpy(p, s.p, s.n);
    return p;
}

enum err capture_check(const struct parse_spec *spec, const struct parse_input *in, struct arena *mem, struct capture *out) {
    struct capture c;
    char *text = copied(in->out), *errors = copied(in->err);
    assert(text && errors);
    struct parse_input copy = {.out = span_of(text, in->out.n), .err = span_of(errors, in->err.n), .cut = in->cut, .apart = in->apart};
    enum err e = parse_output(spec, &copy, mem, &c);
    free(text);
    free(errors);
    if (e) return e;
    check(&c);
    *out = c;
    return ERR_OK;
}
