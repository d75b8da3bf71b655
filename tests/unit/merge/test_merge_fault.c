#include "tests/unit/merge/made.h"

#include "common/merge/hist_merge.h"
#include "common/merge/stack_merge.h"
#include "common/merge/top.h"

enum { BUDGET = 1 << 24 };
#include "tests/support/fault.h"

static void a_histogram_merge_survives_each_failing_allocation(void **state) {
    (void)state;
    struct hist_slot few[] = {{0, 1, 1}}, many[] = {{0, 1, 1}, {2, 3, 1}, {4, 7, 1}, {8, 15, 1}};
    struct hist h = {.unit = SPAN_LIT("usecs"), .interval = SPAN_LIT(""), .slots = few, .n_slots = 1}, more = h, other = h;
    more.slots = many;
    more.n_slots = 4;
    other.section[0] = (struct label){SPAN_LIT("disk"), SPAN_LIT("vda")};
    other.n_section = 1;
    const struct hist *all[] = {&h, &more, &other};
    FOR_EACH_FAULT(n) {
        AUTO(hist_merge_free) struct hist_merge *m = hist_merge_new();
        AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
        struct hist_set set = {.n = 77}, whole = {.n = 77};
        enum err e = m && mem ? ERR_OK : ERR_NOMEM;
        uint64_t total = 0, added = 0;
        for (size_t i = 0; i < COUNT_OF(all) && !e; i++) {
            e = hist_merge_add(m, all[i]);
            if (!e) added += hist_total(all[i]);
        }
        if (!e) e = hist_merge_get(m, true, mem, &whole);
        if (whole.n == 77) assert_int_equal(e, ERR_NOMEM);
        assert_int_equal(e, fault_hit() ? ERR_NOMEM : ERR_OK);
        fault_off();
        if (!m || !mem) continue;
        /* Exactly what was added is there, whatever failed after it. */
        assert_int_equal(hist_merge_get(m, false, mem, &set), ERR_OK);
        for (size_t i = 0; i < set.n; i++) total += hist_total(&set.hists[i]);
        assert_int_equal(total, added);
    }
}

static struct stacks some_stacks(struct arena *mem) {
    struct stacks s;
    uint32_t leaf = 0;
    assert_int_equal(stacks_init(&s, SPAN_LIT("usecs"), mem), ERR_OK);
    assert_int_equal(stacks_node(&s, STACKS_ROOT, SPAN_LIT("main"), FRAME_USER, &leaf), ERR_OK);
    assert_int_equal(stacks_add(&s, leaf, SPAN_LIT("bash"), 1, 5), ERR_OK);
    assert_int_equal(stacks_node(&s, leaf, SPAN_LIT("read"), FRAME_USER, &leaf), ERR_OK);
    assert_int_equal(stacks_add(&s, leaf, SPAN_LIT("bash"), 2, 6), ERR_OK);
    return s;
}

static void a_merge_of_stacks_survives_each_failing_allocation(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *own = arena_new(1 << 20);
    struct stacks s = some_stacks(own);
    FOR_EACH_FAULT(n) {
        AUTO(stack_merge_free) struct stack_merge *m = stack_merge_new(1 << 20);
        enum err e = m ? stack_merge_add(m, &s) : ERR_NOMEM;
        if (!e) e = stack_merge_add(m, &s);
        assert_int_equal(e, fault_hit() ? ERR_NOMEM : ERR_OK);
        fault_off();
        if (!m) continue;
        uint64_t total = stacks_total(stack_merge_view(m));
        assert_true(e ? total < 22 : total == 22);
    }
}

static void a_top_survives_each_failing_allocation(void **state) {
    (void)state;
    static const struct column columns[] = {{.name = SPAN_LIT("PID"), .type = COLUMN_INT}, {.name = SPAN_LIT("COMM"), .type = COLUMN_TEXT}};
    AUTO(arena_free) struct arena *own = arena_new(1 << 20);
    struct events e;
    assert_int_equal(events_init(&e, columns, 2, own), ERR_OK);
    for (size_t i = 0, row = 0; i < 100; i++) {
        char name[] = {(char)('0' + i / 10), (char)('0' + i % 10)};
        assert_int_equal(events_row(&e, own, &row), ERR_OK);
        assert_int_equal(strings_add(&e.strings, span_of(name, 2), &e.columns[1].text[row]), ERR_OK);
        e.columns[0].number[row] = (int64_t)i;
    }
    for (size_t by = 0; by < 2; by++) FOR_EACH_FAULT(n) {
            const struct top_options opt = {
                .fields = {columns[by].name}, .n_fields = 1, .of = SPAN_LIT("PID"), .rank = TOP_P99, .budget_bytes = BUDGET};
            const struct where_source nowhere = {.host = SPAN_LIT("")};
            struct top_summary summary;
            struct span name;
            AUTO(top_free) struct top *t = top_new(&opt);
            AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
            struct top_row *rows = NULL;
            size_t n_rows = 0;
            enum err err = t && mem ? top_add(t, &e, &nowhere, &name) : ERR_NOMEM;
            bool added = !err, again = false;
            if (!err) err = top_again(t, TOP_P99, 0, &again);
            if (!err) err = top_add(t, &e, &nowhere, &name);
            if (!err) err = top_get(t, TOP_P99, 0, mem, &rows, &n_rows, &summary);
            assert_int_equal(err, fault_hit() ? ERR_NOMEM : ERR_OK);
            fault_off();
            if (!t || !mem) continue;
            assert_int_equal(top_get(t, TOP_P99, 0, mem, &rows, &n_rows, &summary), ERR_OK);
            assert_true(added ? summary.groups == 100 : summary.groups <= 100);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_histogram_merge_survives_each_failing_allocation),
        cmocka_unit_test(a_merge_of_stacks_survives_each_failing_allocation),
        cmocka_unit_test(a_top_survives_each_failing_allocation),
    };
    return cmocka_run_group_tests_name("merge_fault", tests, NULL, NULL);
}
