#include <stdio.h>

#include "tests/unit/net/stage.h"

static void an_agent_and_a_collector_know_each_other(void **state) {
    (void)state;
    struct stage st = {0};
    stage_open(&st, ROLE_AGENT);
    assert_string_equal(st.admitted.name, "web-1");
    assert_string_equal(rpc_peer(st.server_conn)->name, "web-1");
    assert_int_equal(rpc_peer(st.server_conn)->role, ROLE_AGENT);
    assert_true(rpc_peer(st.server_conn)->expires_wall_ns > clock_wall_ns());
    assert_string_equal(rpc_peer(st.conn)->name, "c1");
    assert_int_equal(rpc_peer(st.conn)->role, ROLE_COLLECTOR);
    assert_true(span_starts(rpc_peer_address(st.server_conn), SPAN_LIT("127.0.0.1:")));
    assert_string_equal(net_self(st.edge)->name, "web-1");
    stage_done(&st);
}

static void a_unary_call_is_answered(void **state) {
    (void)state;
    struct stage st = {0};
    struct called c;
    stage_open(&st, ROLE_OPERATOR);
    stage_call(&st, &c, RPC_CONSOLE_HIST, 0);
    assert_int_equal(rpc_send(&c.stream, SPAN_LIT("1000"), RPC_INTERACTIVE), ERR_OK);
    rpc_half_close(&c.stream); /* harmless: a unary request is complete by itself */
    UNTIL(&st, c.ended);
    assert_int_equal(c.status, RPC_OK);
    assert_int_equal(c.messages, 1);
    assert_int_equal(c.bytes, 1000);
    UNTIL(&st, stage_served(&st)->ended);
    assert_int_equal(stage_served(&st)->status, RPC_OK);
    stage_done(&st);
}

static void an_empty_message_is_a_message(void **state) {
    (void)state;
    struct stage st = {0};
    struct called c;
    stage_open(&st, ROLE_OPERATOR);
    stage_call(&st, &c, RPC_CONSOLE_HIST, 0);
    assert_int_equal(rpc_send(&c.stream, SPAN_LIT("0"), RPC_INTERACTIVE), ERR_OK);
    UNTIL(&st, c.ended);
    assert_int_equal(c.messages, 1);
    assert_int_equal(c.bytes, 0);
    stage_done(&st);
}

static void a_message_of_ten_megabytes_goes_through_whole(void **state) {
    (void)state;
    struct stage st = {0};
    struct called c;
    stage_open(&st, ROLE_OPERATOR);
    for (int i = 0; i < 2; i++) {
        stage_call(&st, &c, RPC_CONSOLE_HIST, 0);
        assert_int_equal(rpc_send(&c.stream, SPAN_LIT("10485760"), RPC_INTERACTIVE), ERR_OK);
        UNTIL(&st, c.ended);
        assert_int_equal(c.status, RPC_OK);
        assert_int_equal(c.messages, 1);
        assert_int_equal(c.bytes, 10485760);
    }
    stage_done(&st);
}

static void a_server_stream_comes_in_order_and_ends(void **state) {
    (void)state;
    struct stage st = {0};
    struct called c;
    stage_open(&st, ROLE_OPERATOR);
    stage_call(&st, &c, RPC_CONSOLE_WATCH, 0);
    assert_int_equal(rpc_send(&c.stream, SPAN_LIT("5000"), RPC_INTERACTIVE), ERR_OK);
    UNTIL(&st, c.ended);
    assert_int_equal(c.status, RPC_OK);
    assert_string_equal(c.text, "that was all");
    assert_int_equal(c.messages, 5000);
    assert_string_equal(c.last, "1");
    stage_done(&st);
}

static void a_hundred_thousand_messages_there_and_back_keep_their_order(void **state) {
    (void)state;
    struct stage st = {0};
    struct called c;
    char padding[200];
    unsigned sent = 0, again = 0;
    memset(padding, 'x', sizeof padding);
    stage_open(&st, ROLE_AGENT);
    stage_call(&st, &c, RPC_AGENTS_SESSION, 0);
    while (sent < 100000) {
        char text[256];
        int n = snprintf(text, sizeof text, "%u %.*s", sent, 60 + (int)(sent % 120), padding);
        enum err e = rpc_send(&c.stream, span_of(text, (size_t)n), RPC_BULK);
        if (e == ERR_OK) {
            sent++;
            continue;
        }
        assert_int_equal(e, ERR_AGAIN);
        again++;
        uint64_t before = c.writables;
        UNTIL(&st, c.writables > before);
    }
    rpc_half_close(&c.stream);
    UNTIL(&st, c.ended);
    assert_int_equal(c.status, RPC_OK);
    assert_int_equal(c.messages, 100000);
    assert_true(c.in_order);
    assert_true(again > 0);
    stage_done(&st);
}

static void a_caller_without_credit_waits_until_it_is_given_back(void **state) {
    (void)state;
    struct stage st = {0};
    struct called c;
    static char block[LIMIT_FRAME_BYTES];
    unsigned sent = 0;
    stage_open(&st, ROLE_AGENT);
    stage_call(&st, &c, RPC_AGENTS_SESSION, 0);
    assert_int_equal(rpc_send(&c.stream, SPAN_LIT("first"), RPC_BULK), ERR_OK);
    UNTIL(&st, c.messages == 1);
    stage_served(&st)->act = ACT_HOLD;
    enum err e;
    while ((e = rpc_send(&c.stream, span_of(block, sizeof block), RPC_BULK)) == ERR_OK) sent++;
    assert_int_equal(e, ERR_AGAIN);
    assert_int_equal(sent, LIMIT_STREAM_CREDIT_BYTES / LIMIT_FRAME_BYTES); /* the last one overdraws by 5 bytes */
    UNTIL(&st, stage_served(&st)->held == (uint64_t)sent * sizeof block);
    stage_turn(&st, 50);
    assert_int_equal(c.writables, 0);
    rpc_consumed(&stage_served(&st)->stream, stage_served(&st)->held);
    UNTIL(&st, c.writables == 1);
    assert_int_equal(rpc_send(&c.stream, span_of(block, sizeof block), RPC_BULK), ERR_OK);
    stage_done(&st);
}

/* ---- the credit of a connection ---- */

enum { BLOCK = LIMIT_FRAME_BYTES, IN_ALL = LIMIT_BULK_CREDIT_BYTES / BLOCK, CALLS = 8 };

/* Calls whose collector consumes nothing. */
static void call_held(struct stage *st, struct called *calls, struct served **served) {
    st->session_act = ACT_HOLD;
    stage_open(st, ROLE_AGENT);
    for (int i = 0; i < CALLS; i++) {
        stage_call(st, &calls[i], RPC_AGENTS_SESSION, 0);
        UNTIL(st, stage_served(st) && (i == 0 || stage_served(st) != served[i - 1]));
        served[i] = stage_served(st);
    }
}

/* Each sends until it is told to wait; how many messages went in all. */
static unsigned send_all(struct called *calls, unsigned each_most) {
    static char block[BLOCK];
    unsigned sent = 0;
    for (int i = 0; i < CALLS; i++)
        for (unsigned k = 0; k < each_most && rpc_send(&calls[i].stream, span_of(block, sizeof block), RPC_BULK) == ERR_OK; k++) sent++;
    return sent;
}

static uint64_t held_by(struct served *const *served) {
    uint64_t held = 0;
    for (int i = 0; i < CALLS; i++) held += served[i]->held;
    return held;
}

static void bulk_messages_of_all_calls_share_the_credit_of_their_connection(void **state) {
    (void)state;
    struct stage st = {0};
    struct called calls[CALLS];
    struct served *served[CALLS];
    call_held(&st, calls, served);
    assert_int_equal(send_all(calls, UINT32_MAX), IN_ALL); /* without it each could send 1 MiB */
    UNTIL(&st, held_by(served) == (uint64_t)IN_ALL * BLOCK);
    stage_turn(&st, 50);
    assert_int_equal(calls[CALLS - 1].writables, 0);
    assert_int_equal(rpc_send(&calls[CALLS - 1].stream, SPAN_LIT("now"), RPC_INTERACTIVE), ERR_OK); /* control overtakes */
    UNTIL(&st, served[CALLS - 1]->held == 3);
    for (int i = 0; i < 2; i++) rpc_consumed(&served[i]->stream, served[i]->held);
    UNTIL(&st, calls[CALLS - 1].writables == 1);
    assert_int_equal(send_all(calls, UINT32_MAX), IN_ALL / 2); /* what was given back, and no more */
    stage_done(&st);
}

/* Two calls are cancelled; how much the others can send then. */
static unsigned sent_after_cancel(bool when_it_has_come) {
    struct stage st = {0};
    struct called calls[CALLS];
    struct served *served[CALLS];
    call_held(&st, calls, served);
    assert_int_equal(send_all(calls, UINT32_MAX), IN_ALL);
    if (when_it_has_come) UNTIL(&st, held_by(served) == (uint64_t)IN_ALL * BLOCK);
    for (int i = 0; i < 2; i++) rpc_cancel(&calls[i].stream);
    UNTIL(&st, calls[CALLS - 1].writables == 1);
    UNTIL(&st, served[0]->ended && served[1]->ended);
    unsigned sent = send_all(calls, UINT32_MAX);
    stage_turn(&st, 50);
    assert_int_equal(send_all(calls, UINT32_MAX), 0);
    stage_done(&st);
    return sent;
}

static void a_call_that_ends_gives_the_connection_back_what_it_held(void **state) {
    (void)state;
    assert_int_equal(sent_after_cancel(true), IN_ALL / 2);
    assert_in_range(sent_after_cancel(false), IN_ALL / 2 - 2, IN_ALL / 2); /* what had left the queue is owed, but less than half of all */
}

static void an_interactive_message_overtakes_bulk(void **state) {
    (void)state;
    struct stage st = {0};
    struct called c;
    static char block[LIMIT_FRAME_BYTES];
    stage_open(&st, ROLE_AGENT);
    stage_call(&st, &c, RPC_AGENTS_SESSION, 0);
    for (int i = 0; i < 12; i++) assert_int_equal(rpc_send(&c.stream, span_of(block, sizeof block), RPC_BULK), ERR_OK);
    assert_int_equal(rpc_send(&c.stream, SPAN_LIT("now"), RPC_INTERACTIVE), ERR_OK);
    unsigned before = 0;
    while (strcmp(c.last, "now") != 0) {
        before = (unsigned)c.messages;
        UNTIL(&st, c.messages > before);
    }
    assert_true(before < 4); /* those that nng had already */
    UNTIL(&st, c.messages == 13);
    stage_done(&st);
}

static void a_cancelled_call_ends_on_both_sides_later(void **state) {
    (void)state;
    struct stage st = {0};
    struct called c;
    stage_open(&st, ROLE_OPERATOR);
    stage_call(&st, &c, RPC_CONSOLE_SHOW, 0);
    assert_int_equal(rpc_send(&c.stream, SPAN_LIT("1"), RPC_INTERACTIVE), ERR_OK);
    UNTIL(&st, st.served && st.served->half_closed);
    st.in_call = true;
    rpc_cancel(&c.stream);
    rpc_cancel(&c.stream);
    assert_int_equal(rpc_send(&c.stream, SPAN_LIT("1"), RPC_INTERACTIVE), ERR_GONE);
    st.in_call = false;
    assert_false(c.ended);
    UNTIL(&st, c.ended && stage_served(&st)->ended);
    assert_int_equal(c.status, RPC_CANCELLED);
    assert_int_equal(stage_served(&st)->status, RPC_CANCELLED);
    assert_int_equal(rpc_send(&c.stream, SPAN_LIT("1"), RPC_INTERACTIVE), ERR_GONE);
    stage_done(&st);
}

static void an_abandoned_call_is_cancelled_there_and_silent_here(void **state) {
    (void)state;
    struct stage st = {0};
    struct called *c = malloc(sizeof *c);
    stage_open(&st, ROLE_OPERATOR);
    stage_call(&st, c, RPC_CONSOLE_SHOW, 0);
    assert_int_equal(rpc_send(&c->stream, SPAN_LIT("1"), RPC_INTERACTIVE), ERR_OK);
    UNTIL(&st, st.served);
    rpc_abandon(&c->stream);
    free(c); /* ASan would see a callback */
    UNTIL(&st, stage_served(&st)->ended);
    assert_int_equal(stage_served(&st)->status, RPC_CANCELLED);
    stage_turn(&st, 20);
    stage_done(&st);
}

static void a_deadline_ends_the_call_on_both_sides(void **state) {
    (void)state;
    struct stage st = {0};
    struct called c;
    stage_open(&st, ROLE_OPERATOR);
    uint64_t began = clock_mono_ns();
    stage_call(&st, &c, RPC_CONSOLE_SHOW, 100);
    assert_int_equal(rpc_send(&c.stream, SPAN_LIT("1"), RPC_INTERACTIVE), ERR_OK);
    UNTIL(&st, c.ended && stage_served(&st)->ended);
    assert_true(clock_mono_ns() - began >= 100 * NS_PER_MS);
    assert_int_equal(c.status, RPC_DEADLINE_EXCEEDED);
    enum rpc_status there = stage_served(&st)->status; /* whose clock was first is open */
    assert_true(there == RPC_DEADLINE_EXCEEDED || there == RPC_CANCELLED);
    stage_call(&st, &c, RPC_CONSOLE_HIST, 10000);
    assert_int_equal(rpc_send(&c.stream, SPAN_LIT("5"), RPC_INTERACTIVE), ERR_OK);
    UNTIL(&st, c.ended);
    assert_int_equal(c.status, RPC_OK);
    stage_done(&st);
}

static void a_call_that_the_service_refuses_ends_with_its_reason(void **state) {
    (void)state;
    struct stage st = {0};
    struct called c;
    stage_open(&st, ROLE_OPERATOR);
    stage_call(&st, &c, RPC_CONSOLE_STOP, 0);
    assert_int_equal(rpc_send(&c.stream, SPAN_LIT("1"), RPC_INTERACTIVE), ERR_OK);
    UNTIL(&st, c.ended);
    assert_int_equal(c.status, RPC_FAILED_PRECONDITION);
    assert_string_equal(c.text, "not today");
    stage_done(&st);
}

static void an_agent_cannot_call_the_console(void **state) {
    (void)state;
    struct stage st = {0};
    struct called c;
    stage_open(&st, ROLE_AGENT);
    stage_call(&st, &c, RPC_CONSOLE_HOSTS, 0);
    UNTIL(&st, c.ended);
    assert_int_equal(c.status, RPC_PERMISSION_DENIED);
    assert_string_equal(c.text, "a certificate of role agent cannot call this");
    assert_null(st.served);
    stage_done(&st);
}

static void one_connection_has_64_calls_at_once_and_no_more(void **state) {
    (void)state;
    struct stage st = {0};
    static struct called c[LIMIT_STREAMS];
    struct called more;
    stage_open(&st, ROLE_OPERATOR);
    for (size_t i = 0; i < LIMIT_STREAMS; i++) stage_call(&st, &c[i], RPC_CONSOLE_SHOW, 0);
    more = (struct called){.stream.ops = c[0].stream.ops, .stage = &st};
    assert_int_equal(rpc_call(st.conn, RPC_CONSOLE_SHOW, 0, &more.stream), ERR_LIMIT);
    rpc_cancel(&c[5].stream);
    UNTIL(&st, c[5].ended);
    stage_call(&st, &more, RPC_CONSOLE_SHOW, 0);
    stage_turn(&st, 20);
    assert_false(more.ended);
    rpc_client_free(st.client);
    st.client = NULL;
    assert_null(more.stream.state); /* forgotten, no ended() */
    UNTIL(&st, st.server_closed == 1);
    assert_false(more.ended);
    stage_done(&st);
}

static void messages_over_the_method_s_limit_are_not_sent(void **state) {
    (void)state;
    struct stage st = {0};
    struct called c;
    static char block[LIMIT_REQUEST_BYTES + 1];
    stage_open(&st, ROLE_OPERATOR);
    stage_call(&st, &c, RPC_CONSOLE_SHOW, 0);
    assert_int_equal(rpc_send(&c.stream, span_of(block, sizeof block), RPC_INTERACTIVE), ERR_LIMIT);
    assert_int_equal(rpc_send(&c.stream, span_of(block, sizeof block - 1), RPC_INTERACTIVE), ERR_OK);
    rpc_cancel(&c.stream);
    UNTIL(&st, c.ended);
    stage_done(&st);
}

static int no_more_certificates(void **state) {
    (void)state;
    stage_ca_done();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_agent_and_a_collector_know_each_other),
        cmocka_unit_test(a_unary_call_is_answered),
        cmocka_unit_test(an_empty_message_is_a_message),
        cmocka_unit_test(a_message_of_ten_megabytes_goes_through_whole),
        cmocka_unit_test(a_server_stream_comes_in_order_and_ends),
        cmocka_unit_test(a_hundred_thousand_messages_there_and_back_keep_their_order),
        cmocka_unit_test(a_caller_without_credit_waits_until_it_is_given_back),
        cmocka_unit_test(bulk_messages_of_all_calls_share_the_credit_of_their_connection),
        cmocka_unit_test(a_call_that_ends_gives_the_connection_back_what_it_held),
        cmocka_unit_test(an_interactive_message_overtakes_bulk),
        cmocka_unit_test(a_cancelled_call_ends_on_both_sides_later),
        cmocka_unit_test(an_abandoned_call_is_cancelled_there_and_silent_here),
        cmocka_unit_test(a_deadline_ends_the_call_on_both_sides),
        cmocka_unit_test(a_call_that_the_service_refuses_ends_with_its_reason),
        cmocka_unit_test(an_agent_cannot_call_the_console),
        cmocka_unit_test(one_connection_has_64_calls_at_once_and_no_more),
        cmocka_unit_test(messages_over_the_method_s_limit_are_not_sent),
    };
    return cmocka_run_group_tests_name("calls", tests, NULL, no_more_certificates);
}
