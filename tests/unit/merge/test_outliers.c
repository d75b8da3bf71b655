#include "tests/unit/merge/made.h"

#include <math.h>

#include "common/merge/outliers.h"
#include "tests/support/slow_hosts.h"

static const struct outliers_rule rule = {.rate = 0.05, .least = 0.5};

/* A handful of seeds; tests/bench/outliers tries 200. */
static void injected_faults_are_found_and_little_else(void **state) {
    enum { SEEDS = 6 };
    (void)state;
    for (int labelled = 0; labelled < 2; labelled++) {
        double precision = 0, recall = 0;
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            struct slow_hosts_score s = slow_hosts_try(&(struct slow_hosts_options){seed, 3000, labelled, 1, 2});
            precision += s.precision / SEEDS;
            recall += s.recall / SEEDS;
        }
        print_message("labelled %d: precision %.3f, recall %.3f\n", labelled, precision, recall);
        assert_true(precision >= 0.95 && recall >= 0.95);
    }
}

static void where_nothing_is_wrong_little_is_found(void **state) {
    (void)state;
    struct outlier_host hosts[300];
    struct gen g;
    gen_seed(&g, 7);
    size_t found = 0;
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < COUNT_OF(hosts); i++) {
            double at = 0;
            for (int k = 0; k < 12; k++) at += (double)gen_below(&g, 1000) / 1000 - 0.5; /* nearly normal */
            hosts[i] = (struct outlier_host){.at = 10 + at, .group = (uint32_t)(i % 3)};
        }
        assert_int_equal(outliers_find(hosts, COUNT_OF(hosts), &rule), ERR_OK);
        for (size_t i = 0; i < COUNT_OF(hosts); i++) found += hosts[i].found;
    }
    assert_true(found <= 6);
}

static void too_few_peers_tell_nobody_apart(void **state) {
    (void)state;
    struct outlier_host few[] = {{.at = 1}, {.at = 1}, {.at = 1}, {.at = 9}}, none[1];
    assert_int_equal(outliers_find(few, 4, &rule), ERR_OK);
    for (size_t i = 0; i < 4; i++) assert_true(!few[i].found && few[i].q == 1);
    assert_int_equal(outliers_find(none, 0, &rule), ERR_OK);
}

static void clusters_are_roles_unless_they_are_small(void **state) {
    (void)state;
    struct outlier_host hosts[104];
    for (size_t i = 0; i < 100; i++) hosts[i] = (struct outlier_host){.at = (i % 2 ? 4 : 9) + (double)(i % 7) / 100, .split = true};
    for (size_t i = 100; i < 104; i++) hosts[i] = (struct outlier_host){.at = 6, .split = true};
    assert_int_equal(outliers_find(hosts, COUNT_OF(hosts), &rule), ERR_OK);
    for (size_t i = 0; i < 100; i++) assert_true(!hosts[i].found && hosts[i].cluster != hosts[(i + 1) % 100].cluster);
    for (size_t i = 100; i < 104; i++) assert_true(hosts[i].found && fabs(hosts[i].octaves - 1.97) < 0.05);
}

static void the_slot_that_tells_most_is_named(void **state) {
    (void)state;
    struct hist_slot mine[] = {{4, 7, 50}, {8, 15, 50}, {16, 31, 2}}, theirs[] = {{4, 7, 9800}, {8, 15, 200}};
    struct hist h = {.slots = mine, .n_slots = 3}, peers = {.slots = theirs, .n_slots = 2}, empty = {.n_slots = 0};
    struct hist_slot slot = {0};
    double times = 0, at, variance;
    assert_true(outliers_slot(&h, &peers, &slot, &times));
    assert_int_equal(slot.low, 8);
    assert_true(times > 24 && times < 25);
    assert_false(outliers_slot(&peers, &peers, &slot, &times) && times > 1.01);
    assert_false(outliers_place(&empty, &at, &variance));
    assert_true(outliers_place(&h, &at, &variance) && at > 2.4 && at < 3.6 && variance > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(injected_faults_are_found_and_little_else), cmocka_unit_test(where_nothing_is_wrong_little_is_found),
        cmocka_unit_test(too_few_peers_tell_nobody_apart),           cmocka_unit_test(clusters_are_roles_unless_they_are_small),
        cmocka_unit_test(the_slot_that_tells_most_is_named),
    };
    return cmocka_run_group_tests_name("outliers", tests, NULL, NULL);
}
