#include <stdio.h>

#include "collector/campaign/campaign_internal.h"
#include "common/base/num.h"

enum { JOIN_ARENA_BYTES = 1024 * 1024 };

static void free_span(struct span s) {
    AUTO_FREE char *p = NULL;
    memcpy(&p, &s.p, sizeof p); /* ours, though the span says const */
}

void campaign_rounds_done(struct campaign_target *t) {
    free_span(t->outcome);
    for (size_t i = 0; i < t->n_open; i++) free_span(t->rounds[i].outcome);
    free(t->rounds);
    part_set_done(&t->parts);
}

static enum err to_heap(const struct outcome *o, struct span *out) {
    struct buf bytes;
    buf_init(&bytes, 0);
    struct outcome copy = *o;
    struct part_body body = {.kind = RESULT_NONE, .outcome = &copy};
    enum err e = part_encode(&body, &bytes);
    char *p = e == ERR_OK ? malloc(bytes.n + 1) : NULL;
    if (p) {
        memcpy(p, buf_span(&bytes).p, bytes.n);
        *out = span_of(p, bytes.n);
    } else if (e == ERR_OK) {
        e = ERR_NOMEM;
    }
    buf_done(&bytes);
    return e;
}

static enum err from_heap(struct span bytes, struct arena *mem, struct outcome **out) {
    struct part_body body = {0};
    enum err e = part_decode(bytes, mem, &body);
    if (e != ERR_OK) return e;
    if (!body.outcome) return ERR_SYNTAX;
    *out = body.outcome;
    return ERR_OK;
}

/* ---- several rounds are one outcome ---- */
static bool has_some(enum coverage c) { return c == COVERAGE_OK || c == COVERAGE_PARTIAL; }

/* Does not depend on which of them came first. */
static enum coverage both(enum coverage a, enum coverage b) {
    if (a == b) return a;
    if (a == COVERAGE_CANCELLED || b == COVERAGE_CANCELLED) return COVERAGE_CANCELLED;
    if (has_some(a) || has_some(b)) return COVERAGE_PARTIAL;
    return a < b ? a : b;
}

static uint64_t earlier(uint64_t a, uint64_t b) { return a && (!b || a < b) ? a : b; }

static enum err join_notes(struct outcome *all, const struct outcome *o, struct arena *mem) {
    struct span *notes = arena_array(mem, all->n_notes + o->n_notes, sizeof *notes);
    if (!notes && all->n_notes + o->n_notes) return ERR_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < all->n_notes; i++) notes[n++] = all->notes[i];
    for (size_t i = 0; i < o->n_notes && n < LIMIT_NOTES; i++) {
        bool said = false;
        for (size_t k = 0; k < all->n_notes; k++) said = said || span_eq(all->notes[k], o->notes[i]);
        if (!said) notes[n++] = o->notes[i];
    }
    all->notes = notes;
    all->n_notes = n;
    return ERR_OK;
}

static enum err join(struct outcome *all, const struct outcome *o, struct arena *mem) {
    all->coverage = both(all->coverage, o->coverage);
    capture_ledger_add(&all->ledger, &o->ledger);
    if (all->kind == RESULT_NONE) all->kind = o->kind;
    if (!all->flavour.n) {
        all->flavour = o->flavour;
        all->flavour_why = o->flavour_why;
    }
    all->started_wall_ns = earlier(all->started_wall_ns, o->started_wall_ns);
    all->wall_ns = num_sat_add(all->wall_ns, o->wall_ns);
    all->cpu_ns = num_sat_add(all->cpu_ns, o->cpu_ns);
    if (o->peak_rss_bytes > all->peak_rss_bytes) all->peak_rss_bytes = o->peak_rss_bytes;
    all->replayed = all->replayed || o->replayed;
    uint64_t parts = (uint64_t)all->parts + o->parts;
    all->parts = parts < LIMIT_PARTS ? (uint32_t)parts : LIMIT_PARTS;
    if (!all->leftover.n) all->leftover = o->leftover;
    if (o->applied && (!all->applied || o->applied->round > all->applied->round)) all->applied = o->applied;
    if (o->rounds > all->rounds) all->rounds = o->rounds;
    if (o->pressure_permille > all->pressure_permille) all->pressure_permille = o->pressure_permille;
    all->agent_died = all->agent_died || o->agent_died;
    return join_notes(all, o, mem);
}

/* ---- why which rounds are missing ---- */
#define OTHERS "; and others"

/* "round 3 of 10: the print-out was cut"; of the last one that a host made, all that do not come any more. */
static void say_rounds(struct buf *out, uint32_t first, uint32_t last, uint32_t of, struct span why) {
    if (first == last)
        buf_add_fmt(out, "round %u of %u: ", first, of);
    else
        buf_add_fmt(out, "rounds %u-%u of %u: ", first, last, of);
    buf_add(out, why);
}

/* Does said end with the round before this one, and for the same reason?  Then *out_first is where its range begins, *out_head what is
 * before it. */
static bool follows(struct span said, uint32_t round, uint32_t of, struct span why, struct span *out_head, uint32_t *out_first) {
    static const char *const forms[] = {"round ", "rounds "};
    char tail[64];
    uint64_t first;
    snprintf(tail, sizeof tail, "%u of %u: ", round - 1, of);
    if (!span_ends(said, why) || !span_ends(span_head(said, said.n - why.n), span_str(tail))) return false;
    struct span head = span_head(said, said.n - why.n - strlen(tail)), number = span_str(tail);
    number.n = span_find(number, ' ');
    bool range = span_ends(head, SPAN_LIT("-"));
    if (range) {
        size_t at = span_rfind(head, ' ');
        number = span_drop(span_head(head, head.n - 1), at + 1);
        head = span_head(head, at + 1);
    }
    if (!span_ends(head, span_str(forms[range])) || !span_u64(number, &first)) return false;
    *out_head = span_head(head, head.n - strlen(forms[range]));
    *out_first = (uint32_t)first;
    return true;
}

/* What is said of the rounds so far (said), and of this one besides. */
static enum err add_reason(const struct campaign *c, uint32_t round, const struct outcome *mine, struct span said, struct arena *mem,
                           struct span *out) {
    uint32_t of = spec_rounds(&c->spec), first = round + 1, last = mine->rounds ? of : first;
    struct span why = span_head(mine->reason, LIMIT_REASON_BYTES - 64), before = said;
    struct buf text;
    if (!why.n || of == 1) {
        *out = said.n ? said : mine->reason;
        return ERR_OK;
    }
    buf_init(&text, LIMIT_REASON_BYTES);
    bool longer = follows(said, first, of, why, &before, &first);
    buf_add(&text, before);
    if (!longer && before.n) buf_add_str(&text, "; ");
    say_rounds(&text, first, last, of, why);
    enum err e = buf_failed(&text);
    if (e == ERR_LIMIT) { /* what is said stays, and that it is not all */
        buf_reset(&text);
        buf_add(&text, span_ends(said, SPAN_LIT(OTHERS)) ? said : span_head(said, LIMIT_REASON_BYTES - strlen(OTHERS)));
        if (!span_ends(said, SPAN_LIT(OTHERS))) buf_add_str(&text, OTHERS);
        e = buf_failed(&text);
    }
    if (!e) *out = arena_copy(mem, buf_span(&text));
    buf_done(&text);
    return e ? e : out->p ? ERR_OK : ERR_NOMEM;
}

static void keep(struct campaign_target *t, struct span bytes, const struct outcome *o) {
    free_span(t->outcome);
    t->outcome = bytes;
    t->outcome_coverage = coverage_is_end(o->coverage) ? o->coverage : COVERAGE_FAILED;
    t->ledger = o->ledger;
    t->replayed = o->replayed;
    t->started_wall_ns = o->started_wall_ns;
    t->wall_ns = o->wall_ns;
    t->cpu_ns = o->cpu_ns;
    t->pressure_permille = o->applied ? o->pressure_permille : UINT32_MAX;
    t->died = o->agent_died;
}

static bool is_whole(const struct campaign_target *t) { return t->n_rounds && t->n_ended >= t->n_rounds; }

static enum err end_round(const struct campaign *c, struct campaign_target *t, const struct campaign_round *r) {
    AUTO(arena_free) struct arena *mem = arena_new(JOIN_ARENA_BYTES);
    struct outcome *mine = NULL, *all = NULL;
    struct span why = SPAN_NONE, bytes = SPAN_NONE;
    enum err e = mem ? from_heap(r->outcome, mem, &mine) : ERR_NOMEM;
    if (e == ERR_OK && t->outcome.n) e = from_heap(t->outcome, mem, &all);
    if (e == ERR_OK) e = add_reason(c, r->round, mine, all ? all->reason : SPAN_NONE, mem, &why);
    if (e == ERR_OK && all) e = join(all, mine, mem);
    if (e != ERR_OK) return e;
    if (!all) all = mine;
    all->reason = why;
    e = to_heap(all, &bytes);
    if (e != ERR_OK) return e;
    keep(t, bytes, all);
    t->n_ended++;
    if (t->stage != STAGE_ENDED || is_whole(t)) campaign_set_reason(t, why); /* an end has its own until then */
    return ERR_OK;
}

/* ---- parts ---- */
static struct campaign_round *find(const struct campaign_target *t, uint32_t round) {
    for (size_t i = 0; i < t->n_open; i++)
        if (t->rounds[i].round == round) return &t->rounds[i];
    return NULL;
}

static void forget(struct campaign_target *t, struct campaign_round *r) {
    free_span(r->outcome);
    *r = t->rounds[--t->n_open];
}

static enum err add_round(struct campaign_target *t, uint32_t round, uint32_t n_parts, const struct outcome *o) {
    struct campaign_round *p = reallocarray(t->rounds, t->n_open + 1, sizeof *p);
    if (!p) return ERR_NOMEM;
    t->rounds = p;
    struct campaign_round r = {.round = round, .n_parts = n_parts};
    enum err e = to_heap(o, &r.outcome);
    if (e == ERR_OK) t->rounds[t->n_open++] = r;
    return e;
}

/* Into the set, and with its outcome, if it has one, into the rounds that wait for parts. */
static enum err take_part(struct campaign *c, struct campaign_target *t, uint32_t round, uint32_t part, const struct outcome *outcome) {
    bool last = outcome && !find(t, round);
    enum err e = last ? add_round(t, round, part + 1, outcome) : ERR_OK; /* the last one is by definition the one with the outcome */
    if (e != ERR_OK) return e;
    e = part_set_add(&t->parts, round, part);
    if (e != ERR_OK && last) forget(t, find(t, round));
    if (e == ERR_OK && last && (outcome->rounds || round + 1 == spec_rounds(&c->spec))) t->n_rounds = round + 1;
    return e;
}

enum err campaign_rounds_part(struct campaign *c, struct campaign_target *t, uint32_t round, uint32_t part, const struct outcome *outcome,
                              bool *out_whole) {
    if (round >= spec_rounds(&c->spec)) return ERR_LIMIT;
    struct campaign_round *r = find(t, round);
    bool again = r && part_set_full(&t->parts, round, r->n_parts); /* whole, but there was no memory to say so */
    if (part_set_has(&t->parts, round, part) && !again) return ERR_EXISTS;
    enum err e = again ? ERR_OK : take_part(c, t, round, part, outcome);
    if (e != ERR_OK) return e;
    r = find(t, round);
    if (r && part_set_full(&t->parts, round, r->n_parts)) {
        if ((e = end_round(c, t, r)) != ERR_OK) return e;
        forget(t, r);
    }
    *out_whole = is_whole(t);
    return ERR_OK;
}

enum err campaign_rounds_restore(struct campaign_target *t, struct span outcome) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
    struct outcome *o = NULL;
    struct span bytes = {0};
    enum err e = mem ? from_heap(outcome, mem, &o) : ERR_NOMEM;
    if (e == ERR_OK) e = to_heap(o, &bytes);
    if (e == ERR_OK) keep(t, bytes, o);
    return e;
}
