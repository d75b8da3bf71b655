/* trawl-collectord check and backup: what is hurt is named, and a copy is whole or not there. */
#include "tests/unit/collector/made.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/daemon/care.h"

static const struct span hosts[] = {{"db-1", 4}, {"web-1", 5}};

/* A store with a campaign and so many good parts; closed. */
static void make(struct made_dir *d, uint32_t parts) {
    made_dir(d);
    struct store *s = made_store(d, STORE_WRITER);
    struct span body = made_hist("usecs", 4, 7, NULL);
    made_put_campaign(s, made_id(1), "runqlat", hosts, 2);
    for (uint32_t i = 0; i < parts; i++) assert_int_equal(made_put_part(s, made_id(1), "db-1", "runqlat", i, body), STORE_DONE);
    made_free(body);
    store_close(s);
}

static void says(const char *store, int want, const char *const *words) {
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    assert_non_null(to);
    int code = care_check(store, to);
    assert_int_equal(fclose(to), 0);
    for (; *words; words++)
        if (!strstr(text, *words)) fail_msg("\"%s\" is not in: %s", *words, text);
    assert_int_equal(code, want);
    free(text);
}
#define SAYS(store, want, ...) says(store, want, (const char *const[]){__VA_ARGS__, NULL})

static void sql(const char *store, const char *text) {
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(store, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void a_whole_store_is_said_to_be_whole(void **state) {
    struct made_dir d;
    (void)state;
    make(&d, 3);
    SAYS(d.store, 0, "every page is whole; 1 campaigns and 3 parts read, 0 things hurt");
    made_dir_done(&d);
}

static void a_part_that_does_not_decode_is_named(void **state) {
    struct made_dir d;
    (void)state;
    make(&d, 3);
    sql(d.store, "UPDATE part SET body = x'ff' WHERE part = 2");
    SAYS(d.store, 1, "hurt: part 2 of round 0 of host db-1 in campaign 01",
         "every page is whole; 1 campaigns and 3 parts read, 1 things hurt");
    made_dir_done(&d);
}

/* The first byte of a page says what kind of page it is. */
static void a_flipped_byte_is_found_in_every_page(void **state) {
    struct made_dir d;
    struct stat st;
    (void)state;
    make(&d, 300);
    assert_int_equal(stat(d.store, &st), 0);
    long pages = st.st_size / 4096;
    assert_true(pages > 5);
    for (long page = 2; page < pages; page++) {
        FILE *f = fopen(d.store, "r+");
        assert_non_null(f);
        assert_int_equal(fseek(f, page * 4096, SEEK_SET), 0);
        int was = fgetc(f);
        for (int to = was ^ 0x40, i = 0; i < 2; i++, to = was) { /* flipped, looked at, put back */
            assert_int_equal(fseek(f, page * 4096, SEEK_SET), 0);
            assert_int_equal(fputc(to, f), to);
            assert_int_equal(fflush(f), 0);
            if (i == 0) SAYS(d.store, 1, "hurt: the table ", " is hurt: ", "not every page is whole");
        }
        fclose(f);
    }
    SAYS(d.store, 0, " 0 things hurt");
    made_dir_done(&d);
}

/* Its first leaf with parts: it is known which table it is of, and whose results are on it. */
static void a_flipped_byte_is_named_by_table_campaign_and_host(void **state) {
    struct made_dir d;
    char page[4096];
    long at = 0;
    (void)state;
    make(&d, 300);
    FILE *f = fopen(d.store, "r+");
    assert_non_null(f);
    while (fread(page, sizeof page, 1, f) == 1 && !(page[0] == 10 && memmem(page, sizeof page, "usecs", 5))) at += (long)sizeof page;
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    fputc(10 ^ 0x40, f);
    fclose(f);
    SAYS(d.store, 1, "hurt: the table part is hurt: the results that hosts sent",
         "hurt: the results of host db-1 in campaign 01010101010101010101010101010101 cannot be read: database disk image is malformed",
         "not every page is whole; 1 campaigns and ");
    made_dir_done(&d);
}

/* Wherever in a part it is, and though it may still decode. */
static void a_flipped_byte_inside_a_part_is_found_each(void **state) {
    struct made_dir d;
    char all[16 * 4096];
    (void)state;
    make(&d, 1);
    struct span body = made_hist("usecs", 4, 7, NULL);
    FILE *f = fopen(d.store, "r+");
    assert_non_null(f);
    size_t n = fread(all, 1, sizeof all, f);
    const char *there = memmem(all, n, body.p, body.n);
    assert_non_null(there);
    for (size_t i = 0; i < body.n; i++) {
        for (int round = 0; round < 2; round++) { /* flipped, looked at, put back */
            assert_int_equal(fseek(f, there - all + (long)i, SEEK_SET), 0);
            fputc((unsigned char)body.p[i] ^ (round ? 0 : 1 << i % 8), f);
            assert_int_equal(fflush(f), 0);
            if (round == 0)
                SAYS(d.store, 1,
                     "hurt: part 0 of round 0 of host db-1 in campaign 01010101010101010101010101010101: stored data is damaged",
                     "every page is whole; 1 campaigns and 1 parts read, 1 things hurt");
        }
    }
    fclose(f);
    SAYS(d.store, 0, " 0 things hurt");
    made_free(body);
    made_dir_done(&d);
}

static void what_is_known_of_a_host_a_signed_order_and_an_outcome_are_looked_at(void **state) {
    struct made_dir d;
    (void)state;
    make(&d, 1);
    sql(d.store, "INSERT INTO host VALUES('db-1', x'ff', 1, '', 0)");
    SAYS(d.store, 1, "hurt: what is known of host db-1: input does not follow the format", "every page is whole", "1 things hurt");
    sql(d.store, "DELETE FROM host; UPDATE campaign SET signed_order = x'ff'");
    SAYS(d.store, 1, "hurt: the signed order of campaign 0101", "1 things hurt");
    sql(d.store, "UPDATE campaign SET signed_order = x''; UPDATE target SET outcome = x'ff' WHERE host = 'web-1'");
    SAYS(d.store, 1, "hurt: how host web-1 in campaign 0101", "1 things hurt");
    made_dir_done(&d);
}

/* Neither the service nor a backup takes it for whole; the check reads what there is and says whose the rest is. */
static void a_truncated_store_is_found(void **state) {
    struct made_dir d;
    struct stat st;
    (void)state;
    make(&d, 300);
    assert_int_equal(stat(d.store, &st), 0);
    long pages = st.st_size / 4096;
    char cut[128], why[256] = "", copy[160];
    struct store *s = NULL;
    snprintf(cut, sizeof cut, "it is cut short: %ld of its %ld pages are there", pages / 2, pages);
    snprintf(copy, sizeof copy, "%s/copy.db", d.path);
    assert_int_equal(truncate(d.store, pages / 2 * 4096), 0);
    SAYS(d.store, 1, cut, "hurt: the table part is hurt: the results that hosts sent",
         "hurt: the results of host db-1 in campaign 01010101010101010101010101010101 cannot be read: ", "not every page is whole");
    for (int mode = STORE_WRITER; mode <= STORE_READER; mode++) {
        assert_int_equal(store_open(d.store, (enum store_mode)mode, why, sizeof why, &s), ERR_DAMAGED);
        if (!strstr(why, cut)) fail_msg("\"%s\" is not in: %s", cut, why);
    }
    assert_int_equal(care_backup(d.store, copy), 1);
    assert_int_equal(access(copy, F_OK), -1);
    assert_int_equal(truncate(d.store, 50), 0);
    SAYS(d.store, 1, "s.db: database disk image is malformed");
    made_dir_done(&d);
}

static void a_newer_store_is_said_to_be_newer(void **state) {
    struct made_dir d;
    (void)state;
    make(&d, 1);
    sql(d.store, "PRAGMA user_version = 99");
    SAYS(d.store, 1, "written by a newer trawl (its version is 99");
    made_dir_done(&d);
}

/* What made each version of the one before, as it was. */
static const char *const versions[] = {
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
    "DROP INDEX campaign_by_time; CREATE INDEX campaign_by_time ON campaign(created, id);"
    "CREATE INDEX campaign_unended ON campaign(created, id) WHERE ended = 0;",
    "ALTER TABLE target ADD COLUMN has_result INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE campaign ADD COLUMN summary BLOB NOT NULL DEFAULT x'';",
    "ALTER TABLE campaign ADD COLUMN course INTEGER NOT NULL DEFAULT 0; ALTER TABLE campaign ADD COLUMN why TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE target ADD COLUMN stage INTEGER NOT NULL DEFAULT 0;",
    "ALTER TABLE campaign ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX campaign_kept ON campaign(created, id) WHERE ended != 0 AND signed_order != x'';",
};

static void insert_part(const char *store, struct span body) {
    char text[512] =
        "INSERT INTO campaign(id, signed_order, operator, tool, created, stopped, ended)"
        " VALUES(x'01010101010101010101010101010101', x'', 'ada', 'runqlat', 5, 0, 0);"
        "INSERT INTO target(campaign, host, end_state, reason, outcome) VALUES(x'01010101010101010101010101010101', 'db-1', 0, '', x'');"
        "INSERT INTO part(campaign, host, round, tool, part, body) VALUES(x'01010101010101010101010101010101', 'db-1', 0, 'runqlat', 0, x'";
    size_t n = strlen(text);
    assert_true(n + 2 * body.n + 3 < sizeof text);
    for (size_t i = 0; i < body.n; i++, n += 2) snprintf(text + n, sizeof text - n, "%02x", (unsigned char)body.p[i]);
    snprintf(text + n, sizeof text - n, "')");
    sql(store, text);
}

static enum err count_in_part(void *arg, const struct store_part *p) {
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct part_body body = {0};
    uint64_t *count = arg;
    assert_int_equal(store_decode(p, mem, &body), ERR_OK);
    *count += hist_total(&body.hists.hists[0]);
    return ERR_OK;
}

static void a_store_of_every_version_before_opens_and_answers(void **state) {
    struct span body = made_hist("usecs", 4, 7, NULL);
    const struct campaign_id id = made_id(1);
    (void)state;
    for (size_t v = 1; v <= COUNT_OF(versions); v++) {
        struct made_dir d;
        char version[96];
        uint64_t count = 0;
        made_dir(&d);
        for (size_t i = 0; i < v; i++) sql(d.store, versions[i]);
        snprintf(version, sizeof version, "PRAGMA application_id = 1953658732; PRAGMA user_version = %zu", v);
        sql(d.store, version);
        insert_part(d.store, body);
        SAYS(d.store, 1, "not been made or brought up to date");
        struct store *s = made_store(&d, STORE_WRITER);
        assert_int_equal(store_parts(s, &id, SPAN_NONE, count_in_part, &count), ERR_OK);
        assert_int_equal(count, 7);
        assert_int_equal(made_put_part(s, id, "db-1", "runqlat", 1, body), STORE_DONE);
        store_close(s);
        SAYS(d.store, 0, "1 campaigns and 2 parts read, 0 things hurt");
        made_dir_done(&d);
    }
    made_free(body);
}

static void a_backup_beside_a_writer_is_whole_its_owners_alone_and_replaces_nothing(void **state) {
    struct made_dir d;
    struct stat st;
    char copy[160], part[170], why[256] = "";
    (void)state;
    make(&d, 3);
    snprintf(copy, sizeof copy, "%s/copy.db", d.path);
    snprintf(part, sizeof part, "%s.part", copy);
    struct store *writer = made_store(&d, STORE_WRITER), *reader = NULL;
    struct span body = made_hist("usecs", 4, 7, NULL);
    assert_int_equal(made_put_part(writer, made_id(1), "web-1", "runqlat", 0, body), STORE_DONE); /* in the log beside the file only */
    assert_int_equal(store_open(d.store, STORE_READER, why, sizeof why, &reader), ERR_OK);
    assert_int_equal(store_backup(reader, copy), ERR_OK);
    assert_int_equal(made_put_part(writer, made_id(1), "web-1", "runqlat", 1, body), STORE_DONE);
    SAYS(copy, 0, "1 campaigns and 4 parts read, 0 things hurt");
    SAYS(d.store, 0, "1 campaigns and 5 parts read, 0 things hurt");
    assert_int_equal(stat(copy, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(store_backup(reader, copy), ERR_EXISTS);
    assert_int_equal(stat(part, &st), -1);
    assert_int_equal(unlink(copy), 0);
    snprintf(copy, sizeof copy, "%s/none/copy.db", d.path);
    assert_int_equal(store_backup(reader, copy), ERR_SYS);
    assert_non_null(strstr(store_why(reader), "No such file"));
    made_free(body);
    store_close(reader);
    store_close(writer);
    made_dir_done(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_store_is_said_to_be_whole),
        cmocka_unit_test(a_part_that_does_not_decode_is_named),
        cmocka_unit_test(a_flipped_byte_is_found_in_every_page),
        cmocka_unit_test(a_flipped_byte_is_named_by_table_campaign_and_host),
        cmocka_unit_test(a_flipped_byte_inside_a_part_is_found_each),
        cmocka_unit_test(what_is_known_of_a_host_a_signed_order_and_an_outcome_are_looked_at),
        cmocka_unit_test(a_truncated_store_is_found),
        cmocka_unit_test(a_newer_store_is_said_to_be_newer),
        cmocka_unit_test(a_store_of_every_version_before_opens_and_answers),
        cmocka_unit_test(a_backup_beside_a_writer_is_whole_its_owners_alone_and_replaces_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
