#include "collector/store/store_sqlite.h"

enum err store_sqlite_check(struct store *s, store_hurt_fn *fn, void *arg) {
    struct store_sqlite *q = container_of(s, struct store_sqlite, base);
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(q->db, "PRAGMA integrity_check(100)", -1, &st, NULL) != SQLITE_OK) return store_sqlite_fail(q);
    enum err e = ERR_OK;
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        const char *line = (const char *)sqlite3_column_text(st, 0);
        if (!line || strcmp(line, "ok") == 0) continue;
        if (e == ERR_OK) snprintf(q->base.why, sizeof q->base.why, "%.200s", line);
        e = ERR_DAMAGED;
        if (fn) fn(arg, line);
    }
    if (rc != SQLITE_DONE) {
        e = store_sqlite_fail(q);
        if (fn) fn(arg, q->base.why);
    }
    sqlite3_finalize(st);
    return e;
}
