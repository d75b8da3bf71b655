#include "common/parse/parse_folded.h"

#include "common/base/num.h"
#include "common/model/hash.h"

enum { FIRST_SLOTS = 256, CACHE_LINE = 64 };

struct parse_folded_seen {
    struct span stack; /* in the print-out */
    uint32_t row;      /* in the capture's stacks */
};

struct span parse_folded_frame(struct span frame, enum frame_kind *kind) {
    if (!span_ends(frame, SPAN_LIT("_[k]"))) return frame;
    *kind = FRAME_KERNEL;
    return span_head(frame, frame.n - 4);
}

/* A stack with a border "-" between user and kernel has frames of both kinds; without one they are not told apart. */
static enum err add_frames(struct parse_job *job, struct parse_folded *f, struct span rest, uint32_t *out_leaf) {
    size_t n = 0, border = SIZE_MAX;
    bool more = true;
    while (more) {
        struct stack_frame frame = {.kind = FRAME_UNKNOWN};
        more = span_cut(rest, ';', &frame.text, &rest);
        if (border == SIZE_MAX && frame.text.n == 1 && frame.text.p[0] == '-') {
            border = n;
            continue;
        }
        if (border != SIZE_MAX) frame.kind = FRAME_KERNEL;
        frame.text = parse_folded_frame(frame.text, &frame.kind);
        enum err e = arena_grow(job->mem, &f->frames, &f->cap_frames, n + 1, sizeof *f->frames);
        if (e) return e;
        f->frames[n++] = frame;
    }
    for (size_t i = 0; border != SIZE_MAX && i < border; i++)
        if (f->frames[i].kind == FRAME_UNKNOWN) f->frames[i].kind = FRAME_USER;
    return stacks_path(&job->capture->stacks, f->frames, n, out_leaf);
}

/* The row of a stack that was not printed before, in these words. */
static enum err add_stack(struct parse_job *job, struct parse_folded *f, struct span stack, uint32_t *out_row) {
    struct span comm, frames;
    uint32_t leaf = STACKS_ROOT;
    enum err e = ERR_OK;
    if (span_cut(stack, ';', &comm, &frames)) e = add_frames(job, f, frames, &leaf);
    return e ? e : stacks_row(&job->capture->stacks, leaf, comm, STACKS_NO_PID, out_row);
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

static enum err row_of(struct parse_job *job, struct parse_folded *f, const struct parse_folded_row *row, uint32_t *out_row) {
    const struct parse_folded_seen *before = find(f, row->stack, row->tag);
    struct parse_folded_seen seen = {.stack = row->stack};
    if (before) {
        *out_row = before->row;
        return ERR_OK;
    }
    enum err e = add_stack(job, f, row->stack, &seen.row);
    if (!e) e = remember(job, f, seen, row->tag);
    if (!e) *out_row = seen.row;
    return e;
}

bool parse_folded_cut(const struct parse_job *job, const struct parse_folded *f, struct span line, struct parse_folded_row *out) {
    size_t blank = span_rfind(line, ' ');
    if (blank == line.n || !span_u64(span_drop(line, blank + 1), &out->count)) return false;
    out->stack = span_head(line, blank);
    out->tag = hash_bytes(hash_seed(job->mem), out->stack);
    if (f->hash_size) __builtin_prefetch(&f->hash[out->tag & (f->hash_size - 1)]);
    return true;
}

void parse_folded_fetch(const struct parse_folded *f, const struct parse_folded_row *row) {
    if (f->hash_size == 0) return;
    const struct hash_slot *slot = &f->hash[row->tag & (f->hash_size - 1)];
    if (slot->index == 0 || slot->tag != row->tag) return;
    struct span before = f->seen[slot->index - 1].stack;
    for (size_t i = 0; i < before.n; i += CACHE_LINE) __builtin_prefetch(before.p + i);
}

enum err parse_folded_add(struct parse_job *job, struct parse_folded *f, const struct parse_folded_row *row) {
    uint32_t index = 0;
    enum err e = row_of(job, f, row, &index);
    if (e) return e;
    struct stack_row *r = &job->capture->stacks.rows[index];
    r->count = num_sat_add(r->count, row->count);
    job->has_rows = true;
    return ERR_OK;
}
