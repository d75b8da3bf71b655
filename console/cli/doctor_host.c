#include "console/cli/doctor_host.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const char *const TOOL_DIRS[] = {"/usr/share/bcc/tools", "/usr/sbin", "/usr/bin", "/sbin", "/snap/bpftrace/current/bin"};

/* In a process of its own.  0 or an errno. */
static int try_pid_namespace(void) {
    pid_t pid = fork();
    if (pid < 0) return errno;
    if (pid == 0) _exit(unshare(CLONE_NEWPID) == 0 ? 0 : errno);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

void doctor_host_kernel(struct doctor *d) {
    struct stat st;
    if (stat("/sys/kernel/btf/vmlinux", &st) == 0)
        doctor_say(d, DOCTOR_OK, "kernel BTF", NULL, "/sys/kernel/btf/vmlinux");
    else
        doctor_say(d, DOCTOR_WARN, "kernel BTF", "use a kernel built with CONFIG_DEBUG_INFO_BTF", "there is none: libbpf tools cannot run");
    if (stat("/sys/kernel/tracing/events", &st) == 0 || stat("/sys/kernel/debug/tracing/events", &st) == 0)
        doctor_say(d, DOCTOR_OK, "tracefs", NULL, "mounted");
    else
        doctor_say(d, DOCTOR_FAIL, "tracefs", "mount -t tracefs tracefs /sys/kernel/tracing", "it is not mounted: no tool can attach");
    int error = try_pid_namespace();
    if (!error)
        doctor_say(d, DOCTOR_OK, "PID namespaces", NULL, "can be made");
    else
        doctor_say(d, DOCTOR_FAIL, "PID namespaces",
                   error == EPERM ? "run this as root; in a container, give it CAP_SYS_ADMIN" : "raise /proc/sys/user/max_pid_namespaces",
                   "cannot be made (%s): each tool runs in one", strerror(error));
}

bool doctor_host_only_root(const char *path, char *why, size_t why_size) {
    char real[PATH_MAX];
    struct stat st;
    if (!realpath(path, real)) {
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
        return false;
    }
    for (char *end = real + strlen(real);;) {
        if (stat(real, &st) != 0) {
            snprintf(why, why_size, "%s: %s", real, strerror(errno));
            return false;
        }
        if (st.st_uid != 0 || st.st_mode & (S_IWGRP | S_IWOTH)) {
            snprintf(why, why_size, "%s is %s", real, st.st_uid != 0 ? "not owned by root" : "writable by others than root");
            return false;
        }
        if (end == real + 1) return true; /* "/" was the last */
        while (end > real && *--end != '/') {
        }
        if (end == real) end++;
        *end = '\0';
    }
}

static bool is_allowed(const char *tools, const char *name) {
    struct span words = span_str(tools), word;
    while (span_word(&words, &word))
        if (span_eq_str(word, "all") || span_eq_str(word, name)) return true;
    return false;
}

/* The first of the tool's binaries that is there and fit; wrong: the first that is there and not, and why. */
static const struct flavour *find(const struct tool *t, const char *tool_dir, char path[PATH_MAX], char *wrong, size_t wrong_size) {
    const char *own[] = {tool_dir};
    const char *const *dirs = tool_dir[0] ? own : TOOL_DIRS;
    size_t n_dirs = tool_dir[0] ? 1 : COUNT_OF(TOOL_DIRS);
    for (size_t f = 0; f < t->n_flavours; f++)
        for (size_t b = 0; b < COUNT_OF(t->flavours[f].binaries) && t->flavours[f].binaries[b]; b++)
            for (size_t i = 0; i < n_dirs; i++) {
                char why[256];
                if (snprintf(path, PATH_MAX, "%s/%s", dirs[i], t->flavours[f].binaries[b]) >= PATH_MAX || access(path, F_OK) != 0) continue;
                if (doctor_host_only_root(path, why, sizeof why)) return &t->flavours[f];
                if (!wrong[0]) snprintf(wrong, wrong_size, "%s", why);
            }
    return NULL;
}

void doctor_host_tools(struct doctor *d, const struct doctor_conf *conf) {
    size_t found = 0, allowed = 0;
    struct buf missing;
    buf_init(&missing, 0);
    if (conf->tool_dir[0])
        doctor_say(d, DOCTOR_WARN, "tool_dir", "take it out of agent.conf, unless this is a demonstration",
                   "tools come from %s only, and every result is marked replayed", conf->tool_dir);
    for (int id = TOOL_NONE + 1; id < TOOL__COUNT; id++) {
        const struct tool *t = catalog_tool((enum tool_id)id);
        char what[64], path[PATH_MAX], wrong[256] = "";
        if (!is_allowed(conf->tools, t->name)) continue;
        allowed++;
        snprintf(what, sizeof what, "tool %s", t->name);
        const struct flavour *f = find(t, conf->tool_dir, path, wrong, sizeof wrong);
        found += f != NULL;
        if (f)
            doctor_say(d, DOCTOR_OK, what, NULL, "%s (%s)", path, catalog_flavour_name(f->id));
        else if (wrong[0])
            doctor_say(d, DOCTOR_WARN, what, "chown root, chmod go-w: what others can change is not run as root", "%s", wrong);
        else
            buf_add_fmt(&missing, "%s%s", missing.n ? ", " : "", t->name);
    }
    const char *names = buf_str(&missing);
    if (!allowed)
        doctor_say(d, DOCTOR_FAIL, "tools", "correct tools in agent.conf", "its policy allows none");
    else if (!found)
        doctor_say(d, DOCTOR_FAIL, "tools", "apt-get install libbpf-tools", "this host can run none of them");
    else
        doctor_say(d, DOCTOR_OK, "tools", NULL, "%zu of %zu%s%s", found, allowed, missing.n ? "; not installed: " : "", names ? names : "");
    buf_done(&missing);
}
