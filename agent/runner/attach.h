/* Has a tool put its probes in place?  Seen from outside: which of its descriptors are perf events and BPF links. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Look this often; wait no longer than that (bcc and bpftrace compile first). */
enum { ATTACH_POLL_MS = 50, ATTACH_STABLE_MS = 200, ATTACH_STABLE_PART = 10, ATTACH_WAIT_MS = 10000, ATTACH_WAIT_COMPILE_MS = 300000 };

struct attach {
    uint64_t began_ns; /* when the tool was started; set by the owner */
    size_t probes;     /* as of the last look */
    uint64_t since_ns; /* how long that many */
};

/* One look at now_ns.  True once there are probes, and no other number of them for ATTACH_STABLE_MS and for a tenth
 * (ATTACH_STABLE_PART) of the tool's life: on a host that takes a minute to compile, seconds go by between one probe and the next. */
bool attach_look(struct attach *a, pid_t tool, uint64_t now_ns);
/* The same of a number of probes that was counted. */
bool attach_settled(struct attach *a, size_t probes, uint64_t now_ns);
/* How many times longer than usual it took: 1 to most. */
unsigned attach_stretch(uint64_t took_ns, unsigned usual_ms, unsigned most);
