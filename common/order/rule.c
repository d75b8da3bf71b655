#include "common/order/rule.h"

#include "common/base/clock.h"
#include "common/crypto/digest.h"
#include "common/order/course.h"
#include "common/order/selector.h"

#define BUF __attribute__((cleanup(buf_done))) struct buf

enum { MS_PER_S = 1000 };

enum err rule_sign(const struct trigger *t, const struct signer *by, struct buf *out) {
    if (sign_expires_wall_ns(by) / NS_PER_MS <= t->what.issued_wall_ms) return ERR_EXPIRED;
    BUF bytes;
    buf_init(&bytes, LIMIT_SPEC_BYTES);
    enum err e = trigger_encode(t, &bytes);
    return e ? e : order_sign_bytes(RULE_DOMAIN, buf_span(&bytes), by, out);
}

/* ---- what it must be like ---- */

static enum err check_limits(const struct trigger *t, char *why, size_t size) {
    if (t->cooldown_s < 1 || t->cooldown_s > RULE_COOLDOWN_MAX_S)
        return err_because(why, size, ERR_LIMIT, "a cool-down is 1 second to a day, not %u seconds", t->cooldown_s);
    if (t->per_hour < 1 || t->per_hour > LIMIT_PER_HOUR)
        return err_because(why, size, ERR_LIMIT, "a trigger fires 1 to %d times an hour at the most, not %u", LIMIT_PER_HOUR, t->per_hour);
    if (t->budget_s < spec_rounds(&t->what) * t->what.duration_s)
        return err_because(why, size, ERR_LIMIT, "a budget of %u seconds does not cover one firing", t->budget_s);
    return ERR_OK;
}

/* A firing has no past, no appointment, and is no retry. */
static enum err check_what(const struct trigger *t, char *why, size_t size) {
    static const struct campaign_id none;
    const struct spec *s = &t->what;
    if (memcmp(s->campaign.b, none.b, sizeof none.b) != 0 || s->fired.number || s->start_wall_ms || s->retry.states)
        return err_because(why, size, ERR_SYNTAX, "a trigger's order names no campaign, firing, start or retry");
    return ERR_OK;
}

enum err rule_verify(const struct signed_order *so, const struct order_check *check, struct arena *mem, char *why, size_t why_size,
                     struct rule *out) {
    struct rule r;
    struct order order;
    enum err e = order_verify_signer(so, RULE_DOMAIN, check, why, why_size, &r.signer);
    if (!e) e = identity_may_sign(&r.signer, check->may_sign ? check->may_sign : IDENTITY_MAY_SIGN, why, why_size);
    if (e) return e;
    e = trigger_decode(so->spec, mem, &r.trigger);
    if (e) return err_because(why, why_size, e, "the trigger cannot be read: %s", err_text(e));
    if (r.trigger.version != TRIGGER_VERSION)
        return err_because(why, why_size, ERR_VERSION, "the trigger is of version %u, this program knows %d", r.trigger.version,
                           TRIGGER_VERSION);
    e = when_parse(r.trigger.when, &r.when, why, why_size);
    if (!e) e = check_limits(&r.trigger, why, why_size);
    if (!e) e = check_what(&r.trigger, why, why_size);
    if (!e) e = order_check_spec(&r.trigger.what, RULE_EXPIRY_MAX_S, check, mem, why, why_size, &order);
    if (!e) *out = r;
    return e;
}

/* ---- firings ---- */

/* Nobody can name another campaign with it than its own. */
static enum err campaign_of(const struct trigger *t, const struct rule_firing *f, struct campaign_id *out) {
    BUF text;
    unsigned char digest[DIGEST_BYTES];
    buf_init(&text, LIMIT_SPEC_BYTES);
    buf_add_str(&text, "trawl firing v1\n");
    buf_add(&text, span_of((const char *)t->id.b, sizeof t->id.b));
    buf_add_fmt(&text, "%llu\n", (unsigned long long)f->number);
    buf_add(&text, f->where);
    enum err e = buf_failed(&text);
    if (!e) e = digest_bytes(buf_span(&text), digest);
    if (!e) memcpy(out->b, digest, sizeof out->b);
    return e;
}

enum err rule_fire(const struct trigger *t, const struct rule_firing *f, struct arena *mem, struct spec *out) {
    struct spec s = t->what;
    struct when w;
    char unused[LIMIT_REASON_BYTES];
    enum err e = when_parse(t->when, &w, unused, sizeof unused);
    if (!e) e = campaign_of(t, f, &s.campaign);
    if (e) return e;
    s.selector = arena_copy(mem, f->where);
    s.fired.number = f->number;
    s.fired.trigger = t->name;
    s.fired.why = arena_copy(mem, f->why);
    s.issued_wall_ms = f->at_wall_ms;
    s.expires_wall_ms = f->at_wall_ms + (when_is_hosts(&w) ? RULE_LATE_S : course_seconds(&s) + RULE_JOIN_S) * MS_PER_S;
    if (!s.selector.p || !s.fired.why.p) return ERR_NOMEM;
    *out = s;
    return ERR_OK;
}

enum err rule_fire_order(const struct signed_order *trigger, const struct rule_firing *f, struct arena *mem, struct buf *out) {
    BUF bytes;
    struct trigger t;
    struct spec s;
    buf_init(&bytes, LIMIT_SPEC_BYTES);
    enum err e = trigger_decode(trigger->spec, mem, &t);
    if (!e) e = rule_fire(&t, f, mem, &s);
    if (!e) e = spec_encode(&s, &bytes);
    if (e) return e;
    const struct signed_order so = {buf_span(&bytes), trigger->signature, trigger->certificates, trigger->spec};
    return spec_encode_signed(&so, out);
}

static enum err is_made_of(const struct trigger *t, struct span spec_bytes, const struct spec *s, struct arena *mem, char *why,
                           size_t size) {
    BUF bytes;
    struct spec made;
    const struct rule_firing f = {s->fired.number, s->selector, s->fired.why, s->issued_wall_ms};
    buf_init(&bytes, LIMIT_SPEC_BYTES);
    enum err e = f.number ? rule_fire(t, &f, mem, &made) : ERR_REFUSED;
    if (!e) e = spec_encode(&made, &bytes);
    if (e == ERR_NOMEM) return e;
    if (!e && span_eq(buf_span(&bytes), spec_bytes)) return ERR_OK;
    return err_because(why, size, ERR_REFUSED, "the firing asks for something else than its trigger allows");
}

static enum err check_target(const struct trigger *t, const struct order_check *c, struct arena *mem, char *why, size_t size) {
    BUF words;
    const struct selector *s = NULL;
    buf_init(&words, size);
    enum err e = selector_parse(t->what.selector, mem, &words, &s);
    if (e || !c->host.p || selector_matches(s, c->host, c->labels, c->n_labels)) return e;
    return err_because(why, size, ERR_REFUSED, "%.*s is not among the trigger's targets", (int)c->host.n, c->host.p);
}

enum err rule_allows(const struct signed_order *so, const struct spec *spec, const struct order_check *check, struct arena *mem, char *why,
                     size_t why_size) {
    struct trigger t;
    char when[32];
    enum err e = trigger_decode(so->trigger, mem, &t);
    if (e) return err_because(why, why_size, e, "the trigger cannot be read: %s", err_text(e));
    uint64_t until_ms = t.what.expires_wall_ms;
    if (check->wall_ns / NS_PER_MS >= until_ms || spec->issued_wall_ms >= until_ms)
        return err_because(why, why_size, ERR_EXPIRED, "the trigger expired at %s",
                           clock_wall_text(until_ms < UINT64_MAX / NS_PER_MS ? until_ms * NS_PER_MS : 0, when));
    e = is_made_of(&t, so->spec, spec, mem, why, why_size);
    return e ? e : check_target(&t, check, mem, why, why_size);
}
