/* Every allocation fails in turn, in every grammar: nothing is handed out, nothing is lost, and with memory it reads as ever. */
#include "tests/support/fault.h"
#include "tests/unit/parse/parsed.h"

enum { ARENA_BYTES = 64 << 20 };

#define HIST "     usecs               : count     distribution\n         0 -> 1          : 3        |****    |\n"

static const struct parse_column columns[] = {
    {.name = "PID", .type = COLUMN_INT, .width = 7},
    {.name = "COMM", .type = COLUMN_TEXT, .blanks = true, .width = 13},
    {.name = "LAT(ms)", .type = COLUMN_DECIMAL, .unit = "ms"},
    {.name = "ARGS", .type = COLUMN_TEXT, .to_end = true},
};
static const struct parse_spec histogram = {.grammar = GRAMMAR_HISTOGRAM},
                               table = {.grammar = GRAMMAR_TABLE, .columns = columns, .n_columns = COUNT_OF(columns)},
                               row_stacks = {.grammar = GRAMMAR_TABLE,
                                             .columns = columns,
                                             .n_columns = COUNT_OF(columns),
                                             .row_stacks = true},
                               stacks = {.grammar = GRAMMAR_STACKS, .stacks_unit = "usecs"};

static const struct {
    const struct parse_spec *spec;
    const char *out;
    enum result_kind kind;
} cases[] = {
    {&histogram, "Tracing... Hit Ctrl-C to end.\n\n11:07:42\npid = 1 a\n" HIST "\ndisk = vda\n" HIST "junk\n", RESULT_HISTOGRAM},
    {&table, "PID     COMM          LAT(ms) ARGS\n1       a b           1.25    /bin/sh -c x\n2       cc1           0.5     y\njunk\n",
     RESULT_EVENTS},
    {&row_stacks, "PID     COMM          LAT(ms) ARGS\n1       a             1.25    x\n\tb'tcp_drop+0x1'\n\tb'tcp_rcv'\n\n",
     RESULT_EVENTS},
    {&stacks, "sh;main;read;vfs_read 12\ncc1;main 3\n", RESULT_STACKS},
    {&stacks, "    vfs_read\n    read\n    main\n    -                sh (12)\n        34\n\n", RESULT_STACKS},
};

static void every_failing_allocation_is_survived_in_every_grammar(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct parse_input in = {.out = span_str(cases[i].out), .err = SPAN_LIT("lost 1 events on CPU #0\nmore\n")};
        size_t rounds = 0;
        FOR_EACH_FAULT(n) {
            struct arena *mem = arena_new(ARENA_BYTES);
            struct capture c = {.kind = (enum result_kind)99};
            enum err e = mem ? parse_output(cases[i].spec, &in, mem, &c) : ERR_NOMEM;
            fault_off();
            assert_int_equal(e, fault_hit() ? ERR_NOMEM : ERR_OK);
            assert_int_equal(c.kind, e ? (enum result_kind)99 : cases[i].kind);
            arena_free(mem);
            rounds++;
        }
        assert_true(rounds > 2);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_failing_allocation_is_survived_in_every_grammar)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
