#include "agent/daemon/taken.h"

#include "agent/spool/amend.h"
#include "common/base/clock.h"

enum err taken_note(struct journal *j, const struct signed_order *so, const struct order *o, uint64_t base_wall_ms) {
    struct buf bytes;
    buf_init(&bytes, LIMIT_ORDER_BYTES);
    enum err e = spec_encode_signed(so, &bytes);
    const struct journal_order note = {.tool = span_str(o->tool->name),
                                       .expires_wall_ms = o->spec.expires_wall_ms,
                                       .base_wall_ms = base_wall_ms,
                                       .order = buf_span(&bytes)};
    if (!e) e = journal_take(j, &o->spec.campaign, &note);
    buf_done(&bytes);
    return e;
}

/* The order as it was taken, as far as it can be read: whether it may still be obeyed is the signature's to say. */
static enum err verify(const struct journal_entry *e, const struct order_check *check, struct arena *mem, struct taken *r,
                       uint32_t *out_rounds) {
    struct signed_order so;
    struct spec spec;
    if (!mem) return ERR_NOMEM;
    enum err failed = spec_decode_signed(buf_span(&e->order), mem, &so);
    if (!failed) failed = spec_decode(so.spec, mem, &spec);
    if (failed) return failed;
    *out_rounds = spec_rounds(&spec);
    failed = order_verify(&so, check, mem, r->why, sizeof r->why, &r->order);
    bool other = !failed && memcmp(r->order.spec.campaign.b, e->campaign.b, CAMPAIGN_ID_BYTES) != 0;
    return other ? ERR_DAMAGED : failed;
}

static uint64_t due_wall_ns(const struct journal_entry *e, const struct taken *r) {
    return e->base_wall_ms * NS_PER_MS + (uint64_t)r->lost * r->order.spec.every_s * NS_PER_S;
}

void taken_read(const struct journal_entry *e, struct spool *s, const struct order_check *check, struct arena *mem, struct taken *out) {
    struct taken r = {.begun = true};
    bool last = false, whole = amend_is_whole(s, &e->campaign, e->round, &last);
    uint32_t rounds = 0;
    r.over = whole && last;
    r.lost = whole ? e->round + 1 : e->round;
    enum err failed = verify(e, check, mem, &r, &rounds);
    if (!failed) r.begun = check->wall_ns >= due_wall_ns(e, &r);
    r.next = r.begun ? r.lost + 1 : r.lost;
    r.goes_on = !failed && !r.over && r.next < rounds;
    if (failed && !r.why[0]) snprintf(r.why, sizeof r.why, "%s", err_text(failed));
    if (!failed || r.next >= rounds) r.why[0] = '\0';
    *out = r;
}
