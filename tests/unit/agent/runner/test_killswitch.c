/* A file that keeps everything from running, as long as it is there. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/runner/killswitch.h"

enum { TURN_MS = 5000 };

static char dir[64], file[80], other[80];
static struct loop *loop;
static struct killswitch k;
static unsigned changes;

static void on_change(struct killswitch *of) {
    assert_ptr_equal(of, &k);
    changes++;
}

static void make(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static int set_up(void **state) {
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/trawl-switch-XXXXXX");
    if (!mkdtemp(dir)) return -1;
    snprintf(file, sizeof file, "%s/lockdown", dir);
    snprintf(other, sizeof other, "%s/other", dir);
    changes = 0;
    k = (struct killswitch){.changed = on_change};
    loop = loop_new();
    return loop ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    killswitch_stop(&k);
    loop_free(loop);
    unlink(file);
    unlink(other);
    return rmdir(dir);
}

static void coming_and_going_are_told_and_nothing_else(void **state) {
    (void)state;
    assert_int_equal(killswitch_start(&k, loop, file), ERR_OK);
    assert_false(k.thrown);
    make(other);
    assert_int_equal(loop_turn(loop, TURN_MS), ERR_OK);
    assert_int_equal(changes, 0);
    make(file);
    assert_int_equal(loop_turn(loop, TURN_MS), ERR_OK);
    assert_int_equal(changes, 1);
    assert_true(k.thrown);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(loop_turn(loop, TURN_MS), ERR_OK);
    assert_int_equal(changes, 2);
    assert_false(k.thrown);
    assert_int_equal(rename(other, file), 0); /* put there whole */
    assert_int_equal(loop_turn(loop, TURN_MS), ERR_OK);
    assert_int_equal(changes, 3);
    assert_true(k.thrown);
}

static void one_that_is_there_at_the_start_counts(void **state) {
    (void)state;
    assert_int_equal(symlink("/nowhere/at/all", file), 0); /* a link to nothing is a name that is there */
    assert_int_equal(killswitch_start(&k, loop, file), ERR_OK);
    assert_true(k.thrown);
    assert_true(killswitch_look(&k));
    assert_int_equal(changes, 0);
}

static void a_folder_that_is_not_there_is_told_and_looking_still_works(void **state) {
    (void)state;
    char missing[128];
    snprintf(missing, sizeof missing, "%s/none/lockdown", dir);
    assert_int_equal(killswitch_start(&k, loop, missing), ERR_SYS);
    assert_int_equal(errno, ENOENT);
    assert_false(killswitch_look(&k));
    missing[strlen(dir) + 5] = '\0'; /* DIR/none */
    assert_int_equal(mkdir(missing, 0700), 0);
    missing[strlen(dir) + 5] = '/';
    make(missing);
    assert_true(killswitch_look(&k));
    assert_int_equal(changes, 1);
    assert_int_equal(unlink(missing), 0);
    assert_false(killswitch_look(&k));
    assert_int_equal(changes, 2);
    missing[strlen(dir) + 5] = '\0';
    assert_int_equal(rmdir(missing), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(coming_and_going_are_told_and_nothing_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_there_at_the_start_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_is_not_there_is_told_and_looking_still_works, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
