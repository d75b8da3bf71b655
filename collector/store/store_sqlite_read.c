#include "collector/store/store_sqlite.h"
#include "collector/store/store_sum.h"

static struct store_sqlite *of(struct store *s) { return container_of(s, struct store_sqlite, base); }

static struct span column(sqlite3_stmt *st, int at) {
    const void *p = sqlite3_column_blob(st, at);
    int n = sqlite3_column_bytes(st, at);
    return p ? span_of(p, (size_t)n) : span_of("", 0);
}

static uint64_t column_u64(sqlite3_stmt *st, int at) { return (uint64_t)sqlite3_column_int64(st, at); }

static enum err column_id(struct store_sqlite *q, sqlite3_stmt *st, int at, struct campaign_id *out) {
    struct span s = column(st, at);
    if (s.n == sizeof out->b) {
        memcpy(out->b, s.p, sizeof out->b);
        return ERR_OK;
    }
    snprintf(q->base.why, sizeof q->base.why, "a campaign's id has %zu bytes", s.n);
    return ERR_DAMAGED;
}

/* One step of an iteration.  ERR_AGAIN: a row is there. */
static enum err step(struct store_sqlite *q, sqlite3_stmt *st) {
    switch (sqlite3_step(st)) {
    case SQLITE_ROW:
        return ERR_AGAIN;
    case SQLITE_DONE:
        return ERR_OK;
    default:
        return store_sqlite_fail(q);
    }
}

enum err store_sqlite_read_hosts(struct store *s, store_host_fn *fn, void *arg) {
    struct store_sqlite *q = of(s);
    sqlite3_stmt *st = store_sqlite_statement(q, SQL_HOSTS);
    if (!st) return store_sqlite_fail(q);
    enum err e;
    while ((e = step(q, st)) == ERR_AGAIN) {
        struct store_host h = {.name = column(st, 0),
                               .facts = column(st, 1),
                               .seen_wall_ns = column_u64(st, 2),
                               .address = column(st, 3),
                               .cert_expires_wall_ns = column_u64(st, 4)};
        if ((e = fn(arg, &h)) != ERR_OK) break;
    }
    sqlite3_reset(st);
    return e;
}

static enum err give_campaigns(struct store_sqlite *q, sqlite3_stmt *st, store_campaign_fn *fn, void *arg) {
    enum err e;
    while ((e = step(q, st)) == ERR_AGAIN) {
        struct store_campaign c = {.signed_order = column(st, 1),
                                   .operator_name = column(st, 2),
                                   .tool = column(st, 3),
                                   .created_wall_ns = column_u64(st, 4),
                                   .stopped = sqlite3_column_int(st, 5) != 0,
                                   .ended_wall_ns = column_u64(st, 6),
                                   .summary = column(st, 7),
                                   .paused = (sqlite3_column_int64(st, 8) & 1) != 0,
                                   .wave = (uint32_t)(column_u64(st, 8) / 2),
                                   .why = column(st, 9),
                                   .removed_wall_ns = column_u64(st, 10)};
        e = column_id(q, st, 0, &c.id);
        if (e == ERR_OK) e = fn(arg, &c);
        if (e != ERR_OK) break;
    }
    sqlite3_reset(st);
    return e;
}

static void bind_id(sqlite3_stmt *st, int at, const struct campaign_id *id) {
    store_sqlite_bind_blob(st, at, span_of((const char *)id->b, sizeof id->b));
}

enum err store_sqlite_read_campaigns(struct store *s, const struct store_select *which, store_campaign_fn *fn, void *arg) {
    static const enum store_sqlite_sql sql[] = {
        [STORE_NEWEST] = SQL_NEWEST, [STORE_UNENDED] = SQL_UNENDED, [STORE_OLDEST] = SQL_OLDEST, [STORE_WITHIN] = SQL_WITHIN};
    struct store_sqlite *q = of(s);
    sqlite3_stmt *st = store_sqlite_statement(q, sql[which->which]);
    if (!st) return store_sqlite_fail(q);
    sqlite3_bind_int64(st, 1, which->limit);
    if (which->which == STORE_WITHIN) {
        bind_id(st, 2, &which->low);
        bind_id(st, 3, &which->high);
    }
    return give_campaigns(q, st, fn, arg);
}

enum err store_sqlite_read_campaign(struct store *s, const struct campaign_id *id, store_campaign_fn *fn, void *arg) {
    struct store_sqlite *q = of(s);
    sqlite3_stmt *st = store_sqlite_statement(q, SQL_CAMPAIGN);
    if (!st) return store_sqlite_fail(q);
    bind_id(st, 1, id);
    return give_campaigns(q, st, fn, arg);
}

enum err store_sqlite_read_targets(struct store *s, const struct campaign_id *id, store_target_fn *fn, void *arg) {
    struct store_sqlite *q = of(s);
    sqlite3_stmt *st = store_sqlite_statement(q, SQL_TARGETS);
    if (!st) return store_sqlite_fail(q);
    bind_id(st, 1, id);
    enum err e;
    while ((e = step(q, st)) == ERR_AGAIN) {
        int coverage = sqlite3_column_int(st, 1);
        struct store_target t = {.campaign = *id,
                                 .host = column(st, 0),
                                 .reason = column(st, 2),
                                 .outcome = column(st, 3),
                                 .has_result = sqlite3_column_int(st, 4) != 0,
                                 .began = (sqlite3_column_int(st, 5) & 1) != 0,
                                 .gone = (sqlite3_column_int(st, 5) & 2) != 0};
        if (coverage < 0 || coverage >= COVERAGE__COUNT) {
            snprintf(q->base.why, sizeof q->base.why, "a target has the end state %d, which there is not", coverage);
            e = ERR_DAMAGED;
            break;
        }
        t.coverage = (enum coverage)coverage;
        if ((e = fn(arg, &t)) != ERR_OK) break;
    }
    sqlite3_reset(st);
    return e;
}

enum err store_sqlite_read_parts(struct store *s, const struct campaign_id *id, struct span host, store_part_fn *fn, void *arg) {
    struct store_sqlite *q = of(s);
    sqlite3_stmt *st = store_sqlite_statement(q, host.p ? SQL_PARTS_OF_HOST : SQL_PARTS);
    if (!st) return store_sqlite_fail(q);
    bind_id(st, 1, id);
    if (host.p) store_sqlite_bind(st, 2, host);
    enum err e;
    while ((e = step(q, st)) == ERR_AGAIN) {
        struct store_part p = {.key = {.campaign = *id,
                                       .host = column(st, 0),
                                       .round = (uint32_t)column_u64(st, 1),
                                       .tool = column(st, 2),
                                       .part = (uint32_t)column_u64(st, 3)},
                               .body = column(st, 4)};
        uint64_t sum = column_u64(st, 5); /* 0: it was written by a version that had none */
        p.altered = sum && sum != store_sum(&p.key, p.body);
        if ((e = fn(arg, &p)) != ERR_OK) break;
    }
    sqlite3_reset(st);
    return e;
}

enum err store_sqlite_read_bytes(struct store *s, uint64_t *out) {
    struct store_sqlite *q = of(s);
    sqlite3_stmt *st = store_sqlite_statement(q, SQL_PAGES);
    if (!st) return store_sqlite_fail(q);
    enum err e = step(q, st);
    if (e == ERR_AGAIN) *out = column_u64(st, 0);
    sqlite3_reset(st);
    return e == ERR_AGAIN ? ERR_OK : e == ERR_OK ? ERR_DAMAGED : e;
}
