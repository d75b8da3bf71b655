/* What a host keeps to itself does not leave it in any form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/capture/redact.h"
#include "common/catalog/catalog.h"
#include "common/wire/part.h"

#define SECRET "--password=hunter2"

static struct capture events_of(struct arena *mem) {
    static const struct column columns[] = {{.name = SPAN_LIT("PCOMM"), .unit = SPAN_LIT(""), .type = COLUMN_TEXT},
                                            {.name = SPAN_LIT("PID"), .unit = SPAN_LIT(""), .type = COLUMN_INT},
                                            {.name = SPAN_LIT("DADDR"), .unit = SPAN_LIT(""), .type = COLUMN_ADDRESS},
                                            {.name = SPAN_LIT("ARGS"), .unit = SPAN_LIT(""), .type = COLUMN_TEXT}};
    struct capture c = {
        .tool = SPAN_LIT("execsnoop"), .flavour = SPAN_LIT("bcc"), .kind = RESULT_EVENTS, .leftover = SPAN_LIT("junk " SECRET)};
    assert_int_equal(events_init(&c.events, columns, COUNT_OF(columns), mem), ERR_OK);
    for (int i = 0; i < 3; i++) {
        size_t row;
        assert_int_equal(events_row(&c.events, mem, &row), ERR_OK);
        assert_int_equal(strings_add(&c.events.strings, SPAN_LIT("curl"), &c.events.columns[0].text[row]), ERR_OK);
        assert_int_equal(strings_add(&c.events.strings, SPAN_LIT("10.0.0.1"), &c.events.columns[2].text[row]), ERR_OK);
        if (i < 2) assert_int_equal(strings_add(&c.events.strings, SPAN_LIT("/bin/curl " SECRET), &c.events.columns[3].text[row]), ERR_OK);
    }
    assert_int_equal(capture_note(&c, mem, SPAN_LIT("line 4 is odd: " SECRET)), ERR_OK);
    c.partial = true;
    return c;
}

static enum err no_secret(void *arg, uint32_t part, struct span body) {
    (void)part;
    *(bool *)arg = *(bool *)arg || span_find_span(body, SPAN_LIT("hunter2")) < body.n;
    return ERR_OK;
}

static bool leaves_with(const struct capture *c) {
    bool found = false;
    struct outcome o = {.coverage = COVERAGE_PARTIAL, .kind = c->kind, .notes = c->notes, .n_notes = c->n_notes, .leftover = c->leftover};
    assert_int_equal(part_split(c, &o, LIMIT_PART_BODY_BYTES, no_secret, &found), ERR_OK);
    return found;
}

static void masked_texts_are_in_no_part(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct capture c = events_of(mem);
    unsigned set = 0;
    uint64_t cells = 0;
    struct span bad;
    struct buf cell;
    assert_true(leaves_with(&c));
    assert_true(catalog_class_words("ARGS, PATH", &set, &bad));
    assert_int_equal(redact_capture(&c, set, mem, &cells), ERR_OK);
    assert_int_equal(cells, 2); /* the empty one stays empty */
    assert_false(leaves_with(&c));
    buf_init(&cell, 0);
    events_cell(&c.events, 0, 3, &cell);
    assert_true(span_eq(buf_span(&cell), CATALOG_CLASS_MARK));
    buf_reset(&cell);
    events_cell(&c.events, 0, 2, &cell); /* not asked for */
    assert_true(span_eq_str(buf_span(&cell), "10.0.0.1"));
    buf_done(&cell);
    assert_int_equal(c.n_notes, 1); /* it is still partial, and says so */
    assert_true(span_eq_str(catalog_class_names(set, mem), "ARGS, PATH"));
}

static void addresses_are_hosts_in_columns_and_sections(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct capture c = events_of(mem);
    unsigned set = 0;
    uint64_t cells = 0;
    struct span bad;
    assert_true(catalog_class_words("HOST", &set, &bad));
    assert_int_equal(redact_capture(&c, set, mem, &cells), ERR_OK);
    assert_int_equal(cells, 3);
    struct hist h = {.unit = SPAN_LIT("usecs"), .section = {{SPAN_LIT("Remote Address"), SPAN_LIT("10.0.0.1")}}, .n_section = 1};
    struct capture hists = {.kind = RESULT_HISTOGRAM, .hists = {&h, 1}};
    assert_int_equal(redact_capture(&hists, set, mem, &cells), ERR_OK);
    assert_int_equal(cells, 1);
    assert_true(span_eq(h.section[0].value, CATALOG_CLASS_MARK));
    assert_false(catalog_class_words("ARGS, COLOUR", &set, &bad));
    assert_true(span_eq_str(bad, "COLOUR"));
}

/* A new column of text must be thought about: here, or in common/catalog/catalog_class.c. */
static void every_column_of_text_was_thought_about(void **state) {
    (void)state;
    static const char *const harmless[] = {"C-COMM", "COMM",   "D",      "DISK",    "FLAGS", "HARDIRQ", "OLDSTATE", "NEWSTATE", "P",
                                           "PCOMM",  "REASON", "SKADDR", "SOFTIRQ", "STATE", "T",       "TASK",     "TYPE"};
    for (int t = TOOL_NONE + 1; t < TOOL__COUNT; t++) {
        const struct tool *tool = catalog_tool((enum tool_id)t);
        for (size_t f = 0; tool && f < tool->n_flavours; f++) {
            const struct parse_spec *p = &tool->flavours[f].parse;
            for (size_t i = 0; i < p->n_columns; i++) {
                const struct parse_column *c = &p->columns[i];
                bool known = c->type != COLUMN_TEXT || catalog_class_of(span_str(c->name), false);
                for (size_t k = 0; k < COUNT_OF(harmless); k++) known = known || strcmp(c->name, harmless[k]) == 0;
                if (!known) fail_msg("%s: %s is neither of a class nor harmless", tool->name, c->name);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masked_texts_are_in_no_part),
        cmocka_unit_test(addresses_are_hosts_in_columns_and_sections),
        cmocka_unit_test(every_column_of_text_was_thought_about),
    };
    return cmocka_run_group_tests_name("redact", tests, NULL, NULL);
}
