/* Whose turn it is, and when a campaign stops itself: examples, then seeded random courses. */
#include "tests/unit/collector/made.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/gen.h"

enum { HOSTS_MAX = 40 };

static char texts[HOSTS_MAX][16];
static struct span names[HOSTS_MAX], zones[HOSTS_MAX];

static struct campaign *start_at(const struct spec *s, size_t n, unsigned second) {
    struct campaign *c = NULL;
    struct span order = made_order_of(s);
    for (size_t i = 0; i < n; i++) {
        names[i] = span_of(texts[i], (size_t)snprintf(texts[i], sizeof texts[i], "web-%02zu", i));
        zones[i] = i % 3 == 0 ? SPAN_LIT("a") : SPAN_LIT("b");
    }
    const struct campaign_start start = {.id = s->campaign,
                                         .signed_order = order,
                                         .operator_name = SPAN_LIT("ada"),
                                         .hosts = names,
                                         .domains = s->domain_hosts ? zones : NULL,
                                         .n_hosts = n,
                                         .now = made_at(second)};
    assert_int_equal(campaign_new(&start, &c), ERR_OK);
    made_free(order);
    return c;
}

static struct campaign *start(const struct spec *s, size_t n) { return start_at(s, n, 0); }

static void all_connect(struct campaign *c) {
    for (size_t i = 0; i < c->n_targets; i++) assert_int_equal(campaign_connected(c, names[i], made_at(0)), CAMPAIGN_SEND_NOTHING);
}

static unsigned turns(struct campaign *c, unsigned second) {
    unsigned n = 0;
    while (campaign_next(c, made_at(second))) n++;
    return n;
}

static void ends(struct campaign *c, size_t host, enum coverage how, unsigned second) {
    struct outcome o = made_ok(1);
    o.coverage = how;
    o.wall_ns = NS_PER_S;
    o.cpu_ns = NS_PER_S / 10;
    assert_int_equal(campaign_part(c, names[host], 0, 0, &o, made_at(second)), ERR_OK);
}

static void a_wave_begins_when_the_one_before_has_ended(void **state) {
    struct share waves[] = {{.count = 1}, {.permille = 300}};
    struct spec s = made_spec(made_id(1), "runqlat");
    (void)state;
    s.waves = waves;
    s.n_waves = 2;
    struct campaign *c = start(&s, 10);
    assert_int_equal(c->n_waves, 3); /* the others are the last wave */
    all_connect(c);
    assert_int_equal(turns(c, 0), 1);
    ends(c, 0, COVERAGE_OK, 1);
    assert_int_equal(turns(c, 1), 2);
    ends(c, 1, COVERAGE_OK, 2);
    assert_int_equal(turns(c, 2), 0);
    ends(c, 2, COVERAGE_REFUSED, 2);
    assert_int_equal(turns(c, 2), 7);
    campaign_free(c);
}

static void a_wave_that_did_not_end_well_is_the_last(void **state) {
    struct share waves[] = {{.count = 1}};
    struct spec s = made_spec(made_id(1), "runqlat");
    (void)state;
    s.waves = waves;
    s.n_waves = 1;
    struct campaign *c = start(&s, 3);
    all_connect(c);
    assert_int_equal(turns(c, 0), 1);
    ends(c, 0, COVERAGE_FAILED, 1);
    assert_int_equal(turns(c, 1), 0);
    assert_true(c->stopped && campaign_done(c));
    assert_string_equal(campaign_find(c, names[2])->reason,
                        "the campaign stopped itself: wave 1 did not end well, 1 of its 1 hosts failed or were lost");
    assert_int_equal(c->coverage[COVERAGE_CANCELLED], 2);
    campaign_free(c);
}

static void concurrency_holds_for_the_fleet_and_for_each_value_of_a_label(void **state) {
    struct spec s = made_spec(made_id(1), "runqlat");
    (void)state;
    s.concurrency = 5;
    s.domain = SPAN_LIT("zone");
    s.domain_hosts = 3;
    struct campaign *c = start(&s, 12); /* 4 in a, 8 in b */
    all_connect(c);
    assert_int_equal(turns(c, 0), 5);
    assert_true(c->domains[0].active <= 3 && c->domains[1].active <= 3);
    ends(c, 0, COVERAGE_OK, 1); /* of a */
    assert_int_equal(turns(c, 1), 1);
    assert_int_equal(c->active, 5);
    campaign_free(c);
}

static void a_rate_is_kept(void **state) {
    struct spec s = made_spec(made_id(1), "runqlat");
    (void)state;
    s.rate_per_s = 10;
    struct campaign *c = start(&s, 30);
    all_connect(c);
    unsigned at_first = turns(c, 1);
    assert_true(at_first >= 1 && at_first <= 2);
    assert_true(campaign_wake_ns(c) > made_at(1).mono_ns);
    unsigned n = at_first;
    struct campaign_now now = made_at(1);
    for (int i = 0; i < 20; i++) {
        now.mono_ns += NS_PER_S / 20;
        while (campaign_next(c, now)) n++;
    }
    assert_in_range(n, 9, 12);
    campaign_free(c);
}

static void nobody_begins_while_it_is_paused_and_the_expiry_says_so(void **state) {
    struct spec s = made_spec(made_id(1), "runqlat");
    (void)state;
    s.concurrency = 1;
    struct campaign *c = start(&s, 3);
    all_connect(c);
    assert_int_equal(turns(c, 0), 1);
    assert_true(campaign_pause(c, SPAN_LIT("ada")));
    assert_false(campaign_pause(c, SPAN_LIT("ada")));
    ends(c, 0, COVERAGE_OK, 1);
    assert_int_equal(turns(c, 1), 0);
    assert_true(campaign_resume(c));
    assert_int_equal(turns(c, 1), 1);
    assert_true(campaign_pause(c, SPAN_LIT("ada")));
    ends(c, 1, COVERAGE_OK, 2);
    campaign_tick(c, made_at(MADE_EXPIRY_S));
    assert_string_equal(campaign_find(c, names[2])->reason, "the order expired while the campaign was paused");
    assert_true(campaign_done(c));
    campaign_free(c);
}

static void it_stops_itself_and_says_why(void **state) {
    static const struct {
        struct stop_when when;
        enum coverage end;
        const char *why;
    } rows[] = {
        {{.failures = {.count = 2}}, COVERAGE_FAILED, "the campaign stopped itself: 2 of 8 hosts failed"},
        {{.failures = {.permille = 250}}, COVERAGE_FAILED, "the campaign stopped itself: 2 of 8 hosts failed"},
        {{.refusals = {.count = 2}}, COVERAGE_REFUSED, "the campaign stopped itself: 2 of 8 hosts refused"},
        {{.cpu_permille = 50}, COVERAGE_OK, "the campaign stopped itself: the tools' CPU time is 9.9 % on average, over 5.0 %"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct spec s = made_spec(made_id(1), "runqlat");
        s.concurrency = 2;
        s.stop = rows[i].when;
        struct campaign *c = start(&s, 8);
        all_connect(c);
        for (size_t h = 0; h < 2 && !c->stopped; h++) {
            turns(c, 1);
            ends(c, h, rows[i].end, 1);
        }
        assert_true(c->stopped);
        assert_string_equal(c->why, rows[i].why);
        assert_string_equal(campaign_find(c, names[7])->reason, rows[i].why);
        campaign_free(c);
    }
}

static void agents_that_are_lost_in_their_captures_stop_it(void **state) {
    struct spec s = made_spec(made_id(1), "runqlat");
    (void)state;
    s.concurrency = 2;
    s.stop.agent_deaths = 1;
    struct campaign *c = start(&s, 4);
    all_connect(c);
    turns(c, 0);
    campaign_disconnected(c, names[0], made_at(1)); /* it had not begun */
    assert_false(c->stopped);
    campaign_state(c, names[1], COVERAGE_RUNNING, made_at(1));
    campaign_disconnected(c, names[1], made_at(2));
    assert_true(c->stopped);
    campaign_free(c);
}

static void hosts_that_are_away_are_waited_for_after_the_others(void **state) {
    struct spec s = made_spec(made_id(1), "runqlat");
    (void)state;
    s.concurrency = 1;
    s.join_s = 5;
    struct campaign *c = start(&s, 2);
    campaign_connected(c, names[0], made_at(0));
    turns(c, 0);
    campaign_tick(c, made_at(10));
    ends(c, 0, COVERAGE_OK, 11);
    campaign_tick(c, made_at(12));
    campaign_tick(c, made_at(16));
    assert_false(campaign_done(c));
    campaign_tick(c, made_at(17));
    assert_true(campaign_done(c));
    assert_int_equal(c->coverage[COVERAGE_OFFLINE], 1);
    campaign_free(c);
}

static void a_host_is_ok_when_all_its_rounds_are(void **state) {
    struct spec s = made_spec(made_id(1), "runqlat");
    struct outcome o = made_ok(1);
    (void)state;
    s.rounds = 3;
    s.every_s = 10;
    struct campaign *c = start(&s, 2);
    o.ledger.kernel = 2;
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(campaign_find(c, names[0])->coverage, i ? COVERAGE_RUNNING : COVERAGE_PENDING);
        assert_int_equal(campaign_part(c, names[0], i, 0, &o, made_at(i)), ERR_OK);
    }
    assert_int_equal(campaign_find(c, names[0])->coverage, COVERAGE_OK);
    assert_int_equal(c->ledger.kernel, 6);
    assert_int_equal(campaign_part(c, names[1], 3, 0, &o, made_at(1)), ERR_LIMIT);
    assert_int_equal(campaign_part(c, names[1], 1, 0, &o, made_at(1)), ERR_OK);
    assert_int_equal(campaign_part(c, names[1], 0, 0, &o, made_at(1)), ERR_OK);
    o.coverage = COVERAGE_FAILED;
    o.reason = SPAN_LIT("no kernel");
    assert_int_equal(campaign_part(c, names[1], 2, 0, &o, made_at(1)), ERR_OK);
    assert_int_equal(campaign_find(c, names[1])->coverage, COVERAGE_PARTIAL);
    assert_string_equal(campaign_find(c, names[1])->reason, "round 3 of 3: no kernel");
    campaign_free(c);
}

static void rounds_that_a_host_does_not_have_are_not_waited_for(void **state) {
    struct spec s = made_spec(made_id(1), "runqlat");
    struct outcome o = made_ok(1);
    (void)state;
    s.rounds = 3;
    s.every_s = 10;
    struct campaign *c = start(&s, 1);
    assert_int_equal(campaign_part(c, names[0], 0, 0, &o, made_at(1)), ERR_OK);
    o.rounds = 2;
    o.coverage = COVERAGE_CANCELLED;
    assert_int_equal(campaign_part(c, names[0], 1, 0, &o, made_at(1)), ERR_OK);
    assert_int_equal(campaign_find(c, names[0])->coverage, COVERAGE_CANCELLED);
    campaign_free(c);
}

static void each_missing_round_is_named_with_its_reason(void **state) {
    static const char *const why[] = {NULL, "restarted", "missed", "missed", NULL, "missed", "missed", "missed", "stopped"};
    struct spec s = made_spec(made_id(1), "runqlat");
    (void)state;
    s.rounds = 12;
    s.every_s = 10;
    struct campaign *c = start(&s, 2);
    for (uint32_t i = 0; i < 9; i++) {
        struct outcome o = made_ok(1);
        o.coverage = why[i] ? COVERAGE_FAILED : COVERAGE_OK;
        o.reason = why[i] ? span_str(why[i]) : SPAN_NONE;
        o.rounds = i == 8 ? 9 : 0;
        assert_int_equal(campaign_part(c, names[0], i, 0, &o, made_at(i)), ERR_OK);
    }
    assert_string_equal(campaign_find(c, names[0])->reason, "round 2 of 12: restarted; rounds 3-4 of 12: missed; "
                                                            "rounds 6-8 of 12: missed; rounds 9-12 of 12: stopped");
    char reason[LIMIT_REASON_BYTES + 1];
    for (uint32_t i = 0; i < 12; i++) {
        struct outcome o = made_ok(1);
        snprintf(reason, sizeof reason, "%0120u", i);
        o.coverage = COVERAGE_FAILED;
        o.reason = span_str(reason);
        o.rounds = i == 11 ? 12 : 0;
        assert_int_equal(campaign_part(c, names[1], i, 0, &o, made_at(i)), ERR_OK);
    }
    const char *said = campaign_find(c, names[1])->reason;
    assert_true(strlen(said) <= LIMIT_REASON_BYTES && span_ends(span_str(said), SPAN_LIT("; and others")));
    campaign_free(c);
}

/* ---- whatever happens ---- */
struct course {
    struct gen *g;
    struct spec spec;
    struct share waves[3];
    struct campaign *c;
    size_t n;
    unsigned second;
    bool online[HOSTS_MAX];
};

static void draw_spec(struct course *k) {
    k->spec = made_spec(made_id(1), "runqlat");
    if (gen_below(k->g, 2)) {
        k->waves[0] = (struct share){.count = 1};
        k->waves[1] = (struct share){.permille = 300};
        k->spec.waves = k->waves;
        k->spec.n_waves = 2;
    }
    if (gen_below(k->g, 2)) k->spec.concurrency = 1 + (uint32_t)gen_below(k->g, 6);
    if (gen_below(k->g, 2)) {
        k->spec.domain = SPAN_LIT("zone");
        k->spec.domain_hosts = 1 + (uint32_t)gen_below(k->g, 3);
    }
    if (gen_below(k->g, 4) == 0) k->spec.rate_per_s = 1 + (uint32_t)gen_below(k->g, 5);
    if (gen_below(k->g, 3) == 0) {
        k->spec.rounds = 2 + (uint32_t)gen_below(k->g, 3);
        k->spec.every_s = MADE_SECONDS;
    }
    if (gen_below(k->g, 4) == 0) k->spec.stop.failures.count = 1 + (uint32_t)gen_below(k->g, 4);
    if (gen_below(k->g, 4) == 0) k->spec.stop.agent_deaths = 1 + (uint32_t)gen_below(k->g, 3);
    if (gen_below(k->g, 4) == 0) k->spec.join_s = 5;
}

/* What must hold at any time. */
static void check(const struct course *k) {
    const struct campaign *c = k->c;
    uint32_t stages[4] = {0}, coverage[COVERAGE__COUNT] = {0}, sum = 0, began = 0, ready = 0;
    for (size_t i = 0; i < c->n_targets; i++) {
        const struct campaign_target *t = &c->targets[i];
        stages[t->stage]++;
        coverage[t->coverage]++;
        began += t->began;
        ready += t->ready;
        assert_true(coverage_is_end(t->coverage) == (t->stage == STAGE_ENDED));
        assert_true((t->coverage == COVERAGE_RUNNING) == (t->stage == STAGE_RUNNING));
        if (t->decided_here) assert_non_null(t->reason);
    }
    for (size_t i = 0; i < COVERAGE__COUNT; i++) {
        assert_int_equal(coverage[i], c->coverage[i]);
        sum += coverage[i];
    }
    assert_int_equal(sum, c->n_targets);
    assert_int_equal(c->held, stages[STAGE_HELD]);
    assert_int_equal(c->active, stages[STAGE_SENT] + stages[STAGE_RUNNING]);
    assert_int_equal(c->began, began);
    assert_int_equal(c->ready, ready);
    assert_true(began <= campaign_reach(c));
    if (k->spec.concurrency) assert_true(c->active <= k->spec.concurrency);
    for (size_t i = 0; k->spec.domain_hosts && i < c->n_domains; i++) assert_true(c->domains[i].active <= k->spec.domain_hosts);
    uint32_t failed = c->coverage[COVERAGE_FAILED] + c->coverage[COVERAGE_TIMEOUT];
    if (k->spec.stop.failures.count && !campaign_done(c) && failed >= k->spec.stop.failures.count) assert_true(c->stopped);
}

static void part_of_somebody(struct course *k, size_t h) {
    static const enum coverage ends_in[] = {COVERAGE_OK, COVERAGE_OK, COVERAGE_OK, COVERAGE_FAILED, COVERAGE_REFUSED, COVERAGE_CANCELLED};
    const struct campaign_target *t = campaign_find(k->c, names[h]);
    struct outcome o = made_ok(1);
    if (!k->online[h] || !t->began) return; /* an agent says nothing about an order it does not have */
    o.coverage = ends_in[gen_below(k->g, COUNT_OF(ends_in))];
    if (gen_below(k->g, 8) == 0) o.rounds = 1;
    uint32_t part = (uint32_t)gen_below(k->g, 2), round = (uint32_t)gen_below(k->g, spec_rounds(&k->spec));
    enum err e = campaign_part(k->c, names[h], round, part, part == 1 || gen_below(k->g, 2) ? &o : NULL, made_at(k->second));
    assert_true(e == ERR_OK || e == ERR_EXISTS);
}

/* The collector is restarted: what was stored comes back, the hosts are away. */
static void restart(struct course *k) {
    struct campaign *old = k->c, *c = start_at(&k->spec, k->n, k->second);
    const struct campaign_control control = {.stopped = old->stopped, .paused = old->paused, .wave = old->wave, .why = span_str(old->why)};
    uint32_t still = 0;
    campaign_restore_control(c, &control, made_at(k->second));
    for (size_t i = 0; i < old->n_targets; i++) {
        const struct campaign_target *t = &old->targets[i];
        struct campaign_end end = {.coverage = coverage_is_end(t->coverage) ? t->coverage : COVERAGE_PENDING,
                                   .reason = span_str(t->reason ? t->reason : ""),
                                   .outcome = t->decided_here ? SPAN_LIT("") : t->outcome,
                                   .began = t->began && spec_is_paced(&old->spec),
                                   .gone = t->gone};
        if (!coverage_is_end(t->coverage)) end.outcome = SPAN_LIT("");
        assert_int_equal(campaign_restore(c, span_str(t->host), &end, made_at(k->second)), ERR_OK);
        still += end.coverage == COVERAGE_PENDING;
    }
    assert_int_equal(c->coverage[COVERAGE_PENDING], still);
    assert_int_equal(c->wave, old->wave);
    campaign_free(old);
    k->c = c;
    memset(k->online, 0, sizeof k->online);
}

static void something_happens(struct course *k) {
    size_t h = gen_below(k->g, k->n);
    struct campaign_now now = made_at(k->second);
    switch (gen_below(k->g, 16)) {
    case 0:
    case 1:
    case 2:
        if (!k->online[h]) campaign_connected(k->c, names[h], now);
        k->online[h] = true;
        break;
    case 3:
        campaign_disconnected(k->c, names[h], now);
        k->online[h] = false;
        break;
    case 4:
    case 5:
        if (k->online[h] && campaign_find(k->c, names[h])->stage == STAGE_SENT) campaign_state(k->c, names[h], COVERAGE_RUNNING, now);
        break;
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
        part_of_somebody(k, h);
        break;
    case 11:
    case 12:
    case 13:
        k->second += 1 + (unsigned)gen_below(k->g, 3);
        campaign_tick(k->c, made_at(k->second));
        break;
    case 14:
        if (gen_below(k->g, 2)) campaign_pause(k->c, SPAN_LIT("ada"));
        if (gen_below(k->g, 2)) campaign_resume(k->c);
        break;
    default:
        if (gen_below(k->g, 30) == 0) campaign_stop(k->c, SPAN_LIT("ada"), now);
        if (gen_below(k->g, 10) == 0) restart(k);
        break;
    }
    while (gen_below(k->g, 20) && campaign_next(k->c, made_at(k->second))) check(k);
    while (campaign_next_begun(k->c)) {
    }
    check(k);
}

static void every_host_ends_in_one_state_whatever_happens(void **state) {
    enum { COURSES = 400, EVENTS = 300 };
    (void)state;
    struct gen g;
    gen_init(&g);
    gen_print(&g);
    for (int i = 0; i < COURSES; i++) {
        struct course k = {.g = &g, .n = 1 + gen_below(&g, HOSTS_MAX)};
        draw_spec(&k);
        k.c = start(&k.spec, k.n);
        for (int n = 0; n < EVENTS; n++) something_happens(&k);
        for (unsigned s = 0; !campaign_done(k.c) && s < 1000; s += 5) campaign_tick(k.c, made_at(k.second + s));
        assert_true(campaign_done(k.c));
        check(&k);
        campaign_free(k.c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wave_begins_when_the_one_before_has_ended),
        cmocka_unit_test(a_wave_that_did_not_end_well_is_the_last),
        cmocka_unit_test(concurrency_holds_for_the_fleet_and_for_each_value_of_a_label),
        cmocka_unit_test(a_rate_is_kept),
        cmocka_unit_test(nobody_begins_while_it_is_paused_and_the_expiry_says_so),
        cmocka_unit_test(it_stops_itself_and_says_why),
        cmocka_unit_test(agents_that_are_lost_in_their_captures_stop_it),
        cmocka_unit_test(hosts_that_are_away_are_waited_for_after_the_others),
        cmocka_unit_test(a_host_is_ok_when_all_its_rounds_are),
        cmocka_unit_test(rounds_that_a_host_does_not_have_are_not_waited_for),
        cmocka_unit_test(each_missing_round_is_named_with_its_reason),
        cmocka_unit_test(every_host_ends_in_one_state_whatever_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
