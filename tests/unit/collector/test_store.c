#include "tests/unit/collector/made.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/store/store_sqlite.h"

static const struct span hosts[] = {{"db-1", 4}, {"web-1", 5}};

static enum err open_it(const struct made_dir *d, enum store_mode mode, char *why, struct store **out) {
    *out = NULL;
    return store_open(d->store, mode, why, 256, out);
}

static void expect_refusal(const struct made_dir *d, enum store_mode mode, enum err want, const char *words) {
    struct store *s = NULL;
    char why[256] = "";
    assert_int_equal(open_it(d, mode, why, &s), want);
    assert_null(s);
    if (!strstr(why, words)) fail_msg("\"%s\" is not in: %s", words, why);
}

/* Everything, as text, in the order it is read. */
static enum err say_target(void *arg, const struct store_target *t) {
    buf_add_fmt(arg, "  %.*s %s '%.*s' %zu%s\n", (int)t->host.n, t->host.p, capture_coverage_name(t->coverage), (int)t->reason.n,
                t->reason.p, t->outcome.n, t->has_result ? " measured" : "");
    return ERR_OK;
}
static enum err say_part(void *arg, const struct store_part *p) {
    buf_add_fmt(arg, "  %.*s %.*s %u: %.*s\n", (int)p->key.host.n, p->key.host.p, (int)p->key.tool.n, p->key.tool.p, p->key.part,
                (int)p->body.n, p->body.p);
    return ERR_OK;
}
static enum err say_campaign(void *arg, const struct store_campaign *c) {
    buf_add_fmt(arg, "%02x %.*s %.*s stopped %d ended %d\n", c->id.b[0], (int)c->operator_name.n, c->operator_name.p, (int)c->tool.n,
                c->tool.p, c->stopped, c->ended_wall_ns != 0);
    return ERR_OK;
}
static enum err say_host(void *arg, const struct store_host *h) {
    buf_add_fmt(arg, "%.*s %.*s %.*s %llu\n", (int)h->name.n, h->name.p, (int)h->facts.n, h->facts.p, (int)h->address.n, h->address.p,
                (unsigned long long)h->seen_wall_ns);
    return ERR_OK;
}

static void expect_dump(struct store *s, struct campaign_id id, const char *want) {
    struct buf b;
    const struct store_select which = {.which = STORE_NEWEST, .limit = 100};
    buf_init(&b, 0);
    assert_int_equal(store_hosts(s, say_host, &b), ERR_OK);
    assert_int_equal(store_campaigns(s, &which, say_campaign, &b), ERR_OK);
    assert_int_equal(store_targets(s, &id, say_target, &b), ERR_OK);
    assert_int_equal(store_parts(s, &id, SPAN_NONE, say_part, &b), ERR_OK);
    assert_string_equal(buf_str(&b), want);
    buf_done(&b);
}

static void apply(struct store *s, struct store_op *op, enum store_result want) {
    struct store_op *ops = op;
    assert_int_equal(store_apply(s, &ops, 1), ERR_OK);
    assert_int_equal(op->result, want);
}

static void what_was_written_is_there_after_reopening(void **state) {
    struct made_dir d;
    (void)state;
    made_dir(&d);
    struct store *s = made_store(&d, STORE_WRITER);
    made_put_campaign(s, made_id(1), "runqlat", hosts, 2);
    assert_int_equal(made_put_part(s, made_id(1), "web-1", "runqlat", 1, SPAN_LIT("two")), STORE_DONE);
    assert_int_equal(made_put_part(s, made_id(1), "web-1", "runqlat", 0, SPAN_LIT("one")), STORE_DONE);
    assert_int_equal(made_put_part(s, made_id(1), "db-1", "runqlat", 0, SPAN_LIT("")), STORE_DONE);
    struct store_op end = {.kind = STORE_END_TARGET,
                           .target = {.campaign = made_id(1),
                                      .host = hosts[0],
                                      .coverage = COVERAGE_OFFLINE,
                                      .reason = SPAN_LIT("gone"),
                                      .outcome = SPAN_LIT("o"),
                                      .has_result = true}};
    apply(s, &end, STORE_DONE);
    struct store_op over = {.kind = STORE_END_CAMPAIGN, .end = {.id = made_id(1), .stopped = true, .ended_wall_ns = 5}};
    apply(s, &over, STORE_DONE);
    struct store_op host = {.kind = STORE_PUT_HOST,
                            .host = {.name = hosts[1], .facts = SPAN_LIT("old"), .address = SPAN_LIT("a"), .seen_wall_ns = 1}};
    apply(s, &host, STORE_DONE);
    host.host.facts = SPAN_LIT("new");
    host.host.seen_wall_ns = 2;
    apply(s, &host, STORE_DONE);
    store_close(s);

    for (int mode = STORE_WRITER; mode <= STORE_READER; mode++) {
        s = made_store(&d, (enum store_mode)mode);
        expect_dump(s, made_id(1),
                    "web-1 new a 2\n"
                    "01 ada runqlat stopped 1 ended 1\n"
                    "  db-1 offline 'gone' 1 measured\n"
                    "  web-1 pending '' 0\n"
                    "  db-1 runqlat 0: \n"
                    "  web-1 runqlat 0: one\n"
                    "  web-1 runqlat 1: two\n");
        assert_int_equal(store_check(s, NULL, NULL), ERR_OK);
        store_close(s);
    }
    made_dir_done(&d);
}

static void a_part_counts_once_and_the_first_body_is_kept(void **state) {
    struct made_dir d;
    (void)state;
    made_dir(&d);
    struct store *s = made_store(&d, STORE_WRITER);
    made_put_campaign(s, made_id(1), "runqlat", hosts, 2);
    assert_int_equal(made_put_part(s, made_id(1), "db-1", "runqlat", 0, SPAN_LIT("a")), STORE_DONE);
    assert_int_equal(made_put_part(s, made_id(1), "db-1", "runqlat", 0, SPAN_LIT("a")), STORE_DUPLICATE);
    assert_int_equal(made_put_part(s, made_id(1), "db-1", "runqlat", 0, SPAN_LIT("b")), STORE_DIFFERS);
    expect_dump(s, made_id(1), "01 ada runqlat stopped 0 ended 0\n  db-1 pending '' 0\n  web-1 pending '' 0\n  db-1 runqlat 0: a\n");
    store_close(s);
    made_dir_done(&d);
}

static void nothing_is_kept_that_nobody_asked_for(void **state) {
    struct made_dir d;
    (void)state;
    made_dir(&d);
    struct store *s = made_store(&d, STORE_WRITER);
    made_put_campaign(s, made_id(1), "runqlat", hosts, 2);
    assert_int_equal(made_put_part(s, made_id(2), "db-1", "runqlat", 0, SPAN_LIT("a")), STORE_UNKNOWN);
    assert_int_equal(made_put_part(s, made_id(1), "db-9", "runqlat", 0, SPAN_LIT("a")), STORE_UNKNOWN);
    assert_int_equal(made_put_part(s, made_id(1), "db-1", "execsnoop", 0, SPAN_LIT("a")), STORE_UNKNOWN);
    struct store_op end = {.kind = STORE_END_TARGET, .target = {.campaign = made_id(1), .host = SPAN_LIT("db-9"), .coverage = COVERAGE_OK}};
    apply(s, &end, STORE_UNKNOWN);
    struct store_op over = {.kind = STORE_END_CAMPAIGN, .end = {.id = made_id(2)}};
    apply(s, &over, STORE_UNKNOWN);
    store_close(s);
    made_dir_done(&d);
}

static void a_campaign_id_is_taken_once_with_its_targets(void **state) {
    struct made_dir d;
    (void)state;
    made_dir(&d);
    struct store *s = made_store(&d, STORE_WRITER);
    made_put_campaign(s, made_id(1), "runqlat", hosts, 1);
    struct store_op again = {
        .kind = STORE_PUT_CAMPAIGN,
        .campaign = {
            .row = {.id = made_id(1), .signed_order = SPAN_LIT("x"), .operator_name = SPAN_LIT("eve"), .tool = SPAN_LIT("execsnoop")},
            .hosts = hosts,
            .n_hosts = 2}};
    apply(s, &again, STORE_DUPLICATE);
    expect_dump(s, made_id(1), "01 ada runqlat stopped 0 ended 0\n  db-1 pending '' 0\n");
    store_close(s);
    made_dir_done(&d);
}

static void campaigns_are_chosen_by_age_id_and_end(void **state) {
    struct made_dir d;
    struct buf b;
    (void)state;
    made_dir(&d);
    struct store *s = made_store(&d, STORE_WRITER);
    for (unsigned char i = 1; i <= 3; i++) made_put_campaign(s, made_id(i), "runqlat", hosts, 1);
    struct store_op over = {.kind = STORE_END_CAMPAIGN, .end = {.id = made_id(3), .ended_wall_ns = 5}};
    apply(s, &over, STORE_DONE);
    buf_init(&b, 0);
    struct store_select which = {.which = STORE_NEWEST, .limit = 2};
    assert_int_equal(store_campaigns(s, &which, say_campaign, &b), ERR_OK);
    which.which = STORE_UNENDED;
    which.limit = 1;
    assert_int_equal(store_campaigns(s, &which, say_campaign, &b), ERR_OK);
    which = (struct store_select){.which = STORE_WITHIN, .low = made_id(1), .high = made_id(2), .limit = 1};
    assert_int_equal(store_campaigns(s, &which, say_campaign, &b), ERR_OK);
    assert_int_equal(store_campaign(s, &which.low, say_campaign, &b), ERR_OK);
    which.low = made_id(9);
    assert_int_equal(store_campaign(s, &which.low, say_campaign, &b), ERR_OK); /* there is none */
    assert_string_equal(buf_str(&b), "03 ada runqlat stopped 0 ended 1\n02 ada runqlat stopped 0 ended 0\n02 ada runqlat stopped 0 ended "
                                     "0\n01 ada runqlat stopped 0 ended 0\n01 ada runqlat stopped 0 ended 0\n");
    buf_done(&b);
    store_close(s);
    made_dir_done(&d);
}

static enum err has_order(void *arg, const struct store_campaign *c) {
    bool *has = arg;
    *has = c->signed_order.n > 0;
    return ERR_OK;
}

/* "last" is asked all the time, and nothing is ever deleted. */
static void choosing_campaigns_neither_sorts_nor_scans_nor_reads_orders(void **state) {
    struct made_dir d;
    (void)state;
    made_dir(&d);
    struct store *s = made_store(&d, STORE_WRITER);
    for (unsigned char i = 1; i <= 200; i++) {
        made_put_campaign(s, made_id(i), "runqlat", hosts, 1);
        struct store_op over = {.kind = STORE_END_CAMPAIGN, .end = {.id = made_id(i), .ended_wall_ns = i == 100 ? 0 : 5}};
        apply(s, &over, STORE_DONE);
    }
    const struct store_select ways[] = {{.which = STORE_NEWEST, .limit = 1},
                                        {.which = STORE_UNENDED, .limit = 1},
                                        {.which = STORE_OLDEST, .limit = 1},
                                        {.which = STORE_WITHIN, .low = made_id(7), .high = made_id(90), .limit = 2}};
    static const enum store_sqlite_sql statements[] = {SQL_NEWEST, SQL_UNENDED, SQL_OLDEST, SQL_WITHIN};
    struct store_sqlite *q = container_of(s, struct store_sqlite, base);
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        bool order = true;
        assert_int_equal(store_campaigns(s, &ways[i], has_order, &order), ERR_OK);
        assert_false(order);
        assert_int_equal(sqlite3_stmt_status(q->prepared[statements[i]], SQLITE_STMTSTATUS_SORT, 0), 0);
        assert_true(sqlite3_stmt_status(q->prepared[statements[i]], SQLITE_STMTSTATUS_VM_STEP, 0) < 100);
    }
    struct campaign_id id = made_id(7);
    bool order = false;
    assert_int_equal(store_campaign(s, &id, has_order, &order), ERR_OK);
    assert_true(order);
    store_close(s);
    made_dir_done(&d);
}

struct left {
    uint64_t removed_wall_ns;
    size_t n, summary_bytes;
};
static enum err see_what_is_left(void *arg, const struct store_campaign *c) {
    struct left *l = arg;
    *l = (struct left){c->removed_wall_ns, l->n + 1, c->summary.n};
    return ERR_OK;
}
static enum err count_rows(void *arg, const struct store_part *p) {
    size_t *n = arg;
    (void)p;
    ++*n;
    return ERR_OK;
}

static void results_are_removed_some_rows_at_a_time_and_the_summary_stays(void **state) {
    struct made_dir d;
    struct campaign_id id = made_id(1);
    const struct store_select oldest = {.which = STORE_OLDEST, .limit = 1};
    struct left left = {.n = 0};
    size_t parts = 0, steps = 1;
    uint64_t full = 0, empty = 0;
    (void)state;
    made_dir(&d);
    struct store *s = made_store(&d, STORE_WRITER);
    made_put_campaign(s, id, "runqlat", hosts, 2);
    made_put_campaign(s, made_id(2), "runqlat", hosts, 2);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(made_put_part(s, id, "db-1", "runqlat", i, SPAN_LIT("body")), STORE_DONE);
        assert_int_equal(made_put_part(s, made_id(2), "db-1", "runqlat", i, SPAN_LIT("other")), STORE_DONE);
    }
    struct store_op remove = {.kind = STORE_REMOVE_RESULTS, .remove = {.id = id, .rows = 2, .wall_ns = 77}};
    apply(s, &remove, STORE_UNKNOWN); /* it has not ended */
    struct store_op over = {.kind = STORE_END_CAMPAIGN, .end = {.id = id, .ended_wall_ns = 5, .summary = SPAN_LIT("sum")}};
    apply(s, &over, STORE_DONE);
    assert_int_equal(store_bytes(s, &full), ERR_OK);
    struct store_op *one = &remove;
    for (remove.result = STORE_MORE; remove.result == STORE_MORE; steps++) {
        remove.remove.wall_ns = 77 + steps - 1;
        assert_int_equal(store_apply(s, &one, 1), ERR_OK);
        if (remove.result == STORE_MORE) assert_int_equal(store_campaigns(s, &oldest, see_what_is_left, &left), ERR_OK);
        assert_true(steps < 10);
    }
    assert_int_equal(remove.result, STORE_DONE);
    assert_int_equal(left.removed_wall_ns, 77); /* of the first step */
    assert_true(left.n > 2);                    /* found again while there were rests */
    left = (struct left){.n = 0};
    assert_int_equal(store_campaigns(s, &oldest, see_what_is_left, &left), ERR_OK);
    assert_int_equal(left.n, 0);
    assert_int_equal(store_campaign(s, &id, see_what_is_left, &left), ERR_OK);
    assert_true(left.n == 1 && left.removed_wall_ns == 77 && left.summary_bytes == 3);
    assert_int_equal(store_parts(s, &id, SPAN_NONE, count_rows, &parts), ERR_OK);
    assert_int_equal(parts, 0);
    assert_int_equal(made_put_part(s, id, "db-1", "runqlat", 0, SPAN_LIT("late")), STORE_UNKNOWN);
    id = made_id(2);
    assert_int_equal(store_parts(s, &id, SPAN_NONE, count_rows, &parts), ERR_OK);
    assert_int_equal(parts, 5); /* the other's are untouched */
    assert_int_equal(store_bytes(s, &empty), ERR_OK);
    assert_true(full > 0 && empty <= full);
    store_close(s);
    made_dir_done(&d);
}

static enum err stop_there(void *arg, const struct store_target *t) {
    int *n = arg;
    (void)t;
    ++*n;
    return ERR_REFUSED;
}

static void a_reader_that_stops_gets_its_own_error_back(void **state) {
    struct made_dir d;
    int n = 0;
    (void)state;
    made_dir(&d);
    struct store *s = made_store(&d, STORE_WRITER);
    made_put_campaign(s, made_id(1), "runqlat", hosts, 2);
    struct campaign_id id = made_id(1);
    assert_int_equal(store_targets(s, &id, stop_there, &n), ERR_REFUSED);
    assert_int_equal(n, 1);
    made_put_campaign(s, made_id(2), "runqlat", hosts, 2); /* the statement does not hold the store */
    store_close(s);
    made_dir_done(&d);
}

static void a_reader_sees_each_commit_and_writes_nothing(void **state) {
    struct made_dir d;
    (void)state;
    made_dir(&d);
    struct store *w = made_store(&d, STORE_WRITER), *r = made_store(&d, STORE_READER);
    made_put_campaign(w, made_id(1), "runqlat", hosts, 1);
    expect_dump(r, made_id(1), "01 ada runqlat stopped 0 ended 0\n  db-1 pending '' 0\n");
    assert_int_equal(made_put_part(w, made_id(1), "db-1", "runqlat", 0, SPAN_LIT("a")), STORE_DONE);
    expect_dump(r, made_id(1), "01 ada runqlat stopped 0 ended 0\n  db-1 pending '' 0\n  db-1 runqlat 0: a\n");
    struct store_op op = {.kind = STORE_END_CAMPAIGN, .end = {.id = made_id(1)}};
    struct store_op *ops = &op;
    assert_int_not_equal(store_apply(r, &ops, 1), ERR_OK);
    store_close(r);
    store_close(w);
    made_dir_done(&d);
}

static void an_op_that_can_never_be_written_is_refused_alone(void **state) {
    struct made_dir d;
    (void)state;
    made_dir(&d);
    struct store *s = made_store(&d, STORE_WRITER);
    const struct span twice[] = {{"a", 1}, {"a", 1}};
    struct store_op host = {.kind = STORE_PUT_HOST, .host = {.name = hosts[0], .facts = SPAN_LIT("f"), .address = SPAN_LIT("a")}};
    struct store_op bad = {
        .kind = STORE_PUT_CAMPAIGN,
        .campaign = {.row = {.id = made_id(1), .signed_order = SPAN_LIT("x"), .operator_name = SPAN_LIT("ada"), .tool = SPAN_LIT("t")},
                     .hosts = twice,
                     .n_hosts = 2}};
    struct store_op good = bad;
    good.campaign.row.id = made_id(2);
    good.campaign.n_hosts = 1;
    struct store_op *ops[] = {&host, &bad, &good};
    assert_int_equal(store_apply(s, ops, 3), ERR_OK);
    assert_int_equal(host.result, STORE_DONE);
    assert_int_equal(bad.result, STORE_REFUSED);
    assert_int_equal(good.result, STORE_DONE);
    assert_true(strstr(store_why(s), "UNIQUE") != NULL);
    expect_dump(s, made_id(1), "db-1 f a 0\n02 ada t stopped 0 ended 0\n"); /* of the bad one not even its first target */
    store_close(s);
    made_dir_done(&d);
}

static void a_second_writer_is_kept_out(void **state) {
    struct made_dir d;
    (void)state;
    made_dir(&d);
    struct store *s = made_store(&d, STORE_WRITER);
    expect_refusal(&d, STORE_WRITER, ERR_EXISTS, "another process");
    store_close(s);
    store_close(made_store(&d, STORE_WRITER));
    made_dir_done(&d);
}

static void sql(const struct made_dir *d, const char *text) {
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(d->store, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void a_newer_store_is_refused_in_words(void **state) {
    struct made_dir d;
    (void)state;
    made_dir(&d);
    store_close(made_store(&d, STORE_WRITER));
    sql(&d, "PRAGMA user_version = 99");
    expect_refusal(&d, STORE_WRITER, ERR_VERSION, "newer trawl (its version is 99");
    expect_refusal(&d, STORE_READER, ERR_VERSION, "newer trawl");
    made_dir_done(&d);
}

static void somebody_elses_database_is_refused(void **state) {
    struct made_dir d;
    (void)state;
    made_dir(&d);
    sql(&d, "CREATE TABLE mail(x)");
    expect_refusal(&d, STORE_WRITER, ERR_DAMAGED, "not a trawl store");
    made_dir_done(&d);
}

static void a_reader_does_not_make_a_store(void **state) {
    struct made_dir d;
    (void)state;
    made_dir(&d);
    expect_refusal(&d, STORE_READER, ERR_SYS, "s.db: ");
    assert_int_equal(access(d.store, F_OK), -1);
    sql(&d, "PRAGMA user_version = 0");
    expect_refusal(&d, STORE_READER, ERR_VERSION, "not been made");
    made_dir_done(&d);
}

static void a_folder_that_is_not_there_is_said(void **state) {
    struct made_dir d = {.store = "/nonexistent/trawl/s.db"};
    (void)state;
    expect_refusal(&d, STORE_WRITER, ERR_SYS, "No such file");
}

static void overwrite(const struct made_dir *d, long at, size_t n) {
    FILE *f = fopen(d->store, "r+");
    assert_non_null(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    for (size_t i = 0; i < n; i++) fputc(0xa5, f);
    assert_int_equal(fclose(f), 0);
}

static void a_damaged_header_is_refused(void **state) {
    struct made_dir d;
    (void)state;
    made_dir(&d);
    store_close(made_store(&d, STORE_WRITER));
    overwrite(&d, 0, 100);
    expect_refusal(&d, STORE_WRITER, ERR_DAMAGED, "not a database");
    made_dir_done(&d);
}

static void a_damaged_page_is_found_by_the_check_and_by_reading(void **state) {
    struct made_dir d;
    struct buf b;
    (void)state;
    made_dir(&d);
    struct store *s = made_store(&d, STORE_WRITER);
    made_put_campaign(s, made_id(1), "runqlat", hosts, 2);
    char body[3000];
    memset(body, 'x', sizeof body);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(made_put_part(s, made_id(1), "db-1", "runqlat", i, span_of(body, sizeof body)), STORE_DONE);
    store_close(s);
    struct stat st;
    assert_int_equal(stat(d.store, &st), 0);
    overwrite(&d, 10 * 4096, (size_t)st.st_size - 10 * 4096);
    s = made_store(&d, STORE_WRITER);
    assert_int_equal(store_check(s, NULL, NULL), ERR_DAMAGED);
    assert_true(strlen(store_why(s)) > 0);
    buf_init(&b, 0);
    struct campaign_id id = made_id(1);
    assert_int_equal(store_parts(s, &id, SPAN_NONE, say_part, &b), ERR_DAMAGED);
    buf_done(&b);
    store_close(s);
    made_dir_done(&d);
}

/* A disk that is full: the file may not grow any more. */
static void a_full_disk_fails_the_batch_and_the_next_try_succeeds(void **state) {
    struct made_dir d;
    struct rlimit was, small;
    (void)state;
    made_dir(&d);
    struct store *s = made_store(&d, STORE_WRITER);
    made_put_campaign(s, made_id(1), "runqlat", hosts, 2);
    static char body[60000];
    struct store_op op = {
        .kind = STORE_PUT_PART,
        .part = {.key = {.campaign = made_id(1), .host = hosts[0], .tool = SPAN_LIT("runqlat")}, .body = {body, sizeof body}}};
    struct store_op *ops = &op;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    small = was;
    small.rlim_cur = 32 * 1024;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum err e = store_apply(s, &ops, 1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(e, ERR_SYS);
    assert_true(strlen(store_why(s)) > 0);
    assert_int_equal(store_apply(s, &ops, 1), ERR_OK);
    assert_int_equal(op.result, STORE_DONE);
    store_close(s);
    made_dir_done(&d);
}

static void the_file_is_its_owners_alone(void **state) {
    struct made_dir d;
    struct stat st;
    (void)state;
    made_dir(&d);
    mode_t was = umask(0);
    struct store *s = made_store(&d, STORE_WRITER);
    umask(was);
    assert_int_equal(stat(d.store, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    store_close(s);
    made_dir_done(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_there_after_reopening),
        cmocka_unit_test(a_part_counts_once_and_the_first_body_is_kept),
        cmocka_unit_test(nothing_is_kept_that_nobody_asked_for),
        cmocka_unit_test(a_campaign_id_is_taken_once_with_its_targets),
        cmocka_unit_test(campaigns_are_chosen_by_age_id_and_end),
        cmocka_unit_test(choosing_campaigns_neither_sorts_nor_scans_nor_reads_orders),
        cmocka_unit_test(results_are_removed_some_rows_at_a_time_and_the_summary_stays),
        cmocka_unit_test(a_reader_that_stops_gets_its_own_error_back),
        cmocka_unit_test(a_reader_sees_each_commit_and_writes_nothing),
        cmocka_unit_test(an_op_that_can_never_be_written_is_refused_alone),
        cmocka_unit_test(a_second_writer_is_kept_out),
        cmocka_unit_test(a_newer_store_is_refused_in_words),
        cmocka_unit_test(somebody_elses_database_is_refused),
        cmocka_unit_test(a_reader_does_not_make_a_store),
        cmocka_unit_test(a_folder_that_is_not_there_is_said),
        cmocka_unit_test(a_damaged_header_is_refused),
        cmocka_unit_test(a_damaged_page_is_found_by_the_check_and_by_reading),
        cmocka_unit_test(a_full_disk_fails_the_batch_and_the_next_try_succeeds),
        cmocka_unit_test(the_file_is_its_owners_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
