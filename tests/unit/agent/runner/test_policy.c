#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "agent/runner/policy.h"
#include "common/base/clock.h"
#include "common/crypto/digest.h"

static char all[] = "all", none[] = "";

static struct policy open_policy(void) {
    return (struct policy){.tools = all, .quiet_hours = none, .pins = none, .max_duration_ns = 60 * NS_PER_S, .max_concurrent = 2};
}

/* Noon of some day plus minutes, local time. */
static uint64_t at(int hour, int minute) {
    struct tm tm = {.tm_year = 126, .tm_mon = 5, .tm_mday = 10, .tm_hour = hour, .tm_min = minute, .tm_isdst = -1};
    return (uint64_t)mktime(&tm) * NS_PER_S;
}

static enum err admits(const struct policy *p, unsigned seconds, size_t running, uint64_t wall_ns, char why[256]) {
    struct buf b;
    buf_init(&b, 255);
    enum err e = policy_admits(p, catalog_tool(TOOL_RUNQLAT), seconds, running, wall_ns, &b);
    snprintf(why, 256, "%s", b.n ? buf_str(&b) : "");
    buf_done(&b);
    return e;
}

static void durations_have_borders(void **state) {
    (void)state;
    struct policy p = open_policy();
    char why[256];
    assert_int_equal(admits(&p, 0, 0, 0, why), ERR_REFUSED);
    assert_int_equal(admits(&p, 1, 0, 0, why), ERR_OK);
    assert_int_equal(admits(&p, 60, 0, 0, why), ERR_OK);
    assert_int_equal(admits(&p, 61, 0, 0, why), ERR_REFUSED);
    assert_string_equal(why, "61 seconds asked, this host allows 1 to 60");
    assert_int_equal(admits(&p, UINT32_MAX, 0, 0, why), ERR_REFUSED);
}

static void no_more_tools_at_the_same_time_than_allowed(void **state) {
    (void)state;
    struct policy p = open_policy();
    char why[256];
    assert_int_equal(admits(&p, 1, 1, 0, why), ERR_OK);
    assert_int_equal(admits(&p, 1, 2, 0, why), ERR_REFUSED);
    assert_string_equal(why, "2 tools run already, this host allows 2 at the same time");
}

static void only_listed_tools_are_allowed(void **state) {
    (void)state;
    struct policy p = open_policy();
    char why[256], others[] = "biolatency execsnoop", with[] = "biolatency runqlat", part[] = "runqla runqlatx";
    p.tools = others;
    assert_int_equal(admits(&p, 1, 0, 0, why), ERR_REFUSED);
    assert_string_equal(why, "runqlat is not among the tools that this host allows");
    p.tools = with;
    assert_int_equal(admits(&p, 1, 0, 0, why), ERR_OK);
    p.tools = part;
    assert_int_equal(admits(&p, 1, 0, 0, why), ERR_REFUSED);
    p.tools = none;
    assert_int_equal(admits(&p, 1, 0, 0, why), ERR_REFUSED);
}

static void quiet_hours_go_over_midnight(void **state) {
    (void)state;
    struct policy p = open_policy();
    char why[256], night[] = "22:00-06:00", lunch[] = "22:00-06:00 12:00-12:30", broken[] = "from ten to six";
    p.quiet_hours = night;
    assert_int_equal(admits(&p, 1, 0, at(21, 59), why), ERR_OK);
    assert_int_equal(admits(&p, 1, 0, at(22, 0), why), ERR_REFUSED);
    assert_string_equal(why, "quiet hours of this host: 22:00-06:00 local time");
    assert_int_equal(admits(&p, 1, 0, at(23, 59), why), ERR_REFUSED);
    assert_int_equal(admits(&p, 1, 0, at(0, 0), why), ERR_REFUSED);
    assert_int_equal(admits(&p, 1, 0, at(5, 59), why), ERR_REFUSED);
    assert_int_equal(admits(&p, 1, 0, at(6, 0), why), ERR_OK);
    p.quiet_hours = lunch;
    assert_int_equal(admits(&p, 1, 0, at(12, 29), why), ERR_REFUSED);
    assert_int_equal(admits(&p, 1, 0, at(12, 30), why), ERR_OK);
    p.quiet_hours = broken; /* policy_load refuses it; here it must at least not open the door */
    assert_int_equal(admits(&p, 1, 0, at(12, 0), why), ERR_REFUSED);
}

static const char required[] = "fleet = f\ncollector = c:1\ntls_ca = /a\ntls_cert = /b\ntls_key = /c\noperators_ca = /d\n";

static enum err load(const char *more, struct policy *p, char *why, size_t why_size) {
    char path[] = "/tmp/trawl-conf.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, required, sizeof required - 1), sizeof required - 1);
    assert_int_equal(write(fd, more, strlen(more)), (ssize_t)strlen(more));
    close(fd);
    enum err e = policy_load(path, p, why, why_size);
    unlink(path);
    return e;
}

static void the_defaults_are_the_documented_ones(void **state) {
    (void)state;
    struct policy p;
    char why[256] = "";
    assert_int_equal(load("", &p, why, sizeof why), ERR_OK);
    assert_string_equal(p.user, "trawl-agent");
    assert_string_equal(p.tool_user, "trawl-tools");
    assert_string_equal(p.tools, "all");
    assert_string_equal(p.tool_dir, "");
    assert_int_equal(p.max_duration_ns, 600 * NS_PER_S);
    assert_int_equal(p.max_concurrent, 4);
    assert_int_equal(p.stdout_bytes, 50 << 20);
    assert_int_equal(p.stderr_bytes, 64 << 10);
    assert_int_equal(p.memory_bytes, 512 << 20);
    assert_int_equal(p.spool_bytes, 64 << 20);
    policy_done(&p);
}

static void what_the_table_cannot_check_is_checked(void **state) {
    (void)state;
    static const struct {
        const char *line, *says;
    } bad[] = {
        {"tools = runqlat runlat\n", "runlat"},
        {"quiet_hours = 22:00-6:00\n", "HH:MM-HH:MM"},
        {"quiet_hours = 22:00-24:01\n", "HH:MM-HH:MM"},
        {"quiet_hours = 22:60-23:00\n", "HH:MM-HH:MM"},
        {"pins = /usr/sbin/runqlat=abc\n", "SHA256"},
        {"pins = runqlat=0000000000000000000000000000000000000000000000000000000000000000\n", "SHA256"},
        {"pins = /usr/sbin/runqlat=000000000000000000000000000000000000000000000000000000000000000g\n", "SHA256"},
        {"max_concurrent = 0\n", "max_concurrent"},
        {"max_duration = 2h\n", "max_duration"},
        {"stdout_bytes = 12\n", "stdout_bytes"},
        {"no_such_key = 1\n", "no_such_key"},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct policy p;
        char why[256] = "";
        assert_int_equal(load(bad[i].line, &p, why, sizeof why), ERR_SYNTAX);
        if (!strstr(why, bad[i].says)) fail_msg("%s: %s", bad[i].line, why);
        policy_done(&p);
    }
    struct policy p;
    char why[256] = "";
    assert_int_equal(load("tools = runqlat execsnoop\nquiet_hours = 22:00-24:00 00:00-06:00\n"
                          "pins = /usr/sbin/runqlat=00000000000000000000000000000000000000000000000000000000000000Af\n",
                          &p, why, sizeof why),
                     ERR_OK);
    policy_done(&p);
}

static enum err read_pins(const char *text, char **out, char *why, size_t why_size) {
    char path[] = "/tmp/trawl-pins-XXXXXX";
    struct policy p = {.pins = strdup("/first=pin"), .pins_file = path};
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    enum err e = policy_read_pins(&p, why, why_size);
    unlink(path);
    *out = p.pins;
    return e;
}

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void pins_come_from_a_file_as_well(void **state) {
    (void)state;
    char why[256] = "", *pins;
    assert_int_equal(read_pins("# of today\n\n" HEX "  /usr/sbin/runqlat\n" HEX "  /usr/bin/python3\n", &pins, why, sizeof why), ERR_OK);
    assert_string_equal(pins, "/first=pin /usr/sbin/runqlat=" HEX " /usr/bin/python3=" HEX);
    free(pins);
    static const char *const bad[] = {HEX "\n", HEX "  relative\n", "00  /usr/sbin/runqlat\n", HEX "  /usr/sbin/with blank\n",
                                      "x" HEX "  /a\n"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(read_pins(bad[i], &pins, why, sizeof why), ERR_SYNTAX);
        assert_non_null(strstr(why, ":1: expected SHA256 and an absolute path"));
        assert_string_equal(pins, "/first=pin"); /* as it was */
        free(pins);
    }
}

static void a_missing_file_says_so(void **state) {
    (void)state;
    struct policy p;
    char why[256] = "";
    assert_int_equal(policy_load("/nonexistent/agent.conf", &p, why, sizeof why), ERR_SYS);
    assert_non_null(strstr(why, "/nonexistent/agent.conf"));
    policy_done(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_have_borders),
        cmocka_unit_test(no_more_tools_at_the_same_time_than_allowed),
        cmocka_unit_test(only_listed_tools_are_allowed),
        cmocka_unit_test(quiet_hours_go_over_midnight),
        cmocka_unit_test(the_defaults_are_the_documented_ones),
        cmocka_unit_test(what_the_table_cannot_check_is_checked),
        cmocka_unit_test(pins_come_from_a_file_as_well),
        cmocka_unit_test(a_missing_file_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
