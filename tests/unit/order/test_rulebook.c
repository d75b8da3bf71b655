/* What is armed survives a restart with what it has done; what was removed stays removed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/order/rulebook.h"
#include "tests/support/folder.h"

enum { EXPIRES_MS = 1000000 };

struct fixture {
    struct folder dir;
    struct rulebook *book;
    struct arena *mem;
};

static void reopen(struct fixture *f, size_t damaged) {
    size_t n = 0;
    rulebook_close(f->book);
    assert_int_equal(rulebook_open(f->dir.path, &n, &f->book), ERR_OK);
    assert_int_equal(n, damaged);
}

static int setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    folder_make(&f->dir);
    f->mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    reopen(f, 0);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    rulebook_close(f->book);
    folder_remove(&f->dir);
    arena_free(f->mem);
    free(f);
    return 0;
}

/* Its signature is nobody's: that is not looked at here. */
static struct rulebook_entry *add(struct fixture *f, unsigned char id, enum err want) {
    struct rule rule = {.trigger = {.version = TRIGGER_VERSION,
                                    .id.b = {id},
                                    .name = SPAN_LIT("stalls"),
                                    .when = SPAN_LIT("load1 > 3"),
                                    .what = {.version = SPEC_VERSION,
                                             .fleet = SPAN_LIT("prod"),
                                             .tool = SPAN_LIT("runqlat"),
                                             .flavour = SPAN_LIT("any"),
                                             .duration_s = 5,
                                             .selector = SPAN_LIT(""),
                                             .expires_wall_ms = EXPIRES_MS,
                                             .fired.why = SPAN_LIT(""),
                                             .fired.trigger = SPAN_LIT("")},
                                    .cooldown_s = 1,
                                    .per_hour = 2,
                                    .budget_s = 20},
                        .signer.name = "ann"};
    struct buf bytes;
    struct rulebook_entry *e = NULL;
    buf_init(&bytes, 0);
    assert_int_equal(trigger_encode(&rule.trigger, &bytes), ERR_OK);
    const struct signed_order so = {.spec = buf_span(&bytes), .signature = SPAN_LIT("sig"), .certificates = SPAN_LIT("certs")};
    assert_int_equal(rulebook_add(f->book, &so, &rule, 7, &e), want);
    buf_done(&bytes);
    return e;
}

static void what_is_armed_survives_a_restart_with_what_it_has_done(void **state) {
    struct fixture *f = *state;
    struct rulebook_entry *e = add(f, 1, ERR_OK);
    allowance_spend(&e->allowance, &e->rule.trigger, 100);
    allowance_spend(&e->allowance, &e->rule.trigger, 200);
    e->allowance.suppressed = 9;
    e->untold[e->n_untold++] = (struct rulebook_firing){.number = 2, .at_wall_ms = 200, .why = "it was so"};
    assert_int_equal(rulebook_save(f->book, e), ERR_OK);
    reopen(f, 0);
    const struct campaign_id id = {.b = {1}};
    e = rulebook_find(f->book, &id);
    assert_non_null(e);
    assert_false(e->removed);
    assert_int_equal(e->added_wall_ms, 7);
    assert_string_equal(e->rule.signer.name, "ann");
    assert_int_equal(e->rule.when.kind, WHEN_READING);
    assert_int_equal(e->allowance.fired, 2);
    assert_int_equal(e->allowance.spent_s, 10);
    assert_int_equal(e->allowance.suppressed, 9);
    assert_int_equal(e->allowance.at_wall_ms[0], 200);
    assert_int_equal(e->allowance.at_wall_ms[1], 100);
    assert_int_equal(e->n_untold, 1);
    assert_string_equal(e->untold[0].why, "it was so");
    assert_true(span_eq_str(e->signed_order.certificates, "certs"));
}

static void what_was_removed_cannot_come_again_until_it_has_expired(void **state) {
    struct fixture *f = *state;
    struct rulebook_entry *e = add(f, 1, ERR_OK);
    e->removed = true;
    assert_int_equal(rulebook_save(f->book, e), ERR_OK);
    assert_int_equal(rulebook_n(f->book), 0);
    reopen(f, 0);
    add(f, 1, ERR_EXISTS);
    assert_false(rulebook_expire(f->book, EXPIRES_MS - 1));
    assert_true(rulebook_expire(f->book, EXPIRES_MS));
    add(f, 1, ERR_OK);
}

static void a_file_that_does_not_read_is_left_alone_and_counted(void **state) {
    struct fixture *f = *state;
    char path[400];
    add(f, 1, ERR_OK);
    add(f, 2, ERR_OK);
    snprintf(path, sizeof path, "%s/01000000000000000000000000000000.trigger", f->dir.path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("trigger armed 1 2", file);
    fclose(file);
    reopen(f, 1);
    assert_int_equal(rulebook_n(f->book), 1);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(what_is_armed_survives_a_restart_with_what_it_has_done),
                                       TEST(what_was_removed_cannot_come_again_until_it_has_expired),
                                       TEST(a_file_that_does_not_read_is_left_alone_and_counted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
