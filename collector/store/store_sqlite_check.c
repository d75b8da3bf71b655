#include "collector/store/store_sqlite.h"

#include <stdio.h>

enum { LINES_MAX = 100, HEADER_BYTES = 100 };

struct check {
    struct store_sqlite *q;
    store_hurt_fn *fn;
    void *arg;
    size_t n;
};

static void hurt(struct check *c, const char *what) {
    if (c->n == 0) snprintf(c->q->base.why, sizeof c->q->base.why, "%.200s", what);
    if (c->n++ < LINES_MAX && c->fn) c->fn(c->arg, what);
}

/* ---- its length: page size and number of pages are in its header, which SQLite keeps at bytes 16 and 28 ---- */
static uint64_t big_endian(const unsigned char *p, size_t n) {
    uint64_t v = 0;
    while (n--) v = v << 8 | *p++;
    return v;
}

bool store_sqlite_check_length(struct store_sqlite *q, char *what, size_t size) {
    unsigned char h[HEADER_BYTES];
    sqlite3_file *f = NULL;
    sqlite3_int64 bytes = 0;
    if (sqlite3_file_control(q->db, "main", SQLITE_FCNTL_FILE_POINTER, &f) != SQLITE_OK || !f || !f->pMethods) return true;
    if (f->pMethods->xFileSize(f, &bytes) != SQLITE_OK || f->pMethods->xRead(f, h, sizeof h, 0) != SQLITE_OK) return true;
    if (memcmp(h, "SQLite format 3", 16) != 0) return true;
    uint64_t page = big_endian(h + 16, 2), pages = big_endian(h + 28, 4);
    if (page == 1) page = 65536;
    if (page < 512 || (uint64_t)bytes >= pages * page) return true;
    snprintf(what, size, "it is cut short: %llu of its %llu pages are there", (unsigned long long)((uint64_t)bytes / page),
             (unsigned long long)pages);
    return false;
}

/* ---- its pages ---- */
/* A row of an integrity check may have several lines, the first of them the name that SQLite has for the file. */
static void lines(struct check *c, struct span text) {
    struct span line;
    while (span_line(&text, &line)) {
        char one[256];
        if (line.n == 0 || span_eq_str(line, "ok") || span_starts(line, SPAN_LIT("*** in database"))) continue;
        snprintf(one, sizeof one, "%.*s", (int)(line.n < sizeof one ? line.n : sizeof one - 1), line.p);
        hurt(c, one);
    }
}

/* ERR_DAMAGED: it found something.  c NULL: that is all that is wanted. */
static enum err integrity(struct store_sqlite *q, const char *sql, struct check *c) {
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(q->db, sql, -1, &st, NULL) != SQLITE_OK) return store_sqlite_fail(q);
    enum err e = ERR_OK;
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        const char *row = (const char *)sqlite3_column_text(st, 0);
        if (!row || strcmp(row, "ok") == 0) continue;
        if (c) lines(c, span_str(row));
        e = ERR_DAMAGED;
    }
    if (rc != SQLITE_DONE) e = store_sqlite_fail(q);
    if (rc != SQLITE_DONE && c) hurt(c, q->base.why);
    sqlite3_finalize(st);
    return e;
}

static void name_tables(struct check *c) {
    static const struct {
        const char *sql, *what;
    } tables[] = {{"PRAGMA integrity_check(host)", "the table host is hurt: the hosts that are known"},
                  {"PRAGMA integrity_check(campaign)", "the table campaign is hurt: what was asked, with the signed orders"},
                  {"PRAGMA integrity_check(target)", "the table target is hurt: where each host of each campaign ended"},
                  {"PRAGMA integrity_check(part)", "the table part is hurt: the results that hosts sent"}};
    for (size_t i = 0; i < COUNT_OF(tables); i++)
        if (integrity(c->q, tables[i].sql, NULL) != ERR_OK) hurt(c, tables[i].what);
}

enum err store_sqlite_check(struct store *s, store_hurt_fn *fn, void *arg) {
    struct check c = {.q = container_of(s, struct store_sqlite, base), .fn = fn, .arg = arg};
    char what[128];
    enum err e = integrity(c.q, "PRAGMA integrity_check(90)", &c);
    if (e == ERR_OK) return ERR_OK;
    if (!store_sqlite_check_length(c.q, what, sizeof what)) hurt(&c, what); /* of a whole store the header may be behind its log */
    name_tables(&c);
    return e;
}
