/* What keeps a run from taking more than the host gives, and that its report says which it was. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/sys/fds.h"
#include "tests/unit/agent/runner/stage.h"

enum { SOON_MS = 60000 };

static void start(struct stage *s, const char *mode, unsigned seconds) {
    struct report r;
    int fds[2];
    stage_fake(s, "runqlat", mode);
    if (s->sock < 0) stage_start(s);
    stage_ask(s, REQUEST_RUN, 7, TOOL_RUNQLAT, seconds);
    assert_true(stage_hear(s, SOON_MS, &r, fds));
    if (r.kind != REPORT_STARTED) fail_msg("%s", r.why);
    close(fds[0]);
    close(fds[1]);
}

static struct report end(struct stage *s) {
    struct report r;
    do
        if (!stage_hear(s, SOON_MS, &r, NULL)) fail_msg("no report");
    while (r.kind == REPORT_ATTACHED);
    assert_int_equal(r.kind, REPORT_ENDED);
    return r;
}

static void without_a_group_limits_hold_it(void **state) {
    start(*state, "exit 0", 1);
    struct report r = end(*state);
    assert_int_equal(r.ceilings.memory, CEILING_RLIMIT);
    assert_int_equal(r.ceilings.memory_bytes, 512ULL << 20);
    assert_int_equal(r.ceilings.cpu, CEILING_RLIMIT);
    assert_int_equal(r.ceilings.cpu_percent, 100);
}

static void too_much_cpu_time_ends_it(void **state) {
    struct stage *s = *state;
    s->policy.cpu_percent = 1; /* of the seconds that it may take at most: less than one, so one */
    start(s, "burn", 60);
    struct report r = end(s);
    assert_int_equal(r.signal, SIGXCPU);
    assert_int_equal(r.ceilings.cpu, CEILING_RLIMIT);
    assert_int_equal(r.ceilings.cpu_percent, 1);
    assert_true(r.cpu_ns >= NS_PER_S / 2);
}

/* A group for the runner of this stage; false: this machine has none to give. */
static bool make_parent(char path[128]) {
    static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    for (size_t i = 0; i < COUNT_OF(mounts); i++) {
        snprintf(path, 128, "%s/cgroup.procs", mounts[i]);
        if (access(path, R_OK) != 0) continue;
        snprintf(path, 128, "%s/trawl-test-%d", mounts[i], (int)getpid());
        if (mkdir(path, 0755) == 0) return true;
    }
    return false;
}

static void a_group_holds_it_as_far_as_it_has_controllers_and_is_gone_afterwards(void **state) {
    struct stage *s = *state;
    char path[128], controllers[160];
    struct buf given;
    if (!make_parent(path)) {
        print_message("skipped: no control group of version 2 here that this user may make groups in\n");
        skip();
    }
    s->policy.cgroup = path;
    start(s, "never", 60);
    stage_ask(s, REQUEST_STOP, 7, TOOL_NONE, 0);
    struct report r = end(s);
    snprintf(controllers, sizeof controllers, "%s/cgroup.subtree_control", path);
    buf_init(&given, 4096);
    assert_int_equal(fds_read_file(controllers, &given), ERR_OK);
    bool memory = span_find_span(buf_span(&given), SPAN_LIT("memory")) < given.n;
    buf_done(&given);
    assert_int_equal(r.ceilings.memory, memory ? CEILING_CGROUP : CEILING_RLIMIT);
    assert_true(r.cpu_ns > 0 && r.peak_rss_bytes > 0);
    kill(s->runner, SIGTERM);
    assert_int_equal(stage_wait_runner(s), 0);
    assert_int_equal(rmdir(path), 0); /* nothing is in it */
}

static void a_group_that_was_named_and_is_not_there_is_an_error(void **state) {
    struct stage *s = *state;
    static char missing[] = "/sys/fs/cgroup/no-such-group";
    s->policy.cgroup = missing;
    stage_start(s);
    assert_int_equal(stage_wait_runner(s), 1);
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, stage_set_up, stage_tear_down)

int main(void) {
    const char *missing = stage_missing();
    if (missing) {
        printf("skipped: %s\n", missing);
        return 77;
    }
    const struct CMUnitTest tests[] = {
        ON_STAGE(without_a_group_limits_hold_it),
        ON_STAGE(too_much_cpu_time_ends_it),
        ON_STAGE(a_group_holds_it_as_far_as_it_has_controllers_and_is_gone_afterwards),
        ON_STAGE(a_group_that_was_named_and_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
