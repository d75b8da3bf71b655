#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/loop.h"
#include "tests/support/fault.h"
#include "tests/support/gen.h"

/* ---- watches ---- */

struct bell {
    struct loop_watch watch;
    struct loop *loop;
    int fd, rung;
    struct bell *other; /* to be removed when this one rings */
    bool once, free_other;
};

static void rings(struct loop_watch *w, uint32_t events) {
    struct bell *b = container_of(w, struct bell, watch);
    eventfd_t count;
    assert_true(events & EPOLLIN);
    assert_int_equal(eventfd_read(b->fd, &count), 0);
    b->rung++;
    if (b->other) {
        loop_remove(b->loop, &b->other->watch);
        if (b->free_other) {
            close(b->other->fd);
            free(b->other);
        }
        b->other = NULL;
    }
    if (b->once) loop_remove(b->loop, w);
}

static struct bell bell_new(struct loop *l) {
    return (struct bell){.watch = {.fd = -1, .ready = rings}, .loop = l, .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
}

static void ring(const struct bell *b) { assert_int_equal(eventfd_write(b->fd, 1), 0); }

static void a_ready_descriptor_calls_its_owner(void **state) {
    (void)state;
    AUTO(loop_free) struct loop *l = loop_new();
    struct bell b = bell_new(l);
    assert_int_equal(loop_add(l, &b.watch, b.fd, EPOLLIN), ERR_OK);
    assert_int_equal(b.watch.fd, b.fd);
    assert_int_equal(loop_turn(l, 0), ERR_OK);
    assert_int_equal(b.rung, 0);
    ring(&b);
    assert_int_equal(loop_turn(l, -1), ERR_OK);
    assert_int_equal(b.rung, 1);
    assert_int_equal(loop_modify(l, &b.watch, 0), ERR_OK);
    ring(&b);
    assert_int_equal(loop_turn(l, 0), ERR_OK);
    assert_int_equal(b.rung, 1);
    assert_int_equal(loop_modify(l, &b.watch, EPOLLIN), ERR_OK);
    assert_int_equal(loop_turn(l, 0), ERR_OK);
    assert_int_equal(b.rung, 2);
    loop_remove(l, &b.watch);
    assert_int_equal(b.watch.fd, -1);
    loop_remove(l, &b.watch); /* harmless */
    ring(&b);
    assert_int_equal(loop_turn(l, 0), ERR_OK);
    assert_int_equal(b.rung, 2);
    close(b.fd);
}

static void what_cannot_be_watched_is_an_error(void **state) {
    (void)state;
    AUTO(loop_free) struct loop *l = loop_new();
    struct bell b = bell_new(l);
    assert_int_equal(loop_add(l, &b.watch, -1, EPOLLIN), ERR_SYS);
    assert_int_equal(errno, EBADF);
    assert_int_equal(b.watch.fd, -1);
    assert_int_equal(loop_modify(l, &b.watch, EPOLLIN), ERR_SYS);
    assert_int_equal(loop_add(l, &b.watch, b.fd, EPOLLIN), ERR_OK);
    struct loop_watch second = {.fd = -1, .ready = rings};
    assert_int_equal(loop_add(l, &second, b.fd, EPOLLIN), ERR_SYS);
    assert_int_equal(errno, EEXIST);
    assert_int_equal(second.fd, -1);
    close(b.fd);
    loop_free(NULL);
}

/* Both are ready in one batch; whichever is called first removes and frees the other, which must not be called any more. */
static void a_watch_removed_in_the_same_batch_is_not_called(void **state) {
    (void)state;
    AUTO(loop_free) struct loop *l = loop_new();
    for (int i = 0; i < 2; i++) {
        struct bell *a = malloc(sizeof *a), *b = malloc(sizeof *b);
        *a = bell_new(l), *b = bell_new(l);
        a->other = b, b->other = a;
        a->free_other = b->free_other = true;
        assert_int_equal(loop_add(l, &a->watch, a->fd, EPOLLIN), ERR_OK);
        assert_int_equal(loop_add(l, &b->watch, b->fd, EPOLLIN), ERR_OK);
        ring(i ? a : b);
        ring(i ? b : a);
        struct bell *winner = i ? a : b; /* epoll gives them in the order in which they became ready */
        assert_int_equal(loop_turn(l, 0), ERR_OK);
        assert_int_equal(winner->rung, 1);
        loop_remove(l, &winner->watch);
        close(winner->fd);
        free(winner);
    }
}

static void a_watch_may_remove_itself(void **state) {
    (void)state;
    AUTO(loop_free) struct loop *l = loop_new();
    struct bell b = bell_new(l);
    b.once = true;
    assert_int_equal(loop_add(l, &b.watch, b.fd, EPOLLIN), ERR_OK);
    ring(&b);
    assert_int_equal(loop_turn(l, 0), ERR_OK);
    ring(&b);
    assert_int_equal(loop_turn(l, 0), ERR_OK);
    assert_int_equal(b.rung, 1);
    close(b.fd);
}

/* ---- timers ---- */

struct alarm {
    struct loop_timer timer;
    struct loop *loop;
    uint64_t *last_due; /* of what fired before */
    size_t *fired;
    struct alarm *kill; /* cleared when this one fires */
    uint64_t again_ns;
    int times;
};

static void rises(struct loop_timer *t) {
    struct alarm *a = container_of(t, struct alarm, timer);
    assert_int_equal(t->slot, 0);
    assert_true(clock_mono_ns() >= t->due_ns);
    if (a->last_due) {
        assert_true(t->due_ns >= *a->last_due);
        *a->last_due = t->due_ns;
    }
    if (a->fired) ++*a->fired;
    a->times++;
    if (a->kill) loop_timer_clear(a->loop, &a->kill->timer);
    if (a->again_ns) assert_int_equal(loop_timer_set(a->loop, t, a->again_ns), ERR_OK);
}

static void timers_fire_once_and_in_order_however_they_were_set_and_cleared(void **state) {
    (void)state;
    enum { TIMERS = 500 };
    static struct alarm alarms[TIMERS];
    struct gen g;
    AUTO(loop_free) struct loop *l = loop_new();
    uint64_t last = 0, now = clock_mono_ns();
    size_t fired = 0, armed = 0;
    gen_init(&g);
    gen_print(&g);
    for (size_t i = 0; i < TIMERS; i++) alarms[i] = (struct alarm){.timer = {.fired = rises}, .loop = l, .last_due = &last, .fired = &fired};
    for (int step = 0; step < 5000; step++) {
        struct loop_timer *t = &alarms[gen_below(&g, TIMERS)].timer;
        if (gen_below(&g, 3) == 0) loop_timer_clear(l, t);
        else assert_int_equal(loop_timer_set(l, t, now + gen_below(&g, 30) * NS_PER_MS), ERR_OK);
    }
    for (size_t i = 0; i < TIMERS; i++) armed += alarms[i].timer.slot != 0;
    assert_true(armed > TIMERS / 3);
    for (int turns = 0; fired < armed && turns < 10000; turns++) assert_int_equal(loop_turn(l, 1000), ERR_OK);
    assert_int_equal(fired, armed);
    assert_true(clock_mono_ns() - now < 5 * NS_PER_S);
    for (size_t i = 0; i < TIMERS; i++) assert_true(alarms[i].times <= 1);
}

static void a_timer_that_arms_itself_for_the_past_does_not_keep_the_turn(void **state) {
    (void)state;
    AUTO(loop_free) struct loop *l = loop_new();
    struct alarm a = {.timer = {.fired = rises}, .loop = l, .again_ns = 1};
    assert_int_equal(loop_timer_set(l, &a.timer, 1), ERR_OK);
    assert_int_equal(loop_turn(l, -1), ERR_OK);
    assert_int_equal(loop_turn(l, -1), ERR_OK);
    assert_int_equal(a.times, 2);
    loop_timer_clear(l, &a.timer);
    loop_timer_clear(l, &a.timer);
    assert_int_equal(loop_turn(l, 0), ERR_OK);
    assert_int_equal(a.times, 2);
}

static void a_timer_cleared_by_another_of_the_same_turn_does_not_fire(void **state) {
    (void)state;
    AUTO(loop_free) struct loop *l = loop_new();
    struct alarm b = {.timer = {.fired = rises}, .loop = l};
    struct alarm a = {.timer = {.fired = rises}, .loop = l, .kill = &b};
    assert_int_equal(loop_timer_set(l, &a.timer, 1), ERR_OK);
    assert_int_equal(loop_timer_set(l, &b.timer, 2), ERR_OK);
    assert_int_equal(loop_turn(l, 0), ERR_OK);
    assert_int_equal(a.times, 1);
    assert_int_equal(b.times, 0);
    assert_int_equal(b.timer.slot, 0);
}

static void a_turn_ends_at_its_timeout_or_at_the_first_timer(void **state) {
    (void)state;
    AUTO(loop_free) struct loop *l = loop_new();
    struct alarm a = {.timer = {.fired = rises}, .loop = l};
    uint64_t begun = clock_mono_ns();
    assert_int_equal(loop_timer_set(l, &a.timer, begun + 3600 * NS_PER_S), ERR_OK);
    assert_int_equal(loop_turn(l, 20), ERR_OK);
    assert_true(clock_mono_ns() - begun >= 19 * NS_PER_MS);
    assert_int_equal(loop_timer_set(l, &a.timer, clock_mono_ns() + 20 * NS_PER_MS), ERR_OK);
    assert_int_equal(loop_turn(l, -1), ERR_OK); /* rounded up: due when epoll returns */
    assert_int_equal(a.times, 1);
    assert_int_equal(loop_timer_set(l, &a.timer, UINT64_MAX), ERR_OK);
    assert_int_equal(loop_turn(l, 1), ERR_OK);
}

/* ---- running ---- */

static void stops(struct loop_timer *t) {
    struct alarm *a = container_of(t, struct alarm, timer);
    a->times++;
    loop_stop(a->loop);
}

static void the_loop_runs_until_it_is_stopped_and_can_run_again(void **state) {
    (void)state;
    AUTO(loop_free) struct loop *l = loop_new();
    struct alarm a = {.timer = {.fired = stops}, .loop = l};
    for (int i = 1; i <= 2; i++) {
        assert_int_equal(loop_timer_set(l, &a.timer, clock_mono_ns() + NS_PER_MS), ERR_OK);
        assert_int_equal(loop_run(l), ERR_OK);
        assert_int_equal(a.times, i);
    }
    loop_stop(l); /* before it runs: then it does not */
    assert_int_equal(loop_run(l), ERR_OK);
}

struct signals_seen {
    struct loop *loop;
    int usr1, usr2;
};
static void on_signal(int signo, void *arg) {
    struct signals_seen *s = arg;
    s->usr1 += signo == SIGUSR1;
    s->usr2 += signo == SIGUSR2;
    if (s->usr1 && s->usr2) loop_stop(s->loop);
}

static void signals_come_through_the_loop(void **state) {
    (void)state;
    AUTO(loop_free) struct loop *l = loop_new();
    struct signals_seen seen = {.loop = l};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    assert_int_equal(loop_signals(l, &set, on_signal, &seen), ERR_OK);
    raise(SIGUSR1);
    raise(SIGUSR2);
    assert_int_equal(seen.usr1 + seen.usr2, 0); /* never from within */
    assert_int_equal(loop_run(l), ERR_OK);
    assert_int_equal(seen.usr1, 1);
    assert_int_equal(seen.usr2, 1);
    assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
}

static void without_memory_a_timer_is_not_armed_and_the_others_are(void **state) {
    (void)state;
    FOR_EACH_FAULT(n) {
        enum { TIMERS = 40 }; /* the heap grows twice */
        struct alarm alarms[TIMERS];
        size_t fired = 0, armed = 0;
        struct loop *l = loop_new();
        assert_int_equal(!l, fault_hit());
        for (size_t i = 0; l && i < TIMERS; i++) {
            alarms[i] = (struct alarm){.timer = {.fired = rises}, .loop = l, .fired = &fired};
            enum err e = loop_timer_set(l, &alarms[i].timer, 1);
            assert_int_equal(alarms[i].timer.slot != 0, !e);
            if (e) assert_true(e == ERR_NOMEM && fault_hit());
            armed += !e;
        }
        fault_off();
        if (!l) continue;
        assert_int_equal(armed, fault_hit() ? TIMERS - 1 : TIMERS);
        assert_int_equal(loop_turn(l, 0), ERR_OK);
        assert_int_equal(fired, armed);
        loop_free(l);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ready_descriptor_calls_its_owner),
        cmocka_unit_test(what_cannot_be_watched_is_an_error),
        cmocka_unit_test(a_watch_removed_in_the_same_batch_is_not_called),
        cmocka_unit_test(a_watch_may_remove_itself),
        cmocka_unit_test(timers_fire_once_and_in_order_however_they_were_set_and_cleared),
        cmocka_unit_test(a_timer_that_arms_itself_for_the_past_does_not_keep_the_turn),
        cmocka_unit_test(a_timer_cleared_by_another_of_the_same_turn_does_not_fire),
        cmocka_unit_test(a_turn_ends_at_its_timeout_or_at_the_first_timer),
        cmocka_unit_test(the_loop_runs_until_it_is_stopped_and_can_run_again),
        cmocka_unit_test(signals_come_through_the_loop),
        cmocka_unit_test(without_memory_a_timer_is_not_armed_and_the_others_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
