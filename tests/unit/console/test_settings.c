/* Where the console finds its collector and its operator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/base/auto.h"
#include "console/client/settings.h"
#include "tests/support/folder.h"

#define WHOLE "fleet = prod\ncollector = c1.example:7443\ntls_ca = /ca.pem\ncert = /me.pem\nkey = /me.key\n"

static const char *file_in(const struct folder *f, const char *name, const char *text) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    FILE *to = fopen(path, "w");
    assert_non_null(to);
    fputs(text, to);
    fclose(to);
    return path;
}

static void the_chosen_file_is_read(void **state) {
    (void)state;
    struct folder f;
    struct settings s;
    char why[512] = "";
    folder_make(&f);
    setenv("TRAWL_CONFIG", file_in(&f, "mine.conf", WHOLE), 1);
    assert_int_equal(settings_load(why, sizeof why, &s), ERR_OK);
    assert_string_equal(s.fleet, "prod");
    assert_string_equal(s.collector, "c1.example:7443");
    assert_string_equal(s.tls_ca, "/ca.pem");
    assert_string_equal(s.cert, "/me.pem");
    assert_string_equal(s.key, "/me.key");
    settings_done(&s);
    folder_remove(&f);
}

static void the_persons_own_file_is_found(void **state) {
    (void)state;
    struct folder f;
    struct settings s;
    char why[512] = "", dir[128];
    struct folder own;
    folder_make(&f);
    snprintf(dir, sizeof dir, "%s/.config", f.path);
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_true(snprintf(own.path, sizeof own.path, "%.40s/.config/trawl", f.path) < (int)sizeof own.path);
    assert_int_equal(mkdir(own.path, 0700), 0);
    file_in(&own, "console.conf", WHOLE);
    setenv("HOME", f.path, 1);
    setenv("TRAWL_CONFIG", "", 1); /* empty is not chosen */
    assert_int_equal(settings_load(why, sizeof why, &s), ERR_OK);
    settings_done(&s);
    folder_remove(&own);
    assert_int_equal(rmdir(dir), 0);
    folder_remove(&f);
}

static void without_a_file_the_places_are_named(void **state) {
    (void)state;
    struct settings s;
    char why[512] = "";
    if (access("/etc/trawl/console.conf", F_OK) == 0) {
        print_message("skipped: this machine has an /etc/trawl/console.conf\n");
        skip();
    }
    unsetenv("TRAWL_CONFIG");
    setenv("HOME", "/nonexistent", 1);
    assert_int_equal(settings_load(why, sizeof why, &s), ERR_NOTFOUND);
    assert_string_equal(why,
                        "no console.conf: looked at $TRAWL_CONFIG, /nonexistent/.config/trawl/console.conf and /etc/trawl/console.conf");
    unsetenv("HOME");
    assert_int_equal(settings_load(why, sizeof why, &s), ERR_NOTFOUND);
    assert_string_equal(why, "no console.conf: looked at $TRAWL_CONFIG, /etc/trawl/console.conf");
}

static void a_mistake_is_named_with_its_place(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum err want;
        const char *why;
    } rows[] = {
        {WHOLE "colour = red\n", ERR_SYNTAX, "bad.conf:6"},
        {"fleet = prod\n", ERR_SYNTAX, "collector"},    /* missing */
        {WHOLE "fleet = south\n", ERR_SYNTAX, "fleet"}, /* twice */
        {"", ERR_SYNTAX, "fleet"},
    };
    struct folder f;
    folder_make(&f);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct settings s;
        char why[512] = "";
        setenv("TRAWL_CONFIG", file_in(&f, "bad.conf", rows[i].text), 1);
        assert_int_equal(settings_load(why, sizeof why, &s), rows[i].want);
        if (!strstr(why, rows[i].why)) fail_msg("\"%s\" does not say %s", why, rows[i].why);
    }
    struct settings s;
    char why[512] = "";
    setenv("TRAWL_CONFIG", "/nonexistent/console.conf", 1);
    assert_int_equal(settings_load(why, sizeof why, &s), ERR_SYS);
    assert_non_null(strstr(why, "/nonexistent/console.conf"));
    folder_remove(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_chosen_file_is_read),
        cmocka_unit_test(the_persons_own_file_is_found),
        cmocka_unit_test(without_a_file_the_places_are_named),
        cmocka_unit_test(a_mistake_is_named_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
