/* Every allocation fails in turn while an order is signed, verified and compared with a host: it is obeyed or it is not, and what
 * found no memory is never taken for an order that is bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/order/order.h"
#include "common/order/selector.h"
#include "tests/support/ca.h"
#include "tests/support/fault.h"

enum { WHY_BYTES = 512 };

static struct ca ca;
static struct signer *ann;
static struct trust *operators;
static struct spec_param pid = {SPAN_LIT("pid"), SPAN_NONE, 42};

static struct spec good_spec(void) {
    uint64_t now_ms = clock_wall_ns() / NS_PER_MS;
    return (struct spec){.version = SPEC_VERSION,
                         .fleet = SPAN_LIT("prod"),
                         .campaign = {{1, 2, 3}},
                         .tool = SPAN_LIT("runqlat"),
                         .flavour = SPAN_LIT("any"),
                         .params = &pid,
                         .n_params = 1,
                         .duration_s = 10,
                         .selector = SPAN_LIT("web-[1-20],!web-3,role=web"),
                         .issued_wall_ms = now_ms - 1000,
                         .expires_wall_ms = now_ms + 3600 * 1000};
}

static void an_order_is_signed_whole_or_not_at_all(void **state) {
    (void)state;
    const struct spec spec = good_spec();
    FOR_EACH_FAULT(n) {
        struct buf out;
        buf_init(&out, 0);
        enum err e = order_sign(&spec, ann, &out);
        fault_off();
        assert_int_equal(e, fault_hit() ? ERR_NOMEM : ERR_OK);
        assert_int_equal(out.n > 0, e == ERR_OK);
        buf_done(&out);
    }
}

static void an_order_that_finds_no_memory_is_not_called_bad(void **state) {
    (void)state;
    static const struct label labels[] = {{SPAN_LIT("role"), SPAN_LIT("web")}};
    const struct spec spec = good_spec();
    const struct order_check check = {operators, "prod", clock_wall_ns(), SPAN_LIT("web-13"), labels, COUNT_OF(labels), NULL};
    struct buf bytes;
    buf_init(&bytes, 0);
    assert_int_equal(order_sign(&spec, ann, &bytes), ERR_OK);
    FOR_EACH_FAULT(n) {
        struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
        struct signed_order so = {0};
        struct order order = {0};
        char why[WHY_BYTES] = "";
        enum err e = mem ? spec_decode_signed(buf_span(&bytes), mem, &so) : ERR_NOMEM;
        if (!e) e = order_verify(&so, &check, mem, why, sizeof why, &order);
        fault_off();
        assert_int_equal(e, fault_hit() ? ERR_NOMEM : ERR_OK);
        assert_int_equal(order.tool != NULL, e == ERR_OK);
        arena_free(mem);
    }
    buf_done(&bytes);
}

static void a_selector_without_memory_selects_nobody(void **state) {
    (void)state;
    FOR_EACH_FAULT(n) {
        struct arena *mem = arena_new(1 << 20);
        const struct selector *s = NULL;
        struct buf why;
        buf_init(&why, 0);
        enum err e = mem ? selector_parse(SPAN_LIT("web[001-120,7],db-*,!web-13,zone=b?,rack!=r[1-9]"), mem, &why, &s) : ERR_NOMEM;
        fault_off();
        assert_int_equal(e, fault_hit() ? ERR_NOMEM : ERR_OK);
        assert_int_equal(s != NULL, e == ERR_OK);
        buf_done(&why);
        arena_free(mem);
    }
}

/* What is wrong is said, or at least refused, when there is no memory to say it. */
static void a_bad_selector_is_bad_without_memory_too(void **state) {
    (void)state;
    FOR_EACH_FAULT(n) {
        struct arena *mem = arena_new(1 << 20);
        const struct selector *s = NULL;
        struct buf why;
        buf_init(&why, 0);
        enum err e = mem ? selector_parse(SPAN_LIT("web-*,web[5-1]"), mem, &why, &s) : ERR_NOMEM;
        fault_off();
        assert_true(e == ERR_SYNTAX || (e == ERR_NOMEM && fault_hit()));
        assert_null(s);
        buf_done(&why);
        arena_free(mem);
    }
}

static int set_up(void **state) {
    char why[WHY_BYTES];
    (void)state;
    ca_make(&ca, "prod");
    ca_operator(&ca, "ann");
    if (sign_load(ca_file(&ca, "operators/ann.pem"), ca_file(&ca, "operators/ann.key"), why, sizeof why, &ann)) return -1;
    return sign_trust_load(ca_file(&ca, "operators-ca.pem"), ca_file(&ca, "operators.crl"), why, sizeof why, &operators) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    sign_free(ann);
    sign_trust_free(operators);
    ca_done(&ca);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_is_signed_whole_or_not_at_all),
        cmocka_unit_test(an_order_that_finds_no_memory_is_not_called_bad),
        cmocka_unit_test(a_selector_without_memory_selects_nobody),
        cmocka_unit_test(a_bad_selector_is_bad_without_memory_too),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
