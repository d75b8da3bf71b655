#include "tests/unit/json/read.h"

#include "common/json/json.h"
#include "common/json/json_answer.h"
#include "common/json/json_catalog.h"
#include "common/json/json_diff.h"
#include "common/json/json_doctor.h"
#include "common/json/json_fleet.h"
#include "common/json/json_series.h"

static struct buf docs;

static int read_docs(void **state) {
    (void)state;
    char block[4096];
    FILE *f = fopen(TRAWL_SOURCE_DIR "/docs/json.md", "r");
    if (!f) return -1;
    buf_init(&docs, 0);
    for (size_t n; (n = fread(block, 1, sizeof block, f)) > 0;) buf_add(&docs, span_of(block, n));
    fclose(f);
    return buf_failed(&docs) ? -1 : 0;
}

static int drop_docs(void **state) {
    (void)state;
    buf_done(&docs);
    return 0;
}

/* The keys below these are data. */
static bool is_data(const char *key) {
    return span_eq_str(span_str(key), "section") || span_eq_str(span_str(key), "params") || span_eq_str(span_str(key), "labels");
}

/* Upper case: a column of the tool. */
static void check(json_t *at) {
    size_t index;
    json_t *value;
    const char *key;
    json_array_foreach(at, index, value) check(value);
    json_object_foreach(at, key, value) {
        char quoted[64];
        snprintf(quoted, sizeof quoted, "\"%s\"", key);
        bool column = key[0] >= 'A' && key[0] <= 'Z';
        if (!column && span_find_span(buf_span(&docs), span_str(quoted)) == docs.n) fail_msg("docs/json.md does not know %s", quoted);
        if (!is_data(key)) check(value);
    }
}

static void check_text(struct buf *text, enum err e) {
    assert_int_equal(e, ERR_OK);
    json_t *doc = read_document(text);
    check(doc);
    json_decref(doc);
    buf_reset(text);
}

static struct span note = SPAN_LIT("note");
static struct hist_slot slots[] = {{2, 3, 10}};
static struct hist hist = {
    .unit = SPAN_LIT("usecs"), .section = {{SPAN_LIT("disk"), SPAN_LIT("vda")}}, .n_section = 1, .slots = slots, .n_slots = 1};

static struct events some_events(struct arena *mem) {
    static const struct column columns[] = {{.name = SPAN_LIT("PID"), .type = COLUMN_INT}};
    struct events e;
    size_t row = 0;
    uint32_t stack = 0;
    assert_int_equal(events_init(&e, columns, 1, mem), ERR_OK);
    assert_int_equal(events_row(&e, mem, &row), ERR_OK);
    assert_int_equal(events_stacks(&e, SPAN_LIT(""), mem), ERR_OK);
    assert_int_equal(stacks_row(&e.stacks, STACKS_ROOT, SPAN_NONE, STACKS_NO_PID, &stack), ERR_OK);
    e.stack_of[row] = stack + 1;
    return e;
}

static struct stacks some_stacks(struct arena *mem) {
    struct stacks s;
    assert_int_equal(stacks_init(&s, SPAN_LIT("usecs"), mem), ERR_OK);
    assert_int_equal(stacks_add(&s, STACKS_ROOT, SPAN_LIT("bash"), 1, 5), ERR_OK);
    return s;
}

static void every_key_of_a_capture_is_documented(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct capture c = {.tool = note,
                        .notes = &note,
                        .n_notes = 1,
                        .leftover = note,
                        .hists = {&hist, 1},
                        .events = some_events(mem),
                        .stacks = some_stacks(mem)};
    struct buf text;
    buf_init(&text, 0);
    for (c.kind = RESULT_NONE; c.kind <= RESULT_STACKS; c.kind++) check_text(&text, json_capture(&c, &text));
    buf_done(&text);
}

static void every_key_of_an_answer_is_documented(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct applied applied = {.seconds = 1};
    struct outcome outcome = {.notes = &note, .n_notes = 1, .leftover = note, .applied = &applied};
    struct target_info target = {.host = note, .outcome = &outcome};
    struct host_hist host_hist = {note, {&hist, 1}};
    struct host_events host_events = {note, some_events(mem)};
    struct answer_top_row row = {.row = {.value = note, .count = 1}, .host = note};
    struct answer_outlier outlier = {.host = note, .sentence = note};
    struct stack_part one = {.name = note};
    struct answer a = {.info.spec = {.domain = note, .domain_hosts = 1},
                       .targets = &target,
                       .n_targets = 1,
                       .measured = &target,
                       .n_measured = 1,
                       .merged = {&hist, 1},
                       .host_hists = &host_hist,
                       .n_host_hists = 1,
                       .top = &row,
                       .n_top = 1,
                       .of = note,
                       .outliers = &outlier,
                       .n_outliers = 1,
                       .parts = &one,
                       .n_parts = 1,
                       .stacks = some_stacks(mem),
                       .host_events = &host_events,
                       .n_host_events = 1};
    struct buf text;
    buf_init(&text, 0);
    check_text(&text, json_answer_hist(&a, &text));
    check_text(&text, json_answer_top(&a, &text));
    a.bounded = true;
    check_text(&text, json_answer_connections(&a, &text));
    check_text(&text, json_answer_outliers(&a, &text));
    check_text(&text, json_answer_stacks(&a, &text));
    check_text(&text, json_answer_events(&a, &text));
    buf_done(&text);
}

static void every_key_of_a_difference_is_documented(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct answer a = {.merged = {&hist, 1}, .stacks = some_stacks(mem)};
    struct stacks tree;
    struct stack_change *changes = NULL;
    struct hist_diff *diffs = NULL;
    struct buf text;
    size_t n = 0;
    buf_init(&text, 0);
    assert_int_equal(hist_diff_sets(&a.merged, &a.merged, mem, &diffs, &n), ERR_OK);
    check_text(&text, json_diff_hist(&a, &a, diffs, n, &text));
    assert_int_equal(stack_diff_stacks(&a.stacks, &a.stacks, mem, &tree, &changes, &n), ERR_OK);
    check_text(&text, json_diff_stacks(&a, &a, &tree, changes, n, n, &text));
    check_text(&text, json_diff_stacks(&a, &a, NULL, changes, n, n, &text));
    const struct series_point moment = {.answer = a};
    check_text(&text, json_series_hist(&moment, 1, &text));
    buf_done(&text);
}

static void every_key_of_hosts_campaigns_and_tools_is_documented(void **state) {
    (void)state;
    struct tool_fact fact = {.tool = note};
    struct label label = {note, note};
    struct host_info host = {.facts = {.labels = &label, .n_labels = 1, .tools = &fact, .n_tools = 1}};
    struct host_list hosts = {&host, 1};
    struct target_info target = {.host = note};
    struct campaign_detail d = {.targets = &target, .n_targets = 1};
    struct campaign_list campaigns = {&d.info, 1};
    struct buf text;
    buf_init(&text, 0);
    check_text(&text, json_fleet_hosts(&hosts, &text));
    check_text(&text, json_fleet_campaigns(&campaigns, &text));
    check_text(&text, json_fleet_campaign(&d.info, &text));
    check_text(&text, json_fleet_detail(&d, &text));
    struct plan_row row = {.host = note, .cost_known = true};
    const struct plan plan = {&row, 1};
    check_text(&text, json_fleet_plan(&plan, catalog_tool(TOOL_RUNQLAT), &text));
    check_text(&text, json_catalog(NULL, &text));
    buf_done(&text);
}

static void every_key_of_a_doctors_findings_is_documented(void **state) {
    (void)state;
    struct buf text;
    buf_init(&text, 0);
    const struct json_finding findings[] = {{"ok", SPAN_LIT("port"), SPAN_LIT("answers"), SPAN_LIT("")},
                                            {"FAIL", SPAN_LIT("key"), SPAN_LIT("gone"), SPAN_LIT("put it there")}};
    check_text(&text, json_doctor(findings, 2, &text));
    buf_done(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_of_a_capture_is_documented),
        cmocka_unit_test(every_key_of_an_answer_is_documented),
        cmocka_unit_test(every_key_of_a_difference_is_documented),
        cmocka_unit_test(every_key_of_hosts_campaigns_and_tools_is_documented),
        cmocka_unit_test(every_key_of_a_doctors_findings_is_documented),
    };
    return cmocka_run_group_tests_name("json_documented", tests, read_docs, drop_docs);
}
