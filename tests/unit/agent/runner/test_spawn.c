/* What a tool finds when it wakes up, and that it is the file that was checked. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <linux/capability.h>

#include "agent/runner/spawn.h"
#include "common/sys/priv.h"
#include "tests/unit/agent/runner/stage.h"

enum { NOBODY = 65534 };

static int own_namespace;

static enum err run(const struct stage *s, const char *const *argv, uint64_t capabilities, struct spawned *out, char why[512]) {
    static const char *const more[] = {"COLOUR=none", NULL};
    static const struct flavour row = {.id = FLAVOUR_LIBBPF, .binaries = {"runqlat"}};
    struct verified v;
    struct buf b;
    buf_init(&b, 511);
    enum err e = verify_tool(&s->policy, &row, &v, &b);
    if (!e) {
        struct spawn_options o = {.file = &v, .argv = argv, .env = more, .uid = NOBODY, .gid = NOBODY, .own_namespace = own_namespace};
        o.capabilities = capabilities;
        o.view = view_of(&s->policy);
        o.memory_bytes = 512ULL << 20;
        e = spawn_tool(&o, out, &b);
        verify_done(&v);
    }
    snprintf(why, 512, "%s", b.n ? buf_str(&b) : "");
    buf_done(&b);
    return e;
}

static int end_of(struct spawned *p) {
    int status = -1;
    assert_int_equal(waitpid(p->tool, &status, 0), p->tool);
    p->tool = 0;
    spawn_clear(p);
    return status;
}

static void show(const struct stage *s, uint64_t capabilities, char *out, size_t cap) {
    static const char *const argv[] = {"runqlat", "show", "5", "1", NULL};
    struct spawned p;
    char why[512];
    enum err e = run(s, argv, capabilities, &p, why);
    if (e) fail_msg("%s", why);
    int fd = p.out_fd;
    p.out_fd = -1;
    stage_drain(fd, 5000, out, cap);
    assert_int_equal(end_of(&p), 0);
}

static void assert_says(const char *text, const char *line) {
    if (!strstr(text, line)) fail_msg("no \"%s\" in:\n%s", line, text);
}

static void nothing_of_ours_is_inherited(void **state) {
    struct stage *s = *state;
    static char out[16384];
    stage_copy(s, FAKE_TOOL, "runqlat", 0755);
    setenv("SECRET", "x", 1);
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    sigset_t some;
    sigemptyset(&some);
    sigaddset(&some, SIGTERM);
    sigaddset(&some, SIGCHLD);
    sigprocmask(SIG_BLOCK, &some, NULL);
    int leak = open("/etc/passwd", O_RDONLY);
    int high = fcntl(leak, F_DUPFD, 500);
    assert_true(leak >= 0 && high >= 0); /* without O_CLOEXEC, on purpose */
    show(s, 0, out, sizeof out);
    close(leak);
    close(high);
    sigprocmask(SIG_UNBLOCK, &some, NULL);
    signal(SIGINT, SIG_DFL);
    unsetenv("SECRET");

    assert_says(out, "env PATH=/usr/sbin:/usr/bin:/sbin:/bin\nenv HOME=/root\nenv LANG=C\nenv COLOUR=none\n");
    assert_null(strstr(out, "SECRET"));
    assert_says(out, "SigBlk:\t0000000000000000\n");
    assert_says(out, "SigIgn:\t0000000000000000\n");
    assert_says(out, "fd 0 /"); /* in a bare chroot with another path in front */
    assert_says(out, "/dev/null\nfd 1 /");
    assert_says(out, "/dev/pts/");
    assert_null(strstr(out, "fd 3 "));
    assert_null(strstr(out, "/etc/passwd"));
    assert_says(out, "argv 0 5\nargv 1 1\n");
}

static void it_is_contained(void **state) {
    struct stage *s = *state;
    static char out[16384];
    stage_copy(s, FAKE_TOOL, "runqlat", 0755);
    show(s, 0, out, sizeof out);
    assert_true(strstr(out, "\npid 2 ") || strstr(out, "\npid 3 ")); /* its namespace is its own (TSan gives the warden a thread) */
    assert_says(out, " leader 1 deathsig 9\n");
    assert_says(out, "cwd / umask 077\n");
    assert_says(out, "tty 1 raw 1 controlling 0\n");
    assert_true(strstr(out, "nice 5\n") || getpriority(PRIO_PROCESS, 0) > 5);
    assert_says(out, "limit core 0\n");
    assert_says(out, "limit fsize 65536\n");
    assert_says(out, "limit data 536870912\n");
    assert_says(out, "Uid:\t65534\t65534\t65534\t65534\n");
    assert_says(out, "Gid:\t65534\t65534\t65534\t65534\n");
    assert_says(out, "Groups:\t \n");
    assert_says(out, "CapPrm:\t0000000000000000\n");
    assert_says(out, "CapEff:\t0000000000000000\n");
    assert_says(out, "CapBnd:\t0000000000000000\n");
    assert_says(out, "NoNewPrivs:\t1\n");
    assert_says(out, "Seccomp:\t2\n");
    assert_says(out, "file in /tmp: made\nfile in /var/tmp: Read-only file system\nfile in /dev/shm: Read-only file system\n");
}

/* What a tool prints of this file of the stage, with the capability to read every file. */
static size_t read_inside(const struct stage *s, const char *name, char *out, size_t cap) {
    char path[512];
    snprintf(path, sizeof path, "%s", stage_path(s, name));
    const char *const argv[] = {"runqlat", "replay", path, "0", NULL};
    struct spawned p;
    char why[512];
    enum err e = run(s, argv, 1ULL << CAP_DAC_READ_SEARCH, &p, why);
    if (e) fail_msg("%s", why);
    int fd = p.out_fd;
    p.out_fd = -1;
    size_t n = stage_drain(fd, 5000, out, cap);
    end_of(&p);
    return n;
}

static void its_tmp_is_empty_and_what_is_agentds_is_hidden(void **state) {
    struct stage *s = *state;
    char out[256], key[512], spool[512], there[] = "/tmp/trawl-test-XXXXXX";
    stage_copy(s, FAKE_TOOL, "runqlat", 0755);
    stage_write(s, "open", "open", 0600);
    stage_write(s, "key", "secret", 0600);
    assert_int_equal(mkdir(stage_path(s, "spool"), 0700), 0);
    stage_write(s, "spool/part", "secret", 0600);
    assert_int_equal(read_inside(s, "key", out, sizeof out), 6);
    snprintf(key, sizeof key, "%s", stage_path(s, "key"));
    snprintf(spool, sizeof spool, "%s", stage_path(s, "spool"));
    s->policy.tls_key = key;
    s->policy.spool_dir = spool;
    assert_int_equal(read_inside(s, "open", out, sizeof out), 4);
    assert_int_equal(read_inside(s, "key", out, sizeof out), 0);
    assert_int_equal(read_inside(s, "spool/part", out, sizeof out), 0);

    int fd = mkstemp(there);
    assert_true(fd >= 0 && write(fd, "x", 1) == 1 && fchmod(fd, 0644) == 0);
    close(fd);
    snprintf(key, sizeof key, "../..%s", there);
    s->policy.tls_key = NULL;
    assert_int_equal(read_inside(s, key, out, sizeof out), 0);
    assert_int_equal(access(there, F_OK), 0);
    unlink(there);
}

static void it_has_the_capabilities_of_its_row_and_no_other(void **state) {
    struct stage *s = *state;
    static char out[16384];
    char want[64];
    uint64_t mask = 1ULL << CAP_BPF | 1ULL << CAP_PERFMON;
    if (prctl(PR_CAPBSET_READ, CAP_BPF) != 1 || prctl(PR_CAPBSET_READ, CAP_PERFMON) != 1) {
        print_message("skipped: no CAP_BPF here\n");
        skip();
    }
    stage_copy(s, FAKE_TOOL, "runqlat", 0755);
    show(s, mask, out, sizeof out);
    static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        snprintf(want, sizeof want, "%s:\t%016llx\n", sets[i], (unsigned long long)mask);
        assert_says(out, want);
    }
}

static void a_failed_exec_has_a_reason_and_leaves_nothing(void **state) {
    struct stage *s = *state;
    static const char *const argv[] = {"runqlat", NULL};
    struct spawned p;
    char why[512];
    stage_write(s, "runqlat", "\177ELF, but no more than that", 0755);
    assert_int_equal(run(s, argv, 0, &p, why), ERR_SYS);
    assert_says(why, "runqlat was not started, executing it: Exec format error");
    errno = 0;
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void without_a_namespace_nothing_runs(void **state) {
    struct stage *s = *state;
    static const char *const argv[] = {"runqlat", "exit", "0", NULL};
    stage_copy(s, FAKE_TOOL, "runqlat", 0755);
    pid_t pid = fork();
    if (pid == 0) {
        struct spawned p;
        char why[512];
        if (priv_become(0, 0, 1ULL << CAP_SETUID | 1ULL << CAP_SETGID | 1ULL << CAP_SETPCAP) != ERR_OK) _exit(2);
        if (run(s, argv, 0, &p, why) != ERR_SYS) _exit(3);
        _exit(strcmp(why, "cannot contain it in a PID namespace: Operation not permitted") != 0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void python_is_isolated_and_holds_nothing_back(void **state) {
    struct stage *s = *state;
    static const char *const argv[] = {"runqlat", "-p", "5", NULL};
    struct spawned p;
    char why[512], out[1024];
    if (access("/usr/bin/python3", X_OK) != 0) {
        print_message("skipped: needs python3\n");
        skip();
    }
    stage_write(s, "runqlat", "#!/usr/bin/env python3\nimport os, sys\n"
                              "print(sys.argv[1:], 'isolated', sys.flags.isolated, 'write_through', sys.stdout.write_through)\nos._exit(0)\n", 0755);
    enum err e = run(s, argv, 0, &p, why);
    if (e) fail_msg("%s", why);
    int fd = p.out_fd;
    p.out_fd = -1;
    stage_drain(fd, 10000, out, sizeof out);
    assert_int_equal(end_of(&p), 0);
    assert_string_equal(out, "['-p', '5'] isolated 1 write_through True\n");
}

static void our_own_forks_are_born_where_we_are_afterwards(void **state) {
    struct stage *s = *state;
    static const char *const argv[] = {"runqlat", "exit", "0", NULL};
    struct spawned p;
    char why[512];
    int status, ends[2];
    stage_copy(s, FAKE_TOOL, "runqlat", 0755);
    assert_int_equal(run(s, argv, 0, &p, why), ERR_OK);
    assert_int_equal(end_of(&p), 0);
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork(), seen = 0;
    if (pid == 0) {
        seen = getpid();
        _exit(write(ends[1], &seen, sizeof seen) != (ssize_t)sizeof seen);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(read(ends[0], &seen, sizeof seen), sizeof seen);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(seen, pid);
}

/* Forever: the good file, the bad file, the good file, … under one name. */
__attribute__((noreturn)) static void swap(const struct stage *s) {
    char good[512], bad[512], next[512], tool[512];
    snprintf(good, sizeof good, "%s/good", s->dir);
    snprintf(bad, sizeof bad, "%s/bad", s->dir);
    snprintf(next, sizeof next, "%s/next", s->dir);
    snprintf(tool, sizeof tool, "%s/runqlat", s->dir);
    for (unsigned i = 0;; i++) {
        unlink(next);
        if (link(i % 2 ? good : bad, next) != 0 || rename(next, tool) != 0) _exit(1);
        if (i % 63 == 0) usleep(200); /* also with longer looks at each */
    }
}

/* At least so many tries, and until both ways out were taken often enough to prove something. */
static void try_swapped(const struct stage *s, unsigned tries) {
    static const char *const argv[] = {"runqlat", NULL};
    unsigned ran = 0, refused = 0;
    assert_int_equal(link(stage_path(s, "good"), stage_path(s, "runqlat")), 0);
    pid_t swapper = fork();
    if (swapper == 0) swap(s);
    for (unsigned i = 0; i < tries || ran < 100 || refused < 100; i++) {
        struct spawned p;
        char why[512];
        enum err e = run(s, argv, 0, &p, why);
        if (e == ERR_UNTRUSTED) {
            refused++;
            continue;
        }
        if (e) fail_msg("try %u: %s: %s", i, err_name(e), why);
        int status = end_of(&p);
        if (status != 0) fail_msg("try %u: the unverified file ran (status %x)", i, (unsigned)status);
        ran++;
    }
    kill(swapper, SIGKILL);
    waitpid(swapper, NULL, 0);
    print_message("%u ran, %u refused\n", ran, refused);
}

static void a_binary_swapped_between_check_and_exec_never_runs(void **state) {
    struct stage *s = *state;
    stage_copy(s, "/bin/true", "good", 0755);
    stage_copy(s, "/bin/false", "bad", 0777);
    try_swapped(s, 1500);
}

static void a_script_swapped_between_check_and_exec_never_runs(void **state) {
    struct stage *s = *state;
    stage_write(s, "good", "#!/bin/sh\nexit 0\n", 0755);
    stage_write(s, "bad", "#!/bin/sh\nexit 1\n", 0777);
    try_swapped(s, 500);
}

/* The last one: without CAP_SYS_NICE this process cannot go back. */
static void of_a_runner_that_was_started_nicer_it_is_as_nice(void **state) {
    struct stage *s = *state;
    static char out[16384];
    stage_copy(s, FAKE_TOOL, "runqlat", 0755);
    assert_int_equal(setpriority(PRIO_PROCESS, 0, 15), 0);
    show(s, 0, out, sizeof out);
    assert_says(out, "nice 15\n");
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, stage_set_up, stage_tear_down)

int main(void) {
    const char *missing = stage_missing();
    if (missing) {
        printf("skipped: %s\n", missing);
        return 77;
    }
    own_namespace = warden_own_namespace();
    const struct CMUnitTest tests[] = {
        ON_STAGE(nothing_of_ours_is_inherited),
        ON_STAGE(it_is_contained),
        ON_STAGE(its_tmp_is_empty_and_what_is_agentds_is_hidden),
        ON_STAGE(it_has_the_capabilities_of_its_row_and_no_other),
        ON_STAGE(a_failed_exec_has_a_reason_and_leaves_nothing),
        ON_STAGE(without_a_namespace_nothing_runs),
        ON_STAGE(python_is_isolated_and_holds_nothing_back),
        ON_STAGE(our_own_forks_are_born_where_we_are_afterwards),
        ON_STAGE(a_binary_swapped_between_check_and_exec_never_runs),
        ON_STAGE(a_script_swapped_between_check_and_exec_never_runs),
        ON_STAGE(of_a_runner_that_was_started_nicer_it_is_as_nice),
    };
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    close(own_namespace);
    return result;
}
