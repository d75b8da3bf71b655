/* What an order must be to be obeyed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/order/order.h"
#include "tests/support/ca.h"
#include "tests/unit/crypto/made.h"

#define MINUTE_MS (60ULL * 1000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
#define WHY_BYTES 512

static const struct label labels[] = {{SPAN_LIT("role"), SPAN_LIT("web")}, {SPAN_LIT("zone"), SPAN_LIT("b")}};

struct fixture {
    struct ca ca;
    struct signer *ann;
    struct trust *operators;
    struct spec_param params[PARAMS_MAX + 1];
    struct spec spec;
    struct order_check check;
    struct buf bytes; /* the SignedOrder */
    struct arena *mem;
    struct order order;
    char why[WHY_BYTES];
};

static struct signer *load(struct fixture *f, const char *cert, const char *key) {
    struct signer *s = NULL;
    enum err e = sign_load(ca_file(&f->ca, cert), ca_file(&f->ca, key), f->why, sizeof f->why, &s);
    if (e) fail_msg("%s", f->why);
    return s;
}

static struct trust *trust(struct fixture *f, const char *ca, const char *crl) {
    struct trust *t = NULL;
    enum err e = sign_trust_load(ca_file(&f->ca, ca), crl ? ca_file(&f->ca, crl) : NULL, f->why, sizeof f->why, &t);
    if (e) fail_msg("%s", f->why);
    return t;
}

static void a_good_order(struct fixture *f) {
    uint64_t now_ns = clock_wall_ns(), now_ms = now_ns / NS_PER_MS;
    f->params[0] = (struct spec_param){SPAN_LIT("pid"), SPAN_NONE, 42};
    f->spec = (struct spec){
        .version = SPEC_VERSION,
        .fleet = SPAN_LIT("prod"),
        .campaign = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}},
        .tool = SPAN_LIT("runqlat"),
        .flavour = SPAN_LIT("any"),
        .params = f->params,
        .n_params = 1,
        .duration_s = 10,
        .selector = SPAN_LIT("web-[1-20],role=web"),
        .issued_wall_ms = now_ms - 1000,
        .expires_wall_ms = now_ms + HOUR_MS,
    };
    f->check = (struct order_check){f->operators, "prod", now_ns, SPAN_LIT("web-13"), labels, COUNT_OF(labels), NULL};
}

static int setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    ca_make(&f->ca, "prod");
    ca_operator(&f->ca, "ann");
    f->ann = load(f, "operators/ann.pem", "operators/ann.key");
    f->operators = trust(f, "operators-ca.pem", "operators.crl");
    f->mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    buf_init(&f->bytes, 0);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    sign_free(f->ann);
    sign_trust_free(f->operators);
    arena_free(f->mem);
    buf_done(&f->bytes);
    ca_done(&f->ca);
    free(f);
    return 0;
}

static void sign(struct fixture *f, const struct signer *by) {
    buf_reset(&f->bytes);
    assert_int_equal(order_sign(&f->spec, by, &f->bytes), ERR_OK);
}

/* As a host does: from the bytes that came. */
static enum err verify(struct fixture *f) {
    struct signed_order so = {0};
    arena_reset(f->mem);
    memset(&f->order, 0, sizeof f->order);
    f->why[0] = '\0';
    enum err e = spec_decode_signed(buf_span(&f->bytes), f->mem, &so);
    if (e)
        snprintf(f->why, sizeof f->why, "not a SignedOrder");
    else
        e = order_verify(&so, &f->check, f->mem, f->why, sizeof f->why, &f->order);
    assert_int_equal(e != ERR_OK, f->order.tool == NULL);
    assert_int_equal(e != ERR_OK, f->why[0] != '\0');
    return e;
}

static void refused(struct fixture *f, enum err want, const char *why) {
    enum err e = verify(f);
    if (e != want || !strstr(f->why, why)) fail_msg("%s \"%s\" instead of %s \"%s\"", err_name(e), f->why, err_name(want), why);
}

static void obeyed(struct fixture *f) {
    enum err e = verify(f);
    if (e) fail_msg("%s \"%s\"", err_name(e), f->why);
}

static void a_good_order_is_obeyed(void **state) {
    struct fixture *f = *state;
    a_good_order(f);
    sign(f, f->ann);
    obeyed(f);
    const struct order *o = &f->order;
    assert_true(span_eq_str(o->operator_name, "ann"));
    assert_int_equal(o->tool->id, TOOL_RUNQLAT);
    assert_int_equal(o->flavour, FLAVOUR_ANY);
    assert_int_equal(o->params.n, 1);
    assert_int_equal(o->params.p[0].id, PARAM_PID);
    assert_int_equal(o->params.p[0].number, 42);
    assert_memory_equal(&o->spec.campaign, &f->spec.campaign, CAMPAIGN_ID_BYTES);
    assert_int_equal(o->spec.duration_s, 10);
    assert_true(span_eq_str(o->spec.selector, "web-[1-20],role=web"));
    assert_true(o->spec.expires_wall_ms == f->spec.expires_wall_ms);
}

static void no_byte_of_an_order_may_change(void **state) {
    struct fixture *f = *state;
    a_good_order(f);
    sign(f, f->ann);
    static const unsigned char masks[] = {0x01, 0x80};
    for (size_t i = 0; i < f->bytes.n; i++)
        for (size_t m = 0; m < COUNT_OF(masks); m++) {
            f->bytes.p[i] = (char)(f->bytes.p[i] ^ masks[m]);
            if (verify(f) == ERR_OK) fail_msg("byte %zu of %zu may change by 0x%02x", i, f->bytes.n, masks[m]);
            f->bytes.p[i] = (char)(f->bytes.p[i] ^ masks[m]);
        }
    obeyed(f);
    size_t whole = f->bytes.n;
    for (f->bytes.n = 0; f->bytes.n < whole; f->bytes.n++)
        if (verify(f) == ERR_OK) fail_msg("an order cut to %zu of %zu bytes is obeyed", f->bytes.n, whole);
}

static void only_the_operators_ca_vouches_for_orders(void **state) {
    struct fixture *f = *state;
    a_good_order(f);
    ca_agent(&f->ca, "web-13");
    ca_collector(&f->ca, "c1");
    struct signer *agent = load(f, "agents/web-13.pem", "agents/web-13.key"),
                  *collector = load(f, "collectors/c1.pem", "collectors/c1.key");
    sign(f, agent);
    refused(f, ERR_UNTRUSTED, "signed by an unknown CA");
    sign(f, collector);
    refused(f, ERR_UNTRUSTED, "signed by an unknown CA");
    sign_free(agent);
    sign_free(collector);
}

static void a_name_that_is_no_operators_orders_nothing(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *san, *why;
        enum err want;
    } names[] = {
        {"URI:spiffe://prod/operator/ann/runner", "", ERR_OK},
        {"URI:spiffe://prod/operator/ann/admin", "", ERR_OK},
        {"URI:spiffe://prod/operator/ann/viewer", "ann is a viewer, and only runners and admins may order", ERR_REFUSED},
        {"URI:spiffe://prod/operator/ann", "ann is a viewer, and only runners and admins may order", ERR_REFUSED},
        {"URI:spiffe://prod/agent/web-13", "spiffe://prod/agent/web-13, who is not an operator", ERR_UNTRUSTED},
        {"URI:spiffe://prod/collector/c1", "who is not an operator", ERR_UNTRUSTED},
        {"URI:spiffe://prod/operators/ann", "who is not an operator", ERR_UNTRUSTED},
        {"URI:spiffe://prod/operator/ann/x", "who is not an operator", ERR_UNTRUSTED},
        {"URI:spiffe://prod/operator/", "who is not an operator", ERR_UNTRUSTED},
        {"URI:spiffe://prod/operator", "who is not an operator", ERR_UNTRUSTED},
        {"URI:spiffe:///operator/ann", "who is not an operator", ERR_UNTRUSTED},
        {"URI:https://prod/operator/ann", "who is not an operator", ERR_UNTRUSTED},
        {"URI:spiffe://prod/operator/an%20n", "who is not an operator", ERR_UNTRUSTED},
        {"URI:spiffe://test/operator/ann/admin", "an operator of fleet test, not of prod", ERR_UNTRUSTED},
    };
    struct made ca = made_certificate(&(struct made_wish){.name = "other CA", .ca = true});
    made_write(&ca, ca_file(&f->ca, "other-ca.pem"), NULL);
    struct trust *t = trust(f, "other-ca.pem", NULL);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct made one = made_certificate(&(struct made_wish){.issuer = &ca, .san = names[i].san});
        made_write(&one, ca_file(&f->ca, "one.pem"), ca_file(&f->ca, "one.key"));
        struct signer *s = load(f, "one.pem", "one.key");
        a_good_order(f);
        f->check.operators = t;
        sign(f, s);
        refused(f, names[i].want, names[i].why);
        sign_free(s);
        made_free(&one);
    }
    sign_trust_free(t);
    made_free(&ca);
}

static void a_revoked_operator_orders_nothing(void **state) {
    struct fixture *f = *state;
    ca_operator(&f->ca, "bob");
    struct signer *bob = load(f, "operators/bob.pem", "operators/bob.key");
    a_good_order(f);
    sign(f, bob);
    obeyed(f);
    assert_true(span_eq_str(f->order.operator_name, "bob"));
    ca_revoke(&f->ca, "operators/bob.pem");
    struct trust *later = trust(f, "operators-ca.pem", "operators.crl");
    f->check.operators = later;
    refused(f, ERR_UNTRUSTED, "the operator's certificate was revoked");
    sign_trust_free(later);
    sign_free(bob);
}

static void an_operator_whose_certificate_ended_orders_nothing(void **state) {
    struct fixture *f = *state;
    ca_run(&f->ca, "operator", "old", "--not-before", "2020-01-01", "--not-after", "2021-01-01", NULL);
    struct signer *old = load(f, "operators/old.pem", "operators/old.key");
    a_good_order(f);
    buf_reset(&f->bytes);
    assert_int_equal(order_sign(&f->spec, old, &f->bytes), ERR_EXPIRED); /* said before it is sent */
    assert_int_equal(f->bytes.n, 0);
    uint64_t then = 1600000000000; /* 2020-09-13: a backdated order */
    f->spec.issued_wall_ms = then;
    sign(f, old);
    refused(f, ERR_EXPIRED, "the operator's certificate expired on 2021-01-01");
    sign_free(old);
}

/* ---- what the order says ---- */

struct wrong {
    const char *why;
    enum err want;
    void (*change)(struct fixture *f);
};

static uint64_t now_ms(const struct fixture *f) { return f->check.wall_ns / NS_PER_MS; }

static void version_0(struct fixture *f) { f->spec.version = 0; }
static void version_2(struct fixture *f) { f->spec.version = 2; }
static void other_fleet(struct fixture *f) { f->spec.fleet = SPAN_LIT("test"); }
static void expired(struct fixture *f) {
    f->spec.issued_wall_ms = now_ms(f) - 2 * HOUR_MS;
    f->spec.expires_wall_ms = now_ms(f);
}
static void from_the_future(struct fixture *f) {
    f->spec.issued_wall_ms = now_ms(f) + 121 * 1000;
    f->spec.expires_wall_ms = now_ms(f) + HOUR_MS;
}
static void from_the_far_future(struct fixture *f) {
    f->spec.issued_wall_ms = UINT64_C(0x7fffffffffffffff) / NS_PER_MS; /* before the year 2262, where a certificate ends later */
    f->spec.expires_wall_ms = UINT64_MAX;
}
static void a_little_early(struct fixture *f) { f->spec.issued_wall_ms = now_ms(f) + 119 * 1000; }
static void backwards(struct fixture *f) { f->spec.expires_wall_ms = f->spec.issued_wall_ms; }
static void a_week(struct fixture *f) { f->spec.expires_wall_ms = f->spec.issued_wall_ms + 7 * DAY_MS; }
static void over_a_week(struct fixture *f) { f->spec.expires_wall_ms = f->spec.issued_wall_ms + 7 * DAY_MS + 1; }
static void for_ever(struct fixture *f) { f->spec.expires_wall_ms = UINT64_MAX; }
static void no_time(struct fixture *f) { f->spec.duration_s = 0; }
static void an_hour(struct fixture *f) { f->spec.duration_s = LIMIT_DURATION_S; }
static void over_an_hour(struct fixture *f) { f->spec.duration_s = LIMIT_DURATION_S + 1; }
static void everybody(struct fixture *f) { f->spec.selector = SPAN_LIT(""); }
static void other_host(struct fixture *f) { f->spec.selector = SPAN_LIT("web-[1-12]"); }
static void other_label(struct fixture *f) { f->spec.selector = SPAN_LIT("web-*,zone=c"); }
static void bad_selector(struct fixture *f) { f->spec.selector = SPAN_LIT("web-*,web[5-1]"); }
static void other_host_at_the_collector(struct fixture *f) {
    other_host(f);
    f->check.host = SPAN_NONE;
}
static void bad_selector_at_the_collector(struct fixture *f) {
    bad_selector(f);
    f->check.host = SPAN_NONE;
}
static void unknown_tool(struct fixture *f) { f->spec.tool = SPAN_LIT("rm"); }
static void unknown_flavour(struct fixture *f) { f->spec.flavour = SPAN_LIT("perl"); }
static void no_flavour(struct fixture *f) { f->spec.flavour = SPAN_LIT(""); }
static void libbpf(struct fixture *f) { f->spec.flavour = SPAN_LIT("libbpf"); }
static void flavour_it_lacks(struct fixture *f) { f->spec.flavour = SPAN_LIT("bpftrace"); }
static void unknown_param(struct fixture *f) { f->params[0].name = SPAN_LIT("shell"); }
static void param_of_another_tool(struct fixture *f) { f->params[0] = (struct spec_param){SPAN_LIT("disk"), SPAN_LIT("sda"), 0}; }
static void number_as_text(struct fixture *f) { f->params[0].text = SPAN_LIT("42"); }
static void text_as_number(struct fixture *f) { f->params[0] = (struct spec_param){SPAN_LIT("disk"), SPAN_LIT("sda"), 1}; }
static void text_too_long(struct fixture *f) {
    f->params[0] = (struct spec_param){SPAN_LIT("disk"), SPAN_LIT("ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"), 0};
}
static void out_of_range(struct fixture *f) { f->params[0].number = 0; }
static void twice(struct fixture *f) {
    f->params[1] = f->params[0];
    f->spec.n_params = 2;
}
static void no_params(struct fixture *f) { f->spec.n_params = 0; }
static void biolatency_of_a_disk(struct fixture *f) {
    f->spec.tool = SPAN_LIT("biolatency");
    f->params[0] = (struct spec_param){SPAN_LIT("disk"), SPAN_LIT("sda"), 0};
}
static void shell_in_a_disk(struct fixture *f) {
    biolatency_of_a_disk(f);
    f->params[0].text = SPAN_LIT("sda;reboot");
}

static void what_an_order_says_must_hold_here(void **state) {
    struct fixture *f = *state;
    static const struct wrong wrongs[] = {
        {"version 0", ERR_VERSION, version_0},
        {"version 2, this program knows 1", ERR_VERSION, version_2},
        {"the order is for fleet test, not for prod", ERR_REFUSED, other_fleet},
        {"the order expired at 20", ERR_EXPIRED, expired},
        {"from the future", ERR_EXPIRED, from_the_future},
        {"", ERR_OK, a_little_early},
        {"expires before it is issued", ERR_SYNTAX, backwards},
        {"", ERR_OK, a_week},
        {"valid for more than 7 days", ERR_LIMIT, over_a_week},
        {"valid for more than 7 days", ERR_LIMIT, for_ever},
        {"a duration is 1 to 3600 seconds, not 0", ERR_LIMIT, no_time},
        {"", ERR_OK, an_hour},
        {"not 3601", ERR_LIMIT, over_an_hour},
        {"", ERR_OK, everybody},
        {"web-13 is not among the hosts of this order", ERR_REFUSED, other_host},
        {"web-13 is not among the hosts of this order", ERR_REFUSED, other_label},
        {"the selector: term 2: \"web[5-1]\": the range runs backwards", ERR_SYNTAX, bad_selector},
        {"", ERR_OK, other_host_at_the_collector},
        {"the range runs backwards", ERR_SYNTAX, bad_selector_at_the_collector},
        {"there is no tool rm", ERR_REFUSED, unknown_tool},
        {"there is no flavour perl", ERR_REFUSED, unknown_flavour},
        {"", ERR_OK, no_flavour},
        {"", ERR_OK, libbpf},
        {"runqlat has no flavour bpftrace", ERR_REFUSED, flavour_it_lacks},
        {"there is no parameter shell", ERR_REFUSED, unknown_param},
        {"has no parameter disk", ERR_REFUSED, param_of_another_tool},
        {"the parameter pid is a number", ERR_REFUSED, number_as_text},
        {"the parameter disk is a name", ERR_REFUSED, text_as_number},
        {"the value of disk is too long", ERR_REFUSED, text_too_long},
        {"pid must be 1", ERR_REFUSED, out_of_range},
        {"pid is given twice", ERR_REFUSED, twice},
        {"", ERR_OK, no_params},
        {"", ERR_OK, biolatency_of_a_disk},
        {"disk must be a name", ERR_REFUSED, shell_in_a_disk},
    };
    for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
        a_good_order(f);
        wrongs[i].change(f);
        sign(f, f->ann);
        refused(f, wrongs[i].want, wrongs[i].why);
    }
}

static void a_date_beyond_all_clocks_is_the_future(void **state) {
    struct fixture *f = *state;
    ca_run(&f->ca, "operator", "eternal", "--not-after", "99991231235959Z", NULL);
    struct signer *s = load(f, "operators/eternal.pem", "operators/eternal.key");
    a_good_order(f);
    from_the_far_future(f);
    sign(f, s);
    refused(f, ERR_EXPIRED, "from the future");
    sign_free(s);
}

/* Signed by ann, every one of them: but not what ann was asked to sign. */
static void signed_garbage_is_garbage(void **state) {
    struct fixture *f = *state;
    static const struct {
        struct span domain, spec;
        enum err want;
    } cases[] = {
        {ORDER_DOMAIN, SPAN_LIT(""), ERR_SYNTAX},
        {ORDER_DOMAIN, SPAN_LIT("\xff\xff\xff"), ERR_SYNTAX},
        {ORDER_DOMAIN, SPAN_LIT("\x08\x01"), ERR_SYNTAX},
        {SPAN_LIT("trawl stop v1\n"), SPAN_LIT("\x08\x01"), ERR_UNTRUSTED},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf signature, chain;
        buf_init(&signature, 0);
        buf_init(&chain, 0);
        assert_int_equal(sign_bytes(f->ann, cases[i].domain, cases[i].spec, &signature), ERR_OK);
        assert_int_equal(sign_chain(f->ann, &chain), ERR_OK);
        struct signed_order so = {.spec = cases[i].spec, .signature = buf_span(&signature), .certificates = buf_span(&chain)};
        a_good_order(f);
        arena_reset(f->mem);
        f->why[0] = '\0';
        assert_int_equal(order_verify(&so, &f->check, f->mem, f->why, sizeof f->why, &f->order), cases[i].want);
        assert_true(f->why[0]);
        buf_done(&signature);
        buf_done(&chain);
    }
}

static void too_much_is_not_signed(void **state) {
    struct fixture *f = *state;
    static char text[LIMIT_SELECTOR_BYTES + 1];
    memset(text, '*', sizeof text);
    a_good_order(f);
    f->spec.selector = span_of(text, sizeof text);
    buf_reset(&f->bytes);
    assert_int_equal(order_sign(&f->spec, f->ann, &f->bytes), ERR_LIMIT);
    assert_int_equal(f->bytes.n, 0);
    a_good_order(f);
    for (size_t i = 0; i < COUNT_OF(f->params); i++) f->params[i] = (struct spec_param){SPAN_LIT("pid"), SPAN_NONE, 42};
    f->spec.n_params = COUNT_OF(f->params);
    if (order_sign(&f->spec, f->ann, &f->bytes) == ERR_OK) refused(f, ERR_LIMIT, "more than 8 parameters");
}

static void a_small_arena_is_an_error_not_a_crash(void **state) {
    struct fixture *f = *state;
    a_good_order(f);
    sign(f, f->ann);
    struct signed_order so = {0};
    arena_reset(f->mem);
    assert_int_equal(spec_decode_signed(buf_span(&f->bytes), f->mem, &so), ERR_OK);
    enum err e = ERR_NOMEM;
    size_t budget = 0;
    for (; budget < 65536 && e == ERR_NOMEM; budget += 16) {
        struct arena *mem = arena_new(budget);
        struct order o = {0};
        f->why[0] = '\0';
        e = order_verify(&so, &f->check, mem, f->why, sizeof f->why, &o);
        assert_int_equal(e == ERR_OK, o.tool != NULL);
        assert_int_equal(e == ERR_OK, f->why[0] == '\0');
        arena_free(mem);
    }
    assert_int_equal(e, ERR_OK);
    assert_true(budget > 256);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_order_is_obeyed),
        cmocka_unit_test(no_byte_of_an_order_may_change),
        cmocka_unit_test(only_the_operators_ca_vouches_for_orders),
        cmocka_unit_test(a_name_that_is_no_operators_orders_nothing),
        cmocka_unit_test(a_revoked_operator_orders_nothing),
        cmocka_unit_test(an_operator_whose_certificate_ended_orders_nothing),
        cmocka_unit_test(what_an_order_says_must_hold_here),
        cmocka_unit_test(a_date_beyond_all_clocks_is_the_future),
        cmocka_unit_test(signed_garbage_is_garbage),
        cmocka_unit_test(too_much_is_not_signed),
        cmocka_unit_test(a_small_arena_is_an_error_not_a_crash),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
