#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/model/stacks_many.h"
#include "tests/support/gen.h"

static uint32_t node(struct stacks *s, uint32_t parent, const char *frame, enum frame_kind kind) {
    uint32_t n = 0;
    assert_int_equal(stacks_node(s, parent, span_str(frame), kind, &n), ERR_OK);
    return n;
}

static void equal_paths_are_one_node_and_kinds_differ(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct stacks s;
    assert_int_equal(stacks_init(&s, SPAN_LIT("usecs"), mem), ERR_OK);
    uint32_t main_ = node(&s, STACKS_ROOT, "main", FRAME_USER);
    uint32_t read_ = node(&s, main_, "read", FRAME_USER);
    assert_int_equal(node(&s, STACKS_ROOT, "main", FRAME_USER), main_);
    assert_int_equal(node(&s, main_, "read", FRAME_USER), read_);
    assert_int_not_equal(node(&s, main_, "read", FRAME_KERNEL), read_);
    assert_int_not_equal(node(&s, STACKS_ROOT, "read", FRAME_USER), read_);
    assert_int_equal(s.n_nodes, 5);
    uint32_t child = 0;
    assert_int_equal(stacks_child(&s, main_, s.nodes[read_].frame, FRAME_USER, &child), ERR_OK);
    assert_int_equal(child, read_);
    assert_true(span_eq_str(s.unit, "usecs"));
}

static void rows_of_one_process_and_stack_add_up_and_saturate(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct stacks s;
    assert_int_equal(stacks_init(&s, SPAN_LIT("usecs"), mem), ERR_OK);
    uint32_t leaf = node(&s, STACKS_ROOT, "main", FRAME_USER), row = 9;
    assert_int_equal(stacks_add(&s, leaf, SPAN_LIT("bash"), 1, 5), ERR_OK);
    assert_int_equal(stacks_add(&s, leaf, SPAN_LIT("bash"), 1, 6), ERR_OK);
    assert_int_equal(stacks_add(&s, leaf, SPAN_LIT("bash"), 2, 7), ERR_OK);
    assert_int_equal(stacks_add(&s, leaf, SPAN_LIT("dash"), 1, 8), ERR_OK);
    assert_int_equal(stacks_add(&s, leaf, SPAN_NONE, STACKS_NO_PID, 9), ERR_OK);
    assert_int_equal(stacks_add(&s, STACKS_ROOT, SPAN_LIT("bash"), 1, 10), ERR_OK); /* a process without frames */
    assert_int_equal(s.n_rows, 5);
    assert_int_equal(s.rows[0].count, 11);
    assert_int_equal(s.rows[3].comm, 0);
    assert_int_equal(stacks_total(&s), 45);
    assert_int_equal(stacks_row(&s, leaf, SPAN_LIT("bash"), 2, &row), ERR_OK);
    assert_int_equal(row, 1);
    assert_int_equal(stacks_row(&s, leaf, SPAN_LIT("new"), 2, &row), ERR_OK);
    assert_int_equal(row, 5);
    assert_int_equal(s.rows[5].count, 0);
    assert_int_equal(stacks_add(&s, leaf, SPAN_LIT("bash"), 1, UINT64_MAX), ERR_OK);
    assert_true(s.rows[0].count == UINT64_MAX);
    assert_true(stacks_total(&s) == UINT64_MAX);
}

static void frames_come_root_first_and_a_short_array_gets_those_next_to_the_root(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct stacks s;
    uint32_t path[4] = {0};
    assert_int_equal(stacks_init(&s, SPAN_LIT("samples"), mem), ERR_OK);
    uint32_t a = node(&s, STACKS_ROOT, "a", FRAME_USER), b = node(&s, a, "b", FRAME_USER), c = node(&s, b, "c", FRAME_KERNEL);
    assert_int_equal(stacks_frames(&s, c, path, 4), 3);
    assert_int_equal(path[0], a);
    assert_int_equal(path[1], b);
    assert_int_equal(path[2], c);
    path[2] = 77;
    assert_int_equal(stacks_frames(&s, c, path, 2), 3);
    assert_int_equal(path[1], b);
    assert_int_equal(path[2], 77);
    assert_int_equal(stacks_frames(&s, STACKS_ROOT, path, 4), 0);
    assert_int_equal(stacks_frames(&s, c, NULL, 0), 3);
}

static void a_large_tree_is_found_again_and_parents_come_first(void **state) {
    (void)state;
    enum { STACKS = 2000, DEPTH = 30 };
    AUTO(arena_free) struct arena *mem = arena_new(64 << 20);
    struct stacks s;
    size_t n_nodes = 0;
    assert_int_equal(stacks_init(&s, SPAN_LIT("samples"), mem), ERR_OK);
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < STACKS; i++) {
            uint32_t at = STACKS_ROOT;
            for (unsigned d = 0; d < DEPTH; d++) {
                char frame[32];
                snprintf(frame, sizeof frame, "f%u", i % (d + 1) * 31 + d);
                at = node(&s, at, frame, d > 20 ? FRAME_KERNEL : FRAME_USER);
            }
            assert_int_equal(stacks_add(&s, at, SPAN_LIT("x"), (int64_t)i, 1), ERR_OK);
        }
        if (pass == 0) n_nodes = s.n_nodes;
    }
    assert_int_equal(s.n_nodes, n_nodes);
    assert_int_equal(s.n_rows, STACKS);
    assert_int_equal(stacks_total(&s), 2 * STACKS);
    for (size_t i = 1; i < s.n_nodes; i++) assert_true(s.nodes[i].parent < i);
}

static void a_full_budget_leaves_tree_and_rows_as_they_were(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(64 << 10);
    struct stacks s;
    char frame[32];
    uint32_t at = STACKS_ROOT;
    size_t n_nodes = 0, n_rows = 0;
    enum err e = stacks_init(&s, SPAN_LIT("samples"), mem);
    assert_int_equal(e, ERR_OK);
    for (unsigned i = 0; !e; i++) {
        n_nodes = s.n_nodes;
        n_rows = s.n_rows;
        snprintf(frame, sizeof frame, "frame_%u", i);
        uint32_t next = at;
        e = stacks_node(&s, at, span_str(frame), FRAME_USER, &next);
        if (e) assert_int_equal(next, at);
        else e = stacks_add(&s, next, span_str(frame), 1, 1);
        at = next;
    }
    assert_int_equal(e, ERR_NOMEM);
    assert_true(n_rows > 100);
    assert_true(s.n_nodes - n_nodes <= 1);
    assert_int_equal(s.n_rows, n_rows);
    assert_int_equal(stacks_total(&s), n_rows);
}

static void a_budget_too_small_for_an_empty_set_is_said(void **state) {
    (void)state;
    for (size_t budget = 0; budget < 4096; budget += 256) {
        AUTO(arena_free) struct arena *mem = arena_new(budget);
        struct stacks s = {.n_rows = 99};
        assert_int_equal(stacks_init(&s, SPAN_LIT("samples"), mem), ERR_NOMEM);
        assert_int_equal(s.n_rows, 99);
    }
}

/* As stacks_node does it, one by one: the nodes of both trees are the same frames under the same frames. */
static void many_stacks_at_once_make_the_same_tree(void **state) {
    (void)state;
    enum { STACKS = 500, DEPTH = 12 };
    static uint32_t frames[STACKS * DEPTH], one_by_one[STACKS * DEPTH + 1];
    struct stacks_path paths[STACKS];
    struct stacks many, single;
    struct gen g;
    gen_init(&g);
    gen_print(&g);
    AUTO(arena_free) struct arena *mem = arena_new(4 << 20);
    assert_int_equal(stacks_init(&many, SPAN_LIT("usecs"), mem), ERR_OK);
    assert_int_equal(stacks_init(&single, SPAN_LIT("usecs"), mem), ERR_OK);
    for (size_t i = 0; i < STACKS; i++) {
        paths[i] = (struct stacks_path){.begin = i * DEPTH, .n = (uint32_t)gen_below(&g, DEPTH + 1)};
        for (size_t k = 0; k < paths[i].n; k++) {
            char name[] = {(char)('a' + gen_below(&g, 3)), '\0'};
            uint32_t string = 0;
            assert_int_equal(strings_add(&many.strings, span_str(name), &string), ERR_OK);
            frames[paths[i].begin + k] = stacks_many_frame(string, gen_below(&g, 8) ? FRAME_USER : FRAME_KERNEL);
        }
    }
    assert_int_equal(stacks_many(&many, frames, paths, STACKS), ERR_OK);
    for (size_t i = 0; i < STACKS; i++) {
        uint32_t path[DEPTH], at = STACKS_ROOT;
        assert_int_equal(stacks_frames(&many, paths[i].leaf, path, DEPTH), paths[i].n);
        for (size_t k = 0; k < paths[i].n; k++) {
            const struct stack_node *n = &many.nodes[path[k]];
            assert_int_equal(stacks_many_frame(n->frame, (enum frame_kind)n->kind), frames[paths[i].begin + k]);
            assert_int_equal(stacks_node(&single, at, many.strings.text[n->frame], (enum frame_kind)n->kind, &at), ERR_OK);
            if (one_by_one[path[k]]) assert_int_equal(one_by_one[path[k]], at);
            one_by_one[path[k]] = at;
        }
    }
    assert_int_equal(many.n_nodes, single.n_nodes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_paths_are_one_node_and_kinds_differ),
        cmocka_unit_test(rows_of_one_process_and_stack_add_up_and_saturate),
        cmocka_unit_test(frames_come_root_first_and_a_short_array_gets_those_next_to_the_root),
        cmocka_unit_test(a_large_tree_is_found_again_and_parents_come_first),
        cmocka_unit_test(many_stacks_at_once_make_the_same_tree),
        cmocka_unit_test(a_full_budget_leaves_tree_and_rows_as_they_were),
        cmocka_unit_test(a_budget_too_small_for_an_empty_set_is_said),
    };
    return cmocka_run_group_tests_name("stacks", tests, NULL, NULL);
}
