/* What the running kernel has of that which tools attach to, found without starting a tool.  Thread: the runner's. */
#pragma once

#include "common/base/span.h"

struct kernel;

/* Its types and symbols are read when they are first asked for: tens of milliseconds, some megabytes until kernel_free.  NULL: out of
 * memory. */
struct kernel *kernel_new(void);
void kernel_free(struct kernel *k);

bool kernel_has_btf(void);
bool kernel_has_kprobes(void);
/* perf_event_open asks for CAP_SYS_ADMIN; CAP_PERFMON does not do (perf_event_paranoid above 2, which Debian has). */
bool kernel_guards_perf_events(void);
/* It has a function of this name; inlined ones have none. */
bool kernel_has_function(struct kernel *k, struct span name);
/* A kprobe may be put there: the kernel refuses those that ftrace cannot trace ("notrace").  True when ftrace does not tell. */
bool kernel_lets_probe(struct kernel *k, struct span name);
/* An fentry program for the function loads: tried with one that does nothing and is dropped at once. */
bool kernel_has_fentry(struct kernel *k, struct span name);
/* "cfs_rq.nr_queued": its type has this member. */
bool kernel_has_field(struct kernel *k, struct span type_member);
/* "block:block_rq_issue" in tracefs. */
bool kernel_has_tracepoint(struct span name);
/* The headers of this kernel, that bcc compiles with. */
bool kernel_has_headers(void);
/* "linux/tcp.h:tcp_sk": this file of theirs defines this macro.  False when they cannot be read. */
bool kernel_has_macro(struct span file_macro);
/* The text of a header has "#define NAME". */
bool kernel_defines(struct span header, struct span name);
