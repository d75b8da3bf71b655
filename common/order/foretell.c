#include "common/order/foretell.h"

#include "common/catalog/choice.h"
#include "common/catalog/cost.h"
#include "common/catalog/duration.h"

/* Of this tool, as the host's agent found it. */
static void read_known(const struct facts *f, const struct tool *t, struct choice_known of[FLAVOUR__COUNT]) {
    for (size_t i = 0; i < f->n_tools; i++) {
        const struct tool_fact *fact = &f->tools[i];
        enum flavour_id id = catalog_flavour_find(fact->flavour);
        if (id != FLAVOUR__COUNT && span_eq_str(fact->tool, t->name)) of[id] = (struct choice_known){true, fact->runnable, fact->why};
    }
}

static struct cost_rates read_rates(const struct facts *f) {
    struct cost_rates r = {.known = 0};
    for (size_t c = 0; c < COUNTER__COUNT && c < f->n_rates; c++) {
        if (!f->rates[c]) continue;
        r.per_s[c] = f->rates[c] - 1;
        r.known |= 1u << c;
    }
    return r;
}

static bool is_over(const struct order *o, const struct facts *f, struct plan_row *row, struct buf *why) {
    const struct cost_rates rates = read_rates(f);
    unsigned cpus = f->cpus ? f->cpus : 1;
    const struct cost c = cost_of(o->tool, &o->params, &rates, cpus);
    row->cost_known = c.known;
    row->cost_at_least = c.at_least;
    row->cost_events_per_s = c.events_per_s;
    row->cost_ppm = c.ppm;
    return cost_is_over(o->tool, &c, &rates, cpus, 0, f->max_cost_ppm, why);
}

/* What the host's policy has against it.  A start that is yet to come may fall into other hours. */
static bool is_refused(const struct order *o, const struct facts *f, struct plan_row *row, struct buf *why) {
    if (o->spec.duration_s && f->max_duration_s && duration_is_refused(o->spec.duration_s, f->max_duration_s, why)) return true;
    if (f->quiet.n && !o->spec.start_wall_ms) {
        buf_add(why, f->quiet);
        return true;
    }
    return is_over(o, f, row, why);
}

static void foretell(const struct order *o, const struct facts *f, struct plan_row *row, struct buf *why) {
    struct choice_known of[FLAVOUR__COUNT] = {0};
    read_known(f, o->tool, of);
    const struct flavour *chosen = choice_make(o->tool, of, o->flavour, &o->params, why);
    struct buf against;
    row->coverage = COVERAGE_INCAPABLE;
    if (!chosen) return;
    buf_init(&against, 0);
    row->flavour = span_str(catalog_flavour_name(chosen->id));
    row->coverage = COVERAGE_OK;
    if (is_refused(o, f, row, &against)) {
        row->coverage = COVERAGE_REFUSED;
        buf_reset(why);
        buf_add(why, buf_span(&against));
    }
    buf_done(&against);
}

enum err foretell_row(const struct order *o, const struct facts *f, bool online, struct arena *mem, struct plan_row *out) {
    struct plan_row row = {.host = f->host};
    struct buf why;
    buf_init(&why, 0);
    if (!online) {
        row.coverage = COVERAGE_OFFLINE;
        buf_add_str(&why, "not connected");
    } else if (f->lockdown.n) {
        row.coverage = COVERAGE_REFUSED;
        buf_add(&why, f->lockdown);
    } else {
        foretell(o, f, &row, &why);
    }
    row.why = arena_copy(mem, span_head(buf_span(&why), LIMIT_REASON_BYTES));
    enum err e = buf_failed(&why) || !row.why.p ? ERR_NOMEM : ERR_OK;
    buf_done(&why);
    if (!e) *out = row;
    return e;
}
