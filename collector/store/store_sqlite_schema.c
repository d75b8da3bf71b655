#include <stdio.h>

#include "collector/store/store_sqlite.h"

#define APPLICATION_ID 0x7472776c /* "trwl", in the file's header */

/* Entry i brings a file of version i to i + 1.  Entries that were released never change. */
static const char *const migrations[] = {
    "CREATE TABLE host(name TEXT PRIMARY KEY, facts BLOB NOT NULL, seen INTEGER NOT NULL, address TEXT NOT NULL,"
    "  cert_expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE campaign(id BLOB PRIMARY KEY, signed_order BLOB NOT NULL, operator TEXT NOT NULL, tool TEXT NOT NULL,"
    "  created INTEGER NOT NULL, stopped INTEGER NOT NULL, ended INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX campaign_by_time ON campaign(created);"
    "CREATE TABLE target(campaign BLOB NOT NULL REFERENCES campaign(id), host TEXT NOT NULL, end_state INTEGER NOT NULL,"
    "  reason TEXT NOT NULL, outcome BLOB NOT NULL, PRIMARY KEY(campaign, host)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE part(campaign BLOB NOT NULL, host TEXT NOT NULL, round INTEGER NOT NULL, tool TEXT NOT NULL, part INTEGER NOT NULL,"
    "  body BLOB NOT NULL, PRIMARY KEY(campaign, host, round, tool, part),"
    "  FOREIGN KEY(campaign, host) REFERENCES target(campaign, host)) STRICT, WITHOUT ROWID;",
    "DROP INDEX campaign_by_time;"
    "CREATE INDEX campaign_by_time ON campaign(created, id);"
    "CREATE INDEX campaign_unended ON campaign(created, id) WHERE ended = 0;",
    "ALTER TABLE target ADD COLUMN has_result INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE campaign ADD COLUMN summary BLOB NOT NULL DEFAULT x'';",
    /* stage: 1 its turn has come, 2 it was lost in its capture; course: twice the wave, and 1 when it is paused. */
    "ALTER TABLE campaign ADD COLUMN course INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE campaign ADD COLUMN why TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE target ADD COLUMN stage INTEGER NOT NULL DEFAULT 0;",
    /* removed: when its results went, by retention; its order goes with the last of them. */
    "ALTER TABLE campaign ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX campaign_kept ON campaign(created, id) WHERE ended != 0 AND signed_order != x'';",
    /* sum: store_sum.h; 0: there is none. */
    "ALTER TABLE part ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;",
};

static enum err number_of(struct store_sqlite *q, const char *sql, int64_t *out) {
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(q->db, sql, -1, &st, NULL) != SQLITE_OK) return store_sqlite_fail(q);
    enum err e = ERR_OK;
    if (sqlite3_step(st) == SQLITE_ROW)
        *out = sqlite3_column_int64(st, 0);
    else
        e = store_sqlite_fail(q);
    sqlite3_finalize(st);
    return e;
}

static enum err run(struct store_sqlite *q, const char *sql) {
    return sqlite3_exec(q->db, sql, NULL, NULL, NULL) == SQLITE_OK ? ERR_OK : store_sqlite_fail(q);
}

static enum err migrate(struct store_sqlite *q, size_t version) {
    char sql[96];
    enum err e = run(q, "BEGIN IMMEDIATE");
    for (size_t i = version; e == ERR_OK && i < COUNT_OF(migrations); i++) e = run(q, migrations[i]);
    if (e == ERR_OK) {
        snprintf(sql, sizeof sql, "PRAGMA application_id = %d; PRAGMA user_version = %zu;", APPLICATION_ID, COUNT_OF(migrations));
        e = run(q, sql);
    }
    if (e == ERR_OK) e = run(q, "COMMIT");
    if (e != ERR_OK) sqlite3_exec(q->db, "ROLLBACK", NULL, NULL, NULL);
    return e;
}

enum err store_sqlite_schema_ready(struct store_sqlite *q) {
    int64_t application = 0, version = 0, tables = 0;
    enum err e = number_of(q, "SELECT count(*) FROM sqlite_schema", &tables);
    if (e == ERR_OK) e = number_of(q, "PRAGMA application_id", &application);
    if (e == ERR_OK) e = number_of(q, "PRAGMA user_version", &version);
    if (e != ERR_OK) return e;
    if (tables > 0 && application != APPLICATION_ID) {
        snprintf(q->base.why, sizeof q->base.why, "it is a database, but not a trawl store");
        return ERR_DAMAGED;
    }
    if (version > (int64_t)COUNT_OF(migrations)) {
        snprintf(q->base.why, sizeof q->base.why,
                 "it was written by a newer trawl (its version is %lld, this program reads up to %zu): upgrade this collector",
                 (long long)version, COUNT_OF(migrations));
        return ERR_VERSION;
    }
    if (version < 0 || (version == 0) != (tables == 0)) {
        snprintf(q->base.why, sizeof q->base.why, "its version number does not fit its content");
        return ERR_DAMAGED;
    }
    if (version == (int64_t)COUNT_OF(migrations)) return ERR_OK;
    if (q->mode == STORE_WRITER) return migrate(q, (size_t)version);
    snprintf(q->base.why, sizeof q->base.why, "it has not been made or brought up to date by a collector yet");
    return ERR_VERSION;
}
