#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first */
#include <cmocka.h>

#include "common/base/auto.h"
#include "common/identity/identity.h"

static void an_identity_has_fleet_role_and_name(void **state) {
    (void)state;
    struct identity id = {.expires_wall_ns = 7};
    assert_int_equal(identity_parse(SPAN_LIT("spiffe://north/agent/web-1.example_2"), &id), ERR_OK);
    assert_int_equal(id.role, ROLE_AGENT);
    assert_string_equal(id.fleet, "north");
    assert_string_equal(id.name, "web-1.example_2");
    assert_int_equal(id.expires_wall_ns, 7);
    assert_int_equal(identity_parse(SPAN_LIT("spiffe://n/collector/c"), &id), ERR_OK);
    assert_int_equal(id.role, ROLE_COLLECTOR);
    assert_int_equal(identity_parse(SPAN_LIT("spiffe://n/operator/ada/admin"), &id), ERR_OK);
    assert_int_equal(id.authority, AUTHORITY_ADMIN);
    assert_string_equal(id.name, "ada");
    assert_int_equal(identity_parse(SPAN_LIT("spiffe://n/operator/ada"), &id), ERR_OK); /* of before roles */
    assert_int_equal(id.authority, AUTHORITY_VIEWER);
    assert_int_equal(id.role, ROLE_OPERATOR);
}

static void what_is_not_an_identity_is_refused_and_leaves_no_trace(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      "spiffe://",
                                      "spiffe://north",
                                      "spiffe://north/agent",
                                      "spiffe://north/agent/",
                                      "spiffe:///agent/x",
                                      "spiffe://north//x",
                                      "spiffe://north/root/x",
                                      "spiffe://north/none/x",
                                      "spiffe://north/Agent/x",
                                      "spiffe://north/agent/x/y",
                                      "spiffe://north/agent/x/admin",
                                      "spiffe://north/operator/x/root",
                                      "spiffe://north/operator/x/none",
                                      "spiffe://north/operator/x/admin/y",
                                      "spiffe://north/agent/x y",
                                      "spiffe://north/agent/x\n",
                                      "spiffe://north/agent/\xc3\xa9",
                                      "http://north/agent/x",
                                      "SPIFFE://north/agent/x",
                                      "spiffe://north/agent/0123456789012345678901234567890123456789012345678901234567890123"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct identity id = {.role = ROLE_OPERATOR, .name = "kept"};
        assert_int_equal(identity_parse(span_str(bad[i]), &id), ERR_UNTRUSTED);
        assert_int_equal(id.role, ROLE_OPERATOR);
        assert_string_equal(id.name, "kept");
    }
    struct identity id;
    assert_int_equal(identity_parse(span_of("spiffe://north/agent/a\0b", 24), &id), ERR_UNTRUSTED);
    assert_int_equal(identity_parse(SPAN_LIT("spiffe://north/agent/012345678901234567890123456789012345678901234567890123456789012"), &id),
                     ERR_OK);
}

static void roles_have_names(void **state) {
    (void)state;
    assert_string_equal(identity_role_name(ROLE_AGENT), "agent");
    assert_string_equal(identity_role_name(ROLE_NONE), "none");
    assert_string_equal(identity_role_name((enum role)99), "none");
}

static void a_viewer_signs_nothing_and_words_name_who_may(void **state) {
    (void)state;
    static const struct {
        const char *uri, *words;
        enum err want;
    } rows[] = {
        {"spiffe://n/operator/ada/runner", IDENTITY_MAY_SIGN, ERR_OK},
        {"spiffe://n/operator/ada/admin", IDENTITY_MAY_SIGN, ERR_OK},
        {"spiffe://n/operator/ada/viewer", "ada role:runner", ERR_REFUSED},
        {"spiffe://n/operator/ada", "ada", ERR_REFUSED},
        {"spiffe://n/operator/ada/runner", "role:admin", ERR_REFUSED},
        {"spiffe://n/operator/ada/runner", "bob ada", ERR_OK},
        {"spiffe://n/operator/ada/runner", "bob role:admin", ERR_REFUSED},
        {"spiffe://n/operator/ad/runner", "ada", ERR_REFUSED},
        {"spiffe://n/operator/ada/admin", "", ERR_REFUSED},
        {"spiffe://n/agent/ada", "ada role:runner", ERR_REFUSED},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct identity id;
        char why[256] = "";
        assert_int_equal(identity_parse(span_str(rows[i].uri), &id), ERR_OK);
        assert_int_equal(identity_may_sign(&id, rows[i].words, why, sizeof why), rows[i].want);
        assert_int_equal(why[0] != 0, rows[i].want != ERR_OK);
    }
    struct span bad;
    assert_true(identity_may_sign_is_sound("ada role:runner role:admin", &bad));
    assert_false(identity_may_sign_is_sound("ada role:viewer", &bad)); /* it would be without effect */
    assert_true(span_eq_str(bad, "role:viewer"));
    assert_false(identity_may_sign_is_sound("a/b", &bad));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_identity_has_fleet_role_and_name),
        cmocka_unit_test(a_viewer_signs_nothing_and_words_name_who_may),
        cmocka_unit_test(what_is_not_an_identity_is_refused_and_leaves_no_trace),
        cmocka_unit_test(roles_have_names),
    };
    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
