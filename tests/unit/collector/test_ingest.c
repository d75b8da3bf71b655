#include "collector/ingest/ingest.h"

#include <stdio.h>

#include "tests/unit/collector/world.h"

/* Where agents arrive, alone: the test is the store, core and the log. */
struct arrival {
    struct world w;
    struct ingest *in;
    struct ingest_ops ops;
    struct queue *inbox, *store, *core;
};

static void on_report(struct ingest_ops *self, enum ingest_event what, struct span host, struct span address, struct span why) {
    (void)self, (void)what, (void)host, (void)address, (void)why;
}

static void begin(struct arrival *a) {
    char why[256] = "", ca[256], cert[256], key[256];
    *a = (struct arrival){.ops = {.report = on_report}, .inbox = queue_new(0), .store = queue_new(0), .core = queue_new(0)};
    assert_true(a->inbox && a->store && a->core);
    world_make(&a->w);
    snprintf(ca, sizeof ca, "%s", ca_file(&a->w.ca, "fleet-ca.pem"));
    snprintf(cert, sizeof cert, "%s", ca_file(&a->w.ca, "collectors/c-1.pem"));
    snprintf(key, sizeof key, "%s", ca_file(&a->w.ca, "collectors/c-1.key"));
    const struct ingest_options opt = {
        .net = {.loop = a->w.loop, .files = {.ca = ca, .cert = cert, .key = key}, .fleet = "test", .software = "test 0"},
        .listen = "127.0.0.1:0",
        .ops = &a->ops,
        .inbox = a->inbox,
        .store = a->store,
        .store_cap = 1000,
        .core = a->core};
    if (ingest_new(&opt, why, sizeof why, &a->in) != ERR_OK) fail_msg("%s", why);
    a->w.agents_port = ingest_port(a->in);
}

static void end(struct arrival *a) {
    ingest_free(a->in);
    struct queue *const queues[] = {a->inbox, a->store, a->core};
    for (size_t i = 0; i < COUNT_OF(queues); i++) {
        message_free_all(queue_take_all(queues[i]));
        queue_free(queues[i]);
    }
    world_done(&a->w);
}

static void turn(struct arrival *a, int times) {
    for (int i = 0; i < times; i++) assert_int_equal(loop_turn(a->w.loop, 5), ERR_OK);
}

/* How many of these the collector takes before it makes the agent wait; at most most. */
static size_t send_until_waiting(struct arrival *a, struct fake_agent *agent, const struct from_agent *m, size_t most) {
    struct buf b;
    size_t sent = 0;
    buf_init(&b, 0);
    assert_int_equal(session_encode_from(m, &b), ERR_OK);
    for (uint64_t last_ns = clock_mono_ns(); sent < most && clock_mono_ns() - last_ns < 300 * NS_PER_MS;) {
        enum err e = rpc_send(&agent->session, buf_span(&b), RPC_BULK);
        assert_true(e == ERR_OK || e == ERR_AGAIN);
        if (e == ERR_OK) last_ns = clock_mono_ns();
        sent += e == ERR_OK;
        if (e == ERR_AGAIN || sent % 64 == 0) turn(a, 1);
    }
    buf_done(&b);
    return sent;
}

/* What core does with what it has taken: all that is on its way to it, which on a busy machine comes late. */
static void core_takes(struct arrival *a, size_t expected) {
    size_t n = 0;
    for (uint64_t until_ns = clock_mono_ns() + 10 * NS_PER_S; n < expected && clock_mono_ns() < until_ns; turn(a, 1)) {
        for (struct queue_item *next, *item = queue_take_all(a->core); item; item = next, n++) {
            next = item->next;
            struct message *m = message_of(item);
            m->taken = (struct message_taken){.session = m->agent.session, .credit = m->agent.credit};
            m->kind = MESSAGE_TAKEN;
            queue_push_always(a->inbox, &m->item);
        }
    }
    assert_int_equal(n, expected);
    turn(a, 5);
}

/* An agent that talks without end fills its own credit, not the collector's memory. */
static void an_agent_gets_credit_back_only_when_core_has_taken_its_message(void **state) {
    enum { MOST = 20000 };
    static char note[LIMIT_NOTE_BYTES];
    struct arrival a;
    struct fake_agent one;
    (void)state;
    begin(&a);
    world_agent(&a.w, &one, "web-1", "web-1");
    memset(note, 'n', sizeof note);
    const struct from_agent states = {.kind = FROM_AGENT_STATE,
                                      .state = {.coverage = COVERAGE_RUNNING, .note = span_of(note, sizeof note)}};
    size_t first = send_until_waiting(&a, &one, &states, MOST);
    assert_true(first > 100 && first <= LIMIT_STREAM_CREDIT_BYTES / sizeof note);
    core_takes(&a, first + 1); /* the facts came first */
    size_t second = send_until_waiting(&a, &one, &states, MOST);
    assert_true(second > first / 2 && second <= LIMIT_STREAM_CREDIT_BYTES / sizeof note);
    core_takes(&a, second);
    struct label long_one = {SPAN_LIT("about"), span_of(note, LIMIT_LABEL_BYTES)};
    const struct from_agent facts = {.kind = FROM_AGENT_FACTS,
                                     .facts = {.host = SPAN_LIT("web-1"), .version = SPAN_LIT("0"), .labels = &long_one, .n_labels = 1}};
    assert_true(send_until_waiting(&a, &one, &facts, MOST) <= LIMIT_STREAM_CREDIT_BYTES / LIMIT_LABEL_BYTES);
    assert_false(one.ended);
    world_agent_done(&one);
    end(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_agent_gets_credit_back_only_when_core_has_taken_its_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
