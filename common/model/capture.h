/* One run of one tool on one host, as understood: its result, what was lost, and what to say about it.  In an arena. */
#pragma once

#include "common/model/events.h"
#include "common/model/histogram.h"
#include "common/model/stacks.h"

enum result_kind { RESULT_NONE, RESULT_HISTOGRAM, RESULT_EVENTS, RESULT_STACKS };

/* What was lost on the way and where.  In events, except cap and spool, which are bytes. */
struct ledger {
    uint64_t kernel; /* the kernel's buffers: "lost N events" */
    uint64_t tool;   /* the tool itself: stacks it could not display, rows it skipped */
    uint64_t cap;    /* bytes of print-out over the cap */
    uint64_t parse;  /* lines no grammar understood */
    uint64_t spool;  /* bytes dropped from a full spool */
    uint64_t shed;   /* events refused or dropped by the collector */
};

/* Where a targeted host stands.  From COVERAGE_OK on: the end states of DESIGN.md, exactly one per host. */
enum coverage {
    COVERAGE_PENDING,
    COVERAGE_RUNNING,
    COVERAGE_OK,
    COVERAGE_PARTIAL,
    COVERAGE_REFUSED,
    COVERAGE_INCAPABLE,
    COVERAGE_FAILED,
    COVERAGE_TIMEOUT,
    COVERAGE_OFFLINE,
    COVERAGE_CANCELLED,
    COVERAGE__COUNT
};

/* What kept a run from taking more than the host gives. */
enum ceiling { CEILING_NONE, CEILING_RLIMIT, CEILING_CGROUP, CEILING__COUNT };
struct ceilings {
    enum ceiling memory, cpu;
    uint64_t memory_bytes; /* 0 when nothing holds it */
    uint64_t cpu_percent;  /* of one CPU; the same */
};

struct capture {
    struct span tool, flavour;
    enum result_kind kind;
    bool partial; /* something is missing; notes say what */
    bool failed;  /* the tool did not do its work; the first note says why */
    struct ledger ledger;
    struct span *notes;
    size_t n_notes, cap_notes;
    struct span leftover; /* text that no grammar understood, bounded */
    struct hist_set hists;
    struct events events;
    struct stacks stacks;
};

const char *capture_kind_name(enum result_kind k);  /* "histogram", "events", "stacks", "none" */
const char *capture_coverage_name(enum coverage c); /* "ok", "partial", … "pending", "running" */
const char *capture_ceiling_name(enum ceiling c);   /* "none", "rlimit", "cgroup" */
static inline bool coverage_is_end(enum coverage c) { return c >= COVERAGE_OK; }
NODISCARD enum err capture_note(struct capture *c, struct arena *mem, struct span text); /* copies */
void capture_ledger_add(struct ledger *into, const struct ledger *from);                 /* saturating */
