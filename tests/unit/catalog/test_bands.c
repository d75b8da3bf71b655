/* Numbers in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/catalog/bands.h"

static const char *verdict(enum tool_id tool, const char *unit, uint64_t low, uint64_t high, const char *kind, const struct bands *own) {
    struct hist_slot slot = {low, high, 10};
    struct hist h = {.unit = span_str(unit), .slots = &slot, .n_slots = 1, .section = {{SPAN_LIT("disk"), SPAN_LIT("x")}}, .n_section = 1};
    if (kind) h.section[h.n_section++] = (struct label){SPAN_LIT("kind"), span_str(kind)};
    return bands_verdict(catalog_tool(tool), &h, own);
}

static void the_worst_band_is_the_verdict(void **state) {
    (void)state;
    assert_string_equal(verdict(TOOL_RUNQLAT, "usecs", 4, 7, NULL, NULL), "good");
    assert_string_equal(verdict(TOOL_RUNQLAT, "usecs", 16, 31, NULL, NULL), "warning");
    assert_string_equal(verdict(TOOL_RUNQLAT, "usecs", 128, 255, NULL, NULL), "critical");
    assert_string_equal(verdict(TOOL_RUNQLAT, "nsecs", 4096, 8191, NULL, NULL), "good");
    assert_string_equal(verdict(TOOL_RUNQLAT, "msecs", 1, 1, NULL, NULL), "critical");
    struct hist_slot slots[] = {{0, 1, 98}, {2048, 4095, 2}};
    struct hist h = {.unit = SPAN_LIT("usecs"), .slots = slots, .n_slots = 2};
    assert_string_equal(bands_verdict(catalog_tool(TOOL_RUNQLAT), &h, NULL), "critical"); /* p50 good, p99 over 1 ms */
}

static void without_bands_times_or_counts_there_is_no_verdict(void **state) {
    (void)state;
    struct hist empty = {.unit = SPAN_LIT("usecs")};
    assert_null(bands_verdict(catalog_tool(TOOL_RUNQLAT), &empty, NULL));
    assert_null(verdict(TOOL_RUNQLAT, "Kbytes", 4, 7, NULL, NULL));
    assert_null(verdict(TOOL_OFFCPUTIME, "usecs", 4, 7, NULL, NULL));
}

static void a_disk_is_read_by_the_bands_of_its_kind(void **state) {
    (void)state;
    const char *const fast[] = {NULL, "ssd", "nvme", "virtual", "strange"};
    for (size_t i = 0; i < COUNT_OF(fast); i++) {
        assert_string_equal(verdict(TOOL_BIOLATENCY, "usecs", 64, 127, fast[i], NULL), "good");
        assert_string_equal(verdict(TOOL_BIOLATENCY, "usecs", 2048, 4095, fast[i], NULL), "warning");
    }
    assert_string_equal(verdict(TOOL_BIOLATENCY, "usecs", 2048, 4095, "hdd", NULL), "good");
    assert_string_equal(verdict(TOOL_BIOLATENCY, "usecs", 8192, 16383, "hdd", NULL), "warning");
    assert_string_equal(verdict(TOOL_BIOLATENCY, "usecs", 65536, 131071, "hdd", NULL), "critical");
}

static void ones_own_bands_go_first(void **state) {
    (void)state;
    struct bands own;
    char why[128] = "";
    assert_true(bands_parse("runqlat.p50=1ms,2ms runqlat.p99=1ms biolatency/hdd.p50=1us tcprtt.p90=1ms", &own, why, sizeof why));
    assert_int_equal(own.n, 4);
    assert_string_equal(verdict(TOOL_RUNQLAT, "usecs", 128, 255, NULL, &own), "good");
    assert_string_equal(verdict(TOOL_RUNQLAT, "usecs", 4096, 8191, NULL, &own), "critical");
    assert_string_equal(verdict(TOOL_BIOLATENCY, "usecs", 64, 127, "hdd", &own), "warning");
    assert_string_equal(verdict(TOOL_BIOLATENCY, "usecs", 64, 127, "ssd", &own), "good");
    assert_string_equal(verdict(TOOL_TCPRTT, "usecs", 2048, 4095, NULL, &own), "warning"); /* the catalogue has none */
}

static void what_is_no_band_is_said(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "runqlat",         "runqlat.p99",      "runqlat=1ms",          "rumqlat.p99=1ms",    "biolatency/tape.p99=1ms",
        "runqlat.p98=1ms", "runqlat.p99=soon", "runqlat.p99=1ms,soon", "runqlat.p99=2ms,1ms"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct bands own = {.n = 77};
        char why[128] = "";
        if (bands_parse(wrong[i], &own, why, sizeof why)) fail_msg("%s was taken", wrong[i]);
        assert_non_null(strstr(why, wrong[i]));
        assert_int_equal(own.n, 77);
    }
}

static void distance_is_said_in_words(void **state) {
    (void)state;
    assert_string_equal(bands_distance(0), "same datacenter");
    assert_string_equal(bands_distance(999), "same datacenter");
    assert_string_equal(bands_distance(1000), "same region");
    assert_string_equal(bands_distance(5000), "cross-region");
    assert_string_equal(bands_distance(70000), "far");
    assert_string_equal(bands_distance(150000), "cross-continent or a network problem");
    assert_string_equal(bands_distance(1e6), "DNS or routing");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_band_is_the_verdict),
        cmocka_unit_test(without_bands_times_or_counts_there_is_no_verdict),
        cmocka_unit_test(a_disk_is_read_by_the_bands_of_its_kind),
        cmocka_unit_test(ones_own_bands_go_first),
        cmocka_unit_test(what_is_no_band_is_said),
        cmocka_unit_test(distance_is_said_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
