#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <signal.h>

#include "agent/capture/outcome.h"

/* One row: what was seen, and the verdict it must lead to. */
struct row {
    const char *name;
    struct report ended;
    struct capture capture;
    const char *err, *cancelled;
    uint64_t dropped, cap, unparsed;
    bool cut;
    enum coverage want;
    const char *reason; /* part of it */
};

static struct hist one_hist;
static struct span note = {"the note", 8};
#define SOME_RESULT .hists = {&one_hist, 1}

static const struct row ROWS[] = {
    {.name = "good", .capture = {SOME_RESULT}, .want = COVERAGE_OK, .reason = ""},
    {.name = "empty but well", .want = COVERAGE_OK, .reason = ""},
    {.name = "told to end, died of it",
     .ended = {.exit_code = -1, .signal = SIGINT, .last_stop_signal = SIGINT},
     .want = COVERAGE_OK,
     .reason = ""},
    {.name = "bounded by its argv, and not even listening at its deadline",
     .ended = {.exit_code = -1, .signal = SIGINT, .last_stop_signal = SIGINT, .cause = END_DEADLINE},
     .want = COVERAGE_TIMEOUT,
     .reason = "too slow or busy"},
    {.name = "the same with something printed",
     .ended = {.exit_code = -1, .signal = SIGINT, .last_stop_signal = SIGINT, .cause = END_DEADLINE},
     .capture = {SOME_RESULT},
     .want = COVERAGE_PARTIAL,
     .reason = "too slow or busy"},
    {.name = "told to end before its probes were seen",
     .ended = {.exit_code = -1, .signal = SIGINT, .last_stop_signal = SIGINT, .why = "its probes were not seen within 10 s"},
     .want = COVERAGE_TIMEOUT,
     .reason = "died of being told to stop; its probes were not seen within 10 s"},
    {.name = "the same, but what it printed is there",
     .ended = {.exit_code = -1, .signal = SIGINT, .last_stop_signal = SIGINT, .why = "its probes were not seen within 10 s"},
     .capture = {SOME_RESULT},
     .want = COVERAGE_OK,
     .reason = ""},
    {.name = "killed before its probes were seen",
     .ended = {.exit_code = -1, .signal = SIGKILL, .last_stop_signal = SIGKILL, .why = "its probes were not seen within 180 s"},
     .want = COVERAGE_TIMEOUT,
     .reason = "had to be killed; its probes were not seen within 180 s"},
    {.name = "failed by its own words",
     .capture = {.failed = true, .notes = &note, .n_notes = 1},
     .want = COVERAGE_FAILED,
     .reason = "the note"},
    {.name = "failed without words", .capture = {.failed = true}, .want = COVERAGE_FAILED, .reason = "failed"},
    {.name = "exit 3", .ended = {.exit_code = 3}, .err = "first\nlast words\n\n", .want = COVERAGE_FAILED, .reason = "code 3: last words"},
    {.name = "exit 3 with a result", .ended = {.exit_code = 3}, .capture = {SOME_RESULT}, .want = COVERAGE_PARTIAL, .reason = "code 3"},
    {.name = "crashed", .ended = {.exit_code = -1, .signal = SIGSEGV}, .want = COVERAGE_FAILED, .reason = "signal 11"},
    {.name = "over the memory that it may have",
     .ended = {.exit_code = -1, .signal = SIGKILL, .over_memory = 1, .ceilings = {CEILING_CGROUP, CEILING_CGROUP, 64 << 20, 50}},
     .want = COVERAGE_FAILED,
     .reason = "runqlat went over this host's ceiling of 64 MiB of memory and was killed"},
    {.name = "over the CPU time that it may have",
     .ended = {.exit_code = -1, .signal = SIGXCPU, .ceilings = {CEILING_RLIMIT, CEILING_RLIMIT, 64 << 20, 50}},
     .want = COVERAGE_FAILED,
     .reason = "runqlat went over this host's ceiling of 50 % of one CPU and was killed"},
    {.name = "over the cap", .capture = {SOME_RESULT}, .dropped = 7, .want = COVERAGE_PARTIAL, .reason = "50 MiB"},
    {.name = "over an odd cap",
     .capture = {SOME_RESULT},
     .dropped = 7,
     .cap = 65537,
     .want = COVERAGE_PARTIAL,
     .reason = "over 65537 bytes"},
    {.name = "over the memory", .capture = {SOME_RESULT}, .unparsed = 3 << 20, .want = COVERAGE_PARTIAL, .reason = "last 3 MiB"},
    {.name = "not read to its end", .capture = {SOME_RESULT}, .cut = true, .want = COVERAGE_PARTIAL, .reason = "not read to its end"},
    {.name = "killed with nothing",
     .ended = {.exit_code = -1, .signal = SIGKILL, .last_stop_signal = SIGKILL},
     .want = COVERAGE_TIMEOUT,
     .reason = "killed"},
    {.name = "killed with something",
     .ended = {.exit_code = -1, .signal = SIGKILL, .last_stop_signal = SIGKILL},
     .capture = {SOME_RESULT},
     .want = COVERAGE_PARTIAL,
     .reason = "killed"},
    {.name = "partial",
     .capture = {.partial = true, .notes = &note, .n_notes = 1, SOME_RESULT},
     .want = COVERAGE_PARTIAL,
     .reason = "the note"},
    {.name = "nothing of it is the tool's",
     .capture = {.partial = true, .notes = &note, .n_notes = 1, .ledger = {.parse = 3}},
     .want = COVERAGE_FAILED,
     .reason = "nothing of what runqlat printed was understood: the note"},
    {.name = "cancelled",
     .cancelled = "stopped by admin",
     .capture = {SOME_RESULT},
     .want = COVERAGE_CANCELLED,
     .reason = "stopped by admin"},
};

static void every_end_has_its_state_and_reason(void **state) {
    (void)state;
    const struct tool *t = catalog_tool(TOOL_RUNQLAT);
    const struct flavour *f = catalog_flavour(t, FLAVOUR_LIBBPF);
    assert_non_null(f);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        const struct row *r = &ROWS[i];
        AUTO(arena_free) struct arena *mem = arena_new(1 << 16);
        struct outcome_facts facts = {.tool = t,
                                      .flavour = f,
                                      .ended = &r->ended,
                                      .capture = &r->capture,
                                      .out_dropped_bytes = r->dropped,
                                      .out_cap_bytes = r->cap ? r->cap : 50 << 20,
                                      .unparsed_bytes = r->unparsed,
                                      .cut = r->cut,
                                      .err = span_str(r->err),
                                      .cancelled = span_str(r->cancelled)};
        struct outcome o;
        assert_int_equal(outcome_judge(&facts, mem, &o), ERR_OK);
        bool says = r->reason[0] ? span_find_span(o.reason, span_str(r->reason)) < o.reason.n : o.reason.n == 0;
        if (o.coverage != r->want || !says)
            fail_msg("%s: %s, \"%.*s\"", r->name, capture_coverage_name(o.coverage), (int)o.reason.n, o.reason.p);
        assert_int_equal(o.ledger.cap, r->dropped + r->unparsed);
        assert_int_equal(o.kind, RESULT_HISTOGRAM);
    }
}

static void without_memory_there_is_no_verdict(void **state) {
    (void)state;
    const struct tool *t = catalog_tool(TOOL_RUNQLAT);
    AUTO(arena_free) struct arena *mem = arena_new(0);
    struct report ended = {.exit_code = 0};
    struct capture c = {.kind = RESULT_HISTOGRAM};
    struct outcome_facts facts = {.tool = t, .flavour = catalog_flavour(t, FLAVOUR_LIBBPF), .ended = &ended, .capture = &c};
    struct outcome o = {.parts = 42};
    assert_int_equal(outcome_judge(&facts, mem, &o), ERR_NOMEM);
    assert_int_equal(o.parts, 42);
}

static void an_order_that_never_ran_keeps_its_reason(void **state) {
    (void)state;
    struct outcome o = outcome_without_run(COVERAGE_INCAPABLE, SPAN_LIT("no BTF"), RESULT_STACKS, true);
    assert_int_equal(o.coverage, COVERAGE_INCAPABLE);
    assert_true(span_eq_str(o.reason, "no BTF"));
    assert_true(o.replayed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_end_has_its_state_and_reason),
        cmocka_unit_test(without_memory_there_is_no_verdict),
        cmocka_unit_test(an_order_that_never_ran_keeps_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
