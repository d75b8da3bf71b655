/* Stacks of several campaigns as one answer: counts add up before anything is cut off, heads stay apart. */
#include "tests/unit/console/printed.h"

#include "common/json/json_answer.h"
#include "console/cli/several.h"
#include "console/render/summary.h"

struct made_row {
    const char *comm, *frames; /* a frame is a letter */
    uint64_t count;
};

static struct answer made(struct arena *mem, const char *id, const char *unit, const struct made_row *rows, size_t n) {
    struct answer a = {
        .info = {.id = span_str(id), .spec = {.tool = SPAN_LIT("profile"), .duration_s = 10}, .state = SPAN_LIT("done"), .targeted = 2}};
    assert_int_equal(stacks_init(&a.stacks, span_str(unit), mem), ERR_OK);
    for (size_t i = 0; i < n; i++) {
        uint32_t at = STACKS_ROOT;
        for (const char *f = rows[i].frames; *f; f++) assert_int_equal(stacks_node(&a.stacks, at, span_of(f, 1), FRAME_USER, &at), ERR_OK);
        assert_int_equal(stacks_add(&a.stacks, at, span_str(rows[i].comm), STACKS_NO_PID, rows[i].count), ERR_OK);
    }
    a.total = stacks_total(&a.stacks);
    a.whole = a.total + 1; /* as if --ignore had left one out */
    a.distinct = (uint32_t)a.stacks.n_rows;
    return a;
}

static const struct made_row first[] = {{"curl", "ab", 10}, {"curl", "ac", 6}, {"sshd", "ab", 1}};
static const struct made_row second[] = {{"sshd", "d", 9}, {"curl", "ac", 6}};

static const char *row(const struct answer *a, size_t i, char *out, size_t size) {
    uint32_t nodes[8];
    size_t n = stacks_frames(&a->stacks, a->stacks.rows[i].leaf, nodes, 8), at = 0;
    for (size_t d = 0; d < n; d++)
        at += (size_t)snprintf(out + at, size - at, "%.1s", a->stacks.strings.text[a->stacks.nodes[nodes[d]].frame].p);
    struct span comm = a->stacks.strings.text[a->stacks.rows[i].comm];
    snprintf(out + at, size - at, " %.*s %llu", (int)comm.n, comm.p, (unsigned long long)a->stacks.rows[i].count);
    return out;
}

static void the_largest_of_all_together_is_found_though_it_is_the_largest_of_none(void **state) {
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    const struct query q = {.n = 2};
    char text[64];
    struct answer sum;
    (void)state;
    const struct answer each[] = {made(mem, "aaaa", "samples", first, 3), made(mem, "bbbb", "samples", second, 2)};
    assert_int_equal(several_sum(each, 2, &q, mem, &sum), ERR_OK);
    assert_true(sum.total == 32 && sum.whole == 34 && sum.distinct == 4 && sum.stacks.n_rows == 2);
    assert_string_equal(row(&sum, 0, text, sizeof text), "ac curl 12");
    assert_string_equal(row(&sum, 1, text, sizeof text), "ab curl 10");
}

static void parts_add_up_by_name(void **state) {
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct stack_part hosts[] = {{SPAN_LIT("web-1"), 17, 17}}, others[] = {{SPAN_LIT("web-2"), 14, 14}, {SPAN_LIT("web-1"), 1, 1}};
    static const struct {
        const char *by, *name;
        enum stack_rank rank;
        uint64_t self, total;
        uint32_t all;
    } want[] = {{"host", "web-1", STACK_BY_SELF, 18, 18, 2},
                {"process", "curl", STACK_BY_SELF, 22, 22, 2},
                {"frame", "c", STACK_BY_SELF, 12, 12, 4},
                {"frame", "a", STACK_BY_TOTAL, 0, 23, 4}};
    (void)state;
    struct answer each[] = {made(mem, "aaaa", "samples", first, 3), made(mem, "bbbb", "samples", second, 2)};
    each[0].parts = hosts, each[0].n_parts = 1;
    each[1].parts = others, each[1].n_parts = 2;
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        const struct query q = {.n = 1, .by = span_str(want[i].by), .stack_rank = want[i].rank};
        struct answer sum;
        assert_int_equal(several_sum(each, 2, &q, mem, &sum), ERR_OK);
        assert_int_equal(sum.n_parts, 1);
        assert_true(span_eq_str(sum.parts[0].name, want[i].name));
        assert_true(sum.parts[0].self == want[i].self && sum.parts[0].total == want[i].total && sum.all_parts == want[i].all);
    }
}

static void other_units_are_refused_and_nothing_measured_is_none(void **state) {
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    const struct query q = {.n = 0};
    struct answer sum;
    (void)state;
    struct answer each[] = {made(mem, "aaaa", "samples", first, 3), made(mem, "bbbb", "usecs", second, 2)};
    assert_int_equal(several_sum(each, 2, &q, mem, &sum), ERR_REFUSED);
    each[1] = made(mem, "bbbb", "", NULL, 0);
    assert_int_equal(several_sum(each, 2, &q, mem, &sum), ERR_OK);
    assert_true(sum.total == 17 && span_eq_str(sum.stacks.unit, "samples"));
}

static void each_campaign_keeps_its_coverage_and_its_ledger(void **state) {
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    const struct query q = {.n = 0};
    struct answer sum;
    struct buf text;
    (void)state;
    struct answer each[] = {made(mem, "aaaa", "samples", first, 3), made(mem, "bbbb", "samples", second, 2)};
    each[0].info.coverage[COVERAGE_OK] = 2;
    each[1].info.coverage[COVERAGE_OK] = each[1].info.coverage[COVERAGE_OFFLINE] = 1;
    each[1].info.ledger.kernel = 7;
    assert_int_equal(several_sum(each, 2, &q, mem, &sum), ERR_OK);
    assert_int_equal(several_exit_code(&sum), EXIT_PARTIAL);
    buf_init(&text, 0);
    assert_int_equal(summary_title(&sum, &text), ERR_OK);
    assert_string_equal(buf_str(&text),
                        "profile · 2 of 2 hosts · 10 s · campaign aaaa · lost: nothing · and profile · 1 of 2 hosts · 1 offline"
                        " · 10 s · campaign bbbb · lost: 7 events lost in the kernel's buffers");
    buf_reset(&text);
    assert_int_equal(json_answer_stacks(&sum, &text), ERR_OK);
    const char *json = buf_str(&text), *list = strstr(json, "\"campaigns\"");
    assert_non_null(list);
    const char *of_first = strstr(list, "\"aaaa\""), *of_second = strstr(list, "\"bbbb\"");
    assert_true(of_first && of_second && of_first < of_second);
    assert_true(strstr(json, "\"coverage\"") > list); /* none that could be taken for that of all */
    buf_done(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_of_all_together_is_found_though_it_is_the_largest_of_none),
        cmocka_unit_test(parts_add_up_by_name),
        cmocka_unit_test(other_units_are_refused_and_nothing_measured_is_none),
        cmocka_unit_test(each_campaign_keeps_its_coverage_and_its_ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
