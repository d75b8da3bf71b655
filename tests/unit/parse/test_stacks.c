#include "tests/unit/parse/parsed.h"

static const struct parse_spec *spec(void) { return spec_of(TOOL_OFFCPUTIME, FLAVOUR_BCC); }

/* "root/child/leaf" of a row, a kernel frame with a '+', a user frame with a '-' in front. */
static const char *path(const struct capture *c, size_t row) {
    static char text[512];
    uint32_t nodes[16];
    size_t depth = stacks_frames(&c->stacks, c->stacks.rows[row].leaf, nodes, COUNT_OF(nodes)), at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < depth && i < COUNT_OF(nodes); i++) {
        const struct stack_node *n = &c->stacks.nodes[nodes[i]];
        struct span f = c->stacks.strings.text[n->frame];
        static const char *const marks[] = {"", "-", "+"};
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s%.*s", i ? "/" : "", marks[n->kind], (int)f.n, f.p);
    }
    return text;
}

static struct span comm(const struct capture *c, size_t row) { return c->stacks.strings.text[c->stacks.rows[row].comm]; }

static void folded_lines_are_read_root_first(void **state) {
    struct capture c = parsed(spec(), "sleep;main;operator new(unsigned long);nap 12\n", "", state);
    assert_int_equal(c.kind, RESULT_STACKS);
    assert_int_equal(c.stacks.n_rows, 1);
    assert_string_equal(path(&c, 0), "main/operator new(unsigned long)/nap");
    assert_text(comm(&c, 0), "sleep");
    assert_true(c.stacks.rows[0].pid == STACKS_NO_PID);
    assert_true(c.stacks.rows[0].count == 12);
    assert_text(c.stacks.unit, "usecs");
}

static void the_same_stack_twice_is_summed(void **state) {
    struct capture c = parsed(spec(), "a;x;y 1\nb;x;y 2\na;x;y 40\n", "", state);
    assert_int_equal(c.stacks.n_rows, 2);
    assert_true(c.stacks.rows[0].count == 41);
    assert_true(stacks_total(&c.stacks) == 43);
}

static void a_task_without_frames_is_a_stack(void **state) {
    struct capture c = parsed(spec(), "true 2\n;[unknown] 1\n", "", state);
    assert_int_equal(c.stacks.n_rows, 2);
    assert_int_equal(c.stacks.rows[0].leaf, STACKS_ROOT);
    assert_text(comm(&c, 1), "");
}

static void a_border_tells_user_from_kernel(void **state) {
    struct capture c = parsed(spec(), "a;main;-;do_syscall_64;schedule 1\nb;main;idle_[k] 2\nc;main;re-do 3\n", "", state);
    assert_string_equal(path(&c, 0), "-main/+do_syscall_64/+schedule");
    assert_string_equal(path(&c, 1), "main/+idle");
    assert_string_equal(path(&c, 2), "main/re-do");
}

static void a_folded_name_may_hold_blanks_and_newlines(void **state) {
    struct capture c = parsed(spec(), "TIME COMM PID;f 2\nnl\ncomm;f 3\n - (99);f 4\n", "", state);
    assert_int_equal(c.stacks.n_rows, 3);
    assert_text(comm(&c, 0), "TIME COMM PID");
    assert_text(comm(&c, 1), "nl\ncomm");
    assert_text(comm(&c, 2), " - (99)");
    assert_int_equal(c.ledger.parse, 0);
}

static void lines_that_are_no_stacks_are_kept(void **state) {
    struct capture c = parsed(spec(), "a;b;c\na;b 99999999999999999999\nthis is a line without a number at its end\na;b 3\n", "", state);
    assert_int_equal(c.stacks.n_rows, 1);
    assert_int_equal(c.ledger.parse, 3);
}

static void a_cut_folded_line_has_no_count(void **state) {
    struct capture c = parsed(spec(), "a;b 30\na;b 12", "", state);
    assert_true(stacks_total(&c.stacks) == 30);
    assert_true(c.partial);
}

#define TASK "    -                "

static void blocks_are_read_leaf_first(void **state) {
    struct capture c = parsed(spec(), "Tracing off-CPU time (us) for 3 secs.\n    schedule\n    [unknown]\n" TASK "python3 (820)\n        2879036\n\n" TASK "true (7957)\n        6313\n\n", "", state);
    assert_int_equal(c.stacks.n_rows, 2);
    assert_string_equal(path(&c, 0), "[unknown]/schedule");
    assert_text(comm(&c, 0), "python3");
    assert_int_equal(c.stacks.rows[0].pid, 820);
    assert_true(c.stacks.rows[0].count == 2879036);
    assert_int_equal(c.stacks.rows[1].leaf, STACKS_ROOT);
    assert_int_equal(c.ledger.parse, 0);
}

static void a_blocks_name_may_look_like_anything(void **state) {
    static const char *const names[] = {"- (99)", "(sd-pam)", "a (1)", "nl\ncomm", "x\n        7", "", " lead", "trail ", "\xff\xfe"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char line[256];
        snprintf(line, sizeof line, "    schedule\n" TASK "%s (1234)\n        7\n\n", names[i]);
        struct capture c = parsed(spec(), line, "", state);
        assert_int_equal(c.stacks.n_rows, 1);
        assert_text(comm(&c, 0), names[i]);
        assert_int_equal(c.stacks.rows[0].pid, 1234);
        assert_int_equal(c.ledger.parse, 0);
    }
}

static void a_border_in_a_block_tells_kernel_from_user(void **state) {
    struct capture c = parsed(spec(), "    schedule\n    --\n    main\n" TASK "a (1)\n        7\n\n    idle_[k]\n" TASK "b (2)\n        1\n", "", state);
    assert_string_equal(path(&c, 0), "-main/+schedule");
    assert_string_equal(path(&c, 1), "+idle");
}

static void a_cut_block_is_kept_and_counted_once(void **state) {
    static const char *const cuts[] = {"    f\n    g", "    f\n    g\n" TASK "b", "    f\n" TASK "b (2)\n        12"};
    for (size_t i = 0; i < COUNT_OF(cuts); i++) {
        char text[256];
        snprintf(text, sizeof text, TASK "a (1)\n        7\n\n%s", cuts[i]);
        struct capture c = parsed(spec(), text, "", state);
        assert_int_equal(c.stacks.n_rows, 1);
        assert_true(stacks_total(&c.stacks) == 7);
        assert_true(c.partial);
        assert_in_range(c.ledger.parse, 1, 2);
    }
}

static void a_block_without_a_task_is_not_joined_to_the_next(void **state) {
    struct capture c = parsed(spec(), "    lost\n\n    f\n" TASK "b (2)\n        12\n", "", state);
    assert_string_equal(path(&c, 0), "f");
    assert_int_equal(c.ledger.parse, 1);
}

static void no_stacks_at_all_may_be_right_or_lost(void **state) {
    struct capture c = parsed(spec(), "", "", state);
    assert_true(c.partial && !c.failed && c.n_notes == 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        parse_test(folded_lines_are_read_root_first),
        parse_test(the_same_stack_twice_is_summed),
        parse_test(a_task_without_frames_is_a_stack),
        parse_test(a_border_tells_user_from_kernel),
        parse_test(a_folded_name_may_hold_blanks_and_newlines),
        parse_test(lines_that_are_no_stacks_are_kept),
        parse_test(a_cut_folded_line_has_no_count),
        parse_test(blocks_are_read_leaf_first),
        parse_test(a_blocks_name_may_look_like_anything),
        parse_test(a_border_in_a_block_tells_kernel_from_user),
        parse_test(a_cut_block_is_kept_and_counted_once),
        parse_test(a_block_without_a_task_is_not_joined_to_the_next),
        parse_test(no_stacks_at_all_may_be_right_or_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
