#include "tests/unit/parse/parsed.h"

#include "tests/support/fault.h"

#define BANNER "Tracing run queue latency... Hit Ctrl-C to end.\n"
#define HIST   "     usecs               : count    distribution\n         0 -> 1          : 3        |*****|\n"

static const struct parse_spec *runqlat(void) { return spec_of(TOOL_RUNQLAT, FLAVOUR_LIBBPF); }

static void a_failure_is_told_by_its_most_telling_line(void **state) {
    static const struct {
        const char *out, *err, *why;
    } cases[] = {
        {"", "runqlat: unrecognized option '--nope'\nTry `runqlat --help' for more.\n", "runqlat: unrecognized option '--nope'"},
        {"", "usage: runqlat-bpfcc [-h]\nrunqlat-bpfcc: error: unrecognized arguments: --nope\n",
         "runqlat-bpfcc: error: unrecognized arguments: --nope"},
        {"Unable to find kernel headers. Try rebuilding\n",
         "sh: 1: modprobe: not found\nTraceback (most recent call last):\n  File \"x\", line 1\nException: Failed to compile BPF module "
         "<text>\n",
         "Unable to find kernel headers. Try rebuilding"},
        {"",
         "libbpf: Error in bpf_object__probe_loading():Operation not permitted(1).\nlibbpf: failed to load object 'r'\nfailed to load BPF "
         "object: -1\n",
         "libbpf: Error in bpf_object__probe_loading():Operation not permitted(1)."},
        {"", "libbpf: prog 'x': failed to auto-attach: -3\nfailed to attach BPF programs\n", "failed to attach BPF programs"},
        {"", "invaild partition name: not exist\n", "invaild partition name: not exist"},
        {"", "Traceback (most recent call last):\n  File \"x\", line 1\n    ^^^\nKeyboardInterrupt\n", "KeyboardInterrupt"},
        {"", "something nobody knows\nand more\n", "something nobody knows"},
        {"libbpf: prog 'x': BPF program load failed: Permission denied\nlibbpf: failed to load object 'r'\nfailed to load BPF object: "
         "-13\n",
         "", "libbpf: prog 'x': BPF program load failed: Permission denied"},
        {"ERROR: no ext4_file_operations in /proc/kallsyms. Exiting.\n", "", "ERROR: no ext4_file_operations in /proc/kallsyms. Exiting."},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct capture c = parsed(runqlat(), cases[i].out, cases[i].err, state);
        assert_true(c.failed && c.partial);
        assert_true(c.n_notes > 0);
        assert_text(c.notes[0], cases[i].why);
    }
}

static void a_traceback_after_results_makes_them_partial_not_failed(void **state) {
    struct capture c =
        parsed(runqlat(), BANNER "\n" HIST, "Traceback (most recent call last):\n  File \"x\"\nUnicodeDecodeError: bad byte\n", state);
    assert_false(c.failed);
    assert_true(c.partial);
    assert_int_equal(c.hists.n, 1);
    assert_text(c.notes[0], "the tool died while it printed: UnicodeDecodeError: bad byte");
}

static void an_exception_that_python_ignored_is_no_end(void **state) {
    static const char *const interrupted = "Exception ignored on calling ctypes callback function <x>:\nTraceback (most recent call "
                                           "last):\n  File \"x\"\nKeyboardInterrupt: \n";
    struct capture c = parsed(runqlat(), BANNER "\n" HIST, interrupted, state);
    assert_false(c.failed || c.partial);
    assert_int_equal(c.ledger.tool, 0);
    c = parsed(
        runqlat(), BANNER "\n" HIST,
        "Exception ignored on calling ctypes callback function <x>:\nTraceback (most recent call last):\n  File \"x\"\nKeyError: 7\n",
        state);
    assert_false(c.failed || c.partial);
    assert_int_equal(c.ledger.tool, 1);
}

static void losses_are_summed_from_both_streams(void **state) {
    struct capture c = parsed(
        runqlat(), BANNER "\nlost 5 events on CPU #0\n" HIST,
        "lost 85 events on CPU #1\nLost 10 events on CPU #0!\nPossibly lost 3 samples\nWARNING: 12 stack traces could not be displayed.\n"
        "    [Missed User Stack]\nfailed to get syms\n",
        state);
    assert_int_equal(c.ledger.kernel, 103);
    assert_int_equal(c.ledger.tool, 13);
    assert_int_equal(c.ledger.parse, 0);
    assert_true(c.partial);
    assert_int_equal(c.n_notes, 2);
}

static void stacks_that_could_not_be_shown_do_not_make_a_result_partial(void **state) {
    struct capture c =
        parsed(spec_of(TOOL_OFFCPUTIME, FLAVOUR_BCC), "a;b 1\n", "WARNING: 1 stack traces lost and could not be displayed.\n", state);
    assert_int_equal(c.ledger.tool, 1);
    assert_false(c.partial);
}

static void huge_losses_saturate(void **state) {
    struct capture c = parsed(runqlat(), BANNER, "lost 18446744073709551615 events on CPU #1\nlost 2 events on CPU #1\n", state);
    assert_true(c.ledger.kernel == UINT64_MAX);
}

static void what_else_a_working_tool_says_is_a_note(void **state) {
    struct capture c = parsed(runqlat(), BANNER "\n" HIST, "something nobody knows\n", state);
    assert_false(c.failed || c.partial);
    assert_int_equal(c.n_notes, 1);
    assert_text(c.notes[0], "the tool said: something nobody knows");
}

/* An argument may have a newline and whatever text behind it.  Of stdout alone that is the argument's; in a print-out that somebody kept
 * both streams may be in one file. */
static void what_a_task_made_the_tool_print_is_no_loss_and_no_death(void **state) {
    static const char rows[] =
        "PCOMM            PID    PPID   RET ARGS\n"
        "bash             5      4        0 /bin/x y\nPossibly lost 1000 samples\nTraceback (most recent call last):\n"
        "RuntimeError: forged \n"
        "bash             6      4        0 /bin/y \n";
    struct parse_input in = {.out = span_str(rows), .err = SPAN_LIT("lost 3 events on CPU #0\n"), .apart = true};
    struct capture c;
    assert_int_equal(capture_check(spec_of(TOOL_EXECSNOOP, FLAVOUR_LIBBPF), &in, *state, &c), ERR_OK);
    assert_int_equal(c.ledger.kernel, 3);
    assert_int_equal(c.ledger.parse, 0);
    assert_int_equal(c.events.n_rows, 2);
    for (size_t i = 0; i < c.n_notes; i++) assert_true(span_find_span(c.notes[i], SPAN_LIT("died")) == c.notes[i].n);
    in = (struct parse_input){.out = SPAN_LIT(BANNER "\n" HIST "Possibly lost 7 samples\n"), .apart = true};
    assert_int_equal(capture_check(runqlat(), &in, *state, &c), ERR_OK);
    assert_int_equal(c.ledger.kernel, 0);
    assert_int_equal(c.ledger.parse, 1);
    in.apart = false;
    assert_int_equal(capture_check(runqlat(), &in, *state, &c), ERR_OK);
    assert_int_equal(c.ledger.kernel, 7);
}

static void a_cut_print_out_is_partial(void **state) {
    struct parse_input in = {.out = SPAN_LIT(BANNER "\n" HIST), .cut = true};
    struct capture c;
    assert_int_equal(capture_check(runqlat(), &in, *state, &c), ERR_OK);
    assert_true(c.partial);
    assert_int_equal(c.hists.n, 1);
}

static void over_the_budget_nothing_is_touched(void **state) {
    (void)state;
    static const struct {
        enum tool_id tool;
        const char *out;
    } cases[] = {
        {TOOL_RUNQLAT, BANNER "\npid = 1 a\n" HIST "junk\n\npid = 1 a\n" HIST},
        {TOOL_EXECSNOOP, "PCOMM            PID    PPID   RET ARGS\nbash             5      4        0 /bin/bash \n"},
        {TOOL_OFFCPUTIME, "a;b;c 1\nd;e 2\njunk;\n"},
        {TOOL_OFFCPUTIME, "    f\n    -                a (1)\n        7\n"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bool passed = false;
        for (size_t budget = 0; budget < (1u << 20) && !passed; budget += 64) {
            AUTO(arena_free) struct arena *mem = arena_new(budget);
            assert_non_null(mem);
            struct parse_input in = {.out = span_str(cases[i].out), .err = SPAN_LIT("lost 1 events on CPU #0\nmore\n")};
            struct capture c = {.kind = (enum result_kind)99};
            enum err e = parse_output(spec_of(cases[i].tool, FLAVOUR_LIBBPF), &in, mem, &c);
            passed = !e;
            if (e) assert_int_equal(e, ERR_NOMEM);
            if (e) assert_int_equal(c.kind, 99);
        }
        assert_true(passed);
    }
}

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
    bool passed = false;
    FOR_EACH_FAULT(n) {
        AUTO(arena_free) struct arena *mem = arena_new(64u << 20);
        struct parse_input in = {.out = SPAN_LIT(BANNER "\npid = 1 a\n" HIST "junk\n"), .err = SPAN_LIT("more\n")};
        struct capture c = {.kind = (enum result_kind)99};
        enum err e = mem ? parse_output(runqlat(), &in, mem, &c) : ERR_NOMEM;
        fault_off();
        passed = !e;
        if (e) assert_int_equal(c.kind, 99);
    }
    assert_true(passed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        parse_test(a_failure_is_told_by_its_most_telling_line),
        parse_test(a_traceback_after_results_makes_them_partial_not_failed),
        parse_test(an_exception_that_python_ignored_is_no_end),
        parse_test(losses_are_summed_from_both_streams),
        parse_test(stacks_that_could_not_be_shown_do_not_make_a_result_partial),
        parse_test(huge_losses_saturate),
        parse_test(what_else_a_working_tool_says_is_a_note),
        parse_test(what_a_task_made_the_tool_print_is_no_loss_and_no_death),
        parse_test(a_cut_print_out_is_partial),
        parse_test(over_the_budget_nothing_is_touched),
        parse_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
