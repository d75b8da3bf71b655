#include "common/parse/parse_folded.h"

#include "common/base/bytemask.h"
#include "common/base/num.h"
#include "common/model/hash.h"
#include "common/model/stacks_many.h"

enum { FIRST_SLOTS = 256, CACHE_LINE = 64 };

struct parse_folded_seen {
    struct span stack; /* in the print-out */
    uint64_t count;
    uint32_t comm; /* in the strings of the capture's stacks */
};

/* ---- frames ---- */

struct span parse_folded_frame(struct span frame, enum frame_kind *kind) {
    if (!span_ends(frame, SPAN_LIT("_[k]"))) return frame;
    *kind = FRAME_KERNEL;
    return span_head(frame, frame.n - 4);
}

static bool is_border(struct span frame) { return frame.n == 1 && frame.p[0] == '-'; }

/* Frames of a stack whose texts are not in the strings yet: the last ones of f->frames, which have their kinds only. */
struct waiting {
    struct span text[STRINGS_AT_ONCE];
    size_t n;
};

static enum err add_texts(struct parse_job *job, struct parse_folded *f, struct waiting *w) {
    uint32_t string[STRINGS_AT_ONCE] = {0};
    enum err e = strings_add_many(&job->capture->stacks.strings, w->text, w->n, string);
    uint32_t *frames = f->frames + (f->n_frames - w->n);
    for (size_t i = 0; !e && i < w->n; i++) {
        if (string[i] > STACKS_MANY_STRINGS_MAX) e = ERR_NOMEM;
        frames[i] |= stacks_many_frame(string[i], FRAME_UNKNOWN);
    }
    w->n = 0;
    return e;
}

/* The next frame; *border becomes its place when it is the border. */
static enum err add_frame(struct parse_job *job, struct parse_folded *f, struct waiting *w, struct span frame, size_t *border) {
    if (*border == SIZE_MAX && is_border(frame)) {
        *border = f->n_frames;
        return ERR_OK;
    }
    enum frame_kind kind = *border == SIZE_MAX ? FRAME_UNKNOWN : FRAME_KERNEL;
    w->text[w->n++] = parse_folded_frame(frame, &kind);
    f->frames[f->n_frames++] = kind;
    return w->n == STRINGS_AT_ONCE ? add_texts(job, f, w) : ERR_OK;
}

/* A stack with a border "-" between user and kernel has frames of both kinds; without one they are not told apart. */
static void split_at(struct parse_folded *f, size_t begin, size_t border) {
    if (border == SIZE_MAX) return;
    for (size_t i = begin; i < border; i++)
        if ((f->frames[i] & STACKS_MANY_KIND) == FRAME_UNKNOWN) f->frames[i] |= FRAME_USER;
}

static enum err add_frames(struct parse_job *job, struct parse_folded *f, struct span text, struct stacks_path *out) {
    size_t begin = f->n_frames, border = SIZE_MAX, from = 0;
    struct waiting waiting;
    waiting.n = 0;
    enum err e = ERR_OK;
    for (size_t at = 0; !e && at < text.n; at += BYTEMASK_BYTES) {
        e = arena_regrow(job->mem, &f->frames, &f->cap_frames, f->n_frames + BYTEMASK_BYTES + 1, sizeof *f->frames);
        for (uint64_t ends = bytemask_eq(text, at, ';'); !e && ends; ends &= ends - 1) {
            size_t end = at + (size_t)__builtin_ctzll(ends);
            e = add_frame(job, f, &waiting, span_of(text.p + from, end - from), &border);
            from = end + 1;
        }
    }
    if (!e) e = arena_regrow(job->mem, &f->frames, &f->cap_frames, f->n_frames + 1, sizeof *f->frames);
    if (!e) e = add_frame(job, f, &waiting, span_drop(text, from), &border);
    if (!e) e = add_texts(job, f, &waiting);
    if (e) return e;
    split_at(f, begin, border);
    *out = (struct stacks_path){.begin = begin, .n = (uint32_t)(f->n_frames - begin)};
    return ERR_OK;
}

/* ---- stacks ---- */

static struct parse_folded_seen *find(const struct parse_folded *f, struct span stack, uint32_t tag) {
    size_t mask = f->hash_size - 1;
    if (f->hash_size == 0) return NULL;
    for (size_t i = tag & mask; f->hash[i].index; i = (i + 1) & mask)
        if (f->hash[i].tag == tag && span_eq(f->seen[f->hash[i].index - 1].stack, stack)) return &f->seen[f->hash[i].index - 1];
    return NULL;
}

static enum err make_room(struct parse_job *job, struct parse_folded *f) {
    if (f->hash_size == 0) {
        f->hash = arena_array(job->mem, FIRST_SLOTS, sizeof *f->hash);
        if (!f->hash) return ERR_NOMEM;
        f->hash_size = FIRST_SLOTS;
    }
    enum err e = f->n >= UINT32_MAX / 4 - 1 ? ERR_NOMEM : hash_room(job->mem, &f->hash, &f->hash_size, f->n);
    if (!e) e = arena_regrow(job->mem, &f->seen, &f->cap, f->n + 1, sizeof *f->seen);
    return e ? e : arena_regrow(job->mem, &f->paths, &f->cap_paths, f->n + 1, sizeof *f->paths);
}

/* A stack that was not printed before, in these words. */
static enum err remember(struct parse_job *job, struct parse_folded *f, const struct parse_folded_row *row) {
    struct parse_folded_seen new = {.stack = row->stack, .count = row->count};
    struct stacks_path path = {.n = 0};
    struct span comm, frames;
    enum err e = make_room(job, f);
    bool more = span_cut(row->stack, ';', &comm, &frames);
    if (!e) e = strings_add(&job->capture->stacks.strings, comm, &new.comm);
    if (!e && more) e = add_frames(job, f, frames, &path);
    if (e) return e;
    f->paths[f->n] = path;
    f->seen[f->n++] = new;
    hash_place(f->hash, f->hash_size, (struct hash_slot){(uint32_t)f->n, row->tag});
    return ERR_OK;
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
    struct parse_folded_seen *before = find(f, row->stack, row->tag);
    job->has_rows = true;
    if (!before) return remember(job, f, row);
    before->count = num_sat_add(before->count, row->count);
    return ERR_OK;
}

/* Stacks that were printed in other words may be the same. */
enum err parse_folded_end(struct parse_job *job, struct parse_folded *f) {
    struct stacks *s = &job->capture->stacks;
    enum err e = stacks_many(s, f->frames, f->paths, f->n);
    for (size_t i = 0; !e && i < f->n; i++)
        e = stacks_add(s, f->paths[i].leaf, s->strings.text[f->seen[i].comm], STACKS_NO_PID, f->seen[i].count);
    return e;
}
