/* The line to the collector: nothing that waits in the spool is lost on it, whatever happens to connections. */
#include <fcntl.h>

#include "tests/unit/agent/uplink/centre.h"

static void facts_come_first_then_what_waits_in_its_order(void **state) {
    struct centre *c = *state;
    for (uint32_t i = 0; i < 3; i++) centre_spool(c, 7, i, "body", 100);
    centre_dial(c);
    UNTIL(c, centre_parts(c, 1) == 3);
    assert_int_equal(c->heard[0].kind, FROM_AGENT_FACTS);
    assert_string_equal(c->heard[0].host, "web-1");
    for (uint32_t i = 0; i < 3; i++) {
        const struct heard *h = &c->heard[1 + i];
        assert_int_equal(h->kind, FROM_AGENT_PART);
        assert_int_equal(h->part, i);
        assert_int_equal(h->campaign, 7);
        assert_int_equal(h->body_bytes, 100);
        assert_memory_equal(h->body, "body", 4);
        assert_string_equal(h->host, "web-1"); /* net's own name: the certificate's */
    }
    assert_int_equal(c->lost, 0);
}

static void an_acknowledged_part_is_forgotten_and_no_other(void **state) {
    struct centre *c = *state;
    for (uint32_t i = 0; i < 3; i++) centre_spool(c, 7, i, "body", 10);
    centre_dial(c);
    UNTIL(c, centre_parts(c, 1) == 3);
    centre_ack(c, 7, 1);
    centre_ack(c, 7, 1); /* twice, as after a reconnect */
    centre_ack(c, 9, 0); /* of a part that is not here */
    UNTIL(c, folder_count(&c->dir) == 2);
    centre_turn(c, 50);
    assert_int_equal(folder_count(&c->dir), 2);
    assert_int_equal(spool_first(c->spool)->key.part, 0);
    assert_int_equal(spool_first(c->spool)->next->key.part, 2);
    assert_int_equal(c->troubles, 0);
}

static void a_part_spooled_later_goes_when_it_is_pushed(void **state) {
    struct centre *c = *state;
    centre_dial(c);
    centre_spool(c, 7, 0, "late", 10);
    uplink_push(c->uplink);
    uplink_push(c->uplink); /* it is sent once */
    UNTIL(c, centre_parts(c, 1) == 1);
    centre_turn(c, 50);
    assert_int_equal(centre_parts(c, 1), 1);
}

static void what_was_sent_and_not_acknowledged_is_sent_again(void **state) {
    struct centre *c = *state;
    for (uint32_t i = 0; i < 3; i++) centre_spool(c, 7, i, "body", 10);
    centre_dial(c);
    UNTIL(c, centre_parts(c, 1) == 3);
    centre_ack(c, 7, 0);
    UNTIL(c, folder_count(&c->dir) == 2);
    rpc_disconnect(c->conn, RPC_UNAVAILABLE, "the collector restarts");
    UNTIL(c, c->lost == 1);
    assert_non_null(strstr(c->lost_why, "the collector restarts"));
    centre_spool(c, 7, 3, "spooled while away", 10);
    uplink_push(c->uplink); /* nobody to push it to */
    UNTIL(c, c->sessions == 2 && centre_parts(c, 2) == 3);
    assert_int_equal(c->connected, 2);
    uint32_t want = 1;
    for (size_t i = 0; i < c->n_heard; i++)
        if (c->heard[i].session == 2 && c->heard[i].kind == FROM_AGENT_PART) assert_int_equal(c->heard[i].part, want++);
    assert_int_equal(c->lost, 1); /* one loss is told once */
}

/* The collector ends the session but keeps the line: the agent must not sit on a line without a session. */
static void a_session_that_is_ended_begins_anew(void **state) {
    struct centre *c = *state;
    centre_spool(c, 7, 0, "body", 10);
    centre_dial(c);
    UNTIL(c, centre_parts(c, 1) == 1);
    rpc_end(&c->session, RPC_RESOURCE_EXHAUSTED, "too many agents here");
    UNTIL(c, c->lost == 1);
    assert_non_null(strstr(c->lost_why, "too many agents here"));
    UNTIL(c, c->sessions == 2 && centre_parts(c, 2) == 1);
    assert_int_equal(c->lost, 1);
    assert_int_equal(c->connected, 2);
}

static void a_line_that_is_left_on_purpose_comes_again(void **state) {
    struct centre *c = *state;
    centre_spool(c, 7, 0, "body", 10);
    centre_dial(c);
    UNTIL(c, centre_parts(c, 1) == 1);
    uplink_reconnect(c->uplink);
    uplink_reconnect(c->uplink); /* twice at once */
    UNTIL(c, c->lost == 1);
    uplink_reconnect(c->uplink); /* while there is no line */
    UNTIL(c, c->sessions == 2 && centre_parts(c, 2) == 1);
    assert_int_equal(c->lost, 1);
}

static void more_than_the_credit_waits_for_the_collector(void **state) {
    enum { PARTS = 40, BYTES = LIMIT_PART_BODY_BYTES }; /* more than LIMIT_STREAM_CREDIT_BYTES in all */
    struct centre *c = *state;
    c->takes_nothing = true;
    for (uint32_t i = 0; i < PARTS; i++) centre_spool(c, 7, i, "body", BYTES);
    centre_dial(c);
    centre_turn(c, 300);
    size_t first = centre_parts(c, 1);
    assert_in_range(first, 1, LIMIT_STREAM_CREDIT_BYTES / BYTES + 1);
    centre_ack(c, 7, 0); /* and goes on hearing what the collector says */
    UNTIL(c, folder_count(&c->dir) == PARTS - 1);
    c->takes_nothing = false;
    centre_give_credit(c);
    UNTIL(c, centre_parts(c, 1) == PARTS);
    for (uint32_t i = 0; i < PARTS; i++) assert_int_equal(c->heard[1 + i].part, i);
    assert_int_equal(c->troubles, 0);
}

static void a_damaged_part_is_amended_and_all_go(void **state) {
    struct centre *c = *state;
    for (uint32_t i = 0; i < 3; i++) centre_spool(c, 7, i, "body", 100);
    char path[200];
    snprintf(path, sizeof path, "%s/07070707070707070707070707070707.0000000000.0000000001.runqlat.part", c->dir.path);
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 50), 0);
    close(fd);
    centre_dial(c);
    UNTIL(c, centre_parts(c, 1) == 3);
    assert_int_equal(c->damaged, 1);
    assert_int_equal(c->troubles, 0);
    assert_int_equal(c->heard[2].part, 1); /* Facts are the first */
    assert_string_equal(c->heard[2].body, "amended");
}

static void what_cannot_be_amended_is_told_and_the_others_go(void **state) {
    struct centre *c = *state;
    for (uint32_t i = 0; i < 3; i++) centre_spool(c, 7, i, "body", 100);
    char path[200];
    snprintf(path, sizeof path, "%s/07070707070707070707070707070707.0000000000.0000000001.runqlat.part", c->dir.path);
    assert_int_equal(truncate(path, 0), 0);
    c->amend_fails = true;
    centre_dial(c);
    UNTIL(c, centre_parts(c, 1) == 2);
    assert_int_equal(c->troubles, 1);
    assert_int_equal(c->trouble_err, ERR_SYNTAX);
}

static void orders_stops_and_nonsense_are_told_apart(void **state) {
    struct centre *c = *state;
    centre_dial(c);
    struct to_agent m = {.kind = TO_AGENT_ORDER, .order = {SPAN_LIT("spec"), SPAN_LIT("signature"), SPAN_LIT("chain")}};
    centre_say(c, &m);
    UNTIL(c, c->orders == 1);
    assert_string_equal(c->order_spec, "spec");
    m = (struct to_agent){.kind = TO_AGENT_STOP, .stop.why = SPAN_LIT("stopped by ada")};
    memset(m.stop.campaign.b, 7, sizeof m.stop.campaign.b);
    centre_say(c, &m);
    UNTIL(c, c->stops == 1);
    assert_string_equal(c->stop_why, "stopped by ada");
    assert_int_equal(rpc_send(&c->session, SPAN_LIT("\xff\xff nonsense"), RPC_INTERACTIVE), ERR_OK);
    UNTIL(c, c->troubles == 1);
    centre_say(c, &m); /* the line is still good */
    UNTIL(c, c->stops == 2);
    assert_int_equal(c->lost, 0);
}

static void parts_of_a_firing_wait_until_the_collector_knows_it(void **state) {
    struct centre *c = *state;
    c->held = 5;
    centre_spool(c, 5, 0, "held", 10);
    centre_spool(c, 7, 0, "free", 10);
    centre_dial(c);
    UNTIL(c, centre_parts(c, 1) == 1);
    centre_turn(c, 50);
    assert_int_equal(centre_parts(c, 1), 1);
    struct to_agent m = {.kind = TO_AGENT_FIRING, .stop.why = SPAN_LIT("")};
    memset(m.stop.campaign.b, 5, sizeof m.stop.campaign.b);
    centre_say(c, &m);
    UNTIL(c, c->answered == 1);
    uplink_push(c->uplink);
    UNTIL(c, centre_parts(c, 1) == 2);
}

static void triggers_come_and_go(void **state) {
    struct centre *c = *state;
    centre_dial(c);
    struct to_agent m = {.kind = TO_AGENT_ARM, .order = {SPAN_LIT("spec"), SPAN_LIT("sig"), SPAN_LIT("cert"), SPAN_LIT("")}};
    centre_say(c, &m);
    m = (struct to_agent){.kind = TO_AGENT_DISARM};
    memset(m.disarm.b, 7, sizeof m.disarm.b);
    centre_say(c, &m);
    UNTIL(c, c->armed == 1 && c->disarmed == 1);
}

static void states_are_said_only_in_a_session(void **state) {
    struct centre *c = *state;
    struct campaign_id id;
    memset(id.b, 7, sizeof id.b);
    assert_int_equal(uplink_new(c->edge, c->address, c->spool, &c->ops, &c->uplink), ERR_OK);
    uplink_state(c->uplink, &id, COVERAGE_PENDING, SPAN_NONE);
    UNTIL(c, c->connected == 1);
    uplink_state(c->uplink, &id, COVERAGE_RUNNING, SPAN_NONE);
    UNTIL(c, c->n_heard == 2);
    centre_turn(c, 50);
    assert_int_equal(c->n_heard, 2); /* facts and one state, which may overtake them */
    const struct heard *h = &c->heard[c->heard[0].kind == FROM_AGENT_FACTS];
    assert_int_equal(h->kind, FROM_AGENT_STATE);
    assert_int_equal(h->coverage, COVERAGE_RUNNING);
    assert_int_equal(h->campaign, 7);
}

static void an_attempt_that_fails_is_told_with_its_reason(void **state) {
    struct centre *c = *state;
    rpc_server_free(TAKE(c->server));
    assert_int_equal(uplink_new(c->edge, c->address, c->spool, &c->ops, &c->uplink), ERR_OK);
    UNTIL(c, c->lost >= 2); /* it goes on trying */
    assert_non_null(strstr(c->lost_why, c->address));
    assert_int_equal(c->connected, 0);
}

static void an_address_that_is_none_is_an_error(void **state) {
    struct centre *c = *state;
    assert_int_not_equal(uplink_new(c->edge, "nowhere", c->spool, &c->ops, &c->uplink), ERR_OK);
    assert_null(c->uplink);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, centre_setup, centre_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(facts_come_first_then_what_waits_in_its_order),
        TEST(an_acknowledged_part_is_forgotten_and_no_other),
        TEST(a_part_spooled_later_goes_when_it_is_pushed),
        TEST(what_was_sent_and_not_acknowledged_is_sent_again),
        TEST(a_session_that_is_ended_begins_anew),
        TEST(a_line_that_is_left_on_purpose_comes_again),
        TEST(more_than_the_credit_waits_for_the_collector),
        TEST(a_damaged_part_is_amended_and_all_go),
        TEST(what_cannot_be_amended_is_told_and_the_others_go),
        TEST(orders_stops_and_nonsense_are_told_apart),
        TEST(parts_of_a_firing_wait_until_the_collector_knows_it),
        TEST(triggers_come_and_go),
        TEST(states_are_said_only_in_a_session),
        TEST(an_attempt_that_fails_is_told_with_its_reason),
        TEST(an_address_that_is_none_is_an_error),
    };
    return cmocka_run_group_tests(tests, centre_group_setup, centre_group_teardown);
}
