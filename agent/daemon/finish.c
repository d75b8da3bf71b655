#include "agent/daemon/finish.h"

#include "common/base/log.h"
#include "common/parse/parse.h"

struct spooling {
    const struct finish *f;
    uint64_t bytes;
};

static enum err put_part(void *arg, uint32_t part, struct span body) {
    struct spooling *s = arg;
    struct part_key key = {.campaign = s->f->campaign, .tool = s->f->tool, .part = part};
    s->bytes += body.n;
    return spool_put(s->f->spool, &key, body);
}

void finish_spool(const struct finish *f, const struct capture *c, struct outcome *o) {
    struct spooling s = {.f = f};
    enum err e = part_split(c, o, LIMIT_PART_BODY_BYTES, put_part, &s);
    if (e == ERR_EXISTS) return; /* the same refusal waits there already */
    if (e && c) {
        char why[LIMIT_REASON_BYTES];
        snprintf(why, sizeof why, "the result could not be spooled (%s) and is lost", err_text(e));
        LOG(LOG_ERR, "spool.failed", KV("why", err_text(e)), KV("bytes", s.bytes));
        spool_remove_campaign(f->spool, &f->campaign);
        struct outcome lost = *o;
        lost.coverage = COVERAGE_FAILED;
        lost.reason = span_str(why);
        lost.ledger.spool += s.bytes;
        finish_spool(f, NULL, &lost);
        o->coverage = COVERAGE_FAILED;
        return;
    }
    if (e) {
        LOG(LOG_ERR, "spool.failed", KV("why", err_text(e)), KV("bytes", s.bytes));
        return; /* not done: after a restart it is reported as cut short */
    }
    if (!journal_find(f->journal, &f->campaign)) return; /* a refused order was never taken */
    e = journal_done(f->journal, &f->campaign);
    if (e) LOG(LOG_ERR, "journal.failed", KV("why", err_text(e)));
}

/* As much of the print-out as fits the budget, in whole lines, halving until it does. */
static enum err parse_what_fits(const struct outcome_facts *facts, struct span text, struct arena *mem, struct capture *c, uint64_t *left_out) {
    struct span part = text;
    for (;;) {
        struct parse_input in = {.out = part, .err = facts->err, .cut = facts->out_dropped_bytes > 0 || part.n < text.n};
        enum err e = parse_output(&facts->flavour->parse, &in, mem, c);
        *left_out = text.n - part.n;
        if (e != ERR_NOMEM || part.n < 4096) return e;
        arena_reset(mem);
        part = span_head(part, part.n / 2);
    }
}

enum coverage finish_capture(const struct finish *f, struct outcome_facts *facts, struct span out_text) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_CAPTURE_ARENA_BYTES);
    struct capture c = {.kind = facts->tool->kind};
    struct outcome o;
    uint64_t left_out = 0;
    enum err e = mem ? parse_what_fits(facts, out_text, mem, &c, &left_out) : ERR_NOMEM;
    c.tool = span_str(facts->tool->name);
    c.flavour = span_str(catalog_flavour_name(facts->flavour->id));
    facts->capture = &c;
    facts->out_dropped_bytes += left_out;
    if (!e) e = outcome_judge(facts, mem, &o);
    if (e) {
        o = outcome_without_run(COVERAGE_FAILED, span_str(err_text(e)), facts->tool->kind, facts->ended->replayed != 0);
        finish_spool(f, NULL, &o);
        return o.coverage;
    }
    finish_spool(f, &c, &o);
    return o.coverage;
}
