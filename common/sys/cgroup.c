#include "common/sys/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include <linux/magic.h>

#include "common/base/auto.h"
#include "common/sys/fds.h"

enum { PERIOD_US = 100000, FILE_BYTES = 4096, MOUNTS_BYTES = 1 << 20 };

static const char own_group[] = "agent", run_prefix[] = "run-";

static bool put(int dir, const char *name, const char *text) {
    AUTO_CLOSE int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

static bool put_u64(int dir, const char *name, uint64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    return put(dir, name, text);
}

/* Files of a group are small, and read in one piece. */
static struct span get(int dir, const char *name, char room[FILE_BYTES]) {
    AUTO_CLOSE int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, room, FILE_BYTES);
    return n < 0 ? SPAN_NONE : span_of(room, (size_t)n);
}

static uint64_t get_u64(int dir, const char *name) {
    char room[FILE_BYTES];
    uint64_t value = 0;
    return span_u64(span_trim(get(dir, name, room)), &value) ? value : 0;
}

static bool has_word(struct span text, const char *wanted) {
    struct span word;
    while (span_word(&text, &word))
        if (span_eq_str(span_trim(word), wanted)) return true;
    return false;
}

/* "key 123" of a file of such lines; 0: not there. */
static uint64_t keyed(struct span text, const char *key) {
    struct span line, name, rest;
    uint64_t value = 0;
    while (span_line(&text, &line))
        if (span_cut(line, ' ', &name, &rest) && span_eq_str(name, key) && span_u64(rest, &value)) return value;
    return 0;
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=123" */
static uint64_t stalled_ns(int dir, const char *name) {
    char room[FILE_BYTES];
    struct span line, head, total, rest = get(dir, name, room);
    uint64_t us = 0;
    bool ok = span_line(&rest, &line) && span_starts(line, SPAN_LIT("some "));
    head = span_head(line, ok ? span_rfind(line, '=') : 0);
    total = ok ? span_drop(line, head.n + 1) : SPAN_NONE;
    return ok && span_ends(head, SPAN_LIT(" total")) && span_u64(total, &us) ? us * 1000 : 0;
}

static enum err no(struct buf *why, const char *step) {
    buf_add_fmt(why, "%s: %s", step, strerror(errno));
    return ERR_SYS;
}

/* Where version 2 is mounted; false: nowhere. */
static bool find_mount(char out[PATH_MAX]) {
    struct buf text;
    buf_init(&text, MOUNTS_BYTES);
    bool found = false;
    struct span rest, line, at = SPAN_NONE;
    rest = fds_read_file("/proc/self/mountinfo", &text) == ERR_OK ? buf_span(&text) : SPAN_NONE;
    while (!found && span_line(&rest, &line)) {
        for (unsigned field = 0; field < 5 && span_word(&line, &at); field++) {
        }
        found = span_find_span(line, SPAN_LIT(" - cgroup2 ")) < line.n;
    }
    if (found) snprintf(out, PATH_MAX, "%.*s", (int)at.n, at.p);
    buf_done(&text);
    return found;
}

/* The group that this process is in: the line "0::/system.slice/trawl-agent.service". */
static bool find_own(char out[PATH_MAX]) {
    char mount[PATH_MAX], room[FILE_BYTES];
    AUTO_CLOSE int proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct span rest = proc < 0 ? SPAN_NONE : get(proc, "cgroup", room), line;
    if (!find_mount(mount)) return false;
    while (span_line(&rest, &line))
        if (span_starts(line, SPAN_LIT("0::/"))) {
            line = span_drop(line, sizeof "0::" - 1);
            return snprintf(out, PATH_MAX, "%s%.*s", mount, (int)line.n, line.p) < PATH_MAX;
        }
    return false;
}

/* systemd marks what it hands over; older ones with the second alone. */
static bool is_delegated(const char *path) {
    static const char *const marks[] = {"user.delegate", "trusted.delegate"};
    char value;
    for (size_t i = 0; i < COUNT_OF(marks); i++)
        if (getxattr(path, marks[i], &value, sizeof value) == 1 && value == '1') return true;
    return false;
}

/* Into a group of our own below, so that the one above may pass its controllers on. */
static bool step_down(int dir) {
    if (mkdirat(dir, own_group, 0755) != 0 && errno != EEXIST) return false;
    AUTO_CLOSE int own = openat(dir, own_group, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return own >= 0 && put(own, "cgroup.procs", "0");
}

/* What of it can be had: a controller that is there and not given on is as good as not there. */
static void pass_on(struct cgroup_parent *p) {
    char room[FILE_BYTES];
    static const char *const wanted[] = {"+memory", "+cpu", "+pids"};
    for (size_t i = 0; i < COUNT_OF(wanted); i++) IGNORED(!put(p->dir, "cgroup.subtree_control", wanted[i])); /* asked for below */
    struct span given = get(p->dir, "cgroup.subtree_control", room);
    p->memory = has_word(given, "memory");
    p->cpu = has_word(given, "cpu");
    p->pids = has_word(given, "pids");
}

/* Removes the runs' groups that nothing is in any more: the kernel does not remove the others. */
static void sweep(int dir) {
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = copy < 0 ? NULL : fdopendir(copy);
    if (!d) {
        if (copy >= 0) close(copy);
        return;
    }
    for (struct dirent *e = readdir(d); e; e = readdir(d))
        if (span_starts(span_str(e->d_name), span_str(run_prefix))) IGNORED(unlinkat(dir, e->d_name, AT_REMOVEDIR) != 0);
    closedir(d);
}

enum err cgroup_open(const char *where, struct cgroup_parent *out, struct buf *out_why) {
    char path[PATH_MAX];
    bool own = strcmp(where, "auto") == 0;
    struct cgroup_parent p = {.dir = -1};
    *out = p;
    if (strcmp(where, "none") == 0 || (own && (!find_own(path) || !is_delegated(path)))) return ERR_OK;
    if (!own) snprintf(path, sizeof path, "%s", where);
    AUTO_CLOSE int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct statfs fs;
    if (dir < 0 || fstatfs(dir, &fs) != 0) return no(out_why, path);
    if (fs.f_type != CGROUP2_SUPER_MAGIC) {
        buf_add_fmt(out_why, "%s is not a control group of version 2", path);
        errno = EINVAL;
        return ERR_SYS;
    }
    if (own && !step_down(dir)) return no(out_why, "a control group of its own");
    p.dir = TAKE_FD(dir);
    pass_on(&p);
    sweep(p.dir);
    *out = p;
    return ERR_OK;
}

void cgroup_close(struct cgroup_parent *p) {
    if (p->dir < 0) return;
    sweep(p->dir);
    close(TAKE_FD(p->dir));
}

static bool set_ceilings(const struct cgroup_parent *p, int dir, const struct cgroup_ceilings *c) {
    char text[64];
    snprintf(text, sizeof text, "%llu %d", (unsigned long long)(c->cpu_percent * (PERIOD_US / 100)), PERIOD_US);
    if (c->cpu_percent && p->cpu && !put(dir, "cpu.max", text)) return false;
    if (c->processes && p->pids && !put_u64(dir, "pids.max", c->processes)) return false;
    if (!c->memory_bytes || !p->memory) return true;
    /* A kernel without swap has no such file, and needs none. */
    if (!put(dir, "memory.swap.max", "0") && errno != ENOENT) return false;
    return put_u64(dir, "memory.max", c->memory_bytes) && put(dir, "memory.oom.group", "1");
}

enum err cgroup_make(const struct cgroup_parent *p, uint64_t number, const struct cgroup_ceilings *c, struct cgroup *out) {
    out->dir = -1;
    if (p->dir < 0) return ERR_OK;
    char name[64];
    sweep(p->dir);
    snprintf(name, sizeof name, "%s%llu-%d", run_prefix, (unsigned long long)number, (int)getpid());
    if (mkdirat(p->dir, name, 0755) != 0) return ERR_SYS;
    AUTO_CLOSE int dir = openat(p->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir >= 0 && set_ceilings(p, dir, c)) {
        out->dir = TAKE_FD(dir);
        return ERR_OK;
    }
    int error = errno;
    IGNORED(unlinkat(p->dir, name, AT_REMOVEDIR) != 0); /* what is left goes with the next */
    errno = error;
    return ERR_SYS;
}

enum err cgroup_join(const struct cgroup *g) { return g->dir < 0 || put(g->dir, "cgroup.procs", "0") ? ERR_OK : ERR_SYS; }

bool cgroup_read(const struct cgroup *g, struct cgroup_figures *out) {
    char room[FILE_BYTES];
    if (g->dir < 0) return false;
    struct span cpu = get(g->dir, "cpu.stat", room);
    struct cgroup_figures f = {.cpu_ns = keyed(cpu, "usage_usec") * 1000, .throttled_ns = keyed(cpu, "throttled_usec") * 1000};
    f.memory_bytes = get_u64(g->dir, "memory.current");
    f.peak_bytes = get_u64(g->dir, "memory.peak");
    f.oom_kills = keyed(get(g->dir, "memory.events", room), "oom_kill");
    f.cpu_stall_ns = stalled_ns(g->dir, "cpu.pressure");
    f.memory_stall_ns = stalled_ns(g->dir, "memory.pressure");
    *out = f;
    return true;
}

void cgroup_kill(const struct cgroup *g) {
    if (g->dir >= 0) IGNORED(!put(g->dir, "cgroup.kill", "1")); /* its PID namespace ends it, too */
}

void cgroup_remove(const struct cgroup_parent *p, struct cgroup *g) {
    if (g->dir < 0) return;
    cgroup_kill(g);
    close(TAKE_FD(g->dir));
    sweep(p->dir);
}
