#include "agent/runner/warden.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "common/base/auto.h"
#include "common/sys/fds.h"

int warden_own_namespace(void) { return open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC); }

/* The init of the namespace.  Signals from inside never reach an init that has no handler; from outside only SIGKILL counts. */
__attribute__((noreturn)) static void live(int ready_fd) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    signal(SIGCHLD, SIG_IGN); /* orphans that come to us are reaped by the kernel */
    prctl(PR_SET_NAME, "trawl-warden");
    prctl(PR_SET_DUMPABLE, 0);
    if (dup2(ready_fd, 0) < 0 || chdir("/") != 0 || setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) _exit(1);
    fds_close_from(1);
    /* A runner that died before the line above cannot kill us any more, but nobody reads the pipe then. */
    if (write(0, "", 1) != 1) _exit(1);
    close(0);
    for (;;) pause();
}

static enum err await_ready(int fd) {
    char byte;
    ssize_t n;
    do n = read(fd, &byte, 1);
    while (n < 0 && errno == EINTR);
    return n == 1 ? ERR_OK : ERR_SYS;
}

static enum err start(struct warden *out) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return ERR_SYS;
    AUTO_CLOSE int reader = ends[0];
    AUTO_CLOSE int writer = ends[1];
    pid_t pid = fork();
    if (pid < 0) return ERR_SYS;
    if (pid == 0) {
        close(reader);
        live(writer);
    }
    struct warden w = {.pid = pid, .pidfd = pidfd_open(pid, 0)};
    close(TAKE_FD(writer));
    if (w.pidfd < 0 || await_ready(reader) != ERR_OK) {
        int saved = errno;
        kill(pid, SIGKILL);
        warden_reap(&w);
        errno = saved ? saved : ECHILD;
        return ERR_SYS;
    }
    *out = w;
    return ERR_OK;
}

enum err warden_enter(int own_namespace, struct warden *out) {
    if (unshare(CLONE_NEWPID) != 0) return ERR_SYS;
    enum err e = start(out);
    if (e) {
        int saved = errno;
        warden_leave(own_namespace);
        errno = saved;
    }
    return e;
}

void warden_leave(int own_namespace) {
    if (setns(own_namespace, CLONE_NEWPID) != 0) abort();
}

void warden_kill(const struct warden *w) {
    if (w->pid > 0) kill(w->pid, SIGKILL);
}

void warden_reap(struct warden *w) {
    if (w->pid > 0)
        while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    if (w->pidfd >= 0) close(w->pidfd);
    *w = (struct warden){.pid = 0, .pidfd = -1};
}
