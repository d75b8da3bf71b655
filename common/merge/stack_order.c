#include "common/merge/stack_order.h"

#include <stdlib.h>

#include "common/base/auto.h"

static int by_text(const void *pa, const void *pb, void *arg) {
    const struct span *text = arg;
    return span_cmp(text[*(const uint32_t *)pa], text[*(const uint32_t *)pb]);
}

static enum err order_strings(const struct strings *t, uint32_t *out) {
    AUTO_FREE uint32_t *sorted = malloc((t->n + 1) * sizeof *sorted);
    if (!sorted) return ERR_NOMEM;
    for (uint32_t i = 0; i < t->n; i++) sorted[i] = i;
    qsort_r(sorted, t->n, sizeof *sorted, by_text, t->text);
    for (uint32_t i = 0; i < t->n; i++) out[sorted[i]] = i;
    return ERR_OK;
}

/* Children by their parent, each parent's in order. */
struct child {
    uint32_t frame, kind, node; /* frame: its place among the strings */
};
struct families {
    struct child *children; /* n_nodes - 1 */
    uint32_t *end;          /* per node: where its children end; they begin where those of the node before end */
    uint32_t *size;         /* of the tree below, the node itself too */
};

static int by_frame(const void *pa, const void *pb) {
    const struct child *a = pa, *b = pb;
    if (a->frame != b->frame) return a->frame < b->frame ? -1 : 1;
    return a->kind < b->kind ? -1 : a->kind > b->kind;
}

static void gather(const struct stacks *s, const uint32_t *strings, struct families *f) {
    for (size_t i = 1; i < s->n_nodes; i++) f->end[s->nodes[i].parent]++;
    for (size_t i = 0, at = 0; i < s->n_nodes; i++) { /* for now: where they begin */
        size_t n = f->end[i];
        f->end[i] = (uint32_t)at;
        at += n;
    }
    for (size_t i = 1; i < s->n_nodes; i++) {
        const struct stack_node *n = &s->nodes[i];
        f->children[f->end[n->parent]++] = (struct child){strings[n->frame], n->kind, (uint32_t)i};
    }
    for (size_t i = 0, first = 0; i < s->n_nodes; first = f->end[i++])
        if (f->end[i] - first > 1) qsort(f->children + first, f->end[i] - first, sizeof *f->children, by_frame);
    for (size_t i = s->n_nodes; i-- > 0;) { /* a parent has a smaller index */
        f->size[i]++;
        if (i) f->size[s->nodes[i].parent] += f->size[i];
    }
}

enum err stack_order(const struct stacks *s, uint32_t *out_nodes, uint32_t *out_strings) {
    AUTO_FREE struct child *children = malloc(s->n_nodes * sizeof *children);
    AUTO_FREE uint32_t *end = calloc(s->n_nodes, sizeof *end), *size = calloc(s->n_nodes, sizeof *size);
    struct families f = {children, end, size};
    enum err e = children && end && size ? order_strings(&s->strings, out_strings) : ERR_NOMEM;
    if (e != ERR_OK) return e;
    gather(s, out_strings, &f);
    out_nodes[STACKS_ROOT] = 0;
    for (size_t i = 0, k = 0; i < s->n_nodes; i++)
        for (uint32_t place = out_nodes[i] + 1; k < f.end[i]; k++) {
            out_nodes[f.children[k].node] = place;
            place += f.size[f.children[k].node];
        }
    return ERR_OK;
}
