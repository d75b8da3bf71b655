#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/daemon/host.h"

static enum err read_host(const char *name, const char *labels, struct arena *mem, char *why, struct host *h) {
    return host_read(name, labels, mem, why, 256, h);
}

static void labels_are_pairs_in_the_order_written(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 16);
    struct host h;
    char why[256] = "";
    assert_int_equal(read_host("web-1", " role=web, zone=a b,x=1=2 ", mem, why, &h), ERR_OK);
    assert_string_equal(h.name, "web-1");
    assert_int_equal(h.n_labels, 3);
    assert_true(span_eq_str(h.labels[0].key, "role") && span_eq_str(h.labels[0].value, "web"));
    assert_true(span_eq_str(h.labels[1].value, "a b"));
    assert_true(span_eq_str(h.labels[2].value, "1=2"));
    assert_int_equal(read_host("web-1", "", mem, why, &h), ERR_OK);
    assert_int_equal(h.n_labels, 0);
}

static void a_bad_label_or_name_is_named(void **state) {
    (void)state;
    static const struct {
        const char *name, *labels, *says;
    } rows[] = {{"web-1", "role", "\"role\""},
                {"web-1", "ro le=web", "\"ro le=web\""},
                {"web-1", "role=", "\"role=\""},
                {"web 1", "", "\"web 1\""}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(arena_free) struct arena *mem = arena_new(1 << 16);
        struct host h = {.n_labels = 77};
        char why[256] = "";
        assert_int_equal(read_host(rows[i].name, rows[i].labels, mem, why, &h), ERR_SYNTAX);
        assert_non_null(strstr(why, rows[i].says));
        assert_int_equal(h.n_labels, 77);
    }
}

static void the_machines_own_name_is_the_default(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(1 << 16);
    struct host h;
    char why[256] = "", own[256];
    assert_int_equal(gethostname(own, sizeof own), 0);
    assert_int_equal(read_host("", "", mem, why, &h), ERR_OK);
    assert_string_equal(h.name, own);
}

static void labels_need_memory(void **state) {
    (void)state;
    AUTO(arena_free) struct arena *mem = arena_new(16);
    struct host h;
    char why[256] = "";
    assert_int_equal(read_host("web-1", "a=b", mem, why, &h), ERR_NOMEM);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_pairs_in_the_order_written),
        cmocka_unit_test(a_bad_label_or_name_is_named),
        cmocka_unit_test(the_machines_own_name_is_the_default),
        cmocka_unit_test(labels_need_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
