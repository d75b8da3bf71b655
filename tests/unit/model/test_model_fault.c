#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/model/capture.h"
#include "tests/support/fault.h"

static void stacks_survive_each_failing_allocation(void **state) {
    (void)state;
    FOR_EACH_FAULT(n) {
        AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
        struct stacks s;
        enum err e = mem ? stacks_init(&s, SPAN_LIT("usecs"), mem) : ERR_NOMEM;
        if (e) {
            assert_true(fault_hit());
            continue;
        }
        uint32_t at = STACKS_ROOT;
        uint64_t added = 0;
        for (unsigned i = 0; i < 200 && !e; i++) { /* more than the first tables hold */
            char frame[] = {(char)('a' + i % 26), (char)('a' + i / 26)};
            e = stacks_node(&s, at, span_of(frame, 2), FRAME_USER, &at);
            if (!e) e = stacks_add(&s, at, span_of(frame, 2), i, 1);
            if (!e) added++;
        }
        assert_int_equal(e, fault_hit() ? ERR_NOMEM : ERR_OK);
        fault_off();
        assert_int_equal(stacks_total(&s), added);
        assert_int_equal(stacks_add(&s, at, SPAN_LIT("again"), 1, 1), ERR_OK); /* and goes on afterwards */
        assert_int_equal(stacks_total(&s), added + 1);
        for (size_t i = 1; i < s.n_nodes; i++) assert_true(s.nodes[i].parent < i && s.nodes[i].frame < s.strings.n);
    }
}

static void events_survive_each_failing_allocation(void **state) {
    (void)state;
    static const struct column columns[] = {{.name = SPAN_LIT("PID"), .type = COLUMN_INT}, {.name = SPAN_LIT("COMM"), .type = COLUMN_TEXT}};
    FOR_EACH_FAULT(n) {
        AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
        struct events e;
        size_t row = 0, added = 0;
        enum err err = mem ? events_init(&e, columns, 2, mem) : ERR_NOMEM;
        if (err) {
            assert_true(fault_hit());
            continue;
        }
        err = events_stacks(&e, SPAN_LIT("samples"), mem);
        for (; added < 100 && !err; added += !err)
            if (!(err = events_row(&e, mem, &row))) e.columns[0].number[row] = (int64_t)row;
        assert_int_equal(err, fault_hit() ? ERR_NOMEM : ERR_OK);
        fault_off();
        assert_int_equal(e.n_rows, added);
        assert_int_equal(events_row(&e, mem, &row), ERR_OK);
        for (size_t i = 0; i < added; i++) assert_int_equal(e.columns[0].number[i], i);
    }
}

static void notes_survive_each_failing_allocation(void **state) {
    (void)state;
    FOR_EACH_FAULT(n) {
        AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
        if (!mem) continue;
        struct capture c = {0};
        enum err e = ERR_OK;
        size_t added = 0;
        while (added < 20 && !(e = capture_note(&c, mem, SPAN_LIT("note")))) added++;
        assert_int_equal(e, fault_hit() ? ERR_NOMEM : ERR_OK);
        assert_int_equal(c.n_notes, added);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stacks_survive_each_failing_allocation),
        cmocka_unit_test(events_survive_each_failing_allocation),
        cmocka_unit_test(notes_survive_each_failing_allocation),
    };
    return cmocka_run_group_tests_name("model_fault", tests, NULL, NULL);
}
