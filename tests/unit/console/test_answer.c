/* Merged answers: what is missing is said first, and nothing of a peer's reaches the terminal as it is. */
#include "tests/unit/console/printed.h"

#include "console/render/answer.h"
#include "console/render/answer_top.h"
#include "console/render/body.h"

static struct answer answer_of(const char *tool) {
    return (struct answer){.info = {.id = SPAN_LIT("1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d"),
                                    .spec = {.tool = span_str(tool), .duration_s = 10},
                                    .targeted = 3,
                                    .coverage = {[COVERAGE_OK] = 3}}};
}

static void is(const struct answer *a, const char *want) {
    struct printed p;
    struct screen s = {.to = printed_open(&p), .width = 80};
    answer_head(a, &s);
    printed_is(&p, want);
}

static void a_whole_answer_has_a_short_head(void **state) {
    (void)state;
    struct answer a = answer_of("runqlat");
    is(&a, "runqlat · 3 of 3 hosts · 10 s · campaign 1a2b3c4d5e6f\n"
           "lost: nothing\n"
           "\n");
}

/* The histogram of stopped hosts stands below it. */
static void the_first_line_does_not_deny_what_was_measured_before_a_stop(void **state) {
    (void)state;
    struct answer a = answer_of("runqlat");
    memset(a.info.coverage, 0, sizeof a.info.coverage);
    a.info.coverage[COVERAGE_CANCELLED] = 3;
    a.info.with_result = 2;
    is(&a, "runqlat · 0 of 3 hosts ok · 3 cancelled (the results of 2 of these until then are in the answer) · 10 s · campaign 1a2b3c4d5e6f\n"
           "lost: nothing\n"
           "\n");
}

static void the_first_line_says_what_is_missing(void **state) {
    (void)state;
    struct answer a = answer_of("runqlat");
    struct target_info targets[] = {
        {.host = SPAN_LIT("web-2"), .coverage = COVERAGE_PARTIAL, .reason = SPAN_LIT("the print-out went over 50 MiB and was cut")},
        {.host = SPAN_LIT("web-3"), .coverage = COVERAGE_REFUSED, .reason = SPAN_LIT("quiet hours of this host: 22:00-06:00 local time")},
        {.host = SPAN_LIT("web-4"), .coverage = COVERAGE_OFFLINE},
        {.host = SPAN_LIT("web-5"), .coverage = COVERAGE_RUNNING}};
    struct span note = SPAN_LIT("interval marks differ between hosts");
    a.info.targeted = 5;
    memset(a.info.coverage, 0, sizeof a.info.coverage);
    for (size_t i = 0; i < COUNT_OF(targets); i++) a.info.coverage[targets[i].coverage]++;
    a.info.coverage[COVERAGE_OK] = 1;
    a.info.ledger = (struct ledger){.kernel = 12, .cap = 4096};
    a.info.replayed = true;
    a.targets = targets;
    a.n_targets = COUNT_OF(targets);
    a.notes = &note;
    a.n_notes = 1;
    is(&a, "runqlat · 2 of 5 hosts · 1 running · 1 partial · 1 refused · 1 offline · 10 s · campaign 1a2b3c4d5e6f"
           " · replayed: recordings, not these hosts' kernels\n"
           "lost: 12 events lost in the kernel's buffers · 4096 bytes of print-out over the cap\n"
           "  web-2: partial: the print-out went over 50 MiB and was cut\n"
           "  web-3: refused: quiet hours of this host: 22:00-06:00 local time\n"
           "  web-4: offline\n"
           "  web-5: running\n"
           "  note: interval marks differ between hosts\n"
           "\n");
}

static void every_loss_is_named(void **state) {
    (void)state;
    struct answer a = answer_of("runqlat");
    a.info.ledger = (struct ledger){.kernel = 1, .tool = 2, .cap = 3, .parse = 4, .spool = 5, .shed = 6};
    struct printed p;
    struct screen s = {.to = printed_open(&p), .width = 80};
    answer_head(&a, &s);
    printed_has(&p, "lost: 1 events lost in the kernel's buffers · 2 events skipped by the tools · 3 bytes of print-out over the cap"
                    " · 4 lines not understood · 5 bytes dropped from full spools · 6 events shed by the collector\n");
}

static void an_answer_without_hosts_is_not_a_good_one(void **state) {
    (void)state;
    struct answer a = answer_of("runqlat");
    struct printed p;
    a.info.targeted = a.info.coverage[COVERAGE_OK] = 0;
    struct screen s = {.to = printed_open(&p), .width = 80, .colour = true};
    answer_head(&a, &s);
    printed_has(&p, "\033[31m0 of 0 hosts\033[0m");
}

/* A collector that was taken over can name things as it likes. */
static void nothing_of_a_peers_drives_the_terminal(void **state) {
    (void)state;
    struct answer a = answer_of("run\x1b[2Jqlat");
    struct target_info target = {
        .host = SPAN_LIT("web\x1b-1"), .coverage = COVERAGE_FAILED, .reason = SPAN_LIT("bad\x1b\nrunqlat · 3 of 3 hosts")};
    struct span note = SPAN_LIT("note\x1b");
    struct hist_slot slot = {0, 1, 3};
    struct hist h = {.unit = SPAN_LIT("us\x1b"), .slots = &slot, .n_slots = 1};
    struct host_hist hosts = {.host = SPAN_LIT("web\x1b-1"), .hists = {&h, 1}};
    struct answer_top_row top = {.row = {.value = SPAN_LIT("v\x1b"), .count = 1}, .host = SPAN_LIT("h\x1b")};
    struct printed p;
    a.info.id = SPAN_LIT("\x1b[2J1234567890");
    a.targets = &target;
    a.n_targets = 1;
    a.notes = &note;
    a.n_notes = 1;
    a.merged = (struct hist_set){&h, 1};
    a.host_hists = &hosts;
    a.n_host_hists = 1;
    a.top = &top;
    a.n_top = 1;
    a.by = SPAN_LIT("b\x1b");
    a.of = SPAN_LIT("o\x1b");
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    uint32_t node;
    assert_int_equal(stacks_init(&a.stacks, SPAN_LIT("u\x1b"), mem), ERR_OK);
    assert_int_equal(stacks_node(&a.stacks, STACKS_ROOT, SPAN_LIT("f\x1b"), FRAME_KERNEL, &node), ERR_OK);
    assert_int_equal(stacks_add(&a.stacks, node, SPAN_LIT("c\x1b"), 1, 5), ERR_OK);
    struct screen s = {.to = printed_open(&p), .width = 80};
    assert_int_equal(answer_hist(&a, &s), ERR_OK);
    assert_int_equal(answer_top(&a, true, &s), ERR_OK);
    assert_int_equal(answer_stacks(&a, &s), ERR_OK);
    const char *text = printed_text(&p);
    assert_null(strchr(text, '\x1b'));
    assert_null(strstr(text, "bad\n"));
    assert_non_null(strstr(text, "f\\x1b"));
    printed_done(&p);
}

static void hosts_are_ranked_worst_first(void **state) {
    (void)state;
    struct answer a = answer_of("runqlat");
    struct hist_slot fast = {2, 3, 10}, slow = {2048, 4095, 4};
    struct hist h[] = {{.unit = SPAN_LIT("usecs"), .slots = &fast, .n_slots = 1},
                       {.unit = SPAN_LIT("usecs"), .slots = &slow, .n_slots = 1}};
    struct host_hist hosts[] = {{SPAN_LIT("web-1"), {&h[0], 1}}, {SPAN_LIT("web-2"), {&h[1], 1}}};
    struct printed p;
    a.host_hists = hosts;
    a.n_host_hists = 2;
    struct screen s = {.to = printed_open(&p), .width = 80};
    assert_int_equal(answer_hist(&a, &s), ERR_OK);
    const char *text = printed_text(&p);
    assert_non_null(strstr(text, "nothing was measured")); /* merged is empty in this one */
    assert_non_null(strstr(text, "hosts, worst first\n"
                                 "HOST  TOTAL    P50    P90    P99   P999 UNIT  READING\n"
                                 "web-2     4 3071.5 3071.5 3071.5 3071.5 usecs critical\n"
                                 "web-1    10    2.5    2.5    2.5    2.5 usecs good\n"));
    printed_done(&p);
}

static void who_has_no_result_has_not_seen_nothing(void **state) {
    (void)state;
    struct answer a = answer_of("runqlat");
    struct printed p;
    struct screen s = {.to = printed_open(&p), .width = 80};
    assert_int_equal(answer_hist(&a, &s), ERR_OK);
    printed_has(&p, "nothing was measured of what was asked for: no host saw such an event\n");
    a.info.coverage[COVERAGE_OK] = 0;
    a.info.coverage[COVERAGE_INCAPABLE] = 3;
    s.to = printed_open(&p);
    assert_int_equal(answer_hist(&a, &s), ERR_OK);
    assert_null(strstr(printed_text(&p), "no host saw"));
    printed_has(&p, "no host has a result\n");
}

static void top_rows_keep_their_decimals(void **state) {
    (void)state;
    struct answer a = answer_of("execsnoop");
    struct answer_top_row rows[] = {
        {.row = {.value = SPAN_LIT("curl"), .count = 4, .total = 1234, .max = 999, .decimals = 2}, .host = SPAN_LIT("web-1")},
        {.row = {.value = SPAN_LIT("x,y"), .count = 0, .total = 0, .max = -5, .decimals = 2}, .host = SPAN_LIT("web-2")}};
    struct printed p;
    a.top = rows;
    a.n_top = 2;
    a.groups = 7;
    a.exact = true;
    a.by = SPAN_LIT("PCOMM");
    a.of = SPAN_LIT("LAT(ms)");
    struct screen s = {.to = printed_open(&p), .width = 80};
    assert_int_equal(answer_top(&a, false, &s), ERR_OK);
    printed_has(&p, "top 2 of 7 values of PCOMM, summing LAT(ms), exact\n"
                    "VALUE COUNT TOTAL  AVG   MAX\n"
                    "curl      4 12.34 3.08  9.99\n"
                    "x,y       0  0.00 0.00 -0.05\n");
    assert_int_equal(answer_top_csv(&a, true, printed_open(&p)), ERR_OK);
    printed_is(&p, "value,host,count,total,avg,max\n"
                   "curl,web-1,4,12.34,3.08,9.99\n"
                   "\"x,y\",web-2,0,0.00,0.00,-0.05\n");
    a.of = SPAN_NONE;
    assert_int_equal(answer_top_csv(&a, false, printed_open(&p)), ERR_OK);
    printed_is(&p, "value,count\ncurl,4\n\"x,y\",0\n");
}

static void a_deep_stack_shows_its_leaf(void **state) {
    (void)state;
    enum { DEPTH = 2 * LIMIT_STACK_DEPTH };
    struct stacks st;
    struct printed p;
    AUTO(arena_free) struct arena *mem = arena_new(4 << 20);
    uint32_t node = STACKS_ROOT;
    assert_int_equal(stacks_init(&st, SPAN_LIT("usecs"), mem), ERR_OK);
    for (int i = 0; i < DEPTH; i++) {
        char name[32];
        snprintf(name, sizeof name, "frame_%d", i);
        assert_int_equal(stacks_node(&st, node, span_str(name), FRAME_USER, &node), ERR_OK);
    }
    assert_int_equal(stacks_add(&st, node, SPAN_LIT("deep"), 1, 30), ERR_OK);
    struct screen s = {.to = printed_open(&p), .width = 80};
    body_stacks(&st, 10, 120, &s);
    const char *text = printed_text(&p);
    assert_ptr_equal(strstr(text, "\n30 usecs (25.0%) deep\n    frame_1023\n    frame_1022\n"), text);
    assert_non_null(strstr(text, "    and 1012 more frames (-o json has all)\n"));
    printed_done(&p);
    struct answer a = answer_of("offcputime");
    a.stacks = st;
    assert_int_equal(answer_csv_stacks(&a, printed_open(&p)), ERR_OK);
    printed_has(&p, "count,unit,comm,stack\n30,usecs,deep,frame_0;frame_1;");
}

static void events_say_how_many_are_left_out(void **state) {
    (void)state;
    static const struct column columns[] = {{.name = SPAN_LIT("PCOMM"), .type = COLUMN_TEXT},
                                            {.name = SPAN_LIT("PID"), .type = COLUMN_INT}};
    static const struct column others[] = {{.name = SPAN_LIT("COMM"), .type = COLUMN_TEXT}};
    struct host_events hosts[3] = {{.host = SPAN_LIT("web-1")}, {.host = SPAN_LIT("web-2")}, {.host = SPAN_LIT("web-3")}};
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    for (size_t h = 0; h < COUNT_OF(hosts); h++) {
        struct events *e = &hosts[h].events;
        assert_int_equal(events_init(e, h < 2 ? columns : others, h < 2 ? 2 : 1, mem), ERR_OK);
        for (int i = 0; i < 2; i++) {
            size_t row;
            assert_int_equal(events_row(e, mem, &row), ERR_OK);
            if (h < 2) e->columns[1].number[row] = (int64_t)(100 * h) + i;
        }
    }
    struct printed p;
    struct screen s = {.to = printed_open(&p), .width = 80};
    assert_int_equal(body_events(hosts, COUNT_OF(hosts), 3, 6, &s), ERR_OK);
    printed_is(&p, "HOST  PCOMM PID\n"
                   "web-1         0\n"
                   "web-1         1\n"
                   "web-2       100\n"
                   "3 more rows (-n 0 shows all)\n");
    assert_int_equal(body_events_csv(hosts, COUNT_OF(hosts), printed_open(&p)), ERR_OK);
    printed_is(&p, "host,pcomm,pid\nweb-1,,0\nweb-1,,1\nweb-2,,100\nweb-2,,101\n"
                   "host,comm\nweb-3,\nweb-3,\n");
}

static void csv_of_a_histogram_leaves_the_open_end_empty(void **state) {
    (void)state;
    struct answer a = answer_of("biolatency");
    struct hist_slot slots[] = {{0, 1, 3}, {2, HIST_OPEN, 4}};
    struct hist h = {
        .unit = SPAN_LIT("usecs"), .slots = slots, .n_slots = 2, .section = {{SPAN_LIT("disk"), SPAN_LIT("vda")}}, .n_section = 1};
    struct printed p;
    a.merged = (struct hist_set){&h, 1};
    assert_int_equal(answer_csv_hist(&a, printed_open(&p)), ERR_OK);
    printed_is(&p, "section,unit,low,high,count\ndisk=vda,usecs,0,1,3\ndisk=vda,usecs,2,,4\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_answer_has_a_short_head),
        cmocka_unit_test(the_first_line_says_what_is_missing),
        cmocka_unit_test(the_first_line_does_not_deny_what_was_measured_before_a_stop),
        cmocka_unit_test(every_loss_is_named),
        cmocka_unit_test(an_answer_without_hosts_is_not_a_good_one),
        cmocka_unit_test(nothing_of_a_peers_drives_the_terminal),
        cmocka_unit_test(hosts_are_ranked_worst_first),
        cmocka_unit_test(who_has_no_result_has_not_seen_nothing),
        cmocka_unit_test(top_rows_keep_their_decimals),
        cmocka_unit_test(a_deep_stack_shows_its_leaf),
        cmocka_unit_test(events_say_how_many_are_left_out),
        cmocka_unit_test(csv_of_a_histogram_leaves_the_open_end_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
