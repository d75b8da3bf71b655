#include "tests/unit/wire/dump.h"

#include <inttypes.h>

static void text(struct buf *out, const char *key, struct span s) {
    buf_add_fmt(out, " %s=\"", key);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < ' ' || c == '"' || c == '\\' || c >= 0x7f)
            buf_add_fmt(out, "\\x%02x", c);
        else
            buf_add_char(out, (char)c);
    }
    buf_add_char(out, '"');
}

static void number(struct buf *out, const char *key, uint64_t v) { buf_add_fmt(out, " %s=%" PRIu64, key, v); }
static void signed_number(struct buf *out, const char *key, int64_t v) { buf_add_fmt(out, " %s=%" PRId64, key, v); }
static void start(struct buf *out, const char *what) { buf_add_str(out, what); }
static void end(struct buf *out) { buf_add_char(out, '\n'); }

static void campaign(struct buf *out, const struct campaign_id *id) {
    char hex[2 * CAMPAIGN_ID_BYTES + 1];
    part_campaign_hex(id, hex);
    text(out, "campaign", span_str(hex));
}

void dump_hists(const struct hist_set *set, struct buf *out) {
    for (size_t i = 0; i < set->n; i++) {
        const struct hist *h = &set->hists[i];
        start(out, "hist");
        text(out, "unit", h->unit);
        text(out, "interval", h->interval);
        number(out, "scale", h->scale);
        for (size_t k = 0; k < h->n_section; k++) {
            text(out, "key", h->section[k].key);
            text(out, "value", h->section[k].value);
        }
        for (size_t k = 0; k < h->n_slots; k++)
            buf_add_fmt(out, " [%" PRIu64 " %" PRIu64 " %" PRIu64 "]", h->slots[k].low, h->slots[k].high, h->slots[k].count);
        end(out);
    }
}

static void stack_row(const struct stacks *s, const struct stack_row *row, struct buf *out) {
    uint32_t frames[LIMIT_STACK_DEPTH];
    size_t n = stacks_frames(s, row->leaf, frames, COUNT_OF(frames));
    start(out, "stack");
    text(out, "comm", row->comm ? s->strings.text[row->comm] : SPAN_LIT(""));
    signed_number(out, "pid", row->pid);
    number(out, "count", row->count);
    for (size_t i = 0; i < n; i++) {
        const struct stack_node *node = &s->nodes[frames[i]];
        text(out, node->kind == FRAME_KERNEL ? "k" : node->kind == FRAME_USER ? "u" : "f", s->strings.text[node->frame]);
    }
    end(out);
}

static void stack_rows(const struct stacks *s, struct buf *out) {
    for (size_t i = 0; i < s->n_rows; i++) stack_row(s, &s->rows[i], out);
}

static void stacks_head(const struct stacks *s, struct buf *out) {
    start(out, "stacks");
    text(out, "unit", s->unit);
    end(out);
}

void dump_stacks(const struct stacks *s, struct buf *out) {
    stacks_head(s, out);
    stack_rows(s, out);
}

static void event_rows(const struct events *e, struct buf *out) {
    for (size_t row = 0; row < e->n_rows; row++) {
        start(out, "event");
        for (size_t i = 0; i < e->n_columns; i++) {
            const struct column *c = &e->columns[i];
            if (column_is_number(c->type))
                signed_number(out, "n", c->number[row]);
            else
                text(out, "t", e->strings.text[c->text[row]]);
        }
        end(out);
        if (e->stack_of && e->stack_of[row]) stack_row(&e->stacks, &e->stacks.rows[e->stack_of[row] - 1], out);
    }
}

static void events_head(const struct events *e, struct buf *out) {
    for (size_t i = 0; i < e->n_columns; i++) {
        start(out, "column");
        text(out, "name", e->columns[i].name);
        text(out, "unit", e->columns[i].unit);
        number(out, "type", e->columns[i].type);
        number(out, "decimals", e->columns[i].decimals);
        end(out);
    }
}

void dump_events(const struct events *e, struct buf *out) {
    events_head(e, out);
    event_rows(e, out);
}

void dump_rows(const struct part_body *b, struct buf *out) {
    if (b->kind == RESULT_HISTOGRAM) dump_hists(&b->hists, out);
    if (b->kind == RESULT_EVENTS) event_rows(&b->events, out);
    if (b->kind == RESULT_STACKS) stack_rows(&b->stacks, out);
}

static void ledger(struct buf *out, const struct ledger *l) {
    number(out, "kernel", l->kernel);
    number(out, "tool", l->tool);
    number(out, "cap", l->cap);
    number(out, "parse", l->parse);
    number(out, "spool", l->spool);
    number(out, "shed", l->shed);
}

static void notes(const struct span *list, size_t n, struct buf *out) {
    for (size_t i = 0; i < n; i++) text(out, "note", list[i]);
}

/* Older frames have none. */
static void ceiling(struct buf *out, const char *name, enum ceiling c, uint64_t value) {
    if (!c && !value) return;
    text(out, name, span_str(capture_ceiling_name(c)));
    number(out, "at", value);
}

static void share(struct buf *out, const char *key, struct share s) {
    if (!share_given(s)) return;
    number(out, key, s.count);
    number(out, "permille", s.permille);
}

static void nonzero(struct buf *out, const char *key, uint64_t v) {
    if (v) number(out, key, v);
}

static void dump_applied(const struct applied *a, struct buf *out) {
    number(out, "seconds", a->seconds);
    for (size_t i = 0; i < a->n_params; i++) text(out, "param", a->params[i].name);
    number(out, "stdout", a->stdout_bytes);
    number(out, "start", a->start_wall_ms);
    number(out, "expires", a->expires_wall_ms);
    number(out, "round", a->round);
    number(out, "rounds", a->rounds);
    number(out, "every", a->every_s);
    number(out, "pressure", a->pressure_permille);
}

void dump_outcome(const struct outcome *o, struct buf *out) {
    start(out, "outcome ");
    buf_add_str(out, capture_coverage_name(o->coverage));
    buf_add_char(out, ' ');
    buf_add_str(out, capture_kind_name(o->kind));
    text(out, "reason", o->reason);
    text(out, "flavour", o->flavour);
    text(out, "leftover", o->leftover);
    ledger(out, &o->ledger);
    notes(o->notes, o->n_notes, out);
    number(out, "started", o->started_wall_ns);
    number(out, "wall", o->wall_ns);
    number(out, "cpu", o->cpu_ns);
    number(out, "rss", o->peak_rss_bytes);
    number(out, "replayed", o->replayed);
    number(out, "parts", o->parts);
    ceiling(out, "memory_ceiling", o->ceilings.memory, o->ceilings.memory_bytes);
    ceiling(out, "cpu_ceiling", o->ceilings.cpu, o->ceilings.cpu_percent);
    nonzero(out, "rounds", o->rounds);
    nonzero(out, "pressure", o->pressure_permille);
    nonzero(out, "died", o->agent_died);
    if (o->flavour_why.n) text(out, "chosen", o->flavour_why);
    if (o->applied) dump_applied(o->applied, out);
    end(out);
}

void dump_body(const struct part_body *b, struct buf *out) {
    start(out, capture_kind_name(b->kind));
    end(out);
    if (b->kind == RESULT_EVENTS) events_head(&b->events, out);
    if (b->kind == RESULT_STACKS) stacks_head(&b->stacks, out);
    dump_rows(b, out);
    if (b->outcome) dump_outcome(b->outcome, out);
}

/* What is not given is not said, so that what was written before there was any of it reads the same. */
static void dump_course(const struct spec *s, struct buf *out) {
    share(out, "limit", s->limit);
    nonzero(out, "seed", s->seed);
    for (size_t i = 0; i < s->n_waves; i++) share(out, "wave", s->waves[i]);
    nonzero(out, "rate", s->rate_per_s);
    nonzero(out, "concurrency", s->concurrency);
    if (s->domain_hosts) text(out, "domain", s->domain);
    nonzero(out, "domain_hosts", s->domain_hosts);
    share(out, "failures", s->stop.failures);
    share(out, "refusals", s->stop.refusals);
    nonzero(out, "cpu", s->stop.cpu_permille);
    nonzero(out, "deaths", s->stop.agent_deaths);
    nonzero(out, "pressure", s->stop.pressure_permille);
    nonzero(out, "start", s->start_wall_ms);
    nonzero(out, "rounds", s->rounds);
    nonzero(out, "every", s->every_s);
    if (s->retry.states) campaign(out, &s->retry.campaign);
    nonzero(out, "retry", s->retry.states);
    nonzero(out, "join", s->join_s);
}

void dump_spec(const struct spec *s, struct buf *out) {
    start(out, "spec");
    number(out, "version", s->version);
    text(out, "fleet", s->fleet);
    campaign(out, &s->campaign);
    text(out, "tool", s->tool);
    text(out, "flavour", s->flavour);
    text(out, "selector", s->selector);
    number(out, "seconds", s->duration_s);
    number(out, "issued", s->issued_wall_ms);
    number(out, "expires", s->expires_wall_ms);
    for (size_t i = 0; i < s->n_params; i++) {
        text(out, "param", s->params[i].name);
        text(out, "text", s->params[i].text);
        signed_number(out, "number", s->params[i].number);
    }
    dump_course(s, out);
    end(out);
}

void dump_facts(const struct facts *f, struct buf *out) {
    start(out, "facts");
    text(out, "host", f->host);
    text(out, "version", f->version);
    text(out, "kernel", f->kernel);
    text(out, "arch", f->arch);
    number(out, "replayed", f->replayed);
    number(out, "wall", f->wall_ns);
    for (size_t i = 0; i < f->n_labels; i++) {
        text(out, "label", f->labels[i].key);
        text(out, "is", f->labels[i].value);
    }
    for (size_t i = 0; i < f->n_tools; i++) {
        text(out, "tool", f->tools[i].tool);
        text(out, "flavour", f->tools[i].flavour);
        text(out, "why", f->tools[i].why);
        number(out, "runnable", f->tools[i].runnable);
    }
    for (size_t i = 0; i < f->n_rates; i++) number(out, "rate", f->rates[i]);
    if (f->cpus) number(out, "cpus", f->cpus);
    if (f->max_cost_ppm) number(out, "budget", f->max_cost_ppm);
    if (f->max_duration_s) number(out, "longest", f->max_duration_s);
    if (f->quiet.n) text(out, "quiet", f->quiet);
    end(out);
}

void dump_info(const struct campaign_info *i, struct buf *out) {
    start(out, "info");
    text(out, "id", i->id);
    text(out, "operator", i->operator_name);
    text(out, "state", i->state);
    number(out, "created", i->created_wall_ns);
    number(out, "ended", i->ended_wall_ns);
    number(out, "targeted", i->targeted);
    number(out, "replayed", i->replayed);
    ledger(out, &i->ledger);
    for (size_t k = 0; k < COVERAGE__COUNT; k++) number(out, capture_coverage_name((enum coverage)k), i->coverage[k]);
    if (i->why.n) text(out, "why", i->why);
    nonzero(out, "wave", i->wave);
    nonzero(out, "waves", i->waves);
    nonzero(out, "held", i->held);
    nonzero(out, "first", i->first_start_wall_ns);
    nonzero(out, "last", i->last_start_wall_ns);
    end(out);
    dump_spec(&i->spec, out);
}

void dump_targets(const struct target_info *t, size_t n, struct buf *out) {
    for (size_t i = 0; i < n; i++) {
        start(out, "target");
        text(out, "host", t[i].host);
        text(out, "coverage", span_str(capture_coverage_name(t[i].coverage)));
        text(out, "reason", t[i].reason);
        end(out);
        if (t[i].outcome) dump_outcome(t[i].outcome, out);
    }
}

static void key(const struct part_key *k, struct buf *out) {
    campaign(out, &k->campaign);
    text(out, "host", k->host);
    text(out, "tool", k->tool);
    number(out, "round", k->round);
    number(out, "part", k->part);
}

static void signed_order(const char *what, const struct signed_order *so, struct buf *out) {
    start(out, what);
    text(out, "spec", so->spec);
    text(out, "signature", so->signature);
    text(out, "certificates", so->certificates);
    if (so->trigger.n) text(out, "trigger", so->trigger);
}

void dump_from_agent(const struct from_agent *m, struct buf *out) {
    switch (m->kind) {
    case FROM_AGENT_FACTS:
        dump_facts(&m->facts, out);
        return;
    case FROM_AGENT_STATE:
        start(out, "state");
        campaign(out, &m->state.campaign);
        number(out, "coverage", m->state.coverage);
        text(out, "note", m->state.note);
        break;
    case FROM_AGENT_PART:
        start(out, "part");
        key(&m->part.key, out);
        text(out, "body", m->part.body);
        break;
    case FROM_AGENT_TRIGGER:
        start(out, "trigger");
        campaign(out, &m->trigger.id);
        number(out, "armed", m->trigger.armed);
        text(out, "note", m->trigger.note);
        number(out, "fired", m->trigger.fired);
        number(out, "suppressed", m->trigger.suppressed);
        break;
    case FROM_AGENT_FIRING:
        signed_order("firing", &m->firing, out);
        break;
    }
    end(out);
}

void dump_to_agent(const struct to_agent *m, struct buf *out) {
    switch (m->kind) {
    case TO_AGENT_ORDER:
        signed_order("order", &m->order, out);
        break;
    case TO_AGENT_LOCKDOWN:
        signed_order("lockdown", &m->order, out);
        break;
    case TO_AGENT_ARM:
        signed_order("arm", &m->order, out);
        break;
    case TO_AGENT_STOP:
    case TO_AGENT_FIRING:
        start(out, m->kind == TO_AGENT_STOP ? "stop" : "firing");
        campaign(out, &m->stop.campaign);
        text(out, "why", m->stop.why);
        break;
    case TO_AGENT_DISARM:
        start(out, "disarm");
        campaign(out, &m->disarm);
        break;
    case TO_AGENT_ACK:
        start(out, "ack");
        key(&m->ack, out);
        break;
    }
    end(out);
}

static void real(struct buf *out, const char *key, double v) { buf_add_fmt(out, " %s=%.17g", key, v); }

/* What a question asks beyond the first version's fields. */
static void dump_more_asked(const struct query *q, struct buf *out) {
    if (q->on.n) text(out, "on", q->on);
    if (q->where.n) text(out, "where", q->where);
    if (q->focus.n) text(out, "focus", q->focus);
    if (q->ignore.n) text(out, "ignore", q->ignore);
    if (q->stack_rank) number(out, "stack_rank", q->stack_rank);
    for (size_t i = 0; i < q->n_more_by; i++) text(out, "more_by", q->more_by[i]);
}

static void dump_analysis(const struct answer *a, struct buf *out) {
    for (size_t i = 0; i < a->n_more_by; i++) text(out, "more_by", a->more_by[i]);
    if (a->rank) number(out, "rank", a->rank);
    if (a->bounded) number(out, "bounded", a->bounded);
    if (a->unlisted) number(out, "unlisted", a->unlisted);
    if (a->matched) number(out, "matched", a->matched);
    if (a->whole) number(out, "whole", a->whole);
    if (a->all_parts) number(out, "all_parts", a->all_parts);
    for (size_t i = 0; i < a->n_parts; i++) {
        text(out, "part", a->parts[i].name);
        number(out, "self", a->parts[i].self);
        number(out, "total", a->parts[i].total);
    }
    if (a->tested) number(out, "tested", a->tested);
    for (size_t i = 0; i < a->n_groups_compared; i++) text(out, "group", a->groups_compared[i]);
    for (size_t i = 0; i < a->n_outliers; i++) {
        const struct answer_outlier *o = &a->outliers[i];
        text(out, "outlier", o->host);
        text(out, "group", o->group);
        real(out, "octaves", o->octaves);
        real(out, "q", o->q);
        real(out, "times", o->times);
        number(out, "low", o->low);
        number(out, "high", o->high);
        text(out, "unit", o->unit);
        text(out, "what", o->what);
        text(out, "name", o->name);
        number(out, "peers", o->peers);
        text(out, "sentence", o->sentence);
    }
}

void dump_query(const struct query *q, struct buf *out) {
    start(out, "query");
    text(out, "campaign", q->campaign);
    text(out, "selector", q->selector);
    text(out, "by", q->by);
    text(out, "of", q->of);
    number(out, "rank", q->rank);
    number(out, "n", q->n);
    number(out, "per_host", q->per_host);
    number(out, "drop_sections", q->drop_sections);
    nonzero(out, "round", q->round);
    for (size_t i = 0; i < q->n_section; i++) {
        text(out, "key", q->section[i].key);
        text(out, "value", q->section[i].value);
    }
    dump_more_asked(q, out);
    end(out);
}

void dump_answer(const struct answer *a, struct buf *out) {
    dump_info(&a->info, out);
    dump_targets(a->targets, a->n_targets, out);
    dump_targets(a->measured, a->n_measured, out);
    start(out, "answer");
    notes(a->notes, a->n_notes, out);
    number(out, "groups", a->groups);
    number(out, "exact", a->exact);
    text(out, "by", a->by);
    text(out, "of", a->of);
    number(out, "total", a->total);
    number(out, "distinct", a->distinct);
    for (size_t i = 0; i < a->n_top; i++) {
        text(out, "top", a->top[i].row.value);
        number(out, "count", a->top[i].row.count);
        signed_number(out, "total", a->top[i].row.total);
        signed_number(out, "max", a->top[i].row.max);
        number(out, "decimals", a->top[i].row.decimals);
        text(out, "host", a->top[i].host);
        for (size_t v = 0; v < a->n_more_by; v++) text(out, "more", a->top[i].row.values[1 + v]);
        if (a->top[i].row.count_error) number(out, "count_error", a->top[i].row.count_error);
        if (a->top[i].row.total_error) number(out, "total_error", a->top[i].row.total_error);
        if (a->top[i].row.p99.known) real(out, "p99", a->top[i].row.p99.value);
    }
    dump_analysis(a, out);
    end(out);
    dump_hists(&a->merged, out);
    for (size_t i = 0; i < a->n_host_hists; i++) {
        text(out, "host", a->host_hists[i].host);
        end(out);
        dump_hists(&a->host_hists[i].hists, out);
    }
    dump_stacks(&a->stacks, out);
    for (size_t i = 0; i < a->n_host_events; i++) {
        text(out, "host", a->host_events[i].host);
        end(out);
        dump_events(&a->host_events[i].events, out);
    }
}

void dump_plan(const struct plan *p, struct buf *out) {
    for (size_t i = 0; i < p->n; i++) {
        const struct plan_row *r = &p->rows[i];
        start(out, "plan");
        text(out, "host", r->host);
        text(out, "state", span_str(capture_coverage_name(r->coverage)));
        text(out, "flavour", r->flavour);
        text(out, "why", r->why);
        number(out, "known", r->cost_known);
        number(out, "at_least", r->cost_at_least);
        number(out, "rate", r->cost_events_per_s);
        number(out, "ppm", r->cost_ppm);
        end(out);
    }
}
