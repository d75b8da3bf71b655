#include "collector/daemon/care.h"

#include <stdarg.h>
#include <stdlib.h>

#include "collector/store/store.h"
#include "common/base/log.h"
#include "common/wire/session.h"
#include "common/wire/spec.h"

enum { WHY_BYTES = 512, SAFE_BYTES = 2048, SAID_MAX = 1000 };

struct care {
    struct store *store;
    FILE *to;
    struct arena *mem;
    uint64_t campaigns, parts, hurt;
    const char *hex; /* of the campaign that is looked at */
};

/* Names in the store are hosts' own. */
__attribute__((format(printf, 2, 3))) static void say(struct care *c, const char *fmt, ...) {
    char what[WHY_BYTES], safe[SAFE_BYTES];
    va_list ap;
    if (c->hurt++ > SAID_MAX) return;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    log_escape(span_str(c->hurt > SAID_MAX ? "more than is listed here" : what), safe, sizeof safe);
    fprintf(c->to, "hurt: %s\n", safe);
}

static void on_hurt(void *arg, const char *what) { say(arg, "%s", what); }

static enum err look_at_part(void *arg, const struct store_part *p) {
    struct care *c = arg;
    struct part_body body;
    arena_reset(c->mem);
    enum err e = store_decode(p, c->mem, &body);
    c->parts++;
    if (e != ERR_OK)
        say(c, "part %u of round %u of host %.*s in campaign %s: %s", p->key.part, p->key.round, (int)p->key.host.n, p->key.host.p, c->hex,
            err_text(e));
    return ERR_OK;
}

/* Host by host: what is on a page that cannot be read is known by whose it would be. */
static enum err look_at_target(void *arg, const struct store_target *t) {
    struct care *c = arg;
    struct part_body body;
    int n = (int)t->host.n;
    arena_reset(c->mem);
    enum err e = t->outcome.n ? part_decode(t->outcome, c->mem, &body) : ERR_OK;
    if (e != ERR_OK) say(c, "how host %.*s in campaign %s ended: %s", n, t->host.p, c->hex, err_text(e));
    e = store_parts(c->store, &t->campaign, t->host, look_at_part, c);
    if (e != ERR_OK) say(c, "the results of host %.*s in campaign %s cannot be read: %s", n, t->host.p, c->hex, store_why(c->store));
    return ERR_OK; /* the others' may be whole */
}

static enum err look_at_order(void *arg, const struct store_campaign *row) {
    struct care *c = arg;
    struct signed_order order;
    struct spec spec;
    if (!row->signed_order.n) return ERR_OK; /* removed by retention */
    arena_reset(c->mem);
    enum err e = spec_decode_signed(row->signed_order, c->mem, &order);
    if (e == ERR_OK) e = spec_decode(order.spec, c->mem, &spec);
    if (e != ERR_OK) say(c, "the signed order of campaign %s: %s", c->hex, err_text(e));
    return ERR_OK;
}

static enum err look_at_campaign(void *arg, const struct store_campaign *row) {
    struct care *c = arg;
    char hex[2 * CAMPAIGN_ID_BYTES + 1];
    part_campaign_hex(&row->id, hex);
    c->hex = hex;
    c->campaigns++;
    if (store_campaign(c->store, &row->id, look_at_order, c) != ERR_OK) say(c, "campaign %s cannot be read: %s", hex, store_why(c->store));
    if (store_targets(c->store, &row->id, look_at_target, c) != ERR_OK)
        say(c, "the list of hosts of campaign %s cannot be read to its end: %s", hex, store_why(c->store));
    return ERR_OK;
}

static enum err look_at_host(void *arg, const struct store_host *h) {
    struct care *c = arg;
    struct from_agent from;
    arena_reset(c->mem);
    enum err e = session_decode_from(h->facts, c->mem, &from);
    if (e != ERR_OK) say(c, "what is known of host %.*s: %s", (int)h->name.n, h->name.p, err_text(e));
    return ERR_OK;
}

int care_check(const char *store, FILE *to) {
    char why[WHY_BYTES] = "";
    AUTO(store_close) struct store *s = NULL;
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
    struct care c = {.to = to, .mem = mem};
    enum err e = mem ? store_open(store, STORE_CHECKER, why, sizeof why, &s) : ERR_NOMEM;
    if (e != ERR_OK) {
        say(&c, "%s", *why ? why : err_text(e));
        return 1;
    }
    c.store = s;
    struct store_select all = {.which = STORE_WITHIN, .limit = UINT32_MAX};
    memset(all.high.b, 0xff, sizeof all.high.b);
    bool pages = store_check(s, on_hurt, &c) == ERR_OK;
    if (store_campaigns(s, &all, look_at_campaign, &c) != ERR_OK)
        say(&c, "the list of campaigns cannot be read to its end: %s", store_why(s));
    if (store_hosts(s, look_at_host, &c) != ERR_OK) say(&c, "the list of hosts cannot be read to its end: %s", store_why(s));
    fprintf(to, "%s: %s; %llu campaigns and %llu parts read, %llu things hurt\n", store,
            pages ? "every page is whole" : "not every page is whole", (unsigned long long)c.campaigns, (unsigned long long)c.parts,
            (unsigned long long)c.hurt);
    return c.hurt ? 1 : 0;
}

int care_backup(const char *store, const char *file) {
    char why[WHY_BYTES] = "";
    AUTO(store_close) struct store *s = NULL;
    enum err e = store_open(store, STORE_READER, why, sizeof why, &s);
    if (e == ERR_OK) {
        e = store_backup(s, file);
        snprintf(why, sizeof why, "%s", e ? store_why(s) : "");
    }
    if (e != ERR_OK) {
        fprintf(stderr, "trawl-collectord: no backup was made: %s\n", *why ? why : err_text(e));
        return 1;
    }
    return care_check(file, stdout);
}
