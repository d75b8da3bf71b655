#include "tests/unit/json/read.h"

#include "common/json/json.h"
#include "tests/support/fault.h"

static json_t *written(const struct capture *c) {
    struct buf text;
    buf_init(&text, 0);
    assert_int_equal(json_capture(c, &text), ERR_OK);
    json_t *doc = read_document(&text);
    buf_done(&text);
    return doc;
}

static void assert_text(const struct capture *c, const char *want) {
    struct buf text;
    buf_init(&text, 0);
    assert_int_equal(json_capture(c, &text), ERR_OK);
    assert_string_equal(buf_str(&text), want);
    buf_done(&text);
}

static void a_histogram_is_written_to_the_letter(void **state) {
    (void)state;
    struct hist_slot slots[] = {{0, 1, 0}, {2, 3, 5}, {4, HIST_OPEN, 5}};
    struct hist hists[] = {{.unit = SPAN_LIT("usecs"),
                            .section = {{SPAN_LIT("disk"), SPAN_LIT("vda")}, {SPAN_LIT("flags"), SPAN_LIT("Read")}},
                            .n_section = 2,
                            .interval = SPAN_LIT("11:07:42"),
                            .slots = slots,
                            .n_slots = 3},
                           {.unit = SPAN_LIT(""), .scale = HIST_LINEAR, .interval = SPAN_LIT("")}};
    struct span note = SPAN_LIT("2 lines were not understood");
    struct capture c = {.tool = SPAN_LIT("biolatency"),
                        .flavour = SPAN_LIT("bcc"),
                        .kind = RESULT_HISTOGRAM,
                        .partial = true,
                        .ledger = {1, 2, 3, 4, 5, 6},
                        .notes = &note,
                        .n_notes = 1,
                        .leftover = SPAN_LIT("what\n"),
                        .hists = {hists, 2}};
    assert_text(&c, "{\"tool\":\"biolatency\",\"flavour\":\"bcc\",\"kind\":\"histogram\",\"partial\":true,"
                    "\"ledger\":{\"kernel\":1,\"tool\":2,\"cap\":3,\"parse\":4,\"spool\":5,\"shed\":6},"
                    "\"notes\":[\"2 lines were not understood\"],\"leftover\":\"what\\n\",\"histograms\":["
                    "{\"unit\":\"usecs\",\"scale\":\"log2\",\"section\":{\"disk\":\"vda\",\"flags\":\"Read\"},\"interval\":\"11:07:42\","
                    "\"buckets\":[{\"low\":0,\"high\":1,\"count\":0},{\"low\":2,\"high\":3,\"count\":5},{\"low\":4,\"high\":null,\"count\":5}],"
                    "\"total\":10,\"p50\":2.5,\"p90\":4.0,\"p99\":4.0,\"p999\":4.0,"
                    "\"brackets\":{\"p50\":[2,3],\"p90\":[4,null],\"p99\":[4,null],\"p999\":[4,null]}},"
                    "{\"unit\":\"\",\"scale\":\"linear\",\"section\":{},\"interval\":null,\"buckets\":[],\"total\":0,"
                    "\"p50\":null,\"p90\":null,\"p99\":null,\"p999\":null,"
                    "\"brackets\":{\"p50\":null,\"p90\":null,\"p99\":null,\"p999\":null}}]}\n");
}

enum { TIME, PID, COMM, IP, PORT, LAT, COLUMNS };

static struct events table(struct arena *mem) {
    static const struct column columns[COLUMNS] = {
        [TIME] = {.name = SPAN_LIT("TIME(s)"), .unit = SPAN_LIT("s"), .type = COLUMN_TIME},
        [PID] = {.name = SPAN_LIT("PID"), .type = COLUMN_INT},
        [COMM] = {.name = SPAN_LIT("COMM"), .type = COLUMN_TEXT},
        [IP] = {.name = SPAN_LIT("IP"), .type = COLUMN_ADDRESS},
        [PORT] = {.name = SPAN_LIT("DPORT"), .type = COLUMN_PORT},
        [LAT] = {.name = SPAN_LIT("LAT(ms)"), .unit = SPAN_LIT("ms"), .type = COLUMN_DECIMAL, .decimals = 2},
    };
    struct events e;
    assert_int_equal(events_init(&e, columns, COLUMNS, mem), ERR_OK);
    return e;
}

static size_t put(struct events *e, struct arena *mem, const char *comm, int64_t lat) {
    size_t row = 0;
    assert_int_equal(events_row(e, mem, &row), ERR_OK);
    assert_int_equal(strings_add(&e->strings, SPAN_LIT("0.1"), &e->columns[TIME].text[row]), ERR_OK);
    assert_int_equal(strings_add(&e->strings, span_str(comm), &e->columns[COMM].text[row]), ERR_OK);
    assert_int_equal(strings_add(&e->strings, SPAN_LIT("10.0.0.1"), &e->columns[IP].text[row]), ERR_OK);
    e->columns[PID].number[row] = 5234;
    e->columns[PORT].number[row] = 443;
    e->columns[LAT].number[row] = lat;
    return row;
}

static void events_are_written_to_the_letter(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct capture c = {.tool = SPAN_LIT("tcpconnlat"), .flavour = SPAN_LIT("libbpf"), .kind = RESULT_EVENTS, .events = table(mem)};
    put(&c.events, mem, "curl", 152);
    put(&c.events, mem, "nan", EVENTS_NULL); /* text stays text */
    assert_text(&c, "{\"tool\":\"tcpconnlat\",\"flavour\":\"libbpf\",\"kind\":\"events\",\"partial\":false,"
                    "\"ledger\":{\"kernel\":0,\"tool\":0,\"cap\":0,\"parse\":0,\"spool\":0,\"shed\":0},\"notes\":[],"
                    "\"columns\":[{\"name\":\"TIME(s)\",\"type\":\"time\",\"unit\":\"s\"},{\"name\":\"PID\",\"type\":\"integer\",\"unit\":\"\"},"
                    "{\"name\":\"COMM\",\"type\":\"text\",\"unit\":\"\"},{\"name\":\"IP\",\"type\":\"address\",\"unit\":\"\"},"
                    "{\"name\":\"DPORT\",\"type\":\"port\",\"unit\":\"\"},{\"name\":\"LAT(ms)\",\"type\":\"decimal\",\"unit\":\"ms\"}],"
                    "\"count\":2,\"events\":["
                    "{\"TIME(s)\":\"0.1\",\"PID\":5234,\"COMM\":\"curl\",\"IP\":\"10.0.0.1\",\"DPORT\":443,\"LAT(ms)\":1.52},"
                    "{\"TIME(s)\":\"0.1\",\"PID\":5234,\"COMM\":\"nan\",\"IP\":\"10.0.0.1\",\"DPORT\":443,\"LAT(ms)\":null}]}\n");
}

static void a_stack_under_a_row_is_leaf_first(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct capture c = {.kind = RESULT_EVENTS, .events = table(mem)};
    uint32_t leaf = 0, stack = 0;
    put(&c.events, mem, "without", 1);
    assert_int_equal(events_stacks(&c.events, SPAN_LIT(""), mem), ERR_OK);
    assert_int_equal(stacks_node(&c.events.stacks, STACKS_ROOT, SPAN_LIT("ip_rcv"), FRAME_KERNEL, &leaf), ERR_OK);
    assert_int_equal(stacks_node(&c.events.stacks, leaf, SPAN_LIT("tcp_drop"), FRAME_KERNEL, &leaf), ERR_OK);
    assert_int_equal(stacks_row(&c.events.stacks, leaf, SPAN_NONE, STACKS_NO_PID, &stack), ERR_OK);
    c.events.stack_of[put(&c.events, mem, "with", 1)] = stack + 1;
    json_t *doc = written(&c);
    read_is(doc, "events.1.stack", "[\"tcp_drop\",\"ip_rcv\"]");
    read_keys(json_array_get(json_object_get(doc, "events"), 0), "TIME(s) PID COMM IP DPORT LAT(ms)");
    json_decref(doc);
}

static void decimals_come_back_as_they_were_printed(void **state) {
    (void)state;
    static const struct {
        int64_t mantissa;
        unsigned decimals;
        const char *want;
    } cases[] = {
        {152, 2, "1.52"},     {150, 2, "1.5"},         {100, 2, "1.0"},        {1, 3, "0.001"},          {-5, 1, "-0.5"},
        {0, 2, "0.0"},        {123456789012345, 3, "123456789012.345"},        {999999999999999, 9, "999999.999999999"},
        {7, 0, "7"},          {INT64_MAX, 0, "9223372036854775807"},           {INT64_MIN + 1, 0, "-9223372036854775807"},
        {3333, 4, "0.3333"},  {11, 1, "1.1"},          {435, 2, "4.35"},       {1005, 3, "1.005"},       {820, 2, "8.2"},
    };
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct capture c = {.kind = RESULT_EVENTS, .events = table(mem)};
        c.events.columns[LAT].decimals = cases[i].decimals;
        put(&c.events, mem, "x", cases[i].mantissa);
        json_t *doc = written(&c);
        read_is(doc, "events.0.LAT(ms)", cases[i].want);
        json_decref(doc);
    }
}

static void every_decimal_of_fifteen_digits_is_exact(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(64 << 20);
    struct capture c = {.kind = RESULT_EVENTS, .events = table(mem)};
    struct buf text;
    uint64_t x = 6;
    buf_init(&text, 0);
    c.events.columns[LAT].decimals = 6;
    for (size_t i = 0; i < 10000; i++) {
        x = x * 6364136223846793005ULL + 1442695040888963407ULL;
        put(&c.events, mem, "x", (int64_t)(x % 1000000000000000ULL));
    }
    assert_int_equal(json_capture(&c, &text), ERR_OK);
    struct span rest = buf_span(&text), key = SPAN_LIT("\"LAT(ms)\":");
    rest = span_drop(rest, span_find_span(rest, SPAN_LIT("\"events\":")));
    for (size_t i = 0; i < c.events.n_rows; i++) {
        int64_t mantissa = 0;
        unsigned decimals = 0;
        rest = span_drop(rest, span_find_span(rest, key) + key.n);
        assert_true(span_decimal(span_head(rest, span_find(rest, '}')), &mantissa, &decimals));
        for (; decimals < 6; decimals++) mantissa *= 10;
        assert_int_equal(mantissa, c.events.columns[LAT].number[i]);
    }
    buf_done(&text);
}

static void keys_that_meet_are_numbered(void **state) {
    (void)state;
    static const struct column columns[] = {
        {.name = SPAN_LIT("PID"), .type = COLUMN_INT},  {.name = SPAN_LIT("PID"), .type = COLUMN_INT},
        {.name = SPAN_LIT("host"), .type = COLUMN_INT}, {.name = SPAN_LIT("stack"), .type = COLUMN_INT},
        {.name = SPAN_LIT("PID"), .type = COLUMN_INT},  {.name = SPAN_LIT("PID_2"), .type = COLUMN_INT},
    };
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct capture c = {.kind = RESULT_EVENTS};
    size_t row = 0;
    assert_int_equal(events_init(&c.events, columns, COUNT_OF(columns), mem), ERR_OK);
    assert_int_equal(events_row(&c.events, mem, &row), ERR_OK);
    for (size_t i = 0; i < COUNT_OF(columns); i++) c.events.columns[i].number[row] = (int64_t)i;
    json_t *doc = written(&c);
    read_is(doc, "events.0", "{\"PID\":0,\"PID_2\":1,\"host_2\":2,\"stack_2\":3,\"PID_3\":4,\"PID_2_2\":5}");
    read_is(doc, "columns.4.name", "\"PID_3\"");
    json_decref(doc);
}

static void stacks_are_root_first_with_process_and_pid(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct capture c = {.tool = SPAN_LIT("offcputime"), .kind = RESULT_STACKS};
    uint32_t leaf = 0;
    assert_int_equal(stacks_init(&c.stacks, SPAN_LIT("usecs"), mem), ERR_OK);
    assert_int_equal(stacks_node(&c.stacks, STACKS_ROOT, SPAN_LIT("main"), FRAME_USER, &leaf), ERR_OK);
    assert_int_equal(stacks_node(&c.stacks, leaf, SPAN_LIT("schedule"), FRAME_KERNEL, &leaf), ERR_OK);
    assert_int_equal(stacks_add(&c.stacks, leaf, SPAN_LIT("bash"), 812, 5), ERR_OK);
    assert_int_equal(stacks_add(&c.stacks, STACKS_ROOT, SPAN_NONE, STACKS_NO_PID, UINT64_MAX), ERR_OK);
    assert_int_equal(stacks_add(&c.stacks, STACKS_ROOT, SPAN_LIT("swapper"), 0, 1), ERR_OK);
    json_t *doc = written(&c);
    read_keys(doc, "tool flavour kind partial ledger notes unit total stacks");
    read_is(doc, "flavour", "null");
    read_is(doc, "total", "9223372036854775807"); /* saturated */
    read_is(doc, "stacks", "[{\"frames\":[\"main\",\"schedule\"],\"count\":5,\"comm\":\"bash\",\"pid\":812},"
                           "{\"frames\":[],\"count\":9223372036854775807,\"comm\":\"\",\"pid\":null},"
                           "{\"frames\":[],\"count\":1,\"comm\":\"swapper\",\"pid\":0}]");
    json_decref(doc);
}

static void a_failed_capture_is_an_object_of_its_tools_kind(void **state) {
    (void)state;
    struct span note = SPAN_LIT("bpf: Operation not permitted");
    static const struct {
        const char *tool, *kind, *keys;
    } cases[] = {
        {"runqlat", "\"histogram\"", "tool flavour kind partial ledger notes histograms"},
        {"execsnoop", "\"events\"", "tool flavour kind partial ledger notes columns count events"},
        {"offcputime", "\"stacks\"", "tool flavour kind partial ledger notes unit total stacks"},
        {"nosuchtool", "\"none\"", "tool flavour kind partial ledger notes"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct capture c = {.tool = span_str(cases[i].tool), .failed = true, .notes = &note, .n_notes = 1};
        json_t *doc = written(&c);
        read_keys(doc, cases[i].keys);
        read_is(doc, "kind", cases[i].kind);
        read_is(doc, "partial", "true");
        read_is(doc, "notes.0", "\"bpf: Operation not permitted\"");
        json_decref(doc);
    }
}

static void hostile_text_becomes_valid_json(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    static const char bad[] = "\xff\x1b[2J\"\\\x00\xed\xa0\x80\n";
    struct column column = {.name = span_of(bad, sizeof bad - 1), .type = COLUMN_TEXT};
    struct span note = column.name;
    struct capture c = {.tool = note, .flavour = note, .kind = RESULT_EVENTS, .notes = &note, .n_notes = 1, .leftover = note};
    size_t row = 0;
    assert_int_equal(events_init(&c.events, &column, 1, mem), ERR_OK);
    assert_int_equal(events_row(&c.events, mem, &row), ERR_OK);
    assert_int_equal(strings_add(&c.events.strings, note, &c.events.columns[0].text[row]), ERR_OK);
    struct buf text;
    buf_init(&text, 0);
    assert_int_equal(json_capture(&c, &text), ERR_OK);
    const char want[] = "\"events\":[{\"\xef\xbf\xbd\\u001B[2J\\\"\\\\\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\\n\":"
                        "\"\xef\xbf\xbd\\u001B[2J\\\"\\\\\\u0000\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\\n\"}]}\n";
    if (!span_ends(buf_span(&text), span_str(want))) fail_msg("%s", buf_str(&text));
    json_decref(read_document(&text)); /* a NUL in a key is one that many readers refuse */
    buf_done(&text);
}

static void a_full_buffer_is_left_as_it_was(void **state) {
    (void)state;
    struct hist_slot slots[] = {{0, 1, 3}};
    struct hist h = {.unit = SPAN_LIT("usecs"), .slots = slots, .n_slots = 1};
    struct capture c = {.tool = SPAN_LIT("runqlat"), .kind = RESULT_HISTOGRAM, .hists = {&h, 1}};
    size_t cap = 4;
    for (enum err e = ERR_LIMIT; e; cap++) {
        struct buf text;
        buf_init(&text, cap);
        buf_add_str(&text, "been");
        e = json_capture(&c, &text);
        assert_true(e == ERR_OK || e == ERR_LIMIT);
        assert_true(e == ERR_OK || span_eq_str(buf_span(&text), "been"));
        if (!e) assert_int_equal(text.n, cap);
        buf_done(&text);
    }
    assert_true(cap > 200);
}

static void each_failing_allocation_is_said_and_nothing_is_leaked(void **state) {
    (void)state;
    json_set_alloc_funcs(read_malloc, free);
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct hist_slot slots[] = {{0, 1, 3}};
    struct hist h = {.unit = SPAN_LIT("usecs"), .section = {{SPAN_LIT("disk"), SPAN_LIT("vda")}}, .n_section = 1, .slots = slots, .n_slots = 1};
    struct capture all[3] = {{.kind = RESULT_HISTOGRAM, .hists = {&h, 1}}, {.kind = RESULT_EVENTS, .events = table(mem)}, {.kind = RESULT_STACKS}};
    put(&all[1].events, mem, "curl", 152);
    uint32_t leaf = 0;
    assert_int_equal(stacks_init(&all[2].stacks, SPAN_LIT("usecs"), mem), ERR_OK);
    assert_int_equal(stacks_node(&all[2].stacks, STACKS_ROOT, SPAN_LIT("main"), FRAME_USER, &leaf), ERR_OK);
    assert_int_equal(stacks_add(&all[2].stacks, leaf, SPAN_LIT("bash"), 812, 5), ERR_OK);
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        size_t rounds = 0;
        FOR_EACH_FAULT(n) {
            struct buf text;
            buf_init(&text, 0);
            enum err e = json_capture(&all[i], &text);
            assert_int_equal(e, fault_hit() ? ERR_NOMEM : ERR_OK);
            fault_off();
            rounds++;
            assert_int_equal(text.n > 0, e == ERR_OK);
            buf_done(&text);
        }
        assert_true(rounds > 30);
    }
    json_set_alloc_funcs(malloc, free);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_histogram_is_written_to_the_letter),
        cmocka_unit_test(events_are_written_to_the_letter),
        cmocka_unit_test(a_stack_under_a_row_is_leaf_first),
        cmocka_unit_test(decimals_come_back_as_they_were_printed),
        cmocka_unit_test(every_decimal_of_fifteen_digits_is_exact),
        cmocka_unit_test(keys_that_meet_are_numbered),
        cmocka_unit_test(stacks_are_root_first_with_process_and_pid),
        cmocka_unit_test(a_failed_capture_is_an_object_of_its_tools_kind),
        cmocka_unit_test(hostile_text_becomes_valid_json),
        cmocka_unit_test(a_full_buffer_is_left_as_it_was),
        cmocka_unit_test(each_failing_allocation_is_said_and_nothing_is_leaked),
    };
    return cmocka_run_group_tests_name("json_capture", tests, NULL, NULL);
}
