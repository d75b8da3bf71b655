/* What single tools print that no other does.  TOOLS.md (5), (6). */
#include "tests/unit/parse/parsed.h"

static size_t column(const struct capture *c, const char *name) {
    size_t i = events_column(&c->events, span_str(name));
    assert_true(i < c->events.n_columns);
    return i;
}

static struct span text(const struct capture *c, size_t row, const char *name) {
    assert_true(row < c->events.n_rows);
    return c->events.strings.text[c->events.columns[column(c, name)].text[row]];
}

static int64_t number(const struct capture *c, size_t row, const char *name) {
    assert_true(row < c->events.n_rows);
    return c->events.columns[column(c, name)].number[row];
}

static struct span stack_frame(const struct capture *c, size_t row, size_t depth) {
    const struct events *e = &c->events;
    assert_true(e->stack_of && e->stack_of[row]);
    uint32_t node = e->stacks.rows[e->stack_of[row] - 1].leaf;
    while (depth-- > 0) node = e->stacks.nodes[node].parent;
    return node == STACKS_ROOT ? SPAN_NONE : e->stacks.strings.text[e->stacks.nodes[node].frame];
}

/* ---- hardirqs, softirqs, runqlen ---- */

#define IRQ_BANNER "Tracing hard irq event time... Hit Ctrl-C to end.\n"

static void totals_of_interrupts_are_events(void **state) {
    static const char *const out = IRQ_BANNER
        "\nHARDIRQ                    TOTAL_usecs\nata_piix                          2309\nPCIe PME, pciehp                    12\n"
        "a-name-that-is-longer-than-its-column            1\n";
    struct capture c = parsed(spec_of(TOOL_HARDIRQS, FLAVOUR_LIBBPF), out, "", state);
    assert_int_equal(c.kind, RESULT_EVENTS);
    assert_int_equal(c.events.n_columns, 2);
    assert_int_equal(c.events.n_rows, 3);
    assert_text(text(&c, 1, "HARDIRQ"), "PCIe PME, pciehp");
    assert_int_equal(number(&c, 1, "TOTAL_usecs"), 12);
    assert_text(text(&c, 2, "HARDIRQ"), "a-name-that-is-longer-than-its-column");
    assert_int_equal(c.ledger.parse, 0);
    assert_false(c.partial);
}

static void the_same_tool_with_distributions_prints_histograms(void **state) {
    struct capture c = parsed(spec_of(TOOL_HARDIRQS, FLAVOUR_LIBBPF),
                              IRQ_BANNER "\nhardirq = eth0\n     usecs               : count    distribution\n"
                                         "         0 -> 1          : 3        |****************************************|\n",
                              "", state);
    assert_int_equal(c.kind, RESULT_HISTOGRAM);
    assert_int_equal(c.hists.n, 1);
    assert_text(c.hists.hists[0].section[0].value, "eth0");
}

static void marks_above_tables_become_a_column(void **state) {
    struct capture c =
        parsed(spec_of(TOOL_SOFTIRQS, FLAVOUR_LIBBPF),
               "Tracing soft irq event time... Hit Ctrl-C to end.\n\n11:30:01\nSOFTIRQ          TOTAL_usecs  TOTAL_count   \n"
               "timer                   1421           15\n\n11:30:02\nSOFTIRQ          TOTAL_usecs  TOTAL_count   \nrcu  2 3\n",
               "", state);
    assert_text(c.events.columns[0].name, "TIME");
    assert_int_equal(c.events.columns[0].type, COLUMN_TIME);
    assert_text(text(&c, 0, "TIME"), "11:30:01");
    assert_text(text(&c, 1, "TIME"), "11:30:02");
    assert_int_equal(number(&c, 1, "TOTAL_count"), 3);
}

static void tables_without_marks_are_numbered(void **state) {
    static const char *const table = "\nHARDIRQ                    TOTAL_nsecs\neth0                                 1\n";
    char out[512];
    snprintf(out, sizeof out, IRQ_BANNER "%s%s", table, table);
    struct capture c = parsed(spec_of(TOOL_HARDIRQS, FLAVOUR_BCC), out, "", state);
    assert_text(text(&c, 0, "interval"), "#1");
    assert_text(text(&c, 1, "interval"), "#2");
    assert_text(c.events.columns[2].unit, "nsecs");
}

static void a_column_of_a_later_version_is_text(void **state) {
    struct capture c = parsed(spec_of(TOOL_TCPDROP, FLAVOUR_BCC),
                              "TIME     PID     IP SADDR:SPORT          > DADDR:DPORT          STATE (FLAGS) WHY\n"
                              "11:08:12 14      4  10.9.0.2:80          > 10.9.0.1:45948       ESTABLISHED (ACK) NETFILTER\n",
                              "", state);
    assert_int_equal(c.events.n_rows, 1);
    assert_text(text(&c, 0, "WHY"), "NETFILTER");
}

static void occupancy_is_a_percentage(void **state) {
    const struct parse_spec *spec = spec_of(TOOL_RUNQLEN, FLAVOUR_LIBBPF);
    struct capture c = parsed(spec, "Sampling run queue length... Hit Ctrl-C to end.\n\nrunqocc: 12.34%\n", "", state);
    assert_int_equal(c.kind, RESULT_EVENTS);
    assert_int_equal(c.events.n_columns, 1);
    assert_int_equal(number(&c, 0, "runqocc"), 1234);
    assert_int_equal(c.events.columns[0].decimals, 2);
    assert_text(c.events.columns[0].unit, "%");
    c = parsed(spec, "\n11:00:01\nrunqocc, CPU 0    99.00%\nrunqocc, CPU 127   0.50%\n\n11:00:02\nrunqocc, CPU 0     1.00%\n", "", state);
    assert_int_equal(c.events.n_rows, 3);
    assert_int_equal(number(&c, 1, "CPU"), 127);
    assert_text(text(&c, 1, "TIME"), "11:00:01");
    assert_text(text(&c, 2, "TIME"), "11:00:02");
    c = parsed(spec, "\nrunqocc: 1.00%\n\nrunqocc: 2.00%\nno such line\nrunqocc: 3.", "", state);
    assert_text(text(&c, 1, "interval"), "#2");
    assert_int_equal(c.events.n_rows, 2);
    assert_int_equal(c.ledger.parse, 2);
    assert_true(c.partial);
}

/* ---- cpudist, biolatency ---- */

static void a_name_read_from_proc_ends_its_line_itself(void **state) {
    static const char *const out =
        "Tracing on-CPU time... Hit Ctrl-C to end.\n\n\npid = 7 bash\n\n     usecs               : count     distribution\n"
        "         0 -> 1          : 3        |****************************************|\n";
    struct capture c = parsed(spec_of(TOOL_CPUDIST, FLAVOUR_BCC), out, "", state);
    assert_text(c.hists.hists[0].section[1].value, "bash");
    c = parsed(spec_of(TOOL_CPUDIST, FLAVOUR_LIBBPF), out, "", state);
    assert_text(c.hists.hists[0].section[1].value, "bash\n");
}

static void an_average_is_not_a_section(void **state) {
    struct capture c = parsed(
        spec_of(TOOL_CPUDIST, FLAVOUR_BCC),
        "\n     usecs               : count     distribution\n"
        "         0 -> 1          : 3        |****************************************|\n\navg = 12 usecs, total: 34 usecs, count: 56\n",
        "", state);
    assert_int_equal(c.hists.n, 1);
    assert_int_equal(c.ledger.parse, 0);
}

static void a_dictionary_is_a_histogram(void **state) {
    const struct parse_spec *spec = spec_of(TOOL_BIOLATENCY, FLAVOUR_BCC);
    struct capture c =
        parsed(spec,
               "\n{'ts': '2026-01-31 11:07:42', 'val_type': 'usecs', 'data': [{'interval-start': 0, 'interval-end': 1, 'count': 3}, "
               "{'interval-start': 2, 'interval-end': 3, 'count': 5}], 'disk': b'vda'}\n"
               "{'ts': '2026-01-31 11:07:42', 'val_type': 'usecs', 'data': [{'interval-start': 0, 'interval-end': 1, 'count': 1}], "
               "'flags': 'Sync-Write'}\n",
               "", state);
    assert_int_equal(c.hists.n, 2);
    assert_text(c.hists.hists[0].unit, "usecs");
    assert_text(c.hists.hists[0].interval, "2026-01-31 11:07:42");
    assert_text(c.hists.hists[0].section[0].value, "vda");
    assert_int_equal(hist_total(&c.hists.hists[0]), 8);
    assert_text(c.hists.hists[1].section[0].key, "flags");
    assert_int_equal(c.ledger.parse, 0);
    static const char *const broken[] = {
        "{'ts': '2026-01-31 11:07:42', 'val_type': 'usecs', 'data': [{'interval-start': 0, 'interval-end': 1, 'count': 3}\n",
        "{'ts': '2026-01-31 11:07:42', 'data': [{'interval-start': 4, 'interval-end': 1, 'count': 3}]}\n",
        "{'ts': '2026-01-31 11:07:42', 'data': [{'interval-start': 0, 'interval-end': 1, 'count': -3}]}\n",
        "{'ts': '2026-01-31 11:07:42', 'data': [{'interval-start': 0, 'interval-end': 1}]}\n",
        "{'ts': '2026-01-31 11:07:42', 'data': [{'interval-start': 0, 'interval-end': 9, 'count': 3}, {'interval-start': 2, "
        "'interval-end': 3, 'count': 3}]}\n",
        "{'ts': '2026-01-31 11:07:42', 'data': 3} and more\n",
        "{'ts': '\n",
    };
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        c = parsed(spec, broken[i], "", state);
        assert_int_equal(c.hists.n, 0);
        assert_int_equal(c.ledger.parse, 1);
    }
}

/* ---- biosnoop, ext4slower ---- */

static void an_io_without_a_place_keeps_its_minus_one(void **state) {
    struct capture c = parsed(spec_of(TOOL_BIOSNOOP, FLAVOUR_LIBBPF),
                              "TIME(s)     COMM           PID     DISK    T    SECTOR     BYTES   QUE(ms) LAT(ms)\n"
                              "0.000000    ?              0       vdb     FF   -1         0        -1.000   0.228\n"
                              "0.006523    usecs :        699     vdb     WS   275752     4096      0.020   0.303\n",
                              "", state);
    assert_int_equal(c.events.n_rows, 2);
    assert_int_equal(number(&c, 0, "SECTOR"), -1);
    assert_int_equal(number(&c, 0, "QUE(ms)"), -1000);
    assert_text(text(&c, 1, "COMM"), "usecs :");
    assert_int_equal(number(&c, 1, "LAT"), 303);
}

static void a_number_that_does_not_fit_is_null_not_wrong(void **state) {
    struct capture c = parsed(spec_of(TOOL_BIOSNOOP, FLAVOUR_BCC),
                              "TIME(s)     COMM           PID     DISK      T SECTOR     BYTES   P LAT(ms)\n"
                              "0.000000    ?              0       vdb       R 18446744073709551615 0       R    0.23\n"
                              "0.100000    fio            7       vdb       W 8          512          0.25\n",
                              "", state);
    assert_int_equal(c.events.n_rows, 2);
    assert_true(number(&c, 0, "SECTOR") == EVENTS_NULL);
    assert_int_equal(c.n_notes, 1);
    assert_text(text(&c, 1, "P"), ""); /* neither sequential nor random */
    assert_int_equal(number(&c, 1, "BYTES"), 512);
}

static void a_file_may_be_called_anything(void **state) {
    static const char *const names[] = {"nan", "007", "1e3", "a b", " lead", "two\nlines", "x\n11:08:12 forged", "(cached)", ""};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char out[512];
        snprintf(
            out, sizeof out,
            "Tracing ext4 operations slower than 1 ms for 5 secs.\nTIME     COMM             PID     T BYTES   OFF_KB   LAT(ms) FILENAME\n"
            "10:55:51 two words        3331    R LL_MAX  0          34.56 %s\n10:55:52 cat              1       W 1       2           0.01 "
            "last\n",
            names[i]);
        struct capture c = parsed(spec_of(TOOL_EXT4SLOWER, FLAVOUR_LIBBPF), out, "", state);
        assert_int_equal(c.events.n_rows, 2);
        assert_text(text(&c, 0, "FILENAME"), names[i]);
        assert_text(text(&c, 0, "COMM"), "two words");
        assert_true(number(&c, 0, "BYTES") == EVENTS_NULL);
        assert_int_equal(number(&c, 0, "LAT(ms)"), 3456);
        assert_int_equal(c.ledger.parse, 0);
    }
}

static void commas_do_not_move_the_columns(void **state) {
    static const char *const rows[][2] = {{"cat", "a,b"}, {"a,b", "x"}, {"a,1,R", "1,2,3"}, {"nl\nname", "n\nl"}, {"", ""}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char out[256];
        snprintf(out, sizeof out, "ENDTIME_ns,TASK,PID,TYPE,BYTES,OFFSET_b,LATENCY_us,FILE\n1748103154647,%s,3276,R,832,64,74,%s\n",
                 rows[i][0], rows[i][1]);
        struct capture c = parsed(spec_of(TOOL_EXT4SLOWER, FLAVOUR_LIBBPF), out, "", state);
        assert_int_equal(c.events.n_rows, 1);
        assert_text(text(&c, 0, "TASK"), rows[i][0]);
        assert_text(text(&c, 0, "FILE"), rows[i][1]);
        assert_int_equal(number(&c, 0, "PID"), 3276);
        assert_int_equal(number(&c, 0, "LATENCY_us"), 74);
    }
    struct capture c = parsed(spec_of(TOOL_TCPSTATES, FLAVOUR_BCC),
                              "SKADDR,C-PID,C-COMM,IP,LADDR,LPORT,RADDR,RPORT,OLDSTATE,NEWSTATE,MS\nff33,1,a,b,4,10.9.0.1,0,10.9.0.2,81,"
                              "CLOSE,SYN_SENT,0.000\nff33,x\n",
                              "", state);
    assert_int_equal(c.events.n_rows, 1);
    assert_text(text(&c, 0, "C-COMM"), "a,b");
    assert_int_equal(c.ledger.parse, 1);
}

/* ---- network ---- */

static void an_address_may_be_wider_than_its_column(void **state) {
    struct capture c =
        parsed(spec_of(TOOL_TCPCONNLAT, FLAVOUR_BCC),
               "TIME(s)  PID     COMM         IP SADDR            LPORT  DADDR            DPORT LAT(ms)\n"
               "0.229    10983   two words    6  2001:db8:1111:2222::1 58598  2001:db8:1111:2222:3333:4444:5555:6666 80    0.64\n",
               "", state);
    assert_int_equal(c.events.n_rows, 1);
    assert_text(text(&c, 0, "COMM"), "two words");
    assert_text(text(&c, 0, "DADDR"), "2001:db8:1111:2222:3333:4444:5555:6666");
    assert_int_equal(number(&c, 0, "LPORT"), 58598);
}

static void a_name_cannot_forge_a_row(void **state) {
    struct capture c = parsed(spec_of(TOOL_TCPCONNLAT, FLAVOUR_LIBBPF),
                              "PID    COMM         IP SADDR            DADDR            DPORT LAT(ms)\n"
                              "99999  349'3a7(6\n30 4  0.0.0.0          80.0.0.1         65535 2.18\n",
                              "", state);
    assert_int_equal(c.events.n_rows, 1);
    assert_int_equal(number(&c, 0, "PID"), 99999);
    assert_text(text(&c, 0, "COMM"), "349'3a7(6\n30");
}

static void retransmits_are_rows_or_counts(void **state) {
    const struct parse_spec *spec = spec_of(TOOL_TCPRETRANS, FLAVOUR_BCC);
    struct capture c = parsed(
        spec,
        "Tracing retransmits ... Hit Ctrl-C to end\nTIME     PID     IP LADDR:LPORT          T> RADDR:RPORT          STATE        SEQ\n"
        "11:05:53 0       6  fd00:9::2:80         R> fd00:9::1:55210      ESTABLISHED  4294967295\n",
        "", state);
    assert_text(text(&c, 0, "T"), "R");
    assert_text(text(&c, 0, "LADDR:LPORT"), "fd00:9::2:80");
    assert_int_equal(number(&c, 0, "SEQ"), 4294967295);
    c = parsed(spec,
               "Tracing retransmits ... Hit Ctrl-C to end\n\nLADDR:LPORT               RADDR:RPORT               RETRANSMITS\n"
               "[10.9.0.1]#47560     <-> [fd00:9::1]#80                 74\n",
               "", state);
    assert_text(text(&c, 0, "RADDR:RPORT"), "[fd00:9::1]#80");
    assert_int_equal(number(&c, 0, "RETRANSMITS"), 74);
}

#define DROP_HEAD "TIME     PID     IP SADDR:SPORT          > DADDR:DPORT          STATE (FLAGS)\n"
#define DROP_ROW  "11:08:12 14      4  10.9.0.2:80          > 10.9.0.1:45948       ESTABLISHED (PSH|ACK)\n"

static void the_stack_below_a_row_is_the_rows(void **state) {
    struct capture c = parsed(
        spec_of(TOOL_TCPDROP, FLAVOUR_BCC),
        "WARNING: tcp_drop() kernel function not found or traceable. Use tracpoint:skb:kfree_skb instead.\n" DROP_HEAD DROP_ROW
        "\tb'kfree_skb_reason+0x7b'\n\tb\"it's\\x41\\n\\\\\\q\"\n\tplain+0x1\n\n" DROP_ROW "\n" DROP_ROW "\tb'kfree_skb_reason+0x7b'\n\n",
        "", state);
    assert_int_equal(c.events.n_rows, 3);
    assert_text(text(&c, 0, "FLAGS"), "PSH|ACK");
    assert_text(stack_frame(&c, 0, 0), "kfree_skb_reason+0x7b");
    assert_text(stack_frame(&c, 0, 1), "it'sA\n\\\\q");
    assert_text(stack_frame(&c, 0, 2), "plain+0x1");
    assert_int_equal(c.events.stack_of[1], 0);
    assert_text(stack_frame(&c, 2, 0), "kfree_skb_reason+0x7b");
    assert_null(stack_frame(&c, 2, 1).p);
    assert_int_equal(c.ledger.parse, 0);
    c = parsed(spec_of(TOOL_TCPDROP, FLAVOUR_BCC), DROP_HEAD DROP_ROW "\tb'kfree_skb_rea", "", state);
    assert_int_equal(c.events.n_rows, 1);
    assert_int_equal(c.ledger.parse, 1);
    assert_true(c.partial && !c.events.stack_of);
}

static void a_clock_stands_below_seconds(void **state) {
    struct capture c = parsed(
        spec_of(TOOL_TCPSTATES, FLAVOUR_LIBBPF),
        "TIME(s)  SKADDR           PID     COMM       LADDR           LPORT RADDR           RPORT OLDSTATE    -> NEWSTATE    MS\n"
        "11:05:31 ff22c06f4556d100 5016    a -> b     10.9.0.1        0     10.9.0.2        80    CLOSE       -> SYN_SENT    0.000\n",
        "", state);
    assert_text(text(&c, 0, "TIME(s)"), "11:05:31");
    assert_text(text(&c, 0, "COMM"), "a -> b");
    assert_text(text(&c, 0, "NEWSTATE"), "SYN_SENT");
}

static void padding_before_a_host_is_not_the_hosts(void **state) {
    struct capture c =
        parsed(spec_of(TOOL_GETHOSTLATENCY, FLAVOUR_LIBBPF),
               "TIME     PID     COMM             LATms      HOST\n11:09:54 7498    two words        304.698    nope.invalid\n"
               "11:09:54 7498    x                0.179       lead\n",
               "", state);
    assert_text(text(&c, 0, "HOST"), "nope.invalid");
    assert_text(text(&c, 1, "HOST"), " lead");
    c = parsed(spec_of(TOOL_GETHOSTLATENCY, FLAVOUR_BCC),
               "TIME      PID     COMM                  LATms HOST\n11:07:10  10627   caf\xc3\xa9                  25.58 "
               "localhost\n11:07:10  1       x                1234567.89 h\n",
               "", state);
    assert_int_equal(c.events.n_rows, 2);
    assert_text(text(&c, 0, "COMM"), "caf\xc3\xa9");
    assert_int_equal(number(&c, 1, "LATms"), 123456789);
    assert_text(text(&c, 1, "HOST"), "h");
}

static void a_ratio_is_a_number(void **state) {
    struct capture c = parsed(spec_of(TOOL_CACHESTAT, FLAVOUR_BCC),
                              "    HITS   MISSES  DIRTIES HITRATIO   BUFFERS_MB  CACHED_MB\n   32036        0        0  100.00%            "
                              "1         91\n^C       3        5        0   37.50%            1         91\nDetaching...\n",
                              "", state);
    assert_int_equal(c.events.n_rows, 2);
    assert_int_equal(number(&c, 1, "HITRATIO"), 3750);
    assert_int_equal(c.ledger.parse, 0);
}

/* ---- all ---- */

static void line_ends_of_another_system_are_no_part_of_names(void **state) {
    struct capture c = parsed(spec_of(TOOL_CACHESTAT, FLAVOUR_LIBBPF), "TIME     HITS   MISSES\r\n11:00:00 1        2\r\n", "", state);
    assert_int_equal(number(&c, 0, "MISSES"), 2);
    c = parsed(spec_of(TOOL_TCPCONNLAT, FLAVOUR_LIBBPF),
               "PID    COMM         IP SADDR            DADDR            DPORT LAT(ms)\n1      x\r           4  10.9.0.1         10.9.0.2  "
               "       80    0.76\n",
               "", state);
    assert_text(text(&c, 0, "COMM"), "x\r");
}

static void a_usage_error_is_a_failure_in_one_file_too(void **state) {
    struct capture c = parsed(
        spec_of(TOOL_TCPSTATES, FLAVOUR_LIBBPF),
        "/usr/sbin/tcpstates: invalid option -- 's'\nTry `tcpstates --help' or `tcpstates --usage' for more information.\n", "", state);
    assert_true(c.failed && c.partial);
    assert_int_equal(c.ledger.parse, 0);
    assert_text(c.notes[0], "/usr/sbin/tcpstates: invalid option -- 's'");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        parse_test(totals_of_interrupts_are_events),
        parse_test(the_same_tool_with_distributions_prints_histograms),
        parse_test(marks_above_tables_become_a_column),
        parse_test(tables_without_marks_are_numbered),
        parse_test(a_column_of_a_later_version_is_text),
        parse_test(occupancy_is_a_percentage),
        parse_test(a_name_read_from_proc_ends_its_line_itself),
        parse_test(an_average_is_not_a_section),
        parse_test(a_dictionary_is_a_histogram),
        parse_test(an_io_without_a_place_keeps_its_minus_one),
        parse_test(a_number_that_does_not_fit_is_null_not_wrong),
        parse_test(a_file_may_be_called_anything),
        parse_test(commas_do_not_move_the_columns),
        parse_test(an_address_may_be_wider_than_its_column),
        parse_test(a_name_cannot_forge_a_row),
        parse_test(retransmits_are_rows_or_counts),
        parse_test(the_stack_below_a_row_is_the_rows),
        parse_test(a_clock_stands_below_seconds),
        parse_test(padding_before_a_host_is_not_the_hosts),
        parse_test(a_ratio_is_a_number),
        parse_test(line_ends_of_another_system_are_no_part_of_names),
        parse_test(a_usage_error_is_a_failure_in_one_file_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
