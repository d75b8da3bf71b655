#include "common/catalog/catalog_cpu.h"

#include "common/catalog/catalog_row.h"

/* ---- runqlat ---- */

static const struct flavour_param runqlat_libbpf_params[] = {
    {PARAM_MILLISECONDS, "-m"}, {PARAM_PER_PROCESS, "-P"}, {PARAM_PER_THREAD, "-L"}, {PARAM_PER_NAMESPACE, "--pidnss"},
    {PARAM_PID, "-p"},          {PARAM_CGROUP, "-c"},      {PARAM_INTERVAL_S, "-T"}, {PARAM_ROUNDS, "-T"}};
static const struct flavour_param runqlat_bcc_params[] = {
    {PARAM_MILLISECONDS, "-m"}, {PARAM_PER_PROCESS, "-P"}, {PARAM_PER_THREAD, "-L"}, {PARAM_PER_NAMESPACE, "--pidnss"},
    {PARAM_PID, "-p"},          {PARAM_INTERVAL_S, "-T"},  {PARAM_ROUNDS, "-T"}};

static const struct flavour runqlat[] = {
    {LIBBPF,
     .binaries = {"runqlat-libbpf", "runqlat"},
     .argv = {"{interval}", "{count}"},
     .end = END_BY_ARGV,
     PARAMS(runqlat_libbpf_params),
     .capabilities = CAPS_TRACE,
     .capabilities_why = CAPS_TRACE_WHY,
     .n_ok_exits = 1,
     .tells = {TELL_LIBBPF},
     .parse = {.grammar = GRAMMAR_HISTOGRAM, .histogram_clamps = true, .clamp_low = UINT64_C(1) << 25}},
    {BCC,
     .binaries = {"runqlat-bpfcc", "runqlat"},
     .argv = {"{interval}", "{count}"},
     .end = END_BY_ARGV,
     PARAMS(runqlat_bcc_params),
     .tracepoints = {"sched:sched_wakeup", "sched:sched_wakeup_new", "sched:sched_switch"},
     .tells = {TELL_BCC},
     .parse = {.grammar = GRAMMAR_HISTOGRAM}},
};

static const struct band runqlat_bands[] = {{500, 10, 100, NULL}, {990, 100, 1000, NULL}};

const struct tool catalog_cpu_runqlat = {
    .id = TOOL_RUNQLAT,
    .name = "runqlat",
    .summary = "how long tasks that are ready to run wait for a CPU",
    .reading = "p50 under 10 us and p99 under 100 us is a host with CPU to spare; p50 over 100 us or p99 over 1 ms means that tasks "
               "queue for CPUs: too many of them, or a CPU quota.",
    .kind = RESULT_HISTOGRAM,
    .cost = COST_MEDIUM,
    .counter = COUNTER_CONTEXT_SWITCHES,
    FLAVOURS(runqlat),
    BANDS(runqlat_bands)};

/* ---- runqlen ---- */

static const struct flavour_param runqlen_libbpf_params[] = {{PARAM_PER_CPU, "-C"}, {PARAM_HZ, "-f"}, {PARAM_INTERVAL_S, "-T"}, {PARAM_ROUNDS, "-T"}};
static const struct flavour_param runqlen_bcc_params[] = {{PARAM_PER_CPU, "-C"}, {PARAM_INTERVAL_S, "-T"}, {PARAM_ROUNDS, "-T"}};

static const struct flavour_param runqlen_bpftrace_params[] = {{PARAM_INTERVAL_S, ""}, {PARAM_ROUNDS, ""}};

static const struct flavour runqlen[] = {
    {LIBBPF,
     .binaries = {"runqlen-libbpf", "runqlen"},
     .argv = {"{interval}", "{count}"},
     .end = END_BY_ARGV,
     PARAMS(runqlen_libbpf_params),
     .capabilities = CAPS_TRACE,
     .capabilities_why = CAPS_TRACE_WHY PERF_EVENTS_WHY,
     .perf_events = true,
     .n_ok_exits = 1,
     .fails_with_field = "cfs_rq.nr_queued",
     .parse = {.grammar = GRAMMAR_HISTOGRAM, .occupancy = true}},
    {BCC,
     .binaries = {"runqlen-bpfcc", "runqlen"},
     .argv = {"{interval}", "{count}"},
     .end = END_BY_ARGV,
     PARAMS(runqlen_bcc_params),
     .known_wrong = "bcc before 0.31 on kernels from 5.7 on: always 0, without a warning (the layout of struct cfs_rq that it assumes is an older one)",
     .right_from = "0.31",
     .parse = {.grammar = GRAMMAR_HISTOGRAM, .occupancy = true}},
    {BPFTRACE, BPFTRACE_CAPS, .program = "runqlen.bt", .argv = {"{program}", "{interval}", "{count}"}, PARAMS(runqlen_bpftrace_params),
     .fields = {"sched_entity.cfs_rq", "cfs_rq.nr_queued"},
     .parse = {.grammar = GRAMMAR_JSON,
               .linear = true,
               .limits = "bpftrace: the queue of the task that runs, its cgroup's, at 99 Hz; needs a kernel from 6.14 on (nr_queued)"}},
};

const struct tool catalog_cpu_runqlen = {
    .id = TOOL_RUNQLEN,
    .name = "runqlen",
    .summary = "how many tasks wait on a CPU's run queue, sampled",
    .reading = "0 is a CPU that nobody waits for; a queue of 1 or more for much of the time is saturation.  Compare CPUs (--per-cpu): long queues "
               "beside empty ones are an imbalance or pinned tasks.  Much cheaper than runqlat.",
    .kind = RESULT_HISTOGRAM,
    .cost = COST_LOW,
    .counter = COUNTER_CONSTANT,
    FLAVOURS(runqlen)};

/* ---- cpudist ---- */

static const struct flavour_param cpudist_libbpf_params[] = {
    {PARAM_MILLISECONDS, "-m"}, {PARAM_OFF_CPU, "-O"}, {PARAM_PER_PROCESS, "-P"}, {PARAM_PER_THREAD, "-L"},
    {PARAM_PID, "-p"},          {PARAM_CGROUP, "-c"},  {PARAM_INTERVAL_S, "-T"},  {PARAM_ROUNDS, "-T"}};
static const struct flavour_param cpudist_bcc_params[] = {{PARAM_MILLISECONDS, "-m"}, {PARAM_OFF_CPU, "-O"}, {PARAM_PER_PROCESS, "-P"},
                                                          {PARAM_PER_THREAD, "-L"},   {PARAM_PID, "-p"},     {PARAM_INTERVAL_S, "-T"},
                                                          {PARAM_ROUNDS, "-T"}};

static const struct flavour cpudist[] = {
    {LIBBPF,
     .binaries = {"cpudist-libbpf", "cpudist"},
     .argv = {"{interval}", "{count}"},
     .end = END_BY_ARGV,
     PARAMS(cpudist_libbpf_params),
     .capabilities = CAPS_TRACE,
     .capabilities_why = CAPS_TRACE_WHY,
     .n_ok_exits = 1,
     .tells = {TELL_LIBBPF},
     .parse = {.grammar = GRAMMAR_HISTOGRAM, .histogram_clamps = true, .clamp_low = UINT64_C(1) << 35}},
    {BCC,
     .binaries = {"cpudist-bpfcc", "cpudist"},
     .argv = {"{interval}", "{count}"},
     .end = END_BY_ARGV,
     PARAMS(cpudist_bcc_params),
     .functions = {"finish_task_switch|finish_task_switch.isra.0|finish_task_switch.isra.N"},
     .tells = {TELL_BCC},
     .parse = {.grammar = GRAMMAR_HISTOGRAM, .comm_lines = true}},
};

const struct tool catalog_cpu_cpudist = {
    .id = TOOL_CPUDIST,
    .name = "cpudist",
    .summary = "how long tasks run on a CPU before they leave it (or stay away from it, --off-cpu)",
    .reading = "Many short runs are tasks that wait for I/O, locks or each other; runs of several milliseconds use up their time slice and compete for "
               "CPU.  --per-process tells whose they are.",
    .kind = RESULT_HISTOGRAM,
    .cost = COST_MEDIUM,
    .counter = COUNTER_CONTEXT_SWITCHES,
    FLAVOURS(cpudist)};

/* ---- hardirqs, softirqs ---- */

/* Without -d: the totals. */
static const struct parse_column irqs_columns[] = {
    {.name = "HARDIRQ", .type = COLUMN_TEXT, .blanks = true, .most = 96},
    {.name = "SOFTIRQ", .type = COLUMN_TEXT, .blanks = true, .most = 32},
    {.name = "CPU", .type = COLUMN_INT},
    {.name = "TOTAL_count", .type = COLUMN_INT},
    {.name = "TOTAL_usecs", .type = COLUMN_INT, .unit = "usecs"},
    {.name = "TOTAL_nsecs", .type = COLUMN_INT, .unit = "nsecs"},
    {.name = "MAX_usecs", .type = COLUMN_INT, .unit = "usecs"},
    {.name = "MAX_nsecs", .type = COLUMN_INT, .unit = "nsecs"},
};
#define IRQS_PARSE       .grammar = GRAMMAR_HISTOGRAM, COLUMNS(irqs_columns), .interval_tables = true
#define IRQS_CLAMP       .histogram_clamps = true, .clamp_low = UINT64_C(1) << 19

static const struct flavour_param hardirqs_libbpf_params[] = {
    {PARAM_PER_IRQ, "-d"}, {PARAM_NANOSECONDS, "-N"}, {PARAM_CGROUP, "-c"}, {PARAM_INTERVAL_S, "-T"}, {PARAM_ROUNDS, "-T"}};
static const struct flavour_param irqs_params[] = {{PARAM_PER_IRQ, "-d"}, {PARAM_NANOSECONDS, "-N"}, {PARAM_INTERVAL_S, "-T"}, {PARAM_ROUNDS, "-T"}};

static const struct flavour hardirqs[] = {
    {LIBBPF,
     .binaries = {"hardirqs-libbpf", "hardirqs"},
     .defaults = {"-d"},
     .argv = {"{interval}", "{count}"},
     .end = END_BY_ARGV,
     PARAMS(hardirqs_libbpf_params),
     .capabilities = CAPS_TRACE,
     .capabilities_why = CAPS_TRACE_WHY,
     .n_ok_exits = 1,
     .tells = {TELL_LIBBPF},
     .parse = {IRQS_PARSE, IRQS_CLAMP}},
    {BCC,
     .binaries = {"hardirqs-bpfcc", "hardirqs"},
     .defaults = {"-d"},
     .argv = {"{interval}", "{count}"},
     .end = END_BY_ARGV,
     PARAMS(irqs_params),
     .tracepoints = {"irq:irq_handler_entry", "irq:irq_handler_exit"},
     .tells = {TELL_BCC},
     .parse = {IRQS_PARSE}},
};

const struct tool catalog_cpu_hardirqs = {
    .id = TOOL_HARDIRQS,
    .name = "hardirqs",
    .summary = "how long hard interrupt handlers run, by interrupt",
    .reading = "Handlers take a few microseconds; tens of them, often, steal time from whatever runs on that CPU and delay everything behind.  Look at "
               "which device's, and whether one CPU gets them all.",
    .kind = RESULT_HISTOGRAM,
    .cost = COST_LOW,
    .counter = COUNTER_INTERRUPTS,
    FLAVOURS(hardirqs)};

static const struct flavour softirqs[] = {
    {LIBBPF,
     .binaries = {"softirqs-libbpf", "softirqs"},
     .defaults = {"-d"},
     .argv = {"{interval}", "{count}"},
     .end = END_BY_ARGV,
     PARAMS(irqs_params),
     .capabilities = CAPS_TRACE,
     .capabilities_why = CAPS_TRACE_WHY,
     .n_ok_exits = 1,
     .tells = {TELL_LIBBPF},
     .parse = {IRQS_PARSE, IRQS_CLAMP}},
    {BCC,
     .binaries = {"softirqs-bpfcc", "softirqs"},
     .defaults = {"-d"},
     .argv = {"{interval}", "{count}"},
     .end = END_BY_ARGV,
     PARAMS(irqs_params),
     .tracepoints = {"irq:softirq_entry", "irq:softirq_exit"},
     .tells = {TELL_BCC},
     .parse = {IRQS_PARSE}},
};

const struct tool catalog_cpu_softirqs = {
    .id = TOOL_SOFTIRQS,
    .name = "softirqs",
    .summary = "how long soft interrupts run, by kind (timer, net_rx, block …)",
    .reading = "net_rx and net_tx grow with packets, block with I/O, sched and timer with everything.  Runs of milliseconds delay tasks and packets; when "
               "net_rx is long, look at tcpdrop and at the network card's queues.",
    .kind = RESULT_HISTOGRAM,
    .cost = COST_MEDIUM,
    .counter = COUNTER_SOFTIRQS,
    FLAVOURS(softirqs)};
