/* What is foretold of an order, from what a host says of itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/catalog/cost.h"
#include "common/order/foretell.h"

static struct tool_fact tools[] = {
    {.tool = SPAN_LIT("runqlat"), .flavour = SPAN_LIT("libbpf"), .why = SPAN_LIT("no BTF"), .runnable = false},
    {.tool = SPAN_LIT("runqlat"), .flavour = SPAN_LIT("bcc"), .why = SPAN_LIT(""), .runnable = true},
    {.tool = SPAN_LIT("runqlen"), .flavour = SPAN_LIT("bcc"), .why = SPAN_LIT("always 0"), .runnable = true},
};
static uint64_t rates[COUNTER__COUNT];
static struct facts host = {
    .host = SPAN_LIT("web-1"), .tools = tools, .n_tools = COUNT_OF(tools), .rates = rates, .n_rates = COUNT_OF(rates), .cpus = 2};

static struct plan_row foretold(enum tool_id tool, enum flavour_id flavour, const struct facts *f, bool online, struct arena *mem) {
    const struct order o = {.tool = catalog_tool(tool), .flavour = flavour};
    struct plan_row row;
    assert_int_equal(foretell_row(&o, f, online, mem, &row), ERR_OK);
    assert_true(span_eq_str(row.host, "web-1"));
    return row;
}

static int set_up(void **state) {
    *state = arena_new(1 << 16);
    return *state ? 0 : -1;
}

static int tear_down(void **state) {
    arena_free(*state);
    return 0;
}

static void who_runs_says_with_what_and_why_and_what_it_costs(void **state) {
    rates[COUNTER_CONTEXT_SWITCHES] = 1 + 25000; /* of 0.8 us each on two CPUs: 1 % */
    struct plan_row row = foretold(TOOL_RUNQLAT, FLAVOUR_ANY, &host, true, *state);
    assert_int_equal(row.coverage, COVERAGE_OK);
    assert_true(span_eq_str(row.flavour, "bcc"));
    assert_true(span_eq_str(row.why, "not the first choice; libbpf: no BTF"));
    assert_true(row.cost_known && !row.cost_at_least);
    assert_int_equal(row.cost_events_per_s, 25000);
    assert_int_equal(row.cost_ppm, 10000);
}

static void a_rate_that_is_not_known_is_no_rate_of_nothing(void **state) {
    rates[COUNTER_CONTEXT_SWITCHES] = 0;
    assert_false(foretold(TOOL_RUNQLAT, FLAVOUR_ANY, &host, true, *state).cost_known);
    rates[COUNTER_CONTEXT_SWITCHES] = 1;
    struct plan_row row = foretold(TOOL_RUNQLAT, FLAVOUR_ANY, &host, true, *state);
    assert_true(row.cost_known);
    assert_int_equal(row.cost_ppm, 0);
}

static void what_runs_nowhere_is_incapable_with_each_flavours_reason(void **state) {
    struct plan_row row = foretold(TOOL_RUNQLAT, FLAVOUR_LIBBPF, &host, true, *state);
    assert_int_equal(row.coverage, COVERAGE_INCAPABLE);
    assert_true(span_eq_str(row.why, "libbpf: no BTF"));
    assert_int_equal(row.flavour.n, 0);
    assert_int_equal(foretold(TOOL_RUNQLEN, FLAVOUR_ANY, &host, true, *state).coverage, COVERAGE_INCAPABLE);
    row = foretold(TOOL_RUNQLEN, FLAVOUR_BCC, &host, true, *state); /* whoever names it gets it */
    assert_int_equal(row.coverage, COVERAGE_OK);
    assert_true(span_eq_str(row.why, "it was asked for; bcc: always 0"));
    assert_true(span_eq_str(foretold(TOOL_PROFILE, FLAVOUR_ANY, &host, true, *state).why, "profile is not known there"));
}

static void over_the_budget_is_refused_with_the_figure(void **state) {
    struct facts tight = host;
    tight.max_cost_ppm = 9000;
    rates[COUNTER_CONTEXT_SWITCHES] = 1 + 25000;
    struct plan_row row = foretold(TOOL_RUNQLAT, FLAVOUR_ANY, &tight, true, *state);
    assert_int_equal(row.coverage, COVERAGE_REFUSED);
    assert_true(span_starts(
        row.why,
        SPAN_LIT("runqlat would cost about 1.0 % of the CPU (25000 context switches a second at 0.8 us), this host allows 0.9 %")));
    tight.max_cost_ppm = 10000;
    assert_int_equal(foretold(TOOL_RUNQLAT, FLAVOUR_ANY, &tight, true, *state).coverage, COVERAGE_OK);
}

/* Against what the policy says, which the runner says in the same words (policy_admits). */
static struct plan_row foretold_of(struct spec s, const struct facts *f, struct arena *mem) {
    const struct order o = {.tool = catalog_tool(TOOL_RUNQLAT), .spec = s};
    struct plan_row row;
    assert_int_equal(foretell_row(&o, f, true, mem, &row), ERR_OK);
    return row;
}

static void a_run_that_is_longer_than_the_host_allows_is_refused_with_both_figures(void **state) {
    struct facts brief = host;
    brief.max_duration_s = 60;
    struct plan_row row = foretold_of((struct spec){.duration_s = 61}, &brief, *state);
    assert_int_equal(row.coverage, COVERAGE_REFUSED);
    assert_true(span_eq_str(row.why, "61 seconds asked, this host allows 1 to 60"));
    assert_int_equal(foretold_of((struct spec){.duration_s = 60}, &brief, *state).coverage, COVERAGE_OK);
    assert_int_equal(foretold_of((struct spec){.duration_s = 0}, &brief, *state).coverage, COVERAGE_OK);   /* of no run in particular */
    assert_int_equal(foretold_of((struct spec){.duration_s = 3600}, &host, *state).coverage, COVERAGE_OK); /* an agent that does not tell */
}

static void in_quiet_hours_only_a_start_that_is_yet_to_come_is_not_refused(void **state) {
    struct facts quiet = host;
    quiet.quiet = SPAN_LIT("quiet hours of this host: 22:00-06:00 local time");
    struct plan_row row = foretold_of((struct spec){.duration_s = 10}, &quiet, *state);
    assert_int_equal(row.coverage, COVERAGE_REFUSED);
    assert_true(span_eq(row.why, quiet.quiet));
    assert_int_equal(foretold_of((struct spec){.duration_s = 10, .start_wall_ms = 1}, &quiet, *state).coverage, COVERAGE_OK);
}

static void a_host_that_is_away_or_locked_down_says_that_first(void **state) {
    struct facts locked = host;
    locked.lockdown = SPAN_LIT("locked down by admin");
    struct plan_row row = foretold(TOOL_RUNQLAT, FLAVOUR_ANY, &locked, true, *state);
    assert_int_equal(row.coverage, COVERAGE_REFUSED);
    assert_true(span_eq(row.why, locked.lockdown));
    assert_int_equal(foretold(TOOL_RUNQLAT, FLAVOUR_ANY, &locked, false, *state).coverage, COVERAGE_OFFLINE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_runs_says_with_what_and_why_and_what_it_costs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rate_that_is_not_known_is_no_rate_of_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_runs_nowhere_is_incapable_with_each_flavours_reason, set_up, tear_down),
        cmocka_unit_test_setup_teardown(over_the_budget_is_refused_with_the_figure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_run_that_is_longer_than_the_host_allows_is_refused_with_both_figures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(in_quiet_hours_only_a_start_that_is_yet_to_come_is_not_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_host_that_is_away_or_locked_down_says_that_first, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
