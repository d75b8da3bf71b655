#include "tests/unit/json/read.h"

#include "common/json/json_answer.h"
#include "tests/support/fault.h"

typedef enum err answer_fn(const struct answer *a, struct buf *out);

static json_t *written(answer_fn *write, const struct answer *a) {
    struct buf text;
    buf_init(&text, 0);
    assert_int_equal(write(a, &text), ERR_OK);
    json_t *doc = read_document(&text);
    buf_done(&text);
    return doc;
}

static struct applied applied = {.seconds = 10,
                                 .stdout_bytes = 4096,
                                 .expires_wall_ms = 1500000060000ULL,
                                 .round = 2,
                                 .rounds = 4,
                                 .every_s = 60,
                                 .pressure_permille = 600};
static struct outcome partial = {.coverage = COVERAGE_PARTIAL,
                                 .reason = SPAN_LIT("the print-out was cut"),
                                 .kind = RESULT_HISTOGRAM,
                                 .flavour = SPAN_LIT("bcc"),
                                 .started_wall_ns = 1500000000ULL * 1000000000ULL,
                                 .wall_ns = 10250000000ULL,
                                 .cpu_ns = 1000000,
                                 .peak_rss_bytes = 4096,
                                 .ceilings = {.memory = CEILING_RLIMIT, .memory_bytes = 8192},
                                 .parts = 2,
                                 .applied = &applied,
                                 .pressure_permille = 15};
static struct target_info targets[] = {
    {.host = SPAN_LIT("web-3"), .coverage = COVERAGE_PARTIAL, .reason = SPAN_LIT("the print-out was cut"), .outcome = &partial},
    {.host = SPAN_LIT("web-4"), .coverage = COVERAGE_OFFLINE, .reason = SPAN_LIT("not seen since 11:07")},
};
static struct spec_param params[] = {{.name = SPAN_LIT("pid"), .number = 812}, {.name = SPAN_LIT("disk"), .text = SPAN_LIT("vda")}};

static struct share waves[] = {{.count = 1}, {.permille = 125}};

static struct answer of(const char *tool) {
    struct answer a = {.info = {.id = SPAN_LIT("00ff"),
                                .operator_name = SPAN_LIT("ann"),
                                .spec = {.tool = span_str(tool),
                                         .params = params,
                                         .n_params = 2,
                                         .duration_s = 10,
                                         .selector = SPAN_LIT("role=web"),
                                         .expires_wall_ms = 1500000060000ULL,
                                         .seed = 42,
                                         .waves = waves,
                                         .n_waves = 2,
                                         .domain = SPAN_LIT("zone"),
                                         .domain_hosts = 5,
                                         .stop = {.failures = {.permille = 50}, .cpu_permille = 205}},
                                .wave = 1,
                                .waves = 2,
                                .held = 3,
                                .first_start_wall_ns = 1500000000000000000ULL,
                                .last_start_wall_ns = 1500000000500000000ULL,
                                .state = SPAN_LIT("running"),
                                .created_wall_ns = 1500000000ULL * 1000000000ULL,
                                .coverage = {[COVERAGE_RUNNING] = 1, [COVERAGE_OK] = 2, [COVERAGE_PARTIAL] = 1, [COVERAGE_OFFLINE] = 1},
                                .targeted = 5,
                                .ledger = {.cap = 7},
                                .replayed = true},
                       .targets = targets,
                       .n_targets = 2};
    return a;
}

static void every_answer_says_who_was_asked_and_who_is_missing(void **state) {
    (void)state;
    answer_fn *const all[] = {json_answer_hist, json_answer_top, json_answer_stacks, json_answer_events};
    static const char *const kinds[] = {"\"histogram\"", "\"top\"", "\"stacks\"", "\"events\""};
    struct span note = SPAN_LIT("1 histogram of web-9 was refused");
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        struct answer a = of("runqlat");
        a.notes = &note;
        a.n_notes = 1;
        json_t *doc = written(all[i], &a);
        read_is(doc, "campaign",
                "{\"id\":\"00ff\",\"operator\":\"ann\",\"tool\":\"runqlat\",\"flavour\":null,\"params\":{\"pid\":812,\"disk\":\"vda\"},"
                "\"seconds\":10,\"selector\":\"role=web\",\"state\":\"running\",\"why\":null,"
                "\"created\":\"2017-07-14T02:40:00Z\",\"ended\":null,\"expires\":\"2017-07-14T02:41:00Z\",\"course\":{"
                "\"limit\":null,\"seed\":\"42\",\"waves\":[1,\"12.5%\"],\"wave\":1,\"held\":3,\"rate_per_second\":null,"
                "\"concurrency\":null,\"concurrency_per\":{\"label\":\"zone\",\"hosts\":5},\"start\":null,"
                "\"start_skew_seconds\":0.5,\"rounds\":1,\"every_seconds\":null,\"stop\":{\"failures\":\"5%\","
                "\"refusals\":null,\"cpu_percent\":20.5,\"deaths\":null,\"pressure_percent\":null},\"retry_of\":null},\"fired\":null}");
        read_is(doc, "coverage",
                "{\"targeted\":5,\"ok\":2,\"partial\":1,\"refused\":0,\"incapable\":0,\"failed\":0,\"timeout\":0,\"offline\":1,"
                "\"cancelled\":0,\"pending\":0,\"running\":1}");
        read_is(doc, "ledger", "{\"kernel\":0,\"tool\":0,\"cap\":7,\"parse\":0,\"spool\":0,\"shed\":0}");
        read_is(doc, "kind", kinds[i]);
        read_is(doc, "replayed", "true");
        read_is(doc, "notes", "[\"1 histogram of web-9 was refused\"]");
        read_is(doc, "targets.1", "{\"host\":\"web-4\",\"state\":\"offline\",\"reason\":\"not seen since 11:07\",\"outcome\":null}");
        read_is(doc, "targets.0.reason", "\"the print-out was cut\"");
        read_is(doc, "targets.0.outcome",
                "{\"kind\":\"histogram\",\"flavour\":\"bcc\",\"flavour_why\":null,\"started\":\"2017-07-14T02:40:00Z\",\"seconds\":10.25,\"cpu_seconds\":0.001,"
                "\"peak_rss_bytes\":4096,"
                "\"ceilings\":{\"memory\":\"rlimit\",\"memory_bytes\":8192,\"cpu\":\"none\",\"cpu_percent\":null},\"replayed\":false,\"parts\":2,"
                "\"ledger\":{\"kernel\":0,\"tool\":0,\"cap\":0,\"parse\":0,\"spool\":0,\"shed\":0},\"notes\":[],"
                "\"redacted\":null,\"redacted_texts\":0,\"applied\":{\"seconds\":10,\"params\":{},\"stdout_bytes\":4096,\"start\":null,\"expires\":\"2017-07-14T02:41:00Z\","
                "\"round\":3,\"rounds\":4,\"every_seconds\":60,\"pressure_percent\":60.0},\"pressure_percent\":1.5,\"agent_died\":false}");
        json_decref(doc);
    }
}

static void coverage_that_does_not_add_up_is_noted(void **state) {
    (void)state;
    struct answer a = of("runqlat");
    a.info.targeted = 6;
    json_t *doc = written(json_answer_hist, &a);
    read_is(doc, "coverage.targeted", "6");
    read_is(doc, "notes", "[\"the coverage does not add up to the targeted hosts\"]");
    json_decref(doc);
}

static void histograms_come_merged_with_the_hosts_worst_first(void **state) {
    (void)state;
    struct hist_slot fast[] = {{2, 3, 10}}, slow[] = {{1024, 2047, 10}}, sum[] = {{2, 3, 10}, {1024, 2047, 10}};
    struct hist hf = {.unit = SPAN_LIT("usecs"), .slots = fast, .n_slots = 1}, hs = hf, hm = hf;
    hs.slots = slow;
    hm.slots = sum;
    hm.n_slots = 2;
    struct host_hist hosts[] = {{SPAN_LIT("web-1"), {&hf, 1}}, {SPAN_LIT("web-0"), {NULL, 0}}, {SPAN_LIT("web-2"), {&hs, 1}}};
    struct answer a = of("runqlat");
    a.merged = (struct hist_set){&hm, 1};
    a.host_hists = hosts;
    a.n_host_hists = 3;
    json_t *doc = written(json_answer_hist, &a);
    read_keys(doc, "campaign coverage with_result ledger kind replayed notes targets measured histograms hosts");
    read_keys(json_array_get(json_object_get(doc, "histograms"), 0),
              "unit scale section interval buckets total p50 p90 p99 p999 brackets verdict");
    read_is(doc, "histograms.0.total", "20");
    read_is(doc, "histograms.0.p99", "1535.5");
    read_is(doc, "histograms.0.verdict", "\"critical\"");
    read_is(doc, "hosts.0",
            "{\"host\":\"web-2\",\"total\":10,\"p50\":1535.5,\"p90\":1535.5,\"p99\":1535.5,\"p999\":1535.5,\"verdict\":\"critical\","
            "\"brackets\":{\"p50\":[1024,2047],\"p90\":[1024,2047],\"p99\":[1024,2047],\"p999\":[1024,2047]},\"unit\":\"usecs\",\"left_"
            "out\":0}");
    read_is(doc, "hosts.1.host", "\"web-1\"");
    read_is(doc, "hosts.1.verdict", "\"good\"");
    read_is(doc, "hosts.2.host", "\"web-0\"");
    read_is(doc, "hosts.2.p99", "null");
    read_is(doc, "hosts.2.verdict", "null");
    json_decref(doc);
}

static void an_unknown_tool_has_no_verdict(void **state) {
    (void)state;
    struct hist_slot slots[] = {{2, 3, 10}};
    struct hist h = {.unit = SPAN_LIT("usecs"), .slots = slots, .n_slots = 1};
    struct host_hist host = {SPAN_LIT("web-1"), {&h, 1}};
    struct answer a = of("nosuchtool");
    a.merged = (struct hist_set){&h, 1};
    a.host_hists = &host;
    a.n_host_hists = 1;
    json_t *doc = written(json_answer_hist, &a);
    read_is(doc, "histograms.0.verdict", "null");
    read_is(doc, "hosts.0.verdict", "null");
    json_decref(doc);
}

static void a_top_gives_numbers_only_of_a_column_that_was_asked(void **state) {
    (void)state;
    struct answer_top_row rows[] = {
        {.row = {.value = SPAN_LIT("curl"), .count = 3, .total = 1000, .max = 456, .decimals = 2}},
        {.row = {.value = SPAN_LIT("\xff"), .count = UINT64_MAX, .total = -1, .max = -1}, .host = SPAN_LIT("web-1")},
        {.row = {.value = SPAN_LIT(""), .count = 0, .total = 0, .max = 0, .decimals = 0}},
    };
    struct answer a = of("tcpconnlat");
    a.top = rows;
    a.n_top = 3;
    a.groups = 17;
    a.exact = true;
    a.by = SPAN_LIT("COMM");
    a.of = SPAN_LIT("LAT(ms)");
    json_t *doc = written(json_answer_top, &a);
    read_keys(doc, "campaign coverage with_result ledger kind replayed notes targets measured by fields of rank exact bounded unlisted_at_most groups matched rows");
    read_is(doc, "by", "\"COMM\"");
    read_is(doc, "of", "\"LAT(ms)\"");
    read_is(doc, "exact", "true");
    read_is(doc, "groups", "17");
    read_is(doc, "rows.0", "{\"value\":\"curl\",\"values\":[\"curl\"],\"count\":3,\"total\":10.0,\"avg\":3.33333333333333,\"reading\":\"same region\",\"max\":4.56,\"p99\":null}");
    read_is(doc, "rows.1.value", "\"\xef\xbf\xbd\"");
    read_is(doc, "rows.1.count", "9223372036854775807");
    read_is(doc, "rows.1.total", "-1");
    read_is(doc, "rows.1.host", "\"web-1\"");
    read_is(doc, "rows.2.avg", "null");
    json_decref(doc);
    a.of = SPAN_LIT("");
    doc = written(json_answer_top, &a);
    read_is(doc, "of", "null");
    read_is(doc, "rows.0", "{\"value\":\"curl\",\"values\":[\"curl\"],\"count\":3,\"total\":null,\"avg\":null,\"reading\":null,\"max\":null,\"p99\":null}");
    json_decref(doc);
}

static void stacks_come_with_their_whole(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct answer a = of("offcputime");
    uint32_t leaf = 0;
    assert_int_equal(stacks_init(&a.stacks, SPAN_LIT("usecs"), mem), ERR_OK);
    assert_int_equal(stacks_node(&a.stacks, STACKS_ROOT, SPAN_LIT("main"), FRAME_USER, &leaf), ERR_OK);
    assert_int_equal(stacks_node(&a.stacks, leaf, SPAN_LIT("schedule"), FRAME_KERNEL, &leaf), ERR_OK);
    assert_int_equal(stacks_add(&a.stacks, leaf, SPAN_LIT("bash"), STACKS_NO_PID, 5), ERR_OK);
    assert_int_equal(stacks_add(&a.stacks, leaf, SPAN_NONE, STACKS_NO_PID, 4), ERR_OK);
    a.total = 100;
    a.distinct = 12;
    json_t *doc = written(json_answer_stacks, &a);
    read_keys(doc, "campaign coverage with_result ledger kind replayed notes targets measured unit total distinct whole by parts stacks");
    read_is(doc, "unit", "\"usecs\"");
    read_is(doc, "total", "100");
    read_is(doc, "distinct", "12");
    read_is(doc, "stacks",
            "[{\"frames\":[\"main\",\"schedule\"],\"comm\":\"bash\",\"count\":5},"
            "{\"frames\":[\"main\",\"schedule\"],\"comm\":null,\"count\":4}]");
    json_decref(doc);
}

static struct events one_row(struct arena *mem, const struct column *columns, size_t n, int64_t number) {
    struct events e;
    size_t row = 0;
    assert_int_equal(events_init(&e, columns, n, mem), ERR_OK);
    assert_int_equal(events_row(&e, mem, &row), ERR_OK);
    for (size_t i = 0; i < n; i++) e.columns[i].number[row] = number;
    return e;
}

static void events_say_their_host_and_columns_are_those_of_all(void **state) {
    (void)state;
    static const struct column bcc[] = {{.name = SPAN_LIT("PID"), .type = COLUMN_INT}, {.name = SPAN_LIT("RET"), .type = COLUMN_INT}};
    static const struct column libbpf[] = {{.name = SPAN_LIT("UID"), .type = COLUMN_INT}, {.name = SPAN_LIT("PID"), .type = COLUMN_INT}};
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct host_events hosts[] = {{SPAN_LIT("web-1"), one_row(mem, bcc, 2, 1)}, {SPAN_LIT("web-2"), one_row(mem, libbpf, 2, 2)}};
    struct answer a = of("execsnoop");
    a.host_events = hosts;
    a.n_host_events = 2;
    a.total = 900;
    json_t *doc = written(json_answer_events, &a);
    read_keys(doc, "campaign coverage with_result ledger kind replayed notes targets measured columns count given events");
    read_is(doc, "columns",
            "[{\"name\":\"PID\",\"type\":\"integer\",\"unit\":\"\"},{\"name\":\"RET\",\"type\":\"integer\",\"unit\":\"\"},"
            "{\"name\":\"UID\",\"type\":\"integer\",\"unit\":\"\"}]");
    read_is(doc, "count", "900");
    read_is(doc, "given", "2");
    read_is(doc, "events", "[{\"host\":\"web-1\",\"PID\":1,\"RET\":1},{\"host\":\"web-2\",\"UID\":2,\"PID\":2}]");
    json_decref(doc);
}

static void each_failing_allocation_is_said_and_nothing_is_leaked(void **state) {
    (void)state;
    json_set_alloc_funcs(read_malloc, free);
    answer_fn *const all[] = {json_answer_hist, json_answer_top, json_answer_stacks, json_answer_events};
    static const struct column columns[] = {{.name = SPAN_LIT("PID"), .type = COLUMN_INT}};
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct hist_slot slots[] = {{2, 3, 10}};
    struct hist h = {.unit = SPAN_LIT("usecs"), .slots = slots, .n_slots = 1};
    struct host_hist host = {SPAN_LIT("web-1"), {&h, 1}};
    struct host_events events = {SPAN_LIT("web-1"), one_row(mem, columns, 1, 1)};
    struct answer_top_row row = {.row = {.value = SPAN_LIT("curl"), .count = 3, .total = 1000, .max = 456, .decimals = 2}};
    struct answer a = of("runqlat");
    a.merged = (struct hist_set){&h, 1};
    a.host_hists = &host;
    a.host_events = &events;
    a.top = &row;
    a.of = SPAN_LIT("LAT");
    a.n_host_hists = a.n_host_events = a.n_top = 1;
    assert_int_equal(stacks_init(&a.stacks, SPAN_LIT("usecs"), mem), ERR_OK);
    assert_int_equal(stacks_add(&a.stacks, STACKS_ROOT, SPAN_LIT("bash"), STACKS_NO_PID, 5), ERR_OK);
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        size_t rounds = 0;
        FOR_EACH_FAULT(n) {
            struct buf text;
            buf_init(&text, 0);
            enum err e = all[i](&a, &text);
            assert_int_equal(e, fault_hit() ? ERR_NOMEM : ERR_OK);
            fault_off();
            rounds++;
            assert_int_equal(text.n > 0, e == ERR_OK);
            buf_done(&text);
        }
        assert_true(rounds > 100);
    }
    json_set_alloc_funcs(malloc, free);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_says_who_was_asked_and_who_is_missing),
        cmocka_unit_test(coverage_that_does_not_add_up_is_noted),
        cmocka_unit_test(histograms_come_merged_with_the_hosts_worst_first),
        cmocka_unit_test(an_unknown_tool_has_no_verdict),
        cmocka_unit_test(a_top_gives_numbers_only_of_a_column_that_was_asked),
        cmocka_unit_test(stacks_come_with_their_whole),
        cmocka_unit_test(events_say_their_host_and_columns_are_those_of_all),
        cmocka_unit_test(each_failing_allocation_is_said_and_nothing_is_leaked),
    };
    return cmocka_run_group_tests_name("json_answer", tests, NULL, NULL);
}
