#include "common/parse/parse_lines_hist.h"

#include "common/base/num.h"

enum err parse_lines_hist_mark(struct parse_lines_hists *h, struct parse_job *job, struct span mark) {
    if (!parse_job_is_clock(mark)) return ERR_SYNTAX;
    struct span copy = arena_copy(job->mem, mark);
    if (!copy.p) return ERR_NOMEM;
    h->mark = copy;
    return ERR_OK;
}

/* {"min": 4, "max": 7, "count": 35}; without "max" it is open. */
static enum err read_slot(struct parse_json *j, struct hist_slot *out) {
    struct hist_slot slot = {.high = HIST_OPEN};
    unsigned seen = 0;
    if (!parse_json_take(j, '{')) return ERR_SYNTAX;
    do {
        struct span key, number;
        uint64_t value;
        enum err e = parse_json_key(j, &key);
        if (e) return e;
        if (!parse_json_bare(j, &number) || !span_u64(number, &value)) return ERR_SYNTAX;
        if (span_eq_str(key, "min"))
            slot.low = value, seen |= 1;
        else if (span_eq_str(key, "max"))
            slot.high = value;
        else if (span_eq_str(key, "count"))
            slot.count = value, seen |= 2;
        else
            return ERR_SYNTAX;
    } while (parse_json_take(j, ','));
    if (!parse_json_take(j, '}') || seen != 3 || slot.low > slot.high) return ERR_SYNTAX;
    *out = slot;
    return ERR_OK;
}

static enum err add_slot(struct parse_lines_hists *h, struct parse_job *job, struct hist_slot slot, enum hist_scale scale) {
    struct hist_slot *last = h->n_slots ? &h->slots[h->n_slots - 1] : NULL;
    if (scale == HIST_LINEAR && slot.count == 0) return ERR_OK;
    if (scale == HIST_LOG2 && slot.high <= 1) {
        slot.low = 0;
        slot.high = 1;
        if (last && last->low == 0 && last->high == 1) {
            last->count = num_sat_add(last->count, slot.count);
            return ERR_OK;
        }
    }
    if (last && slot.low <= last->high) return ERR_SYNTAX;
    enum err e = arena_grow(job->mem, &h->slots, &h->cap_slots, h->n_slots + 1, sizeof *h->slots);
    if (!e) h->slots[h->n_slots++] = slot;
    return e;
}

static enum err read_slots(struct parse_lines_hists *h, struct parse_job *job, struct parse_json *j, enum hist_scale scale) {
    h->n_slots = 0;
    if (!parse_json_take(j, '[')) return ERR_SYNTAX;
    if (parse_json_take(j, ']')) return ERR_OK;
    do {
        struct hist_slot slot;
        enum err e = read_slot(j, &slot);
        if (!e) e = add_slot(h, job, slot, scale);
        if (e) return e;
    } while (parse_json_take(j, ','));
    return parse_json_take(j, ']') ? ERR_OK : ERR_SYNTAX;
}

/* made has unit and section already. */
static enum err read_hist(struct parse_lines_hists *h, struct parse_job *job, struct parse_json *j, struct hist made) {
    enum err e = read_slots(h, job, j, made.scale);
    if (e || h->n_slots == 0) return e;
    made.slots = arena_array(job->mem, h->n_slots, sizeof *made.slots);
    if (!made.slots) return ERR_NOMEM;
    memcpy(made.slots, h->slots, h->n_slots * sizeof *made.slots);
    made.n_slots = h->n_slots;
    made.interval = h->mark.p ? h->mark : SPAN_LIT("");
    e = arena_grow(job->mem, &h->hist, &h->cap, h->n + 1, sizeof *h->hist);
    if (!e) h->hist[h->n++] = made;
    return e;
}

static enum err read_sections(struct parse_lines_hists *h, struct parse_job *job, struct parse_json *j, struct hist made) {
    if (!job->spec->section_key || !parse_json_take(j, '{')) return ERR_SYNTAX;
    if (parse_json_take(j, '}')) return ERR_OK;
    do {
        struct span name;
        enum err e = parse_json_key(j, &name);
        if (e) return e;
        struct span copy = arena_copy(job->mem, name);
        if (!copy.p) return ERR_NOMEM;
        made.section[0] = (struct label){span_str(job->spec->section_key), copy};
        made.n_section = 1;
        e = read_hist(h, job, j, made);
        if (e) return e;
    } while (parse_json_take(j, ','));
    return parse_json_take(j, '}') ? ERR_OK : ERR_SYNTAX;
}

enum err parse_lines_hist(struct parse_lines_hists *h, struct parse_job *job, struct parse_json *j, enum hist_scale scale) {
    struct span name;
    size_t before = h->n;
    if (!parse_json_take(j, '{')) return ERR_SYNTAX;
    enum err e = parse_json_key(j, &name);
    if (e || name.n < 2 || name.p[0] != '@') return e ? e : ERR_SYNTAX;
    struct hist made = {.unit = arena_copy(job->mem, span_drop(name, 1)), .scale = scale};
    if (!made.unit.p) return ERR_NOMEM;
    e = parse_json_next_is(j, '{') ? read_sections(h, job, j, made) : read_hist(h, job, j, made);
    if (!e && !parse_json_take(j, '}')) e = ERR_SYNTAX;
    if (e) h->n = before;
    job->has_rows = job->has_rows || h->n > 0;
    return e;
}

enum err parse_lines_hist_end(const struct parse_lines_hists *h, struct parse_job *job) {
    job->capture->hists = (struct hist_set){h->hist, h->n};
    return ERR_OK;
}
