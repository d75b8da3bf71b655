#include <stdio.h>
#include <sys/socket.h>

#include "common/net/rpc_control.h"
#include "tests/unit/net/raw.h"

static bool says(const char *text, const char *part) {
    bool yes = span_find_span(span_str(text), span_str(part)) < strlen(text);
    if (!yes) print_error("\"%s\" does not say \"%s\"\n", text, part);
    return yes;
}

static void stand(struct stage *st, enum role role) {
    stage_listen(st, role, NULL);
    net_times(st->center)->dead_ms = 1000;
    net_times(st->center)->linger_ms = 20;
}

/* Whatever was done to it, the listener still serves. */
static void still_serves(struct stage *st, const char *who) {
    unsigned opened = st->opened;
    net_times(st->center)->first_frame_ms = LINK_FIRST_FRAME_MS;
    stage_dial(st, who, false);
    UNTIL(st, st->opened == opened + 1);
    stage_done(st);
}

static void connect_as_agent(struct raw *r) {
    raw_connect(r);
    if (!raw_tls(r, stage_ca(), "agents/web-1", TLS1_3_VERSION)) abort();
}

static void connect_as_operator(struct raw *r) {
    raw_connect(r);
    if (!raw_tls(r, stage_ca(), "operators/ada", TLS1_3_VERSION)) abort();
}

/* ---- before there is TLS ---- */

static void speak_http(struct raw *r) {
    raw_connect(r);
    raw_write(r, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
    raw_at_end(r);
}

static void who_does_not_speak_tls_is_turned_away(void **state) {
    (void)state;
    struct stage st = {0};
    stand(&st, ROLE_AGENT);
    raw_run(&st, speak_http, NULL);
    UNTIL(&st, st.refused == 1);
    assert_true(says(st.refused_text, "not the TLS that is spoken here"));
    still_serves(&st, "agents/web-1");
}

static void say_nothing(struct raw *r) {
    raw_connect(r);
    raw_at_end(r);
}

static void a_silent_connection_is_closed_after_the_first_frame_s_time(void **state) {
    (void)state;
    struct stage st = {0};
    stand(&st, ROLE_AGENT);
    net_times(st.center)->first_frame_ms = 300;
    uint64_t began = clock_mono_ns();
    raw_run(&st, say_nothing, NULL);
    uint64_t took = clock_mono_ns() - began;
    assert_true(took >= 300 * NS_PER_MS && took < 10 * NS_PER_S);
    UNTIL(&st, st.refused == 1);
    assert_string_equal(st.refused_text, "no greeting in time");
    still_serves(&st, "agents/web-1");
}

static void tls_and_nothing(struct raw *r) {
    raw_connect(r);
    *(bool *)r->arg = raw_tls(r, stage_ca(), "agents/web-1", TLS1_3_VERSION);
    raw_at_end(r);
}

static void silence_after_tls_is_closed_too(void **state) {
    (void)state;
    struct stage st = {0};
    stand(&st, ROLE_AGENT);
    bool stood = false;
    unsigned tries = 0;
    for (uint32_t ms = 300; !stood; ms *= 2) { /* a busy machine may not come through the handshake in the first */
        net_times(st.center)->first_frame_ms = ms;
        raw_run(&st, tls_and_nothing, &stood);
        tries++;
        UNTIL(&st, st.refused == tries);
        assert_string_equal(st.refused_text, "no greeting in time");
    }
    still_serves(&st, "agents/web-1");
}

static void half_a_hello_then_reset(struct raw *r) {
    raw_connect(r);
    raw_write(r, "\x16\x03\x01\x02\x00\x01\x00", 7);
    raw_reset(r);
}

static void aborted_handshakes_leave_the_listener_alive(void **state) {
    (void)state;
    struct stage st = {0};
    stand(&st, ROLE_AGENT);
    for (unsigned i = 1; i <= 60; i++) {
        raw_run(&st, half_a_hello_then_reset, NULL);
        UNTIL(&st, st.refused == i);
    }
    still_serves(&st, "agents/web-1");
}

/* ---- frames that break the protocol ---- */

struct bad {
    const char *name;
    raw_script *script;
    const char *reason; /* in the Refuse that comes back */
};

static void ping_first(struct raw *r) { raw_put(r, FRAME_PING, 0, 0, SPAN_NONE); }
static void call_first(struct raw *r) { raw_call(r, 1, "trawl.Agents/Session"); }
static void welcome_first(struct raw *r) { raw_put(r, FRAME_WELCOME, 0, 0, SPAN_NONE); }
static void garbage_hello(struct raw *r) { raw_put(r, FRAME_HELLO, 0, 0, SPAN_LIT("\xff\xff\xff\xff\xff\xff\xff")); }
static void long_first(struct raw *r) {
    static char zeros[LIMIT_FRAME_BYTES];
    raw_put(r, FRAME_MESSAGE, 0, 1, span_of(zeros, sizeof zeros));
}
static void future_version(struct raw *r) {
    char out[FRAME_CONTROL_BYTES];
    raw_put(r, FRAME_HELLO, 0, 0, rpc_control_put_hello((struct rpc_control_hello){2, 9}, "x", out));
}
static void random_bytes(struct raw *r) { raw_write(r, "\xde\xad\xbe\xef\xde\xad\xbe\xef\xde\xad\xbe\xef\xde\xad\xbe\xef", 16); }
static void twice_hello(struct raw *r) {
    char out[FRAME_CONTROL_BYTES];
    raw_greet(r);
    raw_put(r, FRAME_HELLO, 0, 0, rpc_control_put_hello((struct rpc_control_hello){1, 1}, "x", out));
}
static void out_of_sequence(struct raw *r) {
    raw_greet(r);
    r->sequence = 7;
    raw_put(r, FRAME_PING, 0, 0, SPAN_NONE);
}
static void unknown_type(struct raw *r) {
    raw_greet(r);
    raw_put(r, (enum frame_type)77, 0, 0, SPAN_NONE);
}
static void unknown_flag(struct raw *r) {
    raw_greet(r);
    raw_put(r, FRAME_PING, 4, 0, SPAN_NONE);
}
static void huge_length(struct raw *r) {
    raw_greet(r);
    raw_write(r, "\x7f\xff\xff\xff\x08\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01", 16);
}
static void message_of_no_call(struct raw *r) {
    raw_greet(r);
    raw_put(r, FRAME_MESSAGE, 0, 5, SPAN_LIT("x"));
}
static void same_call_twice(struct raw *r) {
    raw_greet(r);
    raw_call(r, 1, "trawl.Agents/Session");
    raw_call(r, 1, "trawl.Agents/Session");
}
static void garbage_call(struct raw *r) {
    raw_greet(r);
    raw_put(r, FRAME_CALL, 0, 1, SPAN_LIT("\xff\xff\xff"));
}
static void status_from_the_caller(struct raw *r) {
    raw_greet(r);
    raw_call(r, 1, "trawl.Agents/Session");
    raw_put(r, FRAME_STATUS, 0, 1, SPAN_NONE);
}
static void too_much_credit(struct raw *r) {
    char out[FRAME_CONTROL_BYTES];
    raw_greet(r);
    raw_call(r, 1, "trawl.Agents/Session");
    raw_put(r, FRAME_CREDIT, 0, 1, rpc_control_put_credit(1, out));
}

static void too_much_bulk_credit(struct raw *r) {
    char out[FRAME_CONTROL_BYTES];
    raw_greet(r);
    raw_call(r, 1, "trawl.Agents/Session");
    raw_put(r, FRAME_CREDIT, 0, 0, rpc_control_put_credit(1, out));
}
static void endless_message(struct raw *r) {
    static char zeros[LIMIT_FRAME_BYTES];
    raw_greet(r);
    raw_call(r, 1, "trawl.Agents/Session");
    for (int i = 0; i < 3; i++) raw_put(r, FRAME_MESSAGE, FRAME_MORE, 1, span_of(zeros, sizeof zeros));
}

static const struct bad bad[] = {
    {"ping first", ping_first, "a heartbeat before the greeting"},
    {"call first", call_first, "its first frame is not Hello"},
    {"welcome first", welcome_first, "its first frame is not Hello"},
    {"garbage hello", garbage_hello, "the greeting cannot be read"},
    {"long first", long_first, "a long frame before the greeting"},
    {"future version", future_version, "protocol version 1 is spoken here, the peer offers 2 to 9"},
    {"random bytes", random_bytes, "a frame of unknown type"},
    {"twice hello", twice_hello, "a greeting on an open connection"},
    {"out of sequence", out_of_sequence, "a frame out of sequence"},
    {"unknown type", unknown_type, "a frame of unknown type"},
    {"unknown flag", unknown_flag, "a frame with unknown flags"},
    {"huge length", huge_length, "a frame longer than its type may be"},
    {"message of no call", message_of_no_call, "a frame of a call that never was"},
    {"same call twice", same_call_twice, "a call that has no place"},
    {"garbage call", garbage_call, "a call that cannot be read"},
    {"status from the caller", status_from_the_caller, "a status that has no place"},
    {"too much credit", too_much_credit, "a credit that cannot be"},
    {"too much credit of the connection", too_much_bulk_credit, "a credit that cannot be"},
    {"endless message", endless_message, "a message larger than its method allows"},
};

struct told {
    const struct bad *bad;
    char text[STAGE_TEXT];
};

static void be_bad(struct raw *r) {
    struct told *t = r->arg;
    connect_as_agent(r);
    t->bad->script(r);
    if (!raw_get_until(r, FRAME_REFUSE)) return;
    AUTO(arena_free) struct arena *mem = arena_new(65536);
    struct rpc_control_reason reason;
    if (rpc_control_get_refuse(span_of(r->payload, r->frame.length), mem, &reason)) abort();
    snprintf(t->text, sizeof t->text, "%.*s", (int)reason.text.n, reason.text.p);
}

static void who_breaks_the_protocol_is_told_how_and_closed(void **state) {
    (void)state;
    struct stage st = {0};
    stand(&st, ROLE_AGENT);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct told t = {.bad = &bad[i]};
        raw_run(&st, be_bad, &t);
        if (!says(t.text, bad[i].reason)) fail_msg("%s", bad[i].name);
        UNTIL(&st, st.refused + st.server_closed == i + 1);
    }
    still_serves(&st, "agents/web-1");
}

struct offer {
    uint32_t low, high;
    bool welcome;
    uint32_t version; /* of the Welcome */
};

static void offer_versions(struct raw *r) {
    struct offer *o = r->arg;
    char out[FRAME_CONTROL_BYTES];
    connect_as_agent(r);
    raw_put(r, FRAME_HELLO, 0, 0, rpc_control_put_hello((struct rpc_control_hello){o->low, o->high}, "raw", out));
    o->welcome = raw_get(r) && r->frame.type == FRAME_WELCOME;
    AUTO(arena_free) struct arena *mem = arena_new(65536);
    struct rpc_control_welcome w;
    if (o->welcome && !rpc_control_get_welcome(span_of(r->payload, r->frame.length), mem, &w)) o->version = w.version;
}

static void versions_that_overlap_are_welcome_and_others_are_not(void **state) {
    (void)state;
    static const struct offer offers[] = {{1, 1, true, 1},  {1, 9, true, 1},  {0, 1, true, 1}, {0, UINT32_MAX, true, 1},
                                          {2, 9, false, 0}, {0, 0, false, 0}, {9, 1, false, 0}};
    struct stage st = {0};
    stand(&st, ROLE_AGENT);
    for (size_t i = 0; i < COUNT_OF(offers); i++) {
        struct offer o = {.low = offers[i].low, .high = offers[i].high};
        raw_run(&st, offer_versions, &o);
        if (o.welcome != offers[i].welcome || o.version != offers[i].version) fail_msg("%u to %u", o.low, o.high);
    }
    still_serves(&st, "agents/web-1");
}

/* Random frames after a good greeting: nothing may break but the connection. */
static void fuzz(struct raw *r) {
    unsigned seed = *(unsigned *)r->arg;
    char payload[64];
    connect_as_agent(r);
    raw_greet(r);
    raw_call(r, 1, "trawl.Agents/Session");
    for (int i = 0; i < 20; i++) {
        for (size_t j = 0; j < sizeof payload; j++) payload[j] = (char)(rand_r(&seed) & 0xff);
        unsigned type = 5 + (unsigned)rand_r(&seed) % 8, stream = (unsigned)rand_r(&seed) % 3;
        size_t n = (unsigned)rand_r(&seed) % 3 ? 0 : (unsigned)rand_r(&seed) % sizeof payload;
        raw_put(r, (enum frame_type)type, (uint8_t)(rand_r(&seed) % 4), stream, span_of(payload, n));
    }
    raw_put(r, FRAME__COUNT, 0, 0, SPAN_NONE);
    raw_at_end(r);
}

static void random_frames_break_nothing(void **state) {
    (void)state;
    struct stage st = {0};
    stand(&st, ROLE_AGENT);
    for (unsigned seed = 1; seed <= 30; seed++) {
        unsigned s = seed;
        raw_run(&st, fuzz, &s);
    }
    UNTIL(&st, st.server_closed == 30);
    still_serves(&st, "agents/web-1");
}

/* ---- calls that are answered with a status ---- */

static void call_nothing(struct raw *r) {
    connect_as_agent(r);
    raw_greet(r);
    raw_call(r, 1, "trawl.Agents/Sessions");
    if (!raw_get_until(r, FRAME_STATUS)) abort();
    AUTO(arena_free) struct arena *mem = arena_new(65536);
    struct rpc_control_reason reason;
    if (rpc_control_get_status(span_of(r->payload, r->frame.length), mem, &reason)) abort();
    *(enum rpc_status *)r->arg = reason.status;
    raw_put(r, FRAME_MESSAGE, 0, 1, SPAN_LIT("late, and fine"));
    raw_put(r, FRAME_CANCEL, 0, 1, SPAN_NONE);
    raw_put(r, FRAME_PING, 0, 0, SPAN_NONE);
    if (!raw_get_until(r, FRAME_PONG)) abort();
}

static void an_unknown_method_is_unimplemented_and_late_frames_are_fine(void **state) {
    (void)state;
    struct stage st = {0};
    enum rpc_status status = RPC_OK;
    stand(&st, ROLE_AGENT);
    raw_run(&st, call_nothing, &status);
    assert_int_equal(status, RPC_UNIMPLEMENTED);
    still_serves(&st, "agents/web-1");
}

/* ---- disconnects ---- */

static void say_something_and_close(struct raw *r) {
    connect_as_agent(r);
    raw_greet(r);
    raw_call(r, 1, "trawl.Agents/Session");
    raw_put(r, FRAME_MESSAGE, 0, 1, SPAN_LIT("0 last words"));
    shutdown(r->fd, SHUT_WR); /* the end comes together with the data; nng forgets it */
    raw_at_end(r);
}

static void a_disconnect_right_after_data_is_noticed_at_once(void **state) {
    (void)state;
    struct stage st = {0};
    stage_listen(&st, ROLE_AGENT, NULL);
    for (unsigned i = 1; i <= 25; i++) {
        raw_run(&st, say_something_and_close, NULL);
        UNTIL(&st, st.server_closed == i); /* the watchdog would take 45 s */
        assert_int_equal(st.server_why, ERR_GONE);
    }
    for (struct served *v = st.served; v; v = v->next) assert_int_equal(v->status, RPC_UNAVAILABLE);
    still_serves(&st, "agents/web-1");
}

static void reset_in_a_call(struct raw *r) {
    connect_as_agent(r);
    raw_greet(r);
    raw_call(r, 1, "trawl.Agents/Session");
    raw_put(r, FRAME_MESSAGE, 0, 1, SPAN_LIT("0 x"));
    if (!raw_get_until(r, FRAME_MESSAGE)) abort();
    raw_reset(r);
}

static void a_reset_ends_the_calls_of_the_connection(void **state) {
    (void)state;
    struct stage st = {0};
    stage_listen(&st, ROLE_AGENT, NULL);
    raw_run(&st, reset_in_a_call, NULL);
    UNTIL(&st, st.server_closed == 1);
    assert_true(st.served->ended);
    assert_int_equal(st.served->status, RPC_UNAVAILABLE);
    still_serves(&st, "agents/web-1");
}

/* ---- peers that do not read ---- */

/* Their windows fill up soon enough: a window made smaller under way would let the kernel throw away acknowledgements too. */
static void flood_with_pings(struct raw *r) {
    connect_as_agent(r);
    raw_greet(r);
    struct timeval patience = {.tv_sec = 30}; /* on a busy machine the other side may take its time */
    if (setsockopt(r->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience)) abort();
    char bytes[FRAME_HEADER_BYTES * 512];
    for (int i = 0; i < 2000; i++) {
        for (size_t j = 0; j < 512; j++) {
            struct frame f = {.type = FRAME_PING, .sequence = r->sequence++};
            frame_encode(&f, bytes + j * FRAME_HEADER_BYTES);
        }
        size_t put;
        if (SSL_write_ex(r->ssl, bytes, sizeof bytes, &put) != 1) return;
    }
}

static void who_asks_and_never_reads_is_closed(void **state) {
    (void)state;
    struct stage st = {0};
    stage_listen(&st, ROLE_AGENT, NULL);
    net_times(st.center)->dead_ms = 60000;
    raw_run(&st, flood_with_pings, NULL);
    UNTIL(&st, st.server_closed == 1);
    assert_true(says(st.server_text, "does not read what it is sent"));
    still_serves(&st, "agents/web-1");
}

static void ask_much_and_sleep(struct raw *r) {
    connect_as_operator(r);
    raw_greet(r);
    for (uint32_t i = 1; i <= 3; i++) {
        raw_call(r, i, "trawl.Console/Hist");
        raw_put(r, FRAME_MESSAGE, 0, i, SPAN_LIT("20000000"));
        raw_put(r, FRAME_HALF_CLOSE, 0, i, SPAN_NONE);
    }
    for (int i = 0; i < 20; i++) { /* alive, but not reading */
        raw_put(r, FRAME_PING, 0, 0, SPAN_NONE);
        struct timespec pause = {.tv_nsec = 100 * 1000000};
        nanosleep(&pause, NULL);
    }
}

static void who_pings_but_takes_nothing_is_closed_when_it_is_stuck(void **state) {
    (void)state;
    struct stage st = {0};
    stand(&st, ROLE_OPERATOR);
    st.answer_may_fail = true;
    uint64_t began = clock_mono_ns();
    raw_run(&st, ask_much_and_sleep, NULL);
    UNTIL(&st, st.server_closed == 1);
    assert_true(clock_mono_ns() - began < 30 * NS_PER_S);
    assert_true(says(st.server_text, "silent for too long"));
    still_serves(&st, "operators/ada");
}

static void overrun(struct raw *r) {
    static char block[LIMIT_FRAME_BYTES];
    struct told *t = r->arg;
    connect_as_agent(r);
    raw_greet(r);
    raw_call(r, 1, "trawl.Agents/Session");
    raw_put(r, FRAME_MESSAGE, 0, 1, SPAN_LIT("0"));
    if (!raw_get_until(r, FRAME_MESSAGE)) abort();
    for (int i = 0; i < 40; i++) raw_put(r, FRAME_MESSAGE, 0, 1, span_of(block, sizeof block));
    if (!raw_get_until(r, FRAME_REFUSE)) return;
    memcpy(t->text, r->payload, r->frame.length);
}

static void credit_is_not_a_wish(void **state) {
    (void)state;
    struct stage st = {.session_act = ACT_HOLD_AFTER_FIRST};
    struct told t = {0};
    stand(&st, ROLE_AGENT);
    raw_run(&st, overrun, &t);
    UNTIL(&st, st.server_closed == 1);
    assert_true(says(st.server_text, "more bytes than there was credit for"));
    assert_true(st.served->held <= LIMIT_STREAM_CREDIT_BYTES + 3 * LIMIT_FRAME_BYTES);
    still_serves(&st, "agents/web-1");
}

/* Within the credit of each call, but not of the connection. */
static void overrun_together(struct raw *r) {
    static char block[LIMIT_FRAME_BYTES];
    struct told *t = r->arg;
    connect_as_agent(r);
    raw_greet(r);
    for (uint32_t call = 1; call <= 6; call++) {
        raw_call(r, call, "trawl.Agents/Session");
        for (int i = 0; i < 15; i++) raw_put(r, FRAME_MESSAGE, FRAME_BULK, call, span_of(block, sizeof block));
    }
    if (!raw_get_until(r, FRAME_REFUSE)) return;
    memcpy(t->text, r->payload, r->frame.length);
}

static void nor_is_that_of_a_connection(void **state) {
    (void)state;
    struct stage st = {.session_act = ACT_HOLD};
    struct told t = {0};
    stand(&st, ROLE_AGENT);
    raw_run(&st, overrun_together, &t);
    UNTIL(&st, st.server_closed == 1);
    assert_true(says(st.server_text, "more bytes than there was credit for"));
    still_serves(&st, "agents/web-1");
}

static int no_more_certificates(void **state) {
    (void)state;
    stage_ca_done();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_does_not_speak_tls_is_turned_away),
        cmocka_unit_test(a_silent_connection_is_closed_after_the_first_frame_s_time),
        cmocka_unit_test(silence_after_tls_is_closed_too),
        cmocka_unit_test(aborted_handshakes_leave_the_listener_alive),
        cmocka_unit_test(who_breaks_the_protocol_is_told_how_and_closed),
        cmocka_unit_test(versions_that_overlap_are_welcome_and_others_are_not),
        cmocka_unit_test(random_frames_break_nothing),
        cmocka_unit_test(an_unknown_method_is_unimplemented_and_late_frames_are_fine),
        cmocka_unit_test(a_disconnect_right_after_data_is_noticed_at_once),
        cmocka_unit_test(a_reset_ends_the_calls_of_the_connection),
        cmocka_unit_test(who_asks_and_never_reads_is_closed),
        cmocka_unit_test(who_pings_but_takes_nothing_is_closed_when_it_is_stuck),
        cmocka_unit_test(credit_is_not_a_wish),
        cmocka_unit_test(nor_is_that_of_a_connection),
    };
    return cmocka_run_group_tests_name("hostile", tests, NULL, no_more_certificates);
}
