/* The brake on a running tool: what it takes of a CPU, and how far the host's CPU pressure has risen since it was started. */
#pragma once

#include <sys/types.h>

#include "agent/runner/policy.h"

enum { BRAKE_LOOK_MS = 500, BRAKE_LOOKS = 6 }; /* a share is one over the last three seconds */

struct brake_look {
    uint64_t at_ns, cpu_ns;
    uint64_t pressure_ppm; /* "some avg10" of /proc/pressure/cpu */
    bool pressure_known;
};

struct brake {
    struct brake_look looks[BRAKE_LOOKS + 1]; /* a ring */
    struct brake_look first;
    size_t n; /* looks taken */
};

/* A look at the tool and its host; proc is "/proc".  cpu_ns stays 0 when the process is gone. */
void brake_read(const char *proc, pid_t tool, uint64_t now_ns, struct brake_look *out);
/* The next look.  True: over a limit of the policy, why says it with the figure (a sentence without its full stop). */
bool brake_over(struct brake *b, const struct policy *p, const struct brake_look *now, struct buf *out_why);
