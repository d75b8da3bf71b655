/* Each case runs in a child that has entered the filter. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "common/base/auto.h"
#include "common/sys/fds.h"
#include "common/sys/seccomp.h"

typedef int case_fn(void);

/* Exit status of fn within the filters, or minus the signal that ended it. */
static int within_these(const enum seccomp_role *roles, size_t n_roles, case_fn *fn) {
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit none = {0};
        setrlimit(RLIMIT_CORE, &none);
        for (size_t i = 0; i < n_roles; i++)
            if (seccomp_enter(roles[i]) != ERR_OK) _exit(99);
        _exit(fn());
    }
    int status;
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int within(case_fn *fn) { return within_these(&(const enum seccomp_role){SECCOMP_AGENTD}, 1, fn); }
static int within_runner(case_fn *fn) { return within_these(&(const enum seccomp_role){SECCOMP_RUNNER}, 1, fn); }
/* As a tool has them: the runner's, and its own. */
static int within_tool(case_fn *fn) {
    static const enum seccomp_role roles[] = {SECCOMP_RUNNER, SECCOMP_TOOL};
    return within_these(roles, COUNT_OF(roles), fn);
}

/* ---- what agentd does ---- */

static int waits(void) {
    int ep = epoll_create1(EPOLL_CLOEXEC), ev = eventfd(1, EFD_NONBLOCK), tf = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), pipes[2];
    sigset_t set;
    struct epoll_event e = {.events = EPOLLIN};
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || signalfd(-1, &set, SFD_CLOEXEC) < 0 || tf < 0 || pipe2(pipes, O_CLOEXEC) != 0) return 1;
    if (epoll_ctl(ep, EPOLL_CTL_ADD, ev, &e) != 0 || epoll_wait(ep, &e, 1, -1) != 1) return 2;
    if (fcntl(ev, F_SETFL, O_NONBLOCK) != 0 || usleep(10) != 0) return 3;
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && prctl(PR_SET_NAME, "agentd") == 0 ? 0 : 4;
}

static void *worker(void *arg) {
    char *p = malloc(1 << 20); /* an arena of its own */
    if (!p) return NULL;
    p[1000] = 1;
    free(p);
    prctl(PR_SET_NAME, "worker");
    return arg;
}

static int threads(void) {
    for (int i = 0; i < 3; i++) {
        pthread_t t;
        void *result = NULL;
        if (pthread_create(&t, NULL, worker, &i) != 0) return 1;
        if (pthread_join(t, &result) != 0 || result != &i) return 2;
    }
    return 0;
}

static int files(void) {
    char folder[] = "/tmp/trawl-seccomp-XXXXXX", line[64];
    struct buf b;
    if (!mkdtemp(folder)) return 1;
    AUTO_CLOSE int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fds_write_file(dir, "a", SPAN_LIT("spooled"), 0600) != ERR_OK) return 2;
    if (renameat(dir, "a", dir, "b") != 0 || unlinkat(dir, "b", 0) != 0 || rmdir(folder) != 0) return 3;
    buf_init(&b, 1 << 20);
    if (fds_read_file("/proc/self/stat", &b) != ERR_OK) return 4;
    buf_done(&b);
    FILE *f = fopen("/etc/passwd", "re");
    if (!f || !fgets(line, sizeof line, f) || fclose(f) != 0) return 5;
    return getrandom(line, sizeof line, 0) == sizeof line ? 0 : 6;
}

static int network(void) {
    struct addrinfo *list = NULL;
    int looked_up = getaddrinfo("localhost", "80", NULL, &list); /* a machine without /etc/hosts does not know it: that is no refusal */
    if (looked_up != 0 && looked_up != EAI_NONAME && looked_up != EAI_AGAIN) return 1;
    if (looked_up == 0) freeaddrinfo(list);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, pair[2];
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof a;
    if (bind(server, (struct sockaddr *)&a, n) != 0 || listen(server, 1) != 0 || getsockname(server, (struct sockaddr *)&a, &n) != 0)
        return 2;
    if (setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one) != 0 || connect(client, (struct sockaddr *)&a, n) != 0) return 3;
    int peer = accept4(server, NULL, NULL, SOCK_CLOEXEC);
    char c = 0;
    if (send(client, "x", 1, MSG_NOSIGNAL) != 1 || recv(peer, &c, 1, 0) != 1 || c != 'x' || shutdown(peer, SHUT_RDWR) != 0) return 4;
    return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0 ? 0 : 5;
}

static void agentd_can_do_its_work(void **state) {
    (void)state;
    assert_int_equal(within(waits), 0);
    assert_int_equal(within(threads), 0);
    assert_int_equal(within(files), 0);
    assert_int_equal(within(network), 0);
}

static int aborts(void) {
    signal(SIGABRT, SIG_DFL);
    abort();
}
static void an_assertion_still_ends_it(void **state) {
    (void)state;
    assert_int_equal(within(aborts), -SIGABRT);
}

/* ---- what it has no business with, but may stumble on ---- */

static int denied(long r) { return r == -1 && errno == EPERM ? 0 : 1; }
static int opens_packet_socket(void) { return denied(socket(AF_PACKET, SOCK_RAW, 0)); }
static int opens_vsock(void) { return denied(socket(AF_VSOCK, SOCK_STREAM, 0)); }
static int makes_symlink(void) { return denied(symlink("/etc/shadow", "/tmp/trawl-seccomp-link")); }
static int changes_owner(void) { return denied(chown("/tmp", 0, 0)); }
static int makes_device(void) { return denied(mknod("/tmp/trawl-seccomp-device", S_IFCHR, 0)); }
static int clones_opaquely(void) { return syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS ? 0 : 1; }
#ifndef TRAWL_SANITIZED
static int forks(void) { return denied(fork()); }
static int signals_others(void) { return denied(kill(getppid(), 0)); }
static int maps_writable_code(void) {
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EPERM ? 0 : 1;
}
static int types_into_a_terminal(void) { return denied(syscall(SYS_ioctl, 0, 0x5412 /* TIOCSTI */, "x")); }
#endif

static void the_rest_is_denied(void **state) {
    (void)state;
    static case_fn *const cases[] = {
        opens_packet_socket,
        opens_vsock,
        makes_symlink,
        changes_owner,
        makes_device,
        clones_opaquely,
#ifndef TRAWL_SANITIZED
        forks,
        signals_others,
        maps_writable_code,
        types_into_a_terminal,
#endif
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) assert_int_equal(within(cases[i]), 0);
}

/* ---- what only an attacker does ---- */

static int executes(void) { return execl("/bin/true", "true", (char *)NULL); }
static int executes_at(void) { return (int)syscall(SYS_execveat, -1, "/bin/true", NULL, NULL, 0); }
static int loads_bpf(void) { return (int)syscall(SYS_bpf, 0, NULL, 0); }
static int opens_perf(void) { return (int)syscall(SYS_perf_event_open, NULL, 0, 0, -1, 0); }
static int mounts(void) { return mount("none", "/tmp", "tmpfs", 0, NULL); }
static int enters_namespace(void) { return setns(0, 0); }
static int leaves_namespace(void) { return unshare(CLONE_NEWUSER); }
static int loads_module(void) { return (int)syscall(SYS_finit_module, 0, "", 0); }
static int reads_others_memory(void) { return (int)process_vm_readv(1, NULL, 0, NULL, 0, 0); }
static int sets_up_uring(void) { return (int)syscall(SYS_io_uring_setup, 1, NULL); }
static int reads_keys(void) { return (int)syscall(SYS_keyctl, 0, 0, 0, 0, 0); }
static int changes_user(void) { return setuid(0); }
#ifndef TRAWL_SANITIZED
static int traces(void) { return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL); }
#endif

static void an_attackers_call_kills_the_process(void **state) {
    (void)state;
    static case_fn *const cases[] = {
        executes,         executes_at,  loads_bpf,           opens_perf,    mounts,     enters_namespace,
        leaves_namespace, loads_module, reads_others_memory, sets_up_uring, reads_keys, changes_user,
#ifndef TRAWL_SANITIZED
        traces,
#endif
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) assert_int_equal(within(cases[i]), -SIGSYS);
}

/* ---- runner and tools ---- */

static int not_there(long r) { return r == -1 && errno == ENOSYS ? 0 : 1; }
static int has_no_internet(void) { return not_there(socket(AF_INET, SOCK_STREAM, 0)) + not_there(socket(AF_INET6, SOCK_DGRAM, 0)); }
static int has_no_other_network(void) {
    return not_there(socket(AF_PACKET, SOCK_RAW, 0)) + not_there(socket(AF_NETLINK, SOCK_RAW, 0)) +
           not_there(socket(AF_VSOCK, SOCK_STREAM, 0));
}
static int has_no_modules(void) {
    return not_there(syscall(SYS_finit_module, 0, "", 0)) + not_there(syscall(SYS_init_module, NULL, 0, "")) +
           not_there(syscall(SYS_delete_module, "x", 0));
}
static int has_no_keys(void) {
    return not_there(syscall(SYS_keyctl, 0, 0, 0, 0, 0)) + not_there(syscall(SYS_add_key, "user", "x", "y", 1, -1));
}
static int does_not_end_the_host(void) {
    return not_there(syscall(SYS_reboot, 0, 0, 0, NULL)) + not_there(syscall(SYS_kexec_load, 0, 0, NULL, 0)) +
           not_there(swapoff("/nothing"));
}
static int does_not_set_clocks(void) {
    const struct timespec t = {0};
    return not_there(clock_settime(CLOCK_REALTIME, &t)) + not_there(sethostname("x", 1));
}
static int has_no_uring(void) { return not_there(syscall(SYS_io_uring_setup, 1, NULL)) + not_there(syscall(SYS_userfaultfd, 0)); }
static int makes_other_namespaces(void) { return not_there(unshare(CLONE_NEWUSER)) + not_there(unshare(CLONE_NEWNET)); }

static void what_the_runner_has_no_business_with_is_not_there(void **state) {
    (void)state;
    static case_fn *const cases[] = {has_no_internet,       has_no_other_network, has_no_modules, has_no_keys,
                                     does_not_end_the_host, does_not_set_clocks,  has_no_uring,   makes_other_namespaces};
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (within_runner(cases[i]) != 0) fail_msg("case %zu of the runner", i);
}

static int does_not_mount(void) { return denied(mount("none", "/tmp", "tmpfs", 0, NULL)) + not_there(umount2("/nothing", 0)); }
static int makes_no_namespaces(void) {
    return denied(unshare(CLONE_NEWNS)) + denied(unshare(CLONE_NEWPID)) + denied(setns(0, CLONE_NEWPID));
}
static int does_not_reach_into_others(void) {
    return not_there(process_vm_readv(1, NULL, 0, NULL, 0, 0)) + not_there(process_vm_writev(1, NULL, 0, NULL, 0, 0)) +
           not_there(syscall(SYS_pidfd_getfd, 0, 0, 0));
}
#ifndef TRAWL_SANITIZED
static int does_not_trace_others(void) { return not_there(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL)); }
#endif

static void a_tool_gets_no_further_than_its_work(void **state) {
    (void)state;
    static case_fn *const cases[] = {
        does_not_mount,        makes_no_namespaces, does_not_reach_into_others, has_no_internet,
        has_no_modules,        has_no_keys,         does_not_end_the_host,      has_no_uring,
#ifndef TRAWL_SANITIZED
        does_not_trace_others,
#endif
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (within_tool(cases[i]) != 0) fail_msg("case %zu of a tool", i);
}

/* The kernel's own answer, not the filter's: there is no such command, and no such event. */
static int traces_the_kernel(void) {
    if (syscall(SYS_bpf, 0x7fff, NULL, 0) != -1 || errno == ENOSYS) return 1;
    return syscall(SYS_perf_event_open, NULL, 0, 0, -1, 0) == -1 && errno == EFAULT ? 0 : 2;
}
static int makes_code_in_memory(void) {
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p != MAP_FAILED && mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0 ? 0 : 1;
}

static void a_tool_can_do_its_work(void **state) {
    (void)state;
    assert_int_equal(within_tool(waits), 0);
    assert_int_equal(within_tool(threads), 0);
    assert_int_equal(within_tool(files), 0);
    assert_int_equal(within_tool(traces_the_kernel), 0);
    assert_int_equal(within_tool(makes_code_in_memory), 0);
    assert_int_equal(within_tool(executes), 0);
}

/* A thread that was there before is not forgotten. */
static int release[2];
static void *executes_later(void *arg) {
    char c;
    if (read(release[0], &c, 1) == 1) executes();
    return arg;
}
static void threads_made_before_are_bound_as_well(void **state) {
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit none = {0};
        pthread_t t;
        setrlimit(RLIMIT_CORE, &none);
        if (pipe(release) != 0 || pthread_create(&t, NULL, executes_later, NULL) != 0) _exit(98);
        if (seccomp_enter(SECCOMP_AGENTD) != ERR_OK) _exit(99);
        if (write(release[1], "x", 1) != 1) _exit(97);
        pthread_join(t, NULL);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agentd_can_do_its_work),
        cmocka_unit_test(an_assertion_still_ends_it),
        cmocka_unit_test(the_rest_is_denied),
        cmocka_unit_test(an_attackers_call_kills_the_process),
        cmocka_unit_test(what_the_runner_has_no_business_with_is_not_there),
        cmocka_unit_test(a_tool_gets_no_further_than_its_work),
        cmocka_unit_test(a_tool_can_do_its_work),
        cmocka_unit_test(threads_made_before_are_bound_as_well),
    };
    if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0) {
        puts("skipped: this kernel has no seccomp");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
