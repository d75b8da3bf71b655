#include "agent/daemon/deeds.h"

#include "common/base/log.h"

enum { WHY_BYTES = 512 };

void deeds_add(struct deeds *d, const struct audit_record *r, bool limited) {
    char why[WHY_BYTES] = "";
    if (!d->audit) return;
    enum err e = limited ? audit_add_limited(d->audit, r) : audit_add(d->audit, r);
    if (!e) e = audit_checkpoint(d->audit, why, sizeof why);
    if (e && !d->failing) LOG(LOG_ERR, "audit.failed", KV("why", why[0] ? why : err_text(e)));
    d->failing = e != ERR_OK;
}

void deeds_taken(struct deeds *d, const struct order *o) {
    char hex[2 * CAMPAIGN_ID_BYTES + 1];
    part_campaign_hex(&o->spec.campaign, hex);
    const struct audit_record r = {.event = "order.taken",
                                   .who = span_str(o->signer.name),
                                   .authority = span_str(identity_authority_name(o->signer.authority)),
                                   .campaign = span_str(hex),
                                   .what = span_str(o->tool->name),
                                   .where = o->spec.selector};
    deeds_add(d, &r, false);
}
