#include "common/sys/seccomp.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <termios.h>

#include "common/base/auto.h"

/* Only an attacker would call these: better a dead agentd, which the service manager starts again, than one that probes on. */
static const int deadly[] = {
    SCMP_SYS(execve),           SCMP_SYS(execveat),      SCMP_SYS(bpf),          SCMP_SYS(perf_event_open),
    SCMP_SYS(mount),            SCMP_SYS(umount2),       SCMP_SYS(pivot_root),   SCMP_SYS(chroot),
    SCMP_SYS(fsopen),           SCMP_SYS(fsconfig),      SCMP_SYS(fsmount),      SCMP_SYS(fspick),
    SCMP_SYS(move_mount),       SCMP_SYS(open_tree),     SCMP_SYS(mount_setattr), SCMP_SYS(setns),
    SCMP_SYS(unshare),          SCMP_SYS(init_module),   SCMP_SYS(finit_module), SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),       SCMP_SYS(kexec_file_load), SCMP_SYS(reboot),     SCMP_SYS(swapon),
    SCMP_SYS(swapoff),          SCMP_SYS(acct),          SCMP_SYS(quotactl),     SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),    SCMP_SYS(sethostname),   SCMP_SYS(setdomainname), SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev), SCMP_SYS(process_madvise), SCMP_SYS(kcmp),      SCMP_SYS(pidfd_getfd),
    SCMP_SYS(open_by_handle_at), SCMP_SYS(name_to_handle_at), SCMP_SYS(userfaultfd), SCMP_SYS(fanotify_init),
    SCMP_SYS(keyctl),           SCMP_SYS(add_key),       SCMP_SYS(request_key),  SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),   SCMP_SYS(io_uring_register), SCMP_SYS(iopl),     SCMP_SYS(ioperm),
    SCMP_SYS(modify_ldt),       SCMP_SYS(personality),   SCMP_SYS(lookup_dcookie), SCMP_SYS(vmsplice),
    SCMP_SYS(setuid),           SCMP_SYS(setgid),        SCMP_SYS(setreuid),     SCMP_SYS(setregid),
    SCMP_SYS(setresuid),        SCMP_SYS(setresgid),     SCMP_SYS(setgroups),    SCMP_SYS(setfsuid),
    SCMP_SYS(setfsgid),         SCMP_SYS(capset),
#ifndef TRAWL_SANITIZED
    SCMP_SYS(ptrace), /* LeakSanitizer stops the threads with it */
#endif
};

/* Whatever their arguments are. */
static const int allowed[] = {
    /* files */
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(preadv),
    SCMP_SYS(pwritev), SCMP_SYS(preadv2), SCMP_SYS(pwritev2), SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(creat),
    SCMP_SYS(close), SCMP_SYS(close_range), SCMP_SYS(lseek), SCMP_SYS(_llseek), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(ftruncate),
    SCMP_SYS(fallocate), SCMP_SYS(fadvise64), SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(unlink),
    SCMP_SYS(unlinkat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(fchmod), SCMP_SYS(chmod), SCMP_SYS(fchmodat),
    SCMP_SYS(stat), SCMP_SYS(fstat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(fstatat64), SCMP_SYS(fstat64), SCMP_SYS(stat64),
    SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
    SCMP_SYS(getdents), SCMP_SYS(getdents64), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd), SCMP_SYS(umask),
    SCMP_SYS(flock), SCMP_SYS(fcntl), SCMP_SYS(fcntl64), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(utimensat),
    SCMP_SYS(pipe), SCMP_SYS(pipe2),
    /* waiting */
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(_newselect), SCMP_SYS(pselect6), SCMP_SYS(epoll_create),
    SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2),
    SCMP_SYS(eventfd), SCMP_SYS(eventfd2), SCMP_SYS(signalfd), SCMP_SYS(signalfd4), SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime), SCMP_SYS(timerfd_gettime), SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(pause),
    SCMP_SYS(wait4), SCMP_SYS(waitid), SCMP_SYS(inotify_init1), SCMP_SYS(inotify_add_watch), SCMP_SYS(inotify_rm_watch),
    /* network; socket itself is below */
    SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(connect), SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(getsockname),
    SCMP_SYS(getpeername), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(shutdown), SCMP_SYS(send), SCMP_SYS(recv),
    SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg),
    /* memory; what could make it executable is below */
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(mincore), SCMP_SYS(mlock), SCMP_SYS(mlock2),
    SCMP_SYS(munlock), SCMP_SYS(membarrier),
    /* threads and signals */
    SCMP_SYS(futex), SCMP_SYS(futex_waitv), SCMP_SYS(set_robust_list), SCMP_SYS(get_robust_list), SCMP_SYS(rseq),
    SCMP_SYS(set_tid_address), SCMP_SYS(gettid), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_setaffinity),
    SCMP_SYS(sched_getparam), SCMP_SYS(sched_getscheduler), SCMP_SYS(sched_get_priority_max), SCMP_SYS(sched_get_priority_min),
    SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(sigreturn), SCMP_SYS(rt_sigpending), SCMP_SYS(rt_sigsuspend), SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(sigaltstack), SCMP_SYS(arch_prctl), SCMP_SYS(set_thread_area), SCMP_SYS(getcpu), SCMP_SYS(alarm), SCMP_SYS(setitimer),
    SCMP_SYS(getitimer), SCMP_SYS(timer_create), SCMP_SYS(timer_settime), SCMP_SYS(timer_gettime), SCMP_SYS(timer_delete),
    /* asking */
    SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(getpgrp), SCMP_SYS(getpgid), SCMP_SYS(getsid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
    SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getresuid), SCMP_SYS(getresgid), SCMP_SYS(getgroups), SCMP_SYS(capget),
    SCMP_SYS(getrusage), SCMP_SYS(getrlimit), SCMP_SYS(prlimit64), SCMP_SYS(getpriority), SCMP_SYS(times), SCMP_SYS(time),
    SCMP_SYS(gettimeofday), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrandom),
#ifdef TRAWL_SANITIZED
    SCMP_SYS(ptrace), SCMP_SYS(clone), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(kill), SCMP_SYS(tkill), SCMP_SYS(prctl),
    SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(setrlimit), SCMP_SYS(ioctl), SCMP_SYS(msync),
#endif
};

/* With this argument only: (value of argument & mask) == want. */
struct argued {
    int call;
    unsigned argument;
    uint64_t mask, want;
};

#define WHOLE           UINT64_MAX
#define NAMESPACES      ((uint64_t)(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET))
#define NEVER_BOTH(call) /* writable and executable at once */ \
    {call, 2, PROT_WRITE | PROT_EXEC, 0}, {call, 2, PROT_WRITE | PROT_EXEC, PROT_WRITE}, {call, 2, PROT_WRITE | PROT_EXEC, PROT_EXEC}

static const struct argued argued[] = {
    {SCMP_SYS(socket), 0, WHOLE, AF_UNIX},
    {SCMP_SYS(socket), 0, WHOLE, AF_INET},
    {SCMP_SYS(socket), 0, WHOLE, AF_INET6},
    {SCMP_SYS(socket), 0, WHOLE, AF_NETLINK}, /* getaddrinfo asks for the addresses of this host */
    {SCMP_SYS(socketpair), 0, WHOLE, AF_UNIX},
    NEVER_BOTH(SCMP_SYS(mmap)),
    NEVER_BOTH(SCMP_SYS(mmap2)),
    NEVER_BOTH(SCMP_SYS(mprotect)),
    NEVER_BOTH(SCMP_SYS(pkey_mprotect)),
    {SCMP_SYS(clone), 0, NAMESPACES | CLONE_THREAD, CLONE_THREAD}, /* threads: no processes, no namespaces */
    {SCMP_SYS(ioctl), 1, UINT32_MAX, FIONBIO},
    {SCMP_SYS(ioctl), 1, UINT32_MAX, FIONREAD},
    {SCMP_SYS(ioctl), 1, UINT32_MAX, FIOCLEX},
    {SCMP_SYS(ioctl), 1, UINT32_MAX, TCGETS}, /* isatty */
    {SCMP_SYS(ioctl), 1, UINT32_MAX, TIOCGWINSZ},
    {SCMP_SYS(ioctl), 1, UINT32_MAX, SIOCGIFNAME}, /* getaddrinfo: scopes of IPv6 addresses */
    {SCMP_SYS(ioctl), 1, UINT32_MAX, SIOCGIFINDEX},
    {SCMP_SYS(prctl), 0, UINT32_MAX, PR_SET_NAME},
    {SCMP_SYS(prctl), 0, UINT32_MAX, PR_GET_NAME},
    {SCMP_SYS(prctl), 0, UINT32_MAX, PR_SET_VMA}, /* malloc names its memory */
    {SCMP_SYS(prctl), 0, UINT32_MAX, PR_SET_PDEATHSIG},
    {SCMP_SYS(prctl), 0, UINT32_MAX, PR_GET_DUMPABLE},
    {SCMP_SYS(prctl), 0, UINT32_MAX, PR_SET_NO_NEW_PRIVS},
    {SCMP_SYS(prctl), 0, UINT32_MAX, PR_GET_NO_NEW_PRIVS},
    {SCMP_SYS(prctl), 0, UINT32_MAX, PR_CAPBSET_READ},
    {SCMP_SYS(prctl), 0, UINT32_MAX, PR_GET_SECCOMP},
};

/* Rules without an argument; libseccomp passes over calls that this machine does not have. */
static int add_plain(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t n) {
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++) r = seccomp_rule_add(filter, action, calls[i], 0);
    return r;
}

static int add_argued(scmp_filter_ctx filter) {
    int r = 0;
    for (size_t i = 0; i < COUNT_OF(argued) && r == 0; i++) {
        const struct argued *a = &argued[i];
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, a->call, 1, SCMP_CMP64(a->argument, SCMP_CMP_MASKED_EQ, a->mask, a->want));
        if (r == -EEXIST) r = 0; /* the call is allowed as a whole already */
    }
    /* abort and raise; nobody else is signalled. */
    if (r == 0) r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
    /* Its flags stand in memory, where a filter cannot look; the C library then uses clone. */
    if (r == 0) r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    return r;
}

static int agentd_filter(scmp_filter_ctx filter) {
    int r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (r == 0) r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (r == 0) r = add_plain(filter, SCMP_ACT_KILL_PROCESS, deadly, COUNT_OF(deadly));
    if (r == 0) r = add_plain(filter, SCMP_ACT_ALLOW, allowed, COUNT_OF(allowed));
    if (r == 0) r = add_argued(filter);
    return r == 0 ? seccomp_load(filter) : r;
}

enum err seccomp_enter(enum seccomp_role role) {
    static int (*const filters[])(scmp_filter_ctx) = {[SECCOMP_AGENTD] = agentd_filter};
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!filter) return ERR_NOMEM;
    int r = filters[role](filter);
    seccomp_release(filter);
    if (r == 0) return ERR_OK;
    errno = -r;
    return ERR_SYS;
}
