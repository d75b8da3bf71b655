#include "tests/unit/collector/made.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "collector/daemon/writer.h"

static const struct span hosts[] = {{"db-1", 4}};

static struct message *part(uint32_t n, struct span body) {
    struct message *m = message_new(MESSAGE_PART, body.n + 1024);
    assert_non_null(m);
    m->part.op = (struct store_op){.kind = STORE_PUT_PART,
                                   .part = {.key = {.campaign = made_id(1), .host = hosts[0], .tool = SPAN_LIT("runqlat"), .part = n},
                                            .body = arena_copy(m->mem, body)}};
    return m;
}

static struct message *campaign(unsigned char id, uint64_t question) {
    struct message *m = message_new(MESSAGE_WRITE, 4096);
    assert_non_null(m);
    m->write.ops = arena_array(m->mem, 1, sizeof *m->write.ops);
    assert_non_null(m->write.ops);
    m->write.ops[0] = (struct store_op){
        .kind = STORE_PUT_CAMPAIGN,
        .campaign = {
            .row = {.id = made_id(id), .signed_order = SPAN_LIT("x"), .operator_name = SPAN_LIT("ada"), .tool = SPAN_LIT("runqlat")},
            .hosts = hosts,
            .n_hosts = 1}};
    m->write.n = 1;
    m->write.question = question;
    return m;
}

/* The next n messages of the queue, or what came in 5 s. */
static size_t take(struct queue *q, struct message **out, size_t n, int timeout_ms) {
    size_t got = 0;
    struct pollfd fd = {.fd = queue_fd(q), .events = POLLIN};
    while (got < n && poll(&fd, 1, timeout_ms) > 0)
        for (struct queue_item *next, *item = queue_take_all(q); item; item = next) {
            next = item->next;
            assert_true(got < n);
            out[got++] = message_of(item);
        }
    return got;
}

struct thread {
    struct made_dir dir;
    struct queue *in, *out;
    struct writer *w;
};

static void start(struct thread *t) {
    made_dir(&t->dir);
    t->in = queue_new(0);
    t->out = queue_new(0);
    assert_true(t->in && t->out);
    assert_int_equal(writer_start(made_store(&t->dir, STORE_WRITER), t->in, t->out, &t->w), ERR_OK);
}

static void stop(struct thread *t) {
    writer_stop(t->w);
    message_free_all(queue_take_all(t->out));
    queue_free(t->in);
    queue_free(t->out);
}

static void messages_come_back_in_order_once_they_are_durable(void **state) {
    enum { N = 2500 };
    static struct message *got[N + 1];
    struct thread t;
    (void)state;
    start(&t);
    queue_push_always(t.in, &campaign(1, 7)->item);
    for (uint32_t i = 0; i < N; i++) queue_push_always(t.in, &part(i, SPAN_LIT("body"))->item);
    assert_int_equal(take(t.out, got, N + 1, 5000), N + 1);
    assert_int_equal(got[0]->write.question, 7);
    assert_int_equal(got[0]->write.failed, ERR_OK);
    struct store *s = made_store(&t.dir, STORE_READER);
    store_close(s);
    for (uint32_t i = 0; i < N; i++) {
        assert_int_equal(got[i + 1]->part.op.part.key.part, i);
        assert_int_equal(got[i + 1]->part.op.result, STORE_DONE);
    }
    for (size_t i = 0; i <= N; i++) message_free(got[i]);
    stop(&t);
    s = made_store(&t.dir, STORE_WRITER);
    assert_int_equal(made_put_part(s, made_id(1), "db-1", "runqlat", N - 1, SPAN_LIT("body")), STORE_DUPLICATE);
    store_close(s);
    made_dir_done(&t.dir);
}

static void what_waits_when_told_to_stop_is_written_first(void **state) {
    struct thread t;
    (void)state;
    start(&t);
    queue_push_always(t.in, &campaign(1, 0)->item);
    for (uint32_t i = 0; i < 100; i++) queue_push_always(t.in, &part(i, SPAN_LIT("body"))->item);
    stop(&t);
    struct store *s = made_store(&t.dir, STORE_WRITER);
    assert_int_equal(made_put_part(s, made_id(1), "db-1", "runqlat", 99, SPAN_LIT("body")), STORE_DUPLICATE);
    store_close(s);
    made_dir_done(&t.dir);
}

static void set_file_limit(rlim_t bytes) {
    struct rlimit r;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
    r.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static void with_a_full_disk_nothing_is_acknowledged_until_there_is_room(void **state) {
    static char body[60000];
    struct thread t;
    struct message *got[5];
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    start(&t);
    queue_push_always(t.in, &campaign(1, 1)->item);
    assert_int_equal(take(t.out, got, 1, 5000), 1);
    message_free(got[0]);
    set_file_limit(16 * 1024);
    queue_push_always(t.in, &campaign(2, 9)->item); /* somebody waits for this one: it is not kept for later */
    assert_int_equal(take(t.out, got, 3, 5000), 3);
    assert_int_equal(got[0]->kind, MESSAGE_STORE_DOWN);
    assert_int_equal(got[1]->write.question, 9);
    assert_int_equal(got[1]->write.failed, ERR_SYS);
    assert_int_equal(got[2]->kind, MESSAGE_STORE_UP); /* nothing is stuck */
    for (size_t i = 0; i < 3; i++) message_free(got[i]);
    for (uint32_t i = 0; i < 3; i++) queue_push_always(t.in, &part(i, span_of(body, sizeof body))->item);
    assert_int_equal(take(t.out, got, 2, 1500), 1);
    assert_int_equal(got[0]->kind, MESSAGE_STORE_DOWN);
    message_free(got[0]);
    set_file_limit(RLIM_INFINITY);
    assert_int_equal(take(t.out, got, 4, 5000), 4);
    assert_int_equal(got[0]->kind, MESSAGE_STORE_UP);
    message_free(got[0]);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(got[i + 1]->part.op.part.key.part, i);
        assert_int_equal(got[i + 1]->part.op.result, STORE_DONE);
        message_free(got[i + 1]);
    }
    stop(&t);
    made_dir_done(&t.dir);
}

/* Before, the batch was tried again for ever, and nothing was stored any more. */
static void a_row_that_can_never_be_written_is_dropped_and_the_others_go_on(void **state) {
    static const struct span twice[] = {{"a", 1}, {"a", 1}};
    struct thread t;
    struct message *got[4];
    (void)state;
    start(&t);
    struct message *bad = campaign(2, 9), *part_of_bad = part(0, SPAN_LIT("body"));
    bad->write.ops[0].campaign.hosts = twice;
    bad->write.ops[0].campaign.n_hosts = 2;
    part_of_bad->part.op.part.key.campaign = made_id(2);
    queue_push_always(t.in, &campaign(1, 7)->item); /* waited for as the bad one is, or that would come back ahead of it */
    queue_push_always(t.in, &bad->item);
    queue_push_always(t.in, &part(0, SPAN_LIT("body"))->item);
    queue_push_always(t.in, &part_of_bad->item);
    assert_int_equal(take(t.out, got, 4, 5000), 4);
    assert_int_equal(got[0]->write.ops[0].result, STORE_DONE);
    assert_int_equal(got[1]->write.ops[0].result, STORE_REFUSED);
    assert_int_equal(got[1]->write.failed, ERR_DAMAGED);
    assert_int_equal(got[2]->part.op.result, STORE_DONE);
    assert_int_equal(got[3]->part.op.result, STORE_UNKNOWN);
    for (size_t i = 0; i < 4; i++) message_free(got[i]);
    stop(&t);
    made_dir_done(&t.dir);
}

static void a_stop_with_a_full_disk_does_not_wait_for_ever(void **state) {
    static char body[60000];
    struct thread t;
    struct message *got[1];
    (void)state;
    start(&t);
    queue_push_always(t.in, &campaign(1, 1)->item);
    assert_int_equal(take(t.out, got, 1, 5000), 1);
    message_free(got[0]);
    set_file_limit(16 * 1024);
    for (uint32_t i = 0; i < 3; i++) queue_push_always(t.in, &part(i, span_of(body, sizeof body))->item);
    uint64_t before_ns = clock_mono_ns();
    stop(&t);
    assert_true(clock_mono_ns() - before_ns < 5 * NS_PER_S);
    set_file_limit(RLIM_INFINITY);
    made_dir_done(&t.dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_back_in_order_once_they_are_durable),
        cmocka_unit_test(what_waits_when_told_to_stop_is_written_first),
        cmocka_unit_test(with_a_full_disk_nothing_is_acknowledged_until_there_is_room),
        cmocka_unit_test(a_row_that_can_never_be_written_is_dropped_and_the_others_go_on),
        cmocka_unit_test(a_stop_with_a_full_disk_does_not_wait_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
