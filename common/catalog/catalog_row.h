/* What rows are written with. */
#pragma once

#include <linux/capability.h>

#include "common/catalog/catalog.h"

#define CAP(name)       (UINT64_C(1) << CAP_##name)
#define PARAMS(array)   .params = (array), .n_params = COUNT_OF(array)
#define COLUMNS(array)  .columns = (array), .n_columns = COUNT_OF(array)
#define FLAVOURS(array) .flavours = (array), .n_flavours = COUNT_OF(array)
#define BANDS(array)    .bands = (array), .n_bands = COUNT_OF(array)

#define CAPS_TRACE        (CAP(BPF) | CAP(PERFMON))
#define CAPS_TRACE_WHY    "CAP_BPF and CAP_PERFMON load and attach the program"
/* Of rows with .perf_events. */
#define PERF_EVENTS_WHY   "; CAP_SYS_ADMIN too where kernel.perf_event_paranoid is above 2, as on Debian: there perf events ask for it"
#define CAPS_TRACEFS      (CAPS_TRACE | CAP(DAC_READ_SEARCH))
#define CAPS_TRACEFS_WHY  CAPS_TRACE_WHY "; CAP_DAC_READ_SEARCH reads the tracepoints' numbers in tracefs, which is root's alone"
#define CAPS_STACKS       (CAPS_TRACE | CAP(SYSLOG) | CAP(SYS_PTRACE) | CAP(DAC_READ_SEARCH))
#define CAPS_STACKS_WHY                                                                                                                              \
    CAPS_TRACE_WHY "; CAP_SYSLOG shows kernel addresses, without which every kernel frame gets a wrong name; CAP_SYS_PTRACE reads "                    \
                   "other users' memory maps and CAP_DAC_READ_SEARCH their binaries, for the names of user frames"

/* BCC's Python, compiler included. */
#define CAPS_BCC     (CAPS_STACKS | CAP(SYS_ADMIN))
#define CAPS_BCC_WHY                                                                                                                       \
    "with CAP_BPF and CAP_PERFMON alone bcc cannot attach: CAP_DAC_READ_SEARCH reads tracefs, debugfs and headers, CAP_SYS_ADMIN makes "   \
    "uprobes and reads all programs, CAP_SYSLOG shows kernel addresses, CAP_SYS_PTRACE reads other users' memory maps; its library "       \
    "looks up kernel symbols for root alone"
#define BCC                                                                                                                                \
    .id = FLAVOUR_BCC, .script = true, .as_root = true, .capabilities = CAPS_BCC, .capabilities_why = CAPS_BCC_WHY, .needs_tracefs = true, \
    .needs_headers = true, .n_ok_exits = 1

/* Our own programs, run by bpftrace. */
#define CAPS_BPFTRACE_WHY CAPS_TRACE_WHY "; tracefs, which is root's alone, is read by being root" PERF_EVENTS_WHY
#define BPFTRACE                                                                                                                           \
    .id = FLAVOUR_BPFTRACE, .binaries = {"bpftrace"}, .as_root = true, .defaults = {"-f", "json"}, .end = END_BY_ARGV,                     \
    .perf_events = true, .needs_tracefs = true, .needs_btf = true, .env = {BPFTRACE_BTF, "BPFTRACE_MAP_KEYS_MAX=16384"},                  \
    .n_ok_exits = 1, .tells = {"{\"type\": \""}
/* Named, or it asks for the types of modules too, which takes CAP_SYS_ADMIN, and does without any when it is refused. */
#define BPFTRACE_BTF "BPFTRACE_BTF=/sys/kernel/btf/vmlinux"
#define BPFTRACE_CAPS .capabilities = CAPS_TRACE, .capabilities_why = CAPS_BPFTRACE_WHY
#define BPFTRACE_SYMBOLS                                                                                                                   \
    .capabilities = CAPS_TRACE | CAP(SYSLOG), .capabilities_why = CAPS_BPFTRACE_WHY "; CAP_SYSLOG shows kernel addresses"
#define BPFTRACE_STACKS .capabilities = CAPS_STACKS, .capabilities_why = CAPS_STACKS_WHY PERF_EVENTS_WHY

#define LIBBPF .id = FLAVOUR_LIBBPF, .needs_btf = true

/* Histograms of the two packagings differ in the blanks before the last word. */
#define TELL_LIBBPF ": count    distribution"
#define TELL_BCC    ": count     distribution"

/* A task's name: 15 bytes, and 3 for each that Python replaced. */
enum { ROW_COMM_MOST = 48 };
