#include "collector/daemon/care.h"

#include <stdlib.h>

#include "collector/store/store.h"
#include "common/base/log.h"

enum { WHY_BYTES = 512, SAFE_BYTES = 2048 };

struct care {
    struct store *store;
    FILE *to;
    struct arena *mem;
    uint64_t campaigns, parts, hurt;
};

/* Names in the store are hosts' own. */
static void say(struct care *c, const char *what) {
    char safe[SAFE_BYTES];
    log_escape(span_str(what), safe, sizeof safe);
    fprintf(c->to, "hurt: %s\n", safe);
    c->hurt++;
}

static void on_hurt(void *arg, const char *what) { say(arg, what); }

static enum err look_at_part(void *arg, const struct store_part *p) {
    struct care *c = arg;
    struct part_body body;
    char hex[2 * CAMPAIGN_ID_BYTES + 1], line[WHY_BYTES];
    arena_reset(c->mem);
    enum err e = part_decode(p->body, c->mem, &body);
    c->parts++;
    if (e == ERR_OK) return ERR_OK;
    part_campaign_hex(&p->key.campaign, hex);
    snprintf(line, sizeof line, "part %u of round %u of host %.*s in campaign %s: %s", p->key.part, p->key.round, (int)p->key.host.n,
             p->key.host.p, hex, err_text(e));
    say(c, line);
    return ERR_OK;
}

static enum err ignore_target(void *arg, const struct store_target *t) {
    (void)arg;
    (void)t;
    return ERR_OK;
}

static enum err look_at_campaign(void *arg, const struct store_campaign *row) {
    struct care *c = arg;
    char hex[2 * CAMPAIGN_ID_BYTES + 1], line[WHY_BYTES];
    c->campaigns++;
    enum err e = store_targets(c->store, &row->id, ignore_target, c);
    if (e == ERR_OK) e = store_parts(c->store, &row->id, SPAN_NONE, look_at_part, c);
    if (e == ERR_OK) return ERR_OK;
    part_campaign_hex(&row->id, hex);
    snprintf(line, sizeof line, "campaign %s cannot be read to its end: %s", hex, store_why(c->store));
    say(c, line);
    return ERR_OK; /* the others may be whole */
}

int care_check(const char *store, FILE *to) {
    char why[WHY_BYTES] = "";
    AUTO(store_close) struct store *s = NULL;
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
    struct care c = {.to = to, .mem = mem};
    enum err e = mem ? store_open(store, STORE_READER, why, sizeof why, &s) : ERR_NOMEM;
    if (e != ERR_OK) {
        say(&c, *why ? why : err_text(e));
        return 1;
    }
    c.store = s;
    struct store_select all = {.which = STORE_WITHIN, .limit = UINT32_MAX};
    memset(all.high.b, 0xff, sizeof all.high.b);
    bool pages = store_check(s, on_hurt, &c) == ERR_OK;
    if (store_campaigns(s, &all, look_at_campaign, &c) != ERR_OK) say(&c, store_why(s));
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
