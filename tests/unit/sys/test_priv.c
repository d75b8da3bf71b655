/* Needs root: gives it up in children, and reads what the kernel says of them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "common/base/auto.h"
#include "common/base/span.h"
#include "common/sys/priv.h"

enum { NOBODY = 65534 };
static const uint64_t tracing = 1ull << CAP_BPF | 1ull << CAP_PERFMON;

/* The line of /proc/self/status that begins with name, without the name. */
static bool status_is(struct span status, const char *name, const char *want) {
    struct span line;
    while (span_line(&status, &line))
        if (span_starts(line, span_str(name))) return span_eq_str(span_trim(span_drop(line, strlen(name))), want);
    return false;
}

static bool sets_are(struct span status, uint64_t mask) {
    static const char *const sets[] = {"CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"};
    char want[32];
    bool all = true;
    snprintf(want, sizeof want, "%016llx", (unsigned long long)mask);
    for (size_t i = 0; i < COUNT_OF(sets); i++) all = all && status_is(status, sets[i], want);
    return all;
}

static struct span own_status(char *room, size_t size) {
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, room, size);
    close(fd);
    return span_of(room, n > 0 ? (size_t)n : 0);
}

/* In the child: 0 or the number of the first thing that is not as it should be. */
static int become_and_look(uid_t uid, gid_t gid, uint64_t mask) {
    char room[8192], ids[64];
    if (priv_become(uid, gid, mask) != ERR_OK) return 1;
    struct span status = own_status(room, sizeof room);
    if (!sets_are(status, mask)) return 2;
    if (!status_is(status, "NoNewPrivs:", "1")) return 3;
    if (!status_is(status, "Groups:", "")) return 4;
    snprintf(ids, sizeof ids, "%u\t%u\t%u\t%u", uid, uid, uid, uid);
    if (!status_is(status, "Uid:", ids)) return 5;
    snprintf(ids, sizeof ids, "%u\t%u\t%u\t%u", gid, gid, gid, gid);
    if (!status_is(status, "Gid:", ids)) return 6;
    if (prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) != 0) return 7;
    return 0;
}

static int result_of(pid_t child) {
    int status;
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_tool_has_exactly_the_capabilities_of_its_row(void **state) {
    (void)state;
    pid_t child = fork();
    if (child == 0) _exit(become_and_look(NOBODY, NOBODY, tracing));
    assert_int_equal(result_of(child), 0);
}

static void they_are_still_there_after_an_exec_and_no_others(void **state) {
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        static const char script[] = "set -e; for s in CapInh CapPrm CapEff CapBnd CapAmb; do grep -q \"^$s:.000000c000000000$\" /proc/self/status; done;"
                                     "grep -q '^NoNewPrivs:.1$' /proc/self/status";
        if (become_and_look(NOBODY, NOBODY, tracing)) _exit(100);
        execl("/bin/sh", "sh", "-c", script, (char *)NULL);
        _exit(101);
    }
    assert_int_equal(result_of(child), 0);
}

static void an_empty_mask_leaves_nothing_and_no_way_back(void **state) {
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        int wrong = become_and_look(NOBODY, NOBODY, 0);
        if (wrong) _exit(wrong);
        if (setuid(0) == 0 || setgid(0) == 0 || setresuid(0, 0, 0) == 0) _exit(50);
        if (open("/proc/1/mem", O_RDONLY | O_CLOEXEC) >= 0) _exit(51);
        _exit(priv_become(NOBODY, NOBODY, tracing) == ERR_SYS ? 0 : 52);
    }
    assert_int_equal(result_of(child), 0);
}

static void root_can_bound_itself_and_its_child_then_becomes_less(void **state) {
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        uint64_t own = tracing | 1ull << CAP_SETUID | 1ull << CAP_SETGID | 1ull << CAP_SETPCAP;
        int wrong = become_and_look(0, 0, own);
        if (wrong) _exit(wrong);
        pid_t tool = fork();
        if (tool == 0) _exit(become_and_look(NOBODY, NOBODY, 1ull << CAP_BPF));
        int status;
        _exit(waitpid(tool, &status, 0) == tool && status == 0 ? 0 : 60 + WEXITSTATUS(status));
    }
    assert_int_equal(result_of(child), 0);
}

static void what_cannot_be_had_is_an_error(void **state) {
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        if (priv_become(NOBODY, NOBODY, 1ull << 63) != ERR_SYS) _exit(1); /* no such capability */
        _exit(0);
    }
    assert_int_equal(result_of(child), 0);
    child = fork();
    if (child == 0) {
        if (priv_become(0, 0, 1ull << CAP_SETUID | 1ull << CAP_SETGID | 1ull << CAP_SETPCAP) != ERR_OK) _exit(1);
        _exit(priv_become(NOBODY, NOBODY, tracing) == ERR_SYS ? 0 : 2); /* given up before */
    }
    assert_int_equal(result_of(child), 0);
}

static void users_are_found_by_name_and_by_number(void **state) {
    (void)state;
    uid_t uid = 1;
    gid_t gid = 1;
    assert_int_equal(priv_user("root", &uid, &gid), ERR_OK);
    assert_true(uid == 0 && gid == 0);
    assert_int_equal(priv_user("65534", &uid, &gid), ERR_OK);
    assert_true(uid == NOBODY);
    static const char *const absent[] = {"no-such-user-here", "", "4294967295", "99999999999", "3999999999", "-1"};
    for (size_t i = 0; i < COUNT_OF(absent); i++) assert_int_equal(priv_user(absent[i], &uid, &gid), ERR_NOTFOUND);
    assert_true(uid == NOBODY); /* untouched */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tool_has_exactly_the_capabilities_of_its_row),
        cmocka_unit_test(they_are_still_there_after_an_exec_and_no_others),
        cmocka_unit_test(an_empty_mask_leaves_nothing_and_no_way_back),
        cmocka_unit_test(root_can_bound_itself_and_its_child_then_becomes_less),
        cmocka_unit_test(what_cannot_be_had_is_an_error),
        cmocka_unit_test(users_are_found_by_name_and_by_number),
    };
    if (geteuid() != 0 || prctl(PR_CAPBSET_READ, CAP_BPF, 0, 0, 0) != 1 || prctl(PR_CAPBSET_READ, CAP_PERFMON, 0, 0, 0) != 1) {
        puts("skipped: not root, or without CAP_BPF and CAP_PERFMON");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
