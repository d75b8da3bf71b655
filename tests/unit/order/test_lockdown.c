/* Who may lock a fleet down and lift it again, and what is remembered of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>

#include "common/base/clock.h"
#include "common/order/lockdown.h"
#include "tests/support/ca.h"
#include "tests/support/folder.h"

struct fixture {
    struct ca ca;
    struct signer *root, *runner;
    struct trust *operators;
    struct order_check check;
    struct buf bytes; /* the SignedOrder */
    struct arena *mem;
    struct lockdown got;
    char why[LIMIT_REASON_BYTES];
};

static struct signer *load(struct fixture *f, const char *cert, const char *key) {
    struct signer *s = NULL;
    if (sign_load(ca_file(&f->ca, cert), ca_file(&f->ca, key), f->why, sizeof f->why, &s)) fail_msg("%s", f->why);
    return s;
}

static int setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    ca_make(&f->ca, "prod");
    ca_run(&f->ca, "operator", "root", "--role", "admin", NULL);
    ca_run(&f->ca, "operator", "ann", "--role", "runner", NULL);
    f->root = load(f, "operators/root.pem", "operators/root.key");
    f->runner = load(f, "operators/ann.pem", "operators/ann.key");
    if (sign_trust_load(ca_file(&f->ca, "operators-ca.pem"), NULL, f->why, sizeof f->why, &f->operators)) fail_msg("%s", f->why);
    f->check = (struct order_check){.operators = f->operators, .fleet = "prod", .wall_ns = clock_wall_ns()};
    f->mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    buf_init(&f->bytes, 0);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    sign_free(f->root);
    sign_free(f->runner);
    sign_trust_free(f->operators);
    arena_free(f->mem);
    buf_done(&f->bytes);
    ca_done(&f->ca);
    free(f);
    return 0;
}

static struct statement a_lockdown(uint64_t counter, bool lifted) {
    return (struct statement){.version = LOCKDOWN_VERSION,
                              .fleet = SPAN_LIT("prod"),
                              .counter = counter,
                              .lifted = lifted,
                              .reason = SPAN_LIT("an incident"),
                              .issued_wall_ms = 1700000000000};
}

static enum err said(struct fixture *f, const struct statement *s, const struct signer *by) {
    struct signed_order so = {0};
    buf_reset(&f->bytes);
    arena_reset(f->mem);
    f->why[0] = '\0';
    assert_int_equal(lockdown_sign(s, by, &f->bytes), ERR_OK);
    assert_int_equal(spec_decode_signed(buf_span(&f->bytes), f->mem, &so), ERR_OK);
    return lockdown_verify(&so, &f->check, f->mem, f->why, sizeof f->why, &f->got);
}

static void an_admins_statement_holds(void **state) {
    struct fixture *f = *state;
    struct statement s = a_lockdown(7, false);
    assert_int_equal(said(f, &s, f->root), ERR_OK);
    assert_true(f->got.locked);
    assert_int_equal(f->got.counter, 7);
    assert_string_equal(f->got.operator_name, "root");
    s.lifted = true;
    assert_int_equal(said(f, &s, f->root), ERR_OK);
    assert_false(f->got.locked);
}

static void a_runner_a_stranger_and_another_fleet_say_nothing(void **state) {
    struct fixture *f = *state;
    struct statement s = a_lockdown(7, true);
    assert_int_equal(said(f, &s, f->runner), ERR_REFUSED);
    assert_non_null(strstr(f->why, "ann is a runner, and only admins"));
    ca_agent(&f->ca, "web-1");
    struct signer *agent = load(f, "agents/web-1.pem", "agents/web-1.key");
    assert_int_equal(said(f, &s, agent), ERR_UNTRUSTED);
    sign_free(agent);
    f->check.fleet = "test";
    assert_int_equal(said(f, &s, f->root), ERR_UNTRUSTED);
    f->check.fleet = "prod";
    s.fleet = SPAN_LIT("test");
    assert_int_equal(said(f, &s, f->root), ERR_REFUSED);
    s = a_lockdown(0, true);
    assert_int_equal(said(f, &s, f->root), ERR_SYNTAX);
    s = a_lockdown(UINT64_MAX, false); /* nothing could ever follow */
    assert_int_equal(said(f, &s, f->root), ERR_SYNTAX);
    s = a_lockdown(7, false);
    s.version = 2;
    assert_int_equal(said(f, &s, f->root), ERR_VERSION);
}

static void an_order_is_no_statement_nor_the_reverse(void **state) {
    struct fixture *f = *state;
    struct signed_order so = {0};
    struct order order;
    struct statement s = a_lockdown(7, false);
    assert_int_equal(said(f, &s, f->root), ERR_OK);
    assert_int_equal(spec_decode_signed(buf_span(&f->bytes), f->mem, &so), ERR_OK);
    assert_int_equal(order_verify(&so, &f->check, f->mem, f->why, sizeof f->why, &order), ERR_UNTRUSTED);
    assert_string_equal(f->why, "the signature does not match");
    buf_reset(&f->bytes);
    assert_int_equal(order_sign_bytes(ORDER_DOMAIN, so.spec, f->root, &f->bytes), ERR_OK);
    assert_int_equal(spec_decode_signed(buf_span(&f->bytes), f->mem, &so), ERR_OK);
    assert_int_equal(lockdown_verify(&so, &f->check, f->mem, f->why, sizeof f->why, &f->got), ERR_UNTRUSTED);
}

static void a_statement_that_comes_again_changes_nothing(void **state) {
    struct fixture *f = *state;
    const struct lockdown now = {.locked = true, .counter = 7};
    struct lockdown next = {.counter = 8};
    assert_int_equal(lockdown_is_newer(&now, &next, f->why, sizeof f->why), ERR_OK);
    next.counter = 7;
    assert_int_equal(lockdown_is_newer(&now, &next, f->why, sizeof f->why), ERR_EXISTS);
    next.counter = 6; /* an old lift */
    assert_int_equal(lockdown_is_newer(&now, &next, f->why, sizeof f->why), ERR_REFUSED);
    assert_non_null(strstr(f->why, "comes again"));
}

static void a_record_outlives_a_restart_and_a_damaged_one_locks(void **state) {
    (void)state;
    struct folder dir;
    struct lockdown got,
        l = {.locked = true, .counter = 7, .since_wall_ms = 1700000000000, .operator_name = "root", .reason = "two\nlines"};
    struct buf statement;
    char path[512];
    folder_make(&dir);
    snprintf(path, sizeof path, "%s/lockdown", dir.path);
    int fd = open(dir.path, O_RDONLY | O_DIRECTORY);
    buf_init(&statement, 0);
    assert_true(lockdown_load(path, &got, &statement)); /* there is none */
    assert_false(got.locked);
    assert_int_equal(lockdown_store(fd, "lockdown", &l, SPAN_LIT("signed")), ERR_OK);
    assert_true(lockdown_load(path, &got, &statement));
    assert_memory_equal(&got, &l, offsetof(struct lockdown, operator_name));
    assert_string_equal(got.reason, l.reason);
    assert_true(span_eq_str(buf_span(&statement), "signed"));
    lockdown_why(&got, path, sizeof path);
    assert_string_equal(path, "the fleet was locked down by root at 2023-11-14T22:13:20Z: two\nlines");
    snprintf(path, sizeof path, "%s/lockdown", dir.path);
    assert_int_equal(truncate(path, 5), 0);
    assert_false(lockdown_load(path, &got, &statement));
    assert_true(got.locked);
    assert_int_equal(got.counter, 0);
    assert_int_equal(statement.n, 0);
    buf_done(&statement);
    close(fd);
    folder_remove(&dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_admins_statement_holds),
        cmocka_unit_test(a_runner_a_stranger_and_another_fleet_say_nothing),
        cmocka_unit_test(an_order_is_no_statement_nor_the_reverse),
        cmocka_unit_test(a_statement_that_comes_again_changes_nothing),
        cmocka_unit_test(a_record_outlives_a_restart_and_a_damaged_one_locks),
    };
    return cmocka_run_group_tests_name("lockdown", tests, setup, teardown);
}
