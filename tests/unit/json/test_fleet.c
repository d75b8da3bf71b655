#include "tests/unit/json/read.h"

#include "common/json/json_catalog.h"
#include "common/json/json_fleet.h"
#include "tests/support/fault.h"

static struct label labels[] = {{SPAN_LIT("role"), SPAN_LIT("web")}, {SPAN_LIT("zone"), SPAN_LIT("b")}};
static struct tool_fact tools[] = {{.tool = SPAN_LIT("runqlat"), .flavour = SPAN_LIT("bcc"), .runnable = true},
                                   {.tool = SPAN_LIT("execsnoop"), .flavour = SPAN_LIT("libbpf"), .why = SPAN_LIT("no BTF")}};

static void a_host_is_what_it_said_of_itself_and_when_it_was_seen(void **state) {
    (void)state;
    struct host_info host = {.facts = {.host = SPAN_LIT("web-1"),
                                       .version = SPAN_LIT("0.1.0"),
                                       .kernel = SPAN_LIT("6.1.0"),
                                       .arch = SPAN_LIT("x86_64"),
                                       .labels = labels,
                                       .n_labels = 2,
                                       .tools = tools,
                                       .n_tools = 2,
                                       .wall_ns = 1500000001ULL * 1000000000ULL},
                             .online = true,
                             .seen_wall_ns = 1500000000ULL * 1000000000ULL,
                             .address = SPAN_LIT("10.0.0.1:5555")};
    struct host_list l = {&host, 1};
    struct buf text;
    buf_init(&text, 0);
    assert_int_equal(json_fleet_hosts(&l, &text), ERR_OK);
    assert_string_equal(buf_str(&text),
                        "{\"hosts\":[{\"host\":\"web-1\",\"online\":true,\"seen\":\"2017-07-14T02:40:00Z\",\"address\":\"10.0.0.1:5555\","
                        "\"version\":\"0.1.0\",\"kernel\":\"6.1.0\",\"arch\":\"x86_64\",\"clock\":\"2017-07-14T02:40:01Z\","
                        "\"certificate_expires\":null,\"replayed\":false,\"note\":null,\"lockdown\":null,\"labels\":{\"role\":\"web\",\"zone\":\"b\"},"
                        "\"tools\":[{\"tool\":\"runqlat\",\"flavour\":\"bcc\",\"runnable\":true,\"why\":null},"
                        "{\"tool\":\"execsnoop\",\"flavour\":\"libbpf\",\"runnable\":false,\"why\":\"no BTF\"}]}]}\n");
    l.n = 0;
    buf_reset(&text);
    assert_int_equal(json_fleet_hosts(&l, &text), ERR_OK);
    assert_string_equal(buf_str(&text), "{\"hosts\":[]}\n");
    buf_done(&text);
}

static void campaigns_are_listed_shown_and_followed_in_one_form(void **state) {
    (void)state;
    struct campaign_info info = {.id = SPAN_LIT("00ff"), .spec = {.tool = SPAN_LIT("runqlat"), .expires_wall_ms = UINT64_MAX}, .targeted = 1,
                                 .coverage = {[COVERAGE_OK] = 1}};
    struct target_info target = {.host = SPAN_LIT("web-1"), .coverage = COVERAGE_OK};
    struct campaign_list l = {&info, 1};
    struct campaign_detail d = {info, &target, 1};
    struct buf text;
    buf_init(&text, 0);
    assert_int_equal(json_fleet_campaigns(&l, &text), ERR_OK);
    json_t *list = read_document(&text);
    read_keys(list, "campaigns");
    json_t *one = json_array_get(json_object_get(list, "campaigns"), 0);
    read_keys(one, "campaign coverage with_result ledger replayed");
    buf_reset(&text);
    assert_int_equal(json_fleet_campaign(&info, &text), ERR_OK);
    json_t *alone = read_document(&text);
    assert_true(json_equal(one, alone));
    buf_reset(&text);
    assert_int_equal(json_fleet_detail(&d, &text), ERR_OK);
    json_t *detail = read_document(&text);
    read_keys(detail, "campaign coverage with_result ledger replayed targets");
    read_is(detail, "targets", "[{\"host\":\"web-1\",\"state\":\"ok\",\"reason\":\"\",\"outcome\":null}]");
    assert_true(json_equal(json_object_get(detail, "campaign"), json_object_get(alone, "campaign")));
    json_decref(list);
    json_decref(alone);
    json_decref(detail);
    buf_done(&text);
}

static void the_catalogue_is_printed_whole_or_one_tool(void **state) {
    (void)state;
    struct buf text;
    buf_init(&text, 0);
    assert_int_equal(json_catalog(NULL, &text), ERR_OK);
    json_t *all = read_document(&text);
    assert_int_equal(json_array_size(json_object_get(all, "tools")), TOOL__COUNT - 1);
    read_is(all, "tools.0.tool", "\"runqlat\"");
    buf_reset(&text);
    assert_int_equal(json_catalog(catalog_tool(TOOL_RUNQLAT), &text), ERR_OK);
    json_t *one = read_document(&text);
    assert_int_equal(json_array_size(json_object_get(one, "tools")), 1);
    assert_true(json_equal(json_array_get(json_object_get(one, "tools"), 0), json_array_get(json_object_get(all, "tools"), 0)));
    json_decref(all);
    json_decref(one);
    buf_done(&text);
}

static void each_failing_allocation_is_said_and_nothing_is_leaked(void **state) {
    (void)state;
    json_set_alloc_funcs(read_malloc, free);
    struct host_info host = {.facts = {.host = SPAN_LIT("web-1"), .labels = labels, .n_labels = 2, .tools = tools, .n_tools = 2}};
    struct host_list l = {&host, 1};
    struct target_info target = {.host = SPAN_LIT("web-1"), .coverage = COVERAGE_OK};
    struct campaign_detail d = {.targets = &target, .n_targets = 1};
    struct campaign_list campaigns = {&d.info, 1};
    for (unsigned what = 0; what < 5; what++) {
        size_t rounds = 0;
        FOR_EACH_FAULT(n) {
            struct buf text;
            buf_init(&text, 0);
            enum err e = ERR_OK;
            switch (what) {
            case 0: e = json_fleet_hosts(&l, &text); break;
            case 1: e = json_fleet_campaigns(&campaigns, &text); break;
            case 2: e = json_fleet_campaign(&d.info, &text); break;
            case 3: e = json_fleet_detail(&d, &text); break;
            default: e = json_catalog(catalog_tool(TOOL_RUNQLAT), &text); break;
            }
            assert_int_equal(e, fault_hit() ? ERR_NOMEM : ERR_OK);
            fault_off();
            rounds++;
            assert_int_equal(text.n > 0, e == ERR_OK);
            buf_done(&text);
        }
        assert_true(rounds > 50);
    }
    json_set_alloc_funcs(malloc, free);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_is_what_it_said_of_itself_and_when_it_was_seen),
        cmocka_unit_test(campaigns_are_listed_shown_and_followed_in_one_form),
        cmocka_unit_test(the_catalogue_is_printed_whole_or_one_tool),
        cmocka_unit_test(each_failing_allocation_is_said_and_nothing_is_leaked),
    };
    return cmocka_run_group_tests_name("json_fleet", tests, NULL, NULL);
}
