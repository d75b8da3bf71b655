#include "console/render/flame.h"

#include <stdlib.h>

#include "common/base/num.h"
#include "common/base/utf8.h"
#include "console/render/flame_script.h"
#include "console/render/summary.h"

enum { WIDTH_PX = 1200, ROW_PX = 16, HEAD_PX = 78, FOOT_PX = 10, CHAR_PX = 7, NAME_BYTES = 1024 };
#define LEAST_PX 0.1

struct flame_weight {
    uint64_t total, before; /* with all that is above */
};

/* One that is drawn.  Its parent is, too. */
struct flame_node {
    uint32_t parent, kind, depth; /* parent: which of those drawn */
    struct span name;
    struct flame_weight weight;
    double x, width, next; /* next: where the next one above it begins */
};

struct flame {
    struct stacks tree; /* of both answers, the process below its frames */
    struct arena *mem;
    struct flame_weight *weights; /* by node of the tree */
    size_t cap_weights;
    struct flame_node *nodes;  /* parents first; the first is the whole */
    struct flame_node **order; /* siblings together, parents first */
    size_t n;
    uint32_t deepest;
    size_t thin, gone;
};

static bool is_plain(char c) { return c >= ' ' && c < 0x7f && c != '<' && c != '>' && c != '&' && c != '"' && c != '\''; }

/* XML 1.0 has no place for control characters and the two non-characters, not even escaped. */
static void add_xml(struct buf *out, struct span s) {
    while (s.n) {
        size_t plain = 0;
        while (plain < s.n && is_plain(s.p[plain])) plain++;
        buf_add(out, span_head(s, plain));
        s = span_drop(s, plain);
        if (s.n == 0) return;
        bool ok;
        size_t n = utf8_step(s, &ok);
        unsigned char c = (unsigned char)s.p[0], second = n > 1 ? (unsigned char)s.p[1] : 0;
        bool c1 = ok && n == 2 && c == 0xc2 && second < 0xa0;
        bool none = ok && n == 3 && c == 0xef && second == 0xbf && (unsigned char)s.p[2] >= 0xbe;
        if (!ok || none)
            buf_add_str(out, "\xef\xbf\xbd");
        else if (c < 0x20 || c == 0x7f || c1)
            buf_add_fmt(out, "\\x%02x", c1 ? second : c);
        else if (strchr("<>&\"'", c))
            buf_add_fmt(out, "&#%d;", c);
        else
            buf_add(out, span_head(s, n));
        s = span_drop(s, n);
    }
}

static enum err grow(struct flame *f) { return arena_grow(f->mem, &f->weights, &f->cap_weights, f->tree.n_nodes, sizeof *f->weights); }

/* Of each node of one answer, where it is in the tree below the process of number comm (node 0: not looked up yet), and whether it is too
 * thin to be drawn whatever the process. */
struct place {
    uint32_t comm, node;
    bool thin;
};

static bool is_thin(uint64_t part, uint64_t whole) { return (double)part * WIDTH_PX < LEAST_PX * (double)whole; }

static enum err add_row(struct flame *f, const struct stacks *s, const struct stack_row *row, bool before, struct place *places) {
    uint32_t path[LIMIT_STACK_DEPTH], at = STACKS_ROOT, n = row->leaf;
    size_t depth = 0;
    struct span comm = s->strings.text[row->comm];
    enum err e = comm.n ? stacks_node(&f->tree, STACKS_ROOT, comm, FRAME_UNKNOWN, &at) : ERR_OK;
    while (n != STACKS_ROOT && places[n].thin) n = s->nodes[n].parent;
    for (; n != STACKS_ROOT && depth < COUNT_OF(path); n = s->nodes[n].parent) {
        if (places[n].node && places[n].comm == row->comm) {
            at = places[n].node;
            break;
        }
        path[depth++] = n;
    }
    while (!e && depth > 0) {
        const struct stack_node *node = &s->nodes[path[--depth]];
        e = stacks_node(&f->tree, at, s->strings.text[node->frame], (enum frame_kind)node->kind, &at);
        places[path[depth]] = (struct place){.comm = row->comm, .node = at};
    }
    if (!e) e = grow(f);
    if (e) return e;
    uint64_t *into = before ? &f->weights[at].before : &f->weights[at].total;
    *into = num_sat_add(*into, row->count);
    return ERR_OK;
}

/* Most of a large fleet's frames are too thin to be seen: they need not be in the tree, what they have is their parents'. */
static enum err leave_out_thin(struct flame *f, const struct stacks *s, struct place *places) {
    AUTO_FREE uint64_t *sums = calloc(s->n_nodes + 1, sizeof *sums);
    if (!sums) return ERR_NOMEM;
    for (size_t r = 0; r < s->n_rows; r++) sums[s->rows[r].leaf] = num_sat_add(sums[s->rows[r].leaf], s->rows[r].count);
    for (size_t i = s->n_nodes; i-- > 1;) sums[s->nodes[i].parent] = num_sat_add(sums[s->nodes[i].parent], sums[i]);
    for (size_t i = 1; i < s->n_nodes; i++) {
        places[i].thin = is_thin(sums[i], sums[STACKS_ROOT]);
        f->thin += places[i].thin;
    }
    return ERR_OK;
}

/* Adds the rows of s to the tree, each frame with what it has itself.  all: thin frames too, which a comparison counts. */
static enum err add_stacks(struct flame *f, const struct stacks *s, bool before, bool all) {
    AUTO_FREE struct place *places = calloc(s->n_nodes + 1, sizeof *places);
    enum err e = places ? ERR_OK : ERR_NOMEM;
    if (!e && !all) e = leave_out_thin(f, s, places);
    for (size_t r = 0; r < s->n_rows && !e; r++) e = add_row(f, s, &s->rows[r], before, places);
    return e;
}

static int by_parent_and_name(const void *a, const void *b) {
    const struct flame_node *x = *(struct flame_node *const *)a, *y = *(struct flame_node *const *)b;
    if (x->parent != y->parent) return x->parent < y->parent ? -1 : 1;
    int by_name = span_cmp(x->name, y->name);
    return by_name ? by_name : x->kind < y->kind ? -1 : x->kind > y->kind;
}

/* A parent's index is smaller than its children's, so sums go down from the last. */
static void add_up(struct flame *f) {
    for (size_t i = f->tree.n_nodes; i-- > 1;) {
        const struct flame_weight *w = &f->weights[i];
        struct flame_weight *p = &f->weights[f->tree.nodes[i].parent];
        p->total = num_sat_add(p->total, w->total);
        p->before = num_sat_add(p->before, w->before);
    }
}

/* The whole is drawn even when it is empty. */
static bool is_drawn(const struct flame *f, size_t i) {
    return i == STACKS_ROOT || (f->weights[i].total && !is_thin(f->weights[i].total, f->weights[STACKS_ROOT].total));
}

static enum err choose(struct flame *f) {
    for (size_t i = 0; i < f->tree.n_nodes; i++) f->n += is_drawn(f, i);
    f->nodes = arena_array(f->mem, f->n, sizeof *f->nodes);
    f->order = arena_array(f->mem, f->n, sizeof(struct flame_node *));
    uint32_t *chosen = arena_array(f->mem, f->tree.n_nodes, sizeof *chosen);
    if (!f->nodes || !f->order || !chosen) return ERR_NOMEM;
    uint32_t n = 0;
    for (size_t i = 0; i < f->tree.n_nodes; i++) {
        const struct stack_node *from = &f->tree.nodes[i];
        double whole = (double)f->weights[STACKS_ROOT].total;
        if (!is_drawn(f, i)) {
            bool gone = f->weights[i].total == 0 && f->weights[i].before;
            f->gone += gone;
            f->thin += !gone;
            continue;
        }
        f->nodes[n] = (struct flame_node){.parent = chosen[from->parent],
                                          .kind = from->kind,
                                          .name = i ? f->tree.strings.text[from->frame] : SPAN_LIT("all"),
                                          .weight = f->weights[i],
                                          .width = i ? (double)f->weights[i].total * WIDTH_PX / whole : WIDTH_PX};
        f->order[n] = &f->nodes[n];
        chosen[i] = n++;
    }
    return ERR_OK;
}

/* Places go up from the first.  What is too thin to be drawn is at the right end of what it belongs to. */
static void place(struct flame *f) {
    if (f->n > 1) qsort(f->order + 1, f->n - 1, sizeof(struct flame_node *), by_parent_and_name);
    for (size_t i = 1; i < f->n; i++) {
        struct flame_node *n = f->order[i], *p = &f->nodes[n->parent];
        n->x = n->next = p->next;
        p->next += n->width;
        n->depth = p->depth + 1;
        if (n->depth > f->deepest) f->deepest = n->depth;
    }
}

static double share(uint64_t part, uint64_t whole) { return whole ? (double)part / (double)whole : 0; }

static void add_fill(const struct flame *f, const struct flame_node *n, bool compared, struct buf *out) {
    static const char *const plain[] = {[FRAME_UNKNOWN] = "#c9c3d6", [FRAME_USER] = "#8fc2e8", [FRAME_KERNEL] = "#f2a65a"};
    if (!compared) {
        buf_add_str(out, n == f->nodes ? "#dddddd" : plain[n->kind]);
        return;
    }
    double was = share(n->weight.before, f->weights[0].before), is = share(n->weight.total, f->weights[0].total),
           most = was > is ? was : is;
    double change = most > 0 ? (is - was) / most : 0; /* -1 … 1 */
    int pale = 235 - (int)(165 * (change < 0 ? -change : change));
    if (change >= 0)
        buf_add_fmt(out, "#eb%02x%02x", pale, pale);
    else
        buf_add_fmt(out, "#%02x%02xeb", pale, pale);
}

static void add_frame(const struct flame *f, const struct flame_node *n, struct span unit, bool compared, struct buf *out) {
    static const char *const kinds[] = {[FRAME_UNKNOWN] = "", [FRAME_USER] = ", user", [FRAME_KERNEL] = ", kernel"};
    double y = HEAD_PX + (double)((f->deepest - n->depth) * ROW_PX);
    struct span name = span_head(n->name, NAME_BYTES);
    buf_add_str(out, "<g class=\"f\"><title>");
    add_xml(out, name);
    buf_add_fmt(out, " (%llu ", (unsigned long long)n->weight.total);
    add_xml(out, unit);
    buf_add_fmt(out, ", %.2f%%", 100 * share(n->weight.total, f->weights[0].total));
    if (compared) buf_add_fmt(out, "; before %.2f%%", 100 * share(n->weight.before, f->weights[0].before));
    buf_add_fmt(out, "%s)</title><rect x=\"%.2f\" y=\"%.0f\" width=\"%.2f\" height=\"%d\" fill=\"", kinds[n->kind], n->x, y, n->width,
                ROW_PX - 1);
    add_fill(f, n, compared, out);
    buf_add_fmt(out, "\"/><text x=\"%.2f\" y=\"%.0f\">", n->x + 3, y + ROW_PX - 5);
    size_t room = n->width > 3 * CHAR_PX ? (size_t)(n->width / CHAR_PX) - 1 : 0, shown = 0;
    for (size_t chars = 0; shown < name.n && chars < room; chars++) {
        bool ok;
        shown += utf8_step(span_drop(name, shown), &ok);
    }
    add_xml(out, span_head(name, shown));
    buf_add_str(out, "</text></g>\n");
}

static enum err add_head(const struct flame *f, const struct answer *a, const struct answer *before, struct buf *out) {
    struct buf title;
    buf_init(&title, 0);
    double height = HEAD_PX + (double)((f->deepest + 1) * ROW_PX) + FOOT_PX;
    buf_add_fmt(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\""
        " viewBox=\"0 0 %d %.0f\">\n%s<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n<text id=\"head\" x=\"6\" y=\"18\">",
        WIDTH_PX, height, WIDTH_PX, height, flame_script_style());
    enum err e = summary_title(a, &title);
    add_xml(out, buf_span(&title));
    buf_add_fmt(out, "</text>\n<text x=\"6\" y=\"36\">%llu ", (unsigned long long)f->weights[0].total);
    add_xml(out, a->stacks.unit);
    buf_add_fmt(out, " in all; %zu frames narrower than %.1f px are not drawn", f->thin, LEAST_PX);
    if (before) buf_add_fmt(out, "; %zu frames are only in what it is compared with", f->gone);
    buf_add_str(out, "</text>\n");
    if (before) {
        buf_reset(&title);
        if (!e) e = summary_title(before, &title);
        buf_add_str(out, "<text x=\"6\" y=\"54\">red grew, blue shrank, compared with: ");
        add_xml(out, buf_span(&title));
        buf_add_str(out, "</text>\n");
    }
    buf_add_str(
        out, "<text id=\"reset\" class=\"b\" x=\"6\" y=\"72\">Reset</text><text id=\"search\" class=\"b\" x=\"60\" y=\"72\">Search</text>"
             "<text id=\"found\" x=\"120\" y=\"72\"> </text>\n");
    buf_done(&title);
    return e;
}

enum err flame_svg(const struct answer *a, const struct answer *before, struct buf *out) {
    if (before && before->stacks.n_rows && !span_eq(before->stacks.unit, a->stacks.unit)) return ERR_REFUSED;
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    struct flame f = {.mem = mem};
    enum err e = mem ? stacks_init(&f.tree, a->stacks.unit, mem) : ERR_NOMEM;
    if (!e) e = grow(&f);
    if (!e) e = add_stacks(&f, &a->stacks, false, before != NULL);
    if (!e && before) e = add_stacks(&f, &before->stacks, true, true);
    if (!e) add_up(&f);
    if (!e) e = choose(&f);
    if (!e) place(&f);
    if (!e) e = add_head(&f, a, before, out);
    for (size_t i = 0; !e && i < f.n; i++) add_frame(&f, f.order[i], a->stacks.unit, before != NULL, out);
    buf_add_fmt(out, "%s</svg>\n", flame_script_code());
    return e ? e : buf_failed(out);
}
