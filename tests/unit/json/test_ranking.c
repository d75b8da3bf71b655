#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/catalog/ranking.h"

static struct hist of(const char *unit, struct hist_slot *slots, size_t n) {
    return (struct hist){.unit = span_str(unit), .interval = SPAN_LIT(""), .slots = slots, .n_slots = n};
}

static const struct ranking_row *rank_one(const struct hist_set *set, struct arena *mem) {
    struct ranking *r = ranking_new(catalog_find(SPAN_LIT("runqlat")), NULL, 1, mem);
    size_t n = 0;
    assert_non_null(r);
    assert_int_equal(ranking_add(r, SPAN_LIT("web-1"), set), ERR_OK);
    const struct ranking_row *rows = ranking_rows(r, &n);
    assert_int_equal(n, 1);
    assert_true(span_eq_str(rows[0].host, "web-1"));
    return rows;
}

static void all_sections_of_the_first_unit_are_one_row(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct hist_slot a[] = {{0, 1, 3}}, b[] = {{2, 3, 1}}, c[] = {{0, 1, 9}};
    struct hist hists[] = {of("usecs", a, 1), of("usecs", b, 1), of("msecs", c, 1)};
    hists[0].section[0] = (struct label){SPAN_LIT("disk"), SPAN_LIT("vda")};
    hists[1].section[0] = (struct label){SPAN_LIT("disk"), SPAN_LIT("vdb")};
    hists[0].n_section = hists[1].n_section = 1;
    struct hist_set set = {hists, 3};
    const struct ranking_row *row = rank_one(&set, mem);
    assert_int_equal(row->total, 4);
    assert_true(span_eq_str(row->unit, "usecs"));
    assert_true(row->percentile[RANKING_P50].value == 0.5);
    assert_true(row->percentile[RANKING_P90].value == 2.5);
    assert_true(row->percentile[RANKING_P99].value == 2.5);
    assert_true(row->percentile[RANKING_P999].value == 2.5);
    assert_string_equal(row->verdict, "good");
    assert_int_equal(row->left_out, 0);
}

static void sections_that_disagree_are_left_out_and_counted(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct hist_slot a[] = {{0, 1, 3}}, b[] = {{1, 2, 1}};
    struct hist hists[] = {of("usecs", a, 1), of("usecs", b, 1)};
    hists[1].section[0] = (struct label){SPAN_LIT("disk"), SPAN_LIT("vdb")};
    hists[1].n_section = 1;
    struct hist_set set = {hists, 2};
    const struct ranking_row *row = rank_one(&set, mem);
    assert_int_equal(row->total, 3);
    assert_int_equal(row->left_out, 1);
}

static void the_worst_kind_of_device_is_the_verdict(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct hist_slot slow[] = {{2048, 4095, 9}}, fast[] = {{64, 127, 9}};
    struct hist hists[] = {of("usecs", slow, 1), of("usecs", fast, 1)};
    hists[0].section[0] = (struct label){SPAN_LIT("kind"), SPAN_LIT("hdd")};
    hists[1].section[0] = (struct label){SPAN_LIT("kind"), SPAN_LIT("ssd")};
    hists[0].n_section = hists[1].n_section = 1;
    const struct hist_set set = {hists, 2}, disk = {hists, 1};
    struct ranking *r = ranking_new(catalog_tool(TOOL_BIOLATENCY), NULL, 3, mem);
    size_t n = 0;
    assert_int_equal(ranking_add(r, SPAN_LIT("a"), &set), ERR_OK);
    assert_int_equal(ranking_add(r, SPAN_LIT("b"), &disk), ERR_OK);
    hists[0].section[0].value = SPAN_LIT("ssd");
    assert_int_equal(ranking_add(r, SPAN_LIT("c"), &set), ERR_OK);
    const struct ranking_row *rows = ranking_rows(r, &n);
    for (size_t i = 0; i < n; i++) assert_string_equal(rows[i].verdict, rows[i].host.p[0] == 'c' ? "warning" : "good");
}

static void a_host_without_a_histogram_has_no_percentile(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct hist_set none = {0};
    const struct ranking_row *row = rank_one(&none, mem);
    assert_int_equal(row->total, 0);
    assert_false(row->percentile[RANKING_P50].known);
    assert_null(row->verdict);
    assert_int_equal(row->unit.n, 0);
}

static void a_full_budget_is_said(void **state) {
    (void)state;
    struct hist_slot a[] = {{0, 1, 3}};
    struct hist h = of("usecs", a, 1);
    struct hist_set set = {&h, 1};
    size_t budget = 0;
    for (enum err e = ERR_NOMEM; e; budget += 16) {
        AUTO(arena_free) struct arena *mem = arena_new(budget);
        struct ranking *r = ranking_new(NULL, NULL, 1, mem);
        if (!r) continue;
        e = ranking_add(r, SPAN_LIT("web-1"), &set);
        assert_true(e == ERR_OK || e == ERR_NOMEM);
        size_t n = 77;
        ranking_rows(r, &n);
        assert_int_equal(n, e ? 0 : 1);
        if (!e) assert_int_equal(ranking_add(r, SPAN_LIT("web-2"), &set), ERR_NOMEM); /* over max */
    }
    assert_true(budget > sizeof(struct ranking_row));
}

static void the_worst_host_is_first_and_the_silent_ones_last(void **state) {
    (void)state;
    /* p99 decides, then p50, then the name */
    struct hist_slot far[] = {{0, 1, 9}, {8, 15, 1}}, near[] = {{0, 1, 99}, {4, 7, 1}}, mid[] = {{2, 3, 9}, {8, 15, 1}};
    static const char *const names[] = {"a", "e", "d", "c", "b"}, *const want[] = {"c", "d", "e", "b", "a"};
    struct hist hists[] = {of("usecs", NULL, 0), of("usecs", far, 2), of("usecs", far, 2), of("usecs", mid, 2), of("usecs", near, 2)};
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct ranking *r = ranking_new(NULL, NULL, 5, mem);
    size_t n = 0;
    for (size_t i = 0; i < 5; i++) {
        struct hist_set set = {&hists[i], 1};
        assert_int_equal(ranking_add(r, span_str(names[i]), &set), ERR_OK);
    }
    const struct ranking_row *rows = ranking_rows(r, &n);
    assert_int_equal(n, 5);
    for (size_t i = 0; i < 5; i++) assert_true(span_eq_str(rows[i].host, want[i]));
    r = ranking_new(NULL, NULL, 0, mem);
    ranking_rows(r, &n);
    assert_int_equal(n, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_sections_of_the_first_unit_are_one_row),
        cmocka_unit_test(sections_that_disagree_are_left_out_and_counted),
        cmocka_unit_test(the_worst_kind_of_device_is_the_verdict),
        cmocka_unit_test(a_host_without_a_histogram_has_no_percentile),
        cmocka_unit_test(a_full_budget_is_said),
        cmocka_unit_test(the_worst_host_is_first_and_the_silent_ones_last),
    };
    return cmocka_run_group_tests_name("ranking", tests, NULL, NULL);
}
