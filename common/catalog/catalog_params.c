#include "common/catalog/catalog_params.h"

#define FLAG(name, help)                    {name, PARAM_TYPE_FLAG, 0, 1, "", help, false}
#define NUMBER(name, low, high, unit, help) {name, PARAM_TYPE_NUMBER, low, high, unit, help, false}
#define NAME(name, help)                    {name, PARAM_TYPE_NAME, 0, 0, "", help, false}

const struct param_info catalog_params[PARAM__COUNT] = {
    [PARAM_PID] = NUMBER("pid", 1, 4194304, "", "this process only"),
    [PARAM_DISK] = NAME("disk", "this block device only"),
    [PARAM_MIN_US] = NUMBER("min-us", 1, INT64_C(3600000000), "us", "only what took at least so long"),
    [PARAM_UID] = NUMBER("uid", 0, INT64_C(4294967294), "", "this user only"),
    [PARAM_PER_PROCESS] = FLAG("per-process", "a histogram for each process"),
    [PARAM_PER_DISK] = FLAG("per-disk", "a histogram for each disk"),
    [PARAM_PER_FLAG] = FLAG("per-flag", "a histogram for each kind of I/O (read, sync write, flush …)"),
    [PARAM_MILLISECONDS] = FLAG("milliseconds", "slots in milliseconds"),
    [PARAM_QUEUED] = FLAG("queued", "include the time spent in the OS queue"),
    [PARAM_FAILED] = FLAG("failed", "include calls that failed"),
    [PARAM_KERNEL_ONLY] = FLAG("kernel-only", "kernel threads only"),
    [PARAM_USER_ONLY] = FLAG("user-only", "threads of user processes only"),
    [PARAM_STATE] = NUMBER("state", 0, 2, "", "asleep in this state only: 0 preempted, 1 interruptible, 2 uninterruptible"),
    [PARAM_INTERVAL_S] = NUMBER("interval", 1, 3600, "s", "print a result each so many seconds"),
    [PARAM_ROUNDS] = NUMBER("rounds", 1, 3600, "", "print so many results, of equal length unless --interval is given"),
    [PARAM_COMM] = NAME("comm", "tasks of this name only"),
    [PARAM_CGROUP] = {"cgroup", PARAM_TYPE_NAME, 0, 0, "", "this cgroup v2 only, its path below /sys/fs/cgroup (system.slice/ssh.service)", true},
    [PARAM_MIN_MS] = NUMBER("min-ms", 0, 3600000, "ms", "only what took longer; 0: everything"),
    [PARAM_PORT] = NUMBER("port", 1, 65535, "", "connections to this remote port only"),
    [PARAM_LOCAL_PORT] = NUMBER("local-port", 1, 65535, "", "connections of this local port only"),
    [PARAM_FAMILY] = NUMBER("family", 4, 6, "", "IPv4 (4) or IPv6 (6) only"),
    [PARAM_KERNEL_STACKS] = FLAG("kernel-stacks", "frames of the kernel only"),
    [PARAM_USER_STACKS] = FLAG("user-stacks", "frames of user space only"),
    [PARAM_HZ] = NUMBER("hz", 1, 999, "Hz", "samples a second on each CPU"),
    [PARAM_TID] = NUMBER("tid", 1, 4194304, "", "this thread only"),
    [PARAM_PER_THREAD] = FLAG("per-thread", "a histogram for each thread"),
    [PARAM_PER_NAMESPACE] = FLAG("per-namespace", "a histogram for each PID namespace"),
    [PARAM_PER_CPU] = FLAG("per-cpu", "a histogram for each CPU"),
    [PARAM_PER_IRQ] = FLAG("per-irq", "a histogram for each interrupt"),
    [PARAM_PER_LOCAL] = FLAG("per-local-address", "a histogram for each local address"),
    [PARAM_PER_REMOTE] = FLAG("per-remote-address", "a histogram for each remote address"),
    [PARAM_NANOSECONDS] = FLAG("nanoseconds", "slots in nanoseconds"),
    [PARAM_OFF_CPU] = FLAG("off-cpu", "time off the CPU instead of on it"),
    [PARAM_LOSS_PROBES] = FLAG("loss-probes", "include tail loss probes"),
    [PARAM_PER_FLOW] = FLAG("per-flow", "a count for each flow instead of a row for each event"),
    [PARAM_ALL_FILES] = FLAG("all-files", "include files that are not regular (sockets, pipes, devices)"),
};
