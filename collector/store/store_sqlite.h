/* The SQLite engine of store.h: one file in WAL mode, strict tables, every commit synced.  Private to this folder. */
#pragma once

#include <sqlite3.h>

#include "collector/store/store_engine.h"

enum store_sqlite_sql {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_OP_BEGIN,
    SQL_OP_BACK,
    SQL_OP_END,
    SQL_PUT_HOST,
    SQL_PUT_CAMPAIGN,
    SQL_PUT_TARGET,
    SQL_PUT_PART,
    SQL_SAME_PART,
    SQL_BEGIN_TARGET,
    SQL_END_TARGET,
    SQL_SET_CAMPAIGN,
    SQL_END_CAMPAIGN,
    SQL_REMOVE_BEGIN,
    SQL_REMOVE_PARTS,
    SQL_REMOVE_TARGETS,
    SQL_REMOVE_END,
    SQL_PAGES,
    SQL_HOSTS,
    SQL_CAMPAIGN,
    SQL_NEWEST,
    SQL_UNENDED,
    SQL_OLDEST,
    SQL_WITHIN,
    SQL_TARGETS,
    SQL_PARTS,
    SQL_PARTS_OF_HOST,
    SQL__COUNT
};

struct store_sqlite {
    struct store base;
    sqlite3 *db;
    enum store_mode mode;
    int lock_fd;  /* a writer's; -1 */
    bool lasting; /* the last failure is not the disk's or another's: trying again would not help */
    sqlite3_stmt *prepared[SQL__COUNT];
};

NODISCARD enum err store_sqlite_open(const char *path, enum store_mode mode, char *why, size_t why_size, struct store **out);
/* The statement, prepared when first asked for, with nothing bound.  NULL: store_sqlite_fail says why. */
sqlite3_stmt *store_sqlite_statement(struct store_sqlite *q, enum store_sqlite_sql which);
/* The engine's last error as ours, its sentence kept for store_why(). */
enum err store_sqlite_fail(struct store_sqlite *q);
void store_sqlite_bind(sqlite3_stmt *st, int at, struct span s); /* as text; borrowed until reset */
void store_sqlite_bind_blob(sqlite3_stmt *st, int at, struct span s);

/* store_sqlite_schema.c: make it, bring it up to date, or say why not. */
NODISCARD enum err store_sqlite_schema_ready(struct store_sqlite *q);
/* store_sqlite_read.c */
NODISCARD enum err store_sqlite_read_bytes(struct store *s, uint64_t *out);
NODISCARD enum err store_sqlite_read_hosts(struct store *s, store_host_fn *fn, void *arg);
NODISCARD enum err store_sqlite_read_campaigns(struct store *s, const struct store_select *which, store_campaign_fn *fn, void *arg);
NODISCARD enum err store_sqlite_read_campaign(struct store *s, const struct campaign_id *id, store_campaign_fn *fn, void *arg);
NODISCARD enum err store_sqlite_read_targets(struct store *s, const struct campaign_id *id, store_target_fn *fn, void *arg);
NODISCARD enum err store_sqlite_read_parts(struct store *s, const struct campaign_id *id, struct span host, store_part_fn *fn, void *arg);
/* store_sqlite_check.c, store_sqlite_backup.c.  False: the file has fewer pages than its header says; that in words, into what. */
bool store_sqlite_check_length(struct store_sqlite *q, char *what, size_t size);
NODISCARD enum err store_sqlite_check(struct store *s, store_hurt_fn *fn, void *arg);
NODISCARD enum err store_sqlite_backup(struct store *s, const char *path);
