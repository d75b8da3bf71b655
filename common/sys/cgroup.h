/* Control groups, version 2: one for each run, below one that belongs to us.  A host may have none to give: then there is none. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/buf.h"

/* The group that the runs' groups are made in, and the controllers that it gives to them. */
struct cgroup_parent {
    int dir; /* -1: there is none */
    bool memory, cpu, pids;
};

struct cgroup {
    int dir; /* -1: none */
};

/* 0: no ceiling.  One whose controller is not there is not set: ask the parent. */
struct cgroup_ceilings {
    uint64_t memory_bytes;
    uint64_t cpu_percent; /* of one CPU */
    uint64_t processes;
};

/* Since the group was made.  What this kernel does not count is 0. */
struct cgroup_figures {
    uint64_t cpu_ns;       /* user and system time of everything that ever was in it */
    uint64_t throttled_ns; /* it wanted a CPU and had to wait for its ceiling */
    uint64_t memory_bytes, peak_bytes;
    uint64_t oom_kills;                     /* processes that were killed for its memory ceiling */
    uint64_t cpu_stall_ns, memory_stall_ns; /* PSI "some": a task in it waited for that */
};

/* where "auto": the group that we are in, if the service manager delegated it to us (Delegate=); we move to a group "agent" in it,
 * because a group that passes on controllers has no processes of its own.  "none": none.  Else the path of a group that was made for
 * this program alone.  Groups that an earlier life of ours left behind are removed.
 * ERR_OK with out->dir -1: there is none, and none was demanded.  ERR_SYS; out_why says which step failed and why. */
NODISCARD enum err cgroup_open(const char *where, struct cgroup_parent *out, struct buf *out_why);
void cgroup_close(struct cgroup_parent *p);

/* A group for the run of this number.  No parent: out->dir is -1, and everything below does nothing with it.  ERR_SYS: nothing was made. */
NODISCARD enum err cgroup_make(const struct cgroup_parent *p, uint64_t number, const struct cgroup_ceilings *c, struct cgroup *out);
/* This process goes into it.  Async-signal-safe. */
NODISCARD enum err cgroup_join(const struct cgroup *g);
/* At any time until it is removed.  False: there is none. */
bool cgroup_read(const struct cgroup *g, struct cgroup_figures *out);
/* SIGKILL to all that is in it.  A kernel before 5.14 cannot. */
void cgroup_kill(const struct cgroup *g);
/* Kills what is in it and removes it.  One that is not empty yet goes with the next. */
void cgroup_remove(const struct cgroup_parent *p, struct cgroup *g);
