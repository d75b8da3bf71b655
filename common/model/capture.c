#include "common/model/capture.h"

#include "common/base/num.h"

const char *capture_kind_name(enum result_kind k) {
    switch (k) {
    case RESULT_HISTOGRAM:
        return "histogram";
    case RESULT_EVENTS:
        return "events";
    case RESULT_STACKS:
        return "stacks";
    case RESULT_NONE:
        break;
    }
    return "none";
}

const char *capture_coverage_name(enum coverage c) {
    static const char *const names[COVERAGE__COUNT] = {
        [COVERAGE_PENDING] = "pending", [COVERAGE_RUNNING] = "running",     [COVERAGE_OK] = "ok",         [COVERAGE_PARTIAL] = "partial",
        [COVERAGE_REFUSED] = "refused", [COVERAGE_INCAPABLE] = "incapable", [COVERAGE_FAILED] = "failed", [COVERAGE_TIMEOUT] = "timeout",
        [COVERAGE_OFFLINE] = "offline", [COVERAGE_CANCELLED] = "cancelled",
    };
    return (unsigned)c < COVERAGE__COUNT ? names[c] : "unknown";
}

const char *capture_ceiling_name(enum ceiling c) {
    static const char *const names[CEILING__COUNT] = {[CEILING_NONE] = "none", [CEILING_RLIMIT] = "rlimit", [CEILING_CGROUP] = "cgroup"};
    return (unsigned)c < CEILING__COUNT ? names[c] : "unknown";
}

enum err capture_note(struct capture *c, struct arena *mem, struct span text) {
    enum err e = arena_grow(mem, &c->notes, &c->cap_notes, c->n_notes + 1, sizeof *c->notes);
    if (e) return e;
    struct span copy = arena_copy(mem, text);
    if (!copy.p) return ERR_NOMEM;
    c->notes[c->n_notes++] = copy;
    return ERR_OK;
}

void capture_ledger_add(struct ledger *into, const struct ledger *from) {
    into->kernel = num_sat_add(into->kernel, from->kernel);
    into->tool = num_sat_add(into->tool, from->tool);
    into->cap = num_sat_add(into->cap, from->cap);
    into->parse = num_sat_add(into->parse, from->parse);
    into->spool = num_sat_add(into->spool, from->spool);
    into->shed = num_sat_add(into->shed, from->shed);
}
