#include "common/parse/parse_folded.h"

#include "common/base/num.h"
#include "common/model/hash.h"

enum { FIRST_SLOTS = 256 };

struct parse_folded_seen {
    struct span stack; /* in the print-out */
    uint32_t row;      /* in the capture's stacks */
};

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

/* The row of a stack that was not printed before, in these words. */
static enum err add_stack(struct stacks *s, struct span stack, uint32_t *out_row) {
    struct span comm, frames;
    uint32_t leaf = STACKS_ROOT;
    enum err e = ERR_OK;
    if (span_cut(stack, ';', &comm, &frames)) e = add_frames(s, frames, &leaf);
    return e ? e : stacks_row(s, leaf, comm, STACKS_NO_PID, out_row);
}

static const struct parse_folded_seen *find(const struct parse_folded *f, struct span stack, uint32_t tag) {
    size_t mask = f->hash_size - 1;
    if (f->hash_size == 0) return NULL;
    for (size_t i = tag & mask; f->hash[i].index; i = (i + 1) & mask)
        if (f->hash[i].tag == tag && span_eq(f->seen[f->hash[i].index - 1].stack, stack)) return &f->seen[f->hash[i].index - 1];
    return NULL;
}

static enum err remember(struct parse_job *job, struct parse_folded *f, struct parse_folded_seen seen, uint32_t tag) {
    if (f->hash_size == 0) {
        f->hash = arena_array(job->mem, FIRST_SLOTS, sizeof *f->hash);
        if (!f->hash) return ERR_NOMEM;
        f->hash_size = FIRST_SLOTS;
    }
    enum err e = f->n >= UINT32_MAX - 1 ? ERR_NOMEM : hash_room(job->mem, &f->hash, &f->hash_size, f->n);
    if (!e) e = arena_grow(job->mem, &f->seen, &f->cap, f->n + 1, sizeof *f->seen);
    if (e) return e;
    f->seen[f->n++] = seen;
    hash_place(f->hash, f->hash_size, (struct hash_slot){(uint32_t)f->n, tag});
    return ERR_OK;
}

static enum err row_of(struct parse_job *job, struct parse_folded *f, struct span stack, uint32_t *out_row) {
    uint32_t tag = hash_bytes(hash_seed(job->mem), stack);
    const struct parse_folded_seen *before = find(f, stack, tag);
    struct parse_folded_seen seen = {.stack = stack};
    if (before) {
        *out_row = before->row;
        return ERR_OK;
    }
    enum err e = add_stack(&job->capture->stacks, stack, &seen.row);
    if (!e) e = remember(job, f, seen, tag);
    if (!e) *out_row = seen.row;
    return e;
}

enum err parse_folded_line(struct parse_job *job, struct parse_folded *f, struct span line) {
    size_t blank = span_rfind(line, ' ');
    uint64_t count;
    uint32_t row = 0;
    if (blank == line.n || !span_u64(span_drop(line, blank + 1), &count)) return ERR_SYNTAX;
    enum err e = row_of(job, f, span_head(line, blank), &row);
    if (e) return e;
    struct stack_row *r = &job->capture->stacks.rows[row];
    r->count = num_sat_add(r->count, count);
    job->has_rows = true;
    return ERR_OK;
}
