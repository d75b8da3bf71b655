/* Pins of what is installed: a line for each file, in sha256sum's form; what is not trusted gets none, and a word. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "agent/runner/pin.h"
#include "common/base/auto.h"
#include "common/crypto/digest.h"
#include "common/sys/fds.h"
#include "tests/unit/agent/runner/stage.h"

struct answer {
    struct buf pins, why;
};

static struct answer pin(const struct stage *s) {
    struct answer a;
    buf_init(&a.pins, 1 << 20);
    buf_init(&a.why, 1 << 16);
    assert_int_equal(pin_installed(&s->policy, &a.pins, &a.why), ERR_OK);
    return a;
}

static void forget(struct answer *a) {
    buf_done(&a->pins);
    buf_done(&a->why);
}

static size_t lines_of(const struct buf *b, const char *path) {
    size_t n = 0;
    struct span line, rest = buf_span(b);
    while (span_line(&rest, &line)) n += line.n > 66 && span_eq_str(span_drop(line, 66), path);
    return n;
}

static void assert_pinned(struct buf *pins, const char *path) {
    unsigned char digest[DIGEST_BYTES];
    char line[STAGE_PATH_BYTES * 2 + 80];
    size_t n = 0;
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(digest_fd(fd, digest), ERR_OK);
    for (size_t i = 0; i < DIGEST_BYTES; i++) n += (size_t)snprintf(line + n, sizeof line - n, "%02x", digest[i]);
    snprintf(line + n, sizeof line - n, "  %s\n", path);
    if (span_find_span(buf_span(pins), span_str(line)) == pins->n) fail_msg("no pin \"%s\" in:\n%s", line, buf_str(pins));
}

static void nothing_installed_is_nothing_pinned(void **state) {
    struct answer a = pin(*state);
    assert_int_equal(a.pins.n, 0);
    assert_int_equal(a.why.n, 0);
    forget(&a);
}

static void programs_and_the_interpreters_of_scripts_are_pinned_once(void **state) {
    const struct stage *s = *state;
    stage_copy(s, "/bin/true", "runqlat", 0755);
    stage_write(s, "biolatency-bpfcc", "#!/bin/sh\n", 0755);
    stage_write(s, "cpudist-bpfcc", "#!/bin/sh\n# another\n", 0755);
    struct answer a = pin(s);
    assert_pinned(&a.pins, stage_path(s, "runqlat"));
    assert_pinned(&a.pins, stage_path(s, "biolatency-bpfcc"));
    assert_pinned(&a.pins, stage_path(s, "cpudist-bpfcc"));
    assert_int_equal(lines_of(&a.pins, "/bin/sh"), 1);
    assert_int_equal(a.why.n, 0);
    forget(&a);
}

/* One word, though two flavours look for a file of that name. */
static void what_others_can_write_gets_no_pin_but_a_word(void **state) {
    const struct stage *s = *state;
    stage_copy(s, "/bin/true", "runqlat", 0757);
    stage_copy(s, "/bin/true", "cpudist", 0755);
    struct answer a = pin(s);
    assert_pinned(&a.pins, stage_path(s, "cpudist"));
    assert_int_equal(lines_of(&a.pins, stage_path(s, "runqlat")), 0);
    char expected[STAGE_PATH_BYTES * 2 + 40];
    snprintf(expected, sizeof expected, "%s is writable by others\n", stage_path(s, "runqlat"));
    assert_string_equal(buf_str(&a.why), expected);
    forget(&a);
}

/* New ones are wanted because the old ones are wrong. */
static void old_pins_do_not_hinder(void **state) {
    struct stage *s = *state;
    char old[STAGE_PATH_BYTES * 2 + 80];
    stage_copy(s, "/bin/true", "runqlat", 0755);
    snprintf(old, sizeof old, "%s=%064d", stage_path(s, "runqlat"), 0);
    s->policy.pins = old;
    struct answer a = pin(s);
    assert_pinned(&a.pins, stage_path(s, "runqlat"));
    forget(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_installed_is_nothing_pinned, stage_set_up, stage_tear_down),
        cmocka_unit_test_setup_teardown(programs_and_the_interpreters_of_scripts_are_pinned_once, stage_set_up, stage_tear_down),
        cmocka_unit_test_setup_teardown(what_others_can_write_gets_no_pin_but_a_word, stage_set_up, stage_tear_down),
        cmocka_unit_test_setup_teardown(old_pins_do_not_hinder, stage_set_up, stage_tear_down),
    };
    const char *missing = stage_missing();
    if (missing) {
        printf("skipped: %s\n", missing);
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
