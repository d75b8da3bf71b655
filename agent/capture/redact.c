#include "agent/capture/redact.h"

static bool is_masked(struct span name, bool is_address, unsigned set) { return (set & 1u << catalog_class_of(name, is_address)) != 0; }

static bool column_is_masked(const struct column *c, unsigned set) {
    return !column_is_number(c->type) && is_masked(c->name, c->type == COLUMN_ADDRESS, set);
}

bool redact_concerns(const struct capture *c, unsigned set) {
    for (size_t i = 0; i < c->events.n_columns; i++)
        if (column_is_masked(&c->events.columns[i], set)) return true;
    for (size_t i = 0; i < c->hists.n; i++)
        for (size_t k = 0; k < c->hists.hists[i].n_section; k++)
            if (is_masked(c->hists.hists[i].section[k].key, false, set)) return true;
    return false;
}

enum err redact_capture(struct capture *c, unsigned set, struct arena *mem, uint64_t *out_cells) {
    uint64_t cells = 0;
    uint32_t mark = 0;
    *out_cells = 0;
    if (!redact_concerns(c, set)) return ERR_OK;
    if (c->kind == RESULT_EVENTS) {
        enum err e = strings_add(&c->events.strings, CATALOG_CLASS_MARK, &mark);
        if (e) return e;
    }
    for (size_t i = 0; i < c->events.n_columns; i++) {
        const struct column *column = &c->events.columns[i];
        if (!column_is_masked(column, set)) continue;
        for (size_t row = 0; row < c->events.n_rows; row++) {
            if (!column->text[row]) continue;
            column->text[row] = mark;
            cells++;
        }
    }
    for (size_t i = 0; i < c->hists.n; i++)
        for (size_t k = 0; k < c->hists.hists[i].n_section; k++) {
            struct label *section = &c->hists.hists[i].section[k];
            if (!is_masked(section->key, false, set)) continue;
            section->value = CATALOG_CLASS_MARK;
            cells++;
        }
    c->leftover = SPAN_NONE;
    c->n_notes = 0;
    if (c->partial || c->failed) {
        enum err e = capture_note(c, mem, SPAN_LIT("something is missing; what the tool said of it is not told, since this host redacts"));
        if (e) return e;
    }
    *out_cells = cells;
    return ERR_OK;
}
