#include "agent/daemon/finish.h"

#include <errno.h>
#include <signal.h>

#include "agent/capture/disks.h"
#include "agent/capture/redact.h"
#include "agent/spool/amend.h"
#include "common/base/log.h"
#include "common/parse/parse.h"

enum { WORDS_ARENA_BYTES = 16 * 1024, PARSE_LEAST_BYTES = 4096 };

struct spooling {
    const struct finish *f;
    bool result; /* there is one, not the outcome alone */
    uint64_t bytes;
    enum err failed;
    int error; /* errno of ERR_SYS */
    bool kept; /* the outcome alone, in memory */
};

/* As the host's policy wants it: others make room while they can. */
static enum err put_result(const struct finish *f, const struct part_key *key, struct span body) {
    enum err e = spool_put(f->spool, key, body);
    while (e == ERR_LIMIT && f->drop_oldest && amend_give_up_oldest(f->spool, key) == ERR_OK) {
        LOG(LOG_WARNING, "spool.dropped", KV("for", f->tool));
        e = spool_put(f->spool, key, body);
    }
    return e;
}

/* After a failure nothing more is put, but all is counted, since all is lost. */
static enum err put_part(void *arg, uint32_t part, struct span body) {
    struct spooling *s = arg;
    struct part_key key = {.campaign = s->f->campaign, .tool = s->f->tool, .round = s->f->round, .part = part};
    s->bytes += body.n;
    if (s->failed) return ERR_OK;
    s->failed = s->result ? put_result(s->f, &key, body) : spool_put_outcome(s->f->spool, &key, body);
    s->error = errno;
    if ((s->failed == ERR_SYS || s->failed == ERR_LIMIT) && !s->result) s->kept = spool_keep(s->f->spool, &key, body) == ERR_OK;
    return ERR_OK;
}

static const char *why_not_spooled(const struct spooling *s, enum err e) {
    if (s->failed == ERR_LIMIT) return "the spool is full";
    return s->failed == ERR_SYS ? strerror(s->error) : err_text(e);
}

void finish_spool(const struct finish *f, const struct capture *c, struct outcome *o) {
    struct spooling s = {.f = f, .result = c != NULL};
    o->rounds = f->last ? f->round + 1 : 0;
    o->applied = f->applied;
    o->pressure_permille = f->pressure_permille;
    o->flavour_why = f->flavour_why;
    enum err e = part_split(c, o, LIMIT_PART_BODY_BYTES, put_part, &s);
    if (!e) e = s.failed;
    if (e == ERR_EXISTS && !c) return; /* the same refusal waits there already */
    if (e) LOG(LOG_ERR, "spool.failed", KV("why", why_not_spooled(&s, e)), KV("bytes", s.bytes), KV("kept", (unsigned)s.kept));
    if (e && c) {
        char why[LIMIT_REASON_BYTES];
        snprintf(why, sizeof why, "the result could not be spooled (%s) and is lost", why_not_spooled(&s, e));
        spool_remove_round(f->spool, &f->campaign, f->round);
        struct outcome lost = *o;
        lost.coverage = o->coverage = COVERAGE_FAILED;
        lost.reason = span_str(why);
        lost.ledger.spool += s.bytes;
        finish_spool(f, NULL, &lost);
        return;
    }
    if (e) return; /* if it was kept in memory it is sent; but not done: after a restart it is reported as cut short */
    if (!journal_find(f->journal, &f->campaign)) return; /* a refused order was never taken */
    e = f->last ? journal_done(f->journal, &f->campaign) : journal_round(f->journal, &f->campaign, f->round + 1);
    if (e) LOG(LOG_ERR, "journal.failed", KV("why", err_text(e)));
}

/* As much of the print-out as fits the budget, in whole lines, halving until it does. */
static enum err parse_what_fits(struct outcome_facts *facts, struct span text, struct arena *mem, struct capture *c) {
    uint32_t last = facts->ended->last_stop_signal;
    bool cut = facts->cut || facts->out_dropped_bytes > 0 || last == SIGTERM || last == SIGKILL;
    for (struct span part = text;;) {
        struct parse_input in = {.out = part, .err = facts->err, .cut = cut || part.n < text.n, .apart = !facts->ended->replayed};
        enum err e = parse_output(&facts->flavour->parse, &in, mem, c);
        facts->unparsed_bytes = text.n - part.n;
        if (e != ERR_NOMEM || part.n < PARSE_LEAST_BYTES) return e;
        arena_reset(mem);
        part = span_head(part, part.n / 2);
        size_t line_end = span_rfind(part, '\n');
        if (line_end < part.n) part.n = line_end + 1;
    }
}

enum coverage finish_capture(const struct finish *f, struct outcome_facts *facts, struct span out_text) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_CAPTURE_ARENA_BYTES);
    AUTO(arena_free) struct arena *words = arena_new(WORDS_ARENA_BYTES); /* of its own: the parser may have spent the other */
    struct capture c = {.kind = facts->tool->kind};
    struct outcome o;
    enum err e = mem && words ? parse_what_fits(facts, out_text, mem, &c) : ERR_NOMEM;
    c.tool = span_str(facts->tool->name);
    c.flavour = span_str(catalog_flavour_name(facts->flavour->id));
    facts->capture = &c;
    if (!e && !facts->ended->replayed) disks_name_kinds("/sys", &c.hists);
    uint64_t masked = 0;
    if (!e && f->redact) {
        bool concerned = c.failed || c.leftover.n > 0 || redact_concerns(&c, f->redact);
        e = redact_capture(&c, f->redact, mem, &masked);
        if (concerned) facts->err = SPAN_NONE; /* its last line would be the reason */
    }
    if (!e) e = outcome_judge(facts, words, &o);
    if (e) {
        o = outcome_without_run(COVERAGE_FAILED, span_str(err_text(e)), facts->tool->kind, facts->ended->replayed != 0);
        finish_spool(f, NULL, &o);
        return o.coverage;
    }
    if (masked) {
        o.redacted = catalog_class_names(f->redact, words);
        o.redacted_cells = masked;
    }
    finish_spool(f, &c, &o);
    return o.coverage;
}
