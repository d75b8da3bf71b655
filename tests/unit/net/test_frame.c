#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first */
#include <cmocka.h>

#include "common/base/auto.h"
#include "common/net/address.h"
#include "common/net/txq.h"
#include "tests/support/fault.h"

static void a_header_is_sixteen_bytes_big_endian(void **state) {
    (void)state;
    char bytes[FRAME_HEADER_BYTES];
    struct frame f = {
        .length = 0x1234, .type = FRAME_MESSAGE, .flags = FRAME_MORE | FRAME_BULK, .stream = 0x01020304, .sequence = 0xfffefdfc};
    frame_encode(&f, bytes);
    assert_memory_equal(bytes, "\x00\x00\x12\x34\x08\x03\x00\x00\x01\x02\x03\x04\xff\xfe\xfd\xfc", FRAME_HEADER_BYTES);
    assert_int_equal(FRAME_MESSAGE, 8);
    struct frame g;
    const char *what;
    assert_int_equal(frame_decode(bytes, &g, &what), ERR_OK);
    assert_int_equal(g.length, f.length);
    assert_int_equal(g.type, f.type);
    assert_int_equal(g.flags, f.flags);
    assert_int_equal(g.stream, f.stream);
    assert_int_equal(g.sequence, f.sequence);
}

static void every_type_has_its_number_for_ever(void **state) {
    (void)state;
    static const char *const names[] = {"?",    "Hello",   "Welcome",   "Refuse", "Goodbye", "Ping",  "Pong",
                                        "Call", "Message", "HalfClose", "Status", "Cancel",  "Credit"};
    assert_int_equal(COUNT_OF(names), FRAME__COUNT);
    for (unsigned t = 1; t < FRAME__COUNT; t++) assert_string_equal(frame_type_name((enum frame_type)t), names[t]);
    assert_string_equal(frame_type_name((enum frame_type)0), "?");
    assert_string_equal(frame_type_name(FRAME__COUNT), "?");
}

static enum err decode(struct frame f) {
    char bytes[FRAME_HEADER_BYTES];
    struct frame out = {.length = 99};
    const char *what = NULL;
    frame_encode(&f, bytes);
    enum err e = frame_decode(bytes, &out, &what);
    assert_true((e == ERR_OK) == (what == NULL));
    if (e) assert_int_equal(out.length, 99);
    return e;
}

static void headers_that_cannot_be_are_refused(void **state) {
    (void)state;
    assert_int_equal(decode((struct frame){.type = (enum frame_type)0}), ERR_SYNTAX);
    assert_int_equal(decode((struct frame){.type = FRAME__COUNT}), ERR_SYNTAX);
    assert_int_equal(decode((struct frame){.type = (enum frame_type)255}), ERR_SYNTAX);
    assert_int_equal(decode((struct frame){.type = FRAME_PING, .flags = FRAME_BULK}), ERR_SYNTAX);
    assert_int_equal(decode((struct frame){.type = FRAME_MESSAGE, .flags = 4, .stream = 1}), ERR_SYNTAX);
    assert_int_equal(decode((struct frame){.type = FRAME_PING, .stream = 1}), ERR_SYNTAX);
    assert_int_equal(decode((struct frame){.type = FRAME_MESSAGE}), ERR_SYNTAX);
    assert_int_equal(decode((struct frame){.type = FRAME_PING, .length = 1}), ERR_LIMIT);
    assert_int_equal(decode((struct frame){.type = FRAME_MESSAGE, .stream = 1, .length = LIMIT_FRAME_BYTES + 1}), ERR_LIMIT);
    assert_int_equal(decode((struct frame){.type = FRAME_MESSAGE, .stream = 1, .length = LIMIT_FRAME_BYTES}), ERR_OK);
    assert_int_equal(decode((struct frame){.type = FRAME_HELLO, .length = FRAME_CONTROL_BYTES + 1}), ERR_LIMIT);
    struct frame out;
    const char *what;
    assert_int_equal(frame_decode("\0\0\0\0\x05\0\0\1\0\0\0\0\0\0\0\0", &out, &what), ERR_SYNTAX); /* reserved */
}

/* ---- the queue ---- */

static size_t read_frame(struct buf *b, struct frame *f) {
    const char *what;
    assert_true(b->n >= FRAME_HEADER_BYTES);
    assert_int_equal(frame_decode(b->p, f, &what), ERR_OK);
    return FRAME_HEADER_BYTES + f->length;
}

static void interactive_frames_leave_first_and_each_lane_keeps_its_order(void **state) {
    (void)state;
    struct txq q;
    struct buf out;
    txq_init(&q);
    buf_init(&out, 0);
    assert_int_equal(txq_push_message(&q, 1, true, SPAN_LIT("a")), ERR_OK);
    assert_int_equal(txq_push_message(&q, 2, true, SPAN_LIT("b")), ERR_OK);
    assert_int_equal(txq_push(&q, FRAME_STATUS, 1, true, SPAN_NONE), ERR_OK);
    assert_int_equal(txq_push_message(&q, 3, false, SPAN_LIT("c")), ERR_OK);
    assert_int_equal(txq_push(&q, FRAME_PING, 0, false, SPAN_NONE), ERR_OK);
    assert_int_equal(txq_bytes(&q), 5 * TXQ_FRAME_BYTES + 3);
    assert_int_equal(txq_fill(&q, 4096, &out), ERR_OK);
    static const unsigned want[] = {3, 0, 1, 2, 1};
    for (unsigned i = 0; i < COUNT_OF(want); i++) {
        struct frame f;
        size_t n = read_frame(&out, &f);
        assert_int_equal(f.stream, want[i]);
        assert_int_equal(f.sequence, i);
        buf_drop_head(&out, n);
    }
    assert_int_equal(out.n, 0);
    assert_int_equal(txq_bytes(&q), 0);
    buf_done(&out);
}

static void a_large_message_leaves_in_pieces(void **state) {
    (void)state;
    static char big[3 * LIMIT_FRAME_BYTES + 10];
    struct txq q;
    struct buf out;
    txq_init(&q);
    buf_init(&out, 0);
    assert_int_equal(txq_push_message(&q, 9, true, span_of(big, sizeof big)), ERR_OK);
    for (unsigned i = 0; i < 4; i++) {
        struct frame f;
        assert_int_equal(txq_fill(&q, 16384, &out), ERR_OK);
        size_t n = read_frame(&out, &f);
        assert_int_equal(f.length, i < 3 ? LIMIT_FRAME_BYTES : 10);
        assert_int_equal(f.flags, i < 3 ? FRAME_BULK | FRAME_MORE : FRAME_BULK);
        buf_drop_head(&out, n);
        assert_int_equal(out.n, 0); /* larger than 16384: goes alone */
    }
    buf_done(&out);
}

static void the_frames_of_one_stream_can_be_forgotten(void **state) {
    (void)state;
    struct txq q;
    struct buf out;
    txq_init(&q);
    buf_init(&out, 0);
    for (uint32_t i = 0; i < 9; i++) assert_int_equal(txq_push_message(&q, 1 + i % 3, i % 2, SPAN_LIT("abc")), ERR_OK);
    txq_drop(&q, 3);
    txq_drop(&q, 7);
    assert_int_equal(q.message_bytes, 6 * (TXQ_FRAME_BYTES + 3));
    assert_int_equal(txq_push_message(&q, 3, true, SPAN_LIT("last")), ERR_OK); /* the lanes' ends are right */
    assert_int_equal(txq_fill(&q, 4096, &out), ERR_OK);
    for (unsigned i = 0; i < 7; i++) {
        struct frame f;
        buf_drop_head(&out, read_frame(&out, &f));
        assert_true((f.stream == 3) == (i == 6));
    }
    txq_drop(&q, 1);
    assert_int_equal(txq_push_message(&q, 1, true, SPAN_LIT("x")), ERR_OK);
    txq_clear(&q);
    assert_int_equal(txq_bytes(&q), 0);
    buf_done(&out);
}

static void without_memory_a_message_is_queued_wholly_or_not_at_all(void **state) {
    (void)state;
    static char big[2 * LIMIT_FRAME_BYTES + 10];
    FOR_EACH_FAULT(n) {
        struct txq q;
        struct buf out;
        txq_init(&q);
        buf_init(&out, 0);
        enum err e = txq_push_message(&q, 9, true, span_of(big, sizeof big));
        assert_int_equal(txq_bytes(&q), e ? 0 : sizeof big + 3 * TXQ_FRAME_BYTES);
        if (!e) e = txq_push(&q, FRAME_PING, 0, false, SPAN_NONE);
        if (!e) e = txq_fill(&q, 16384, &out);
        assert_int_equal(e, fault_hit() ? ERR_NOMEM : ERR_OK);
        fault_off();
        txq_clear(&q);
        buf_done(&out);
    }
}

/* ---- addresses ---- */

static void addresses_are_host_and_port(void **state) {
    (void)state;
    static const struct {
        const char *text, *host, *url;
        unsigned port;
    } good[] = {
        {"collector.example:7000", "collector.example", "tls+tcp://collector.example:7000", 7000},
        {"10.0.0.1:1", "10.0.0.1", "tls+tcp://10.0.0.1:1", 1},
        {"[::1]:65535", "::1", "tls+tcp://[::1]:65535", 65535},
        {"*:0", "*", "tls+tcp://:0", 0},
        {":7000", "", "tls+tcp://:7000", 7000},
    };
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct address a;
        char url[ADDRESS_URL_BYTES];
        assert_int_equal(address_parse(good[i].text, &a), ERR_OK);
        assert_string_equal(a.host, good[i].host);
        assert_int_equal(a.port, good[i].port);
        address_url(&a, url);
        assert_string_equal(url, good[i].url);
    }
    static const char *const bad[] = {"",      "host",  "host:",    "host:65536", "host:-1",   "host:7a", "::1:7000",
                                      "a/b:1", "a b:1", "user@h:1", "a?x=y:1",    "[::1:7000", "h#:1",    "**:1"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct address a = {.port = 5};
        assert_int_equal(address_parse(bad[i], &a), ERR_SYNTAX);
        assert_int_equal(a.port, 5);
    }
}

static void a_socket_address_is_written_as_people_do(void **state) {
    (void)state;
    char text[ADDRESS_TEXT_BYTES];
    nng_sockaddr sa = {.s_family = NNG_AF_UNSPEC};
    address_text(&sa, text);
    assert_string_equal(text, "unknown address");
    sa.s_in = (nng_sockaddr_in){.sa_family = NNG_AF_INET, .sa_port = __builtin_bswap16(7000), .sa_addr = __builtin_bswap32(0xc0000201)};
    address_text(&sa, text);
    assert_string_equal(text, "192.0.2.1:7000");
    sa.s_in6 = (nng_sockaddr_in6){.sa_family = NNG_AF_INET6, .sa_port = __builtin_bswap16(1), .sa_addr = {[15] = 1}};
    address_text(&sa, text);
    assert_string_equal(text, "[::1]:1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_sixteen_bytes_big_endian),
        cmocka_unit_test(every_type_has_its_number_for_ever),
        cmocka_unit_test(headers_that_cannot_be_are_refused),
        cmocka_unit_test(interactive_frames_leave_first_and_each_lane_keeps_its_order),
        cmocka_unit_test(a_large_message_leaves_in_pieces),
        cmocka_unit_test(the_frames_of_one_stream_can_be_forgotten),
        cmocka_unit_test(without_memory_a_message_is_queued_wholly_or_not_at_all),
        cmocka_unit_test(addresses_are_host_and_port),
        cmocka_unit_test(a_socket_address_is_written_as_people_do),
    };
    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
