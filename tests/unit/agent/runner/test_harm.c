#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "agent/runner/brake.h"
#include "agent/runner/budget.h"
#include "common/base/clock.h"

/* A folder that stands for /proc. */
static char proc[64];
static const char *const names[] = {"stat", "diskstats", "vmstat", "net/snmp", "7/stat", "pressure/cpu"};

static void put(const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", proc, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int set_up(void **state) {
    static const char *const folders[] = {"net", "7", "pressure"};
    (void)state;
    snprintf(proc, sizeof proc, "/tmp/trawl-proc-XXXXXX");
    if (!mkdtemp(proc)) return -1;
    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", proc, folders[i]);
        if (mkdir(path, 0700) != 0) return -1;
    }
    return 0;
}

static int tear_down(void **state) {
    static const char *const rest[] = {"net", "7", "pressure", ""};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names) + COUNT_OF(rest); i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", proc, i < COUNT_OF(names) ? names[i] : rest[i - COUNT_OF(names)]);
        IGNORED(remove(path) != 0); /* not each test makes each file */
    }
    return 0;
}

#define STAT(ctxt) "cpu  1 2 3\ncpu0 1 2 3\ncpu1 1 2 3\nintr 5000 1 2 3\nctxt " ctxt "\nprocesses 77\nsoftirq 900 1 2\n"

static void every_counter_is_read_and_becomes_a_rate(void **state) {
    (void)state;
    struct rates_look before, after;
    struct cost_rates r;
    put("stat", STAT("1000"));
    put("diskstats", " 254 0 vda 100 0 800 5 40 0 320 9 0 0 0\n");
    put("vmstat", "nr_free_pages 1\npgpgin 10\npgpgout 20\n");
    put("net/snmp", "Ip: Forwarding\nTcp: RtoAlgorithm RtoMin\nTcp: 1 200 120000 -1 11 22 0 0 3 4000 5000 66 0\n");
    rates_look(proc, NS_PER_S, &before);
    put("stat", STAT("41000"));
    put("diskstats", " 254 0 vda 150 0 800 5 90 0 320 9 0 0 0\n");
    put("net/snmp", "Tcp: 1 200 120000 -1 13 24 0 0 3 4600 5000 68 0\n");
    rates_look(proc, 3 * NS_PER_S, &after);
    rates_between(&before, &after, &r);
    assert_int_equal(after.cpus, 2);
    assert_int_equal(r.per_s[COUNTER_CONTEXT_SWITCHES], 20000);
    assert_int_equal(r.per_s[COUNTER_DISK_IOS], 50);
    assert_int_equal(r.per_s[COUNTER_TCP_OPENS], 2);
    assert_int_equal(r.per_s[COUNTER_TCP_SEGMENTS], 300);
    assert_int_equal(r.per_s[COUNTER_TCP_RETRANSMITS], 1);
    assert_int_equal(r.per_s[COUNTER_INTERRUPTS], 0);
    assert_int_equal(r.known, ((1u << COUNTER__COUNT) - 1) & ~(1u << COUNTER_CONSTANT));
}

static void a_counter_that_is_missing_or_runs_backwards_is_not_known(void **state) {
    (void)state;
    struct rates_look before, after;
    struct cost_rates r;
    put("stat", STAT("1000"));
    rates_look(proc, NS_PER_S, &before);
    put("stat", STAT("999"));
    rates_look(proc, 2 * NS_PER_S, &after);
    rates_between(&before, &after, &r);
    assert_int_equal(r.known, 1u << COUNTER_INTERRUPTS | 1u << COUNTER_SOFTIRQS | 1u << COUNTER_PROCESSES);
    rates_between(&after, &before, &r);
    assert_int_equal(r.known, 0);
}

/* 500 000 context switches in a quarter of a second, on two CPUs. */
static const struct rates_look calm = {.at_ns = NS_PER_S, .known = 1u << COUNTER_CONTEXT_SWITCHES, .cpus = 2};
static const struct rates_look storm = {
    .at_ns = NS_PER_S + NS_PER_S / 4, .known = 1u << COUNTER_CONTEXT_SWITCHES, .cpus = 2, .count = {[COUNTER_CONTEXT_SWITCHES] = 125000}};

static enum err allows(uint64_t max_ppm, enum tool_id tool, uint64_t spent, char why[512]) {
    struct policy p = {.max_cost_ppm = max_ppm};
    struct admitted a = {.tool = catalog_tool(tool)};
    struct buf b;
    uint64_t ppm;
    buf_init(&b, 511);
    enum err e = budget_allows(&p, &a, &calm, &storm, spent, &ppm, &b);
    snprintf(why, 512, "%s", b.n ? buf_str(&b) : "");
    buf_done(&b);
    return e;
}

static void a_tool_over_the_budget_is_refused_with_the_figure_and_a_cheaper_one(void **state) {
    (void)state;
    char why[512];
    assert_int_equal(allows(20000, TOOL_RUNQLAT, 0, why), ERR_REFUSED);
    assert_string_equal(why, "runqlat would cost about 20 % of the CPU (500000 context switches a second at 0.8 us), this host allows 2.0 %; "
                             "runqlen would cost 0.020 %");
    assert_int_equal(allows(250000, TOOL_RUNQLAT, 0, why), ERR_OK);
    assert_int_equal(allows(250000, TOOL_RUNQLAT, 100000, why), ERR_REFUSED);
    assert_non_null(strstr(why, "this host allows 25 % and 10 % is spent by what runs already"));
    assert_int_equal(allows(0, TOOL_RUNQLAT, 0, why), ERR_OK);
    assert_int_equal(allows(20000, TOOL_RUNQLEN, 0, why), ERR_OK);
}

static void every_tool_has_a_cost_with_its_source(void **state) {
    (void)state;
    for (int i = TOOL_NONE + 1; i < TOOL__COUNT; i++) {
        const struct tool *t = catalog_tool((enum tool_id)i);
        assert_true(cost_event_ns(t) > 0);
        assert_non_null(cost_source(t));
        assert_true(cost_cheaper(t) != t);
        assert_non_null(cost_counter_name(t->counter));
    }
}

static void a_process_is_read_whatever_its_name(void **state) {
    (void)state;
    struct brake_look l;
    put("7/stat", "7 (a) b) (c 1) S 1 7 7 0 -1 4194560 1 2 3 4 150 50 10 5 20 0 1 0 9 9 9\n");
    put("pressure/cpu", "some avg10=98.65 avg60=1.00 avg300=0.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
    brake_read(proc, 7, 5, &l);
    assert_true(l.cpu_ns == 2150000000 && l.at_ns == 5);
    assert_true(l.pressure_known && l.pressure_ppm == 986500);
    put("pressure/cpu", "some avg10=nan\n");
    brake_read(proc, 8, 6, &l);
    assert_true(l.cpu_ns == 0 && !l.pressure_known);
}

/* Looks each half second at a tool that burns so much of a CPU, on a host whose pressure rises so fast: how many until the brake? */
static size_t looks_until(const struct policy *p, uint64_t cpu_ppm, uint64_t rise_ppm, char why[256]) {
    struct brake brake = {.n = 0};
    struct buf b;
    bool over = false;
    size_t i = 0;
    buf_init(&b, 255);
    for (; i < 100 && !over; i++) {
        uint64_t t = i * NS_PER_S / 2;
        struct brake_look l = {
            .at_ns = NS_PER_S + t, .cpu_ns = t / 1000000 * cpu_ppm, .pressure_known = true, .pressure_ppm = 100000 + i * rise_ppm};
        over = brake_over(&brake, p, &l, &b);
    }
    snprintf(why, 256, "%s", b.n ? buf_str(&b) : "");
    buf_done(&b);
    return over ? i : 0;
}

static void the_brake_waits_three_seconds_and_says_the_figure(void **state) {
    (void)state;
    char why[256];
    const struct policy p = {.brake_cpu_ppm = 500000, .brake_pressure_ppm = 300000}, none = {.brake_cpu_ppm = 0};
    assert_int_equal(looks_until(&p, 900000, 0, why), BRAKE_LOOKS + 1);
    assert_string_equal(why, "it used 90 % of a CPU over 3.0 s, this host allows 50 %");
    assert_int_equal(looks_until(&p, 490000, 0, why), 0);
    assert_int_equal(looks_until(&p, 0, 100000, why), 5);
    assert_string_equal(why, "the host's CPU pressure (some avg10) rose from 10 % to 50 % while it ran, this host allows a rise of 30 %");
    assert_int_equal(looks_until(&none, 1000000, 5000, why), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_counter_is_read_and_becomes_a_rate, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_counter_that_is_missing_or_runs_backwards_is_not_known, set_up, tear_down),
        cmocka_unit_test(a_tool_over_the_budget_is_refused_with_the_figure_and_a_cheaper_one),
        cmocka_unit_test(every_tool_has_a_cost_with_its_source),
        cmocka_unit_test_setup_teardown(a_process_is_read_whatever_its_name, set_up, tear_down),
        cmocka_unit_test(the_brake_waits_three_seconds_and_says_the_figure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
