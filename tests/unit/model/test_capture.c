#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/model/capture.h"

static void a_total_saturates(void **state) {
    (void)state;
    struct hist_slot slots[] = {{0, 1, 3}, {2, 3, 4}, {4, HIST_OPEN, UINT64_MAX}};
    struct hist h = {.slots = slots, .n_slots = 2};
    assert_int_equal(hist_total(&h), 7);
    h.n_slots = 3;
    assert_true(hist_total(&h) == UINT64_MAX);
    h.n_slots = 0;
    assert_int_equal(hist_total(&h), 0);
}

static void the_kind_of_a_histogram_is_unit_scale_and_section_in_any_order(void **state) {
    (void)state;
    struct hist a = {.unit = SPAN_LIT("usecs"),
                     .section = {{SPAN_LIT("disk"), SPAN_LIT("vda")}, {SPAN_LIT("flags"), SPAN_LIT("Read")}},
                     .n_section = 2,
                     .interval = SPAN_LIT("11:07:42")};
    struct hist b = a;
    b.interval = SPAN_LIT("11:07:43");
    b.section[0] = a.section[1];
    b.section[1] = a.section[0];
    assert_true(hist_same_kind(&a, &b));
    b.section[0].value = SPAN_LIT("Write");
    assert_false(hist_same_kind(&a, &b));
    b = a;
    b.n_section = 1;
    assert_false(hist_same_kind(&a, &b));
    b = a;
    b.unit = SPAN_LIT("msecs");
    assert_false(hist_same_kind(&a, &b));
    b = a;
    b.scale = HIST_LINEAR;
    assert_false(hist_same_kind(&a, &b));
    /* one label twice is not two labels */
    b = a;
    b.section[1] = b.section[0];
    assert_false(hist_same_kind(&a, &b));
    assert_false(hist_same_kind(&b, &a));
}

static void every_state_and_kind_has_its_name(void **state) {
    (void)state;
    static const char *const names[COVERAGE__COUNT] = {"pending", "running", "ok",      "partial", "refused",
                                                       "incapable", "failed", "timeout", "offline", "cancelled"};
    for (unsigned c = 0; c < COVERAGE__COUNT; c++) {
        assert_string_equal(capture_coverage_name((enum coverage)c), names[c]);
        assert_int_equal(coverage_is_end((enum coverage)c), c >= 2);
    }
    assert_string_equal(capture_coverage_name(COVERAGE__COUNT), "unknown");
    assert_string_equal(capture_kind_name(RESULT_NONE), "none");
    assert_string_equal(capture_kind_name(RESULT_HISTOGRAM), "histogram");
    assert_string_equal(capture_kind_name(RESULT_EVENTS), "events");
    assert_string_equal(capture_kind_name(RESULT_STACKS), "stacks");
}

static void ledgers_add_up_and_saturate(void **state) {
    (void)state;
    struct ledger into = {1, 2, 3, 4, 5, UINT64_MAX};
    const struct ledger from = {10, 20, 30, 40, 50, 60};
    capture_ledger_add(&into, &from);
    assert_int_equal(into.kernel, 11);
    assert_int_equal(into.tool, 22);
    assert_int_equal(into.cap, 33);
    assert_int_equal(into.parse, 44);
    assert_int_equal(into.spool, 55);
    assert_true(into.shed == UINT64_MAX);
}

static void notes_are_copied_in_order_until_the_budget_ends(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(2048);
    struct capture c = {0};
    char text[] = "note 0";
    enum err e = ERR_OK;
    size_t n = 0;
    while (!(e = capture_note(&c, mem, span_str(text)))) {
        n++;
        text[5] = (char)('0' + n % 10);
    }
    assert_int_equal(e, ERR_NOMEM);
    assert_true(n > 10);
    assert_int_equal(c.n_notes, n);
    for (size_t i = 0; i < n; i++) assert_int_equal(c.notes[i].p[5], '0' + i % 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_total_saturates),
        cmocka_unit_test(the_kind_of_a_histogram_is_unit_scale_and_section_in_any_order),
        cmocka_unit_test(every_state_and_kind_has_its_name),
        cmocka_unit_test(ledgers_add_up_and_saturate),
        cmocka_unit_test(notes_are_copied_in_order_until_the_budget_ends),
    };
    return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
