#include "common/wire/message.h"

void message_outcome_get_ledger(const Trawl__Ledger *m, struct ledger *out) {
    *out = (struct ledger){0};
    if (m) *out = (struct ledger){m->kernel, m->tool, m->cap, m->parse, m->spool, m->shed};
}

Trawl__Ledger *message_outcome_put_ledger(struct pack *o, const struct ledger *l) {
    Trawl__Ledger *m = pack_array(o, 1, sizeof *m);
    if (!m) return NULL;
    trawl__ledger__init(m);
    m->kernel = l->kernel;
    m->tool = l->tool;
    m->cap = l->cap;
    m->parse = l->parse;
    m->spool = l->spool;
    m->shed = l->shed;
    return m;
}

static void get_notes(struct unpack *in, const Trawl__Outcome *m, struct outcome *o) {
    if (m->n_notes > LIMIT_NOTES) return unpack_refuse(in, ERR_LIMIT);
    o->notes = unpack_array(in, m->n_notes, sizeof *o->notes);
    o->n_notes = m->n_notes;
    for (size_t i = 0; i < m->n_notes && in->failed == ERR_OK; i++)
        o->notes[i] = unpack_text(in, unpack_span(m->notes[i]), LIMIT_NOTE_BYTES);
}

static void get_applied(struct unpack *in, const Trawl__Applied *m, struct outcome *o) {
    struct applied *a = m ? unpack_array(in, 1, sizeof *a) : NULL;
    if (!a) return;
    *a = (struct applied){.seconds = m->seconds,
                          .stdout_bytes = m->stdout_bytes,
                          .start_wall_ms = m->start_wall_ms,
                          .expires_wall_ms = m->expires_wall_ms,
                          .round = m->round,
                          .rounds = m->rounds,
                          .every_s = m->every_s,
                          .pressure_permille = m->pressure_permille};
    message_spec_get_params(in, m->params, m->n_params, &a->params);
    a->n_params = m->n_params;
    o->applied = a;
}

void message_outcome_get(struct unpack *in, const Trawl__Outcome *m, struct outcome *out) {
    if (m->coverage < COVERAGE_OK || m->coverage >= COVERAGE__COUNT || m->kind > RESULT_STACKS) return unpack_refuse(in, ERR_SYNTAX);
    if (m->memory_ceiling >= CEILING__COUNT || m->cpu_ceiling >= CEILING__COUNT) return unpack_refuse(in, ERR_SYNTAX);
    if (m->parts > LIMIT_PARTS || m->rounds > LIMIT_ROUNDS) return unpack_refuse(in, ERR_LIMIT);
    struct outcome o = {
        .coverage = (enum coverage)m->coverage,
        .reason = unpack_text(in, unpack_span(m->reason), LIMIT_REASON_BYTES),
        .kind = (enum result_kind)m->kind,
        .flavour = unpack_name_or_none(in, unpack_span(m->flavour)),
        .flavour_why = unpack_text(in, unpack_span(m->flavour_why), LIMIT_REASON_BYTES),
        .started_wall_ns = m->started_wall_ns,
        .wall_ns = m->wall_ns,
        .cpu_ns = m->cpu_ns,
        .peak_rss_bytes = m->peak_rss_bytes,
        .replayed = m->replayed,
        .parts = m->parts,
        .leftover = unpack_bytes(in, m->leftover, LIMIT_LEFTOVER_BYTES),
        .ceilings = {.memory = (enum ceiling)m->memory_ceiling,
                     .cpu = (enum ceiling)m->cpu_ceiling,
                     .memory_bytes = m->memory_ceiling_bytes,
                     .cpu_percent = m->cpu_ceiling_percent},
        .redacted = unpack_text(in, span_str(m->redacted), LIMIT_NAME_BYTES),
        .redacted_cells = m->redacted_cells,
        .rounds = m->rounds,
        .pressure_permille = m->pressure_permille,
        .agent_died = m->agent_died,
    };
    get_applied(in, m->applied, &o);
    message_outcome_get_ledger(m->ledger, &o.ledger);
    get_notes(in, m, &o);
    if (in->failed == ERR_OK) *out = o;
}

/* Over the limit, the first ones, and a last one that says so. */
static void put_notes(struct pack *p, const struct outcome *o, Trawl__Outcome *m) {
    size_t n = o->n_notes > LIMIT_NOTES ? LIMIT_NOTES : o->n_notes;
    m->notes = pack_array(p, n, sizeof *m->notes);
    for (size_t i = 0; i < n && p->failed == ERR_OK; i++) m->notes[i] = pack_text_bytes(p, o->notes[i], LIMIT_NOTE_BYTES);
    if (o->n_notes > n && p->failed == ERR_OK)
        m->notes[n - 1] = pack_text_bytes(p, SPAN_LIT("there were more notes than fit"), LIMIT_NOTE_BYTES);
    m->n_notes = n;
}

static Trawl__Applied *put_applied(struct pack *p, const struct applied *a) {
    Trawl__Applied *m = a ? pack_array(p, 1, sizeof *m) : NULL;
    if (!m) return NULL;
    trawl__applied__init(m);
    m->seconds = a->seconds;
    m->params = message_spec_put_params(p, a->params, a->n_params);
    m->n_params = a->n_params;
    m->stdout_bytes = a->stdout_bytes;
    m->start_wall_ms = a->start_wall_ms;
    m->expires_wall_ms = a->expires_wall_ms;
    m->round = a->round;
    m->rounds = a->rounds;
    m->every_s = a->every_s;
    m->pressure_permille = a->pressure_permille;
    return m;
}

Trawl__Outcome *message_outcome_put(struct pack *p, const struct outcome *o) {
    if (!coverage_is_end(o->coverage) || o->coverage >= COVERAGE__COUNT || o->kind > RESULT_STACKS ||
        o->ceilings.memory >= CEILING__COUNT || o->ceilings.cpu >= CEILING__COUNT)
        pack_fail(p, ERR_SYNTAX);
    if (o->parts > LIMIT_PARTS || o->rounds > LIMIT_ROUNDS) pack_fail(p, ERR_LIMIT);
    Trawl__Outcome *m = pack_array(p, 1, sizeof *m);
    if (!m) return NULL;
    trawl__outcome__init(m);
    m->coverage = o->coverage;
    m->reason = pack_text_bytes(p, o->reason, LIMIT_REASON_BYTES);
    m->ledger = message_outcome_put_ledger(p, &o->ledger);
    m->redacted = pack_text(p, o->redacted, LIMIT_NAME_BYTES);
    m->redacted_cells = o->redacted_cells;
    put_notes(p, o, m);
    m->kind = o->kind;
    m->flavour = pack_bytes(p, o->flavour, LIMIT_NAME_BYTES);
    m->flavour_why = pack_text_bytes(p, o->flavour_why, LIMIT_REASON_BYTES);
    if (o->flavour.n) pack_fail(p, unpack_check_name(o->flavour));
    m->started_wall_ns = o->started_wall_ns;
    m->wall_ns = o->wall_ns;
    m->cpu_ns = o->cpu_ns;
    m->peak_rss_bytes = o->peak_rss_bytes;
    m->replayed = o->replayed;
    m->parts = o->parts;
    m->memory_ceiling = o->ceilings.memory;
    m->memory_ceiling_bytes = o->ceilings.memory_bytes;
    m->cpu_ceiling = o->ceilings.cpu;
    m->cpu_ceiling_percent = o->ceilings.cpu_percent;
    m->applied = put_applied(p, o->applied);
    m->rounds = o->rounds;
    m->pressure_permille = o->pressure_permille;
    m->agent_died = o->agent_died;
    m->leftover = pack_bytes(p, span_head(o->leftover, LIMIT_LEFTOVER_BYTES), LIMIT_LEFTOVER_BYTES);
    return m;
}
