/* A capture cut into parts: no part too large, nothing twice, nothing lost, each part readable alone. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/wire/dump.h"
#include "tests/unit/wire/random.h"

enum { ARENA_BYTES = 256 * 1024 * 1024, CASES = 400, SMALL_PART_BYTES = 700 };

/* What came out of a split, put together again. */
struct whole {
    struct arena *mem;
    struct buf rows; /* dumps of all parts' rows */
    size_t max_bytes, total_bytes;
    uint32_t parts, outcomes;
    struct outcome outcome;
    struct part_body last;
    enum err answer; /* of the sink */
};

static enum err collect(void *arg, uint32_t part, struct span body) {
    struct whole *w = arg;
    struct part_body b;
    assert_int_equal(part, w->parts);
    assert_true(body.n <= w->max_bytes);
    assert_int_equal(w->outcomes, 0); /* nothing comes behind the outcome */
    assert_int_equal(part_decode(body, w->mem, &b), ERR_OK);
    dump_rows(&b, &w->rows);
    w->parts++;
    w->total_bytes += body.n;
    w->last = b;
    if (b.outcome) {
        w->outcomes++;
        w->outcome = *b.outcome;
    }
    return w->answer;
}

struct fixture {
    struct random r;
    struct whole w;
    struct buf want;
};

static int setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->r.mem = arena_new(ARENA_BYTES);
    f->w.mem = arena_new(ARENA_BYTES);
    assert_non_null(f->r.mem);
    assert_non_null(f->w.mem);
    buf_init(&f->w.rows, 0);
    buf_init(&f->want, 0);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    arena_free(f->r.mem);
    arena_free(f->w.mem);
    buf_done(&f->w.rows);
    buf_done(&f->want);
    free(f);
    return 0;
}

static void begin(struct fixture *f, uint64_t seed, size_t max_bytes) {
    arena_reset(f->r.mem);
    arena_reset(f->w.mem);
    buf_reset(&f->w.rows);
    buf_reset(&f->want);
    gen_seed(&f->r.gen, seed);
    f->w = (struct whole){.mem = f->w.mem, .rows = f->w.rows, .max_bytes = max_bytes};
}

static enum err split(struct fixture *f, const struct capture *c, const struct outcome *o) {
    return part_split(c, o, f->w.max_bytes, collect, &f->w);
}

static void random_capture(struct random *r, enum result_kind kind, struct capture *c) {
    *c = (struct capture){.kind = kind};
    if (kind == RESULT_HISTOGRAM) random_hists(r, &c->hists);
    if (kind == RESULT_EVENTS) random_events(r, &c->events);
    if (kind == RESULT_STACKS) random_stacks(r, &c->stacks);
}

static void dump_capture_rows(const struct capture *c, struct buf *out) {
    dump_rows(&(struct part_body){.kind = c->kind, .hists = c->hists, .events = c->events, .stacks = c->stacks}, out);
}

static void the_parts_together_are_the_whole(void **state) {
    struct fixture *f = *state;
    uint32_t most = 0;
    struct gen seed;
    gen_init(&seed);
    gen_print(&seed);
    for (uint64_t i = 0; i < 3 * (uint64_t)CASES; i++) {
        struct capture c;
        struct outcome o = {.coverage = COVERAGE_OK};
        begin(f, seed.seed + i, SMALL_PART_BYTES);
        f->r.max_rows = 200;
        random_capture(&f->r, (enum result_kind)(RESULT_HISTOGRAM + i % 3), &c);
        assert_int_equal(split(f, &c, &o), ERR_OK);
        dump_capture_rows(&c, &f->want);
        if (!span_eq(buf_span(&f->want), buf_span(&f->w.rows)))
            fail_msg("case %" PRIu64 "\nwant:\n%s\ngot:\n%s", i, buf_str(&f->want), buf_str(&f->w.rows));
        assert_int_equal(f->w.outcomes, 1);
        assert_int_equal(f->w.outcome.parts, f->w.parts);
        assert_int_equal(f->w.outcome.kind, c.kind);
        assert_int_equal(f->w.outcome.coverage, COVERAGE_OK);
        if (f->w.parts > most) most = f->w.parts;
    }
    assert_true(most > 5);
}

static void parts_are_well_filled(void **state) {
    struct fixture *f = *state;
    for (enum result_kind kind = RESULT_HISTOGRAM; kind <= RESULT_STACKS; kind++) {
        struct capture c;
        begin(f, 7, LIMIT_PART_BODY_BYTES);
        f->r.max_rows = 1;
        do {
            f->r.max_rows = 30000;
            random_capture(&f->r, kind, &c);
        } while (kind == RESULT_EVENTS && c.events.n_columns < 6);
        assert_int_equal(split(f, &c, &(struct outcome){.coverage = COVERAGE_OK}), ERR_OK);
        assert_true(f->w.parts > 2);
        assert_true(f->w.total_bytes > (size_t)(f->w.parts - 2) * LIMIT_PART_BODY_BYTES * 8 / 10);
    }
}

static void no_capture_is_one_part_with_the_outcome(void **state) {
    struct fixture *f = *state;
    struct outcome o = {.coverage = COVERAGE_REFUSED, .reason = SPAN_LIT("quiet hours"), .kind = RESULT_EVENTS};
    begin(f, 1, LIMIT_PART_BODY_BYTES);
    assert_int_equal(split(f, NULL, &o), ERR_OK);
    assert_int_equal(f->w.parts, 1);
    assert_int_equal(f->w.last.kind, RESULT_NONE);
    assert_int_equal(f->w.outcome.coverage, COVERAGE_REFUSED);
    assert_int_equal(f->w.outcome.kind, RESULT_EVENTS);
    assert_true(span_eq_str(f->w.outcome.reason, "quiet hours"));
    assert_int_equal(f->w.outcome.parts, 1);
}

static void a_result_without_rows_keeps_its_columns(void **state) {
    struct fixture *f = *state;
    const struct column columns[] = {{.name = SPAN_LIT("LAT(ms)"), .unit = SPAN_LIT("ms"), .type = COLUMN_DECIMAL, .decimals = 2}};
    struct capture c = {.kind = RESULT_EVENTS};
    begin(f, 1, LIMIT_PART_BODY_BYTES);
    assert_int_equal(events_init(&c.events, columns, 1, f->r.mem), ERR_OK);
    assert_int_equal(split(f, &c, &(struct outcome){.coverage = COVERAGE_OK}), ERR_OK);
    assert_int_equal(f->w.parts, 1);
    assert_int_equal(f->w.last.kind, RESULT_EVENTS);
    assert_int_equal(f->w.last.events.n_columns, 1);
    assert_true(span_eq_str(f->w.last.events.columns[0].name, "LAT(ms)"));

    for (enum result_kind kind = RESULT_HISTOGRAM; kind <= RESULT_STACKS; kind += 2) {
        c = (struct capture){.kind = kind};
        begin(f, 1, LIMIT_PART_BODY_BYTES);
        assert_int_equal(split(f, &c, &(struct outcome){.coverage = COVERAGE_OK}), ERR_OK);
        assert_int_equal(f->w.parts, 1);
        assert_int_equal(f->w.last.kind, kind);
        assert_int_equal(f->w.outcome.kind, kind);
    }
}

static void an_outcome_that_does_not_fit_beside_the_rows_comes_alone(void **state) {
    struct fixture *f = *state;
    struct capture c;
    struct outcome o = {.coverage = COVERAGE_OK};
    char leftover[600];
    memset(leftover, 'x', sizeof leftover);
    o.leftover = span_of(leftover, sizeof leftover);
    begin(f, 3, SMALL_PART_BYTES);
    f->r.max_rows = 20;
    do random_capture(&f->r, RESULT_STACKS, &c);
    while (c.stacks.n_rows < 10);
    assert_int_equal(split(f, &c, &o), ERR_OK);
    dump_capture_rows(&c, &f->want);
    assert_true(span_eq(buf_span(&f->want), buf_span(&f->w.rows)));
    assert_int_equal(f->w.last.kind, RESULT_NONE);
    assert_int_equal(f->w.outcome.parts, f->w.parts);
    assert_int_equal(f->w.outcome.kind, RESULT_STACKS);
    assert_int_equal(f->w.outcome.leftover.n, sizeof leftover);
}

static void add_row(struct fixture *f, struct events *e, size_t text_bytes) {
    size_t row = 0;
    char *text = arena_array(f->r.mem, text_bytes + 1, 1);
    assert_non_null(text);
    memset(text, 'a' + (int)(e->n_rows % 26), text_bytes);
    assert_int_equal(events_row(e, f->r.mem, &row), ERR_OK);
    assert_int_equal(strings_add(&e->strings, span_of(text, text_bytes), &e->columns[0].text[row]), ERR_OK);
}

static void a_row_too_large_for_a_part_is_dropped_counted_and_said(void **state) {
    struct fixture *f = *state;
    const struct column columns[] = {{.name = SPAN_LIT("ARGS"), .type = COLUMN_TEXT}};
    const size_t at[] = {0, 2, 4}; /* first, middle, last */
    for (size_t k = 0; k < COUNT_OF(at); k++) {
        struct capture c = {.kind = RESULT_EVENTS};
        struct span note = SPAN_LIT("said before");
        struct outcome o = {.coverage = COVERAGE_OK, .ledger.parse = 5, .notes = &note, .n_notes = 1};
        begin(f, 1, SMALL_PART_BYTES);
        assert_int_equal(events_init(&c.events, columns, 1, f->r.mem), ERR_OK);
        for (size_t i = 0; i < 5; i++) add_row(f, &c.events, i == at[k] ? 1000 : 10 + i);
        assert_int_equal(split(f, &c, &o), ERR_OK);
        assert_int_equal(f->w.outcome.ledger.parse, 6);
        assert_int_equal(f->w.outcome.coverage, COVERAGE_PARTIAL);
        assert_int_equal(f->w.outcome.n_notes, 2);
        assert_true(span_eq_str(f->w.outcome.notes[0], "1 rows were too large to be sent and are missing"));
        assert_true(span_eq_str(f->w.outcome.notes[1], "said before"));
        assert_int_equal(f->w.outcome.parts, f->w.parts);
        size_t lines = 0;
        for (size_t i = 0; i < f->w.rows.n; i++) lines += f->w.rows.p[i] == '\n';
        assert_int_equal(lines, 4);
    }
}

static void a_stack_deeper_than_any_part_may_have_is_dropped(void **state) {
    struct fixture *f = *state;
    struct capture c = {.kind = RESULT_STACKS};
    uint32_t leaf = STACKS_ROOT;
    begin(f, 1, LIMIT_PART_BODY_BYTES);
    assert_int_equal(stacks_init(&c.stacks, SPAN_LIT("samples"), f->r.mem), ERR_OK);
    for (size_t depth = 1; depth <= LIMIT_STACK_DEPTH + 1; depth++) {
        assert_int_equal(stacks_node(&c.stacks, leaf, SPAN_LIT("again"), FRAME_USER, &leaf), ERR_OK);
        if (depth < LIMIT_STACK_DEPTH - 1) continue;
        assert_int_equal(stacks_add(&c.stacks, leaf, SPAN_LIT("deep"), 1, 1), ERR_OK);
    }
    assert_int_equal(split(f, &c, &(struct outcome){.coverage = COVERAGE_FAILED}), ERR_OK);
    assert_int_equal(f->w.outcome.ledger.parse, 1);
    assert_int_equal(f->w.outcome.coverage, COVERAGE_FAILED);
}

static void long_texts_are_cut_where_a_character_begins(void **state) {
    struct fixture *f = *state;
    const struct column columns[] = {{.name = SPAN_LIT("ARGS"), .type = COLUMN_TEXT}};
    struct capture c = {.kind = RESULT_EVENTS};
    char text[2 * LIMIT_TEXT_BYTES];
    for (size_t i = 0; i < sizeof text; i++) text[i] = i % 2 ? '\xa4' : '\xc3'; /* ä */
    size_t row = 0;
    begin(f, 1, LIMIT_PART_BODY_BYTES);
    assert_int_equal(events_init(&c.events, columns, 1, f->r.mem), ERR_OK);
    assert_int_equal(events_row(&c.events, f->r.mem, &row), ERR_OK);
    assert_int_equal(strings_add(&c.events.strings, span_of(text, sizeof text), &c.events.columns[0].text[row]), ERR_OK);
    assert_int_equal(split(f, &c, &(struct outcome){.coverage = COVERAGE_OK}), ERR_OK);
    assert_int_equal(f->w.last.events.n_rows, 1);
    struct span got = f->w.last.events.strings.text[f->w.last.events.columns[0].text[0]];
    assert_int_equal(got.n, LIMIT_TEXT_BYTES - 1); /* 4092 bytes of ä and the three of … */
    assert_true(span_ends(got, SPAN_LIT("\xc3\xa4\xe2\x80\xa6")));
}

static void the_sinks_error_ends_the_split(void **state) {
    struct fixture *f = *state;
    struct capture c;
    begin(f, 5, SMALL_PART_BYTES);
    f->r.max_rows = 500;
    do random_capture(&f->r, RESULT_STACKS, &c);
    while (c.stacks.n_rows < 300);
    f->w.answer = ERR_SYS;
    assert_int_equal(split(f, &c, &(struct outcome){.coverage = COVERAGE_OK}), ERR_SYS);
    assert_int_equal(f->w.parts, 1);
}

static void what_cannot_be_sent_is_refused_before_the_first_part(void **state) {
    struct fixture *f = *state;
    struct capture c = {.kind = RESULT_EVENTS};
    struct outcome o = {.coverage = COVERAGE_RUNNING};
    begin(f, 1, LIMIT_PART_BODY_BYTES);
    assert_int_equal(split(f, NULL, &o), ERR_SYNTAX); /* not an end state */
    o.coverage = COVERAGE_OK;
    c.events.n_columns = LIMIT_COLUMNS + 1;
    assert_int_equal(split(f, &c, &o), ERR_SYNTAX);
    f->w.max_bytes = 10;
    o.reason = SPAN_LIT("longer than ten bytes");
    assert_int_equal(split(f, NULL, &o), ERR_LIMIT);
    assert_int_equal(f->w.parts, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_parts_together_are_the_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(parts_are_well_filled, setup, teardown),
        cmocka_unit_test_setup_teardown(no_capture_is_one_part_with_the_outcome, setup, teardown),
        cmocka_unit_test_setup_teardown(a_result_without_rows_keeps_its_columns, setup, teardown),
        cmocka_unit_test_setup_teardown(an_outcome_that_does_not_fit_beside_the_rows_comes_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_row_too_large_for_a_part_is_dropped_counted_and_said, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stack_deeper_than_any_part_may_have_is_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(long_texts_are_cut_where_a_character_begins, setup, teardown),
        cmocka_unit_test_setup_teardown(the_sinks_error_ends_the_split, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_sent_is_refused_before_the_first_part, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
