/* Every allocation, write, fsync and rename fails in turn: what was promised is there after a restart, what failed is not, and works
 * when it is tried again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/spool/journal.h"
#include "agent/spool/spool.h"
#include "tests/support/fault_file.h"
#include "tests/support/folder.h"

enum { CAP_BYTES = 1 << 20, PARTS = 3 };

static struct campaign_id id_of(unsigned char c) {
    struct campaign_id id;
    memset(id.b, c, sizeof id.b);
    return id;
}

static struct part_key key_of(uint32_t part) { return (struct part_key){.campaign = id_of(1), .tool = SPAN_LIT("runqlat"), .part = part}; }

static struct spool *open_spool(const struct folder *f) {
    struct spool *s = NULL;
    size_t strangers = 99;
    assert_int_equal(spool_open(f->path, CAP_BYTES, &strangers, &s), ERR_OK);
    assert_int_equal(strangers, 0);
    return s;
}

static struct journal *open_journal(const struct folder *f) {
    struct journal *j = NULL;
    size_t damaged = 99;
    assert_int_equal(journal_open(f->path, &damaged, &j), ERR_OK);
    assert_int_equal(damaged, 0);
    return j;
}

static size_t count(struct spool *s) {
    size_t n = 0;
    for (const struct spool_entry *e = spool_first(s); e; e = e->next) n++;
    return n;
}

static void assert_failed_or_not(enum err e) {
    if (fault_hit())
        assert_true(e == ERR_NOMEM || e == ERR_SYS);
    else
        assert_int_equal(e, ERR_OK);
}

static void put_parts(struct spool *s) {
    for (uint32_t i = 0; i < PARTS; i++) {
        struct part_key k = key_of(i);
        assert_int_equal(spool_put(s, &k, SPAN_LIT("body")), ERR_OK);
    }
}

static void a_part_that_could_not_be_put_is_nowhere_and_can_be_put_again(void **state) {
    (void)state;
    struct part_key k = key_of(PARTS);
    size_t rounds = 0;
    FOR_EACH_FAULT(n) {
        struct folder f;
        fault_off();
        folder_make(&f);
        struct spool *s = open_spool(&f);
        put_parts(s);
        uint64_t bytes = spool_bytes(s);
        fault_on(n);
        enum err e = spool_put(s, &k, SPAN_LIT("the last one"));
        fault_off();
        assert_failed_or_not(e);
        assert_int_equal(count(s), PARTS + (e == ERR_OK));
        assert_int_equal(folder_count(&f), PARTS + (e == ERR_OK));
        if (e) assert_int_equal(spool_bytes(s), bytes);
        if (e) assert_int_equal(spool_put(s, &k, SPAN_LIT("the last one")), ERR_OK);
        spool_close(s);
        s = open_spool(&f);
        assert_int_equal(count(s), PARTS + 1);
        spool_close(s);
        folder_remove(&f);
        rounds++;
    }
    assert_true(rounds > 8); /* openat, write, fchmod, fsync, close, renameat, fsync of the folder, and memory */
}

static void a_write_cut_short_is_gone_on_with(void **state) {
    (void)state;
    struct folder f;
    struct buf body;
    folder_make(&f);
    struct spool *s = open_spool(&f);
    fault_file_longest_write(5);
    put_parts(s);
    fault_file_longest_write(SIZE_MAX);
    buf_init(&body, 0);
    assert_int_equal(spool_read(s, spool_first(s), &body), ERR_OK);
    assert_true(span_eq_str(buf_span(&body), "body"));
    buf_done(&body);
    spool_close(s);
    folder_remove(&f);
}

static void a_spool_is_opened_with_all_its_parts_or_not_at_all(void **state) {
    (void)state;
    struct folder f;
    folder_make(&f);
    struct spool *s = open_spool(&f);
    put_parts(s);
    spool_close(s);
    FOR_EACH_FAULT(n) {
        size_t strangers = 99;
        s = NULL;
        enum err e = spool_open(f.path, CAP_BYTES, &strangers, &s);
        fault_off();
        assert_failed_or_not(e);
        assert_int_equal(s != NULL, e == ERR_OK);
        assert_int_equal(strangers, e ? 99 : 0);
        if (e) continue;
        assert_int_equal(count(s), PARTS);
        spool_close(s);
    }
    assert_int_equal(folder_count(&f), PARTS);
    folder_remove(&f);
}

static void a_part_is_read_whole_or_not_and_still_waits(void **state) {
    (void)state;
    struct folder f;
    folder_make(&f);
    struct spool *s = open_spool(&f);
    put_parts(s);
    FOR_EACH_FAULT(n) {
        struct buf body;
        buf_init(&body, 0);
        enum err e = spool_read(s, spool_first(s), &body);
        fault_off();
        assert_true(e == ERR_OK || (e == ERR_NOMEM && fault_hit())); /* never damaged */
        assert_int_equal(body.n, e ? 0 : strlen("body"));
        assert_int_equal(count(s), PARTS);
        buf_done(&body);
    }
    spool_close(s);
    folder_remove(&f);
}

static void what_is_kept_in_memory_is_kept_or_refused(void **state) {
    (void)state;
    struct part_key k = key_of(9);
    FOR_EACH_FAULT(n) {
        struct folder f;
        fault_off();
        folder_make(&f);
        struct spool *s = open_spool(&f);
        fault_on(n);
        enum err e = spool_keep(s, &k, SPAN_LIT("failed: the disk"));
        fault_off();
        assert_int_equal(e, fault_hit() ? ERR_NOMEM : ERR_OK);
        assert_int_equal(count(s), e == ERR_OK);
        assert_int_equal(folder_count(&f), 0);
        spool_close(s);
        folder_remove(&f);
    }
}

static void an_order_that_could_not_be_noted_is_not_taken(void **state) {
    (void)state;
    struct campaign_id id = id_of(7);
    size_t rounds = 0;
    FOR_EACH_FAULT(n) {
        struct folder f;
        fault_off();
        folder_make(&f);
        struct journal *j = open_journal(&f);
        fault_on(n);
        enum err e = journal_take(j, &id, &(struct journal_order){.tool = SPAN_LIT("runqlat"), .expires_wall_ms = 5000});
        fault_off();
        assert_failed_or_not(e);
        assert_int_equal(journal_find(j, &id) != NULL, e == ERR_OK);
        assert_int_equal(folder_count(&f), e == ERR_OK);
        if (e)
            assert_int_equal(journal_take(j, &id, &(struct journal_order){.tool = SPAN_LIT("runqlat"), .expires_wall_ms = 5000}), ERR_OK);
        journal_close(j);
        j = open_journal(&f);
        assert_false(journal_find(j, &id)->done);
        journal_close(j);
        folder_remove(&f);
        rounds++;
    }
    assert_true(rounds > 8);
}

/* An end that did not reach the disk: taken or done there, but never damaged, and never forgotten. */
static void an_end_that_could_not_be_noted_leaves_the_order_known(void **state) {
    (void)state;
    struct campaign_id id = id_of(7);
    FOR_EACH_FAULT(n) {
        struct folder f;
        fault_off();
        folder_make(&f);
        struct journal *j = open_journal(&f);
        assert_int_equal(journal_take(j, &id, &(struct journal_order){.tool = SPAN_LIT("runqlat"), .expires_wall_ms = 5000}), ERR_OK);
        fault_on(n);
        enum err e = journal_done(j, &id);
        fault_off();
        assert_failed_or_not(e);
        assert_int_equal(journal_take(j, &id, &(struct journal_order){.tool = SPAN_LIT("runqlat"), .expires_wall_ms = 5000}), ERR_EXISTS);
        journal_close(j);
        j = open_journal(&f);
        assert_non_null(journal_find(j, &id));
        if (!e) assert_true(journal_find(j, &id)->done);
        journal_close(j);
        folder_remove(&f);
    }
}

static void without_memory_no_order_counts_as_damaged(void **state) {
    (void)state;
    struct folder f;
    struct campaign_id a = id_of(1), b = id_of(2);
    folder_make(&f);
    struct journal *j = open_journal(&f);
    assert_int_equal(journal_take(j, &a, &(struct journal_order){.tool = SPAN_LIT("runqlat"), .expires_wall_ms = 5000}), ERR_OK);
    assert_int_equal(journal_take(j, &b, &(struct journal_order){.tool = SPAN_LIT("execsnoop"), .expires_wall_ms = 5000}), ERR_OK);
    journal_close(j);
    FOR_EACH_FAULT(n) {
        size_t damaged = 99;
        j = NULL;
        enum err e = journal_open(f.path, &damaged, &j);
        fault_off();
        assert_true(e == ERR_OK || (e == ERR_NOMEM && fault_hit())); /* a failed close of what was read does not count */
        assert_int_equal(damaged, e ? 99 : 0);
        if (e) continue;
        assert_false(journal_find(j, &a)->done || journal_find(j, &b)->done);
        journal_close(j);
    }
    folder_remove(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_that_could_not_be_put_is_nowhere_and_can_be_put_again),
        cmocka_unit_test(a_write_cut_short_is_gone_on_with),
        cmocka_unit_test(a_spool_is_opened_with_all_its_parts_or_not_at_all),
        cmocka_unit_test(a_part_is_read_whole_or_not_and_still_waits),
        cmocka_unit_test(what_is_kept_in_memory_is_kept_or_refused),
        cmocka_unit_test(an_order_that_could_not_be_noted_is_not_taken),
        cmocka_unit_test(an_end_that_could_not_be_noted_leaves_the_order_known),
        cmocka_unit_test(without_memory_no_order_counts_as_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
