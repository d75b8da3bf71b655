#include "tests/unit/merge/made.h"

#include <math.h>

#include "common/merge/stack_diff.h"

enum { DEPTH = 4 };

static void add(struct stacks *s, const char *comm, const char *frames, uint64_t count) {
    uint32_t at = STACKS_ROOT;
    for (; *frames; frames++) assert_int_equal(stacks_node(s, at, span_of(frames, 1), FRAME_USER, &at), ERR_OK);
    assert_int_equal(stacks_add(s, at, span_str(comm), STACKS_NO_PID, count), ERR_OK);
}

static void made(struct gen *g, struct stacks *s, struct arena *mem) {
    size_t n = gen_below(g, 12);
    assert_int_equal(stacks_init(s, SPAN_LIT("samples"), mem), ERR_OK);
    for (size_t i = 0; i < n; i++) {
        char frames[DEPTH + 1] = "";
        for (size_t d = 0, depth = gen_between(g, 1, DEPTH); d < depth; d++) frames[d] = (char)('a' + gen_below(g, 3));
        add(s, gen_below(g, 2) ? "curl" : "sshd", frames, gen_between(g, 1, 100));
    }
}

static void text_of(const struct stacks *s, uint32_t leaf, char *out) {
    uint32_t nodes[DEPTH];
    size_t depth = stacks_frames(s, leaf, nodes, DEPTH);
    for (size_t i = 0; i < depth; i++) out[i] = s->strings.text[s->nodes[nodes[i]].frame].p[0];
    out[depth] = 0;
}

/* By walking the rows: what a side has of one stack. */
static uint64_t counted(const struct stacks *s, struct span comm, const char *frames) {
    uint64_t n = 0;
    for (size_t i = 0; i < s->n_rows; i++) {
        char text[DEPTH + 1];
        text_of(s, s->rows[i].leaf, text);
        if (span_eq(s->strings.text[s->rows[i].comm], comm) && strcmp(text, frames) == 0) n += s->rows[i].count;
    }
    return n;
}

static void every_stack_of_either_side_is_there_once_with_the_counts_of_both(void **state) {
    (void)state;
    struct gen g = made_gen();
    for (size_t c = 0; c < CASES; c++) {
        AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
        struct stacks is, was, tree;
        struct stack_change *changes = NULL;
        size_t n = 0;
        uint64_t sums[2] = {0};
        double last = INFINITY;
        made(&g, &is, mem);
        made(&g, &was, mem);
        assert_int_equal(stack_diff_stacks(&is, &was, mem, &tree, &changes, &n), ERR_OK);
        for (size_t i = 0; i < n; i++) {
            char frames[DEPTH + 1];
            text_of(&tree, changes[i].leaf, frames);
            if (changes[i].is != counted(&is, changes[i].name, frames) || changes[i].was != counted(&was, changes[i].name, frames))
                fail_msg("case %zu: %s", c, frames);
            sums[0] += changes[i].is;
            sums[1] += changes[i].was;
            assert_true(fabs(changes[i].change) <= last);
            last = fabs(changes[i].change);
        }
        assert_int_equal(sums[0], stacks_total(&is)); /* so none is missing, and none is there twice */
        assert_int_equal(sums[1], stacks_total(&was));
    }
}

static void shares_are_of_each_sides_own_total(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct stacks is, was, tree;
    struct stack_change *changes = NULL;
    size_t n = 0;
    assert_int_equal(stacks_init(&is, SPAN_LIT("samples"), mem), ERR_OK);
    assert_int_equal(stacks_init(&was, SPAN_LIT("samples"), mem), ERR_OK);
    add(&is, "curl", "ab", 30);
    add(&is, "curl", "ac", 10);
    add(&was, "curl", "ab", 500);
    add(&was, "curl", "ac", 500);
    assert_int_equal(stack_diff_stacks(&is, &was, mem, &tree, &changes, &n), ERR_OK);
    assert_int_equal(n, 2);
    assert_true(changes[0].change == 0.25 && changes[1].change == -0.25);
    assert_true(changes[0].share == 0.75 && changes[0].before == 0.5);
}

static void other_units_are_refused_unless_a_side_is_empty(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct stacks is, was, tree;
    struct stack_change *changes = NULL;
    size_t n = 7;
    assert_int_equal(stacks_init(&is, SPAN_LIT("samples"), mem), ERR_OK);
    assert_int_equal(stacks_init(&was, SPAN_LIT("usecs"), mem), ERR_OK);
    add(&is, "curl", "a", 1);
    assert_int_equal(stack_diff_stacks(&is, &was, mem, &tree, &changes, &n), ERR_OK);
    assert_int_equal(n, 1);
    add(&was, "curl", "a", 1);
    assert_int_equal(stack_diff_stacks(&is, &was, mem, &tree, &changes, &n), ERR_REFUSED);
}

static void parts_meet_by_name(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    const struct stack_part a[] = {{SPAN_LIT("read"), 5, 8}, {SPAN_LIT("main"), 0, 10}},
                            b[] = {{SPAN_LIT("main"), 1, 10}, {SPAN_LIT("poll"), 9, 9}};
    const struct stack_side is = {a, 2, 10}, was = {b, 2, 10};
    struct stack_change *c = NULL;
    size_t n = 0;
    assert_int_equal(stack_diff_parts(&is, &was, STACK_BY_TOTAL, mem, &c, &n), ERR_OK);
    assert_int_equal(n, 3);
    assert_true(span_eq_str(c[0].name, "poll") && c[0].is == 0 && c[0].was == 9);
    assert_true(span_eq_str(c[1].name, "read") && c[1].is == 8 && c[1].was == 0);
    assert_true(span_eq_str(c[2].name, "main") && c[2].change == 0);
    assert_int_equal(stack_diff_parts(&is, &was, STACK_BY_SELF, mem, &c, &n), ERR_OK);
    assert_true(span_eq_str(c[1].name, "read") && c[1].is == 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stack_of_either_side_is_there_once_with_the_counts_of_both),
        cmocka_unit_test(shares_are_of_each_sides_own_total),
        cmocka_unit_test(other_units_are_refused_unless_a_side_is_empty),
        cmocka_unit_test(parts_meet_by_name),
    };
    return cmocka_run_group_tests_name("stack_diff", tests, NULL, NULL);
}
