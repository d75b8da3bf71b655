/* A histogram as people read it, to the letter. */
#include "tests/unit/console/printed.h"

#include "common/merge/percentile.h"
#include "console/render/chart.h"

static struct hist_slot SLOTS[] = {{0, 1, 3}, {2, 3, 120}, {4, 7, 60}, {8, 15, 0}, {16, HIST_OPEN, 1}};
static const struct hist HIST = {.unit = SPAN_LIT("usecs"), .scale = HIST_LOG2, .slots = SLOTS, .n_slots = 5};

static void a_known_histogram_in_plain_characters(void **state) {
    (void)state;
    struct printed p;
    struct screen s = {.to = printed_open(&p), .width = 80};
    chart_print(&HIST, NULL, NULL, &s);
    printed_is(&p, "                usecs        count\n"
                   "               0 .. 1            3  *\n"
                   "               2 .. 3          120  ********************************************\n"
                   "               4 .. 7           60  **********************\n"
                   "              8 .. 15            0  \n"
                   "         16 and above            1  .\n"
                   "  p50  2.5 [2, 3]  p90  5.5 [4, 7]  p99  5.5 [4, 7]  p999 16 [16, and above]  usecs\n"
                   "  total 184\n");
}

static void the_same_in_blocks(void **state) {
    (void)state;
    struct printed p;
    struct screen s = {.to = printed_open(&p), .width = 60, .unicode = true};
    chart_print(&HIST, NULL, NULL, &s);
    printed_is(&p, "                usecs        count\n"
                   "                0 … 1            3  ▌\n"
                   "                2 … 3          120  ████████████████████████\n"
                   "                4 … 7           60  ████████████\n"
                   "               8 … 15            0  \n"
                   "         16 and above            1  ▏\n"
                   "  p50  2.5 [2, 3]  p90  5.5 [4, 7]  p99  5.5 [4, 7]  p999 16 [16, and above]  usecs\n"
                   "  total 184\n");
}

static void a_tool_with_bands_gets_its_reading(void **state) {
    (void)state;
    struct printed p;
    struct screen s = {.to = printed_open(&p), .width = 80};
    chart_print(&HIST, catalog_tool(TOOL_RUNQLAT), NULL, &s);
    printed_has(&p, "  total 184  reading: good\n");
}

static void a_section_is_named_and_harmless(void **state) {
    (void)state;
    struct printed p;
    struct hist h = HIST;
    h.section[0] = (struct label){SPAN_LIT("disk"), SPAN_LIT("vda\x1b[2J")};
    h.section[1] = (struct label){SPAN_LIT("flags"), SPAN_LIT("Sync-Write")};
    h.n_section = 2;
    h.unit = SPAN_LIT("us\x1b");
    struct screen s = {.to = printed_open(&p), .width = 80};
    chart_print(&h, NULL, NULL, &s);
    const char *text = printed_text(&p);
    assert_ptr_equal(strstr(text, "disk=vda\\x1b[2J flags=Sync-Write\n"), text);
    assert_null(strchr(text, '\x1b'));
    printed_done(&p);
    char out[8];
    chart_section(&h, out, sizeof out);
    assert_string_equal(out, "disk=vd"); /* cut to what there is room for */
    chart_section(&HIST, out, sizeof out);
    assert_string_equal(out, "");
}

static void an_empty_histogram_has_no_percentiles(void **state) {
    (void)state;
    struct printed p;
    const struct hist empty = {.unit = SPAN_NONE};
    struct screen s = {.to = printed_open(&p), .width = 80};
    chart_print(&empty, catalog_tool(TOOL_RUNQLAT), NULL, &s);
    printed_is(&p, "                             count\n"
                   "  p50  -  p90  -  p99  -  p999 -  \n"
                   "  total 0\n");
}

/* The widest numbers there are, on the narrowest screen: no bar is negative or endless. */
static void great_numbers_fit_somehow(void **state) {
    (void)state;
    struct printed p;
    struct hist_slot slots[] = {{UINT64_MAX / 2, UINT64_MAX - 1, UINT64_MAX}, {UINT64_MAX - 1, HIST_OPEN, 1}};
    const struct hist h = {.unit = SPAN_LIT("nsecs"), .slots = slots, .n_slots = 2};
    struct screen s = {.to = printed_open(&p), .width = 1};
    chart_print(&h, NULL, NULL, &s);
    const char *text = printed_text(&p);
    assert_non_null(strstr(text, "18446744073709551615  **********\n"));
    assert_non_null(strstr(text, "           1  .\n"));
    printed_done(&p);
}

static void a_value_is_written_without_false_digits(void **state) {
    (void)state;
    char out[40];
    chart_value(&(struct percentile){.known = true, .value = 12}, out, sizeof out);
    assert_string_equal(out, "12");
    chart_value(&(struct percentile){.known = true, .value = 1.5}, out, sizeof out);
    assert_string_equal(out, "1.5");
    chart_value(&(struct percentile){.known = true, .value = 25165823.5}, out, sizeof out);
    assert_string_equal(out, "25165823.5");
    chart_value(&(struct percentile){.known = false, .value = 3}, out, sizeof out);
    assert_string_equal(out, "-");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_histogram_in_plain_characters),   cmocka_unit_test(the_same_in_blocks),
        cmocka_unit_test(a_tool_with_bands_gets_its_reading),      cmocka_unit_test(a_section_is_named_and_harmless),
        cmocka_unit_test(an_empty_histogram_has_no_percentiles),   cmocka_unit_test(great_numbers_fit_somehow),
        cmocka_unit_test(a_value_is_written_without_false_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
