#include "collector/query/query_body.h"

/* Has h every label that was asked for? */
static bool wanted(const struct hist *h, const struct query *q) {
    for (size_t i = 0; i < q->n_section; i++) {
        bool found = false;
        for (size_t k = 0; k < h->n_section; k++)
            found = found || (span_eq(h->section[k].key, q->section[i].key) && span_eq(h->section[k].value, q->section[i].value));
        if (!found) return false;
    }
    return true;
}

/* Of a host's own line the sections are merged away, but not the kind of device: it is read by that. */
enum sections { SECTIONS_KEPT, SECTIONS_DROPPED, SECTIONS_KIND };

static void cut_sections(struct hist *h, enum sections how) {
    size_t n = 0;
    for (size_t i = 0; i < h->n_section; i++)
        if (how == SECTIONS_KEPT || (how == SECTIONS_KIND && span_eq_str(h->section[i].key, "kind"))) h->section[n++] = h->section[i];
    h->n_section = n;
}

/* Most hosts have one histogram: there is nothing to merge, and the slots stay where they are. */
static enum err one_hist(struct query_work *w, const struct hist *h, enum sections how, struct hist_set *out) {
    struct hist *one = arena_array(w->mem, 1, sizeof *one);
    if (!one) return ERR_NOMEM;
    *one = *h;
    query_mask_hist(w, one);
    bool yes = wanted(one, w->of->query);
    cut_sections(one, how);
    *out = (struct hist_set){one, yes};
    return ERR_OK;
}

/* The wanted histograms of a host, their sections merged away or not. */
static enum err host_set(struct query_work *w, const struct aggregate_host *h, enum sections how, struct hist_set *out) {
    struct hist_set all = {0};
    struct hist only;
    if (!h->refused_hists && hist_merge_only(h->hists, &only)) return one_hist(w, &only, how, out);
    enum err e = hist_merge_get(h->hists, false, w->mem, &all);
    if (e != ERR_OK) return e;
    AUTO(hist_merge_free) struct hist_merge *few = hist_merge_new();
    if (!few) return ERR_NOMEM;
    uint32_t refused = h->refused_hists;
    for (size_t i = 0; i < all.n; i++) {
        query_mask_hist(w, &all.hists[i]);
        if (!wanted(&all.hists[i], w->of->query)) continue;
        cut_sections(&all.hists[i], how);
        e = hist_merge_add(few, &all.hists[i]);
        if (e == ERR_REFUSED)
            refused++;
        else if (e != ERR_OK)
            return e;
    }
    if (refused)
        query_note(w, "%s: %u of its histograms have slots that do not line up with its others; they are left out", h->name, refused);
    return hist_merge_get(few, false, w->mem, out);
}

static enum err merge_host(struct query_work *w, struct hist_merge *fleet, const struct aggregate_host *h) {
    struct hist_set set = {0};
    enum err e = host_set(w, h, w->of->query->drop_sections ? SECTIONS_DROPPED : SECTIONS_KEPT, &set);
    if (e != ERR_OK) return e;
    unsigned refused = 0;
    for (size_t i = 0; i < set.n; i++) {
        e = hist_merge_add(fleet, &set.hists[i]);
        if (e == ERR_REFUSED)
            refused++;
        else if (e != ERR_OK)
            return e;
    }
    if (refused)
        query_note(w, "%s: the slots of %u of its histograms do not line up with those of the hosts before it; they are only in its own",
                   h->name, refused);
    struct host_hist *mine = &w->a->host_hists[w->a->n_host_hists];
    mine->host = span_str(h->name);
    /* A host's own line is one histogram per unit, unless its sections were asked for. */
    if (w->of->query->per_host && !w->of->query->drop_sections)
        mine->hists = set;
    else if ((e = host_set(w, h, SECTIONS_KIND, &mine->hists)) != ERR_OK)
        return e;
    if (mine->hists.n) w->a->n_host_hists++;
    return ERR_OK;
}

static int by_name(const void *a, const void *b) {
    const struct aggregate_host *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

/* Histograms of several units stand beside each other: say so, and whose is the odd one. */
static void note_units(struct query_work *w) {
    const struct hist_set *m = &w->a->merged;
    if (m->n == 0) return;
    struct span first = m->hists[0].unit;
    enum hist_scale scale = m->hists[0].scale;
    for (size_t i = 0; i < w->a->n_host_hists; i++) {
        const struct host_hist *h = &w->a->host_hists[i];
        for (size_t k = 0; k < h->hists.n; k++) {
            const struct hist *x = &h->hists.hists[k];
            if (!span_eq(x->unit, first))
                query_note(w, "%.*s: unit %.*s does not merge with %.*s", (int)h->host.n, h->host.p, (int)x->unit.n, x->unit.p,
                           (int)first.n, first.p);
            else if (x->scale != scale)
                query_note(w, "%.*s: linear and log2 slots do not merge", (int)h->host.n, h->host.p);
        }
    }
}

enum err query_hist_hosts(struct query_work *w) {
    const struct aggregate *agg = w->of->aggregate;
    size_t n = 0, all = aggregate_n_hosts(agg);
    AUTO(hist_merge_free) struct hist_merge *fleet = hist_merge_new();
    const struct aggregate_host **hosts = arena_array(w->mem, all + 1, sizeof(const struct aggregate_host *));
    w->a->host_hists = arena_array(w->mem, all + 1, sizeof *w->a->host_hists);
    if (!fleet || !hosts || !w->a->host_hists) return ERR_NOMEM;
    for (size_t i = 0; i < all; i++)
        if (aggregate_host(agg, i)->hists && query_rows_on(w, span_str(aggregate_host(agg, i)->name))) hosts[n++] = aggregate_host(agg, i);
    qsort(hosts, n, sizeof(const struct aggregate_host *), by_name); /* so that arrival cannot decide what lines up with what */
    query_note_unread(w);
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < n; i++) e = merge_host(w, fleet, hosts[i]);
    return e == ERR_OK ? hist_merge_get(fleet, w->of->query->drop_sections, w->mem, &w->a->merged) : e;
}

/* " disk=vda, disk=vdb,", each once. */
static enum err list_sections(struct query_work *w, const struct aggregate_host *h, struct buf *out) {
    struct hist_set all = {0};
    enum err e = hist_merge_get(h->hists, false, w->mem, &all);
    for (size_t i = 0; i < all.n && e == ERR_OK; i++) {
        query_mask_hist(w, &all.hists[i]);
        for (size_t s = 0; s < all.hists[i].n_section; s++) {
            const struct label *l = &all.hists[i].section[s];
            char text[128];
            snprintf(text, sizeof text, " %.*s=%.*s,", (int)l->key.n, l->key.p, (int)l->value.n, l->value.p);
            struct span word = span_str(text);
            if (span_find_span(buf_span(out), word) == out->n && out->n + word.n < LIMIT_NOTE_BYTES / 2) buf_add(out, word);
        }
    }
    return e == ERR_OK ? buf_failed(out) : e;
}

/* A section that was asked for and that nobody has: which there are. */
static enum err note_sections(struct query_work *w) {
    const struct aggregate *agg = w->of->aggregate;
    struct buf there;
    enum err e = ERR_OK;
    buf_init(&there, 0);
    for (size_t i = 0; i < aggregate_n_hosts(agg) && e == ERR_OK; i++)
        if (aggregate_host(agg, i)->hists && query_rows_on(w, span_str(aggregate_host(agg, i)->name)))
            e = list_sections(w, aggregate_host(agg, i), &there);
    if (e == ERR_OK)
        query_note(w, "no histogram has the section that was asked for; there are %.*s", there.n ? (int)there.n - 2 : 4,
                   there.n ? buf_span(&there).p + 1 : "none");
    buf_done(&there);
    return e;
}

enum rpc_status query_hist_fill(struct query_work *w) {
    enum err e = query_hist_hosts(w);
    if (e != ERR_OK) return query_failed(w, e);
    if (w->of->query->n_section && !w->a->merged.n) e = note_sections(w);
    if (e != ERR_OK) return query_failed(w, e);
    note_units(w);
    w->a->merged_hosts = (uint32_t)w->a->n_host_hists;
    if (w->of->query->merged_only) w->a->n_host_hists = 0;
    return RPC_OK;
}
