/* Has a tool put its probes in place?  Seen from outside: which of its descriptors are perf events and BPF links. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Look this often; wait no longer than that (bcc and bpftrace compile first). */
enum { ATTACH_POLL_MS = 50, ATTACH_STABLE_MS = 200, ATTACH_WAIT_MS = 10000, ATTACH_WAIT_COMPILE_MS = 180000 };

struct attach {
    size_t probes;      /* as of the last look */
    uint64_t since_ns;  /* how long that many */
};

/* One look at now_ns.  True once there are probes, and as many as ATTACH_STABLE_MS ago. */
bool attach_look(struct attach *a, pid_t tool, uint64_t now_ns);
