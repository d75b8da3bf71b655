#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/auto.h"
#include "common/order/course.h"
#include "common/order/sample.h"

static struct spec plain(void) {
    return (struct spec){.duration_s = 10, .issued_wall_ms = 1000000, .expires_wall_ms = 1000000 + 3600 * 1000};
}

static void expect(const struct spec *s, enum err e, const char *words) {
    char why[256] = "";
    assert_int_equal(course_check(s, why, sizeof why), e);
    assert_string_equal(why, words);
}

static void what_can_be_done_is_good(void **state) {
    struct share waves[] = {{.count = 1}, {.permille = 50}, {.permille = 300}};
    struct spec s = plain();
    (void)state;
    expect(&s, ERR_OK, "");
    s.waves = waves;
    s.n_waves = 3;
    s.rate_per_s = 50;
    s.rounds = 10;
    s.every_s = 60;
    expect(&s, ERR_OK, "");
    assert_int_equal(course_seconds(&s), 9 * 60 + 10);
}

static void what_cannot_be_done_is_said(void **state) {
    struct share waves[] = {{.permille = 300}, {.permille = 50}};
    (void)state;
    struct spec s = plain();
    s.rounds = 3;
    s.every_s = 9;
    expect(&s, ERR_SYNTAX, "a round of 10 seconds does not fit into 9 seconds");
    s.every_s = 3000;
    expect(&s, ERR_SYNTAX, "the order expires before its last round ends");
    s = plain();
    s.every_s = 10;
    expect(&s, ERR_SYNTAX, "one capture has no interval between rounds");
    s = plain();
    s.start_wall_ms = s.issued_wall_ms + 5000;
    expect(&s, ERR_OK, "");
    s.concurrency = 1;
    expect(&s, ERR_SYNTAX, "hosts that start at a time together cannot have waves, a rate or a concurrency as well");
    s.concurrency = 0;
    s.start_wall_ms = s.expires_wall_ms;
    expect(&s, ERR_SYNTAX, "the order expires before the captures that start at its time end");
    s = plain();
    s.waves = waves;
    s.n_waves = 2;
    expect(&s, ERR_SYNTAX, "each wave reaches more hosts than the one before: wave 2 does not");
}

static void shares_are_rounded_up_and_never_more_than_all(void **state) {
    (void)state;
    assert_int_equal(share_of((struct share){.permille = 100}, 3), 1);
    assert_int_equal(share_of((struct share){.permille = 1000}, 3), 3);
    assert_int_equal(share_of((struct share){.count = 5}, 3), 3);
    assert_int_equal(share_of((struct share){.permille = 1}, 100000), 100);
}

static void the_order_of_hosts_is_the_same_everywhere(void **state) {
    struct span hosts[] = {SPAN_LIT("web-1"), SPAN_LIT("web-2"), SPAN_LIT("web-3"), SPAN_LIT("db-1")};
    struct span again[] = {hosts[3], hosts[1], hosts[2], hosts[0]};
    (void)state;
    assert_int_equal(sample_hash(0, SPAN_LIT("")), 0x1e924b9d737700d7ULL); /* SipHash-2-4 of nothing with a key of zeroes */
    assert_int_equal(sample_sort(42, hosts, COUNT_OF(hosts)), ERR_OK);
    assert_int_equal(sample_sort(42, again, COUNT_OF(again)), ERR_OK);
    for (size_t i = 0; i < COUNT_OF(hosts); i++) assert_true(span_eq(hosts[i], again[i]));
    assert_true(sample_hash(42, SPAN_LIT("web-1")) != sample_hash(43, SPAN_LIT("web-1")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_be_done_is_good),
        cmocka_unit_test(what_cannot_be_done_is_said),
        cmocka_unit_test(shares_are_rounded_up_and_never_more_than_all),
        cmocka_unit_test(the_order_of_hosts_is_the_same_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
