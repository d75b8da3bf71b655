#include <inttypes.h>
#include <stdio.h>

#include "common/base/num.h"
#include "common/wire/part.h"
#include "common/wire/part_subset.h"

struct split {
    struct outcome outcome; /* a copy, that what is dropped is told in */
    size_t max_bytes;
    part_sink_fn *sink;
    void *arg;
    struct arena *mem;   /* of the whole split */
    struct arena *piece; /* of one part */
    struct buf body;
    size_t rows; /* of the result */
    uint32_t next;
    uint64_t dropped;
};

static enum err encode(struct split *s, const struct part_body *b) {
    buf_reset(&s->body);
    return part_encode(b, &s->body);
}

static enum err hand_over(struct split *s) {
    if (s->next == LIMIT_PARTS) return ERR_LIMIT;
    return s->sink(s->arg, s->next++, buf_span(&s->body));
}

/* The most rows from *row on that fit, encoded into s->body; a row that fits nowhere is left out (then b->kind is RESULT_NONE). */
static enum err next_piece(struct split *s, struct part_subset *from, size_t *row, struct part_body *b) {
    size_t end = *row + (*row < s->rows), max_rows = LIMIT_SPLIT_ROWS;
    for (;;) {
        arena_reset(s->piece);
        enum err e = part_subset_take(from, *row, max_rows, s->max_bytes, s->piece, b, &end);
        if (!e) e = encode(s, b);
        if (e == ERR_OK) break;
        if (e != ERR_LIMIT) return e;
        max_rows = (end - *row) / 2;
        if (max_rows > 0) continue;
        *b = (struct part_body){.kind = RESULT_NONE};
        s->dropped += end > *row;
        if (end == *row) return ERR_LIMIT; /* not even the columns fit */
        break;
    }
    *row = end;
    return ERR_OK;
}

static enum err tell_dropped(struct split *s) {
    struct outcome *o = &s->outcome;
    char text[96];
    if (s->dropped == 0) return ERR_OK;
    snprintf(text, sizeof text, "%" PRIu64 " rows were too large to be sent and are missing", s->dropped);
    struct span *notes = arena_array(s->mem, o->n_notes + 1, sizeof *notes);
    if (!notes) return ERR_NOMEM;
    notes[0] = arena_copy(s->mem, span_str(text));
    if (!notes[0].p) return ERR_NOMEM;
    for (size_t i = 0; i < o->n_notes; i++) notes[i + 1] = o->notes[i];
    o->notes = notes;
    o->n_notes++;
    o->ledger.parse = num_sat_add(o->ledger.parse, s->dropped);
    if (o->coverage == COVERAGE_OK) o->coverage = COVERAGE_PARTIAL;
    return ERR_OK;
}

/* The outcome together with the last piece, whose own encoding is in s->body; or, when that is too much, behind it. */
static enum err finish(struct split *s, struct part_body *last) {
    enum err e = tell_dropped(s);
    if (e) return e;
    last->outcome = &s->outcome;
    s->outcome.parts = s->next + 1;
    e = encode(s, last);
    if (e == ERR_LIMIT && last->kind != RESULT_NONE) {
        last->outcome = NULL;
        e = encode(s, last);
        if (!e) e = hand_over(s);
        if (e) return e;
        s->outcome.parts = s->next + 1;
        e = encode(s, &(struct part_body){.kind = RESULT_NONE, .outcome = &s->outcome});
    }
    return e ? e : hand_over(s);
}

static enum err split_result(struct split *s, const struct capture *c) {
    size_t row = 0;
    struct part_body b = {.kind = RESULT_NONE};
    struct part_subset *from = part_subset_new(c, s->mem);
    if (!from) return ERR_NOMEM;
    for (;;) {
        enum err e = next_piece(s, from, &row, &b);
        if (e) return e;
        if (row == s->rows) return finish(s, &b);
        if (b.kind != RESULT_NONE) e = hand_over(s);
        if (e) return e;
    }
}

static enum err check(struct split *s, const struct capture *c) {
    if (c && c->kind == RESULT_EVENTS && (c->events.n_columns > LIMIT_COLUMNS || (c->events.n_columns == 0 && c->events.n_rows > 0)))
        return ERR_SYNTAX;
    return encode(s, &(struct part_body){.kind = RESULT_NONE, .outcome = &s->outcome});
}

static enum err run(struct split *s, const struct capture *c) {
    enum err e = check(s, c);
    if (e) return e;
    if (c && c->kind != RESULT_NONE) return split_result(s, c);
    return finish(s, &(struct part_body){.kind = RESULT_NONE});
}

enum err part_split(const struct capture *c, const struct outcome *o, size_t max_bytes, part_sink_fn *sink, void *arg) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_CAPTURE_ARENA_BYTES);
    AUTO(arena_free) struct arena *piece = arena_new(LIMIT_CAPTURE_ARENA_BYTES);
    if (!mem || !piece) return ERR_NOMEM;
    if (max_bytes > LIMIT_PART_BYTES) max_bytes = LIMIT_PART_BYTES;
    struct split s = {.outcome = *o, .max_bytes = max_bytes, .sink = sink, .arg = arg, .mem = mem, .piece = piece};
    if (c) s.outcome.kind = c->kind;
    if (c) s.rows = part_subset_rows(c);
    s.outcome.parts = 1;
    buf_init(&s.body, max_bytes);
    enum err e = run(&s, c);
    buf_done(&s.body);
    return e;
}
