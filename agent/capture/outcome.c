#include "agent/capture/outcome.h"

#include <signal.h>

struct outcome outcome_without_run(enum coverage c, struct span reason, enum result_kind kind, bool replayed) {
    return (struct outcome){.coverage = c, .reason = reason, .kind = kind, .replayed = replayed};
}

static bool exit_is_success(const struct flavour *f, const struct report *r) {
    if (r->signal) return r->signal == SIGINT && r->last_stop_signal == SIGINT; /* it was asked to end and did not catch it */
    for (size_t i = 0; i < f->n_ok_exits; i++)
        if (f->ok_exits[i] == r->exit_code) return true;
    return false;
}

static bool has_result(const struct capture *c) { return c->hists.n > 0 || c->events.n_rows > 0 || c->stacks.n_rows > 0; }

/* The last line that the tool wrote to stderr: usually the one that says it. */
static struct span last_line(struct span text) {
    struct span rest = text, line, last = SPAN_NONE;
    while (span_line(&rest, &line))
        if (span_trim(line).n > 0) last = span_trim(line);
    return span_head(last, LIMIT_REASON_BYTES / 2);
}

static void add_size(struct buf *why, uint64_t bytes) {
    if (bytes >= 1 << 20 && bytes % (1 << 20) == 0)
        buf_add_fmt(why, "%llu MiB", (unsigned long long)(bytes >> 20));
    else
        buf_add_fmt(why, "%llu bytes", (unsigned long long)bytes);
}

static void how_it_died(const struct outcome_facts *f, struct buf *why) {
    const struct report *r = f->ended;
    if (r->over_memory || r->signal == SIGXCPU) {
        buf_add_fmt(why, "%s went over this host's ceiling of ", f->tool->name);
        if (r->over_memory)
            add_size(why, r->ceilings.memory_bytes);
        else
            buf_add_fmt(why, "%llu %% of one CPU", (unsigned long long)r->ceilings.cpu_percent);
        buf_add_str(why, r->over_memory ? " of memory and was killed" : " and was killed");
        return;
    }
    if (r->signal)
        buf_add_fmt(why, "%s was killed by signal %d", f->tool->name, r->signal);
    else
        buf_add_fmt(why, "%s exited with code %d", f->tool->name, r->exit_code);
    struct span said = last_line(f->err);
    if (said.n > 0) {
        buf_add_str(why, ": ");
        buf_add(why, said);
    }
}

/* Is the print-out whole?  If not, why says what is missing. */
static bool whole(const struct outcome_facts *f, struct buf *why) {
    if (f->out_dropped_bytes > 0) {
        buf_add_str(why, "the print-out went over ");
        add_size(why, f->out_cap_bytes);
        buf_add_str(why, " and was cut");
    } else if (f->unparsed_bytes > 0) {
        buf_add_str(why, "the print-out needs more memory than a capture may use: its last ");
        add_size(why, f->unparsed_bytes);
        buf_add_str(why, " were left out");
    } else if (f->cut) {
        buf_add_str(why, "what the tool printed was not read to its end");
    } else {
        return true;
    }
    return false;
}

static enum coverage judge(const struct outcome_facts *f, struct buf *why) {
    const struct report *r = f->ended;
    const struct capture *c = f->capture;
    bool forced = r->last_stop_signal == SIGTERM || r->last_stop_signal == SIGKILL;
    if (f->cancelled.n > 0) {
        buf_add(why, f->cancelled);
        return COVERAGE_CANCELLED;
    }
    if (c->failed) {
        buf_add(why, c->n_notes ? c->notes[0] : SPAN_LIT("the tool failed"));
        return COVERAGE_FAILED;
    }
    if (r->cause == END_BRAKED) {
        buf_add_fmt(why, "%s was stopped by this host's brake: %s", f->tool->name, r->why);
        return has_result(c) ? COVERAGE_PARTIAL : COVERAGE_FAILED;
    }
    if (!whole(f, why)) return COVERAGE_PARTIAL;
    if (forced) {
        buf_add_fmt(why, "%s did not end when told to and had to be killed", f->tool->name);
        if (r->why[0]) buf_add_fmt(why, "; %s", r->why);
        return has_result(c) ? COVERAGE_PARTIAL : COVERAGE_TIMEOUT;
    }
    if (r->signal == SIGINT && r->cause == END_DEADLINE) { /* its argv bounds it, and it had not even begun to listen to signals */
        buf_add_fmt(why, "%s was not over when its time was and died of being told to stop: this host is too slow or busy for it",
                    f->tool->name);
        return has_result(c) ? COVERAGE_PARTIAL : COVERAGE_TIMEOUT;
    }
    if (r->signal == SIGINT && r->why[0] && !has_result(c)) { /* nothing is no answer of a tool that had not begun */
        buf_add_fmt(why, "%s died of being told to stop; %s", f->tool->name, r->why);
        return COVERAGE_TIMEOUT;
    }
    if (!exit_is_success(f->flavour, r)) {
        how_it_died(f, why);
        return has_result(c) ? COVERAGE_PARTIAL : COVERAGE_FAILED;
    }
    if (!has_result(c) && c->ledger.parse > 0) {
        buf_add_fmt(why, "nothing of what %s printed was understood", f->tool->name);
        if (c->n_notes) {
            buf_add_str(why, ": ");
            buf_add(why, span_head(c->notes[c->n_notes - 1], LIMIT_REASON_BYTES / 2));
        }
        return COVERAGE_FAILED;
    }
    if (c->partial) {
        buf_add(why, c->n_notes ? c->notes[0] : SPAN_LIT("part of the print-out is missing"));
        return COVERAGE_PARTIAL;
    }
    return COVERAGE_OK;
}

enum err outcome_judge(const struct outcome_facts *f, struct arena *mem, struct outcome *out) {
    struct buf why;
    buf_init(&why, LIMIT_REASON_BYTES);
    struct outcome o = {.coverage = judge(f, &why),
                        .ledger = f->capture->ledger,
                        .notes = f->capture->notes,
                        .n_notes = f->capture->n_notes < LIMIT_NOTES ? f->capture->n_notes : LIMIT_NOTES,
                        .kind = f->tool->kind,
                        .flavour = span_str(catalog_flavour_name(f->flavour->id)),
                        .started_wall_ns = f->started_wall_ns,
                        .wall_ns = f->ended->wall_ns,
                        .cpu_ns = f->ended->cpu_ns,
                        .peak_rss_bytes = f->ended->peak_rss_bytes,
                        .replayed = f->ended->replayed != 0,
                        .ceilings = f->ended->ceilings,
                        .leftover = span_head(f->capture->leftover, LIMIT_LEFTOVER_BYTES)};
    o.ledger.cap += f->out_dropped_bytes + f->err_dropped_bytes + f->unparsed_bytes;
    o.reason = arena_copy(mem, buf_span(&why));
    buf_done(&why);
    if (!o.reason.p) return ERR_NOMEM;
    *out = o;
    return ERR_OK;
}
