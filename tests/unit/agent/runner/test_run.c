/* Whole runs, with the test in the place of agentd: how tools end, and that nothing survives. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/sys/fds.h"
#include "tests/unit/agent/runner/stage.h"

enum { SOON_MS = 10000 };

/* Starts mode as tool for seconds and sees it started and attached. */
static void start(struct stage *s, enum tool_id tool, const char *mode, unsigned seconds, int fds[2]) {
    struct report r;
    stage_fake(s, tool == TOOL_RUNQLAT ? "runqlat" : "execsnoop", mode);
    if (s->sock < 0) stage_start(s);
    stage_ask(s, REQUEST_RUN, 7, tool, seconds);
    assert_true(stage_hear(s, SOON_MS, &r, fds));
    if (r.kind != REPORT_STARTED) fail_msg("%s", r.why);
    assert_true(r.run == 7 && r.replayed == 1 && fds[0] >= 0 && fds[1] >= 0);
    assert_string_equal(r.binary, stage_path(s, tool == TOOL_RUNQLAT ? "runqlat" : "execsnoop"));
}

/* A tool that ends at once may have done so before it was seen attached. */
static struct report hear_end(struct stage *s, int timeout_ms) {
    struct report r;
    do {
        if (!stage_hear(s, timeout_ms, &r, NULL)) fail_msg("no report");
        assert_int_equal(r.run, 7);
    } while (r.kind == REPORT_ATTACHED);
    assert_int_equal(r.kind, REPORT_ENDED);
    return r;
}

static void assert_nothing_left(const struct stage *s) { assert_int_equal(stage_count_processes(s->dir), 0); }

static void a_tool_that_ends_by_itself_says_all_it_has_to_say(void **state) {
    struct stage *s = *state;
    int fds[2];
    char out[4096];
    stage_write(s, "text", "first\nsecond\n\nlast without end", 0644);
    char mode[512];
    snprintf(mode, sizeof mode, "replay %s 0", stage_path(s, "text"));
    start(s, TOOL_RUNQLAT, mode, 1, fds);
    close(fds[1]);
    stage_drain(fds[0], SOON_MS, out, sizeof out);
    struct report r = hear_end(s, SOON_MS);
    assert_string_equal(out, "first\nsecond\n\nlast without end"); /* raw: no carriage returns */
    assert_int_equal(r.exit_code, 0);
    assert_int_equal(r.signal, 0);
    assert_int_equal(r.cause, END_BY_ITSELF);
    assert_int_equal(r.last_stop_signal, 0);
    assert_true(r.wall_ns > 0 && r.peak_rss_bytes > 0);
    assert_nothing_left(s);
}

static void a_tool_without_an_end_gets_sigint_when_its_time_is_over(void **state) {
    struct stage *s = *state;
    int fds[2];
    char out[256], mode[512];
    struct report r;
    stage_write(s, "text", "summary\n", 0644);
    snprintf(mode, sizeof mode, "replay %s 60", stage_path(s, "text"));
    uint64_t began = clock_mono_ns();
    start(s, TOOL_EXECSNOOP, mode, 1, fds);
    close(fds[1]);
    assert_true(stage_hear(s, SOON_MS, &r, NULL));
    assert_int_equal(r.kind, REPORT_ATTACHED);
    stage_drain(fds[0], SOON_MS, out, sizeof out);
    assert_string_equal(out, "summary\n");
    r = hear_end(s, SOON_MS);
    uint64_t took_ms = (clock_mono_ns() - began) / NS_PER_MS;
    assert_int_equal(r.exit_code, 0);
    assert_int_equal(r.cause, END_STOPPED);
    assert_int_equal(r.last_stop_signal, SIGINT);
    assert_true(took_ms >= 1000 && took_ms < 3000);
}

static void exit_codes_and_signals_are_reported(void **state) {
    struct stage *s = *state;
    int fds[2];
    start(s, TOOL_RUNQLAT, "exit 3", 1, fds);
    close(fds[0]);
    close(fds[1]);
    struct report r = hear_end(s, SOON_MS);
    assert_int_equal(r.exit_code, 3);
    start(s, TOOL_RUNQLAT, "signal 11", 1, fds);
    close(fds[0]);
    close(fds[1]);
    r = hear_end(s, SOON_MS);
    assert_int_equal(r.exit_code, -1);
    assert_int_equal(r.signal, SIGSEGV);
    assert_int_equal(r.cause, END_BY_ITSELF);
}

static void stderr_comes_by_itself(void **state) {
    struct stage *s = *state;
    int fds[2];
    char out[4096], err[4096];
    start(s, TOOL_RUNQLAT, "flood-stderr 1000", 1, fds);
    assert_int_equal(stage_drain(fds[1], SOON_MS, err, sizeof err), 1000);
    assert_int_equal(stage_drain(fds[0], SOON_MS, out, sizeof out), 0);
    hear_end(s, SOON_MS);
}

/* Its deadline is a second and the two that a tool may overrun; then three seconds more at most. */
static void assert_ends_by_force(struct stage *s, enum tool_id tool, const char *mode, unsigned deadline_ms, int signo) {
    int fds[2];
    uint64_t asked = clock_mono_ns();
    start(s, tool, mode, 1, fds);
    uint64_t started = clock_mono_ns(); /* on a busy machine the way there takes its time */
    struct report r = hear_end(s, 20000); /* nobody reads its output: it must not matter */
    uint64_t ended = clock_mono_ns(), took_ms = (ended - started) / NS_PER_MS;
    close(fds[0]);
    close(fds[1]);
    if (took_ms > deadline_ms + 3000) fail_msg("%s took %llu ms", mode, (unsigned long long)took_ms);
    assert_true((ended - asked) / NS_PER_MS + 100 >= deadline_ms);
    assert_int_equal(r.cause, tool == TOOL_RUNQLAT ? END_DEADLINE : END_STOPPED);
    assert_int_equal(r.last_stop_signal, signo);
    assert_nothing_left(s);
}

static void a_tool_that_never_ends_is_ended(void **state) { assert_ends_by_force(*state, TOOL_RUNQLAT, "never", 3000, SIGINT); }

static void a_tool_that_ignores_every_signal_is_killed(void **state) {
    assert_ends_by_force(*state, TOOL_RUNQLAT, "stubborn", 3000, SIGKILL);
}

static void an_event_tool_that_ignores_every_signal_is_killed(void **state) {
    assert_ends_by_force(*state, TOOL_EXECSNOOP, "stubborn", 1000, SIGKILL);
}

static void a_tool_that_nobody_reads_is_not_left_blocked(void **state) {
    assert_ends_by_force(*state, TOOL_RUNQLAT, "flood-stdout", 3000, SIGINT);
}

static void what_a_tool_leaves_behind_dies_with_it(void **state) {
    struct stage *s = *state;
    int fds[2];
    char out[256];
    start(s, TOOL_RUNQLAT, "orphan", 5, fds);
    close(fds[1]);
    stage_drain(fds[0], SOON_MS, out, sizeof out); /* ends: the daemon that held it is dead */
    assert_string_equal(out, "left two behind\n");
    struct report r = hear_end(s, SOON_MS);
    assert_int_equal(r.exit_code, 0);
    assert_nothing_left(s);
}

static void a_run_is_stopped_on_request(void **state) {
    struct stage *s = *state;
    int fds[2];
    start(s, TOOL_RUNQLAT, "never", 50, fds);
    stage_ask(s, REQUEST_STOP, 7, TOOL_NONE, 0);
    struct report r = hear_end(s, SOON_MS);
    assert_int_equal(r.cause, END_STOPPED_BY_REQUEST);
    assert_int_equal(r.signal, SIGINT);
    stage_ask(s, REQUEST_STOP, 7, TOOL_NONE, 0); /* too late: nothing happens */
    stage_ask(s, REQUEST_STOP, 4711, TOOL_NONE, 0);
    close(fds[0]);
    close(fds[1]);
    start(s, TOOL_RUNQLAT, "exit 0", 1, fds);
    hear_end(s, SOON_MS);
    close(fds[0]);
    close(fds[1]);
}

static void refusals_have_reasons(void **state) {
    struct stage *s = *state;
    struct report r;
    char want[512];
    stage_start(s);
    stage_ask(s, REQUEST_RUN, 1, TOOL_RUNQLAT, 1);
    assert_true(stage_hear(s, SOON_MS, &r, NULL));
    assert_int_equal(r.kind, REPORT_REFUSED);
    assert_int_equal(r.refusal, ERR_NOTFOUND);
    assert_int_equal(r.coverage, COVERAGE_INCAPABLE);
    assert_non_null(strstr(r.why, "not installed (looked for "));
    stage_write(s, "runqlat", "#!/bin/sh\n", 0777);
    stage_ask(s, REQUEST_RUN, 2, TOOL_RUNQLAT, 1);
    assert_true(stage_hear(s, SOON_MS, &r, NULL));
    assert_true(r.kind == REPORT_REFUSED && r.run == 2);
    assert_int_equal(r.refusal, ERR_UNTRUSTED);
    assert_int_equal(r.coverage, COVERAGE_REFUSED);
    snprintf(want, sizeof want, "%s is writable by others", stage_path(s, "runqlat"));
    assert_string_equal(r.why, want);
    stage_ask(s, REQUEST_RUN, 3, TOOL_RUNQLAT, 61);
    assert_true(stage_hear(s, SOON_MS, &r, NULL));
    assert_true(r.kind == REPORT_REFUSED && r.run == 3 && r.refusal == ERR_REFUSED && r.coverage == COVERAGE_REFUSED);
    assert_string_equal(r.why, "61 seconds asked, this host allows 1 to 60");
}

static void a_tool_user_that_is_root_or_nobody_known_is_refused(void **state) {
    struct stage *s = *state;
    static char root[] = "root", unknown[] = "no-such-user";
    char *users[] = {root, unknown};
    struct report r;
    stage_fake(s, "runqlat", "exit 0");
    for (size_t i = 0; i < 2; i++) {
        s->policy.tool_user = users[i];
        stage_start(s);
        stage_ask(s, REQUEST_RUN, 1, TOOL_RUNQLAT, 1);
        assert_true(stage_hear(s, SOON_MS, &r, NULL));
        assert_int_equal(r.kind, REPORT_REFUSED);
        assert_int_equal(r.refusal, ERR_REFUSED);
        close(s->sock);
        assert_int_equal(stage_wait_runner(s), 1);
    }
    s->sock = -1;
}

static void a_probe_says_whether_and_with_which_file(void **state) {
    struct stage *s = *state;
    struct report r;
    stage_start(s);
    stage_ask(s, REQUEST_PROBE, 1, TOOL_RUNQLAT, 0);
    assert_true(stage_hear(s, SOON_MS, &r, NULL));
    assert_true(r.kind == REPORT_CAPABLE && r.run == 1 && r.refusal == ERR_NOTFOUND && r.coverage == COVERAGE_INCAPABLE && r.why[0]);
    stage_fake(s, "runqlat", "exit 0");
    stage_ask(s, REQUEST_PROBE, 2, TOOL_RUNQLAT, 0);
    assert_true(stage_hear(s, SOON_MS, &r, NULL));
    assert_true(r.kind == REPORT_CAPABLE && r.run == 2 && r.refusal == ERR_OK && r.coverage == COVERAGE_OK && r.why[0] == 0);
    assert_string_equal(r.binary, stage_path(s, "runqlat"));
}

static void runs_at_the_same_time_are_counted(void **state) {
    struct stage *s = *state;
    int fds[2], more[2];
    struct report r;
    s->policy.max_concurrent = 2;
    start(s, TOOL_RUNQLAT, "never", 50, fds);
    do assert_true(stage_hear(s, SOON_MS, &r, NULL));
    while (r.kind != REPORT_ATTACHED);
    stage_ask(s, REQUEST_RUN, 7, TOOL_RUNQLAT, 1);
    assert_true(stage_hear(s, SOON_MS, &r, NULL));
    assert_int_equal(r.kind, REPORT_REFUSED);
    assert_string_equal(r.why, "a run of this number is under way");
    stage_ask(s, REQUEST_RUN, 8, TOOL_RUNQLAT, 1);
    assert_true(stage_hear(s, SOON_MS, &r, more));
    assert_int_equal(r.kind, REPORT_STARTED);
    stage_ask(s, REQUEST_RUN, 9, TOOL_RUNQLAT, 1);
    do assert_true(stage_hear(s, SOON_MS, &r, NULL));
    while (r.kind == REPORT_ATTACHED);
    assert_true(r.kind == REPORT_REFUSED && r.run == 9);
    assert_string_equal(r.why, "2 tools run already, this host allows 2 at the same time");
    close(fds[0]);
    close(fds[1]);
    close(more[0]);
    close(more[1]);
}

static void when_agentd_is_gone_so_is_every_tool(void **state) {
    struct stage *s = *state;
    int fds[2];
    start(s, TOOL_RUNQLAT, "stubborn", 50, fds);
    close(s->sock);
    s->sock = -1;
    assert_int_equal(stage_wait_runner(s), 1);
    assert_nothing_left(s);
    close(fds[0]);
    close(fds[1]);
}

static void sigterm_ends_everything_in_order(void **state) {
    struct stage *s = *state;
    int fds[2];
    start(s, TOOL_RUNQLAT, "stubborn", 50, fds);
    kill(s->runner, SIGTERM);
    assert_int_equal(stage_wait_runner(s), 0);
    assert_nothing_left(s);
    close(fds[0]);
    close(fds[1]);
}

static void when_the_runner_is_killed_so_is_every_tool(void **state) {
    struct stage *s = *state;
    int fds[2];
    char out[256];
    start(s, TOOL_RUNQLAT, "stubborn", 50, fds);
    for (int i = 0; i < 300 && !stage_count_processes(s->dir); i++) usleep(10000); /* the shell becomes the tool */
    assert_true(stage_count_processes(s->dir) > 0);
    kill(s->runner, SIGKILL);
    assert_int_equal(stage_wait_runner(s), -SIGKILL);
    stage_drain(fds[0], SOON_MS, out, sizeof out); /* ends when the last of them is dead */
    for (int i = 0; i < 300 && stage_count_processes(s->dir); i++) usleep(10000);
    assert_nothing_left(s);
    close(fds[1]);
}

static void assert_nonsense_ends_it(struct stage *s, const void *bytes, size_t n) {
    int fds[2];
    start(s, TOOL_RUNQLAT, "stubborn", 50, fds);
    assert_int_equal(send(s->sock, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
    assert_int_equal(stage_wait_runner(s), 1);
    assert_nothing_left(s);
    close(fds[0]);
    close(fds[1]);
    close(s->sock);
    s->sock = -1;
}

static void an_agentd_that_talks_nonsense_is_not_served(void **state) {
    struct stage *s = *state;
    struct request r = {.magic = REQUEST_MAGIC, .kind = REQUEST_RUN, .run = 0};
    struct request big[2] = {{.magic = REQUEST_MAGIC, .kind = REQUEST_RUN, .run = 5}};
    assert_nonsense_ends_it(s, "hello", 5);
    assert_nonsense_ends_it(s, &r, sizeof r); /* number 0 */
    assert_nonsense_ends_it(s, big, sizeof big);
    r.run = 1;
    r.kind = REQUEST_UNWATCH + 1;
    assert_nonsense_ends_it(s, &r, sizeof r);
    r.kind = REQUEST_RUN;
    r.magic = 0;
    assert_nonsense_ends_it(s, &r, sizeof r);
}

static size_t count_descriptors(int pid) {
    char path[64];
    size_t n = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *d = opendir(path);
    while (d && readdir(d)) n++;
    if (d) closedir(d);
    return n;
}

static void a_hundred_runs_leave_no_descriptor(void **state) {
    struct stage *s = *state;
    int fds[2];
    size_t before = 0;
    for (int i = 0; i < 100; i++) {
        start(s, TOOL_RUNQLAT, i % 10 ? "exit 0" : "orphan", 1, fds);
        close(fds[0]);
        close(fds[1]);
        hear_end(s, SOON_MS);
        if (i == 0) before = count_descriptors(s->runner);
    }
    assert_int_equal(count_descriptors(s->runner), before);
    assert_nothing_left(s);
}

static void an_agentd_that_does_not_listen_is_not_served(void **state) {
    struct stage *s = *state;
    struct request r = {.magic = REQUEST_MAGIC, .kind = REQUEST_PROBE, .run = 1, .tool = TOOL_RUNQLAT, .flavour = FLAVOUR_LIBBPF};
    int fds[2];
    start(s, TOOL_RUNQLAT, "stubborn", 50, fds);
    for (int i = 0; i < 100000 && send(s->sock, &r, sizeof r, MSG_NOSIGNAL) == (ssize_t)sizeof r; i++) {
    }
    assert_int_equal(stage_wait_runner(s), 1);
    assert_nothing_left(s);
    close(fds[0]);
    close(fds[1]);
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, stage_set_up, stage_tear_down)

int main(void) {
    const char *missing = stage_missing();
    if (missing) {
        printf("skipped: %s\n", missing);
        return 77;
    }
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        ON_STAGE(a_tool_that_ends_by_itself_says_all_it_has_to_say),
        ON_STAGE(a_tool_without_an_end_gets_sigint_when_its_time_is_over),
        ON_STAGE(exit_codes_and_signals_are_reported),
        ON_STAGE(stderr_comes_by_itself),
        ON_STAGE(a_tool_that_never_ends_is_ended),
        ON_STAGE(a_tool_that_ignores_every_signal_is_killed),
        ON_STAGE(an_event_tool_that_ignores_every_signal_is_killed),
        ON_STAGE(a_tool_that_nobody_reads_is_not_left_blocked),
        ON_STAGE(what_a_tool_leaves_behind_dies_with_it),
        ON_STAGE(a_run_is_stopped_on_request),
        ON_STAGE(refusals_have_reasons),
        ON_STAGE(a_tool_user_that_is_root_or_nobody_known_is_refused),
        ON_STAGE(a_probe_says_whether_and_with_which_file),
        ON_STAGE(runs_at_the_same_time_are_counted),
        ON_STAGE(when_agentd_is_gone_so_is_every_tool),
        ON_STAGE(sigterm_ends_everything_in_order),
        ON_STAGE(when_the_runner_is_killed_so_is_every_tool),
        ON_STAGE(a_hundred_runs_leave_no_descriptor),
        ON_STAGE(an_agentd_that_does_not_listen_is_not_served),
        ON_STAGE(an_agentd_that_talks_nonsense_is_not_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
