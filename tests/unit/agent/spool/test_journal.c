#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/spool/journal.h"
#include "tests/support/folder.h"

static struct campaign_id id_of(unsigned char c) {
    struct campaign_id id;
    memset(id.b, c, sizeof id.b);
    return id;
}

static struct journal *open_journal(const struct folder *f, size_t want_damaged) {
    struct journal *j = NULL;
    size_t damaged = 99;
    assert_int_equal(journal_open(f->path, &damaged, &j), ERR_OK);
    assert_int_equal(damaged, want_damaged);
    return j;
}

static void an_order_is_taken_once_even_after_a_restart(void **state) {
    (void)state;
    struct folder f;
    struct campaign_id id = id_of(3);
    folder_make(&f);
    struct journal *j = open_journal(&f, 0);
    assert_null(journal_find(j, &id));
    assert_int_equal(journal_take(j, &id, &(struct journal_order){.tool = SPAN_LIT("runqlat"), .expires_wall_ms = 5000}), ERR_OK);
    assert_int_equal(journal_take(j, &id, &(struct journal_order){.tool = SPAN_LIT("runqlat"), .expires_wall_ms = 5000}), ERR_EXISTS);
    journal_close(j);
    j = open_journal(&f, 0);
    const struct journal_entry *e = journal_find(j, &id);
    assert_non_null(e);
    assert_false(e->done);
    assert_string_equal(e->tool, "runqlat");
    assert_int_equal(e->expires_wall_ms, 5000);
    assert_int_equal(journal_take(j, &id, &(struct journal_order){.tool = SPAN_LIT("runqlat"), .expires_wall_ms = 5000}), ERR_EXISTS);
    journal_close(j);
    folder_remove(&f);
}

static void a_taken_order_is_kept_until_it_is_done(void **state) {
    (void)state;
    struct folder f;
    struct campaign_id id = id_of(3);
    folder_make(&f);
    struct journal *j = open_journal(&f, 0);
    const struct span order = span_of("\0signed\n\n", 9);
    assert_int_equal(journal_take(j, &id, &(struct journal_order){SPAN_LIT("runqlat"), 5000, 1234, order}), ERR_OK);
    assert_int_equal(journal_round(j, &id, 2), ERR_OK);
    journal_close(j);
    j = open_journal(&f, 0);
    const struct journal_entry *e = journal_find(j, &id);
    assert_true(span_eq(buf_span(&e->order), order));
    assert_int_equal(e->base_wall_ms, 1234);
    assert_int_equal(e->round, 2);
    assert_int_equal(journal_done(j, &id), ERR_OK);
    journal_close(j);
    j = open_journal(&f, 0);
    assert_int_equal(journal_find(j, &id)->order.n, 0);
    journal_close(j);
    folder_remove(&f);
}

static void what_is_done_stays_done_and_is_forgotten_when_it_expires(void **state) {
    (void)state;
    struct folder f;
    struct campaign_id a = id_of(1), b = id_of(2);
    folder_make(&f);
    struct journal *j = open_journal(&f, 0);
    assert_int_equal(journal_take(j, &a, &(struct journal_order){.tool = SPAN_LIT("runqlat"), .expires_wall_ms = 1000}), ERR_OK);
    assert_int_equal(journal_take(j, &b, &(struct journal_order){.tool = SPAN_LIT("execsnoop"), .expires_wall_ms = 1000}), ERR_OK);
    assert_int_equal(journal_done(j, &a), ERR_OK);
    journal_expire(j, 999);
    assert_non_null(journal_find(j, &a));
    journal_close(j);
    j = open_journal(&f, 0);
    assert_true(journal_find(j, &a)->done);
    journal_expire(j, 1001);
    assert_null(journal_find(j, &a));
    assert_non_null(journal_find(j, &b)); /* not done: its outcome is still owed */
    assert_int_equal(folder_count(&f), 1);
    journal_close(j);
    folder_remove(&f);
}

static void a_damaged_order_file_counts_as_done_and_is_counted(void **state) {
    (void)state;
    struct folder f;
    struct campaign_id a = id_of(0x11);
    char path[128];
    folder_make(&f);
    snprintf(path, sizeof path, "%s/11111111111111111111111111111111.order", f.path);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_int_equal(write(fd, "tak", 3), 3);
    close(fd);
    struct journal *j = open_journal(&f, 1);
    assert_true(journal_find(j, &a)->done);
    assert_int_equal(journal_take(j, &a, &(struct journal_order){.tool = SPAN_LIT("runqlat"), .expires_wall_ms = 1}), ERR_EXISTS);
    journal_close(j);
    folder_remove(&f);
}

static void a_journal_that_cannot_be_written_takes_nothing(void **state) {
    (void)state;
    struct folder f;
    struct campaign_id a = id_of(1);
    folder_make(&f);
    struct journal *j = open_journal(&f, 0);
    folder_remove(&f);
    assert_int_equal(journal_take(j, &a, &(struct journal_order){.tool = SPAN_LIT("runqlat"), .expires_wall_ms = 1}), ERR_SYS);
    assert_null(journal_find(j, &a));
    assert_int_equal(journal_done(j, &a), ERR_NOTFOUND);
    journal_close(j);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_is_taken_once_even_after_a_restart),
        cmocka_unit_test(a_taken_order_is_kept_until_it_is_done),
        cmocka_unit_test(what_is_done_stays_done_and_is_forgotten_when_it_expires),
        cmocka_unit_test(a_damaged_order_file_counts_as_done_and_is_counted),
        cmocka_unit_test(a_journal_that_cannot_be_written_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
