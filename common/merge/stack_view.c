#include "common/merge/stack_view.h"

#include <stdlib.h>

#include "common/base/num.h"

static bool names(struct span pattern, struct span frame) {
    if (span_find(pattern, '*') < pattern.n || span_find(pattern, '?') < pattern.n) return span_glob(pattern, frame);
    return span_find_span(frame, pattern) < frame.n || pattern.n == 0;
}

enum { HAS_FOCUS = 1, HAS_IGNORED = 2 };

/* What a path to the root has, from its parent's: parents come first. */
enum err stack_view_rows(const struct stacks *s, const struct stack_filter *f, unsigned char *out_rows) {
    AUTO_FREE unsigned char *of_text = calloc(s->strings.n + 1, 1), *of_node = calloc(s->n_nodes + 1, 1);
    if (!of_text || !of_node) return ERR_NOMEM;
    for (size_t i = 0; i < s->strings.n; i++) {
        if (f->focus.n && names(f->focus, s->strings.text[i])) of_text[i] |= HAS_FOCUS;
        if (f->ignore.n && names(f->ignore, s->strings.text[i])) of_text[i] |= HAS_IGNORED;
    }
    for (size_t i = 1; i < s->n_nodes; i++) of_node[i] = of_node[s->nodes[i].parent] | of_text[s->nodes[i].frame];
    for (size_t i = 0; i < s->n_rows; i++) {
        unsigned has = of_node[s->rows[i].leaf];
        out_rows[i] = (!f->focus.n || has & HAS_FOCUS) && !(has & HAS_IGNORED);
    }
    return ERR_OK;
}

static int by_rank(const void *pa, const void *pb, void *arg) {
    const struct stack_part *a = pa, *b = pb;
    const enum stack_rank *rank = arg;
    uint64_t x = *rank == STACK_BY_SELF ? a->self : a->total, y = *rank == STACK_BY_SELF ? b->self : b->total;
    if (x != y) return x > y ? -1 : 1;
    return span_cmp(a->name, b->name);
}

/* Of all texts those that have something, in order. */
static void pick(struct stack_part *parts, size_t n_texts, enum stack_rank rank, size_t n, size_t *out_n, size_t *out_all) {
    size_t all = 0;
    for (size_t i = 0; i < n_texts; i++)
        if (parts[i].total) parts[all++] = parts[i];
    qsort_r(parts, all, sizeof *parts, by_rank, &rank);
    *out_all = all;
    *out_n = n && n < all ? n : all;
}

static struct stack_part *new_parts(const struct stacks *s, struct arena *mem) {
    struct stack_part *parts = arena_array(mem, (size_t)s->strings.n + 1, sizeof *parts);
    for (size_t i = 0; parts && i < s->strings.n; i++) parts[i].name = s->strings.text[i];
    return parts;
}

static bool stays(const unsigned char *rows, size_t i) { return !rows || rows[i]; }

/* Is the frame of a node also one of those above it? */
static bool again(const struct stacks *s, uint32_t node) {
    for (uint32_t n = s->nodes[node].parent; n != STACKS_ROOT; n = s->nodes[n].parent)
        if (s->nodes[n].frame == s->nodes[node].frame) return true;
    return false;
}

enum err stack_view_frames(const struct stacks *s, const unsigned char *rows, enum stack_rank rank, size_t n, struct arena *mem,
                           struct stack_part **out, size_t *out_n, size_t *out_all) {
    struct stack_part *parts = new_parts(s, mem);
    AUTO_FREE uint64_t *below = calloc(s->n_nodes + 1, sizeof *below); /* of a node: what it and all under it have */
    if (!parts || !below) return ERR_NOMEM;
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct stack_row *row = &s->rows[i];
        if (!stays(rows, i)) continue;
        below[row->leaf] = num_sat_add(below[row->leaf], row->count);
        if (row->leaf == STACKS_ROOT) continue;
        struct stack_part *leaf = &parts[s->nodes[row->leaf].frame];
        leaf->self = num_sat_add(leaf->self, row->count);
    }
    for (size_t i = s->n_nodes; i-- > 1;) below[s->nodes[i].parent] = num_sat_add(below[s->nodes[i].parent], below[i]);
    for (uint32_t i = 1; i < s->n_nodes; i++) {
        struct stack_part *part = &parts[s->nodes[i].frame];
        if (below[i] && !again(s, i)) part->total = num_sat_add(part->total, below[i]);
    }
    pick(parts, s->strings.n, rank, n, out_n, out_all);
    *out = parts;
    return ERR_OK;
}

enum err stack_view_processes(const struct stacks *s, const unsigned char *rows, size_t n, struct arena *mem, struct stack_part **out,
                              size_t *out_n, size_t *out_all) {
    struct stack_part *parts = new_parts(s, mem);
    if (!parts) return ERR_NOMEM;
    for (size_t i = 0; i < s->n_rows; i++) {
        if (!stays(rows, i)) continue;
        struct stack_part *part = &parts[s->rows[i].comm];
        part->self = part->total = num_sat_add(part->total, s->rows[i].count);
    }
    pick(parts, s->strings.n, STACK_BY_TOTAL, n, out_n, out_all);
    *out = parts;
    return ERR_OK;
}
