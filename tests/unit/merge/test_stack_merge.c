#include "tests/unit/merge/made.h"

#include "common/base/buf.h"
#include "common/base/num.h"
#include "common/merge/stack_merge.h"

static struct stacks empty(struct arena *mem, const char *unit) {
    struct stacks s;
    assert_int_equal(stacks_init(&s, span_str(unit), mem), ERR_OK);
    return s;
}

/* path: "main;read;[k]sys_read" */
static void put(struct stacks *s, const char *comm, int64_t pid, const char *path, uint64_t count) {
    uint32_t at = STACKS_ROOT;
    struct span rest = span_str(path), frame;
    while (rest.n) {
        span_cut(rest, ';', &frame, &rest);
        enum frame_kind kind = span_starts(frame, SPAN_LIT("[k]")) ? FRAME_KERNEL : FRAME_USER;
        assert_int_equal(stacks_node(s, at, kind == FRAME_KERNEL ? span_drop(frame, 3) : frame, kind, &at), ERR_OK);
    }
    assert_int_equal(stacks_add(s, at, span_str(comm), pid, count), ERR_OK);
}

static void dump_row(const struct stacks *s, const struct stack_row *row, struct buf *out) {
    uint32_t path[64];
    size_t depth = stacks_frames(s, row->leaf, path, COUNT_OF(path));
    assert_true(depth <= COUNT_OF(path));
    buf_add(out, s->strings.text[row->comm]);
    for (size_t i = 0; i < depth; i++) {
        buf_add_str(out, s->nodes[path[i]].kind == FRAME_KERNEL ? ";[k]" : ";");
        buf_add(out, s->strings.text[s->nodes[path[i]].frame]);
    }
    buf_add_fmt(out, " %llu\n", (unsigned long long)row->count);
}

static void dump(const struct stack_merge *m, size_t n, struct buf *out) {
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    const struct stack_row **rows = NULL;
    size_t n_rows = 0;
    assert_int_equal(stack_merge_top(m, n, mem, &rows, &n_rows), ERR_OK);
    for (size_t i = 0; i < n_rows; i++) {
        assert_int_equal(rows[i]->pid, STACKS_NO_PID);
        dump_row(stack_merge_view(m), rows[i], out);
    }
    assert_int_equal(buf_failed(out), ERR_OK);
}

static void assert_dump(const struct stack_merge *m, size_t n, const char *want) {
    struct buf got;
    buf_init(&got, 0);
    dump(m, n, &got);
    assert_string_equal(buf_str(&got), want);
    buf_done(&got);
}

static void the_same_stack_of_two_hosts_adds_up_without_its_pids(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    AUTO(stack_merge_free) struct stack_merge *m = stack_merge_new(1 << 20);
    struct stacks a = empty(mem, "usecs"), b = empty(mem, "usecs");
    put(&a, "bash", 10, "main;read", 5);
    put(&a, "bash", 11, "main;read", 6);
    put(&a, "bash", 11, "main", 1);
    put(&b, "bash", 900, "main;read", 7);
    put(&b, "bash", 900, "main;[k]read", 2); /* the kernel's read is another one */
    put(&b, "", STACKS_NO_PID, "main;read", 3);
    assert_int_equal(stack_merge_add(m, &a), ERR_OK);
    assert_int_equal(stack_merge_add(m, &b), ERR_OK);
    assert_dump(m, 0, "bash;main;read 18\n;main;read 3\nbash;main;[k]read 2\nbash;main 1\n");
    assert_dump(m, 2, "bash;main;read 18\n;main;read 3\n");
    assert_dump(m, 99, "bash;main;read 18\n;main;read 3\nbash;main;[k]read 2\nbash;main 1\n");
    assert_true(span_eq_str(stack_merge_view(m)->unit, "usecs"));
    assert_int_equal(stacks_total(stack_merge_view(m)), 24);
}

static void ties_go_by_process_and_then_by_frames_from_the_root(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    AUTO(stack_merge_free) struct stack_merge *m = stack_merge_new(1 << 20);
    struct stacks s = empty(mem, "samples");
    static const char *const paths[] = {"b", "a;z", "a;b;c", "a;b", "a", "", "a;b;[k]c", "b;a"};
    for (size_t i = 0; i < COUNT_OF(paths); i++) put(&s, "x", 1, paths[i], 4);
    put(&s, "w", 1, "zz", 4);
    assert_int_equal(stack_merge_add(m, &s), ERR_OK);
    assert_dump(m, 0, "w;zz 4\nx 4\nx;a 4\nx;a;b 4\nx;a;b;c 4\nx;a;b;[k]c 4\nx;a;z 4\nx;b 4\nx;b;a 4\n");
}

static void another_unit_is_refused_and_an_empty_set_has_none(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    AUTO(stack_merge_free) struct stack_merge *m = stack_merge_new(1 << 20);
    struct stacks none = empty(mem, ""), us = empty(mem, "usecs"), samples = empty(mem, "samples"), zero = {0};
    put(&us, "x", 1, "a", 1);
    put(&samples, "x", 1, "a", 1);
    assert_int_equal(stack_merge_add(m, &none), ERR_OK);
    assert_int_equal(stack_merge_add(m, &zero), ERR_OK);
    assert_dump(m, 0, "");
    assert_int_equal(stack_merge_add(m, &us), ERR_OK);
    assert_int_equal(stack_merge_add(m, &samples), ERR_REFUSED);
    assert_dump(m, 0, "x;a 1\n");
}

static void a_full_budget_keeps_what_was_merged_before(void **state) {
    (void)state;
    AUTO(stack_merge_free) struct stack_merge *m = stack_merge_new(64 << 10);
    enum err e = ERR_OK;
    uint64_t total = 0;
    for (unsigned i = 0; !e; i++) {
        AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
        struct stacks s = empty(mem, "usecs");
        char path[64];
        snprintf(path, sizeof path, "main;f%u;g%u", i, i);
        put(&s, "x", 1, path, 1);
        e = stack_merge_add(m, &s);
        if (!e) total++;
        assert_int_equal(stacks_total(stack_merge_view(m)), total);
    }
    assert_int_equal(e, ERR_NOMEM);
    assert_true(total > 50);
}

static void a_budget_too_small_for_anything_makes_no_merge(void **state) {
    (void)state;
    assert_null(stack_merge_new(0));
    assert_null(stack_merge_new(2048));
    stack_merge_free(NULL);
}

static void a_top_list_over_the_budget_is_said(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    AUTO(stack_merge_free) struct stack_merge *m = stack_merge_new(1 << 20);
    struct stacks s = empty(mem, "usecs");
    const struct stack_row **rows = NULL;
    size_t n = 77;
    put(&s, "x", 1, "a", 1);
    put(&s, "x", 1, "b", 1);
    put(&s, "x", 1, "c", 1);
    assert_int_equal(stack_merge_add(m, &s), ERR_OK);
    AUTO(arena_free) struct arena *small = arena_new(16);
    assert_int_equal(stack_merge_top(m, 0, small, &rows, &n), ERR_NOMEM);
    assert_null(rows);
    assert_int_equal(n, 77);
}

static struct stacks random_stacks(struct gen *g, struct arena *mem) {
    static const char *const frames[] = {"main", "read", "[k]read", "write", "f"}, *const comms[] = {"bash", "x", ""};
    struct stacks s = empty(mem, "usecs");
    for (size_t n = gen_below(g, 6); n > 0; n--) {
        char path[64] = "";
        size_t at = 0;
        for (size_t d = gen_below(g, 4); d > 0; d--)
            at += (size_t)snprintf(path + at, sizeof path - at, "%s%s", at ? ";" : "", frames[gen_below(g, 5)]);
        put(&s, comms[gen_below(g, 3)], (int64_t)gen_below(g, 3), path, gen_u64(g) >> (4 + gen_below(g, 59)));
    }
    return s;
}

static void merging_is_commutative_associative_and_loses_no_count(void **state) {
    (void)state;
    struct gen g = made_gen();
    for (size_t c = 0; c < CASES; c++) {
        uint64_t total = 0;
        AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
        AUTO(stack_merge_free) struct stack_merge *one = stack_merge_new(1 << 20), *left = stack_merge_new(1 << 20),
                                                   *right = stack_merge_new(1 << 20);
        struct stacks sets[4];
        size_t order[4], n = gen_below(&g, 5);
        for (size_t i = 0; i < n; i++) {
            sets[i] = random_stacks(&g, mem);
            total = num_sat_add(total, stacks_total(&sets[i]));
        }
        made_shuffle(&g, order, n);
        for (size_t i = 0; i < n; i++) assert_int_equal(stack_merge_add(one, &sets[order[i]]), ERR_OK);
        made_shuffle(&g, order, n);
        size_t cut = gen_below(&g, n + 1);
        for (size_t i = 0; i < n; i++) assert_int_equal(stack_merge_add(i < cut ? left : right, &sets[order[i]]), ERR_OK);
        assert_int_equal(stack_merge_add(left, stack_merge_view(right)), ERR_OK);
        struct buf a, b;
        buf_init(&a, 0);
        buf_init(&b, 0);
        dump(one, 0, &a);
        dump(left, 0, &b);
        if (!span_eq(buf_span(&a), buf_span(&b)) || stacks_total(stack_merge_view(one)) != total)
            fail_msg("case %zu:\n%s\n%s", c, buf_str(&a), buf_str(&b));
        buf_done(&a);
        buf_done(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_stack_of_two_hosts_adds_up_without_its_pids),
        cmocka_unit_test(ties_go_by_process_and_then_by_frames_from_the_root),
        cmocka_unit_test(another_unit_is_refused_and_an_empty_set_has_none),
        cmocka_unit_test(a_full_budget_keeps_what_was_merged_before),
        cmocka_unit_test(a_budget_too_small_for_anything_makes_no_merge),
        cmocka_unit_test(a_top_list_over_the_budget_is_said),
        cmocka_unit_test(merging_is_commutative_associative_and_loses_no_count),
    };
    return cmocka_run_group_tests_name("stack_merge", tests, NULL, NULL);
}
