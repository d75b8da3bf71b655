/* Parts from a peer that lies.  Whatever comes, the decoder refuses it by name, within its budget, and touches nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/wire/part.h"
#include "tests/unit/wire/message.h"

enum { BIG = 1 << 20 };

struct fixture {
    struct message m;
    struct arena *mem;
    struct buf bytes;
};

static int setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->mem = arena_new(LIMIT_PART_ARENA_BYTES);
    assert_non_null(f->mem);
    buf_init(&f->bytes, 0);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    arena_free(f->mem);
    buf_done(&f->bytes);
    free(f);
    return 0;
}

static enum err decode_span(struct fixture *f, struct span bytes) {
    struct part_body out, untouched;
    memset(&out, 0x5a, sizeof out);
    memset(&untouched, 0x5a, sizeof untouched);
    arena_reset(f->mem);
    enum err e = part_decode(bytes, f->mem, &out);
    assert_true(arena_used(f->mem) <= LIMIT_PART_ARENA_BYTES);
    if (e) assert_memory_equal(&out, &untouched, sizeof out);
    return e;
}

static enum err decode(struct fixture *f) {
    buf_reset(&f->bytes);
    message_pack(&f->m, &f->bytes);
    return decode_span(f, buf_span(&f->bytes));
}

/* Start from a valid message, bend one thing, be refused. */
#define BEND(what, change, want)                                                                                                           \
    do {                                                                                                                                   \
        message_##what(&f->m);                                                                                                             \
        assert_int_equal(decode(f), ERR_OK);                                                                                               \
        change;                                                                                                                            \
        assert_int_equal(decode(f), want);                                                                                                 \
    } while (0)

static void columns_of_the_wrong_length_are_refused(void **state) {
    struct fixture *f = *state;
    struct message *m = &f->m;
    BEND(hists, m->hists.n_unit = 1, ERR_SYNTAX);
    BEND(hists, m->hists.n_scale = 1, ERR_SYNTAX);
    BEND(hists, m->hists.n_interval = 1, ERR_SYNTAX);
    BEND(hists, m->hists.n_n_section = 1, ERR_SYNTAX);
    BEND(hists, m->hists.n_n_slots = 1, ERR_SYNTAX);
    BEND(hists, m->hists.n_section_key = 2, ERR_SYNTAX);
    BEND(hists, m->hists.n_section_value = 2, ERR_SYNTAX);
    BEND(hists, m->hists.n_low = 2, ERR_SYNTAX);
    BEND(hists, m->hists.n_width = 2, ERR_SYNTAX);
    BEND(hists, m->hists.n_count = 2, ERR_SYNTAX);
    BEND(hists, m->hists.n = 3, ERR_SYNTAX);
    BEND(stacks, m->stacks.n_node_parent = 2, ERR_SYNTAX);
    BEND(stacks, m->stacks.n_node_frame = 2, ERR_SYNTAX);
    BEND(stacks, m->stacks.n_node_kind = 2, ERR_SYNTAX);
    BEND(stacks, m->stacks.n_row_leaf = 2, ERR_SYNTAX);
    BEND(stacks, m->stacks.n_row_comm = 2, ERR_SYNTAX);
    BEND(stacks, m->stacks.n_row_pid = 2, ERR_SYNTAX);
    BEND(stacks, m->stacks.n_row_count = 2, ERR_SYNTAX);
    BEND(events, m->columns[0].n_text = 2, ERR_SYNTAX);
    BEND(events, m->columns[1].n_number = 2, ERR_SYNTAX);
    BEND(events, m->events.n_stack_of = 2, ERR_SYNTAX);
}

static void indexes_that_point_nowhere_are_refused(void **state) {
    struct fixture *f = *state;
    struct message *m = &f->m;
    BEND(hists, m->hists.unit[0] = 3, ERR_SYNTAX);
    BEND(hists, m->hists.interval[1] = UINT32_MAX, ERR_SYNTAX);
    BEND(hists, m->hists.section_key[0] = 3, ERR_SYNTAX);
    BEND(hists, m->hists.section_value[0] = 3, ERR_SYNTAX);
    BEND(stacks, m->stacks.node_frame[2] = 3, ERR_SYNTAX);
    BEND(stacks, m->stacks.row_leaf[0] = 4, ERR_SYNTAX);
    BEND(stacks, m->stacks.row_comm[0] = 3, ERR_SYNTAX);
    BEND(events, m->columns[0].text[1] = 3, ERR_SYNTAX);
    BEND(events, m->columns[1].null_row[1] = 3, ERR_SYNTAX);
    BEND(events, m->events.stack_of[2] = 4, ERR_SYNTAX);
    BEND(events, m->events.stacks = NULL, ERR_SYNTAX);
    BEND(events, m->events.strings = NULL, ERR_SYNTAX);
}

static void a_tree_whose_parents_do_not_come_first_is_refused(void **state) {
    struct fixture *f = *state;
    struct message *m = &f->m;
    BEND(stacks, m->stacks.node_parent[0] = 1, ERR_SYNTAX); /* its own parent */
    BEND(stacks, m->stacks.node_parent[1] = 3, ERR_SYNTAX);
    BEND(stacks, m->stacks.node_parent[2] = UINT32_MAX, ERR_SYNTAX);
    BEND(stacks, m->stacks.node_kind[2] = 3, ERR_SYNTAX);
}

static void stacks_are_as_deep_as_the_limit_and_no_deeper(void **state) {
    struct fixture *f = *state;
    uint32_t parent[LIMIT_STACK_DEPTH + 1];
    for (uint32_t i = 0; i <= LIMIT_STACK_DEPTH; i++) parent[i] = i;
    message_stacks(&f->m);
    f->m.stacks.n_node_frame = f->m.stacks.n_node_kind = 0;
    f->m.stacks.node_parent = parent;
    f->m.stacks.n_node_parent = f->m.stacks.n_nodes = LIMIT_STACK_DEPTH;
    assert_int_equal(decode(f), ERR_OK);
    f->m.stacks.n_node_parent = f->m.stacks.n_nodes = LIMIT_STACK_DEPTH + 1;
    assert_int_equal(decode(f), ERR_LIMIT);
}

static void string_tables_that_do_not_add_up_are_refused(void **state) {
    struct fixture *f = *state;
    struct message *m = &f->m;
    static uint8_t text[LIMIT_TEXT_BYTES + 1];
    BEND(stacks, m->len[1] = 2, ERR_SYNTAX);
    BEND(stacks, m->len[1] = 4, ERR_SYNTAX);
    BEND(stacks, m->len[0] = 4000, ERR_SYNTAX);
    BEND(stacks, (m->stack_strings.text = (ProtobufCBinaryData){sizeof text, text}, m->len[1] = sizeof text - 1), ERR_OK);
    BEND(stacks, (m->stack_strings.text = (ProtobufCBinaryData){sizeof text, text}, m->len[0] = 0, m->len[1] = sizeof text), ERR_LIMIT);
}

static void slots_must_ascend_without_overlap(void **state) {
    struct fixture *f = *state;
    struct message *m = &f->m;
    BEND(hists, m->hists.low[2] = 7, ERR_SYNTAX);
    BEND(hists, m->hists.width[1] = 9, ERR_SYNTAX);
    BEND(hists, m->hists.width[1] = 0, ERR_SYNTAX); /* an open slot and one behind it */
    BEND(hists, (m->hists.low[2] = UINT64_MAX, m->hists.width[2] = 2), ERR_SYNTAX);
    BEND(hists, (m->hists.low[2] = 9, m->hists.width[2] = UINT64_MAX), ERR_SYNTAX);
    BEND(hists, (m->hists.low[2] = 9, m->hists.width[2] = UINT64_MAX - 8), ERR_OK);
    BEND(hists, m->hists.scale[0] = 2, ERR_SYNTAX);
    BEND(hists, m->hists.n_section[1] = HIST_SECTION_MAX + 1, ERR_LIMIT);
}

static void cells_of_the_wrong_kind_are_refused(void **state) {
    struct fixture *f = *state;
    struct message *m = &f->m;
    static uint8_t name[LIMIT_LABEL_BYTES + 1];
    BEND(events, m->columns[0].type = COLUMN_TIME + 1, ERR_SYNTAX);
    BEND(events, m->columns[1].decimals = LIMIT_DECIMALS + 1, ERR_SYNTAX);
    BEND(events, m->columns[0].type = COLUMN_INT, ERR_SYNTAX);  /* numbers given as texts */
    BEND(events, m->columns[1].type = COLUMN_TEXT, ERR_SYNTAX); /* texts given as numbers */
    BEND(events, m->columns[1].null_row[1] = 0, ERR_SYNTAX);
    BEND(events, m->columns[1].name = ((ProtobufCBinaryData){sizeof name, name}), ERR_LIMIT);
    BEND(events, m->columns[1].unit = ((ProtobufCBinaryData){sizeof name, name}), ERR_LIMIT);
    BEND(events, m->events.n_columns = 0, ERR_SYNTAX); /* rows of nothing */
    BEND(stacks, m->stacks.row_pid[0] = -1, ERR_SYNTAX);
}

static void more_columns_than_the_limit_are_refused(void **state) {
    struct fixture *f = *state;
    static Trawl__Column *list[30000];
    message_events(&f->m);
    for (size_t i = 0; i < COUNT_OF(list); i++) list[i] = &f->m.columns[i % 2];
    f->m.events.columns = list;
    f->m.events.n_columns = LIMIT_COLUMNS;
    assert_int_equal(decode(f), ERR_OK);
    f->m.events.n_columns = LIMIT_COLUMNS + 1;
    assert_int_equal(decode(f), ERR_LIMIT);
    Trawl__Column empty = TRAWL__COLUMN__INIT;
    for (size_t i = 0; i < COUNT_OF(list); i++) list[i] = &empty;
    f->m.events.n_columns = COUNT_OF(list) - 100;
    assert_int_equal(decode(f), ERR_LIMIT);
}

static void an_outcome_is_an_end_state_in_bounds(void **state) {
    struct fixture *f = *state;
    struct message *m = &f->m;
    static uint8_t text[LIMIT_LEFTOVER_BYTES + 1];
    ProtobufCBinaryData notes[LIMIT_NOTES + 1] = {{0, NULL}};
    memset(text, 'x', sizeof text);
    BEND(outcome, m->outcome.coverage = COVERAGE_RUNNING, ERR_SYNTAX);
    BEND(outcome, m->outcome.coverage = COVERAGE__COUNT, ERR_SYNTAX);
    BEND(outcome, m->outcome.kind = RESULT_STACKS + 1, ERR_SYNTAX);
    BEND(outcome, m->outcome.parts = LIMIT_PARTS + 1, ERR_LIMIT);
    BEND(outcome, m->outcome.reason = ((ProtobufCBinaryData){LIMIT_REASON_BYTES + 1, text}), ERR_LIMIT);
    BEND(outcome, m->outcome.leftover = ((ProtobufCBinaryData){sizeof text, text}), ERR_LIMIT);
    BEND(outcome, m->outcome.flavour = ((ProtobufCBinaryData){LIMIT_NAME_BYTES + 1, text}), ERR_LIMIT);
    BEND(outcome, m->outcome.flavour = ((ProtobufCBinaryData){3, (uint8_t[]){"a b"}}), ERR_SYNTAX);
    BEND(outcome, (m->outcome.notes = notes, m->outcome.n_notes = LIMIT_NOTES + 1), ERR_LIMIT);
    BEND(outcome, (notes[3] = (ProtobufCBinaryData){LIMIT_NOTE_BYTES + 1, text}, m->outcome.notes = notes, m->outcome.n_notes = 4),
         ERR_LIMIT);
}

static void a_part_says_one_thing(void **state) {
    struct fixture *f = *state;
    assert_int_equal(decode_span(f, SPAN_LIT("")), ERR_SYNTAX);
    message_hists(&f->m);
    f->m.body.outcome = &f->m.outcome;
    f->m.outcome.coverage = COVERAGE_OK;
    f->m.outcome.kind = RESULT_HISTOGRAM;
    assert_int_equal(decode(f), ERR_OK);
    f->m.outcome.kind = RESULT_STACKS; /* not what the part has */
    assert_int_equal(decode(f), ERR_SYNTAX);
    f->m.outcome.kind = RESULT_HISTOGRAM;
    trawl__stacks__init(&f->m.stacks);
    f->m.body.stacks = &f->m.stacks;
    assert_int_equal(decode(f), ERR_SYNTAX);
}

static void texts_for_people_are_repaired(void **state) {
    struct fixture *f = *state;
    struct part_body b;
    ProtobufCBinaryData note = {4, (uint8_t[]){'a', 0xff, 'b', 0xc3}};
    message_outcome(&f->m);
    f->m.outcome.reason = f->m.outcome.leftover = note;
    f->m.outcome.notes = &note;
    f->m.outcome.n_notes = 1;
    message_pack(&f->m, &f->bytes);
    assert_int_equal(part_decode(buf_span(&f->bytes), f->mem, &b), ERR_OK);
    assert_true(span_eq_str(b.outcome->reason, "a\xef\xbf\xbd"
                                               "b\xef\xbf\xbd"));
    assert_true(span_eq_str(b.outcome->notes[0], "a\xef\xbf\xbd"
                                                 "b\xef\xbf\xbd"));
    assert_true(span_eq(b.outcome->leftover, span_of((const char *)note.data, 4))); /* a tool's text stays bytes */
}

static void rows_that_cost_no_bytes_are_capped(void **state) {
    struct fixture *f = *state;
    struct message *m = &f->m;
    static const uint32_t counts[] = {LIMIT_ROWS + 1, UINT32_MAX};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        message_hists(m);
        trawl__histograms__init(&m->hists);
        m->hists.n = counts[i];
        assert_int_equal(decode(f), ERR_LIMIT);
        assert_true(arena_used(f->mem) < 4096);
        message_stacks(m);
        trawl__stacks__init(&m->stacks);
        m->stacks.n_rows = counts[i];
        assert_int_equal(decode(f), ERR_LIMIT);
        m->stacks.n_rows = 0;
        m->stacks.n_nodes = counts[i];
        assert_int_equal(decode(f), ERR_LIMIT);
        message_events(m);
        m->events.rows = counts[i];
        assert_int_equal(decode(f), ERR_LIMIT);
        BEND(hists, m->hists.n_slots[1] = counts[i], ERR_LIMIT);
    }
}

/* 32 columns of 65536 rows of zeroes are a few hundred bytes and 16 MiB. */
static void zeroes_that_unpack_to_more_than_the_budget_are_stopped_by_it(void **state) {
    struct fixture *f = *state;
    Trawl__Column zero = TRAWL__COLUMN__INIT, *list[LIMIT_COLUMNS];
    for (size_t i = 0; i < LIMIT_COLUMNS; i++) list[i] = &zero;
    message_events(&f->m);
    f->m.events.n_stack_of = 0;
    f->m.events.columns = list;
    f->m.events.n_columns = LIMIT_COLUMNS;
    f->m.events.rows = LIMIT_ROWS;
    assert_int_equal(decode(f), ERR_NOMEM);
    assert_true(f->bytes.n < 1024);
}

static void repeat(struct buf *out, struct span piece, size_t bytes) {
    while (out->n + piece.n <= bytes) buf_add(out, piece);
}

static void bombs_stop_at_the_size_or_at_the_budget(void **state) {
    struct fixture *f = *state;
    static const struct {
        struct span piece;
        enum err want;
    } bombs[] = {
        {SPAN_LIT("\x12\x02\x12\x00"), ERR_NOMEM}, /* an empty column in a message again and again: merged, list by list */
        {SPAN_LIT("\x22\x02\x22\x00"), ERR_NOMEM}, /* empty notes, likewise */
        {SPAN_LIT("\x0a\x00"), ERR_OK},            /* the same sub-message again: merged into one */
        {SPAN_LIT("\x78\x00"), ERR_SYNTAX},        /* unknown fields and nothing else */
        {SPAN_LIT("\x7a\x00"), ERR_SYNTAX},
    };
    for (size_t i = 0; i < COUNT_OF(bombs); i++) {
        struct part_body b;
        buf_reset(&f->bytes);
        repeat(&f->bytes, bombs[i].piece, BIG);
        assert_int_equal(decode_span(f, buf_span(&f->bytes)), ERR_LIMIT);
        assert_int_equal(arena_used(f->mem), 0);
        struct span small = span_head(buf_span(&f->bytes), LIMIT_PART_BYTES);
        assert_int_equal(decode_span(f, small), bombs[i].want);
        AUTO(arena_free) struct arena *tight = arena_new(LIMIT_PART_BYTES);
        assert_int_equal(part_decode(small, tight, &b), ERR_NOMEM);
    }
}

static void unknown_fields_are_tolerated(void **state) {
    struct fixture *f = *state;
    struct part_body b;
    message_stacks(&f->m);
    message_pack(&f->m, &f->bytes);
    buf_add(&f->bytes, SPAN_LIT("\xf8\x07\x05\xfa\x07\x03"
                                "new\xfd\x07"
                                "1234\xf9\x07"
                                "12345678"));
    assert_int_equal(part_decode(buf_span(&f->bytes), f->mem, &b), ERR_OK);
    assert_int_equal(b.kind, RESULT_STACKS);
    assert_int_equal(b.stacks.n_rows, 3);
    assert_int_equal(b.stacks.rows[0].pid, STACKS_NO_PID);
    assert_int_equal(b.stacks.rows[1].pid, 0);
    assert_int_equal(b.stacks.rows[2].pid, 4711);
}

static void a_message_cut_at_any_byte_is_refused(void **state) {
    struct fixture *f = *state;
    void (*const all[])(struct message *) = {message_hists, message_events, message_stacks, message_outcome};
    for (size_t k = 0; k < COUNT_OF(all); k++) {
        all[k](&f->m);
        buf_reset(&f->bytes);
        message_pack(&f->m, &f->bytes);
        for (size_t n = 0; n < f->bytes.n; n++) {
            char *cut = malloc(n ? n : 1);
            assert_non_null(cut);
            memcpy(cut, f->bytes.p, n);
            assert_int_not_equal(decode_span(f, span_of(cut, n)), ERR_OK);
            free(cut);
        }
    }
}

static void a_message_with_any_byte_changed_never_breaks_the_decoder(void **state) {
    struct fixture *f = *state;
    void (*const all[])(struct message *) = {message_hists, message_events, message_stacks, message_outcome};
    for (size_t k = 0; k < COUNT_OF(all); k++) {
        all[k](&f->m);
        buf_reset(&f->bytes);
        message_pack(&f->m, &f->bytes);
        for (size_t i = 0; i < f->bytes.n; i++) {
            char was = f->bytes.p[i];
            for (unsigned v = 0; v < 256; v++) {
                f->bytes.p[i] = (char)v;
                IGNORED(decode_span(f, buf_span(&f->bytes))); /* either way is right; it checks what must hold */
            }
            f->bytes.p[i] = was;
        }
    }
}

static void wire_types_and_lengths_that_lie_are_refused(void **state) {
    struct fixture *f = *state;
    static const struct span lies[] = {
        SPAN_LIT("\x0a"),                                             /* no length */
        SPAN_LIT("\x0a\x05\x60\x01"),                                 /* more than there is */
        SPAN_LIT("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),     /* 2^64 - 1 bytes */
        SPAN_LIT("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), /* a varint of eleven bytes */
        SPAN_LIT("\x0b\x0c"),                                         /* groups, which proto3 has not */
        SPAN_LIT("\x0e\x00"),                                         /* wire type 6 */
        SPAN_LIT("\x79\x01"),                                         /* half of a fixed64 */
        SPAN_LIT("\x7d\x01"),                                         /* half of a fixed32 */
        SPAN_LIT("\x80"),                                             /* half of a tag */
    };
    for (size_t i = 0; i < COUNT_OF(lies); i++) assert_int_equal(decode_span(f, lies[i]), ERR_SYNTAX);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(columns_of_the_wrong_length_are_refused),
        TEST(indexes_that_point_nowhere_are_refused),
        TEST(a_tree_whose_parents_do_not_come_first_is_refused),
        TEST(stacks_are_as_deep_as_the_limit_and_no_deeper),
        TEST(string_tables_that_do_not_add_up_are_refused),
        TEST(slots_must_ascend_without_overlap),
        TEST(cells_of_the_wrong_kind_are_refused),
        TEST(more_columns_than_the_limit_are_refused),
        TEST(an_outcome_is_an_end_state_in_bounds),
        TEST(a_part_says_one_thing),
        TEST(texts_for_people_are_repaired),
        TEST(rows_that_cost_no_bytes_are_capped),
        TEST(zeroes_that_unpack_to_more_than_the_budget_are_stopped_by_it),
        TEST(bombs_stop_at_the_size_or_at_the_budget),
        TEST(unknown_fields_are_tolerated),
        TEST(a_message_cut_at_any_byte_is_refused),
        TEST(a_message_with_any_byte_changed_never_breaks_the_decoder),
        TEST(wire_types_and_lengths_that_lie_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
