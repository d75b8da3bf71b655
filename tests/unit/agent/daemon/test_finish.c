/* The end of a capture: from a print-out to what waits in the spool, and what is said when it cannot be kept. */
#include <signal.h>

#include "agent/daemon/finish.h"
#include "tests/unit/agent/daemon/stage.h"

static struct finish finish_of(struct stage *s, unsigned char campaign) {
    const struct campaign_id id = stage_id(campaign);
    assert_int_equal(journal_take(s->journal, &id, &(struct journal_order){.tool = SPAN_LIT("execsnoop"), .expires_wall_ms = UINT64_MAX}),
                     ERR_OK);
    return (struct finish){.spool = s->spool, .journal = s->journal, .campaign = id, .tool = SPAN_LIT("execsnoop"), .last = true};
}

static struct outcome_facts facts_of(enum tool_id id, const struct report *ended) {
    const struct tool *t = catalog_tool(id);
    return (struct outcome_facts){.tool = t, .flavour = catalog_flavour(t, FLAVOUR_LIBBPF), .ended = ended, .out_cap_bytes = 50 << 20};
}

/* Every row has an argument that no other has, and every one is needed. */
static size_t print_much(struct buf *out, size_t bytes) {
    size_t rows = 0;
    buf_add_str(out, "TIME     PCOMM            PID    PPID   RET ARGS\n");
    for (; out->n < bytes; rows++) buf_add_fmt(out, "11:07:42 true             %-6zu 1        0 /bin/true %zu \n", rows % 30000, rows);
    assert_int_equal(buf_failed(out), ERR_OK);
    return rows;
}

static void a_print_out_too_large_for_the_budget_is_read_as_far_as_it_fits(void **state) {
    struct stage *s = *state;
    struct told t;
    struct buf text;
    const struct report ended = {.kind = REPORT_ENDED};
    stage_spool_cap(s, 64 << 20);
    buf_init(&text, 0);
    size_t rows = print_much(&text, 40 << 20);
    struct finish f = finish_of(s, 1);
    struct outcome_facts facts = facts_of(TOOL_EXECSNOOP, &ended);
    assert_int_equal(finish_capture(&f, &facts, buf_span(&text)), COVERAGE_PARTIAL);
    assert_true(stage_told(s, 1, &t));
    assert_in_range(t.rows, 1000, rows - 1);
    assert_in_range(t.outcome.ledger.cap, text.n / 2, text.n - 1);
    assert_true(t.outcome.ledger.parse == 0); /* cut between two lines, not in one */
    stage_ends(s, 1, COVERAGE_PARTIAL, "more memory than a capture may use");
    buf_done(&text);
}

static void what_a_killed_tool_left_is_partial(void **state) {
    struct stage *s = *state;
    struct told t;
    const struct report ended = {.kind = REPORT_ENDED, .signal = SIGKILL, .exit_code = -1, .last_stop_signal = SIGKILL};
    struct finish f = finish_of(s, 1);
    struct outcome_facts facts = facts_of(TOOL_EXECSNOOP, &ended);
    const struct span text = SPAN_LIT("TIME     PCOMM            PID    PPID   RET ARGS\n"
                                      "11:07:42 true             17     1        0 /bin/true \n"
                                      "11:07:42 true             18     1        0 /bin/tr");
    assert_int_equal(finish_capture(&f, &facts, text), COVERAGE_PARTIAL);
    assert_true(stage_told(s, 1, &t));
    assert_int_equal(t.rows, 1); /* the half row is not taken for a whole one */
    stage_ends(s, 1, COVERAGE_PARTIAL, "had to be killed");
}

static void a_spool_that_cannot_be_written_is_told_from_memory_and_leaves_the_order_open(void **state) {
    struct stage *s = *state;
    const struct report ended = {.kind = REPORT_ENDED};
    struct finish f = finish_of(s, 1);
    struct outcome_facts facts = facts_of(TOOL_EXECSNOOP, &ended);
    folder_remove(&s->dir);
    assert_int_equal(finish_capture(&f, &facts, SPAN_LIT("TIME     PCOMM            PID    PPID   RET ARGS\n")), COVERAGE_FAILED);
    stage_ends(s, 1, COVERAGE_FAILED, "could not be spooled (No such file or directory)");
    assert_false(journal_find(s->journal, &f.campaign)->done); /* told as cut short after a restart */
}

/* Campaign first fills the spool; then the next comes. */
static enum coverage finish_two(struct stage *s, unsigned char first, bool drop_oldest) {
    const struct report ended = {.kind = REPORT_ENDED};
    enum coverage last = COVERAGE_PENDING;
    struct buf text;
    buf_init(&text, 0);
    print_much(&text, 400 << 10);
    stage_spool_cap(s, 200 << 10);
    for (unsigned char i = first; i <= first + 1; i++) {
        struct finish f = finish_of(s, i);
        struct outcome_facts facts = facts_of(TOOL_EXECSNOOP, &ended);
        f.drop_oldest = drop_oldest;
        last = finish_capture(&f, &facts, buf_span(&text));
    }
    buf_done(&text);
    return last;
}

static void a_full_spool_gives_up_the_newest_or_the_oldest_as_the_host_wants_and_says_it(void **state) {
    struct stage *s = *state;
    struct told t;
    assert_int_equal(finish_two(s, 1, false), COVERAGE_FAILED);
    stage_ends(s, 1, COVERAGE_OK, "");
    stage_ends(s, 2, COVERAGE_FAILED, "the spool is full");
    assert_true(stage_told(s, 2, &t) && t.outcome.ledger.spool > 100 << 10 && t.rows == 0);
    stage_acknowledge(s);
    assert_int_equal(finish_two(s, 3, true), COVERAGE_OK);
    stage_ends(s, 3, COVERAGE_FAILED, "spool_drop = oldest");
    assert_true(stage_told(s, 3, &t) && t.outcome.ledger.spool > 100 << 10 && t.rows == 0);
    assert_true(stage_told(s, 4, &t) && t.outcome.ledger.spool == 0 && t.rows > 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_print_out_too_large_for_the_budget_is_read_as_far_as_it_fits),
        TEST(what_a_killed_tool_left_is_partial),
        TEST(a_full_spool_gives_up_the_newest_or_the_oldest_as_the_host_wants_and_says_it),
        TEST(a_spool_that_cannot_be_written_is_told_from_memory_and_leaves_the_order_open),
    };
    return cmocka_run_group_tests(tests, stage_group_setup, stage_group_teardown);
}
