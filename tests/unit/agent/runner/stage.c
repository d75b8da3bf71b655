#include "tests/unit/agent/runner/stage.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "agent/runner/supervise.h"
#include "agent/runner/view.h"
#include "common/base/clock.h"
#include "common/sys/fds.h"
#include "tests/support/coverage.h"

enum { END_MS = 3000 };

const char *stage_missing(void) {
    if (geteuid() != 0) return "needs root";
    pid_t pid = fork();
    if (pid == 0) _exit(unshare(CLONE_NEWPID) != 0);
    int status = 1;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) return "needs PID namespaces";
    return NULL;
}

int stage_open(struct stage *s) {
    if (view_root() != ERR_OK) return -1; /* these tests may run in a bare chroot */
    static char all[] = "all", none[] = "", nowhere[] = "/run/trawl-test-no-such-folder/lockdown", nobody[] = "nobody", no_group[] = "none";
    *s = (struct stage){.dir = "/run/trawl-test.XXXXXX", .sock = -1};
    if (!mkdtemp(s->dir) || chmod(s->dir, 0755) != 0) return -1;
    s->policy = (struct policy){
        .tools = all, .tool_dir = s->dir, .tool_user = nobody, .user = nobody, .pins = none, .quiet_hours = none, .lockdown_file = nowhere};
    s->policy.max_duration_ns = 60 * NS_PER_S;
    s->policy.max_concurrent = 4;
    s->policy.memory_bytes = 512ULL << 20;
    s->policy.cpu_percent = 100;
    s->policy.cgroup = no_group;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw) {
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

/* It may end in order; but it does not decide how long this takes. */
static void end_runner(pid_t runner) {
    const struct timespec moment = {.tv_nsec = 5 * (long)NS_PER_MS};
    uint64_t until = clock_mono_ns() + END_MS * NS_PER_MS;
    pid_t reaped = 0;
    kill(runner, SIGTERM);
    while ((reaped = waitpid(runner, NULL, WNOHANG)) == 0 && clock_mono_ns() < until) nanosleep(&moment, NULL);
    if (reaped == runner) return;
    kill(runner, SIGKILL);
    while (waitpid(runner, NULL, 0) < 0 && errno == EINTR) {
    }
}

void stage_close(struct stage *s) {
    if (s->sock >= 0) close(s->sock);
    if (s->runner > 0) end_runner(s->runner);
    nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int stage_set_up(void **state) {
    struct stage *s = calloc(1, sizeof *s);
    if (!s || stage_open(s) != 0) return -1;
    *state = s;
    return 0;
}

int stage_tear_down(void **state) {
    stage_close(*state);
    free(*state);
    return 0;
}

const char *stage_path(const struct stage *s, const char *name) {
    static char paths[4][2 * STAGE_PATH_BYTES];
    static size_t next;
    char *out = paths[next++ % 4];
    snprintf(out, sizeof paths[0], "%s/%s", s->dir, name);
    return out;
}

static void put(const char *path, const char *bytes, size_t n, unsigned mode) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert(fd >= 0);
    assert(write(fd, bytes, n) == (ssize_t)n && fchmod(fd, mode) == 0);
    close(fd);
}

void stage_write(const struct stage *s, const char *name, const char *text, unsigned mode) {
    put(stage_path(s, name), text, strlen(text), mode);
}

void stage_copy(const struct stage *s, const char *from, const char *name, unsigned mode) {
    struct buf b;
    buf_init(&b, 0);
    enum err e = fds_read_file(from, &b);
    assert(e == ERR_OK);
    put(stage_path(s, name), b.p, b.n, mode);
    buf_done(&b);
}

void stage_fake(const struct stage *s, const char *tool, const char *mode) {
    char script[1024];
    if (access(stage_path(s, "fake_tool"), F_OK) != 0) stage_copy(s, FAKE_TOOL, "fake_tool", 0755);
    snprintf(script, sizeof script, "#!/bin/sh\nexec %s/fake_tool %s -- \"$@\"\n", s->dir, mode);
    stage_write(s, tool, script, 0755);
}

void stage_start(struct stage *s) {
    int pair[2];
    int made = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
    assert(made == 0);
    fflush(NULL);
    s->runner = fork();
    assert(s->runner >= 0);
    if (s->runner == 0) {
        close(pair[0]);
        coverage_exit(supervise_run(&(struct supervise_options){.policy = &s->policy, .config_path = "", .sock = pair[1]}));
    }
    close(pair[1]);
    s->sock = pair[0];
}

int stage_wait_runner(struct stage *s) {
    int status = 0;
    while (waitpid(s->runner, &status, 0) < 0 && errno == EINTR) {
    }
    s->runner = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void stage_ask(const struct stage *s, enum request_kind kind, uint64_t run, enum tool_id tool, unsigned seconds) {
    struct request r = {.magic = REQUEST_MAGIC, .kind = kind, .run = run, .tool = tool, .flavour = FLAVOUR_LIBBPF, .seconds = seconds};
    enum err e = fds_send(s->sock, &r, sizeof r, NULL, 0);
    assert(e == ERR_OK);
}

bool stage_hear(const struct stage *s, int timeout_ms, struct report *out, int out_fds[2]) {
    struct pollfd p = {.fd = s->sock, .events = POLLIN};
    int fds[2] = {-1, -1};
    size_t n = sizeof *out, n_fds = 0;
    if (poll(&p, 1, timeout_ms) != 1) return false;
    if (fds_receive(s->sock, out, &n, fds, 2, &n_fds) != ERR_OK || n != sizeof *out) return false;
    for (size_t i = 0; i < 2; i++) {
        if (out_fds)
            out_fds[i] = i < n_fds ? fds[i] : -1;
        else if (i < n_fds)
            close(fds[i]);
    }
    return true;
}

size_t stage_drain(int fd, int timeout_ms, char *out, size_t cap) {
    static char piece[65536];
    size_t total = 0;
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t n = poll(&p, 1, timeout_ms) == 1 ? read(fd, piece, sizeof piece) : 0;
        if (n <= 0) break;
        for (ssize_t i = 0; i < n; i++, total++)
            if (total + 1 < cap) out[total] = piece[i];
    }
    if (cap) out[total < cap ? total : cap - 1] = 0;
    close(fd);
    return total;
}

size_t stage_count_processes(const char *text) {
    size_t found = 0;
    DIR *d = opendir("/proc");
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        char path[300], line[4096];
        if (e->d_name[0] < '0' || e->d_name[0] > '9') continue;
        snprintf(path, sizeof path, "/proc/%s/cmdline", e->d_name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd >= 0 ? read(fd, line, sizeof line) : 0;
        if (fd >= 0) close(fd);
        if (n > 0 && memmem(line, (size_t)n, text, strlen(text))) found++;
    }
    if (d) closedir(d);
    return found;
}
