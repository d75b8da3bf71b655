/* The real tools of this machine, through the whole runner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <linux/capability.h>

#include "tests/unit/agent/runner/stage.h"

static char nowhere[] = "";

static const char *missing_tools(void) {
    if (access("/usr/sbin/runqlat", X_OK) != 0 && access("/usr/sbin/runqlat-libbpf", X_OK) != 0) return "needs libbpf-tools";
    if (access("/sys/kernel/btf/vmlinux", R_OK) != 0) return "needs BTF";
    if (access("/sys/kernel/tracing/events", X_OK) != 0) return "needs tracefs";
    if (prctl(PR_CAPBSET_READ, CAP_BPF) != 1 || prctl(PR_CAPBSET_READ, CAP_PERFMON) != 1) return "needs CAP_BPF and CAP_PERFMON";
    return NULL;
}

static int set_up(void **state) {
    struct stage *s = calloc(1, sizeof *s);
    if (!s || stage_open(s) != 0) return -1;
    s->policy.tool_dir = nowhere;
    stage_start(s);
    *state = s;
    return 0;
}

static int tear_down(void **state) {
    stage_close(*state);
    free(*state);
    return 0;
}

static void start(const struct stage *s, enum tool_id tool, unsigned seconds, int fds[2]) {
    struct report r;
    stage_ask(s, REQUEST_RUN, 1, tool, seconds);
    assert_true(stage_hear(s, 10000, &r, fds));
    if (r.kind != REPORT_STARTED) fail_msg("%s", r.why);
    assert_int_equal(r.replayed, 0);
}

static struct report hear(const struct stage *s, enum report_kind kind) {
    struct report r;
    assert_true(stage_hear(s, 20000, &r, NULL));
    assert_int_equal(r.kind, kind);
    return r;
}

static void runqlat_prints_a_histogram_as_nobody(void **state) {
    struct stage *s = *state;
    static char out[1 << 16], err[4096];
    int fds[2];
    start(s, TOOL_RUNQLAT, 1, fds);
    stage_drain(fds[0], 10000, out, sizeof out);
    stage_drain(fds[1], 10000, err, sizeof err);
    struct report r = hear(s, REPORT_ATTACHED);
    assert_string_equal(r.why, "");
    r = hear(s, REPORT_ENDED);
    if (r.exit_code != 0) fail_msg("exit %d, signal %d: %s", r.exit_code, r.signal, err);
    assert_int_equal(r.cause, END_BY_ITSELF);
    assert_true(r.wall_ns > 1000000000ULL);
    assert_non_null(strstr(out, "usecs               : count    distribution\n"));
    assert_null(strchr(out, '\r'));
}

static void execsnoop_counts_its_seconds_from_attachment_and_sees_a_program_started_then(void **state) {
    struct stage *s = *state;
    static char out[1 << 20], err[4096];
    int fds[2];
    start(s, TOOL_EXECSNOOP, 2, fds);
    struct report r = hear(s, REPORT_ATTACHED);
    assert_string_equal(r.why, "");
    pid_t pid = fork();
    if (pid == 0) {
        char name[] = "true", arg[] = "trawl-was-here"; /* on our stack, in memory: execsnoop cannot read what is not there yet */
        execl("/bin/true", name, arg, (char *)NULL);
        _exit(1);
    }
    waitpid(pid, NULL, 0);
    stage_drain(fds[0], 10000, out, sizeof out);
    stage_drain(fds[1], 10000, err, sizeof err);
    r = hear(s, REPORT_ENDED);
    if (r.exit_code != 0) fail_msg("exit %d, signal %d: %s", r.exit_code, r.signal, err);
    assert_int_equal(r.cause, END_STOPPED);
    assert_int_equal(r.last_stop_signal, SIGINT);
    assert_true(r.wall_ns > 2000000000ULL);
    if (!strstr(out, "trawl-was-here")) fail_msg("not seen in:\n%s\n%s", out, err);
}

/* Those whose kernel functions every kernel since 5.8 has. */
static const enum tool_id everywhere[] = {TOOL_RUNQLAT, TOOL_BIOLATENCY, TOOL_EXECSNOOP, TOOL_OFFCPUTIME, TOOL_CPUDIST,
                                          TOOL_HARDIRQS, TOOL_SOFTIRQS, TOOL_BITESIZE, TOOL_TCPSTATES, TOOL_GETHOSTLATENCY};

static void every_tool_runs_with_just_the_capabilities_of_its_row(void **state) {
    struct stage *s = *state;
    static char out[1 << 16], err[4096];
    for (size_t t = 0; t < COUNT_OF(everywhere); t++) {
        const struct tool *tool = catalog_tool(everywhere[t]);
        struct report r;
        int fds[2];
        if (!catalog_flavour(tool, FLAVOUR_LIBBPF) || !catalog_flavour(tool, FLAVOUR_LIBBPF)->binaries[0]) continue;
        stage_ask(s, REQUEST_RUN, 1, tool->id, 1);
        assert_true(stage_hear(s, 10000, &r, fds));
        if (r.kind == REPORT_REFUSED && r.coverage == COVERAGE_INCAPABLE) {
            print_message("%s not run: %s\n", tool->name, r.why);
            continue;
        }
        if (r.kind != REPORT_STARTED) fail_msg("%s: %s", tool->name, r.why);
        size_t n = stage_drain(fds[0], 30000, out, sizeof out);
        stage_drain(fds[1], 30000, err, sizeof err);
        do assert_true(stage_hear(s, 20000, &r, NULL));
        while (r.kind == REPORT_ATTACHED);
        if (r.exit_code != 0 || n == 0) fail_msg("%s: exit %d, signal %d, %zu bytes: %s", tool->name, r.exit_code, r.signal, n, err);
    }
}

static void a_probe_finds_them(void **state) {
    struct stage *s = *state;
    stage_ask(s, REQUEST_PROBE, 5, TOOL_RUNQLAT, 0);
    struct report r = hear(s, REPORT_CAPABLE);
    assert_int_equal(r.refusal, ERR_OK);
    assert_true(r.binary[0] == '/');
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const char *missing = stage_missing();
    if (!missing) missing = missing_tools();
    if (missing) {
        printf("skipped: %s\n", missing);
        return 77;
    }
    const struct CMUnitTest tests[] = {
        ON_STAGE(runqlat_prints_a_histogram_as_nobody),
        ON_STAGE(execsnoop_counts_its_seconds_from_attachment_and_sees_a_program_started_then),
        ON_STAGE(every_tool_runs_with_just_the_capabilities_of_its_row),
        ON_STAGE(a_probe_finds_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
