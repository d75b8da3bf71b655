/* Which options fit which answer: said before anything is asked of the fleet. */
#include "tests/unit/console/printed.h"

#include "console/cli/show.h"

static void what_does_not_fit_is_said_before_anything_runs(void **state) {
    (void)state;
    static const struct {
        struct args args;
        enum result_kind what;
        const char *complaint; /* NULL: it fits */
    } rows[] = {
        {{.n = 3}, RESULT_STACKS, NULL},
        {{.per_host = true, .merged = true}, RESULT_HISTOGRAM, NULL},
        {{.by = "COMM"}, RESULT_EVENTS, NULL},
        {{.by = "COMM", .of = "LAT", .rank = "avg"}, RESULT_EVENTS, NULL},
        {{.by = "COMM", .of = "LAT", .rank = "count"}, RESULT_EVENTS, NULL},
        {{.by = "COMM", .rank = "count"}, RESULT_EVENTS, NULL},
        {{.by = "COMM"}, RESULT_HISTOGRAM, "--by is for tools that print events or stacks"},
        {{.rank = "max"}, RESULT_STACKS, "--rank needs --by FIELD"},
        {{.rank = "max", .by = "frame"}, RESULT_STACKS, "--rank is self or total, not \"max\""},
        {{.where = "PID=1"}, RESULT_STACKS, "--where is for tools that print events"},
        {{.focus = "f"}, RESULT_EVENTS, "--focus is for tools that print stacks"},
        {{.merged = true}, RESULT_EVENTS, "--merged is for tools that print histograms"},
        {{.of = "LAT"}, RESULT_EVENTS, "--of needs --by FIELD"},
        {{.rank = "count"}, RESULT_EVENTS, "--rank needs --by FIELD"},
        {{.by = "COMM", .of = "LAT", .rank = "p42"}, RESULT_EVENTS, "--rank is count, total, avg, max or p99, not \"p42\""},
        {{.by = "COMM", .rank = "total"}, RESULT_EVENTS, "--rank total needs --of FIELD"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct printed err;
        printed_swap(&err, &stderr);
        bool fits = show_fits("run", &rows[i].args, rows[i].what);
        printed_text(&err);
        if (fits != !rows[i].complaint) fail_msg("row %zu: \"%s\"", i, err.text);
        if (rows[i].complaint)
            printed_has(&err, rows[i].complaint);
        else
            printed_is(&err, "");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_does_not_fit_is_said_before_anything_runs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
