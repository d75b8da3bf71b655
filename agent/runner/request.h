/* What agentd may ask of the runner, and what it hears back: fixed-size packets over a SOCK_SEQPACKET pair.
 * The runner trusts none of it.  The layout is of one machine and one build: no byte order, no versions beyond the magic. */
#pragma once

#include <stdint.h>

#include "common/catalog/catalog.h"

/* A request that is none (its size, magic or kind), or a socket that agentd does not read, ends everything: the runner kills all tools and
 * exits. */
enum { REQUEST_MAGIC = 0x7472776c, REQUEST_FD = 3 /* agentd's end */ };

enum request_kind { REQUEST_RUN = 1, REQUEST_STOP = 2, REQUEST_PROBE = 3, REQUEST_WATCH = 4, REQUEST_UNWATCH = 5 };

struct request_param {
    uint32_t id; /* enum param_id; PARAM_NONE: slot is free */
    uint32_t reserved;
    int64_t number;
    char name[PARAM_NAME_BYTES];
};

/* Tell me when so much of the window was spent waiting for a resource (PSI). */
struct alarm_request {
    uint32_t resource; /* 0 cpu, 1 io, 2 memory */
    uint32_t full;     /* 1: all tasks waited; 0: some did */
    uint32_t stall_ms, window_ms;
};

struct request {
    uint32_t magic, kind;
    uint64_t run; /* agentd's number for it, never 0; a PROBE's answer carries it back; WATCH, UNWATCH: of an alarm, numbered apart */
    uint32_t tool, flavour;
    uint32_t seconds;
    uint32_t reserved;
    struct alarm_request alarm; /* WATCH */
    struct request_param params[PARAMS_MAX];
};

enum report_kind {
    REPORT_STARTED = 1,  /* two descriptors come with it: stdout (pty master), stderr (pipe) */
    REPORT_ATTACHED = 2, /* its probes are in place; a tool that must be told to stop counts its seconds from here */
    REPORT_REFUSED = 3,  /* why says it; no process was made */
    REPORT_ENDED = 4,    /* the last word on a run; nothing of it is left on the host */
    REPORT_CAPABLE = 5,  /* answer to REQUEST_PROBE: refusal ERR_OK: it can run here; else why says why not.  With ERR_OK why is
                          * empty, or says what is known to be wrong with it here */
    REPORT_SWITCH = 6,   /* of no run (0): the host's kill switch is thrown (coverage 1) or not (0); after a change, and first of all */
    REPORT_ALARM = 7     /* refusal ERR_OK: the pressure that was watched for is here; else it cannot be watched, why says why */
};

/* STOPPED: its seconds were over and somebody had to say so (the normal end of an END_BY_SIGINT tool); DEADLINE: it should have
 * ended by itself long ago; last_stop_signal says what it took.  BRAKED: it went over a limit of the policy while it ran; why says
 * which. */
enum end_cause { END_BY_ITSELF, END_STOPPED, END_DEADLINE, END_STOPPED_BY_REQUEST, END_BRAKED };

struct report {
    uint32_t magic, kind;
    uint64_t run;
    uint32_t refusal;          /* enum err: ERR_REFUSED policy; ERR_UNTRUSTED the binary; ERR_NOTFOUND not installed; … */
    uint32_t coverage;         /* REFUSED: enum coverage, refused or incapable or failed */
    int32_t exit_code;         /* -1: died by signal */
    int32_t signal;            /* 0: did not */
    uint32_t cause;            /* enum end_cause: why it ended */
    uint32_t last_stop_signal; /* the strongest signal that we sent: 0, SIGINT, SIGTERM, SIGKILL */
    uint32_t replayed;         /* the binary is not from a standard directory */
    uint32_t over_memory;      /* killed for its ceiling */
    uint64_t wall_ns, cpu_ns, peak_rss_bytes;
    struct ceilings ceilings; /* what held it */
    char why[256];            /* text of the runner's own making; ENDED: of the brake, or that its probes were never seen */
    char binary[128];         /* path that was run */
};
