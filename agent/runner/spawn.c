#include "agent/runner/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/base/auto.h"
#include "common/sys/fds.h"
#include "common/sys/priv.h"
#include "common/sys/seccomp.h"

/* Descriptors of the child.  The status pipe and the executed file close themselves; a script must stay open, its interpreter reads it. */
enum { CHILD_STATUS = 3, CHILD_EXEC = 4, CHILD_SCRIPT = 5, CHILD_END = 6, CHILD_SPARE = 64 };
#define SCRIPT_PATH "/proc/self/fd/5"

enum { ARGV_MAX = 48, ENV_MAX = 8, EXEC_WAIT_MS = 5000 };

static const char *const literal_env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C"};

enum stage { STAGE_GROUP, STAGE_DESCRIPTORS, STAGE_LIMITS, STAGE_VIEW, STAGE_PRIVILEGE, STAGE_CALLS, STAGE_EXEC };
static const char *const stage_names[] = {
    [STAGE_GROUP] = "its cgroup",  [STAGE_DESCRIPTORS] = "its descriptors",
    [STAGE_VIEW] = "its view of the file system",
    [STAGE_LIMITS] = "its limits", [STAGE_PRIVILEGE] = "its user and capabilities",
    [STAGE_CALLS] = "its system calls",
    [STAGE_EXEC] = "executing it",
};

/* What a child that could not get to the tool says of it. */
struct status {
    enum stage stage;
    int error;
};

/* Everything the child needs, made before the fork. */
struct plan {
    const struct spawn_options *o;
    char *argv[ARGV_MAX], *envp[ENV_MAX];
    int out_fd, err_fd, status_fd;
};

static char *plain(const char *s) {
    char *p;
    memcpy(&p, &s, sizeof p); /* execve's vectors are not const, though nothing writes through them */
    return p;
}

static enum err build_argv(const struct spawn_options *o, struct plan *p) {
    static const char *const python_options[] = {"-I", "-u"}; /* nothing from outside, nothing held back in a buffer */
    size_t n = 0;
    const struct verified *v = o->file;
    const char *const *tail = o->argv;
    if (v->script_fd >= 0) {
        p->argv[n++] = plain(v->interpreter);
        if (v->python)
            for (size_t i = 0; i < COUNT_OF(python_options); i++) p->argv[n++] = plain(python_options[i]);
        else if (v->option[0])
            p->argv[n++] = plain(v->option);
        p->argv[n++] = plain(SCRIPT_PATH);
        tail++;
    }
    for (; *tail; tail++) {
        if (n == ARGV_MAX - 1) return ERR_LIMIT;
        bool program = v->program_fd >= 0 && strcmp(*tail, "{program}") == 0;
        p->argv[n++] = plain(program ? SCRIPT_PATH : *tail);
    }
    p->argv[n] = NULL;
    n = 0;
    for (size_t i = 0; i < COUNT_OF(literal_env); i++) p->envp[n++] = plain(literal_env[i]);
    for (const char *const *e = o->env; e && *e; e++) {
        if (n == ENV_MAX - 1) return ERR_LIMIT;
        p->envp[n++] = plain(*e);
    }
    p->envp[n] = NULL;
    return ERR_OK;
}

void spawn_reset_signals(void) {
    sigset_t none;
    for (int s = 1; s < NSIG; s++) signal(s, SIG_DFL); /* SIGKILL, SIGSTOP and the C library's own say no, rightly */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool limit(int resource, rlim_t value) {
    struct rlimit r = {.rlim_cur = value, .rlim_max = value};
    return setrlimit((__rlimit_resource_t)resource, &r) == 0;
}

/* As much as there is to have: a runner in a container may not raise a limit that its host has set. */
static bool raise_limit(int resource, rlim_t wanted) {
    struct rlimit r;
    if (limit(resource, wanted)) return true;
    return getrlimit((__rlimit_resource_t)resource, &r) == 0 && limit(resource, r.rlim_max);
}

/* A runner that was itself started nicer stays so: without CAP_SYS_NICE there is no way back. */
static bool give_way(void) {
    enum { NICE = 5 };
    return getpriority(PRIO_PROCESS, 0) >= NICE || setpriority(PRIO_PROCESS, 0, NICE) == 0;
}

/* All of it while still root.  Kernels before 5.11 count BPF maps as locked memory. */
static bool set_limits(const struct spawn_options *o) {
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC); /* when memory is short, tracing goes first */
    if (fd < 0 || write(fd, "500", 3) != 3 || close(fd) != 0) return false;
    if (!give_way()) return false;
    /* SIGXCPU at the first, SIGKILL at the second. */
    struct rlimit cpu = {.rlim_cur = o->cpu_seconds, .rlim_max = o->cpu_seconds + 1};
    if (o->cpu_seconds && setrlimit(RLIMIT_CPU, &cpu) != 0) return false;
    return limit(RLIMIT_CORE, 0) && raise_limit(RLIMIT_NOFILE, 4096) && raise_limit(RLIMIT_MEMLOCK, RLIM_INFINITY) &&
           limit(RLIMIT_NPROC, 512) && limit(RLIMIT_FSIZE, 64 * 1024); /* a tool writes no files */
}

/* What the tool itself reads: a script or a program; -1: neither. */
static int read_fd(const struct verified *v) { return v->script_fd >= 0 ? v->script_fd : v->program_fd; }

/* The wanted descriptors stand anywhere; first all go out of the way, then each to its place. */
static bool place_descriptors(struct plan *p) {
    const struct verified *v = p->o->file;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int from[] = {null, p->out_fd, p->err_fd, p->status_fd, v->exec_fd, read_fd(v)};
    int spare[COUNT_OF(from)];
    for (size_t i = 0; i < COUNT_OF(from); i++) {
        spare[i] = -1;
        if (from[i] >= 0 && (spare[i] = fcntl(from[i], F_DUPFD_CLOEXEC, CHILD_SPARE)) < 0) return false;
        if (from[i] < 0 && (int)i != CHILD_SCRIPT) return false;
    }
    p->status_fd = spare[CHILD_STATUS]; /* the first may be overwritten now */
    for (size_t i = 0; i < COUNT_OF(from); i++) {
        int flags = i == CHILD_STATUS || i == CHILD_EXEC ? O_CLOEXEC : 0;
        if (spare[i] >= 0 && dup3(spare[i], (int)i, flags) < 0) return false;
    }
    fds_close_from(read_fd(v) >= 0 ? CHILD_END : CHILD_SCRIPT);
    return true;
}

__attribute__((noreturn)) static void fail(int status_fd, enum stage stage) {
    struct status s = {.stage = stage, .error = errno};
    ssize_t n = write(status_fd, &s, sizeof s);
    _exit(n == (ssize_t)sizeof s ? 126 : 127);
}

__attribute__((noreturn)) static void become_tool(struct plan *p) {
    const struct spawn_options *o = p->o;
    spawn_reset_signals();
    umask(077);
    if (o->group && cgroup_join(o->group) != ERR_OK) fail(p->status_fd, STAGE_GROUP);
    if (setsid() < 0 || chdir("/") != 0 || !place_descriptors(p)) fail(p->status_fd, STAGE_DESCRIPTORS);
    if (!set_limits(o)) fail(CHILD_STATUS, STAGE_LIMITS);
    if (view_enter(&o->view) != ERR_OK) fail(CHILD_STATUS, STAGE_VIEW);
    if (priv_become(o->uid, o->gid, o->capabilities) != ERR_OK) fail(CHILD_STATUS, STAGE_PRIVILEGE);
    /* After the change of user, which clears it.  The warden is the one that counts; this is the belt to its braces. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail(CHILD_STATUS, STAGE_PRIVILEGE);
    /* Now that what contains it has been made. */
    if (seccomp_enter(SECCOMP_TOOL) != ERR_OK) fail(CHILD_STATUS, STAGE_CALLS);
    /* Last: it must bound the tool, not what we still do ourselves. */
    if (o->memory_bytes && !limit(RLIMIT_DATA, o->memory_bytes)) fail(CHILD_STATUS, STAGE_LIMITS);
    execveat(CHILD_EXEC, "", p->argv, p->envp, AT_EMPTY_PATH);
    fail(CHILD_STATUS, STAGE_EXEC);
}

/* End of file: executed.  Otherwise what went wrong. */
static enum err await_exec(int fd, struct status *out) {
    struct pollfd pfd = {.fd = fd, .events = POLLIN};
    int ready;
    do ready = poll(&pfd, 1, EXEC_WAIT_MS);
    while (ready < 0 && errno == EINTR);
    *out = (struct status){.stage = STAGE_EXEC, .error = ETIMEDOUT};
    if (ready != 1) return ERR_SYS;
    struct status s;
    ssize_t n = read(fd, &s, sizeof s);
    if (n == 0) return ERR_OK;
    if (n == (ssize_t)sizeof s) *out = s;
    return ERR_SYS;
}

static enum err open_terminal(int *out_master, int *out_slave) {
    struct termios raw = {0};
    struct winsize size = {.ws_row = 50, .ws_col = 200};
    cfmakeraw(&raw);
    raw.c_cflag |= CREAD;
    cfsetspeed(&raw, B38400); /* B0 would mean: hang up */
    int master, slave;
    if (openpty(&master, &slave, NULL, &raw, &size) != 0) return ERR_SYS;
    fcntl(master, F_SETFD, FD_CLOEXEC);
    fcntl(slave, F_SETFD, FD_CLOEXEC);
    *out_master = master;
    *out_slave = slave;
    return ERR_OK;
}

void spawn_clear(struct spawned *s) {
    warden_kill(&s->warden);
    if (s->tool > 0)
        while (waitpid(s->tool, NULL, 0) < 0 && errno == EINTR) {
        }
    warden_reap(&s->warden);
    const int fds[] = {s->tool_pidfd, s->out_fd, s->err_fd};
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        if (fds[i] >= 0) close(fds[i]);
    *s = (struct spawned){.warden = {.pidfd = -1}, .tool_pidfd = -1, .out_fd = -1, .err_fd = -1};
}

/* The two forks.  On failure nothing of them is left. */
static enum err fork_both(struct plan *p, int status_reader, struct spawned *s, struct buf *why) {
    if (warden_enter(p->o->own_namespace, &s->warden) != ERR_OK) {
        buf_add_fmt(why, "cannot contain it in a PID namespace: %s", strerror(errno));
        return ERR_SYS;
    }
    s->tool = fork();
    if (s->tool == 0) become_tool(p);
    int error = errno;
    warden_leave(p->o->own_namespace);
    if (s->tool > 0) s->tool_pidfd = pidfd_open(s->tool, 0);
    close(TAKE_FD(p->status_fd));
    struct status status = {.error = error};
    if (s->tool > 0 && s->tool_pidfd >= 0 && await_exec(status_reader, &status) == ERR_OK) return ERR_OK;
    spawn_clear(s);
    buf_add_fmt(why, "%s was not started, %s: %s", p->o->file->path, stage_names[status.stage], strerror(status.error));
    return ERR_SYS;
}

enum err spawn_tool(const struct spawn_options *o, struct spawned *out, struct buf *out_why) {
    AUTO_CLOSE int master = -1;
    AUTO_CLOSE int slave = -1;
    AUTO_CLOSE int status_reader = -1;
    AUTO_CLOSE int err_reader = -1;
    AUTO_CLOSE int err_writer = -1;
    struct plan p = {.o = o, .status_fd = -1};
    int ends[2];
    enum err e = build_argv(o, &p);
    if (e) {
        buf_add_str(out_why, "too many arguments");
        return e;
    }
    if (open_terminal(&master, &slave) != ERR_OK || pipe2(ends, O_CLOEXEC) != 0) goto fail;
    err_reader = ends[0];
    err_writer = ends[1];
    if (pipe2(ends, O_CLOEXEC) != 0) goto fail;
    status_reader = ends[0];
    p.out_fd = slave;
    p.err_fd = err_writer;
    p.status_fd = ends[1];
    struct spawned s = {.warden = {.pidfd = -1}, .tool_pidfd = -1, .out_fd = -1, .err_fd = -1};
    e = fork_both(&p, status_reader, &s, out_why);
    if (p.status_fd >= 0) close(p.status_fd);
    if (e) return e;
    s.out_fd = TAKE_FD(master);
    s.err_fd = TAKE_FD(err_reader);
    *out = s;
    return ERR_OK;
fail:
    buf_add_fmt(out_why, "no descriptors for its output: %s", strerror(errno));
    return ERR_SYS;
}
