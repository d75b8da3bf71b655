#include "tests/unit/parse/parsed.h"

#define HEAD "PCOMM            PID    PPID   RET ARGS\n"

static const struct parse_spec *libbpf(void) { return spec_of(TOOL_EXECSNOOP, FLAVOUR_LIBBPF); }
static const struct parse_spec *bcc(void) { return spec_of(TOOL_EXECSNOOP, FLAVOUR_BCC); }

static const struct parse_column connect_columns[] = {
    {.name = "TIME(s)", .type = COLUMN_DECIMAL, .unit = "s", .width = 9}, {.name = "PID", .type = COLUMN_INT, .width = 7},
    {.name = "COMM", .type = COLUMN_TEXT, .blanks = true, .width = 13},   {.name = "SADDR", .type = COLUMN_ADDRESS},
    {.name = "DPORT", .type = COLUMN_PORT},                               {.name = "LAT(ms)", .type = COLUMN_DECIMAL, .unit = "ms"},
};
static const struct parse_spec connects = {.grammar = GRAMMAR_TABLE, .columns = connect_columns, .n_columns = COUNT_OF(connect_columns)};

static struct span text(const struct capture *c, size_t row, const char *column) {
    size_t i = events_column(&c->events, span_str(column));
    assert_true(i < c->events.n_columns && row < c->events.n_rows);
    return c->events.strings.text[c->events.columns[i].text[row]];
}

static int64_t number(const struct capture *c, size_t row, const char *column) {
    size_t i = events_column(&c->events, span_str(column));
    assert_true(i < c->events.n_columns && row < c->events.n_rows);
    return c->events.columns[i].number[row];
}

static void a_row_is_cut_at_the_columns(void **state) {
    struct capture c = parsed(libbpf(), HEAD "bash             5144   4523     0 /usr/bin/bash -c . /cap/wl.sh; spawn \n", "", state);
    assert_int_equal(c.kind, RESULT_EVENTS);
    assert_int_equal(c.events.n_columns, 5);
    assert_int_equal(c.events.n_rows, 1);
    assert_text(text(&c, 0, "PCOMM"), "bash");
    assert_int_equal(number(&c, 0, "PID"), 5144);
    assert_int_equal(number(&c, 0, "PPID"), 4523);
    assert_int_equal(number(&c, 0, "RET"), 0);
    assert_text(text(&c, 0, "ARGS"), "/usr/bin/bash -c . /cap/wl.sh; spawn");
    assert_false(c.partial);
}

static void a_header_alone_is_an_empty_result(void **state) {
    struct capture c = parsed(libbpf(), HEAD, "", state);
    assert_int_equal(c.events.n_columns, 5);
    assert_int_equal(c.events.n_rows, 0);
    assert_false(c.partial || c.failed);
}

static void a_task_name_may_look_like_anything(void **state) {
    static const char *const names[] = {"two words", "PCOMM  PID", "1 2 3 4", "[kworker0:1]", "a;b", "\xff\xfe", " lead", "caf\xc3\xa9", "ABCDEFGHIJKLMNO", "nl\nname", ""};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char line[256];
        for (int flavour = 0; flavour < 2; flavour++) {
            snprintf(line, sizeof line, flavour ? HEAD "%-16s %-7d %-7s %3d %s\n" : HEAD "%-16s %-6d %-6s %3d %s\n", names[i], 6188, "5723", -13, "/bin/x 1 2 3");
            struct capture c = parsed(flavour ? bcc() : libbpf(), line, "", state);
            assert_int_equal(c.events.n_rows, 1);
            assert_text(text(&c, 0, "PCOMM"), names[i]);
            assert_int_equal(number(&c, 0, "PID"), 6188);
            assert_int_equal(number(&c, 0, "RET"), -13);
            assert_text(text(&c, 0, "ARGS"), "/bin/x 1 2 3");
            assert_int_equal(c.ledger.parse, 0);
        }
    }
}

static void a_users_number_may_fill_its_column(void **state) {
    static const char *const head = "TIME     UID    PCOMM            PID    PPID   RET ARGS\n";
    static const char *const uids[] = {"0", "12345", "123456", "1234601105", "4294967294"};
    for (size_t i = 0; i < COUNT_OF(uids); i++) {
        char line[256];
        snprintf(line, sizeof line, "%s%-8s %-6s%-16s %-6d %-6d %3d %s \n", head, "11:07:42", uids[i], "two words", 5, 4, 0, "/bin/x");
        struct capture c = parsed(libbpf(), line, "", state);
        assert_int_equal(c.events.n_rows, 1);
        uint64_t uid;
        assert_true(span_u64(span_str(uids[i]), &uid));
        assert_int_equal(number(&c, 0, "UID"), (int64_t)uid);
        assert_text(text(&c, 0, "PCOMM"), "two words");
        assert_text(text(&c, 0, "TIME"), "11:07:42");
    }
}

static void arguments_may_hold_newlines(void **state) {
    struct capture c = parsed(libbpf(),
                              HEAD "python3          5      4        0 /usr/bin/python3 -c import os\n\n  x = 1 2 3 4 \nend \n"
                                   "true             6      4        0 /bin/true \n",
                              "", state);
    assert_int_equal(c.events.n_rows, 2);
    assert_text(text(&c, 0, "ARGS"), "/usr/bin/python3 -c import os\n\n  x = 1 2 3 4 \nend");
    assert_text(text(&c, 1, "ARGS"), "/bin/true");
    assert_int_equal(c.ledger.parse, 0);
}

static void a_name_with_a_newline_after_arguments_with_newlines(void **state) {
    struct capture c = parsed(libbpf(),
                              HEAD "sh               5      4        0 sh -c a\nb \nnl\nname          6      4        0 /bin/nl \n", "", state);
    assert_int_equal(c.events.n_rows, 2);
    assert_text(text(&c, 0, "ARGS"), "sh -c a\nb");
    assert_text(text(&c, 1, "PCOMM"), "nl\nname");
}

static void a_header_may_come_late_and_again(void **state) {
    struct capture c = parsed(bcc(),
                              "bash             11246   10566     0 /usr/bin/bash\n"
                              "PCOMM            PID     PPID    RET ARGS\n"
                              "true             11247   11246     0 /bin/true\n"
                              "PCOMM            PID     PPID    RET ARGS\n"
                              "true             11248   11246     0 /bin/true\n",
                              "", state);
    assert_int_equal(c.events.n_rows, 3);
    assert_int_equal(number(&c, 0, "PID"), 11246);
    assert_int_equal(c.ledger.parse, 0);
}

static void without_a_header_nothing_is_guessed(void **state) {
    struct capture c = parsed(libbpf(), "true             6      4        0 /bin/true \n", "", state);
    assert_int_equal(c.events.n_rows, 0);
    assert_int_equal(c.events.n_columns, 0);
    assert_int_equal(c.ledger.parse, 1);
    assert_text(c.leftover, "true             6      4        0 /bin/true \n");
}

static void a_row_that_does_not_fit_is_kept_and_counted(void **state) {
    struct capture c = parsed(bcc(), "PCOMM            PID     PPID    RET ARGS\ntrue             x       4         0 /bin/true\n", "", state);
    assert_int_equal(c.events.n_rows, 0);
    assert_int_equal(c.ledger.parse, 1);
    assert_int_equal(c.n_notes, 1);
}

static void a_last_line_without_its_end_is_not_a_row(void **state) {
    struct capture c = parsed(libbpf(), HEAD "true             6      4        0 /bin/true \ntrue             7      4        0 /bin/tr", "", state);
    assert_int_equal(c.events.n_rows, 1);
    assert_true(c.partial);
    assert_int_equal(c.ledger.parse, 1);
}

static void a_cell_that_is_no_number_is_null_and_said(void **state) {
    struct capture c = parsed(bcc(), "PCOMM            PID     PPID    RET ARGS\ntrue             6       ?         0 /bin/true\n", "", state);
    assert_int_equal(c.events.n_rows, 1);
    assert_true(number(&c, 0, "PPID") == EVENTS_NULL);
    assert_int_equal(c.n_notes, 1);
}

static void a_free_column_in_the_middle_is_found_from_both_ends(void **state) {
    struct capture c = parsed(&connects,
                              "TIME(s)  PID    COMM         SADDR            DPORT LAT(ms)\n"
                              "0.000    5234   curl         10.9.0.1         80    1.52\n"
                              "1.5      5235   1 2 3        fd00:9::1234:5678:9abc:def0 443   12.125\n",
                              "", state);
    assert_int_equal(c.events.n_rows, 2);
    assert_text(text(&c, 1, "COMM"), "1 2 3");
    assert_text(text(&c, 1, "SADDR"), "fd00:9::1234:5678:9abc:def0");
    const struct column *lat = &c.events.columns[5], *at = &c.events.columns[0];
    assert_int_equal(lat->decimals, 3);
    assert_int_equal(lat->number[0], 1520); /* widened by the second row */
    assert_int_equal(lat->number[1], 12125);
    assert_int_equal(at->number[1], 1500);
    assert_text(lat->unit, "ms");
}

static void only_the_columns_that_are_there_are_there(void **state) {
    struct capture c = parsed(&connects, "PID    COMM         SADDR            DPORT LAT(ms)\n5234   curl         10.9.0.1         80    1.52\n", "", state);
    assert_int_equal(c.events.n_columns, 5);
    assert_int_equal(number(&c, 0, "DPORT"), 80);
}

static void notices_among_rows_are_not_rows(void **state) {
    struct capture c = parsed(&connects,
                              "Tracing connect ... Hit Ctrl-C to end\nPID    COMM         SADDR            DPORT LAT(ms)\n"
                              "5234   curl         10.9.0.1         80    1.52\nPossibly lost 7 samples\nDetaching...\n",
                              "", state);
    assert_int_equal(c.events.n_rows, 1);
    assert_int_equal(c.ledger.kernel, 7);
    assert_int_equal(c.ledger.parse, 0);
    assert_true(c.partial);
}

/* Found by the second reader: the row after the notice was taken for one that a newline had split. */
static void a_notice_is_no_part_of_the_row_below_it_whose_name_begins_with_a_blank(void **state) {
    struct capture c = parsed(spec_of(TOOL_TCPSTATES, FLAVOUR_BCC),
                              "SKADDR,C-PID,C-COMM,IP,LADDR,LPORT,RADDR,RPORT,OLDSTATE,NEWSTATE,MS\n"
                              "Possibly lost 85 samples\n"
                              "ff33f3de456f3f97,1, lead,4,10.9.0.2,5201,10.9.0.1,80,FIN_WAIT1,CLOSE,1.492\n",
                              "", state);
    assert_int_equal(c.events.n_rows, 1);
    assert_text(text(&c, 0, "SKADDR"), "ff33f3de456f3f97");
    assert_text(text(&c, 0, "C-COMM"), " lead");
    assert_int_equal(c.ledger.kernel, 85);
}

/* The same: 16 bytes of the name left its last word for a time in milliseconds. */
static void milliseconds_have_decimals_and_so_a_word_of_a_name_is_none(void **state) {
    struct capture c = parsed(spec_of(TOOL_GETHOSTLATENCY, FLAVOUR_BCC),
                              "TIME      PID     COMM                  LATms HOST\n"
                              "21:14:47  0       \\\"Y8=44Ya\xef\xbf\xbd\xef\xbf\xbdZ\t11        0.00 localhost\n",
                              "", state);
    assert_int_equal(c.events.n_rows, 1);
    assert_text(text(&c, 0, "COMM"), "\\\"Y8=44Ya\xef\xbf\xbd\xef\xbf\xbdZ\t11");
    assert_text(text(&c, 0, "HOST"), "localhost");
}

static void leftover_is_bounded(void **state) {
    char line[3001];
    memset(line, 'x', sizeof line - 2);
    line[sizeof line - 2] = '\n';
    line[sizeof line - 1] = '\0';
    char all[3 * sizeof line];
    snprintf(all, sizeof all, "%s%s%s", line, line, line);
    struct capture c = parsed(&connects, all, "", state);
    assert_int_equal(c.ledger.parse, 3);
    assert_int_equal(c.leftover.n, PARSE_LEFTOVER_BYTES);
    assert_true(c.notes[0].n < 512);
}

/* Rows are made room for after the length of the first 512. */
static void all_rows_are_kept_when_the_later_ones_are_shorter_or_longer(void **state) {
    static const char *const arguments[] = {"/bin/true", "/usr/bin/a-name-that-is-longer --with arguments"};
    enum { ROWS = 3000, FIRST = 512 };
    for (size_t longer_first = 0; longer_first < 2; longer_first++) {
        struct buf lines;
        buf_init(&lines, 0);
        buf_add_str(&lines, HEAD);
        for (int i = 0; i < ROWS; i++) buf_add_fmt(&lines, "%-16s %-6d %-6d %3d %s \n", "bash", i, 1, 0, arguments[(i < FIRST) == (longer_first == 1)]);
        struct capture c = parsed(libbpf(), buf_str(&lines), "", state);
        buf_done(&lines);
        assert_int_equal(c.events.n_rows, ROWS);
        for (int i = 0; i < ROWS; i++) {
            assert_int_equal(number(&c, (size_t)i, "PID"), i);
            assert_text(text(&c, (size_t)i, "ARGS"), arguments[(i < FIRST) == (longer_first == 1)]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        parse_test(a_row_is_cut_at_the_columns),
        parse_test(a_header_alone_is_an_empty_result),
        parse_test(a_task_name_may_look_like_anything),
        parse_test(a_users_number_may_fill_its_column),
        parse_test(arguments_may_hold_newlines),
        parse_test(a_name_with_a_newline_after_arguments_with_newlines),
        parse_test(a_header_may_come_late_and_again),
        parse_test(without_a_header_nothing_is_guessed),
        parse_test(a_row_that_does_not_fit_is_kept_and_counted),
        parse_test(a_last_line_without_its_end_is_not_a_row),
        parse_test(a_cell_that_is_no_number_is_null_and_said),
        parse_test(a_free_column_in_the_middle_is_found_from_both_ends),
        parse_test(only_the_columns_that_are_there_are_there),
        parse_test(notices_among_rows_are_not_rows),
        parse_test(a_notice_is_no_part_of_the_row_below_it_whose_name_begins_with_a_blank),
        parse_test(milliseconds_have_decimals_and_so_a_word_of_a_name_is_none),
        parse_test(leftover_is_bounded),
        parse_test(all_rows_are_kept_when_the_later_ones_are_shorter_or_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
