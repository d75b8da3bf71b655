#include "agent/spool/amend.h"

enum { LEFT_BYTES = 1024 /* an outcome without notes, an empty part */ };

#define DAMAGED     "a part of the result was damaged on this host's disk and is lost"
#define DAMAGED_END "the end of the capture was damaged on this host's disk; how it ended is not known"
#define GIVEN_UP    "the spool was full: the result was given up for a newer one (spool_drop = oldest)"

/* A part read back.  ERR_DAMAGED: the file; ERR_SYNTAX: it never was one. */
static enum err read_part(struct spool *s, const struct spool_entry *e, struct arena *mem, struct part_body *out) {
    struct buf bytes;
    buf_init(&bytes, LIMIT_PART_BYTES);
    enum err failed = spool_read(s, e, &bytes);
    struct span body = failed ? SPAN_NONE : arena_copy(mem, buf_span(&bytes));
    if (!failed && !body.p) failed = ERR_NOMEM;
    if (!failed) failed = part_decode(body, mem, out);
    buf_done(&bytes);
    return failed;
}

static enum err replace(struct spool *s, struct spool_entry *e, const struct part_body *b) {
    struct buf bytes;
    buf_init(&bytes, LIMIT_PART_BYTES);
    enum err failed = part_encode(b, &bytes);
    if (!failed) failed = spool_replace(s, e, buf_span(&bytes));
    buf_done(&bytes);
    return failed;
}

static struct spool_entry *last_of(struct spool *s, const struct part_key *k) {
    struct spool_entry *last = NULL;
    for (struct spool_entry *e = spool_first(s); e; e = e->next)
        if (spool_same_capture(&e->key, k) && (!last || e->key.part > last->key.part)) last = e;
    return last;
}

/* What a capture has in the spool. */
struct share {
    size_t parts;
    uint64_t bytes;
};

static struct share share_of(struct spool *s, const struct part_key *k) {
    struct share of = {0};
    for (const struct spool_entry *e = spool_first(s); e; e = e->next)
        if (spool_same_capture(&e->key, k)) {
            of.parts++;
            of.bytes += e->bytes;
        }
    return of;
}

static enum err note(struct outcome *o, struct arena *mem, struct span text) {
    struct span *notes = arena_array(mem, o->n_notes + 1, sizeof *notes);
    if (!notes) return ERR_NOMEM;
    if (o->n_notes) memcpy(notes, o->notes, o->n_notes * sizeof *notes);
    notes[o->n_notes] = text;
    o->notes = notes;
    if (o->n_notes < LIMIT_NOTES) o->n_notes++;
    return ERR_OK;
}

/* The outcome as it is, and that something is missing. */
static enum err say_lost(struct outcome *o, struct arena *mem, uint64_t bytes, struct span why) {
    o->ledger.spool += bytes;
    if (o->coverage == COVERAGE_OK) {
        o->coverage = COVERAGE_PARTIAL;
        o->reason = why;
    }
    return note(o, mem, why);
}

/* In the place of one that is lost.  Parts before it may tell something; alone it tells nothing. */
static struct outcome unknown_end(uint32_t part, uint64_t bytes, struct amend_facts f) {
    return (struct outcome){.coverage = part ? COVERAGE_PARTIAL : COVERAGE_FAILED,
                            .reason = SPAN_LIT(DAMAGED_END),
                            .ledger.spool = bytes,
                            .kind = f.kind,
                            .replayed = f.replayed,
                            .parts = part + 1};
}

enum err amend_damaged(struct spool *s, struct spool_entry *e, struct amend_facts f) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
    if (!mem) return ERR_NOMEM;
    struct spool_entry *last = last_of(s, &e->key);
    struct part_body end = {.kind = RESULT_NONE};
    uint64_t bytes = e->bytes;
    enum err failed = last == e ? ERR_DAMAGED : read_part(s, last, mem, &end);
    if (failed == ERR_NOMEM) return failed;
    if (failed || !end.outcome) {
        if (last != e) bytes += last->bytes;
        struct outcome o = unknown_end(last->key.part, bytes, f);
        failed = replace(s, last, &(struct part_body){.kind = RESULT_NONE, .outcome = &o});
    } else {
        failed = say_lost(end.outcome, mem, bytes, SPAN_LIT(DAMAGED));
        if (!failed) failed = replace(s, last, &end);
        f.kind = end.outcome->kind;
    }
    if (failed || last == e) return failed;
    return replace(s, e, &(struct part_body){.kind = f.kind}); /* the last one first: a loss that is not said must not be */
}

static struct spool_entry *oldest_that_makes_room(struct spool *s, const struct part_key *spare) {
    for (struct spool_entry *e = spool_first(s); e; e = e->next) {
        struct share of = share_of(s, &e->key);
        if (!spool_same_capture(&e->key, spare) && of.bytes > of.parts * LEFT_BYTES) return e;
    }
    return NULL;
}

/* The end of a capture that is given up: how it ended stays known. */
static enum err give_up_end(struct spool *s, struct spool_entry *last, uint64_t bytes, bool any_sent, enum result_kind *out_kind) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
    struct part_body end;
    enum err e = mem ? read_part(s, last, mem, &end) : ERR_NOMEM;
    if (!e && !end.outcome) e = ERR_DAMAGED;
    if (e) return e;
    struct outcome o = *end.outcome;
    o.n_notes = 0;
    o.leftover = SPAN_NONE;
    e = say_lost(&o, mem, bytes, SPAN_LIT(GIVEN_UP));
    if (!any_sent && o.coverage == COVERAGE_PARTIAL) {
        o.coverage = COVERAGE_FAILED;
        o.reason = SPAN_LIT(GIVEN_UP);
    }
    *out_kind = o.kind;
    return e ? e : replace(s, last, &(struct part_body){.kind = RESULT_NONE, .outcome = &o});
}

enum err amend_give_up_oldest(struct spool *s, const struct part_key *spare) {
    struct spool_entry *oldest = oldest_that_makes_room(s, spare);
    if (!oldest) return ERR_NOTFOUND;
    const struct part_key key = oldest->key;
    struct spool_entry *last = last_of(s, &key);
    enum result_kind kind = RESULT_NONE;
    struct share of = share_of(s, &key);
    enum err e = give_up_end(s, last, of.bytes, last->key.part + 1 > of.parts, &kind);
    for (struct spool_entry *at = spool_first(s); !e && at; at = at->next)
        if (at != last && spool_same_capture(&at->key, &key)) e = replace(s, at, &(struct part_body){.kind = kind});
    return e == ERR_NOMEM ? e : e ? ERR_NOTFOUND : ERR_OK;
}

bool amend_is_whole(struct spool *s, const struct campaign_id *id, uint32_t round, bool *out_last) {
    const struct spool_entry *first = NULL;
    for (const struct spool_entry *e = spool_first(s); e && !first; e = e->next)
        if (e->key.round == round && memcmp(e->key.campaign.b, id->b, CAMPAIGN_ID_BYTES) == 0) first = e;
    if (!first) return false;
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
    struct part_body end;
    const struct spool_entry *last = last_of(s, &first->key);
    size_t parts = share_of(s, &first->key).parts;
    bool whole = mem && read_part(s, last, mem, &end) == ERR_OK && end.outcome && end.outcome->parts == parts && last->key.part + 1 == parts;
    *out_last = whole && end.outcome->rounds > 0;
    return whole;
}
