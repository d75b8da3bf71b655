/* The life of one run: from a request that was admitted to a namespace in which nothing is left.
 *
 *      run_start → ATTACHING → TRACING → STOPPING → CLEARING → OVER
 *
 * Every state may go to CLEARING (the tool ended) and to STOPPING (somebody said so). */
#pragma once

#include "agent/runner/admit.h"
#include "agent/runner/attach.h"
#include "agent/runner/brake.h"
#include "agent/runner/kernel.h"
#include "agent/runner/spawn.h"
#include "common/base/loop.h"

enum run_state { RUN_NEW, RUN_ATTACHING, RUN_TRACING, RUN_STOPPING, RUN_CLEARING, RUN_OVER, RUN__COUNT };

enum { RUN_BINARY_BYTES = sizeof((struct report *)0)->binary };

struct stop_step;
struct run;
/* What became of it: ATTACHED, and as the last thing ENDED, after which the run may be freed.  Called from the loop only. */
typedef void run_report_fn(struct run *r, const struct report *what);

/* Embedded in its owner.  Zeroed, then loop, report and number set by the owner; the rest is run.c's. */
struct run {
    struct loop *loop;
    run_report_fn *report;
    uint64_t number;

    enum run_state state;
    const struct tool *tool;
    const struct flavour *flavour;
    unsigned seconds;
    char binary[RUN_BINARY_BYTES];
    bool replayed;
    struct spawned spawned;
    const struct cgroup_parent *groups;
    struct cgroup group;
    struct loop_watch tool_watch, warden_watch;
    struct loop_timer timer, brake_timer;
    struct attach attach;
    struct brake brake;
    const struct policy *policy;
    uint64_t started_ns, traced_ns;     /* executed; attached */
    const struct stop_step *stop_steps; /* NULL until it is being stopped */
    size_t stop_at;
    unsigned stop_stretch; /* times that its steps are longer, on a slow host */
    uint64_t stop_began_ns;
    struct report end; /* filled on the way */
};

/* What a run may use of the runner. */
struct run_means {
    const struct policy *policy;
    int own_namespace;
    struct cgroup_parent groups; /* dir -1: none; must outlive its runs */
};

/* Verify and spawn (keeps m's policy).  On success the tool runs; out_fds are its stdout (master of a raw terminal) and stderr, the caller's to close.
 * On failure nothing runs: *out_end says what that makes of the capture (refused, incapable or failed), why says why. */
NODISCARD enum err run_start(struct run *r, const struct admitted *a, const struct run_means *m, int out_fds[2], enum coverage *out_end,
                             struct buf *out_why);
/* Could it be run here now?  Like run_start, without running it.  On success why is empty, or says what is known to be wrong with it
 * on this host. */
NODISCARD enum err run_probe(const struct admitted *a, const struct policy *p, struct kernel *k, char out_binary[RUN_BINARY_BYTES],
                             enum coverage *out_end, struct buf *out_why);
/* What it has used until now; of a run without a group the CPU time of its process, and nothing else.  For the states up to STOPPING. */
void run_read(const struct run *r, struct cgroup_figures *out);
/* The stop sequence, because agentd asks: SIGINT, again, SIGTERM, SIGKILL. */
void run_stop(struct run *r);
/* SIGKILL to the whole namespace, now. */
void run_kill(struct run *r);
