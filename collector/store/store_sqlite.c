#include "collector/store/store_sqlite.h"

#include "collector/store/store_sum.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

static const char *const sql[SQL__COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_OP_BEGIN] = "SAVEPOINT op",
    [SQL_OP_BACK] = "ROLLBACK TO op",
    [SQL_OP_END] = "RELEASE op",
    [SQL_PUT_HOST] = "INSERT INTO host(name, facts, seen, address, cert_expires) VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(name) DO UPDATE SET"
                     " facts = ?2, seen = ?3, address = ?4, cert_expires = ?5",
    [SQL_PUT_CAMPAIGN] =
        "INSERT INTO campaign(id, signed_order, operator, tool, created, stopped, ended) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"
        " ON CONFLICT(id) DO NOTHING",
    [SQL_PUT_TARGET] = "INSERT INTO target(campaign, host, end_state, reason, outcome) VALUES(?1, ?2, 0, '', x'')",
    [SQL_PUT_PART] = "INSERT INTO part(campaign, host, round, tool, part, body, sum) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE EXISTS(SELECT "
                     "1 FROM target t"
                     " JOIN campaign c ON c.id = t.campaign WHERE t.campaign = ?1 AND t.host = ?2 AND c.tool = ?4)"
                     " ON CONFLICT(campaign, host, round, tool, part) DO NOTHING",
    [SQL_SAME_PART] = "SELECT body = ?6 FROM part WHERE campaign = ?1 AND host = ?2 AND round = ?3 AND tool = ?4 AND part = ?5",
    [SQL_BEGIN_TARGET] = "UPDATE target SET stage = stage & 2 | ?3 WHERE campaign = ?1 AND host = ?2",
    [SQL_SET_CAMPAIGN] = "UPDATE campaign SET stopped = ?2, course = ?3, why = ?4 WHERE id = ?1",
    [SQL_END_TARGET] =
        "UPDATE target SET end_state = ?3, reason = ?4, outcome = ?5, has_result = ?6, stage = stage & 1 | ?7 WHERE campaign "
        "= ?1 AND host = ?2",
    [SQL_END_CAMPAIGN] = "UPDATE campaign SET stopped = ?2, ended = ?3, summary = ?4 WHERE id = ?1",
    [SQL_REMOVE_BEGIN] = "UPDATE campaign SET removed = CASE removed WHEN 0 THEN ?2 ELSE removed END WHERE id = ?1 AND ended != 0",
    [SQL_REMOVE_PARTS] = "DELETE FROM part WHERE (campaign, host, round, tool, part) IN (SELECT campaign, host, round, tool, part FROM part"
                         " WHERE campaign = ?1 LIMIT ?2)",
    [SQL_REMOVE_TARGETS] = "DELETE FROM target WHERE (campaign, host) IN (SELECT campaign, host FROM target WHERE campaign = ?1 LIMIT ?2)",
    [SQL_REMOVE_END] = "UPDATE campaign SET signed_order = x'' WHERE id = ?1",
    [SQL_PAGES] = "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
    [SQL_HOSTS] = "SELECT name, facts, seen, address, cert_expires FROM host ORDER BY name",
    [SQL_CAMPAIGN] =
        "SELECT id, signed_order, operator, tool, created, stopped, ended, summary, course, why, removed FROM campaign WHERE id = ?1",
    /* A statement for each way to choose, so that each has its index; signed orders are long. */
    [SQL_NEWEST] = "SELECT id, x'', operator, tool, created, stopped, ended, summary, course, why, removed FROM campaign ORDER BY created "
                   "DESC, id DESC LIMIT ?1",
    [SQL_UNENDED] =
        "SELECT id, x'', operator, tool, created, stopped, ended, x'', course, why, removed FROM campaign WHERE ended = 0 ORDER "
        "BY created DESC, id "
        "DESC LIMIT ?1",
    [SQL_OLDEST] = "SELECT id, x'', operator, tool, created, stopped, ended, x'', course, why, removed FROM campaign WHERE ended != 0"
                   " AND signed_order != x'' ORDER BY created, id LIMIT ?1",
    [SQL_WITHIN] =
        "SELECT id, x'', operator, tool, created, stopped, ended, x'', course, why, removed FROM campaign WHERE id BETWEEN ?2 AND "
        "?3 ORDER BY id LIMIT ?1",
    [SQL_TARGETS] = "SELECT host, end_state, reason, outcome, has_result, stage FROM target WHERE campaign = ?1 ORDER BY host",
    [SQL_PARTS] = "SELECT host, round, tool, part, body, sum FROM part WHERE campaign = ?1 ORDER BY host, round, tool, part",
    [SQL_PARTS_OF_HOST] =
        "SELECT host, round, tool, part, body, sum FROM part WHERE campaign = ?1 AND host = ?2 ORDER BY round, tool, part",
};

static struct store_sqlite *of(struct store *s) { return container_of(s, struct store_sqlite, base); }

static bool is_lasting(int rc) {
    switch (rc & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL:
    case SQLITE_INTERRUPT:
    case SQLITE_NOTADB:
        return false;
    default:
        return true;
    }
}

enum err store_sqlite_fail(struct store_sqlite *q) {
    int rc = q->db ? sqlite3_errcode(q->db) : SQLITE_NOMEM;
    q->lasting = is_lasting(rc);
    snprintf(q->base.why, sizeof q->base.why, "%s", q->db ? sqlite3_errmsg(q->db) : "out of memory");
    switch (rc & 0xff) {
    case SQLITE_NOMEM:
        return ERR_NOMEM;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return ERR_DAMAGED;
    default:
        return ERR_SYS;
    }
}

sqlite3_stmt *store_sqlite_statement(struct store_sqlite *q, enum store_sqlite_sql which) {
    sqlite3_stmt **st = &q->prepared[which];
    if (!*st && sqlite3_prepare_v3(q->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT, st, NULL) != SQLITE_OK) return NULL;
    sqlite3_reset(*st);
    sqlite3_clear_bindings(*st);
    return *st;
}

/* A failed bind leaves NULL, which the NOT NULL columns refuse: so it comes out at the step. */
void store_sqlite_bind(sqlite3_stmt *st, int at, struct span s) {
    sqlite3_bind_text64(st, at, s.p ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8);
}

void store_sqlite_bind_blob(sqlite3_stmt *st, int at, struct span s) {
    if (s.n)
        sqlite3_bind_blob64(st, at, s.p, s.n, SQLITE_STATIC);
    else
        sqlite3_bind_zeroblob(st, at, 0);
}

static void bind_u64(sqlite3_stmt *st, int at, uint64_t v) { sqlite3_bind_int64(st, at, v > INT64_MAX ? INT64_MAX : (sqlite3_int64)v); }

static void bind_id(sqlite3_stmt *st, int at, const struct campaign_id *id) {
    store_sqlite_bind_blob(st, at, span_of((const char *)id->b, sizeof id->b));
}

static enum err step(struct store_sqlite *q, sqlite3_stmt *st) {
    int rc = sqlite3_step(st);
    enum err e = rc == SQLITE_DONE || rc == SQLITE_ROW ? ERR_OK : store_sqlite_fail(q);
    sqlite3_reset(st); /* its result is the step's again */
    return e;
}

static enum err simple(struct store_sqlite *q, enum store_sqlite_sql which) {
    sqlite3_stmt *st = store_sqlite_statement(q, which);
    return st ? step(q, st) : store_sqlite_fail(q);
}

static enum err put_host(struct store_sqlite *q, struct store_op *op) {
    sqlite3_stmt *st = store_sqlite_statement(q, SQL_PUT_HOST);
    if (!st) return store_sqlite_fail(q);
    store_sqlite_bind(st, 1, op->host.name);
    store_sqlite_bind_blob(st, 2, op->host.facts);
    bind_u64(st, 3, op->host.seen_wall_ns);
    store_sqlite_bind(st, 4, op->host.address);
    bind_u64(st, 5, op->host.cert_expires_wall_ns);
    return step(q, st);
}

static enum err put_campaign(struct store_sqlite *q, struct store_op *op) {
    const struct store_campaign *c = &op->campaign.row;
    sqlite3_stmt *st = store_sqlite_statement(q, SQL_PUT_CAMPAIGN);
    if (!st) return store_sqlite_fail(q);
    bind_id(st, 1, &c->id);
    store_sqlite_bind_blob(st, 2, c->signed_order);
    store_sqlite_bind(st, 3, c->operator_name);
    store_sqlite_bind(st, 4, c->tool);
    bind_u64(st, 5, c->created_wall_ns);
    sqlite3_bind_int(st, 6, c->stopped);
    bind_u64(st, 7, c->ended_wall_ns);
    enum err e = step(q, st);
    if (e != ERR_OK) return e;
    if (sqlite3_changes(q->db) == 0) {
        op->result = STORE_DUPLICATE;
        return ERR_OK;
    }
    for (size_t i = 0; i < op->campaign.n_hosts; i++) {
        st = store_sqlite_statement(q, SQL_PUT_TARGET);
        if (!st) return store_sqlite_fail(q);
        bind_id(st, 1, &c->id);
        store_sqlite_bind(st, 2, op->campaign.hosts[i]);
        if ((e = step(q, st)) != ERR_OK) return e;
    }
    return ERR_OK;
}

static void bind_part(sqlite3_stmt *st, const struct store_part *p) {
    bind_id(st, 1, &p->key.campaign);
    store_sqlite_bind(st, 2, p->key.host);
    bind_u64(st, 3, p->key.round);
    store_sqlite_bind(st, 4, p->key.tool);
    bind_u64(st, 5, p->key.part);
    store_sqlite_bind_blob(st, 6, p->body);
}

static enum err put_part(struct store_sqlite *q, struct store_op *op) {
    sqlite3_stmt *st = store_sqlite_statement(q, SQL_PUT_PART);
    if (!st) return store_sqlite_fail(q);
    bind_part(st, &op->part);
    sqlite3_bind_int64(st, 7, (sqlite3_int64)store_sum(&op->part.key, op->part.body));
    enum err e = step(q, st);
    if (e != ERR_OK || sqlite3_changes(q->db) == 1) return e;

    st = store_sqlite_statement(q, SQL_SAME_PART);
    if (!st) return store_sqlite_fail(q);
    bind_part(st, &op->part);
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        op->result = sqlite3_column_int(st, 0) ? STORE_DUPLICATE : STORE_DIFFERS;
    else if (rc == SQLITE_DONE)
        op->result = STORE_UNKNOWN;
    else
        e = store_sqlite_fail(q);
    sqlite3_reset(st);
    return e;
}

static enum err changed(struct store_sqlite *q, sqlite3_stmt *st, struct store_op *op) {
    enum err e = step(q, st);
    if (e == ERR_OK && sqlite3_changes(q->db) == 0) op->result = STORE_UNKNOWN;
    return e;
}

static enum err begin_target(struct store_sqlite *q, struct store_op *op) {
    sqlite3_stmt *st = store_sqlite_statement(q, SQL_BEGIN_TARGET);
    if (!st) return store_sqlite_fail(q);
    bind_id(st, 1, &op->target.campaign);
    store_sqlite_bind(st, 2, op->target.host);
    sqlite3_bind_int(st, 3, op->target.began);
    return changed(q, st, op);
}

static enum err set_campaign(struct store_sqlite *q, struct store_op *op) {
    sqlite3_stmt *st = store_sqlite_statement(q, SQL_SET_CAMPAIGN);
    if (!st) return store_sqlite_fail(q);
    bind_id(st, 1, &op->control.id);
    sqlite3_bind_int(st, 2, op->control.stopped);
    sqlite3_bind_int64(st, 3, (sqlite3_int64)op->control.wave * 2 + op->control.paused);
    store_sqlite_bind(st, 4, op->control.why);
    return changed(q, st, op);
}

static enum err end_target(struct store_sqlite *q, struct store_op *op) {
    sqlite3_stmt *st = store_sqlite_statement(q, SQL_END_TARGET);
    if (!st) return store_sqlite_fail(q);
    bind_id(st, 1, &op->target.campaign);
    store_sqlite_bind(st, 2, op->target.host);
    sqlite3_bind_int(st, 3, (int)op->target.coverage);
    store_sqlite_bind(st, 4, op->target.reason);
    store_sqlite_bind_blob(st, 5, op->target.outcome);
    sqlite3_bind_int(st, 6, op->target.has_result);
    sqlite3_bind_int(st, 7, op->target.gone ? 2 : 0);
    return changed(q, st, op);
}

static enum err end_campaign(struct store_sqlite *q, struct store_op *op) {
    sqlite3_stmt *st = store_sqlite_statement(q, SQL_END_CAMPAIGN);
    if (!st) return store_sqlite_fail(q);
    bind_id(st, 1, &op->end.id);
    sqlite3_bind_int(st, 2, op->end.stopped);
    bind_u64(st, 3, op->end.ended_wall_ns);
    store_sqlite_bind_blob(st, 4, op->end.summary);
    return changed(q, st, op);
}

static enum err remove_some(struct store_sqlite *q, struct store_op *op, enum store_sqlite_sql which, int *out_rows) {
    sqlite3_stmt *st = store_sqlite_statement(q, which);
    if (!st) return store_sqlite_fail(q);
    bind_id(st, 1, &op->remove.id);
    if (which == SQL_REMOVE_BEGIN)
        bind_u64(st, 2, op->remove.wall_ns);
    else if (which != SQL_REMOVE_END)
        sqlite3_bind_int64(st, 2, op->remove.rows);
    enum err e = step(q, st);
    if (e == ERR_OK) *out_rows = sqlite3_changes(q->db);
    return e;
}

/* Parts before the targets that they refer to; the order last, which says that nothing is left. */
static enum err remove_results(struct store_sqlite *q, struct store_op *op) {
    int rows = 0;
    enum err e = remove_some(q, op, SQL_REMOVE_BEGIN, &rows);
    if (e == ERR_OK && rows == 0) {
        op->result = STORE_UNKNOWN;
        return ERR_OK;
    }
    if (e == ERR_OK) e = remove_some(q, op, SQL_REMOVE_PARTS, &rows);
    if (e == ERR_OK && rows == 0) e = remove_some(q, op, SQL_REMOVE_TARGETS, &rows);
    if (e == ERR_OK && rows > 0) op->result = STORE_MORE;
    return e != ERR_OK || rows > 0 ? e : remove_some(q, op, SQL_REMOVE_END, &rows);
}

static enum err apply_one(struct store_sqlite *q, struct store_op *op) {
    op->result = STORE_DONE;
    switch (op->kind) {
    case STORE_PUT_HOST:
        return put_host(q, op);
    case STORE_PUT_CAMPAIGN:
        return put_campaign(q, op);
    case STORE_PUT_PART:
        return put_part(q, op);
    case STORE_BEGIN_TARGET:
        return begin_target(q, op);
    case STORE_SET_CAMPAIGN:
        return set_campaign(q, op);
    case STORE_END_TARGET:
        return end_target(q, op);
    case STORE_REMOVE_RESULTS:
        return remove_results(q, op);
    case STORE_END_CAMPAIGN:
        return end_campaign(q, op);
    }
    return ERR_SYNTAX;
}

/* One that fails for good is taken back alone. */
static enum err apply_or_refuse(struct store_sqlite *q, struct store_op *op) {
    enum err e = simple(q, SQL_OP_BEGIN);
    if (e != ERR_OK) return e;
    e = apply_one(q, op);
    if (e == ERR_OK) return simple(q, SQL_OP_END);
    if (!q->lasting) return e;
    char why[sizeof q->base.why];
    memcpy(why, q->base.why, sizeof why);
    op->result = STORE_REFUSED;
    e = simple(q, SQL_OP_BACK);
    if (e == ERR_OK) e = simple(q, SQL_OP_END);
    memcpy(q->base.why, why, sizeof why);
    return e;
}

typedef enum err apply_fn(struct store_sqlite *q, struct store_op *op);

static enum err transaction(struct store_sqlite *q, struct store_op *const *ops, size_t n, apply_fn *fn) {
    q->lasting = false;
    enum err e = simple(q, SQL_BEGIN);
    if (e != ERR_OK) return e;
    for (size_t i = 0; e == ERR_OK && i < n; i++) e = fn(q, ops[i]);
    if (e == ERR_OK) e = simple(q, SQL_COMMIT);
    if (e != ERR_OK && !sqlite3_get_autocommit(q->db)) {
        char why[sizeof q->base.why];
        memcpy(why, q->base.why, sizeof why);
        IGNORED(simple(q, SQL_ROLLBACK)); /* the transaction dies with the connection if even this fails */
        memcpy(q->base.why, why, sizeof why);
    }
    return e;
}

static enum err apply(struct store *s, struct store_op *const *ops, size_t n) {
    struct store_sqlite *q = of(s);
    enum err e = transaction(q, ops, n, apply_one);
    return e != ERR_OK && q->lasting ? transaction(q, ops, n, apply_or_refuse) : e;
}

static void close_handle(struct store *s) {
    struct store_sqlite *q = of(s);
    for (size_t i = 0; i < SQL__COUNT; i++) sqlite3_finalize(q->prepared[i]);
    if (q->db && q->mode == STORE_WRITER) sqlite3_wal_checkpoint_v2(q->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_close(q->db);
    if (q->lock_fd >= 0) close(q->lock_fd);
    free(q);
}

static const struct store_engine engine = {
    .close = close_handle,
    .check = store_sqlite_check,
    .backup = store_sqlite_backup,
    .apply = apply,
    .bytes = store_sqlite_read_bytes,
    .hosts = store_sqlite_read_hosts,
    .campaigns = store_sqlite_read_campaigns,
    .campaign = store_sqlite_read_campaign,
    .targets = store_sqlite_read_targets,
    .parts = store_sqlite_read_parts,
};

/* A file of its own: closing any descriptor of the database file would drop SQLite's own locks. */
static enum err lock(struct store_sqlite *q, const char *path) {
    char name[4096];
    if ((size_t)snprintf(name, sizeof name, "%s.lock", path) >= sizeof name) {
        snprintf(q->base.why, sizeof q->base.why, "the path is too long");
        return ERR_SYS;
    }
    q->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (q->lock_fd < 0) {
        snprintf(q->base.why, sizeof q->base.why, "cannot make its lock file: %s", strerror(errno));
        return ERR_SYS;
    }
    if (flock(q->lock_fd, LOCK_EX | LOCK_NB) == 0) return ERR_OK;
    snprintf(q->base.why, sizeof q->base.why, "another process has it open for writing");
    return ERR_EXISTS;
}

/* SQLite would make the file readable by all. */
static enum err make_private(struct store_sqlite *q, const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        snprintf(q->base.why, sizeof q->base.why, "%s", strerror(errno));
        return ERR_SYS;
    }
    close(fd);
    return ERR_OK;
}

static enum err open_file(struct store_sqlite *q, const char *path) {
    enum err e = ERR_OK;
    if (q->mode == STORE_WRITER) {
        e = lock(q, path);
        if (e == ERR_OK) e = make_private(q, path);
        if (e != ERR_OK) return e;
    }
    if (sqlite3_open_v2(path, &q->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL) != SQLITE_OK)
        return store_sqlite_fail(q);
    sqlite3_extended_result_codes(q->db, 1);
    sqlite3_busy_timeout(q->db, 5000);
    const char *set = q->mode == STORE_WRITER ? "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                                                " PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
                                              : "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;";
    if (sqlite3_exec(q->db, set, NULL, NULL, NULL) != SQLITE_OK) return store_sqlite_fail(q);
    /* With it SQLite reads what there is of a file that is cut short. */
    if (q->mode == STORE_CHECKER && sqlite3_exec(q->db, "PRAGMA writable_schema = ON", NULL, NULL, NULL) != SQLITE_OK)
        return store_sqlite_fail(q);
    return store_sqlite_schema_ready(q);
}

enum err store_sqlite_open(const char *path, enum store_mode mode, char *why, size_t why_size, struct store **out) {
    struct store_sqlite *q = calloc(1, sizeof *q);
    if (!q) {
        snprintf(why, why_size, "%s: out of memory", path);
        return ERR_NOMEM;
    }
    q->base.engine = &engine;
    q->mode = mode;
    q->lock_fd = -1;
    enum err e = open_file(q, path);
    if (e == ERR_DAMAGED && q->db) store_sqlite_check_length(q, q->base.why, sizeof q->base.why);
    if (e != ERR_OK) {
        snprintf(why, why_size, "%s: %s", path, q->base.why);
        close_handle(&q->base);
        return e;
    }
    *out = &q->base;
    return ERR_OK;
}
