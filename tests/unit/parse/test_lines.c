/* JSON lines, as bpftrace prints them. */
#include "tests/unit/parse/parsed.h"

#define ATTACHED "{\"type\": \"attached_probes\", \"data\": {\"probes\": 4}}\n"

static struct capture lines(enum tool_id tool, const char *out, void **state) { return parsed(spec_of(tool, FLAVOUR_BPFTRACE), out, "", state); }

static struct span cell(const struct capture *c, size_t row, const char *name) {
    size_t i = events_column(&c->events, span_str(name));
    assert_true(i < c->events.n_columns && row < c->events.n_rows);
    return c->events.strings.text[c->events.columns[i].text[row]];
}

static int64_t number(const struct capture *c, size_t row, const char *name) {
    size_t i = events_column(&c->events, span_str(name));
    assert_true(i < c->events.n_columns && row < c->events.n_rows);
    return c->events.columns[i].number[row];
}

static void a_tuple_is_an_event(void **state) {
    struct capture c = lines(TOOL_BIOSNOOP, ATTACHED "{\"type\": \"value\", \"data\": [1500000,\"two words\",7,254,0,\"WS\",174373496,4096,143]}\n", state);
    assert_int_equal(c.kind, RESULT_EVENTS);
    assert_int_equal(c.events.n_rows, 1);
    assert_text(cell(&c, 0, "COMM"), "two words");
    assert_text(cell(&c, 0, "DISK"), "254:0");
    assert_int_equal(number(&c, 0, "BYTES"), 4096);
    assert_int_equal(number(&c, 0, "LAT(ms)"), 143);
    assert_int_equal(c.events.columns[events_column(&c.events, SPAN_LIT("LAT(ms)"))].decimals, 3);
    assert_int_equal(c.ledger.parse, 0);
    assert_false(c.partial || c.failed);
}

/* bpftrace 0.17 prints a clock time without quotes, and an address and its port as two elements. */
static void a_time_without_quotes_is_a_time(void **state) {
    struct capture c =
        lines(TOOL_TCPRETRANS, "{\"type\": \"value\", \"data\": [09:52:40,3661,6,\"fd00:9::2\",80,\"R\",\"fd00:9::1\",55210,\"FIN_WAIT1\"]}\n"
                               "{\"type\": \"value\", \"data\": [\"09:52:41\",3661,4,\"10.9.0.2\",80,\"R\",\"10.9.0.1\",55210,\"\"]}\n", state);
    assert_int_equal(c.events.n_rows, 2);
    assert_text(cell(&c, 0, "TIME"), "09:52:40");
    assert_text(cell(&c, 0, "LADDR:LPORT"), "fd00:9::2:80");
    assert_text(cell(&c, 1, "TIME"), "09:52:41");
    assert_text(cell(&c, 1, "STATE"), "");
}

static void names_are_bytes_whatever_they_hold(void **state) {
    static const char *const names[][2] = {
        {"a\\\"b", "a\"b"}, {"a\\\\b", "a\\b"},           {"a\\nb", "a\nb"}, {"\\u001b[31m, ]}", "\x1b[31m, ]}"}, {"\\uffffffff\\uffffffc3x", "\xff\xc3x"},
        {"caf\xc3\xa9", "caf\xc3\xa9"}, {"\\u00e9\\u20ac", "\xc3\xa9\xe2\x82\xac"}, {"nan", "nan"},    {"", ""},
    };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char out[256];
        snprintf(out, sizeof out, "{\"type\": \"value\", \"data\": [1,\"%s\",7,254,0,\"R\",8,512,3]}\n", names[i][0]);
        struct capture c = lines(TOOL_BIOSNOOP, out, state);
        assert_int_equal(c.events.n_rows, 1);
        assert_text(cell(&c, 0, "COMM"), names[i][1]);
    }
}

static void a_line_that_is_not_whole_is_no_row(void **state) {
    static const char *const broken[] = {
        "{\"type\": \"value\", \"data\": [1,\"x\",7,254,0,\"R\",8,512]}\n",        "{\"type\": \"value\", \"data\": [1,\"x\",7,254,0,\"R\",8,512,3\n",
        "{\"type\": \"value\", \"data\": [1,\"x\",7,254,0,\"R\",8,512,3,4]}\n",    "{\"type\": \"value\", \"data\": [1,\"x,7,254,0,8,512,3]}\n",
        "{\"type\": \"value\", \"data\": [1,\"\\u12\",7,254,0,\"R\",8,512,3]}\n",  "{\"type\": \"value\", \"data\": [1,\"x\\",
        "{\"type\": \"value\", \"data\": [1,\"\\ud800\",7,254,0,\"R\",8,512,3]}\n", "{\"type\": \"value\"}\n",
        "{\"data\": [1,\"x\",7,254,0,\"R\",8,512,3]}\n",                           "{\"type\": \"value\", \"data\": [1,\"x\",seven,254,0,\"R\",8,512,3]}\n",
    };
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        struct capture c = lines(TOOL_BIOSNOOP, broken[i], state);
        assert_int_equal(c.events.n_rows, 0);
        assert_int_equal(c.ledger.parse, 1);
    }
}

static void a_last_line_without_its_end_is_no_row(void **state) {
    struct capture c = lines(TOOL_CACHESTAT, "{\"type\": \"value\", \"data\": [09:52:43,554]}\n{\"type\": \"value\", \"data\": [09:52:44,5]}", state);
    assert_int_equal(c.events.n_rows, 1);
    assert_true(c.partial);
}

static void lost_events_go_to_the_ledger(void **state) {
    struct capture c = lines(TOOL_CACHESTAT, "{\"type\": \"lost_events\", \"data\": {\"events\": 12}}\n{\"type\": \"lost_events\", \"data\": {\"events\": 30}}\n", state);
    assert_int_equal(c.ledger.kernel, 42);
    assert_true(c.partial);
}

static void the_stack_of_an_event_comes_last(void **state) {
    struct capture c = lines(TOOL_TCPDROP,
                             "{\"type\": \"value\", \"data\": [09:53:03,0,4,\"127.0.0.1\",1,\"127.0.0.1\",2,\"CLOSE\",\"FIN|ACK\",\"\\n        leaf+144\\n        root+87\\n\"]}\n"
                             "{\"type\": \"value\", \"data\": [09:53:03,0,4,\"127.0.0.1\",1,\"127.0.0.1\",2,\"\",\"\",\"\"]}\n",
                             state);
    assert_int_equal(c.events.n_rows, 2);
    assert_text(cell(&c, 0, "FLAGS"), "FIN|ACK");
    uint32_t leaf = c.events.stacks.rows[c.events.stack_of[0] - 1].leaf;
    assert_text(c.events.stacks.strings.text[c.events.stacks.nodes[leaf].frame], "leaf+144");
    assert_int_equal(c.events.stack_of[1], 0);
}

static void the_first_slot_is_that_of_other_tools(void **state) {
    struct capture c = lines(TOOL_TCPRTT,
                             "{\"type\": \"hist\", \"data\": {\"@usecs\": [{\"min\": 0, \"max\": 0, \"count\": 3}, {\"min\": 1, \"max\": 1, \"count\": 4}, "
                             "{\"min\": 2, \"max\": 3, \"count\": 0}, {\"min\": 4, \"max\": 7, \"count\": 5}]}}\n"
                             "{\"type\": \"hist\", \"data\": {\"@usecs\": [{\"min\": 1, \"max\": 1, \"count\": 4}]}}\n{\"type\": \"hist\", \"data\": {\"@usecs\": []}}\n",
                             state);
    assert_int_equal(c.kind, RESULT_HISTOGRAM);
    assert_int_equal(c.hists.n, 2);
    const struct hist *h = &c.hists.hists[0];
    assert_text(h->unit, "usecs");
    assert_int_equal(h->n_slots, 3);
    assert_true(h->slots[0].low == 0 && h->slots[0].high == 1 && h->slots[0].count == 7);
    assert_int_equal(hist_total(h), 12);
    assert_true(c.hists.hists[1].slots[0].low == 0);
}

static void keys_are_sections_and_times_are_marks(void **state) {
    struct capture c = lines(TOOL_BITESIZE,
                             "{\"type\": \"time\", \"data\": \"10:00:01\\n\"}\n"
                             "{\"type\": \"hist\", \"data\": {\"@Kbytes\": {\"a, \\\"b\": [{\"min\": 4, \"max\": 7, \"count\": 1}], \"dd\": [{\"min\": 4, \"max\": 7, \"count\": 2}]}}}\n",
                             state);
    assert_int_equal(c.hists.n, 2);
    assert_text(c.hists.hists[0].section[0].key, "Process Name");
    assert_text(c.hists.hists[0].section[0].value, "a, \"b");
    assert_text(c.hists.hists[1].interval, "10:00:01");
}

static void slots_that_overlap_are_no_histogram(void **state) {
    struct capture c = lines(TOOL_TCPRTT, "{\"type\": \"hist\", \"data\": {\"@usecs\": [{\"min\": 4, \"max\": 7, \"count\": 3}, {\"min\": 2, \"max\": 3, \"count\": 4}]}}\n"
                                          "{\"type\": \"hist\", \"data\": {\"@usecs\": [{\"max\": -1, \"count\": 4}]}}\n", state);
    assert_int_equal(c.hists.n, 0);
    assert_int_equal(c.ledger.parse, 2);
}

static void linear_slots_without_a_count_are_left_out(void **state) {
    struct capture c = lines(TOOL_RUNQLEN, "{\"type\": \"hist\", \"data\": {\"@runqlen\": [{\"min\": 0, \"max\": 0, \"count\": 9}, {\"min\": 1, \"max\": 1, \"count\": 0}, "
                                           "{\"min\": 3, \"max\": 3, \"count\": 2}]}}\n", state);
    assert_int_equal(c.hists.n, 1);
    assert_int_equal(c.hists.hists[0].scale, HIST_LINEAR);
    assert_int_equal(c.hists.hists[0].n_slots, 2);
    assert_int_equal(c.hists.hists[0].slots[1].low, 3);
}

static void samples_have_the_name_of_their_process(void **state) {
    struct capture c = lines(TOOL_PROFILE,
                             "{\"type\": \"map\", \"data\": {\"@comm\": {\"7\": \"a,b\", \"8\": \"x\"}}}\n"
                             "{\"type\": \"map\", \"data\": {\"@samples\": {\"7,\\n    leaf+1\\n    sys+2\\n,\\n    f(int, int)+3\\n    main+4\\n\": 5, \"8,,\\n    0x7f2a12ed0af0\\n\": 2, \"9,,\": 1}}}\n",
                             state);
    assert_int_equal(c.kind, RESULT_STACKS);
    assert_int_equal(stacks_total(&c.stacks), 8);
    assert_int_equal(c.stacks.n_rows, 3);
    const struct stack_row *row = &c.stacks.rows[0];
    uint32_t nodes[8];
    assert_int_equal(row->pid, 7);
    assert_text(c.stacks.strings.text[row->comm], "a,b");
    assert_int_equal(stacks_frames(&c.stacks, row->leaf, nodes, 8), 4);
    assert_text(c.stacks.strings.text[c.stacks.nodes[nodes[0]].frame], "main");
    assert_text(c.stacks.strings.text[c.stacks.nodes[nodes[1]].frame], "f(int, int)");
    assert_int_equal(c.stacks.nodes[nodes[1]].kind, FRAME_USER);
    assert_text(c.stacks.strings.text[c.stacks.nodes[nodes[3]].frame], "leaf");
    assert_int_equal(c.stacks.nodes[nodes[3]].kind, FRAME_KERNEL);
    assert_int_equal(stacks_frames(&c.stacks, c.stacks.rows[1].leaf, nodes, 8), 1);
    assert_text(c.stacks.strings.text[c.stacks.nodes[nodes[0]].frame], "[unknown]");
}

static void what_bpftrace_refuses_is_a_failure(void **state) {
    struct capture c = parsed(spec_of(TOOL_CACHESTAT, FLAVOUR_BPFTRACE), "",
                              "ERROR: Unknown error -1: couldn't set RLIMIT_MEMLOCK for bpftrace. If your program is not loading, you can try \"ulimit -l 8192\" to fix the problem\n"
                              "/proc/self/fd/5:6:76-87: ERROR: Struct/union of type 'struct x' does not contain a field named 'order'\n", state);
    assert_true(c.failed);
    assert_text(c.notes[0], "/proc/self/fd/5:6:76-87: ERROR: Struct/union of type 'struct x' does not contain a field named 'order'");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        parse_test(a_tuple_is_an_event),
        parse_test(a_time_without_quotes_is_a_time),
        parse_test(names_are_bytes_whatever_they_hold),
        parse_test(a_line_that_is_not_whole_is_no_row),
        parse_test(a_last_line_without_its_end_is_no_row),
        parse_test(lost_events_go_to_the_ledger),
        parse_test(the_stack_of_an_event_comes_last),
        parse_test(the_first_slot_is_that_of_other_tools),
        parse_test(keys_are_sections_and_times_are_marks),
        parse_test(slots_that_overlap_are_no_histogram),
        parse_test(linear_slots_without_a_count_are_left_out),
        parse_test(samples_have_the_name_of_their_process),
        parse_test(what_bpftrace_refuses_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
