/* trawl doctor reads agent.conf by a table of its own, since the console knows nothing of the agent's code.  It must be the agent's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/runner/policy.h"
#include "console/cli/doctor_conf.h"

static void the_doctor_reads_what_the_agent_reads(void **state) {
    (void)state;
    assert_int_equal(doctor_conf_n_items, policy_n_items);
    for (size_t i = 0; i < policy_n_items; i++) {
        const struct conf_item *agent = &policy_items[i], *doctor = &doctor_conf_items[i];
        assert_string_equal(doctor->key, agent->key);
        assert_int_equal(doctor->type, agent->type);
        assert_true(doctor->low == agent->low && doctor->high == agent->high);
        assert_int_equal(doctor->fallback == NULL, agent->fallback == NULL);
        if (agent->fallback) assert_string_equal(doctor->fallback, agent->fallback);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_doctor_reads_what_the_agent_reads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
