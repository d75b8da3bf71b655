/* What the operator's role is not shown is taken out where results are read, before any question is asked of them: no filter, no order
 * and no group can tell it. */
#include "collector/query/query_body.h"
#include "common/catalog/catalog_class.h"

static bool hides(struct query_work *w, struct span name, bool is_address) {
    unsigned bit = 1u << catalog_class_of(name, is_address);
    if (!(w->of->mask & bit)) return false;
    w->masked |= bit;
    return true;
}

void query_mask_events(struct query_work *w, struct query_columns *room, struct events *e) {
    size_t n = 0;
    if (!w->of->mask) return;
    for (size_t i = 0; i < e->n_columns && n < COUNT_OF(room->columns); i++)
        if (column_is_number(e->columns[i].type) || !hides(w, e->columns[i].name, e->columns[i].type == COLUMN_ADDRESS))
            room->columns[n++] = e->columns[i];
    e->columns = room->columns;
    e->n_columns = n;
}

void query_mask_hist(struct query_work *w, struct hist *h) {
    for (size_t i = 0; w->of->mask && i < h->n_section; i++)
        if (hides(w, h->section[i].key, false)) h->section[i].value = CATALOG_CLASS_MARK;
}

void query_mask_outcome(unsigned mask, struct outcome *o) {
    if (!mask) return;
    o->leftover = SPAN_NONE;
    o->n_notes = 0;
}

void query_mask_note(struct query_work *w) {
    struct span names = catalog_class_names(w->masked, w->mem);
    if (names.n) query_note(w, "%.*s: this collector does not show them to operators of your role", (int)names.n, names.p);
}
