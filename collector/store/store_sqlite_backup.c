#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "collector/store/store_sqlite.h"

/* In one step: a reader's snapshot, which writers do not disturb and are not held up by. */
static enum err copy(struct store_sqlite *q, const char *path) {
    sqlite3 *to = NULL;
    int rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
    sqlite3_backup *b = rc == SQLITE_OK ? sqlite3_backup_init(to, "main", q->db, "main") : NULL;
    if (b) {
        sqlite3_backup_step(b, -1);
        sqlite3_backup_finish(b);
    }
    if (rc == SQLITE_OK) rc = sqlite3_errcode(to);
    if (rc == SQLITE_OK) rc = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL); /* one file, whole in itself */
    if (rc != SQLITE_OK) snprintf(q->base.why, sizeof q->base.why, "%.150s: %.90s", path, to ? sqlite3_errmsg(to) : "out of memory");
    sqlite3_close(to);
    switch (rc & 0xff) {
    case SQLITE_OK:
        return ERR_OK;
    case SQLITE_NOMEM:
        return ERR_NOMEM;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_DAMAGED;
    default:
        return ERR_SYS;
    }
}

static enum err say(struct store_sqlite *q, const char *path) {
    int failed = errno;
    snprintf(q->base.why, sizeof q->base.why, "%.150s: %s", path, strerror(failed));
    return failed == EEXIST ? ERR_EXISTS : ERR_SYS;
}

/* The name is given last: link() does not replace what is there.  SQLite has synced the content. */
enum err store_sqlite_backup(struct store *s, const char *path) {
    struct store_sqlite *q = container_of(s, struct store_sqlite, base);
    char part[4096];
    struct stat st;
    bool fits = (size_t)snprintf(part, sizeof part, "%s.part", path) < sizeof part;
    if (!fits || lstat(path, &st) == 0) {
        errno = fits ? EEXIST : ENAMETOOLONG;
        return say(q, path);
    }
    int fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return say(q, part);
    enum err e = copy(q, part);
    if (e == ERR_OK && (fsync(fd) != 0 || link(part, path) != 0)) e = say(q, path);
    close(fd);
    unlink(part);
    return e;
}
