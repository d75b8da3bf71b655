#include "tests/unit/parse/parsed.h"

#define HEAD "     usecs               : count    distribution\n"
#define ROW0 "         0 -> 1          : 3        |****************************************|\n"
#define ROW1 "         2 -> 3          : 1        |*************                           |\n"

static const struct parse_spec *runqlat(void) { return spec_of(TOOL_RUNQLAT, FLAVOUR_LIBBPF); }

static void a_histogram_keeps_its_unit_and_slots(void **state) {
    struct capture c = parsed(runqlat(), "Tracing run queue latency... Hit Ctrl-C to end.\n\n" HEAD ROW0 ROW1, "", state);
    assert_int_equal(c.kind, RESULT_HISTOGRAM);
    assert_int_equal(c.hists.n, 1);
    const struct hist *h = &c.hists.hists[0];
    assert_text(h->unit, "usecs");
    assert_text(h->interval, "");
    assert_int_equal(h->scale, HIST_LOG2);
    assert_int_equal(h->n_section, 0);
    assert_int_equal(h->n_slots, 2);
    assert_true(h->slots[1].low == 2 && h->slots[1].high == 3 && h->slots[1].count == 1);
    assert_int_equal(c.n_notes, 0);
    assert_false(c.partial || c.failed);
}

static void a_print_out_with_only_its_banner_is_an_empty_result(void **state) {
    struct capture c = parsed(runqlat(), "Tracing run queue latency... Hit Ctrl-C to end.\n\n", "", state);
    assert_int_equal(c.hists.n, 0);
    assert_false(c.partial || c.failed);
}

static void a_print_out_without_even_its_banner_is_partial_and_says_why(void **state) {
    struct capture c = parsed(runqlat(), "", "", state);
    assert_true(c.partial);
    assert_false(c.failed);
    assert_int_equal(c.n_notes, 1);
}

static void the_wide_layout_is_read(void **state) {
    struct capture c = parsed(runqlat(),
                              "     nsecs                         : count     distribution\n"
                              "               0 -> 1                    : 0        |                    |\n"
                              "      4294967296 -> 8589934591           : 7        |********************|\n",
                              "", state);
    assert_int_equal(c.hists.n, 1);
    assert_true(c.hists.hists[0].slots[1].high == HIST_OPEN); /* above the row's clamp */
    assert_int_equal(c.ledger.parse, 0);
}

static void a_linear_histogram_is_read(void **state) {
    struct capture c = parsed(runqlat(),
                              "     runqlen       : count     distribution\n"
                              "        3          : 338      |****************************************|\n"
                              "        5          : 12       |*                                       |\n",
                              "", state);
    const struct hist *h = &c.hists.hists[0];
    assert_int_equal(h->scale, HIST_LINEAR);
    assert_int_equal(h->n_slots, 2);
    assert_true(h->slots[1].low == 5 && h->slots[1].high == 5);
}

static void the_last_possible_slot_means_and_above(void **state) {
    static const char *const text = HEAD "  16777216 -> 33554431   : 1        |****************************************|\n"
                                         "  33554432 -> 67108863   : 2        |****************************************|\n";
    struct capture c = parsed(runqlat(), text, "", state);
    assert_true(c.hists.hists[0].slots[0].high == 33554431);
    assert_true(c.hists.hists[0].slots[1].high == HIST_OPEN);
    c = parsed(spec_of(TOOL_RUNQLAT, FLAVOUR_BCC), text, "", state);
    assert_true(c.hists.hists[0].slots[1].high == 67108863);
}

static void a_count_printed_negative_is_mended_and_said(void **state) {
    struct capture c = parsed(runqlat(), HEAD "         0 -> 1          : -2147483648 |****************************************|\n", "", state);
    assert_true(c.hists.hists[0].slots[0].count == UINT64_C(2147483648));
    assert_int_equal(c.n_notes, 1);
    c = parsed(runqlat(), HEAD "         0 -> 1          : -1       |                                        |\n", "", state);
    assert_true(c.hists.hists[0].slots[0].count == UINT64_C(4294967295));
}

static void a_count_no_u32_can_be_is_not_a_row(void **state) {
    struct capture c = parsed(runqlat(), HEAD "         0 -> 1          : -2147483649 |*                                       |\n", "", state);
    assert_int_equal(c.hists.n, 0);
    assert_int_equal(c.ledger.parse, 1);
}

static void a_process_name_may_look_like_anything(void **state) {
    static const struct {
        const char *line, *pid, *comm;
    } cases[] = {
        {"pid = 6945 pid = 1234", "6945", "pid = 1234"},
        {"pid = 6944 usecs : count", "6944", "usecs : count"},
        {"pid = 6953 0 -> 1 : 5 |**", "6953", "0 -> 1 : 5 |**"},
        {"pid = 6952 \x1b[31mred", "6952", "\x1b[31mred"},
        {"pid = 6959  lead", "6959", " lead"},
        {"pid = 8592 trail ", "8592", "trail "},
        {"pid = 6 \xff\xfe", "6", "\xff\xfe"},
        {"pid = 7 nl\ncomm", "7", "nl\ncomm"},
        {"pid = 7 nl\npid = 3", "7", "nl\npid = 3"},
        {"pid = 7 tab\tcomm", "7", "tab\tcomm"},
        {"pid = 7 12:34:56", "7", "12:34:56"},
        {"pid = 7 ", "7", ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[512];
        snprintf(text, sizeof text, "\n\n%s\n" HEAD ROW0, cases[i].line);
        struct capture c = parsed(runqlat(), text, "", state);
        assert_int_equal(c.hists.n, 1);
        const struct hist *h = &c.hists.hists[0];
        assert_int_equal(h->n_section, 2);
        assert_text(h->section[0].key, "pid");
        assert_text(h->section[0].value, cases[i].pid);
        assert_text(h->section[1].key, "comm");
        assert_text(h->section[1].value, cases[i].comm);
        assert_int_equal(c.ledger.parse, 0);
    }
}

static void a_section_may_be_a_number_alone(void **state) {
    struct capture c = parsed(runqlat(), "\n\npid = 1234\n" HEAD ROW0, "", state);
    assert_int_equal(c.hists.hists[0].n_section, 1);
    assert_text(c.hists.hists[0].section[0].value, "1234");
}

static void disks_and_flags_are_two_labels(void **state) {
    struct capture c = parsed(spec_of(TOOL_BIOLATENCY, FLAVOUR_LIBBPF),
                              "\n\ndisk = vda\t\n" HEAD ROW0 "\ndisk = vdb\tflags = Idle-Sync-Write\n" HEAD ROW0 "\ndisk = b'sda'\n" HEAD ROW0, "", state);
    assert_int_equal(c.hists.n, 3);
    assert_int_equal(c.hists.hists[0].n_section, 1);
    assert_text(c.hists.hists[0].section[0].value, "vda");
    assert_int_equal(c.hists.hists[1].n_section, 2);
    assert_text(c.hists.hists[1].section[0].value, "vdb");
    assert_text(c.hists.hists[1].section[1].key, "flags");
    assert_text(c.hists.hists[1].section[1].value, "Idle-Sync-Write");
    assert_text(c.hists.hists[2].section[0].value, "sda");
}

static void an_average_is_not_part_of_a_name(void **state) {
    struct capture c = parsed(runqlat(), "\n\nRemote Address = 10.9.0.2 [AVG 1234]\n" HEAD ROW0 "avg = 12 usecs, total: 34 usecs, count: 4\n", "", state);
    assert_text(c.hists.hists[0].section[0].key, "Remote Address");
    assert_text(c.hists.hists[0].section[0].value, "10.9.0.2");
    assert_int_equal(c.ledger.parse, 0);
}

static void a_mark_names_the_interval(void **state) {
    struct capture c = parsed(runqlat(), "\n11:07:42\n" HEAD ROW0 "\n11:07:43\n" HEAD ROW0 ROW1, "", state);
    assert_int_equal(c.hists.n, 2);
    assert_text(c.hists.hists[0].interval, "11:07:42");
    assert_text(c.hists.hists[1].interval, "11:07:43");
}

static void intervals_without_marks_are_numbered(void **state) {
    struct capture c = parsed(runqlat(), "\n" HEAD ROW0 "\n" HEAD ROW0, "", state);
    assert_text(c.hists.hists[0].interval, "#1");
    assert_text(c.hists.hists[1].interval, "#2");
}

static void sections_of_one_interval_are_kept_together(void **state) {
    /* libbpf: a blank line for the interval, one for each section */
    struct capture c = parsed(runqlat(), "\n\npid = 1 a\n" HEAD ROW0 "\npid = 2 b\n" HEAD ROW0 "\n\npid = 2 b\n" HEAD ROW0, "", state);
    assert_text(c.hists.hists[0].interval, "#1");
    assert_text(c.hists.hists[1].interval, "#1");
    assert_text(c.hists.hists[2].interval, "#2");
    /* hardirqs of libbpf: none between sections; with one section in each interval only its name tells */
    c = parsed(runqlat(), "\nhardirq = a\n" HEAD ROW0 "hardirq = b\n" HEAD ROW0 "\nhardirq = b\n" HEAD ROW0, "", state);
    assert_text(c.hists.hists[1].interval, "#1");
    assert_text(c.hists.hists[2].interval, "#2");
    c = parsed(runqlat(), "\nhardirq = a\n" HEAD ROW0 "\nhardirq = a\n" HEAD ROW0, "", state);
    assert_text(c.hists.hists[1].interval, "#2");
    /* bitesize: two tasks of one name */
    c = parsed(runqlat(), "\n\nProcess Name = a\n" HEAD ROW0 "\nProcess Name = a\n" HEAD ROW0, "", state);
    assert_text(c.hists.hists[1].interval, "");
}

static void a_cut_row_is_not_a_number(void **state) {
    struct capture c = parsed(runqlat(), HEAD ROW0 "         2 -> 3          : 12345    |***", "", state);
    assert_int_equal(c.hists.hists[0].n_slots, 1);
    assert_true(c.partial);
    assert_int_equal(c.ledger.parse, 1);
}

static void a_row_that_does_not_ascend_is_not_taken(void **state) {
    struct capture c = parsed(runqlat(), HEAD ROW1 ROW0, "", state);
    assert_int_equal(c.hists.hists[0].n_slots, 1);
    assert_int_equal(c.ledger.parse, 1);
    assert_text(c.leftover, ROW0);
}

static void rows_need_a_header_and_the_whole_pattern(void **state) {
    static const char *const bad[] = {
        ROW0,                                                      /* no header above */
        HEAD " 0 -> 1 : 3 |* *|\n",                                /* stars behind a blank */
        HEAD " 0 -> 1 : 3 |**\n",                                  /* no end */
        HEAD " 0 -> 2 : 3 |**|\n",                                 /* no log2 slot */
        HEAD " 0 -> 1: 3 |**|\n",                                  /* no blank */
        HEAD " 0 -> 1 : x |**|\n",                                 /* no number */
        HEAD " 0 -> 1 : 3 |**| more\n",                            /* more */
        HEAD " 99999999999999999999 -> 1 : 3 |**|\n",              /* too large */
        HEAD " 0 -> 1 : 3|**|\n",                                  /* no blank before the bar */
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct capture c = parsed(runqlat(), bad[i], "", state);
        assert_int_equal(c.hists.n, 0);
        assert_int_equal(c.ledger.parse, 1);
    }
}

static void a_terminals_echo_is_skipped(void **state) {
    struct capture c = parsed(runqlat(), "Tracing run queue latency... Hit Ctrl-C to end.\r\n^C\r\n" HEAD ROW0 "^C\n", "", state);
    assert_int_equal(c.hists.n, 1);
    assert_int_equal(c.ledger.parse, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        parse_test(a_histogram_keeps_its_unit_and_slots),
        parse_test(a_print_out_with_only_its_banner_is_an_empty_result),
        parse_test(a_print_out_without_even_its_banner_is_partial_and_says_why),
        parse_test(the_wide_layout_is_read),
        parse_test(a_linear_histogram_is_read),
        parse_test(the_last_possible_slot_means_and_above),
        parse_test(a_count_printed_negative_is_mended_and_said),
        parse_test(a_count_no_u32_can_be_is_not_a_row),
        parse_test(a_process_name_may_look_like_anything),
        parse_test(a_section_may_be_a_number_alone),
        parse_test(disks_and_flags_are_two_labels),
        parse_test(an_average_is_not_part_of_a_name),
        parse_test(a_mark_names_the_interval),
        parse_test(intervals_without_marks_are_numbered),
        parse_test(sections_of_one_interval_are_kept_together),
        parse_test(a_cut_row_is_not_a_number),
        parse_test(a_row_that_does_not_ascend_is_not_taken),
        parse_test(rows_need_a_header_and_the_whole_pattern),
        parse_test(a_terminals_echo_is_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
