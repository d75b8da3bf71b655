#include "agent/daemon/capability.h"

#include <assert.h>

/* Probes use the row's index + 1 as their run number. */
enum err capability_ask(struct capabilities *all, struct channel *c) {
    for (int id = TOOL_NONE + 1; id < TOOL__COUNT; id++) {
        const struct tool *t = catalog_tool((enum tool_id)id);
        for (size_t i = 0; t && i < t->n_flavours; i++) {
            assert(all->n < CAPABILITY_MAX);           /* a flavour is in a tool's row once */
            if (!t->flavours[i].binaries[0]) continue; /* read by trawl parse only */
            all->rows[all->n] = (struct capability){.tool = t->id, .flavour = t->flavours[i].id};
            enum err e = channel_probe(c, ++all->n, t->id, t->flavours[i].id);
            if (e) return e;
        }
    }
    return ERR_OK;
}

bool capability_answer(struct capabilities *all, const struct report *r) {
    if (r->run == 0 || r->run > all->n) return false;
    struct capability *row = &all->rows[r->run - 1];
    if (row->known) return false; /* the facts point into it */
    row->known = true;
    all->n_known++;
    row->runnable = r->refusal == ERR_OK;
    snprintf(row->why, sizeof row->why, "%s", r->why);
    return all->n_known == all->n;
}

const struct flavour *capability_choose(const struct capabilities *all, const struct tool *t, enum flavour_id wanted, const struct params *ps,
                                        struct buf *out_why) {
    struct choice_known of[FLAVOUR__COUNT] = {0};
    for (size_t i = 0; i < all->n; i++) {
        const struct capability *row = &all->rows[i];
        if (row->tool == t->id) of[row->flavour] = (struct choice_known){true, row->runnable, span_str(row->why)};
    }
    return choice_make(t, of, wanted, ps, out_why);
}

enum err capability_facts(const struct capabilities *all, struct arena *mem, struct tool_fact **out, size_t *out_n) {
    struct tool_fact *facts = arena_array(mem, all->n, sizeof *facts);
    if (!facts && all->n) return ERR_NOMEM;
    for (size_t i = 0; i < all->n; i++) {
        const struct capability *row = &all->rows[i];
        facts[i] = (struct tool_fact){.tool = span_str(catalog_tool(row->tool)->name),
                                      .flavour = span_str(catalog_flavour_name(row->flavour)),
                                      .runnable = row->runnable,
                                      .why = span_str(row->why)};
    }
    *out = facts;
    *out_n = all->n;
    return ERR_OK;
}
