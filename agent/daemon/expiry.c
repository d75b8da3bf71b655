#include "agent/daemon/expiry.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/crypto/cert.h"

static const uint64_t DAY_NS = 86400 * NS_PER_S;

static void look_at(const char *file, enum cert_kind kind, const char *what) {
    uint64_t now = clock_wall_ns(), end = 0;
    char until[32];
    if (!file || !file[0] || !cert_is_ending(file, kind, now, &end)) return;
    LOG(end <= now ? LOG_ERR : LOG_WARNING, "cert.expiring", KV("file", file), KV("what", what), KV("days", cert_days_left(end, now)),
        KV("until", clock_wall_text(end, until)));
}

void expiry_look(struct expiry *e) {
    const struct policy *p = e->policy;
    look_at(p->tls_cert, CERT_OWN, "certificate");
    look_at(p->tls_ca, CERT_CA, "CA");
    look_at(p->operators_ca, CERT_CA, "CA");
    look_at(p->tls_crl, CERT_LIST, "revocation list");
    look_at(p->operators_crl, CERT_LIST, "revocation list");
}

static void on_daily(struct loop_timer *t) {
    struct expiry *e = container_of(t, struct expiry, daily);
    expiry_look(e);
    IGNORED(loop_timer_set(e->loop, t, clock_mono_ns() + DAY_NS)); /* no memory: the next reload says it again */
}

void expiry_start(struct expiry *e, struct loop *loop, const struct policy *policy) {
    *e = (struct expiry){.loop = loop, .policy = policy, .daily.fired = on_daily};
    on_daily(&e->daily);
}

void expiry_stop(struct expiry *e) {
    if (e->loop) loop_timer_clear(e->loop, &e->daily);
}
