#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first */
#include <cmocka.h>

#include "common/base/utf8.h"
#include "common/net/rpc_control.h"
#include "common/net/rpc_method.h"

static struct arena *mem;

static void what_is_written_is_read(void **state) {
    (void)state;
    char out[FRAME_CONTROL_BYTES];
    struct rpc_control_hello h;
    assert_int_equal(rpc_control_get_hello(rpc_control_put_hello((struct rpc_control_hello){1, 3}, "x 1", out), mem, &h), ERR_OK);
    assert_int_equal(h.version_low, 1);
    assert_int_equal(h.version_high, 3);
    struct rpc_control_welcome w = {.version = 1, .heartbeat_ms = 15000, .session = 7, .wall_ns = 1800000000000000000}, v;
    assert_int_equal(rpc_control_get_welcome(rpc_control_put_welcome(w, "y 2", out), mem, &v), ERR_OK);
    assert_memory_equal(&v, &w, sizeof w);
    struct rpc_control_reason r;
    assert_int_equal(rpc_control_get_refuse(rpc_control_put_refuse(RPC_NOT_FOUND, "why", out), mem, &r), ERR_OK);
    assert_int_equal(r.status, RPC_NOT_FOUND);
    assert_true(span_eq_str(r.text, "why"));
    assert_int_equal(rpc_control_get_status(rpc_control_put_status(RPC_OK, NULL, out), mem, &r), ERR_OK);
    assert_int_equal(r.status, RPC_OK);
    assert_int_equal(r.text.n, 0);
    struct rpc_control_call c;
    assert_int_equal(rpc_control_get_call(rpc_control_put_call("trawl.Console/Top", 250, out), mem, &c), ERR_OK);
    assert_true(span_eq_str(c.method, "trawl.Console/Top"));
    assert_int_equal(c.deadline_ms, 250);
    uint64_t credit = 0;
    assert_int_equal(rpc_control_get_credit(rpc_control_put_credit(524288, out), mem, &credit), ERR_OK);
    assert_int_equal(credit, 524288);
}

static void a_text_is_cut_where_a_character_ends(void **state) {
    (void)state;
    char text[1200], out[FRAME_CONTROL_BYTES];
    for (size_t i = 0; i + 2 < sizeof text; i += 2) memcpy(text + i, "\xc3\xa9", 2);
    text[sizeof text - 2] = 0;
    for (size_t shift = 0; shift < 2; shift++) {
        struct rpc_control_reason r;
        if (shift) text[0] = 'x', memmove(text + 1, text + 2, sizeof text - 2);
        assert_int_equal(rpc_control_get_status(rpc_control_put_status(RPC_INTERNAL, text, out), mem, &r), ERR_OK);
        assert_true(r.text.n >= LIMIT_REASON_BYTES - 1 && r.text.n <= LIMIT_REASON_BYTES);
        assert_true(utf8_valid(r.text));
    }
}

static void a_status_that_is_none_of_the_seventeen_is_unknown(void **state) {
    (void)state;
    struct rpc_control_reason r;
    assert_int_equal(rpc_control_get_status(SPAN_LIT("\x08\x63"), mem, &r), ERR_OK);
    assert_int_equal(r.status, RPC_UNKNOWN);
}

static void garbage_is_a_syntax_error_and_bombs_are_over_the_budget(void **state) {
    (void)state;
    struct rpc_control_hello h = {9, 9};
    assert_int_equal(rpc_control_get_hello(SPAN_LIT("\xff\xff\xff"), mem, &h), ERR_SYNTAX);
    assert_int_equal(h.version_low, 9);
    char bomb[FRAME_CONTROL_BYTES];
    for (size_t i = 0; i < sizeof bomb; i += 2) memcpy(bomb + i, "\x78\x00", 2); /* 512 unknown fields */
    AUTO(arena_free) struct arena *small = arena_new(2048);
    assert_int_equal(rpc_control_get_hello(span_of(bomb, sizeof bomb), small, &h), ERR_NOMEM);
    assert_int_equal(rpc_control_get_hello(span_of(bomb, sizeof bomb), mem, &h), ERR_OK);
}

static void every_method_is_found_by_its_name(void **state) {
    (void)state;
    for (enum rpc_method m = 0; m < RPC_METHOD__COUNT; m++) {
        char name[64];
        enum rpc_method found;
        rpc_method_name(m, name, sizeof name);
        assert_true(rpc_method_find(span_str(name), &found));
        assert_int_equal(found, m);
        assert_true(rpc_method_info(m)->role == ROLE_AGENT || rpc_method_info(m)->role == ROLE_OPERATOR);
        assert_true(rpc_method_info(m)->request_bytes > 0 && rpc_method_info(m)->response_bytes > 0);
    }
    enum rpc_method found = RPC_CONSOLE_TOP;
    assert_false(rpc_method_find(SPAN_LIT("trawl.Console/top"), &found));
    assert_false(rpc_method_find(SPAN_LIT(""), &found));
    assert_int_equal(found, RPC_CONSOLE_TOP);
    char name[64];
    rpc_method_name(RPC_AGENTS_SESSION, name, sizeof name);
    assert_string_equal(name, "trawl.Agents/Session");
}

static void statuses_have_grpc_s_names(void **state) {
    (void)state;
    assert_string_equal(rpc_status_name(RPC_OK), "OK");
    assert_string_equal(rpc_status_name(RPC_UNAUTHENTICATED), "UNAUTHENTICATED");
    assert_string_equal(rpc_status_name((enum rpc_status)17), "UNKNOWN");
}

static int set_up(void **state) {
    (void)state;
    arena_reset(mem);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_written_is_read, set_up),
        cmocka_unit_test_setup(a_text_is_cut_where_a_character_ends, set_up),
        cmocka_unit_test_setup(a_status_that_is_none_of_the_seventeen_is_unknown, set_up),
        cmocka_unit_test_setup(garbage_is_a_syntax_error_and_bombs_are_over_the_budget, set_up),
        cmocka_unit_test(every_method_is_found_by_its_name),
        cmocka_unit_test(statuses_have_grpc_s_names),
    };
    mem = arena_new(256 * 1024);
    int rc = cmocka_run_group_tests_name("control", tests, NULL, NULL);
    arena_free(mem);
    return rc;
}
