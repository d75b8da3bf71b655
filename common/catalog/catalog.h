/* The tools as const rows: one struct tool per question, one struct flavour per packaging of it.  Data only; the runner
 * trusts nothing else about a tool.  Adding a tool is a row here and golden files (docs/adding-a-tool.md). */
#pragma once

#include "common/base/buf.h"
#include "common/model/capture.h"
#include "common/parse/parse.h"

/* Wire and runner numbers: append only, never renumber. */
enum tool_id {
    TOOL_NONE,
    TOOL_RUNQLAT,
    TOOL_BIOLATENCY,
    TOOL_EXECSNOOP,
    TOOL_OFFCPUTIME,
    TOOL_RUNQLEN,
    TOOL_CPUDIST,
    TOOL_HARDIRQS,
    TOOL_SOFTIRQS,
    TOOL_PROFILE,
    TOOL_BIOSNOOP,
    TOOL_EXT4SLOWER,
    TOOL_FILESLOWER,
    TOOL_BITESIZE,
    TOOL_TCPCONNLAT,
    TOOL_TCPRETRANS,
    TOOL_TCPRTT,
    TOOL_GETHOSTLATENCY,
    TOOL_TCPDROP,
    TOOL_TCPSTATES,
    TOOL_CACHESTAT,
    TOOL__COUNT
};
enum flavour_id { FLAVOUR_ANY, FLAVOUR_LIBBPF, FLAVOUR_BCC, FLAVOUR_BPFTRACE, FLAVOUR__COUNT };

/* Parameters have one name over all flavours. */
enum param_id {
    PARAM_NONE,
    PARAM_PID,          /* process: 1 … 4194304 */
    PARAM_DISK,         /* block device name */
    PARAM_MIN_US,       /* least duration worth reporting, microseconds */
    PARAM_UID,          /* user */
    PARAM_PER_PROCESS,  /* flag: a section per process */
    PARAM_PER_DISK,     /* flag: a section per disk */
    PARAM_PER_FLAG,     /* flag: a section per kind of I/O */
    PARAM_MILLISECONDS, /* flag: slots in milliseconds */
    PARAM_QUEUED,       /* flag: include time in the OS queue */
    PARAM_FAILED,       /* flag: failed calls too */
    PARAM_KERNEL_ONLY,  /* flag: kernel threads only; not with PARAM_USER_ONLY */
    PARAM_USER_ONLY,    /* flag: threads of user processes only */
    PARAM_STATE,        /* task state slept in: 0 none (preempted), 1 interruptible, 2 uninterruptible */
    PARAM_INTERVAL_S,   /* seconds a print-out covers; with it the tool prints several */
    PARAM_ROUNDS,       /* how many results the duration is divided into */
    PARAM_COMM,         /* task name */
    PARAM_CGROUP,       /* cgroup v2, its path below /sys/fs/cgroup */
    PARAM_MIN_MS,       /* least duration worth reporting, milliseconds */
    PARAM_PORT,         /* the other side's port */
    PARAM_LOCAL_PORT,   /* port on this host */
    PARAM_FAMILY,       /* 4 or 6: this address family only */
    PARAM_KERNEL_STACKS, /* flag: frames of the kernel only; not with PARAM_USER_STACKS */
    PARAM_USER_STACKS,  /* flag: frames of user space only */
    PARAM_HZ,           /* samples a second and CPU */
    PARAM_TID,          /* thread */
    PARAM_PER_THREAD,   /* flag: a section per thread; not with PARAM_PER_PROCESS */
    PARAM_PER_NAMESPACE, /* flag: a section per PID namespace */
    PARAM_PER_CPU,      /* flag: a section per CPU */
    PARAM_PER_IRQ,      /* flag: a section per interrupt */
    PARAM_PER_LOCAL,    /* flag: a section per local address; not with PARAM_PER_REMOTE */
    PARAM_PER_REMOTE,   /* flag: a section per remote address */
    PARAM_NANOSECONDS,  /* flag: slots in nanoseconds */
    PARAM_OFF_CPU,      /* flag: time off the CPU instead of on it */
    PARAM_LOSS_PROBES,  /* flag: tail loss probes too */
    PARAM_PER_FLOW,     /* flag: a count for each flow instead of a row for each event */
    PARAM_ALL_FILES,    /* flag: files that are not regular too (sockets, pipes) */
    PARAM__COUNT
};
enum param_type { PARAM_TYPE_FLAG, PARAM_TYPE_NUMBER, PARAM_TYPE_NAME };
enum { PARAM_NAME_BYTES = 64 }; /* a name: [A-Za-z0-9._-], NUL-terminated */

struct param_info {
    const char *name; /* "pid": --pid on the command line */
    enum param_type type;
    int64_t low, high;
    const char *unit, *help;
    bool path; /* NAME: components between '/', below /sys/fs/cgroup */
};

/* A set value. */
struct param {
    enum param_id id;
    int64_t number;              /* NUMBER; 1 for a FLAG */
    char name[PARAM_NAME_BYTES]; /* NAME */
};
enum { PARAMS_MAX = 8 };
struct params {
    struct param p[PARAMS_MAX];
    size_t n;
};

/* One flag of one flavour: how a parameter becomes argv. */
struct flavour_param {
    enum param_id id;
    const char *flag; /* "-p"; the value follows as an argument of its own unless it is a FLAG; "-=": the value itself is the
                       * option (-4).  "": the value goes where argv has "{min-ms}".  PARAM_INTERVAL_S and PARAM_ROUNDS: the flag
                       * that makes the tool print marks ("" when it is always given); their values make "{interval}" and "{count}" */
};

enum tool_end { END_BY_ARGV, END_BY_SIGINT }; /* does argv bound it (N 1), or must it be told to stop */
enum cost_class { COST_LOW, COST_MEDIUM, COST_HIGH };
/* What predicts a tool's event rate, read before it starts. */
enum cost_counter {
    COUNTER_CONSTANT,         /* samples: the rate is the tool's own */
    COUNTER_CONTEXT_SWITCHES, /* /proc/stat ctxt */
    COUNTER_INTERRUPTS,       /* /proc/stat intr */
    COUNTER_SOFTIRQS,         /* /proc/stat softirq */
    COUNTER_PROCESSES,        /* /proc/stat processes */
    COUNTER_DISK_IOS,         /* /proc/diskstats: completed */
    COUNTER_FILE_OPERATIONS,  /* no counter: /proc/vmstat pgpgin and pgpgout are a lower bound */
    COUNTER_TCP_SEGMENTS,     /* /proc/net/snmp InSegs */
    COUNTER_TCP_RETRANSMITS,  /* /proc/net/snmp RetransSegs */
    COUNTER_TCP_OPENS,        /* /proc/net/snmp ActiveOpens and PassiveOpens */
    COUNTER__COUNT
};

struct flavour {
    enum flavour_id id;
    const char *program;             /* bpftrace: the file in /usr/share/trawl/bpftrace that "{program}" in argv stands for */
    bool as_root;                    /* it does not work as another user: it is root, with the capabilities below and no other */
    const char *binaries[4];         /* names to look for, in this order, NULL-terminated; none: print-outs are read, never made */
    bool script;                     /* the file must be a script (true) or an ELF binary (false) */
    const char *argv[8];             /* after the parameters, NULL-terminated; "{seconds}" stands for the duration, "{interval}" and
                                      * "{count}" for it in intervals (PARAM_INTERVAL_S, PARAM_ROUNDS; without them interval_s),
                                      * "{intervals}" for their product, and "{min-ms}" for PARAM_MIN_MS or min_ms;
                                      * "{pid}" and the like for the parameter of that name, 0 or "" when it is not given */
    unsigned interval_s;             /* 0: one interval of the whole duration */
    unsigned min_ms;
    const char *defaults[4];         /* before the parameters, always given (biolatency -D), NULL-terminated */
    enum tool_end end;
    const struct flavour_param *params;
    size_t n_params;
    uint64_t capabilities;           /* bit n: capability n; what the tool runs with, and nothing more */
    const char *capabilities_why;
    bool perf_events;                /* it opens perf events: a kernel whose perf_event_paranoid is above 2 (Debian's is 3) asks for
                                      * CAP_SYS_ADMIN then, and there it gets that besides */
    bool needs_tracefs, needs_btf;
    bool needs_headers;              /* of the running kernel, and debugfs: the tool compiles its program and looks for symbols */
    const char *functions[4];        /* of the kernel, that it attaches to (kprobe or fentry); "a|b": either; NULL-terminated */
    const char *tracepoints[4];      /* "block:block_rq_issue"; "a|b": either; NULL-terminated */
    const char *known_wrong;         /* where it runs and is wrong; NULL: nowhere known */
    const char *wrong_with_function; /* known_wrong is about kernels that have this function */
    const char *wrong_without;       /* known_wrong is about kernels that do not have this function */
    const char *right_from;          /* known_wrong is about packages before this version */
    const char *fields[4];           /* "cfs_rq.nr_queued": types have these members, or its program does not compile; "a.x|b.x": either;
                                      * trace_event_raw_NAME: what a tracepoint tells.  NULL-terminated */
    const char *fails_with_field;    /* "cfs_rq.nr_queued": on a kernel that has this field it does not load */
    const char *fails_with_macro;    /* "linux/tcp.h:tcp_sk": with headers that define this it does not compile, … */
    const char *compiles_from;       /* … unless its package is of this version or a later one */
    const char *env[4];              /* added to the literal environment, NULL-terminated */
    int ok_exits[4];                 /* exit codes that mean success, n_ok_exits of them */
    size_t n_ok_exits;
    const char *tells[3];            /* texts that only this flavour prints, NULL-terminated */
    struct parse_spec parse;
};

/* A band of DESIGN.md (8): value of a percentile in microseconds below good_us is good, above critical_us critical. */
struct band {
    int permille; /* 500, 990 */
    uint64_t good_us, critical_us; /* critical_us 0: no critical */
    const char *kind;              /* of devices of this kind only: "hdd"; NULL: of all that have none of their own */
};

struct tool {
    enum tool_id id;
    const char *name, *summary, *reading; /* what it measures, and how to read the numbers */
    enum result_kind kind;
    enum cost_class cost;
    enum cost_counter counter;
    const struct flavour *flavours;
    size_t n_flavours;
    const struct band *bands;
    size_t n_bands;
};

/* The table.  NULL when there is none.  Thread: any (const data). */
const struct tool *catalog_tool(enum tool_id id);
const struct tool *catalog_find(struct span name);
const struct flavour *catalog_flavour(const struct tool *t, enum flavour_id id); /* FLAVOUR_ANY: the first */
/* The flavour that a print-out looks like (its stdout, or both streams together); the tool's first when nothing tells. */
const struct flavour *catalog_guess(const struct tool *t, struct span text);
const char *catalog_flavour_name(enum flavour_id id);      /* "libbpf", "bcc", "bpftrace", "any" */
enum flavour_id catalog_flavour_find(struct span name);    /* "bpfcc" is taken for bcc; FLAVOUR__COUNT: none */
const struct param_info *catalog_param(enum param_id id);
enum param_id catalog_param_find(struct span name);        /* PARAM_NONE: none */

/* The value can be a name of this parameter: letters, digits, '.', '_', '-', and in a path '/', '@', ':' besides; neither it nor
 * a component of it begins with '.' or '-'. */
bool catalog_is_name(const struct param_info *info, const char name[PARAM_NAME_BYTES]);

/* The flavour can be run; every parameter known, of the right type, in range, given once, and offered by the flavour.  The
 * same check runs at the console, at agentd and in the runner.  On ERR_REFUSED *out_why (may be NULL) says what, e.g. "pid must be 1…4194304". */
NODISCARD enum err catalog_check(const struct tool *t, const struct flavour *f, const struct params *ps, struct buf *out_why);

/* argv for execve: argv[0] is the binary's own name.  Strings live in mem.  NULL-terminated.  ps must have passed
 * catalog_check.  Errors: ERR_REFUSED for 0 seconds (an interval tool would print in a busy loop); ERR_NOMEM. */
NODISCARD enum err catalog_argv(const struct flavour *f, const char *argv0, const struct params *ps, unsigned seconds, struct arena *mem,
                                const char *const **out);
