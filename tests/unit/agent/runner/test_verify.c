/* Every way in which a binary can be somebody else's. */
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cmocka.h>

#include "agent/runner/verify.h"
#include "common/crypto/digest.h"
#include "tests/unit/agent/runner/stage.h"

enum { NOBODY = 65534 };

static const struct flavour row = {.id = FLAVOUR_LIBBPF, .binaries = {"runqlat-libbpf", "runqlat"}};
static const struct flavour script_row = {.id = FLAVOUR_BCC, .binaries = {"runqlat-bpfcc", "runqlat"}, .script = true};

static int set_up(void **state) {
    struct stage *s = calloc(1, sizeof *s);
    if (!s || stage_open(s) != 0) return -1;
    stage_copy(s, "/bin/true", "runqlat", 0755);
    *state = s;
    return 0;
}

static int tear_down(void **state) {
    stage_close(*state);
    free(*state);
    return 0;
}

static enum err verify(const struct stage *s, const struct flavour *f, struct verified *out, char why[512]) {
    struct buf b;
    buf_init(&b, 511);
    enum err e = verify_tool(&s->policy, f, out, &b);
    snprintf(why, 512, "%s", b.n ? buf_str(&b) : "");
    buf_done(&b);
    return e;
}

static void assert_accepted(const struct stage *s) {
    struct verified v;
    char why[512];
    enum err e = verify(s, &row, &v, why);
    if (e) fail_msg("%s: %s", err_name(e), why);
    verify_done(&v);
}

/* The reason is name, in the folder of the stage, followed by what is wrong with it. */
static void assert_refused(const struct stage *s, const char *name, const char *wrong) {
    struct verified v;
    char why[512], want[512];
    assert_int_equal(verify(s, &row, &v, why), ERR_UNTRUSTED);
    snprintf(want, sizeof want, "%s%s%s %s", s->dir, name[0] ? "/" : "", name, wrong);
    assert_string_equal(why, want);
}

static void change_mode(const struct stage *s, const char *name, unsigned mode) { assert_int_equal(chmod(stage_path(s, name), mode), 0); }

static void a_file_of_root_in_folders_of_root_is_accepted(void **state) {
    struct stage *s = *state;
    struct verified v;
    char why[512];
    assert_int_equal(verify(s, &row, &v, why), ERR_OK);
    assert_string_equal(v.path, stage_path(s, "runqlat"));
    assert_true(v.replayed && v.exec_fd >= 0 && v.script_fd < 0);
    verify_done(&v);
}

static void a_file_that_others_can_write_is_refused(void **state) {
    change_mode(*state, "runqlat", 0777);
    assert_refused(*state, "runqlat", "is writable by others");
    change_mode(*state, "runqlat", 0757);
    assert_refused(*state, "runqlat", "is writable by others");
    change_mode(*state, "runqlat", 0755);
    assert_accepted(*state);
}

static void a_file_that_its_group_can_write_is_refused(void **state) {
    change_mode(*state, "runqlat", 0775);
    assert_refused(*state, "runqlat", "is writable by its group");
}

static void a_file_that_is_not_roots_is_refused(void **state) {
    struct stage *s = *state;
    assert_int_equal(chown(stage_path(s, "runqlat"), NOBODY, 0), 0);
    assert_refused(s, "runqlat", "is not owned by root");
}

static void set_id_files_are_refused(void **state) {
    change_mode(*state, "runqlat", 04755);
    assert_refused(*state, "runqlat", "is set-uid");
    change_mode(*state, "runqlat", 02755);
    assert_refused(*state, "runqlat", "is set-gid");
}

static void a_file_with_capabilities_is_refused(void **state) {
    struct stage *s = *state;
    struct vfs_cap_data data = {.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE, .data = {{.permitted = 1U << CAP_NET_RAW}}};
    if (setxattr(stage_path(s, "runqlat"), "security.capability", &data, sizeof data, 0) != 0) {
        print_message("skipped: this file system keeps no file capabilities\n");
        skip();
    }
    assert_refused(s, "runqlat", "has file capabilities");
}

static void a_file_that_nobody_can_execute_is_refused(void **state) {
    change_mode(*state, "runqlat", 0644);
    assert_refused(*state, "runqlat", "is not executable by everybody");
}

static void what_is_no_file_is_refused(void **state) {
    struct stage *s = *state;
    unlink(stage_path(s, "runqlat"));
    assert_int_equal(mkdir(stage_path(s, "runqlat"), 0755), 0);
    assert_refused(s, "runqlat", "is not a regular file");
    rmdir(stage_path(s, "runqlat"));
    assert_int_equal(mkfifo(stage_path(s, "runqlat"), 0755), 0); /* must not hang either */
    assert_refused(s, "runqlat", "is not a regular file");
}

static void a_folder_that_others_can_write_is_refused(void **state) {
    struct stage *s = *state;
    assert_int_equal(chmod(s->dir, 0777), 0);
    assert_refused(s, "", "is writable by others");
    assert_int_equal(chmod(s->dir, 01777), 0); /* sticky is no excuse */
    assert_refused(s, "", "is writable by others");
    assert_int_equal(chmod(s->dir, 0775), 0);
    assert_refused(s, "", "is writable by its group");
    assert_int_equal(chmod(s->dir, 0755), 0);
    assert_int_equal(chown(s->dir, NOBODY, 0), 0);
    assert_refused(s, "", "is not owned by root");
    assert_int_equal(chown(s->dir, 0, 0), 0);
    assert_accepted(s);
}

static void a_folder_further_up_counts_too(void **state) {
    struct stage *s = *state;
    static char deep[1024];
    assert_int_equal(mkdir(stage_path(s, "a"), 0755), 0);
    assert_int_equal(mkdir(stage_path(s, "a/b"), 0755), 0);
    stage_copy(s, "/bin/true", "a/b/runqlat", 0755);
    snprintf(deep, sizeof deep, "%s/a/b", s->dir);
    s->policy.tool_dir = deep;
    assert_accepted(s);
    change_mode(s, "a", 0777);
    assert_refused(s, "a", "is writable by others");
    s->policy.tool_dir = s->dir;
}

static void a_link_is_as_good_as_what_it_points_to(void **state) {
    struct stage *s = *state;
    assert_int_equal(mkdir(stage_path(s, "open"), 0755), 0);
    stage_copy(s, "/bin/true", "open/real", 0755);
    unlink(stage_path(s, "runqlat"));
    assert_int_equal(symlink("open/real", stage_path(s, "runqlat")), 0);
    assert_accepted(s);
    change_mode(s, "open/real", 0777);
    assert_refused(s, "open/real", "is writable by others");
    change_mode(s, "open/real", 0755);
    change_mode(s, "open", 0777);
    assert_refused(s, "open", "is writable by others");
}

static void a_chain_of_links_is_followed_to_its_end(void **state) {
    struct stage *s = *state;
    assert_int_equal(mkdir(stage_path(s, "x"), 0755), 0);
    assert_int_equal(mkdir(stage_path(s, "y"), 0755), 0);
    stage_copy(s, "/bin/true", "y/real", 0755);
    unlink(stage_path(s, "runqlat"));
    assert_int_equal(symlink("link2", stage_path(s, "runqlat")), 0);
    assert_int_equal(symlink(stage_path(s, "x/link3"), stage_path(s, "link2")), 0); /* absolute */
    assert_int_equal(symlink(".././z/real", stage_path(s, "x/link3")), 0);          /* up, and through a folder that is a link */
    assert_int_equal(symlink("y", stage_path(s, "z")), 0);
    assert_accepted(s);
    change_mode(s, "x", 0777); /* a folder in the middle of the chain */
    assert_refused(s, "x", "is writable by others");
    change_mode(s, "x", 0755);
    change_mode(s, "y", 0775);
    assert_refused(s, "y", "is writable by its group");
}

static void links_in_a_circle_end(void **state) {
    struct stage *s = *state;
    struct verified v;
    char why[512];
    unlink(stage_path(s, "runqlat"));
    assert_int_equal(symlink("runqlat", stage_path(s, "runqlat")), 0);
    assert_int_equal(verify(s, &row, &v, why), ERR_UNTRUSTED);
    assert_non_null(strstr(why, "too many links"));
}

static void a_link_to_nothing_is_not_installed(void **state) {
    struct stage *s = *state;
    struct verified v;
    char why[512], want[512];
    unlink(stage_path(s, "runqlat"));
    assert_int_equal(symlink("/nonexistent/there", stage_path(s, "runqlat")), 0);
    assert_int_equal(verify(s, &row, &v, why), ERR_NOTFOUND);
    snprintf(want, sizeof want, "not installed (looked for runqlat-libbpf, runqlat in %s)", s->dir);
    assert_string_equal(why, want);
}

static void names_are_tried_in_the_order_of_the_row(void **state) {
    struct stage *s = *state;
    struct verified v;
    char why[512];
    stage_copy(s, "/bin/true", "runqlat-libbpf", 0755);
    assert_int_equal(verify(s, &row, &v, why), ERR_OK);
    assert_string_equal(v.path, stage_path(s, "runqlat-libbpf"));
    verify_done(&v);
    /* The first that is there decides, also when it is bad: a bad file is not passed over in silence. */
    change_mode(s, "runqlat-libbpf", 0777);
    assert_refused(s, "runqlat-libbpf", "is writable by others");
}

static void a_pin_must_match(void **state) {
    struct stage *s = *state;
    static char pins[1024];
    unsigned char sum[DIGEST_BYTES];
    struct verified v;
    char why[512];
    assert_int_equal(verify(s, &row, &v, why), ERR_OK);
    assert_int_equal(digest_fd(v.exec_fd, sum), ERR_OK);
    verify_done(&v);
    size_t n = (size_t)snprintf(pins, sizeof pins, "/usr/sbin/other=00 %s=", stage_path(s, "runqlat"));
    size_t first = n;
    for (size_t i = 0; i < DIGEST_BYTES; i++) n += (size_t)snprintf(pins + n, sizeof pins - n, "%02x", sum[i]);
    s->policy.pins = pins;
    assert_accepted(s);
    pins[first] = pins[first] == '0' ? '1' : '0';
    assert_refused(s, "runqlat", "does not match its pin");
}

static void a_pin_on_what_a_link_points_to_counts(void **state) {
    struct stage *s = *state;
    static char pins[1024];
    stage_copy(s, "/bin/true", "real", 0755);
    unlink(stage_path(s, "runqlat"));
    assert_int_equal(symlink("real", stage_path(s, "runqlat")), 0);
    snprintf(pins, sizeof pins, "%s=%064d", stage_path(s, "real"), 0);
    s->policy.pins = pins;
    assert_refused(s, "runqlat", "does not match its pin");
}

static void a_script_stands_and_falls_with_its_interpreter(void **state) {
    struct stage *s = *state;
    struct verified v;
    char why[512], text[600], want[600];
    stage_copy(s, "/bin/sh", "shell", 0755);
    snprintf(text, sizeof text, "#!%s -e\nexit 0\n", stage_path(s, "shell"));
    stage_write(s, "runqlat", text, 0755);
    assert_int_equal(verify(s, &script_row, &v, why), ERR_OK);
    assert_string_equal(v.interpreter, stage_path(s, "shell"));
    assert_string_equal(v.option, "-e");
    assert_true(v.script_fd >= 0 && v.exec_fd >= 0 && !v.python);
    verify_done(&v);
    change_mode(s, "shell", 0777);
    assert_refused(s, "shell", "is writable by others");
    change_mode(s, "shell", 04755);
    assert_refused(s, "shell", "is set-uid");
    stage_write(s, "shell", "#!/bin/sh\n", 0755);
    assert_int_equal(verify(s, &script_row, &v, why), ERR_UNTRUSTED);
    snprintf(want, sizeof want, "%s, which interprets %s, is not an ELF binary", stage_path(s, "shell"), stage_path(s, "runqlat"));
    assert_string_equal(why, want);
    unlink(stage_path(s, "shell"));
    assert_int_equal(verify(s, &script_row, &v, why), ERR_UNTRUSTED);
    assert_non_null(strstr(why, "is not installed"));
}

static enum err program(const struct stage *s, struct verified *v, char why[512]) {
    struct buf b;
    buf_init(&b, 511);
    *v = (struct verified){.exec_fd = -1, .script_fd = -1, .program_fd = -1};
    enum err e = verify_program(&s->policy, stage_path(s, "x.bt"), v, &b);
    snprintf(why, 512, "%s", buf_str(&b));
    buf_done(&b);
    return e;
}

static void a_program_is_checked_as_the_tool_that_runs_it(void **state) {
    struct stage *s = *state;
    struct verified v;
    char why[512];
    static char pins[1024];
    assert_int_equal(program(s, &v, why), ERR_NOTFOUND);
    assert_non_null(strstr(why, "x.bt is not installed"));
    stage_write(s, "x.bt", "BEGIN { exit(); }\n", 0755);
    assert_int_equal(program(s, &v, why), ERR_OK);
    assert_true(v.program_fd >= 0);
    verify_done(&v);
    assert_true(v.program_fd < 0);
    change_mode(s, "x.bt", 0775);
    assert_int_equal(program(s, &v, why), ERR_UNTRUSTED);
    assert_non_null(strstr(why, "is writable by its group"));
    change_mode(s, "x.bt", 0755);
    snprintf(pins, sizeof pins, "%s=%064d", stage_path(s, "x.bt"), 0);
    s->policy.pins = pins;
    assert_int_equal(program(s, &v, why), ERR_UNTRUSTED);
    assert_non_null(strstr(why, "does not match its pin"));
}

static void a_first_line_must_name_an_interpreter(void **state) {
    struct stage *s = *state;
    static const char *const bad[] = {"#!\n", "#!  \n", "#!/bin/sh", "#!sh\n", "#!/usr/bin/env\n", "#!/usr/bin/env ../sh\n"};
    struct verified v;
    char why[512];
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        stage_write(s, "runqlat", bad[i], 0755);
        if (verify(s, &script_row, &v, why) != ERR_UNTRUSTED) fail_msg("accepted: %s", bad[i]);
    }
    stage_write(s, "runqlat", "#!/usr/bin/env sh\n", 0755);
    assert_int_equal(verify(s, &script_row, &v, why), ERR_OK);
    verify_done(&v);
}

static void elf_and_script_are_told_apart_by_the_file(void **state) {
    struct stage *s = *state;
    struct verified v;
    char why[512];
    static char nowhere[] = "";
    static const struct flavour elf_as_script = {.id = FLAVOUR_BCC, .binaries = {"true"}, .script = true};
    static const struct flavour elf = {.id = FLAVOUR_LIBBPF, .binaries = {"true"}};
    s->policy.tool_dir = nowhere; /* the standard directories */
    assert_int_equal(verify(s, &elf_as_script, &v, why), ERR_NOTFOUND);
    assert_non_null(strstr(why, "/usr/bin/true is a binary"));
    assert_int_equal(verify(s, &elf, &v, why), ERR_OK);
    assert_false(v.replayed);
    verify_done(&v);
    s->policy.tool_dir = s->dir;
    stage_write(s, "runqlat", "just text\n", 0755);
    assert_int_equal(verify(s, &row, &v, why), ERR_NOTFOUND);
    assert_non_null(strstr(why, "neither a binary nor a script"));
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const char *missing = stage_missing();
    if (missing) {
        printf("skipped: %s\n", missing);
        return 77;
    }
    const struct CMUnitTest tests[] = {
        ON_STAGE(a_file_of_root_in_folders_of_root_is_accepted),
        ON_STAGE(a_file_that_others_can_write_is_refused),
        ON_STAGE(a_file_that_its_group_can_write_is_refused),
        ON_STAGE(a_file_that_is_not_roots_is_refused),
        ON_STAGE(set_id_files_are_refused),
        ON_STAGE(a_file_with_capabilities_is_refused),
        ON_STAGE(a_file_that_nobody_can_execute_is_refused),
        ON_STAGE(what_is_no_file_is_refused),
        ON_STAGE(a_folder_that_others_can_write_is_refused),
        ON_STAGE(a_folder_further_up_counts_too),
        ON_STAGE(a_link_is_as_good_as_what_it_points_to),
        ON_STAGE(a_chain_of_links_is_followed_to_its_end),
        ON_STAGE(links_in_a_circle_end),
        ON_STAGE(a_link_to_nothing_is_not_installed),
        ON_STAGE(names_are_tried_in_the_order_of_the_row),
        ON_STAGE(a_pin_must_match),
        ON_STAGE(a_pin_on_what_a_link_points_to_counts),
        ON_STAGE(a_script_stands_and_falls_with_its_interpreter),
        ON_STAGE(a_program_is_checked_as_the_tool_that_runs_it),
        ON_STAGE(a_first_line_must_name_an_interpreter),
        ON_STAGE(elf_and_script_are_told_apart_by_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
