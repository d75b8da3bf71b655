#include "common/catalog/catalog_tools.h"

#include <linux/capability.h>

#define CAP(name)      (UINT64_C(1) << CAP_##name)
#define CAPS_TRACE     (CAP(BPF) | CAP(PERFMON))
#define CAPS_TRACE_WHY "CAP_BPF and CAP_PERFMON load and attach the program"
#define PARAMS(array)  .params = (array), .n_params = COUNT_OF(array)

const struct param_info catalog_tools_params[PARAM__COUNT] = {
    [PARAM_PID] = {"pid", PARAM_TYPE_NUMBER, 1, 4194304, "", "this process only"},
    [PARAM_DISK] = {"disk", PARAM_TYPE_NAME, 0, 0, "", "this block device only"},
    [PARAM_MIN_US] = {"min-us", PARAM_TYPE_NUMBER, 1, INT64_C(3600000000), "us", "only what took at least so long"},
    [PARAM_UID] = {"uid", PARAM_TYPE_NUMBER, 0, INT64_C(4294967294), "", "this user only"},
    [PARAM_PER_PROCESS] = {"per-process", PARAM_TYPE_FLAG, 0, 1, "", "a histogram for each process"},
    [PARAM_PER_DISK] = {"per-disk", PARAM_TYPE_FLAG, 0, 1, "", "a histogram for each disk"},
    [PARAM_PER_FLAG] = {"per-flag", PARAM_TYPE_FLAG, 0, 1, "", "a histogram for each kind of I/O (read, sync write, flush …)"},
    [PARAM_MILLISECONDS] = {"milliseconds", PARAM_TYPE_FLAG, 0, 1, "", "slots in milliseconds"},
    [PARAM_QUEUED] = {"queued", PARAM_TYPE_FLAG, 0, 1, "", "include the time spent in the OS queue"},
    [PARAM_FAILED] = {"failed", PARAM_TYPE_FLAG, 0, 1, "", "include calls that failed"},
    [PARAM_KERNEL_ONLY] = {"kernel-only", PARAM_TYPE_FLAG, 0, 1, "", "kernel threads only"},
    [PARAM_USER_ONLY] = {"user-only", PARAM_TYPE_FLAG, 0, 1, "", "threads of user processes only"},
    [PARAM_STATE] = {"state", PARAM_TYPE_NUMBER, 0, 2, "", "asleep in this state only: 0 preempted, 1 interruptible, 2 uninterruptible"},
    [PARAM_INTERVAL_S] = {"interval", PARAM_TYPE_NUMBER, 1, 3600, "s", "print a result each so many seconds"},
};

/* ---- runqlat ---- */

static const struct flavour_param runqlat_libbpf_params[] = {
    {PARAM_MILLISECONDS, "-m"}, {PARAM_PER_PROCESS, "-P"}, {PARAM_PID, "-p"}, {PARAM_INTERVAL_S, "-T"}};

static const struct flavour runqlat[] = {
    {.id = FLAVOUR_LIBBPF,
     .binaries = {"runqlat-libbpf", "runqlat"},
     .argv = {"{interval}", "{count}"},
     .end = END_BY_ARGV,
     PARAMS(runqlat_libbpf_params),
     .capabilities = CAPS_TRACE,
     .capabilities_why = CAPS_TRACE_WHY,
     .needs_btf = true,
     .n_ok_exits = 1,
     .tells = {": count    distribution"},
     .parse = {.grammar = GRAMMAR_HISTOGRAM, .histogram_clamps = true, .clamp_low = UINT64_C(1) << 25}},
    {.id = FLAVOUR_BCC, .script = true, .tells = {": count     distribution"}, .parse = {.grammar = GRAMMAR_HISTOGRAM}},
};

static const struct band runqlat_bands[] = {{500, 10, 100}, {990, 100, 1000}};

/* ---- biolatency ---- */

static const struct flavour_param biolatency_libbpf_params[] = {{PARAM_MILLISECONDS, "-m"}, {PARAM_QUEUED, "-Q"},   {PARAM_PER_DISK, "-D"},
                                                                {PARAM_PER_FLAG, "-F"},     {PARAM_DISK, "-d"}, {PARAM_INTERVAL_S, "-T"}};

static const struct flavour biolatency[] = {
    {.id = FLAVOUR_LIBBPF,
     .binaries = {"biolatency-libbpf", "biolatency"},
     .defaults = {"-D"},
     .argv = {"{interval}", "{count}"},
     .end = END_BY_ARGV,
     PARAMS(biolatency_libbpf_params),
     .capabilities = CAPS_TRACE,
     .capabilities_why = CAPS_TRACE_WHY,
     .needs_btf = true,
     .n_ok_exits = 1,
     .tells = {": count    distribution"},
     .parse = {.grammar = GRAMMAR_HISTOGRAM, .histogram_clamps = true, .clamp_low = UINT64_C(1) << 26}},
    {.id = FLAVOUR_BCC, .script = true, .tells = {": count     distribution"}, .parse = {.grammar = GRAMMAR_HISTOGRAM}},
};

/* For SSDs. */
static const struct band biolatency_bands[] = {{500, 100, 0}, {990, 1000, 50000}};

/* ---- execsnoop ---- */

static const struct parse_column execsnoop_columns[] = {
    {.name = "TIME", .type = COLUMN_TIME, .width = 9},
    {.name = "TIME(s)", .type = COLUMN_DECIMAL, .unit = "s", .width = 8},
    {.name = "UID", .type = COLUMN_INT, .width = 6},
    {.name = "PCOMM", .type = COLUMN_TEXT, .blanks = true, .width = 17},
    {.name = "COMM", .type = COLUMN_TEXT, .blanks = true, .width = 17},
    {.name = "PID", .type = COLUMN_INT},
    {.name = "PPID", .type = COLUMN_INT},
    {.name = "RET", .type = COLUMN_INT},
    {.name = "ARGS", .type = COLUMN_TEXT, .to_end = true},
};

static const struct flavour_param execsnoop_libbpf_params[] = {{PARAM_FAILED, "-x"}, {PARAM_UID, "-u"}};

static const struct flavour execsnoop[] = {
    {.id = FLAVOUR_LIBBPF,
     .binaries = {"execsnoop-libbpf", "execsnoop"},
     .defaults = {"-T"},
     .end = END_BY_SIGINT,
     PARAMS(execsnoop_libbpf_params),
     .capabilities = CAPS_TRACE | CAP(DAC_READ_SEARCH),
     .capabilities_why = CAPS_TRACE_WHY "; CAP_DAC_READ_SEARCH reads the tracepoints' numbers in tracefs, which is root's alone",
     .needs_tracefs = true,
     .needs_btf = true,
     .n_ok_exits = 1,
     .tells = {"PPID   RET ARGS"},
     .parse = {.grammar = GRAMMAR_TABLE,
               .columns = execsnoop_columns,
               .n_columns = COUNT_OF(execsnoop_columns),
               .multiline_last = true,
               .trailing_blank = true}},
    {.id = FLAVOUR_BCC,
     .script = true,
     .tells = {"PPID    RET ARGS"},
     .parse = {.grammar = GRAMMAR_TABLE, .columns = execsnoop_columns, .n_columns = COUNT_OF(execsnoop_columns)}},
};

/* ---- offcputime ---- */

static const struct flavour_param offcputime_libbpf_params[] = {
    {PARAM_PID, "-p"}, {PARAM_MIN_US, "-m"}, {PARAM_STATE, "--state"}, {PARAM_KERNEL_ONLY, "-k"}, {PARAM_USER_ONLY, "-u"}};

static const struct flavour offcputime[] = {
    {.id = FLAVOUR_LIBBPF,
     .binaries = {"offcputime-libbpf", "offcputime"},
     .argv = {"{seconds}"},
     .end = END_BY_ARGV,
     PARAMS(offcputime_libbpf_params),
     .capabilities = CAPS_TRACE | CAP(SYSLOG) | CAP(SYS_PTRACE) | CAP(DAC_READ_SEARCH),
     .capabilities_why = CAPS_TRACE_WHY "; CAP_SYSLOG shows kernel addresses, without which every kernel frame gets a wrong name; CAP_SYS_PTRACE reads "
                                        "other users' memory maps and CAP_DAC_READ_SEARCH their binaries, for the names of user frames",
     .needs_btf = true,
     .n_ok_exits = 1,
     .tells = {"bpf_trace_run", "Tracing off-CPU time (us) for "},
     .parse = {.grammar = GRAMMAR_STACKS, .stacks_unit = "usecs"}},
    {.id = FLAVOUR_BCC,
     .script = true,
     .tells = {"finish_task_switch", "Tracing off-CPU time (us) of "},
     .parse = {.grammar = GRAMMAR_STACKS, .stacks_unit = "usecs"}},
};

/* ---- the table ---- */

#define FLAVOURS(array) .flavours = (array), .n_flavours = COUNT_OF(array)
#define BANDS(array)    .bands = (array), .n_bands = COUNT_OF(array)

const struct tool catalog_tools[TOOL__COUNT] = {
    [TOOL_RUNQLAT] = {.id = TOOL_RUNQLAT,
                      .name = "runqlat",
                      .summary = "how long tasks that are ready to run wait for a CPU",
                      .reading = "p50 under 10 us and p99 under 100 us is a host with CPU to spare; p50 over 100 us or p99 over 1 ms means that tasks "
                                 "queue for CPUs: too many of them, or a CPU quota.",
                      .kind = RESULT_HISTOGRAM,
                      .cost = COST_MEDIUM,
                      FLAVOURS(runqlat),
                      BANDS(runqlat_bands)},
    [TOOL_BIOLATENCY] = {.id = TOOL_BIOLATENCY,
                         .name = "biolatency",
                         .summary = "how long block devices take for an I/O, per disk",
                         .reading = "On an SSD p50 under 100 us and p99 under 1 ms is good (5 ms and 20 ms on a rotating disk); p99 over 50 ms is a disk "
                                    "that is overloaded or failing.  Two humps are often a cache and what is behind it.",
                         .kind = RESULT_HISTOGRAM,
                         .cost = COST_LOW,
                         FLAVOURS(biolatency),
                         BANDS(biolatency_bands)},
    [TOOL_EXECSNOOP] = {.id = TOOL_EXECSNOOP,
                        .name = "execsnoop",
                        .summary = "programs as they are started, with their arguments",
                        .reading = "Look for what starts again and again: a restart loop, a cron job, a shell loop.  RET is 0 or the error with a minus "
                                   "sign (--failed).  Arguments may hold secrets.",
                        .kind = RESULT_EVENTS,
                        .cost = COST_LOW,
                        FLAVOURS(execsnoop)},
    [TOOL_OFFCPUTIME] = {.id = TOOL_OFFCPUTIME,
                         .name = "offcputime",
                         .summary = "where tasks sleep or wait, by stack, in microseconds",
                         .reading = "Idle threads dominate: ask for uninterruptible sleep (--state 2) or a process (--pid) first.  The count is time asleep, "
                                    "summed over threads, so it can be more than the capture lasted.",
                         .kind = RESULT_STACKS,
                         .cost = COST_HIGH,
                         FLAVOURS(offcputime)},
};
