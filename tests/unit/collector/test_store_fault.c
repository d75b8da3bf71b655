/* What SQLite asks of the system fails in turn: every write, sync and truncation, and every allocation.  A batch that failed is not
 * half there, and works when it is tried again; a store that could not be opened says why. */
#include "tests/unit/collector/made.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/fault.h"

enum { WHY_BYTES = 256, BODY_BYTES = 9000 /* more than a page */ };

static const struct span hosts[] = {{"db-1", 4}, {"db-2", 4}};

/* ---- SQLite's system, with failures ---- */

/* SQLite has a table of methods for databases, and another for journals and the WAL. */
static struct kind {
    const sqlite3_io_methods *real;
    sqlite3_io_methods failing;
} kinds[2];
static sqlite3_vfs failing_vfs;
static sqlite3_vfs *real_vfs;

/* In a child: it is killed before that call of the system; 0: never. */
static size_t dies_at;

static bool io_fails(void) {
    if (dies_at && --dies_at == 0) raise(SIGKILL);
    return fault_now();
}

static const sqlite3_io_methods *real_of(const sqlite3_file *f) { return f->pMethods == &kinds[0].failing ? kinds[0].real : kinds[1].real; }

static int io_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at) {
    return io_fails() ? SQLITE_IOERR_WRITE : real_of(f)->xWrite(f, p, n, at);
}
static int io_sync(sqlite3_file *f, int flags) { /* not done: no power fails here, and it takes most of the time */
    (void)f, (void)flags;
    return io_fails() ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}
static int io_truncate(sqlite3_file *f, sqlite3_int64 size) { return io_fails() ? SQLITE_IOERR_TRUNCATE : real_of(f)->xTruncate(f, size); }

/* The real file with three of its methods changed. */
static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *f, int flags, int *out_flags) {
    (void)vfs;
    int rc = real_vfs->xOpen(real_vfs, name, f, flags, out_flags);
    if (rc != SQLITE_OK || !f->pMethods) return rc;
    struct kind *k = kinds;
    while (k->real && k->real != f->pMethods) assert_true(++k < kinds + COUNT_OF(kinds));
    if (!k->real) {
        k->real = f->pMethods;
        k->failing = *k->real;
        k->failing.xWrite = io_write;
        k->failing.xSync = io_sync;
        k->failing.xTruncate = io_truncate;
    }
    f->pMethods = &k->failing;
    return rc;
}

/* Called from here, malloc and realloc are counted, as fault.h says. */
static void *mem_malloc(int n) { return malloc((size_t)n); }
static void *mem_realloc(void *p, int n) { return realloc(p, (size_t)n); }
static int mem_size(void *p) { return p ? (int)malloc_usable_size(p) : 0; }
static int mem_roundup(int n) { return (n + 7) & ~7; }
static int mem_init(void *arg) {
    (void)arg;
    return SQLITE_OK;
}
static void mem_shutdown(void *arg) { (void)arg; }

static int set_up(void **state) {
    static const sqlite3_mem_methods memory = {mem_malloc, free, mem_realloc, mem_size, mem_roundup, mem_init, mem_shutdown, NULL};
    (void)state;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &memory) || sqlite3_initialize()) return -1;
    real_vfs = sqlite3_vfs_find(NULL);
    failing_vfs = *real_vfs;
    failing_vfs.zName = "failing";
    failing_vfs.pNext = NULL;
    failing_vfs.xOpen = vfs_open;
    return sqlite3_vfs_register(&failing_vfs, 1);
}

/* ---- what is tried ---- */

/* In memory where there is such a folder: these are thousands of stores. */
static void make_folder(struct made_dir *d) {
    snprintf(d->path, sizeof d->path, "/dev/shm/trawl-test-XXXXXX");
    if (mkdtemp(d->path))
        snprintf(d->store, sizeof d->store, "%s/store", d->path);
    else
        made_dir(d);
}

static char body[BODY_BYTES];

static struct store_op part_op(const char *host) {
    return (struct store_op){
        .kind = STORE_PUT_PART,
        .part = {.key = {.campaign = made_id(1), .host = span_str(host), .tool = SPAN_LIT("runqlat")}, .body = {body, sizeof body}}};
}

static struct store_op end_op(void) {
    return (struct store_op){
        .kind = STORE_END_TARGET,
        .target = {.campaign = made_id(1), .host = hosts[0], .coverage = COVERAGE_OK, .reason = SPAN_LIT("r"), .outcome = SPAN_LIT("o")}};
}

static struct store_op host_op(void) {
    return (struct store_op){.kind = STORE_PUT_HOST, .host = {.name = hosts[0], .facts = SPAN_LIT("f"), .address = SPAN_LIT("a")}};
}

static enum err count_part(void *arg, const struct store_part *p) {
    size_t *n = arg;
    assert_int_equal(p->body.n, sizeof body);
    ++*n;
    return ERR_OK;
}

static enum err count_ended(void *arg, const struct store_target *t) {
    size_t *n = arg;
    *n += t->coverage == COVERAGE_OK;
    return ERR_OK;
}

static enum err count_host(void *arg, const struct store_host *h) {
    size_t *n = arg;
    (void)h;
    ++*n;
    return ERR_OK;
}

/* All three of the batch, or none of them. */
static bool batch_is_there(struct store *s) {
    struct campaign_id id = made_id(1);
    size_t parts = 0, ended = 0, known = 0;
    assert_int_equal(store_parts(s, &id, SPAN_NONE, count_part, &parts), ERR_OK);
    assert_int_equal(store_targets(s, &id, count_ended, &ended), ERR_OK);
    assert_int_equal(store_hosts(s, count_host, &known), ERR_OK);
    assert_true(parts == ended && ended == known && known <= 1);
    return known == 1;
}

static void a_batch_that_failed_is_not_half_there_and_can_be_tried_again(void **state) {
    (void)state;
    size_t rounds = 0;
    FOR_EACH_FAULT(n) {
        struct made_dir d;
        fault_off();
        make_folder(&d);
        struct store *s = made_store(&d, STORE_WRITER);
        made_put_campaign(s, made_id(1), "runqlat", hosts, 2);
        struct store_op part = part_op("db-1"), end = end_op(), host = host_op();
        struct store_op *ops[] = {&part, &end, &host};
        fault_on(n);
        enum err e = store_apply(s, ops, COUNT_OF(ops));
        fault_off();
        assert_true(e == ERR_OK || ((e == ERR_SYS || e == ERR_NOMEM) && fault_hit()));
        if (e) assert_true(store_why(s)[0]);
        assert_int_equal(batch_is_there(s), e == ERR_OK);
        if (e) assert_int_equal(store_apply(s, ops, COUNT_OF(ops)), ERR_OK);
        assert_true(batch_is_there(s));
        assert_int_equal(store_check(s, NULL, NULL), ERR_OK);
        store_close(s);
        s = made_store(&d, STORE_WRITER);
        assert_true(batch_is_there(s));
        store_close(s);
        made_dir_done(&d);
        rounds++;
    }
    assert_true(rounds > 20);
}

/* ---- killed ---- */

/* The collector's life: what came is applied, and acknowledged when that said so.  Killed at the n-th thing it asks of the system; exits 0
 * when there was no n-th. */
static void live(const struct made_dir *d, size_t n, int acks) {
    dies_at = n;
    char why[WHY_BYTES];
    struct store *s;
    if (store_open(d->store, STORE_WRITER, why, sizeof why, &s)) _exit(2);
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        struct store_op part = part_op(hosts[i].p), *ops = &part;
        if (store_apply(s, &ops, 1) || write(acks, "", 1) != 1) _exit(2);
    }
    _exit(0);
}

/* What the agents do afterwards: whatever they have heard of, they send all again, since acknowledgements may be lost too. */
static void send_all_again(struct store *s) {
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        struct store_op part = part_op(hosts[i].p), *ops = &part;
        assert_int_equal(store_apply(s, &ops, 1), ERR_OK);
    }
}

static size_t parts_of(struct store *s, struct span host) {
    struct campaign_id id = made_id(1);
    size_t parts = 0;
    assert_int_equal(store_parts(s, &id, host, count_part, &parts), ERR_OK);
    return parts;
}

static void killed_at_any_moment_what_was_acknowledged_is_there_and_everything_once(void **state) {
    (void)state;
    size_t killed = 0;
    fault_off();
    for (size_t n = 1;; n++) {
        struct made_dir d;
        int pipe_fds[2], status = 0;
        char acks[COUNT_OF(hosts)];
        make_folder(&d);
        struct store *s = made_store(&d, STORE_WRITER);
        made_put_campaign(s, made_id(1), "runqlat", hosts, 2);
        store_close(s);
        assert_int_equal(pipe(pipe_fds), 0);
        pid_t child = fork();
        if (child < 0) fail_msg("fork: %s", strerror(errno));
        if (child == 0) live(&d, n, pipe_fds[1]);
        close(pipe_fds[1]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) ? WEXITSTATUS(status) == 0 : WTERMSIG(status) == SIGKILL);
        ssize_t acked = read(pipe_fds[0], acks, sizeof acks);
        close(pipe_fds[0]);
        s = made_store(&d, STORE_WRITER);
        for (ssize_t i = 0; i < acked; i++) assert_int_equal(parts_of(s, hosts[i]), 1);
        send_all_again(s);
        for (size_t i = 0; i < COUNT_OF(hosts); i++) assert_int_equal(parts_of(s, hosts[i]), 1);
        assert_int_equal(store_check(s, NULL, NULL), ERR_OK);
        store_close(s);
        made_dir_done(&d);
        if (WIFEXITED(status)) break;
        killed++;
    }

    assert_true(killed > 8);
}

static void open_with_faults(bool exists) {
    size_t rounds = 0;
    FOR_EACH_FAULT(n) {
        struct made_dir d;
        char why[WHY_BYTES] = "";
        struct store *s = NULL;
        fault_off();
        make_folder(&d);
        if (exists) store_close(made_store(&d, STORE_WRITER));
        fault_on(n);
        enum err e = store_open(d.store, STORE_WRITER, why, sizeof why, &s);
        if (!e) e = store_check(s, NULL, NULL);
        fault_off();
        assert_true(e == ERR_OK || ((e == ERR_SYS || e == ERR_NOMEM) && fault_hit()));
        if (!s) assert_true(why[0]);
        store_close(s);
        s = made_store(&d, STORE_WRITER); /* what is left opens */
        assert_int_equal(store_check(s, NULL, NULL), ERR_OK);
        store_close(s);
        made_dir_done(&d);
        rounds++;
        n += n / 16; /* a store is made by thousands of allocations, most of them SQLite's own and alike */
    }
    assert_true(rounds > 20);
}

static void a_store_that_could_not_be_made_is_made_at_the_next_try(void **state) {
    (void)state;
    open_with_faults(false);
}

static void a_store_that_could_not_be_opened_is_as_it_was(void **state) {
    (void)state;
    open_with_faults(true);
}

static void reading_without_memory_is_an_error_not_an_end(void **state) {
    struct made_dir d;
    (void)state;
    make_folder(&d);
    struct store *s = made_store(&d, STORE_WRITER);
    made_put_campaign(s, made_id(1), "runqlat", hosts, 2);
    struct store_op part = part_op("db-1"), *ops = &part;
    assert_int_equal(store_apply(s, &ops, 1), ERR_OK);
    store_close(s);
    struct campaign_id id = made_id(1);
    FOR_EACH_FAULT(n) {
        size_t parts = 0, ended = 0;
        char why[WHY_BYTES];
        s = NULL;
        enum err e = store_open(d.store, STORE_READER, why, sizeof why, &s);
        if (!e) e = store_parts(s, &id, SPAN_NONE, count_part, &parts);
        if (!e) e = store_targets(s, &id, count_ended, &ended);
        fault_off();
        assert_true(e == ERR_OK || (e == ERR_NOMEM && fault_hit()));
        if (!e) assert_int_equal(parts, 1);
        store_close(s);
    }
    made_dir_done(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_that_failed_is_not_half_there_and_can_be_tried_again),
        cmocka_unit_test(killed_at_any_moment_what_was_acknowledged_is_there_and_everything_once),
        cmocka_unit_test(a_store_that_could_not_be_made_is_made_at_the_next_try),
        cmocka_unit_test(a_store_that_could_not_be_opened_is_as_it_was),
        cmocka_unit_test(reading_without_memory_is_an_error_not_an_end),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
