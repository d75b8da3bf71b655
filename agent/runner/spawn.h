/* From a checked file to a running, contained process. */
#pragma once

#include "agent/runner/verify.h"
#include "agent/runner/view.h"
#include "agent/runner/warden.h"
#include "common/sys/cgroup.h"

struct spawn_options {
    const struct verified *file;
    const char *const *argv; /* of the tool: argv[0] is its own name, NULL-terminated */
    const char *const *env;  /* added to the literal environment; NULL-terminated, may be NULL */
    uid_t uid;
    gid_t gid;
    uint64_t capabilities;      /* bit n: capability n; these and no other */
    uint64_t memory_bytes;      /* the most private memory; 0: no limit */
    uint64_t cpu_seconds;       /* the most CPU time; 0: no limit */
    const struct cgroup *group; /* it is born in this one; NULL: in ours */
    struct view view;
    int own_namespace;          /* warden_own_namespace() */
};

struct spawned {
    struct warden warden;
    pid_t tool; /* our child; leader of its own session and process group */
    int tool_pidfd;
    int out_fd; /* master of the raw terminal that is its stdout */
    int err_fd; /* read end of its stderr */
};

/* On return the tool's file has been executed.  ERR_SYS: nothing is left; why says which step failed and why. */
NODISCARD enum err spawn_tool(const struct spawn_options *o, struct spawned *out, struct buf *out_why);
/* Kills all of it, reaps it, closes its descriptors. */
void spawn_clear(struct spawned *s);
/* For a fresh child: dispositions and mask as a new process has them, whatever ours are. */
void spawn_reset_signals(void);
