#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/spool/spool.h"
#include "tests/support/folder.h"

static struct part_key key_of(unsigned char campaign, uint32_t part) {
    struct part_key k = {.tool = SPAN_LIT("runqlat"), .part = part};
    memset(k.campaign.b, campaign, sizeof k.campaign.b);
    return k;
}

static struct spool *open_spool(const struct folder *f, uint64_t cap) {
    struct spool *s = NULL;
    size_t strangers = 99;
    assert_int_equal(spool_open(f->path, cap, &strangers, &s), ERR_OK);
    assert_int_equal(strangers, 0);
    return s;
}

static void assert_body(struct spool *s, const struct spool_entry *e, const char *want) {
    struct buf b;
    buf_init(&b, 0);
    assert_int_equal(spool_read(s, e, &b), ERR_OK);
    assert_true(span_eq_str(buf_span(&b), want));
    buf_done(&b);
}

static void what_was_put_is_there_in_order_after_a_restart(void **state) {
    (void)state;
    struct folder f;
    folder_make(&f);
    struct spool *s = open_spool(&f, 1 << 20);
    for (uint32_t i = 0; i < 12; i++) {
        struct part_key k = key_of(7, i);
        char body[16];
        snprintf(body, sizeof body, "body %u", i);
        assert_int_equal(spool_put(s, &k, span_str(body)), ERR_OK);
    }
    uint64_t bytes = spool_bytes(s);
    spool_close(s);
    s = open_spool(&f, 1 << 20);
    assert_int_equal(spool_bytes(s), bytes);
    uint32_t want = 0;
    for (struct spool_entry *e = spool_first(s); e; e = e->next, want++) {
        char body[16];
        snprintf(body, sizeof body, "body %u", want);
        assert_int_equal(e->key.part, want);
        assert_true(span_eq_str(e->key.tool, "runqlat"));
        assert_body(s, e, body);
    }
    assert_int_equal(want, 12);
    spool_close(s);
    folder_remove(&f);
}

static void an_acknowledged_part_is_gone_and_a_second_ack_is_harmless(void **state) {
    (void)state;
    struct folder f;
    folder_make(&f);
    struct spool *s = open_spool(&f, 1 << 20);
    struct part_key a = key_of(1, 0), b = key_of(1, 1);
    assert_int_equal(spool_put(s, &a, SPAN_LIT("a")), ERR_OK);
    assert_int_equal(spool_put(s, &b, SPAN_LIT("b")), ERR_OK);
    assert_int_equal(spool_put(s, &b, SPAN_LIT("b")), ERR_EXISTS);
    assert_int_equal(spool_remove(s, &b), ERR_OK);
    assert_int_equal(spool_remove(s, &b), ERR_NOTFOUND);
    assert_int_equal(folder_count(&f), 1);
    struct part_key c = key_of(1, 2);
    assert_int_equal(spool_put(s, &c, SPAN_LIT("c")), ERR_OK); /* behind a removed last one */
    assert_int_equal(spool_first(s)->next->key.part, 2);
    spool_close(s);
    folder_remove(&f);
}

static void over_the_cap_a_part_is_refused_and_nothing_is_dropped(void **state) {
    (void)state;
    struct folder f;
    folder_make(&f);
    struct spool *s = open_spool(&f, 64);
    struct part_key a = key_of(1, 0), b = key_of(1, 1);
    assert_int_equal(spool_put(s, &a, SPAN_LIT("twenty bytes of body")), ERR_OK);
    assert_int_equal(spool_put(s, &b, SPAN_LIT("forty bytes of body, which are too many.")), ERR_LIMIT);
    assert_int_equal(folder_count(&f), 1);
    assert_body(s, spool_first(s), "twenty bytes of body");
    spool_close(s);
    folder_remove(&f);
}

static void an_outcome_alone_may_use_the_reserve(void **state) {
    (void)state;
    struct folder f;
    folder_make(&f);
    struct spool *s = open_spool(&f, 64);
    struct part_key a = key_of(1, 0), b = key_of(2, 0), c = key_of(3, 0);
    assert_int_equal(spool_put(s, &a, SPAN_LIT("forty bytes and more of body, so it is full")), ERR_OK);
    assert_int_equal(spool_put(s, &b, SPAN_LIT("a result")), ERR_LIMIT);
    assert_int_equal(spool_put_outcome(s, &b, SPAN_LIT("what became of it")), ERR_OK);
    for (uint32_t i = 0; spool_bytes(s) + 50000 < 64 + SPOOL_RESERVE_BYTES; i++) {
        static char much[50000 - 100];
        c.part = i;
        assert_int_equal(spool_put_outcome(s, &c, span_of(much, sizeof much)), ERR_OK);
    }
    static char more[50000];
    c.part = 99;
    assert_int_equal(spool_put_outcome(s, &c, span_of(more, sizeof more)), ERR_LIMIT); /* the reserve has an end too */
    spool_close(s);
    folder_remove(&f);
}

static void what_a_crash_left_half_written_is_cleared_away(void **state) {
    (void)state;
    struct folder f;
    folder_make(&f);
    char path[200];
    snprintf(path, sizeof path, "%s/.01010101010101010101010101010101.0000000000.0000000000.runqlat.part.tmp", f.path);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    spool_close(open_spool(&f, 64));
    assert_int_equal(folder_count(&f), 0);
    folder_remove(&f);
}

static void a_file_cut_or_altered_is_damaged_and_a_stranger_is_left_alone(void **state) {
    (void)state;
    struct folder f;
    folder_make(&f);
    struct spool *s = open_spool(&f, 1 << 20);
    struct part_key a = key_of(1, 0);
    assert_int_equal(spool_put(s, &a, SPAN_LIT("a body of some length")), ERR_OK);
    char path[200];
    snprintf(path, sizeof path, "%s/01010101010101010101010101010101.0000000000.0000000000.runqlat.part", f.path);
    assert_int_equal(truncate(path, 20), 0);
    struct buf b;
    buf_init(&b, 0);
    assert_int_equal(spool_read(s, spool_first(s), &b), ERR_DAMAGED);
    assert_int_equal(b.n, 0);
    spool_close(s);
    snprintf(path, sizeof path, "%s/letter-to-nobody", f.path);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    size_t strangers = 0;
    assert_int_equal(spool_open(f.path, 1 << 20, &strangers, &s), ERR_OK);
    assert_int_equal(strangers, 1);
    assert_int_equal(access(path, F_OK), 0);
    spool_close(s);
    buf_done(&b);
    folder_remove(&f);
}

static void a_campaign_given_up_leaves_the_others(void **state) {
    (void)state;
    struct folder f;
    folder_make(&f);
    struct spool *s = open_spool(&f, 1 << 20);
    for (uint32_t i = 0; i < 3; i++) {
        struct part_key a = key_of(1, i), b = key_of(2, i);
        assert_int_equal(spool_put(s, &a, SPAN_LIT("a")), ERR_OK);
        assert_int_equal(spool_put(s, &b, SPAN_LIT("b")), ERR_OK);
    }
    struct part_key a = key_of(1, 0);
    spool_remove_round(s, &a.campaign, a.round);
    size_t left = 0;
    for (struct spool_entry *e = spool_first(s); e; e = e->next, left++) assert_int_equal(e->key.campaign.b[0], 2);
    assert_int_equal(left, 3);
    assert_int_equal(folder_count(&f), 3);
    spool_close(s);
    folder_remove(&f);
}

static void a_new_connection_sends_everything_again(void **state) {
    (void)state;
    struct folder f;
    folder_make(&f);
    struct spool *s = open_spool(&f, 1 << 20);
    struct part_key a = key_of(1, 0);
    assert_int_equal(spool_put(s, &a, SPAN_LIT("a")), ERR_OK);
    spool_first(s)->sent = true;
    spool_unsend(s);
    assert_false(spool_first(s)->sent);
    spool_close(s);
    folder_remove(&f);
}

static void what_the_disk_does_not_take_waits_in_memory_up_to_a_bound(void **state) {
    (void)state;
    struct folder f;
    folder_make(&f);
    struct spool *s = open_spool(&f, 1 << 20);
    struct part_key a = key_of(1, 0), b = key_of(2, 0);
    static char large[SPOOL_KEPT_BYTES];
    assert_int_equal(spool_keep(s, &a, SPAN_LIT("the disk was full")), ERR_OK);
    assert_int_equal(spool_keep(s, &a, SPAN_LIT("again")), ERR_EXISTS);
    assert_int_equal(spool_keep(s, &b, span_of(large, sizeof large)), ERR_LIMIT);
    assert_int_equal(folder_count(&f), 0);
    assert_int_equal(spool_bytes(s), 0);
    assert_body(s, spool_first(s), "the disk was full");
    assert_int_equal(spool_remove(s, &a), ERR_OK);
    assert_int_equal(spool_keep(s, &b, span_of(large, sizeof large)), ERR_OK); /* there is room again */
    spool_close(s);
    folder_remove(&f);
}

static void a_folder_that_is_not_there_is_an_error(void **state) {
    (void)state;
    struct spool *s = NULL;
    size_t strangers;
    assert_int_equal(spool_open("/nonexistent/spool", 1, &strangers, &s), ERR_SYS);
    assert_null(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_there_in_order_after_a_restart),
        cmocka_unit_test(an_acknowledged_part_is_gone_and_a_second_ack_is_harmless),
        cmocka_unit_test(over_the_cap_a_part_is_refused_and_nothing_is_dropped),
        cmocka_unit_test(an_outcome_alone_may_use_the_reserve),
        cmocka_unit_test(what_a_crash_left_half_written_is_cleared_away),
        cmocka_unit_test(a_file_cut_or_altered_is_damaged_and_a_stranger_is_left_alone),
        cmocka_unit_test(a_campaign_given_up_leaves_the_others),
        cmocka_unit_test(a_new_connection_sends_everything_again),
        cmocka_unit_test(what_the_disk_does_not_take_waits_in_memory_up_to_a_bound),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
