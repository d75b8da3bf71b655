#include "tests/unit/merge/made.h"

#include "common/merge/rank.h"

static struct hist of(const char *unit, struct hist_slot *slots, size_t n) {
    return (struct hist){.unit = span_str(unit), .interval = SPAN_LIT(""), .slots = slots, .n_slots = n};
}

static void all_sections_of_the_fleets_unit_are_one_entry(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct hist_slot a[] = {{0, 1, 3}}, b[] = {{2, 3, 1}}, c[] = {{0, 1, 9}};
    struct hist hists[] = {of("msecs", c, 1), of("usecs", a, 1), of("usecs", b, 1)}, like = of("usecs", NULL, 0);
    hists[1].section[0] = (struct label){SPAN_LIT("disk"), SPAN_LIT("vda")};
    hists[2].section[0] = (struct label){SPAN_LIT("disk"), SPAN_LIT("vdb")};
    hists[1].n_section = hists[2].n_section = 1;
    struct hist_set set = {hists, 3};
    struct rank r;
    assert_int_equal(rank_host(SPAN_LIT("web-1"), &set, &like, mem, &r), ERR_OK);
    assert_true(span_eq_str(r.host, "web-1"));
    assert_int_equal(r.total, 4);
    assert_int_equal(r.hist.n_slots, 2);
    assert_int_equal(r.hist.n_section, 0);
    assert_true(r.p50.value == 0.5);
    assert_true(r.p90.value == 2.5 && r.p99.value == 2.5 && r.p999.value == 2.5);
    assert_int_equal(r.n_refused, 0);
    /* a host that knows the fleet's unit not at all, and a fleet without one */
    like = of("nsecs", NULL, 0);
    assert_int_equal(rank_host(SPAN_LIT("web-1"), &set, &like, mem, &r), ERR_OK);
    assert_int_equal(r.total, 9);
    assert_true(span_eq_str(r.hist.unit, "msecs"));
    assert_int_equal(rank_host(SPAN_LIT("web-1"), &set, NULL, mem, &r), ERR_OK);
    assert_int_equal(r.total, 9);
}

static void sections_that_disagree_are_left_out_and_counted(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct hist_slot a[] = {{0, 1, 3}}, b[] = {{1, 2, 1}};
    struct hist hists[] = {of("usecs", a, 1), of("usecs", b, 1)};
    struct hist_set set = {hists, 2};
    struct rank r;
    assert_int_equal(rank_host(SPAN_LIT("web-1"), &set, NULL, mem, &r), ERR_OK);
    assert_int_equal(r.total, 3);
    assert_int_equal(r.n_refused, 1);
}

static void a_host_without_a_histogram_has_no_percentile(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct hist like = of("usecs", NULL, 0);
    struct hist_set none = {0};
    struct rank r;
    assert_int_equal(rank_host(SPAN_LIT("web-1"), &none, &like, mem, &r), ERR_OK);
    assert_int_equal(r.total, 0);
    assert_false(r.p50.known);
    assert_int_equal(r.hist.unit.n, 0);
}

static void a_full_budget_is_said(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(64);
    struct hist_slot a[] = {{0, 1, 3}};
    struct hist h = of("usecs", a, 1);
    struct hist_set set = {&h, 1};
    struct rank r = {.total = 77};
    assert_int_equal(rank_host(SPAN_LIT("web-1"), &set, NULL, mem, &r), ERR_NOMEM);
    assert_int_equal(r.total, 77);
}

static struct rank entry(const char *host, bool known, double p99, double p50) {
    return (struct rank){.host = span_str(host), .p99 = {.known = known, .value = p99}, .p50 = {.known = known, .value = p50}};
}

static void the_worst_host_is_first_and_the_silent_ones_last(void **state) {
    (void)state;
    struct rank ranks[] = {entry("a", false, 0, 0), entry("d", true, 5, 1), entry("c", true, 5, 2), entry("e", true, 9, 1),
                           entry("b", true, 5, 1)};
    static const char *const want[] = {"e", "c", "b", "d", "a"};
    rank_sort(ranks, 5);
    for (size_t i = 0; i < 5; i++) assert_true(span_eq_str(ranks[i].host, want[i]));
    rank_sort(NULL, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_sections_of_the_fleets_unit_are_one_entry),
        cmocka_unit_test(sections_that_disagree_are_left_out_and_counted),
        cmocka_unit_test(a_host_without_a_histogram_has_no_percentile),
        cmocka_unit_test(a_full_budget_is_said),
        cmocka_unit_test(the_worst_host_is_first_and_the_silent_ones_last),
    };
    return cmocka_run_group_tests_name("rank", tests, NULL, NULL);
}
