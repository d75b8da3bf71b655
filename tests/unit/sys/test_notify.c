#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "common/base/auto.h"
#include "common/sys/notify.h"

/* A service manager's socket at the place that NOTIFY_SOCKET names: '@…' is abstract. */
static int listen_at(const char *name) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    memcpy(a.sun_path, name, strlen(name));
    if (name[0] == '@') a.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    return fd;
}

static void heard(int fd, const char *want) {
    char got[64] = "";
    assert_int_equal(read(fd, got, sizeof got - 1), (ssize_t)strlen(want));
    assert_string_equal(got, want);
}

static void the_manager_is_told_at_a_path(void **state) {
    (void)state;
    char folder[] = "/tmp/trawl-notify-XXXXXX", name[64];
    assert_non_null(mkdtemp(folder));
    snprintf(name, sizeof name, "%s/socket", folder);
    AUTO_CLOSE int fd = listen_at(name);
    notify_send("READY=1");
    heard(fd, "READY=1");
    unlink(name);
    rmdir(folder);
}

static void the_manager_is_told_at_an_abstract_name(void **state) {
    (void)state;
    char name[64];
    snprintf(name, sizeof name, "@trawl-notify-test-%d", (int)getpid());
    AUTO_CLOSE int fd = listen_at(name);
    notify_send("READY=1\nSTATUS=watching");
    heard(fd, "READY=1\nSTATUS=watching");
}

static void without_a_manager_nothing_happens(void **state) {
    (void)state;
    char too_long[200] = "/";
    memset(too_long + 1, 'x', sizeof too_long - 2);
    const char *names[] = {"", "@", "/", "relative", "/nonexistent/socket", too_long};
    unsetenv("NOTIFY_SOCKET");
    notify_send("READY=1");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        setenv("NOTIFY_SOCKET", names[i], 1);
        notify_send("READY=1");
    }
    AUTO_CLOSE int next = dup(0); /* no descriptor was lost */
    AUTO_CLOSE int again = dup(0);
    assert_int_equal(again, next + 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manager_is_told_at_a_path),
        cmocka_unit_test(the_manager_is_told_at_an_abstract_name),
        cmocka_unit_test(without_a_manager_nothing_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
