#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>

#include <cmocka.h>

#include "common/base/queue.h"
#include "tests/support/fault.h"

int __real_eventfd(unsigned count, int flags);
int __wrap_eventfd(unsigned count, int flags);
int __wrap_eventfd(unsigned count, int flags) { return fault_now() ? -1 : __real_eventfd(count, flags); }

struct parcel {
    struct queue_item item;
    unsigned from, number;
};

static bool ready(const struct queue *q, int timeout_ms) {
    struct pollfd p = {.fd = queue_fd(q), .events = POLLIN};
    return poll(&p, 1, timeout_ms) == 1;
}

static void items_come_in_order_and_the_fd_tells(void **state) {
    (void)state;
    struct parcel p[3];
    AUTO(queue_free) struct queue *q = queue_new(0);
    assert_false(ready(q, 0));
    assert_null(queue_take_all(q));
    for (unsigned i = 0; i < 3; i++) assert_int_equal(queue_push(q, &p[i].item), ERR_OK);
    assert_int_equal(queue_waiting(q), 3);
    assert_true(ready(q, 0));
    struct queue_item *item = queue_take_all(q);
    for (unsigned i = 0; i < 3; i++, item = item->next) assert_ptr_equal(item, &p[i].item);
    assert_null(item);
    assert_false(ready(q, 0));
    assert_int_equal(queue_waiting(q), 0);
    assert_int_equal(queue_push(q, &p[0].item), ERR_OK); /* readable again */
    assert_true(ready(q, 0));
    assert_ptr_equal(queue_take_all(q), &p[0].item);
    queue_free(NULL);
}

static void a_full_queue_takes_control_messages_only(void **state) {
    (void)state;
    struct parcel p[3];
    AUTO(queue_free) struct queue *q = queue_new(1);
    assert_int_equal(queue_push(q, &p[0].item), ERR_OK);
    assert_int_equal(queue_push(q, &p[1].item), ERR_AGAIN);
    queue_push_always(q, &p[2].item);
    assert_int_equal(queue_waiting(q), 2);
    struct queue_item *item = queue_take_all(q);
    assert_ptr_equal(item, &p[0].item);
    assert_ptr_equal(item->next, &p[2].item);
    assert_int_equal(queue_push(q, &p[1].item), ERR_OK);
    assert_non_null(queue_take_all(q));
}

static void what_is_pushed_ahead_is_taken_first(void **state) {
    (void)state;
    struct parcel p[6];
    AUTO(queue_free) struct queue *q = queue_new(1);
    const unsigned ahead[] = {0, 1, 0, 1, 1, 0}, order[] = {1, 3, 4, 0, 2, 5};
    for (unsigned i = 0; i < 6; i++) ahead[i] ? queue_push_ahead(q, &p[i].item) : queue_push_always(q, &p[i].item);
    struct queue_item *item = queue_take_all(q);
    for (unsigned i = 0; i < 6; i++, item = item->next) assert_ptr_equal(item, &p[order[i]].item);
    assert_null(item);
    queue_push_always(q, &p[2].item);
    queue_push_ahead(q, &p[1].item); /* the first place, after everything was taken */
    assert_ptr_equal(queue_take(q, 1), &p[1].item);
    assert_ptr_equal(queue_take(q, 1), &p[2].item);
    assert_null(queue_take(q, 1));
}

static void some_can_be_taken_and_the_rest_waits(void **state) {
    (void)state;
    struct parcel p[6];
    AUTO(queue_free) struct queue *q = queue_new(0);
    for (unsigned i = 0; i < 4; i++) i < 3 ? queue_push_ahead(q, &p[i].item) : queue_push_always(q, &p[i].item);
    struct queue_item *item = queue_take(q, 2);
    assert_ptr_equal(item, &p[0].item);
    assert_ptr_equal(item->next, &p[1].item);
    assert_null(item->next->next);
    assert_int_equal(queue_waiting(q), 2);
    assert_true(ready(q, 0));
    queue_push_ahead(q, &p[4].item); /* behind the one that is ahead still */
    queue_push_always(q, &p[5].item);
    assert_ptr_equal(queue_take(q, 1), &p[2].item);
    assert_ptr_equal(queue_take(q, 1), &p[4].item);
    queue_push_ahead(q, &p[0].item);
    item = queue_take(q, 3);
    assert_ptr_equal(item, &p[0].item);
    assert_ptr_equal(item->next, &p[3].item);
    assert_ptr_equal(item->next->next, &p[5].item);
    assert_false(ready(q, 0));
}

static void who_pushes_ahead_without_end_leaves_others_their_share(void **state) {
    enum { ALL = 40, MOST = 8 };
    struct parcel p[ALL];
    AUTO(queue_free) struct queue *q = queue_new(0);
    (void)state;
    for (unsigned i = 0; i < ALL; i++) i < 30 ? queue_push_ahead(q, &p[i].item) : queue_push_always(q, &p[i].item);
    unsigned ahead = 0, rest = 30;
    for (unsigned turn = 0; turn < ALL / MOST; turn++) {
        struct queue_item *item = queue_take(q, MOST);
        for (unsigned i = 0; i < MOST - MOST / QUEUE_SHARE; i++, item = item->next) assert_ptr_equal(item, &p[ahead++].item);
        for (unsigned i = 0; i < MOST / QUEUE_SHARE; i++, item = item->next) assert_ptr_equal(item, &p[rest++].item);
        assert_null(item);
    }
    assert_false(ready(q, 0));
}

enum { SENDERS = 4, PARCELS = 5000 };
struct sender {
    struct queue *q;
    unsigned number;
};

static void *send_all(void *arg) {
    const struct sender *s = arg;
    for (unsigned i = 0; i < PARCELS;) {
        struct parcel *p = malloc(sizeof *p);
        *p = (struct parcel){.from = s->number, .number = i};
        if (s->number == 0)
            queue_push_ahead(s->q, &p->item);
        else if (i % 7 == 0)
            queue_push_always(s->q, &p->item);
        else
            while (queue_push(s->q, &p->item)) sched_yield();
        i++;
    }
    return NULL;
}

static void nothing_is_lost_or_reordered_between_threads(void **state) {
    (void)state;
    pthread_t threads[SENDERS];
    struct sender senders[SENDERS];
    unsigned next[SENDERS] = {0}, total = 0;
    AUTO(queue_free) struct queue *q = queue_new(50);
    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){q, i};
        assert_int_equal(pthread_create(&threads[i], NULL, send_all, &senders[i]), 0);
    }
    while (total < SENDERS * PARCELS) {
        assert_true(ready(q, 20000)); /* a lost wake-up would end here */
        for (struct queue_item *item = queue_take(q, 1 + total % 11), *following; item; item = following) {
            struct parcel *p = container_of(item, struct parcel, item);
            following = item->next;
            assert_int_equal(p->number, next[p->from]++);
            total++;
            free(p);
        }
    }
    for (unsigned i = 0; i < SENDERS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(queue_waiting(q), 0);
}

static void without_memory_or_descriptors_there_is_no_queue(void **state) {
    (void)state;
    FOR_EACH_FAULT(n) {
        struct queue *q = queue_new(3);
        assert_int_equal(q == NULL, fault_hit());
        queue_free(q);
        if (!q) assert_true(n <= 2);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_in_order_and_the_fd_tells),
        cmocka_unit_test(a_full_queue_takes_control_messages_only),
        cmocka_unit_test(what_is_pushed_ahead_is_taken_first),
        cmocka_unit_test(some_can_be_taken_and_the_rest_waits),
        cmocka_unit_test(who_pushes_ahead_without_end_leaves_others_their_share),
        cmocka_unit_test(nothing_is_lost_or_reordered_between_threads),
        cmocka_unit_test(without_memory_or_descriptors_there_is_no_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
