#include "common/catalog/choice.h"

#define PREFERRED "the first choice, and right here"
#define ASKED     "it was asked for"

static void add(struct buf *out, const struct flavour *f, struct span why) {
    if (out->n) buf_add_str(out, "; ");
    buf_add_fmt(out, "%s: ", catalog_flavour_name(f->id));
    buf_add(out, why);
}

/* Why not this one; or, when it may be taken, what is wrong with it. */
static bool may_take(const struct tool *t, const struct flavour *f, const struct choice_known *k, const struct params *ps, bool named,
                     struct buf *out) {
    struct buf lacks;
    buf_init(&lacks, 0);
    bool fits = catalog_check(t, f, ps, &lacks) == ERR_OK;
    if (!fits)
        add(out, f, lacks.n ? buf_span(&lacks) : SPAN_LIT("it does not take the parameters"));
    else if (!k->runnable || k->why.n)
        add(out, f, k->why);
    buf_done(&lacks);
    return fits && k->runnable && (named || !k->why.n);
}

const struct flavour *choice_make(const struct tool *t, const struct choice_known of[FLAVOUR__COUNT], enum flavour_id wanted,
                                  const struct params *ps, struct buf *out_why) {
    bool named = wanted != FLAVOUR_ANY;
    struct buf why;
    const struct flavour *chosen = NULL;
    buf_init(&why, 0);
    for (size_t i = 0; i < t->n_flavours && !chosen; i++) {
        const struct flavour *f = &t->flavours[i];
        if (!of[f->id].known || (named && f->id != wanted)) continue;
        if (may_take(t, f, &of[f->id], ps, named, &why)) chosen = f;
    }
    if (chosen && named)
        buf_add_str(out_why, why.n ? ASKED "; " : ASKED);
    else if (chosen)
        buf_add_str(out_why, why.n ? "not the first choice; " : PREFERRED);
    else if (!why.n && named)
        buf_add_fmt(out_why, "%s has no %s flavour", t->name, catalog_flavour_name(wanted));
    else if (!why.n)
        buf_add_fmt(out_why, "%s is not known there", t->name);
    buf_add(out_why, buf_span(&why));
    buf_done(&why);
    return chosen;
}
