/* A trigger is signed once; its firings are orders that can be nothing but what was signed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/order/allowance.h"
#include "common/order/rule.h"
#include "tests/support/ca.h"

enum { MINUTE_MS = 60 * 1000, DAY_MS = 24 * 60 * MINUTE_MS };

struct fixture {
    struct ca ca;
    struct signer *ann, *vera;
    struct trust *operators;
    struct order_check check;
    struct buf trigger, order;
    struct arena *mem;
    char why[LIMIT_REASON_BYTES];
};

static struct signer *operator_of(struct fixture *f, const char *name, const char *role) {
    char cert[64], key[64];
    struct signer *s = NULL;
    ca_run(&f->ca, "operator", name, "--role", role, NULL);
    snprintf(cert, sizeof cert, "operators/%s.pem", name);
    snprintf(key, sizeof key, "operators/%s.key", name);
    if (sign_load(ca_file(&f->ca, cert), ca_file(&f->ca, key), f->why, sizeof f->why, &s)) fail_msg("%s", f->why);
    return s;
}

static int setup(void **state) {
    static const struct label labels[] = {{SPAN_LIT("role"), SPAN_LIT("web")}};
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    ca_make(&f->ca, "prod");
    f->ann = operator_of(f, "ann", "runner");
    f->vera = operator_of(f, "vera", "viewer");
    if (sign_trust_load(ca_file(&f->ca, "operators-ca.pem"), NULL, f->why, sizeof f->why, &f->operators)) fail_msg("%s", f->why);
    f->check = (struct order_check){.operators = f->operators,
                                    .fleet = "prod",
                                    .wall_ns = clock_wall_ns(),
                                    .host = SPAN_LIT("web-1"),
                                    .labels = labels,
                                    .n_labels = COUNT_OF(labels)};
    f->mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    buf_init(&f->trigger, 0);
    buf_init(&f->order, 0);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    sign_free(f->ann);
    sign_free(f->vera);
    sign_trust_free(f->operators);
    arena_free(f->mem);
    buf_done(&f->trigger);
    buf_done(&f->order);
    ca_done(&f->ca);
    free(f);
    return 0;
}

static struct trigger a_trigger(const struct fixture *f) {
    uint64_t now_ms = f->check.wall_ns / NS_PER_MS;
    return (struct trigger){.version = TRIGGER_VERSION,
                            .id.b = {1, 2, 3},
                            .name = SPAN_LIT("stalls"),
                            .when = SPAN_LIT("pressure.cpu > 20% in 2s"),
                            .what = {.version = SPEC_VERSION,
                                     .fleet = SPAN_LIT("prod"),
                                     .tool = SPAN_LIT("runqlat"),
                                     .flavour = SPAN_LIT("any"),
                                     .duration_s = 5,
                                     .selector = SPAN_LIT("role=web"),
                                     .issued_wall_ms = now_ms - MINUTE_MS,
                                     .expires_wall_ms = now_ms + DAY_MS,
                                     .fired.why = SPAN_LIT(""),
                                     .fired.trigger = SPAN_LIT("")},
                            .cooldown_s = 60,
                            .per_hour = 3,
                            .budget_s = 20};
}

static enum err signed_by(struct fixture *f, const struct trigger *t, const struct signer *by, struct signed_order *out) {
    buf_reset(&f->trigger);
    assert_int_equal(rule_sign(t, by, &f->trigger), ERR_OK);
    return spec_decode_signed(buf_span(&f->trigger), f->mem, out);
}

static enum err armed(struct fixture *f, const struct trigger *t, const struct signer *by) {
    struct signed_order so;
    struct rule rule;
    f->why[0] = '\0';
    assert_int_equal(signed_by(f, t, by, &so), ERR_OK);
    return rule_verify(&so, &f->check, f->mem, f->why, sizeof f->why, &rule);
}

static struct rule_firing a_firing(const struct fixture *f) {
    return (struct rule_firing){1, SPAN_LIT("web-1"), SPAN_LIT("because"), f->check.wall_ns / NS_PER_MS};
}

static struct signed_order fired(struct fixture *f, const struct trigger *t, const struct rule_firing *firing) {
    struct signed_order so, order;
    assert_int_equal(signed_by(f, t, f->ann, &so), ERR_OK);
    buf_reset(&f->order);
    assert_int_equal(rule_fire_order(&so, firing, f->mem, &f->order), ERR_OK);
    assert_int_equal(spec_decode_signed(buf_span(&f->order), f->mem, &order), ERR_OK);
    return order;
}

static enum err obeyed(struct fixture *f, const struct signed_order *so, struct order *out) {
    f->why[0] = '\0';
    return order_verify(so, &f->check, f->mem, f->why, sizeof f->why, out);
}

static void a_runners_trigger_is_armed_and_a_viewers_is_not(void **state) {
    struct fixture *f = *state;
    const struct trigger t = a_trigger(f);
    assert_int_equal(armed(f, &t, f->ann), ERR_OK);
    assert_int_equal(armed(f, &t, f->vera), ERR_REFUSED);
}

static void a_trigger_without_limits_or_out_of_date_is_none(void **state) {
    struct fixture *f = *state;
    struct trigger bad[12];
    for (size_t i = 0; i < COUNT_OF(bad); i++) bad[i] = a_trigger(f);
    bad[0].cooldown_s = 0;
    bad[1].per_hour = 0;
    bad[2].per_hour = LIMIT_PER_HOUR + 1;
    bad[3].budget_s = 4;
    bad[4].when = SPAN_LIT("whenever");
    bad[5].what.expires_wall_ms = bad[5].what.issued_wall_ms + 31ULL * DAY_MS;
    bad[6].what.expires_wall_ms = f->check.wall_ns / NS_PER_MS - 1;
    bad[7].what.fleet = SPAN_LIT("other");
    bad[8].what.selector = SPAN_LIT("role=db");
    bad[9].what.tool = SPAN_LIT("nosuch");
    bad[10].what.campaign.b[0] = 1;
    bad[11].version = TRIGGER_VERSION + 1;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (armed(f, &bad[i], f->ann) == ERR_OK) fail_msg("number %zu was armed", i);
        assert_true(f->why[0] != '\0');
    }
}

static void a_firing_is_an_order_of_the_triggers_signer(void **state) {
    struct fixture *f = *state;
    const struct trigger t = a_trigger(f);
    struct rule_firing first = a_firing(f), second = first;
    struct order one, two;
    struct signed_order so = fired(f, &t, &first);
    assert_int_equal(obeyed(f, &so, &one), ERR_OK);
    assert_string_equal(one.signer.name, "ann");
    assert_true(span_eq_str(one.spec.fired.trigger, "stalls"));
    second.number = 2;
    so = fired(f, &t, &second);
    assert_int_equal(obeyed(f, &so, &two), ERR_OK);
    assert_memory_not_equal(one.spec.campaign.b, two.spec.campaign.b, CAMPAIGN_ID_BYTES);
}

/* Whoever has the trigger can say when, which of its hosts, and why: nothing else. */
static void a_firing_that_is_widened_is_refused(void **state) {
    struct fixture *f = *state;
    const struct trigger t = a_trigger(f);
    const struct rule_firing firing = a_firing(f);
    struct order o;
    for (int i = 0; i < 6; i++) {
        struct signed_order so = fired(f, &t, &firing);
        struct spec s;
        struct buf changed;
        buf_init(&changed, 0);
        assert_int_equal(spec_decode(so.spec, f->mem, &s), ERR_OK);
        if (i == 0) s.duration_s = 60;
        if (i == 1) s.tool = SPAN_LIT("execsnoop");
        if (i == 2) s.campaign.b[0] ^= 1;
        if (i == 3) s.expires_wall_ms += DAY_MS;
        if (i == 4) s.rounds = 2, s.every_s = 5;
        if (i == 5) s.fired.number = 0;
        assert_int_equal(spec_encode(&s, &changed), ERR_OK);
        so.spec = buf_span(&changed);
        if (obeyed(f, &so, &o) == ERR_OK) fail_msg("widening %d was obeyed", i);
        buf_done(&changed);
    }
}

static void a_firing_reaches_no_host_that_was_not_signed(void **state) {
    struct fixture *f = *state;
    struct trigger t = a_trigger(f);
    struct rule_firing firing = a_firing(f);
    struct order o;
    t.what.selector = SPAN_LIT("role=db");
    firing.where = SPAN_LIT("");
    struct signed_order so = fired(f, &t, &firing);
    assert_int_equal(obeyed(f, &so, &o), ERR_REFUSED);
}

static void an_altered_trigger_and_an_expired_one_fire_nothing(void **state) {
    struct fixture *f = *state;
    struct trigger t = a_trigger(f);
    const struct rule_firing firing = a_firing(f);
    struct order o;
    struct signed_order so = fired(f, &t, &firing);
    char *bytes = arena_array(f->mem, so.trigger.n, 1);
    memcpy(bytes, so.trigger.p, so.trigger.n);
    bytes[so.trigger.n / 2] ^= 1;
    so.trigger.p = bytes;
    assert_int_equal(obeyed(f, &so, &o), ERR_UNTRUSTED);
    t.what.expires_wall_ms = f->check.wall_ns / NS_PER_MS - 1;
    so = fired(f, &t, &firing);
    assert_int_equal(obeyed(f, &so, &o), ERR_EXPIRED);
}

/* The same bytes behind another prefix. */
static void a_trigger_is_no_order_and_an_order_no_trigger(void **state) {
    struct fixture *f = *state;
    const struct trigger t = a_trigger(f);
    struct signed_order so;
    struct order o;
    struct rule rule;
    assert_int_equal(signed_by(f, &t, f->ann, &so), ERR_OK);
    assert_int_equal(obeyed(f, &so, &o), ERR_UNTRUSTED);
    buf_reset(&f->order);
    struct spec s = t.what;
    s.expires_wall_ms = s.issued_wall_ms + MINUTE_MS * 2;
    assert_int_equal(order_sign(&s, f->ann, &f->order), ERR_OK);
    assert_int_equal(spec_decode_signed(buf_span(&f->order), f->mem, &so), ERR_OK);
    assert_int_equal(rule_verify(&so, &f->check, f->mem, f->why, sizeof f->why, &rule), ERR_UNTRUSTED);
    s.fired.number = 1;
    s.fired.trigger = SPAN_LIT("stalls");
    buf_reset(&f->order);
    assert_int_equal(order_sign(&s, f->ann, &f->order), ERR_OK);
    assert_int_equal(spec_decode_signed(buf_span(&f->order), f->mem, &so), ERR_OK);
    assert_int_equal(obeyed(f, &so, &o), ERR_REFUSED);
}

static void limits_hold_and_a_clock_that_is_set_back_does_not_widen_them(void **state) {
    struct fixture *f = *state;
    const struct trigger t = a_trigger(f);
    struct allowance a = {.fired = 0};
    uint64_t now = f->check.wall_ns / NS_PER_MS;
    assert_int_equal(allowance_ask(&a, &t, now, f->why, sizeof f->why), ERR_OK);
    allowance_spend(&a, &t, now);
    assert_int_equal(allowance_ask(&a, &t, now + MINUTE_MS - 1, f->why, sizeof f->why), ERR_REFUSED);
    assert_non_null(strstr(f->why, "cool-down"));
    assert_int_equal(allowance_ask(&a, &t, now - DAY_MS, f->why, sizeof f->why), ERR_REFUSED);
    for (int i = 1; i < 3; i++) {
        now += MINUTE_MS;
        assert_int_equal(allowance_ask(&a, &t, now, f->why, sizeof f->why), ERR_OK);
        allowance_spend(&a, &t, now);
    }
    assert_int_equal(allowance_ask(&a, &t, now + MINUTE_MS, f->why, sizeof f->why), ERR_REFUSED);
    assert_non_null(strstr(f->why, "within an hour"));
    now += 60 * MINUTE_MS;
    assert_int_equal(allowance_ask(&a, &t, now, f->why, sizeof f->why), ERR_OK);
    allowance_spend(&a, &t, now);
    assert_int_equal(allowance_ask(&a, &t, now + 60 * MINUTE_MS, f->why, sizeof f->why), ERR_REFUSED);
    assert_non_null(strstr(f->why, "budget"));
    assert_int_equal(allowance_ask(&a, &t, t.what.expires_wall_ms, f->why, sizeof f->why), ERR_EXPIRED);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_runners_trigger_is_armed_and_a_viewers_is_not),
                                       cmocka_unit_test(a_trigger_without_limits_or_out_of_date_is_none),
                                       cmocka_unit_test(a_firing_is_an_order_of_the_triggers_signer),
                                       cmocka_unit_test(a_firing_that_is_widened_is_refused),
                                       cmocka_unit_test(a_firing_reaches_no_host_that_was_not_signed),
                                       cmocka_unit_test(an_altered_trigger_and_an_expired_one_fire_nothing),
                                       cmocka_unit_test(a_trigger_is_no_order_and_an_order_no_trigger),
                                       cmocka_unit_test(limits_hold_and_a_clock_that_is_set_back_does_not_widen_them)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
