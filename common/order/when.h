/* When a trigger fires: one line of text, as its operator signed it.
 *
 *   pressure.cpu > 20% in 2s            the host stalls (PSI): cpu, io, memory; memory.full: all of its tasks do; of 2, 4 … 10 seconds
 *   load1 > 8                           a reading of the host, looked at with each heartbeat
 *   memory_available fell > 10%         how much it changed from one look to the next: rose, fell
 *   runqlat.p99 > 1ms on 3 of 5 hosts   a campaign's answer: p50, p90, p99 or p999 of the hosts' own histograms
 *   runqlat outlier                     a campaign has found a host that stands apart from its peers
 *   missing > 2m                        a host that matches is away for so long
 *   call                                somebody asks for it: Alertmanager, or a call with the token
 *   call by instance,zone               the alert's labels say which of the targets: instance and host name hosts, others are as the hosts'
 *
 * Pure. */
#pragma once

#include "common/base/buf.h"
#include "common/catalog/catalog.h"

enum when_kind { WHEN_PRESSURE, WHEN_READING, WHEN_RESULT, WHEN_OUTLIER, WHEN_MISSING, WHEN_CALL };
enum when_pressure { WHEN_CPU, WHEN_IO, WHEN_MEMORY, WHEN_PRESSURE__COUNT };
enum when_reading {
    WHEN_LOAD1,
    WHEN_RUN_QUEUE,        /* tasks that run or could */
    WHEN_CONTEXT_SWITCHES, /* per second, as the two that follow */
    WHEN_INTERRUPTS,
    WHEN_DISK_IOS,
    WHEN_DISK_BUSY,        /* percent of the time, of the busiest disk */
    WHEN_MEMORY_AVAILABLE, /* percent */
    WHEN_READING__COUNT
};
enum { WHEN_BY_MAX = 4 };
enum when_change { WHEN_LEVEL, WHEN_ROSE, WHEN_FELL };

struct when {
    enum when_kind kind;
    /* PRESSURE */
    enum when_pressure pressure;
    bool full;
    uint32_t stall_ms, window_ms;
    /* READING */
    enum when_reading reading;
    enum when_change change;
    /* READING, RESULT: of RESULT in nanoseconds */
    bool above;
    double value;
    /* RESULT, OUTLIER */
    enum tool_id tool;
    unsigned per_thousand; /* 990: p99 */
    uint32_t hosts, of;    /* so many hosts, and when of is not 0 of every so many that answered */
    /* MISSING */
    uint32_t missing_s;
    /* CALL: keys of labels, borrowed from the text */
    struct span by[WHEN_BY_MAX];
    size_t n_by;
};

/* Does the host itself see it? */
static inline bool when_is_hosts(const struct when *w) { return w->kind == WHEN_PRESSURE || w->kind == WHEN_READING; }
const char *when_pressure_name(enum when_pressure p);
const char *when_reading_name(enum when_reading r);
/* ERR_SYNTAX with why, a sentence without its full stop. */
NODISCARD enum err when_parse(struct span text, struct when *out, char *why, size_t why_size);
