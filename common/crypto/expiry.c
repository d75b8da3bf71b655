#include "common/crypto/expiry.h"

#include <assert.h>

#include "common/base/clock.h"

static const uint64_t DAY_NS = 86400 * NS_PER_S;

const char *expiry_kind_name(enum cert_kind k) {
    static const char *const names[] = {[CERT_OWN] = "certificate", [CERT_CA] = "CA", [CERT_LIST] = "revocation list"};
    return names[k];
}

void expiry_look(struct expiry *e) {
    uint64_t now = clock_wall_ns(), end = 0;
    char until[32];
    for (size_t i = 0; i < e->n; i++) {
        const struct expiry_file *f = &e->files[i];
        if (!f->path || !f->path[0] || !cert_is_ending(f->path, f->kind, now, &end)) continue;
        e->ending(f, cert_days_left(end, now), clock_wall_text(end, until));
    }
}

static void on_daily(struct loop_timer *t) {
    struct expiry *e = container_of(t, struct expiry, daily);
    expiry_look(e);
    IGNORED(loop_timer_set(e->loop, t, clock_mono_ns() + DAY_NS)); /* no memory: the next reload looks again */
}

void expiry_start(struct expiry *e, struct loop *loop, const struct expiry_file *files, size_t n, expiry_fn *ending) {
    assert(n <= EXPIRY_FILES);
    *e = (struct expiry){.loop = loop, .n = n, .ending = ending, .daily.fired = on_daily};
    memcpy(e->files, files, n * sizeof *files);
    on_daily(&e->daily);
}

void expiry_stop(struct expiry *e) {
    if (e->loop) loop_timer_clear(e->loop, &e->daily);
}
