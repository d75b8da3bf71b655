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
