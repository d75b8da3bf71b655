/* A whole capture with each allocation failing in turn: whatever fails, an order that was taken is never forgotten. */
#include <signal.h>

#include "tests/support/fault.h"
#include "tests/unit/agent/daemon/stage.h"

enum { ROUNDS_MAX = 255 };

/* An order for each round, made before anything fails. */
struct orders {
    struct arena *mem;
    struct signed_order so[ROUNDS_MAX + 1];
};

static void make_orders(struct stage *s, struct orders *o) {
    struct buf bytes;
    buf_init(&bytes, 0);
    o->mem = arena_new(16 << 20);
    for (unsigned i = 1; i <= ROUNDS_MAX; i++) {
        const struct spec spec = stage_spec((unsigned char)i);
        buf_reset(&bytes);
        assert_int_equal(order_sign(&spec, s->ann, &bytes), ERR_OK);
        struct span kept = arena_copy(o->mem, buf_span(&bytes));
        assert_int_equal(spec_decode_signed(kept, o->mem, &o->so[i]), ERR_OK);
    }
    buf_done(&bytes);
}

/* Play the runner for whatever was asked. */
static bool play(struct stage *s) {
    bool ran = false;
    while (!stage_asked_nothing(s)) {
        int fds[2];
        struct request r = stage_asked(s);
        if (r.kind != REQUEST_RUN) continue;
        ran = true;
        stage_started(s, r.run, fds);
        IGNORED(write(fds[0], STAGE_HISTOGRAM.p, STAGE_HISTOGRAM.n) < 0); /* nobody may be there to read it */
        stage_ended(s, r.run, fds);
        stage_turn(s, 0);
    }
    return ran;
}

static void an_order_that_was_taken_is_never_forgotten(void **state) {
    struct stage *s = *state;
    struct orders *orders = calloc(1, sizeof *orders);
    unsigned rounds = 0, ran_and_failed = 0;
    assert_non_null(orders);
    make_orders(s, orders);
    signal(SIGPIPE, SIG_IGN);
    FOR_EACH_FAULT(n) {
        assert_true(n <= ROUNDS_MAX);
        captures_order(s->captures, &orders->so[n]);
        bool ran = play(s);
        bool failed = fault_hit();
        fault_off();
        struct told t;
        bool told = stage_told(s, (unsigned char)n, &t);
        const struct campaign_id id = stage_id((unsigned char)n);
        const struct journal_entry *e = journal_find(s->journal, &id);
        if (ran && !told && !(e && !e->done)) fail_msg("round %zu: it ran and nothing tells what became of it", n);
        if (e && e->done && !told) fail_msg("round %zu: done, and no outcome", n);
        if (!failed) assert_true(told && t.outcome.coverage == COVERAGE_OK && t.hist_total == 130);
        if (told && t.outcome.coverage == COVERAGE_OK) assert_int_equal(t.hist_total, 130);
        ran_and_failed += ran && failed;
        rounds++;
        stage_acknowledge(s);
    }
    assert_true(rounds > 20 && ran_and_failed > 5); /* it was worth it */
    captures_recover(s->captures);                  /* what was not told is told now */
    for (const struct journal_entry *e = journal_first(s->journal); e; e = e->next) assert_true(e->done);
    arena_free(orders->mem);
    free(orders);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_order_that_was_taken_is_never_forgotten, stage_setup, stage_teardown),
    };
    return cmocka_run_group_tests(tests, stage_group_setup, stage_group_teardown);
}
