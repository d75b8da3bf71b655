#include "common/catalog/catalog_process.h"

#include "common/catalog/catalog_row.h"

/* ---- execsnoop ---- */

static const struct parse_column execsnoop_columns[] = {
    {.name = "TIME", .type = COLUMN_TIME, .width = 9},
    {.name = "TIME(s)", .type = COLUMN_DECIMAL, .unit = "s", .width = 8, .glued = true, .decimals = 3},
    {.name = "UID", .type = COLUMN_INT, .width = 6, .glued = true},
    {.name = "PCOMM", .type = COLUMN_TEXT, .blanks = true, .width = 17, .most = 15},
    {.name = "COMM", .type = COLUMN_TEXT, .blanks = true, .width = 17, .most = 15},
    {.name = "PID", .type = COLUMN_INT},
    {.name = "PPID", .type = COLUMN_INT},
    {.name = "RET", .type = COLUMN_INT},
    {.name = "ARGS", .type = COLUMN_TEXT, .to_end = true},
};

static const struct flavour_param execsnoop_libbpf_params[] = {{PARAM_FAILED, "-x"}, {PARAM_UID, "-u"}, {PARAM_COMM, "-n"}, {PARAM_CGROUP, "-c"}};
static const struct flavour_param execsnoop_bcc_params[] = {{PARAM_FAILED, "-x"}, {PARAM_UID, "-u"}, {PARAM_COMM, "-n"}};

static const struct flavour execsnoop[] = {
    {LIBBPF,
     .binaries = {"execsnoop-libbpf", "execsnoop"},
     .defaults = {"-T"},
     .end = END_BY_SIGINT,
     PARAMS(execsnoop_libbpf_params),
     .capabilities = CAPS_TRACEFS,
     .capabilities_why = CAPS_TRACEFS_WHY PERF_EVENTS_WHY,
     .perf_events = true,
     .needs_tracefs = true,
     .tracepoints = {"syscalls:sys_enter_execve", "syscalls:sys_exit_execve"},
     .n_ok_exits = 1,
     .tells = {"PPID   RET ARGS"},
     .parse = {.grammar = GRAMMAR_TABLE, COLUMNS(execsnoop_columns), .multiline_last = true, .trailing_blank = true}},
    {BCC,
     .binaries = {"execsnoop-bpfcc", "execsnoop"},
     .defaults = {"-T"},
     .end = END_BY_SIGINT,
     PARAMS(execsnoop_bcc_params),
     .functions = {"__x64_sys_execve|__arm64_sys_execve|sys_execve"},
     .tells = {"PPID    RET ARGS"},
     .parse = {.grammar = GRAMMAR_TABLE, COLUMNS(execsnoop_columns)}},
};

const struct tool catalog_process_execsnoop = {
    .id = TOOL_EXECSNOOP,
    .name = "execsnoop",
    .summary = "programs as they are started, with their arguments",
    .reading = "Look for what starts again and again: a restart loop, a cron job, a shell loop.  RET is 0 or the error with a minus "
               "sign (--failed).  Arguments may hold secrets.",
    .kind = RESULT_EVENTS,
    .cost = COST_LOW,
    .counter = COUNTER_PROCESSES,
    FLAVOURS(execsnoop)};

/* ---- offcputime ---- */

static const struct flavour_param offcputime_libbpf_params[] = {{PARAM_PID, "-p"},         {PARAM_TID, "-t"},      {PARAM_MIN_US, "-m"}, {PARAM_STATE, "--state"},
                                                                {PARAM_KERNEL_ONLY, "-k"}, {PARAM_USER_ONLY, "-u"}};
static const struct flavour_param offcputime_bcc_params[] = {{PARAM_PID, "-p"},           {PARAM_TID, "-t"},         {PARAM_MIN_US, "-m"},
                                                             {PARAM_STATE, "--state"},    {PARAM_KERNEL_ONLY, "-k"}, {PARAM_USER_ONLY, "-u"},
                                                             {PARAM_KERNEL_STACKS, "-K"}, {PARAM_USER_STACKS, "-U"}};

static const struct flavour offcputime[] = {
    {LIBBPF,
     .binaries = {"offcputime-libbpf", "offcputime"},
     .argv = {"{seconds}"},
     .end = END_BY_ARGV,
     PARAMS(offcputime_libbpf_params),
     .capabilities = CAPS_STACKS,
     .capabilities_why = CAPS_STACKS_WHY,
     .n_ok_exits = 1,
     .tells = {"bpf_trace_run", "Tracing off-CPU time (us) for "},
     .parse = {.grammar = GRAMMAR_STACKS, .stacks_unit = "usecs", .blocks = true, .missed_aside = true}},
    {BCC,
     .binaries = {"offcputime-bpfcc", "offcputime"},
     .defaults = {"-d"},
     .argv = {"{seconds}"},
     .end = END_BY_ARGV,
     PARAMS(offcputime_bcc_params),
     .functions = {"finish_task_switch|finish_task_switch.isra.0|finish_task_switch.isra.N"},
     .tells = {"finish_task_switch", "Tracing off-CPU time (us) of "},
     .parse = {.grammar = GRAMMAR_STACKS, .stacks_unit = "usecs"}},
};

const struct tool catalog_process_offcputime = {
    .id = TOOL_OFFCPUTIME,
    .name = "offcputime",
    .summary = "where tasks sleep or wait, by stack, in microseconds",
    .reading = "Idle threads dominate: ask for uninterruptible sleep (--state 2) or a process (--pid) first.  The count is time asleep, "
               "summed over threads, so it can be more than the capture lasted.",
    .kind = RESULT_STACKS,
    .cost = COST_HIGH,
    .counter = COUNTER_CONTEXT_SWITCHES,
    FLAVOURS(offcputime)};

/* ---- profile ---- */

static const struct flavour_param profile_params[] = {
    {PARAM_PID, "-p"}, {PARAM_TID, "-L"}, {PARAM_HZ, "-F"}, {PARAM_KERNEL_STACKS, "-K"}, {PARAM_USER_STACKS, "-U"}};

static const struct flavour_param profile_bpftrace_params[] = {{PARAM_PID, ""}};

static const struct flavour profile[] = {
    {LIBBPF,
     .binaries = {"profile-libbpf"},
     .defaults = {"-d"},
     .argv = {"{seconds}"},
     .end = END_BY_ARGV,
     PARAMS(profile_params),
     .capabilities = CAPS_STACKS,
     .capabilities_why = CAPS_STACKS_WHY PERF_EVENTS_WHY,
     .perf_events = true,
     .n_ok_exits = 1,
     .tells = {"by user + kernel for ", "by kernel for ", "by user for "},
     .parse = {.grammar = GRAMMAR_STACKS, .stacks_unit = "samples"}},
    {BCC,
     .binaries = {"profile-bpfcc", "profile"},
     .defaults = {"-d"},
     .argv = {"{seconds}"},
     .end = END_BY_ARGV,
     PARAMS(profile_params),
     .tells = {" stack for ", " stack... Hit"},
     .parse = {.grammar = GRAMMAR_STACKS, .stacks_unit = "samples"}},
    {BPFTRACE, BPFTRACE_STACKS, .program = "profile.bt", .argv = {"{program}", "{seconds}", "{pid}"},
     PARAMS(profile_bpftrace_params),
     .parse = {.grammar = GRAMMAR_JSON,
               .stacks_unit = "samples",
               .limits = "bpftrace: at 49 Hz; names are those of processes, not of threads; at most 16384 different stacks"}},
};

const struct tool catalog_process_profile = {
    .id = TOOL_PROFILE,
    .name = "profile",
    .summary = "where CPUs spend their time, by stack, sampled",
    .reading = "A stack's share of the samples is its share of the CPU time in use; idle CPUs are not sampled.  Below some hundred samples differences are "
               "chance: trace longer or with a higher --hz.",
    .kind = RESULT_STACKS,
    .cost = COST_LOW,
    .counter = COUNTER_CONSTANT,
    FLAVOURS(profile)};
