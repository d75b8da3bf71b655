#include "tests/unit/collector/made.h"

#include <stdlib.h>

#include "collector/query/query.h"
#include "common/catalog/catalog_class.h"

/* A campaign with stored parts, asked one question. */
struct asked {
    struct made_dir dir;
    struct store *store;
    struct campaign *c;
    struct aggregate *a;
    struct arena *mem;
    const char *tool;
    struct buf out;
    char why[QUERY_WHY_BYTES];
    struct answer answer;
    size_t top_budget_bytes;
    unsigned mask;
};

static const struct span hosts[] = {{"db-1", 4}, {"db-2", 4}, {"db-3", 4}};

static void begin(struct asked *q, const char *tool) {
    memset(q, 0, sizeof *q);
    q->tool = tool;
    made_dir(&q->dir);
    q->store = made_store(&q->dir, STORE_WRITER);
    made_put_campaign(q->store, made_id(1), tool, hosts, 3);
    q->c = made_campaign(made_id(1), tool, hosts, 3);
    q->a = aggregate_new((size_t)1 << 24, (size_t)1 << 24);
    q->mem = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    buf_init(&q->out, 0);
    assert_true(q->a && q->mem);
}

static void end(struct asked *q) {
    buf_done(&q->out);
    arena_free(q->mem);
    aggregate_free(q->a);
    campaign_free(q->c);
    store_close(q->store);
    made_dir_done(&q->dir);
}

/* takes body. */
static void part(struct asked *q, size_t host, uint32_t n, struct span body) {
    struct part_body decoded = {0};
    assert_int_equal(made_put_part(q->store, made_id(1), hosts[host].p, q->tool, n, body), STORE_DONE);
    assert_int_equal(part_decode(body, q->mem, &decoded), ERR_OK);
    assert_int_equal(aggregate_add(q->a, hosts[host], 0, n, &decoded), ERR_OK);
    assert_int_equal(campaign_part(q->c, hosts[host], 0, n, decoded.outcome, made_at(1)), ERR_OK);
    made_free(body);
}

static enum rpc_status ask(struct asked *q, enum query_kind kind, const struct query *question) {
    const struct query_of of = {.campaign = q->c,
                                .aggregate = q->a,
                                .store = q->store,
                                .kind = kind,
                                .query = question,
                                .top_budget_bytes = q->top_budget_bytes,
                                .mask = q->mask};
    buf_reset(&q->out);
    enum rpc_status status = query_results(&of, q->mem, q->why, &q->out);
    if (status == RPC_OK) assert_int_equal(query_decode_answer(kind, buf_span(&q->out), q->mem, &q->answer), ERR_OK);
    return status;
}

static struct outcome ok(enum result_kind kind) {
    struct outcome o = made_ok(1);
    o.kind = kind;
    return o;
}

static void expect_note(const struct asked *q, const char *words) {
    for (size_t i = 0; i < q->answer.n_notes; i++)
        if (span_find_span(q->answer.notes[i], span_str(words)) < q->answer.notes[i].n) return;
    fail_msg("no note says \"%s\"", words);
}

static void expect_refusal(struct asked *q, enum query_kind kind, const struct query *question, enum rpc_status want, const char *words) {
    assert_int_equal(ask(q, kind, question), want);
    if (!strstr(q->why, words)) fail_msg("\"%s\" is not in: %s", words, q->why);
}

static void the_wrong_kind_is_told_the_right_verb(void **state) {
    struct asked q;
    const struct query none = {0};
    (void)state;
    begin(&q, "execsnoop");
    expect_refusal(&q, QUERY_HIST, &none, RPC_FAILED_PRECONDITION,
                   "campaign 01010101 is of execsnoop: events; try `trawl top` or `trawl events 01010101`");
    end(&q);
    begin(&q, "offcputime");
    expect_refusal(&q, QUERY_EVENTS, &none, RPC_FAILED_PRECONDITION, "stacks; try `trawl stacks");
    end(&q);
    begin(&q, "nonesuch");
    expect_refusal(&q, QUERY_TOP, &none, RPC_FAILED_PRECONDITION, "does not know");
    end(&q);
}

static void every_answer_has_coverage_ledger_and_who_is_not_ok(void **state) {
    struct asked q;
    const struct query none = {0};
    struct outcome whole = ok(RESULT_HISTOGRAM), cut = ok(RESULT_HISTOGRAM);
    (void)state;
    cut.coverage = COVERAGE_PARTIAL;
    cut.reason = SPAN_LIT("over the cap");
    cut.ledger.cap = 99;
    cut.replayed = true;
    begin(&q, "runqlat");
    part(&q, 0, 0, made_hist("usecs", 4, 10, &whole));
    part(&q, 1, 0, made_hist("usecs", 4, 5, &cut));
    assert_int_equal(ask(&q, QUERY_HIST, &none), RPC_OK);
    assert_int_equal(q.answer.info.targeted, 3);
    assert_int_equal(q.answer.info.coverage[COVERAGE_OK], 1);
    assert_int_equal(q.answer.info.coverage[COVERAGE_PARTIAL], 1);
    assert_int_equal(q.answer.info.coverage[COVERAGE_PENDING], 1);
    assert_int_equal(q.answer.info.ledger.cap, 99);
    assert_true(q.answer.info.replayed);
    assert_true(span_eq_str(q.answer.info.state, "running"));
    assert_int_equal(q.answer.n_targets, 2);
    assert_true(span_eq_str(q.answer.targets[0].host, "db-2"));
    assert_true(span_eq_str(q.answer.targets[0].reason, "over the cap"));
    assert_non_null(q.answer.targets[0].outcome);
    assert_int_equal(q.answer.targets[0].outcome->ledger.cap, 99);
    assert_int_equal(hist_total(&q.answer.merged.hists[0]), 15);
    end(&q);
}

static void another_unit_stands_beside_and_is_said(void **state) {
    struct asked q;
    const struct query none = {0};
    struct outcome o = ok(RESULT_HISTOGRAM);
    (void)state;
    begin(&q, "runqlat");
    part(&q, 2, 0, made_hist("usecs", 4, 1, &o));
    part(&q, 0, 0, made_hist("msecs", 4, 2, &o));
    part(&q, 1, 0, made_hist("msecs", 4, 4, &o));
    assert_int_equal(ask(&q, QUERY_HIST, &none), RPC_OK);
    assert_int_equal(q.answer.merged.n, 2);
    assert_int_equal(q.answer.n_host_hists, 3);
    expect_note(&q, "db-3: unit usecs does not merge with msecs");
    end(&q);
}

/* Slots [5, 9] cut through [4, 7]: they cannot be one histogram. */
static void slots_that_do_not_line_up_are_left_out_and_said(void **state) {
    struct asked q;
    const struct query none = {0};
    struct outcome o = ok(RESULT_HISTOGRAM);
    (void)state;
    begin(&q, "runqlat");
    part(&q, 1, 0, made_hist("usecs", 5, 1, &o));
    part(&q, 0, 0, made_hist("usecs", 4, 2, &o));
    assert_int_equal(ask(&q, QUERY_HIST, &none), RPC_OK);
    assert_int_equal(q.answer.merged.n, 1);
    assert_int_equal(hist_total(&q.answer.merged.hists[0]), 2); /* the first by name, not by arrival */
    expect_note(&q, "db-2: the slots of 1 of its histograms do not line up");
    assert_int_equal(q.answer.n_host_hists, 2);
    end(&q);
}

static struct span disks(uint64_t a, uint64_t b, const struct outcome *o) {
    struct hist_slot slot_a = {4, 7, a}, slot_b = {8, 15, b};
    struct hist h[2] = {
        {.unit = SPAN_LIT("usecs"), .slots = &slot_a, .n_slots = 1, .n_section = 1, .section = {{SPAN_LIT("disk"), SPAN_LIT("vda")}}},
        {.unit = SPAN_LIT("usecs"), .slots = &slot_b, .n_slots = 1, .n_section = 1, .section = {{SPAN_LIT("disk"), SPAN_LIT("vdb")}}}};
    struct outcome copy = *o;
    struct part_body body = {.kind = RESULT_HISTOGRAM, .hists = {.hists = h, .n = 2}, .outcome = &copy};
    struct buf out;
    buf_init(&out, 0);
    assert_int_equal(part_encode(&body, &out), ERR_OK);
    char *p = malloc(out.n);
    assert_non_null(p);
    memcpy(p, out.p, out.n);
    struct span s = span_of(p, out.n);
    buf_done(&out);
    return s;
}

static void sections_are_kept_chosen_or_merged_away(void **state) {
    struct asked q;
    struct outcome o = ok(RESULT_HISTOGRAM);
    (void)state;
    begin(&q, "biolatency");
    part(&q, 0, 0, disks(1, 2, &o));
    part(&q, 1, 0, disks(10, 20, &o));
    struct query plain = {0};
    assert_int_equal(ask(&q, QUERY_HIST, &plain), RPC_OK);
    assert_int_equal(q.answer.merged.n, 2);
    assert_int_equal(hist_total(&q.answer.merged.hists[0]), 11);
    assert_int_equal(q.answer.host_hists[0].hists.n, 1); /* a host's line has no sections */
    assert_int_equal(hist_total(&q.answer.host_hists[0].hists.hists[0]), 3);
    const struct query per_host = {.per_host = true};
    assert_int_equal(ask(&q, QUERY_HIST, &per_host), RPC_OK);
    assert_int_equal(q.answer.host_hists[0].hists.n, 2);
    const struct query dropped = {.drop_sections = true};
    assert_int_equal(ask(&q, QUERY_HIST, &dropped), RPC_OK);
    assert_int_equal(q.answer.merged.n, 1);
    assert_int_equal(hist_total(&q.answer.merged.hists[0]), 33);
    struct label vdb = {SPAN_LIT("disk"), SPAN_LIT("vdb")};
    const struct query one = {.section = &vdb, .n_section = 1, .drop_sections = true};
    assert_int_equal(ask(&q, QUERY_HIST, &one), RPC_OK);
    assert_int_equal(q.answer.merged.n, 1);
    assert_int_equal(hist_total(&q.answer.merged.hists[0]), 22);
    assert_int_equal(hist_total(&q.answer.host_hists[1].hists.hists[0]), 20);
    vdb.value = SPAN_LIT("vd");
    assert_int_equal(ask(&q, QUERY_HIST, &one), RPC_OK);
    assert_int_equal(q.answer.merged.n, 0);
    expect_note(&q, "no histogram has the section that was asked for; there are disk=vda, disk=vdb");
    end(&q);
}

static void put_events(struct asked *q) {
    static const char *const comms[] = {"sh", "cc1", "sh"}, *const other[] = {"ld"};
    const int64_t pids[] = {1, 2, 3}, lat[] = {150, 5, EVENTS_NULL}, more[] = {25};
    struct outcome o = ok(RESULT_EVENTS);
    part(q, 0, 0, made_events(comms, pids, lat, 3, &o));
    part(q, 1, 0, made_events(comms, pids, lat, 3, NULL));
    part(q, 1, 1, made_events(other, pids, more, 1, &o));
}

static void a_top_list_over_its_budget_has_bounds_and_says_so(void **state) {
    enum { N = 2000 };
    static int64_t pids[N], lat[N];
    static const char *comms[N];
    struct asked q;
    struct outcome o = ok(RESULT_EVENTS);
    (void)state;
    begin(&q, "execsnoop");
    for (int i = 0; i < N; i++) {
        pids[i] = 100000 + i;
        comms[i] = "sh";
    }
    part(&q, 0, 0, made_events(comms, pids, lat, N, &o));
    struct query t = {.by = SPAN_LIT("pid"), .n = 5};
    for (int per_host = 0; per_host < 2; per_host++) {
        t.per_host = per_host;
        q.top_budget_bytes = 0;
        assert_int_equal(ask(&q, QUERY_TOP, &t), RPC_OK);
        assert_true(q.answer.exact);
        assert_int_equal(q.answer.groups, N);
        q.top_budget_bytes = 256 * 1024;
        assert_int_equal(ask(&q, QUERY_TOP, &t), RPC_OK);
        assert_false(q.answer.exact);
        assert_true(q.answer.groups > 20 && q.answer.groups < N);
        assert_true(q.answer.bounded);
        assert_int_equal(q.answer.matched, N);
        for (size_t i = 0; i < q.answer.n_top; i++) assert_true(q.answer.top[i].row.count - q.answer.top[i].row.count_error <= 1);
        expect_note(&q, "more values of PID than an answer has memory for: each figure is an upper bound");
    }
    end(&q);
}

static void top_counts_sums_and_says_which_columns_there_are(void **state) {
    struct asked q;
    (void)state;
    begin(&q, "execsnoop");
    struct query t = {.by = SPAN_LIT("comm")};
    assert_int_equal(ask(&q, QUERY_TOP, &t), RPC_OK); /* nothing came yet */
    assert_int_equal(q.answer.n_top, 0);
    expect_note(&q, "no events");
    put_events(&q);
    assert_int_equal(ask(&q, QUERY_TOP, &t), RPC_OK);
    assert_true(span_eq_str(q.answer.by, "COMM"));
    assert_int_equal(q.answer.n_top, 3);
    assert_true(span_eq_str(q.answer.top[0].row.value, "sh"));
    assert_int_equal(q.answer.top[0].row.count, 4);
    assert_true(q.answer.exact);
    t.of = SPAN_LIT("lat");
    t.rank = TOP_MAX;
    t.n = 2;
    t.per_host = true;
    assert_int_equal(ask(&q, QUERY_TOP, &t), RPC_OK);
    assert_true(span_eq_str(q.answer.of, "LAT(ms)"));
    assert_int_equal(q.answer.n_top, 2);
    assert_int_equal(q.answer.groups, 5);
    assert_int_equal(q.answer.top[0].row.max, 150);
    assert_true(span_eq_str(q.answer.top[0].host, "db-1"));
    assert_true(span_eq_str(q.answer.top[1].host, "db-2"));

    t.of = SPAN_LIT("COMM");
    expect_refusal(&q, QUERY_TOP, &t, RPC_INVALID_ARGUMENT, "there is no numeric column \"COMM\"; there are PID, LAT(ms)");
    t.of = SPAN_LIT("");
    expect_refusal(&q, QUERY_TOP, &t, RPC_INVALID_ARGUMENT, "needs a numeric column");
    t.rank = TOP_COUNT;
    t.by = SPAN_LIT("nope");
    expect_refusal(&q, QUERY_TOP, &t, RPC_INVALID_ARGUMENT,
                   "there is no column \"nope\"; there are PID, COMM, LAT(ms), host and label:KEY");
    end(&q);
}

/* Two rows of a task and its arguments. */
static struct span commands(struct asked *q, struct outcome *o) {
    static const struct span texts[][2] = {{{"sh", 2}, {"-c secret", 9}}, {{"cc1", 3}, {"x.c", 3}}};
    const struct column columns[] = {{.name = SPAN_LIT("PCOMM"), .unit = SPAN_LIT(""), .type = COLUMN_TEXT},
                                     {.name = SPAN_LIT("ARGS"), .unit = SPAN_LIT(""), .type = COLUMN_TEXT}};
    struct part_body body = {.kind = RESULT_EVENTS, .outcome = o};
    struct buf out;
    assert_int_equal(events_init(&body.events, columns, 2, q->mem), ERR_OK);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        size_t row = 0;
        assert_int_equal(events_row(&body.events, q->mem, &row), ERR_OK);
        for (size_t k = 0; k < 2; k++)
            assert_int_equal(strings_add(&body.events.strings, texts[i][k], &body.events.columns[k].text[row]), ERR_OK);
    }
    buf_init(&out, 0);
    assert_int_equal(part_encode(&body, &out), ERR_OK);
    return buf_span(&out);
}

static void what_a_role_is_not_shown_cannot_be_asked_for(void **state) {
    struct asked q;
    struct outcome o = ok(RESULT_EVENTS);
    struct span note = SPAN_LIT("the tool said: secret");
    const struct query all = {0}, by_args = {.by = SPAN_LIT("ARGS")}, by_comm = {.by = SPAN_LIT("PCOMM")};
    const struct query filtered = {.by = SPAN_LIT("PCOMM"), .where = SPAN_LIT("ARGS=x.c")};
    (void)state;
    o.notes = &note;
    o.n_notes = 1;
    o.leftover = SPAN_LIT("secret");
    for (unsigned masked = 0; masked < 2; masked++) {
        const enum rpc_status then = masked ? RPC_INVALID_ARGUMENT : RPC_OK;
        begin(&q, "execsnoop");
        part(&q, 0, 0, commands(&q, &o));
        q.mask = masked ? 1u << CATALOG_CLASS_ARGS | 1u << CATALOG_CLASS_HOST : 0;
        assert_int_equal(ask(&q, QUERY_EVENTS, &all), RPC_OK);
        assert_int_equal(q.answer.host_events[0].events.n_columns, 2 - masked);
        assert_int_equal(q.answer.measured[0].outcome->n_notes, 1 - masked);
        assert_int_equal(q.answer.measured[0].outcome->leftover.n, masked ? 0 : 6);
        if (masked) expect_note(&q, "ARGS: this collector does not show them to operators of your role");
        assert_int_equal(span_find_span(buf_span(&q.out), SPAN_LIT("secret")) < q.out.n, !masked);
        assert_int_equal(ask(&q, QUERY_TOP, &by_comm), RPC_OK);
        assert_int_equal(ask(&q, QUERY_TOP, &by_args), then);
        assert_int_equal(ask(&q, QUERY_TOP, &filtered), then);
        assert_int_equal(ask(&q, QUERY_EVENTS, &filtered), then);
        struct campaign_detail detail = {0};
        assert_int_equal(query_detail(q.c, q.mask, q.mem, &detail), ERR_OK);
        assert_int_equal(detail.targets[0].outcome->n_notes, 1 - masked);
        end(&q);
    }
}

static void a_masked_section_is_neither_told_nor_found(void **state) {
    struct asked q;
    struct outcome o = ok(RESULT_HISTOGRAM);
    struct label there = {SPAN_LIT("Remote Address"), SPAN_LIT("10.1.2.3")};
    struct hist_slot slot = {.low = 4, .high = 7, .count = 10};
    struct hist h = {.unit = SPAN_LIT("usecs"), .slots = &slot, .n_slots = 1, .interval = SPAN_LIT(""), .section = {there}, .n_section = 1};
    struct part_body body = {.kind = RESULT_HISTOGRAM, .hists = {&h, 1}, .outcome = &o};
    const struct query all = {0}, one = {.section = &there, .n_section = 1};
    struct buf out;
    (void)state;
    buf_init(&out, 0);
    assert_int_equal(part_encode(&body, &out), ERR_OK);
    begin(&q, "tcprtt");
    part(&q, 0, 0, buf_span(&out));
    q.mask = 1u << CATALOG_CLASS_HOST;
    assert_int_equal(ask(&q, QUERY_HIST, &all), RPC_OK);
    assert_true(span_eq(q.answer.merged.hists[0].section[0].value, CATALOG_CLASS_MARK));
    assert_true(span_find_span(buf_span(&q.out), there.value) == q.out.n);
    assert_int_equal(ask(&q, QUERY_HIST, &one), RPC_OK);
    assert_int_equal(q.answer.merged.n, 0);
    end(&q);
}

static void events_are_shared_out_fairly_and_counted_in_all(void **state) {
    struct asked q;
    struct query t = {.n = 4};
    (void)state;
    begin(&q, "execsnoop");
    put_events(&q);
    assert_int_equal(ask(&q, QUERY_EVENTS, &t), RPC_OK);
    assert_int_equal(q.answer.total, 7);
    assert_int_equal(q.answer.n_host_events, 2);
    assert_int_equal(q.answer.host_events[0].events.n_rows, 2);
    assert_int_equal(q.answer.host_events[1].events.n_rows, 2);
    expect_note(&q, "4 of 7 rows");
    t.n = 0;
    assert_int_equal(ask(&q, QUERY_EVENTS, &t), RPC_OK);
    assert_int_equal(q.answer.host_events[1].events.n_rows, 4);
    assert_int_equal(q.answer.n_notes, 0);
    const struct events *e = &q.answer.host_events[0].events;
    assert_int_equal(e->columns[2].number[2], EVENTS_NULL);
    assert_true(span_eq_str(e->strings.text[e->columns[1].text[1]], "cc1"));
    end(&q);
}

static void a_stored_part_that_cannot_be_read_is_said_and_left_out(void **state) {
    struct asked q;
    struct query t = {.by = SPAN_LIT("COMM")};
    (void)state;
    begin(&q, "execsnoop");
    put_events(&q);
    assert_int_equal(made_put_part(q.store, made_id(1), "db-3", "execsnoop", 2, SPAN_LIT("\377\377")), STORE_DONE);
    assert_int_equal(aggregate_unread(q.a, SPAN_LIT("db-3")), ERR_OK); /* as whoever could not read the part does */
    assert_int_equal(ask(&q, QUERY_TOP, &t), RPC_OK);
    assert_int_equal(q.answer.n_top, 3);
    assert_false(q.answer.exact);
    expect_note(&q, "db-3: its part 2 cannot be read");
    assert_int_equal(ask(&q, QUERY_EVENTS, &t), RPC_OK);
    assert_int_equal(q.answer.total, 7);
    expect_note(&q, "db-3: its part 2 cannot be read");
    end(&q);
}

static void stacks_are_cut_to_the_best_with_the_whole_told(void **state) {
    struct asked q;
    struct outcome o = ok(RESULT_STACKS);
    struct query t = {.n = 1};
    (void)state;
    begin(&q, "offcputime");
    assert_int_equal(ask(&q, QUERY_STACKS, &t), RPC_OK);
    assert_int_equal(q.answer.stacks.n_rows, 0);
    part(&q, 0, 0, made_stacks("schedule", 5, &o));
    part(&q, 1, 0, made_stacks("schedule", 5, &o));
    part(&q, 2, 0, made_stacks("futex_wait", 7, &o));
    assert_int_equal(ask(&q, QUERY_STACKS, &t), RPC_OK);
    assert_int_equal(q.answer.stacks.n_rows, 1);
    assert_int_equal(q.answer.stacks.rows[0].count, 10);
    assert_int_equal(q.answer.total, 17);
    assert_int_equal(q.answer.distinct, 2);
    uint32_t nodes[4];
    assert_int_equal(stacks_frames(&q.answer.stacks, q.answer.stacks.rows[0].leaf, nodes, 4), 2);
    assert_int_equal(q.answer.stacks.nodes[nodes[1]].kind, FRAME_KERNEL);
    end(&q);
}

static void an_answer_over_its_memory_says_to_ask_for_less(void **state) {
    struct asked q;
    const struct query none = {0};
    struct outcome o = ok(RESULT_HISTOGRAM);
    (void)state;
    begin(&q, "runqlat");
    part(&q, 0, 0, made_hist("usecs", 4, 1, &o));
    const struct query_of of = {.campaign = q.c, .aggregate = q.a, .store = q.store, .kind = QUERY_HIST, .query = &none};
    size_t refused = 0;
    for (size_t budget = 64; budget < 32768; budget += 64) {
        struct arena *small = arena_new(budget);
        struct buf out;
        buf_init(&out, 0);
        enum rpc_status status = query_results(&of, small, q.why, &out);
        assert_true(status == RPC_OK || status == RPC_RESOURCE_EXHAUSTED);
        if (status != RPC_OK) {
            refused++;
            assert_non_null(strstr(q.why, "ask for less"));
        }
        buf_done(&out);
        arena_free(small);
    }
    assert_true(refused > 0);
    end(&q);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wrong_kind_is_told_the_right_verb),
        cmocka_unit_test(every_answer_has_coverage_ledger_and_who_is_not_ok),
        cmocka_unit_test(another_unit_stands_beside_and_is_said),
        cmocka_unit_test(slots_that_do_not_line_up_are_left_out_and_said),
        cmocka_unit_test(sections_are_kept_chosen_or_merged_away),
        cmocka_unit_test(a_top_list_over_its_budget_has_bounds_and_says_so),
        cmocka_unit_test(top_counts_sums_and_says_which_columns_there_are),
        cmocka_unit_test(what_a_role_is_not_shown_cannot_be_asked_for),
        cmocka_unit_test(a_masked_section_is_neither_told_nor_found),
        cmocka_unit_test(events_are_shared_out_fairly_and_counted_in_all),
        cmocka_unit_test(a_stored_part_that_cannot_be_read_is_said_and_left_out),
        cmocka_unit_test(stacks_are_cut_to_the_best_with_the_whole_told),
        cmocka_unit_test(an_answer_over_its_memory_says_to_ask_for_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
