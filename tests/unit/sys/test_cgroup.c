/* Groups of this kernel where it has version 2, whatever controllers it gives. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "common/base/auto.h"
#include "common/sys/cgroup.h"

static char parent_path[256];

/* A group that is ours alone; false: this machine has none to give. */
static bool make_parent(void) {
    static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    for (size_t i = 0; i < COUNT_OF(mounts); i++) {
        char procs[128];
        snprintf(procs, sizeof procs, "%s/cgroup.procs", mounts[i]);
        snprintf(parent_path, sizeof parent_path, "%s/trawl-test-%d", mounts[i], (int)getpid());
        if (access(procs, R_OK) == 0 && mkdir(parent_path, 0755) == 0) return true;
    }
    return false;
}

static int tear_down(void **state) {
    (void)state;
    return rmdir(parent_path);
}

static struct cgroup_parent open_parent(void) {
    struct cgroup_parent p;
    struct buf why;
    buf_init(&why, 512);
    enum err e = cgroup_open(parent_path, &p, &why);
    if (e) fail_msg("%s", buf_str(&why));
    buf_done(&why);
    return p;
}

/* A process in g that works for ever, once it says that it has begun. */
static pid_t start_inside(const struct cgroup *g) {
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (cgroup_join(g) != ERR_OK || write(ends[1], "", 1) != 1) _exit(1);
        for (volatile unsigned i = 0;; i++) {
        }
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    return pid;
}

static void what_runs_in_a_group_is_counted_and_ends_with_it(void **state) {
    (void)state;
    struct cgroup_parent p = open_parent();
    struct cgroup g;
    struct cgroup_figures f = {0};
    const struct cgroup_ceilings c = {.memory_bytes = 64 << 20, .cpu_percent = 100, .processes = 16};
    assert_int_equal(cgroup_make(&p, 7, &c, &g), ERR_OK);
    assert_true(g.dir >= 0);
    pid_t pid = start_inside(&g);
    while (f.cpu_ns == 0) assert_true(cgroup_read(&g, &f));
    cgroup_kill(&g);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    cgroup_remove(&p, &g);
    assert_int_equal(g.dir, -1);
    assert_false(cgroup_read(&g, &f));
    cgroup_close(&p);
}

static void what_an_earlier_life_left_is_removed(void **state) {
    (void)state;
    char left[300];
    snprintf(left, sizeof left, "%s/run-3-1", parent_path);
    assert_int_equal(mkdir(left, 0755), 0);
    struct cgroup_parent p = open_parent();
    assert_int_equal(access(left, F_OK), -1);
    cgroup_close(&p);
}

static void where_there_is_none_nothing_is_made(void **state) {
    (void)state;
    struct cgroup_parent p;
    struct cgroup g;
    struct buf why;
    buf_init(&why, 512);
    assert_int_equal(cgroup_open("none", &p, &why), ERR_OK);
    assert_int_equal(p.dir, -1);
    assert_int_equal(cgroup_make(&p, 1, &(struct cgroup_ceilings){.memory_bytes = 1}, &g), ERR_OK);
    assert_int_equal(cgroup_join(&g), ERR_OK);
    cgroup_kill(&g);
    cgroup_remove(&p, &g);
    assert_int_equal(cgroup_open("/tmp", &p, &why), ERR_SYS);
    assert_string_equal(buf_str(&why), "/tmp is not a control group of version 2");
    buf_done(&why);
}

int main(void) {
    const struct CMUnitTest plain[] = {cmocka_unit_test(where_there_is_none_nothing_is_made)};
    const struct CMUnitTest real[] = {
        cmocka_unit_test(what_runs_in_a_group_is_counted_and_ends_with_it),
        cmocka_unit_test(what_an_earlier_life_left_is_removed),
    };
    int failed = cmocka_run_group_tests(plain, NULL, NULL);
    if (make_parent()) return failed + cmocka_run_group_tests(real, NULL, tear_down);
    print_message("skipped: no control group of version 2 here that this user may make groups in\n");
    return failed;
}
