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

/* clang-format off */
/* No role of ours makes these: they change the host, or reach into other processes. */
static const int nobodys[] = {
    SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(fsopen), SCMP_SYS(fsconfig), SCMP_SYS(fsmount), SCMP_SYS(fspick),
    SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(acct),
    SCMP_SYS(quotactl), SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(clock_adjtime), SCMP_SYS(adjtimex),
    SCMP_SYS(sethostname), SCMP_SYS(setdomainname), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(process_madvise),
    SCMP_SYS(kcmp), SCMP_SYS(pidfd_getfd), SCMP_SYS(open_by_handle_at), SCMP_SYS(userfaultfd), SCMP_SYS(fanotify_init), SCMP_SYS(keyctl),
    SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register),
    SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(modify_ldt), SCMP_SYS(lookup_dcookie), SCMP_SYS(vmsplice),
#ifndef TRAWL_SANITIZED
    SCMP_SYS(personality), SCMP_SYS(ptrace), /* LeakSanitizer stops the threads with the second */
#endif
};

/* The runner makes these, to contain a tool; the tool itself no more. */
static const int containing[] = {SCMP_SYS(mount), SCMP_SYS(mount_setattr), SCMP_SYS(setns), SCMP_SYS(unshare)};

/* Becoming a tool, and tracing. */
static const int tracing[] = {
    SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(name_to_handle_at), SCMP_SYS(setuid),
    SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid), SCMP_SYS(setresgid), SCMP_SYS(setgroups),
    SCMP_SYS(setfsuid), SCMP_SYS(setfsgid), SCMP_SYS(capset),
};

/* Anybody's, whatever their arguments are. */
static const int allowed[] = {
    /* files */
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(preadv),
    SCMP_SYS(pwritev), SCMP_SYS(preadv2), SCMP_SYS(pwritev2), SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(creat),
    SCMP_SYS(close), SCMP_SYS(close_range), SCMP_SYS(lseek), SCMP_SYS(_llseek), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(ftruncate),
    SCMP_SYS(fallocate), SCMP_SYS(fadvise64), SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(unlink),
    SCMP_SYS(unlinkat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(fchmod), SCMP_SYS(chmod), SCMP_SYS(fchmodat),
    SCMP_SYS(stat), SCMP_SYS(fstat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(fstatat64), SCMP_SYS(fstat64), SCMP_SYS(stat64),
    SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(getdents),
    SCMP_SYS(getdents64), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd), SCMP_SYS(umask), SCMP_SYS(flock), SCMP_SYS(fcntl),
    SCMP_SYS(fcntl64), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(utimensat), SCMP_SYS(pipe), SCMP_SYS(pipe2),
    /* waiting */
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(_newselect), SCMP_SYS(pselect6), SCMP_SYS(epoll_create),
    SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(eventfd),
    SCMP_SYS(eventfd2), SCMP_SYS(signalfd), SCMP_SYS(signalfd4), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime),
    SCMP_SYS(timerfd_gettime), SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(pause), SCMP_SYS(wait4), SCMP_SYS(waitid),
    SCMP_SYS(inotify_init1), SCMP_SYS(inotify_add_watch), SCMP_SYS(inotify_rm_watch),
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
    SCMP_SYS(ptrace), SCMP_SYS(clone), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(kill), SCMP_SYS(tkill), SCMP_SYS(prctl), SCMP_SYS(mmap),
    SCMP_SYS(mprotect), SCMP_SYS(setrlimit), SCMP_SYS(ioctl), SCMP_SYS(msync),
#endif
};

/* What runner and tools need besides: processes, code that is made in memory (bcc's and bpftrace's compiler), other users' files. */
static const int runners[] = {
    SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(kill), SCMP_SYS(tkill), SCMP_SYS(tgkill), SCMP_SYS(setsid), SCMP_SYS(setpgid),
    SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_send_signal), SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo), SCMP_SYS(prctl),
    SCMP_SYS(seccomp), SCMP_SYS(setpriority), SCMP_SYS(setrlimit), SCMP_SYS(sched_getattr), SCMP_SYS(sched_setattr),
    SCMP_SYS(sched_setscheduler), SCMP_SYS(sched_setparam), SCMP_SYS(sched_rr_get_interval), SCMP_SYS(ioprio_get), SCMP_SYS(ioprio_set),
    SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect), SCMP_SYS(pkey_mprotect), SCMP_SYS(pkey_alloc), SCMP_SYS(pkey_free),
    SCMP_SYS(msync), SCMP_SYS(mlockall), SCMP_SYS(munlockall), SCMP_SYS(memfd_create), SCMP_SYS(get_mempolicy), SCMP_SYS(ioctl),
    SCMP_SYS(chdir), SCMP_SYS(fchdir), SCMP_SYS(chown), SCMP_SYS(fchown), SCMP_SYS(lchown), SCMP_SYS(fchownat), SCMP_SYS(link),
    SCMP_SYS(linkat), SCMP_SYS(symlink), SCMP_SYS(symlinkat), SCMP_SYS(truncate), SCMP_SYS(copy_file_range), SCMP_SYS(sendfile),
    SCMP_SYS(splice), SCMP_SYS(tee), SCMP_SYS(sync), SCMP_SYS(syncfs), SCMP_SYS(sync_file_range), SCMP_SYS(readahead), SCMP_SYS(getxattr),
    SCMP_SYS(fgetxattr), SCMP_SYS(lgetxattr), SCMP_SYS(listxattr), SCMP_SYS(flistxattr), SCMP_SYS(llistxattr), SCMP_SYS(utime),
    SCMP_SYS(utimes), SCMP_SYS(futimesat), SCMP_SYS(inotify_init), SCMP_SYS(clock_gettime64), SCMP_SYS(landlock_create_ruleset),
    SCMP_SYS(landlock_add_rule), SCMP_SYS(landlock_restrict_self), SCMP_SYS(mount), SCMP_SYS(mount_setattr),
#ifdef TRAWL_SANITIZED
    SCMP_SYS(personality),
#endif
};

/* clang-format on */

/* With this argument only: (value of argument & mask) == want. */
struct argued {
    int call;
    unsigned argument;
    uint64_t mask, want;
};

#define WHOLE            UINT64_MAX
#define NAMESPACES       ((uint64_t)(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET))
#define NEVER_BOTH(call) /* writable and executable at once */                                                                             \
    {call, 2, PROT_WRITE | PROT_EXEC, 0}, {call, 2, PROT_WRITE | PROT_EXEC, PROT_WRITE}, { call, 2, PROT_WRITE | PROT_EXEC, PROT_EXEC }

static const struct argued agentds_argued[] = {
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

static const struct argued runners_argued[] = {
    {SCMP_SYS(socket), 0, WHOLE, AF_UNIX}, /* no network, for tools neither */
    {SCMP_SYS(socketpair), 0, WHOLE, AF_UNIX},  {SCMP_SYS(clone), 0, NAMESPACES, 0},       {SCMP_SYS(unshare), 0, WHOLE, CLONE_NEWPID},
    {SCMP_SYS(unshare), 0, WHOLE, CLONE_NEWNS}, {SCMP_SYS(setns), 1, WHOLE, CLONE_NEWPID},
};

/* Rules without an argument; libseccomp passes over calls that this machine does not have. */
static int add_plain(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t n) {
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++) r = seccomp_rule_add(filter, action, calls[i], 0);
    return r;
}

static int add_argued(scmp_filter_ctx filter, const struct argued *rules, size_t n) {
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++) {
        const struct argued *a = &rules[i];
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, a->call, 1, SCMP_CMP64(a->argument, SCMP_CMP_MASKED_EQ, a->mask, a->want));
        if (r == -EEXIST) r = 0; /* the call is allowed as a whole already */
    }
    return r;
}

/* Only an attacker would call what the first three have: better a dead agentd, which the service manager starts again, than one that
 * probes on. */
static int agentd_filter(scmp_filter_ctx filter) {
    int r = add_plain(filter, SCMP_ACT_KILL_PROCESS, nobodys, COUNT_OF(nobodys));
    if (r == 0) r = add_plain(filter, SCMP_ACT_KILL_PROCESS, containing, COUNT_OF(containing));
    if (r == 0) r = add_plain(filter, SCMP_ACT_KILL_PROCESS, tracing, COUNT_OF(tracing));
    if (r == 0) r = add_plain(filter, SCMP_ACT_ALLOW, allowed, COUNT_OF(allowed));
    if (r == 0) r = add_argued(filter, agentds_argued, COUNT_OF(agentds_argued));
    /* Its flags stand in memory, where a filter cannot look; the C library then uses clone.  (Of runner and tools as well.) */
    if (r == 0) r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    /* abort and raise; nobody else is signalled. */
    return r ? r : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
}

static int runner_filter(scmp_filter_ctx filter) {
    int r = add_plain(filter, SCMP_ACT_ALLOW, allowed, COUNT_OF(allowed));
    if (r == 0) r = add_plain(filter, SCMP_ACT_ALLOW, runners, COUNT_OF(runners));
    if (r == 0) r = add_plain(filter, SCMP_ACT_ALLOW, tracing, COUNT_OF(tracing));
    return r ? r : add_argued(filter, runners_argued, COUNT_OF(runners_argued));
}

static int tool_filter(scmp_filter_ctx filter) { return add_plain(filter, SCMP_ACT_ERRNO(EPERM), containing, COUNT_OF(containing)); }

enum err seccomp_enter(enum seccomp_role role) {
    static const struct {
        uint32_t otherwise; /* for calls that no rule names */
        int (*rules)(scmp_filter_ctx);
    } filters[] = {
        [SECCOMP_AGENTD] = {SCMP_ACT_ERRNO(EPERM), agentd_filter},
        [SECCOMP_RUNNER] = {SCMP_ACT_ERRNO(ENOSYS), runner_filter}, /* tools of any age: who hears this, does it the old way */
        [SECCOMP_TOOL] = {SCMP_ACT_ALLOW, tool_filter},
    };
    scmp_filter_ctx filter = seccomp_init(filters[role].otherwise);
    if (!filter) return ERR_NOMEM;
    int r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (r == 0) r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (r == 0) r = filters[role].rules(filter);
    if (r == 0) r = seccomp_load(filter);
    seccomp_release(filter);
    if (r == 0) return ERR_OK;
    errno = -r;
    return ERR_SYS;
}
