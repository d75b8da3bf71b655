#include "common/parse/parse_folded.h"

struct span parse_folded_frame(struct span frame, enum frame_kind *kind) {
    if (!span_ends(frame, SPAN_LIT("_[k]"))) return frame;
    *kind = FRAME_KERNEL;
    return span_head(frame, frame.n - 4);
}

static bool is_border(struct span frame) { return frame.n == 1 && frame.p[0] == '-'; }

/* A stack with a border between user and kernel has frames of both kinds; without one they are not told apart. */
static bool has_border(struct span frames) {
    struct span frame;
    bool more = frames.n > 0;
    while (more) {
        more = span_cut(frames, ';', &frame, &frames);
        if (is_border(frame)) return true;
    }
    return false;
}

static bool may_have_border(struct span frames) {
    return (frames.n > 0 && frames.p[0] == '-') || span_find_span(frames, SPAN_LIT(";-")) < frames.n;
}

static enum err add_frames(struct stacks *s, struct span frames, uint32_t *out_leaf) {
    enum frame_kind side = may_have_border(frames) && has_border(frames) ? FRAME_USER : FRAME_UNKNOWN;
    struct span frame;
    uint32_t node = STACKS_ROOT;
    bool more = true;
    while (more) {
        more = span_cut(frames, ';', &frame, &frames);
        if (side == FRAME_USER && is_border(frame)) {
            side = FRAME_KERNEL;
            continue;
        }
        enum frame_kind kind = side;
        frame = parse_folded_frame(frame, &kind);
        enum err e = stacks_node(s, node, frame, kind, &node);
        if (e) return e;
    }
    *out_leaf = node;
    return ERR_OK;
}

enum err parse_folded_line(struct parse_job *job, struct span line) {
    struct stacks *s = &job->capture->stacks;
    size_t blank = span_rfind(line, ' ');
    uint64_t count;
    if (blank == line.n || !span_u64(span_drop(line, blank + 1), &count)) return ERR_SYNTAX;
    struct span comm, frames;
    uint32_t leaf = STACKS_ROOT;
    enum err e = ERR_OK;
    if (span_cut(span_head(line, blank), ';', &comm, &frames)) e = add_frames(s, frames, &leaf);
    if (!e) e = stacks_add(s, leaf, comm, STACKS_NO_PID, count);
    job->has_rows = job->has_rows || !e;
    return e;
}
