#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "common/base/auto.h"
#include "common/sys/fds.h"
#include "tests/support/fault_file.h"

static char folder[] = "/tmp/trawl-fds-XXXXXX";
static int dir_fd = -1;

static size_t open_fds(void) {
    size_t n = 0;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    while (readdir(d)) n++;
    closedir(d);
    return n;
}

static size_t files(void) {
    size_t n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

static enum err read_back(const char *name, struct buf *out) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return fds_read_file(path, out);
}

static void assert_content(const char *name, const char *want) {
    struct buf b;
    buf_init(&b, 0);
    assert_int_equal(read_back(name, &b), ERR_OK);
    assert_true(span_eq_str(buf_span(&b), want));
    buf_done(&b);
}

/* ---- packets ---- */

static void bytes_and_descriptors_arrive_together(void **state) {
    (void)state;
    int pair[2], out[4], pipe_fds[2];
    char bytes[16];
    size_t n = sizeof bytes, n_fds = 99, before = open_fds();
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    assert_int_equal(fds_send(pair[0], "hello", 5, pipe_fds, 2), ERR_OK);
    assert_int_equal(fds_receive(pair[1], bytes, &n, out, COUNT_OF(out), &n_fds), ERR_OK);
    assert_int_equal(n, 5);
    assert_memory_equal(bytes, "hello", 5);
    assert_int_equal(n_fds, 2);
    assert_true(fcntl(out[0], F_GETFD) & FD_CLOEXEC);
    assert_int_equal(write(out[1], "x", 1), 1); /* it is the same pipe */
    assert_int_equal(read(pipe_fds[0], bytes, sizeof bytes), 1);
    for (int i = 0; i < 2; i++) close(out[i]), close(pipe_fds[i]);
    n = sizeof bytes;
    assert_int_equal(fds_send(pair[0], "bye", 3, NULL, 0), ERR_OK);
    assert_int_equal(fds_receive(pair[1], bytes, &n, NULL, 0, &n_fds), ERR_OK);
    assert_int_equal(n_fds, 0);
    for (int i = 0; i < 2; i++) close(pair[i]);
    assert_int_equal(open_fds(), before);
}

static void descriptors_nobody_asked_for_are_closed(void **state) {
    (void)state;
    int pair[2], out[1], sent[4] = {0, 1, 2, 0};
    char bytes[4];
    size_t n = sizeof bytes, n_fds = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    size_t before = open_fds();
    assert_int_equal(fds_send(pair[0], "abcd", 4, sent, 4), ERR_OK);
    assert_int_equal(fds_receive(pair[1], bytes, &n, out, 1, &n_fds), ERR_OK);
    assert_int_equal(n_fds, 1);
    assert_int_equal(open_fds(), before + 1);
    close(out[0]);
    n_fds = 77;
    assert_int_equal(fds_send(pair[0], "abcde", 5, sent, 4), ERR_OK); /* too long for the room, and with descriptors */
    assert_int_equal(fds_receive(pair[1], bytes, &n, out, 1, &n_fds), ERR_LIMIT);
    assert_int_equal(open_fds(), before);
    assert_int_equal(n, 4);
    assert_int_equal(n_fds, 77);
    for (int i = 0; i < 2; i++) close(pair[i]);
}

static void a_peer_that_is_gone_silent_or_slow_is_told_apart(void **state) {
    (void)state;
    int pair[2];
    static char bytes[1 << 16];
    size_t n = sizeof bytes, n_fds;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    assert_int_equal(fds_receive(pair[0], bytes, &n, NULL, 0, &n_fds), ERR_AGAIN);
    enum err e;
    while ((e = fds_send(pair[0], bytes, 4096, NULL, 0)) == ERR_OK) continue;
    assert_int_equal(e, ERR_AGAIN);
    assert_int_equal(fds_send(pair[0], bytes, 0, (const int[]){-1}, 1), ERR_SYS);
    assert_int_equal(errno, EBADF);
    close(pair[1]);
    assert_int_equal(fds_send(pair[0], bytes, 1, NULL, 0), ERR_GONE);
    while ((e = fds_receive(pair[0], bytes, &n, NULL, 0, &n_fds)) == ERR_OK) continue;
    assert_int_equal(e, ERR_GONE);
    close(pair[0]);
}

static void a_packet_larger_than_the_socket_takes_is_over_the_limit(void **state) {
    (void)state;
    int pair[2], small = 4096;
    static char bytes[1 << 20];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    assert_int_equal(fds_send(pair[0], bytes, sizeof bytes, NULL, 0), ERR_LIMIT);
    for (int i = 0; i < 2; i++) close(pair[i]);
}

static void closing_leaves_what_is_below(void **state) {
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        int high = fcntl(0, F_DUPFD, 500);
        fds_close_from(3);
        _exit(high >= 500 && fcntl(high, F_GETFD) < 0 && fcntl(3, F_GETFD) < 0 && fcntl(2, F_GETFD) >= 0 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* ---- files ---- */

static void a_written_file_is_read_back_with_its_mode(void **state) {
    (void)state;
    struct stat st;
    mode_t old = umask(077);
    assert_int_equal(fds_write_file(dir_fd, "a", SPAN_LIT("first"), 0640), ERR_OK);
    umask(old);
    assert_int_equal(fstatat(dir_fd, "a", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_content("a", "first");
    assert_int_equal(fds_write_file(dir_fd, "a", SPAN_NONE, 0600), ERR_OK); /* over the old one */
    assert_content("a", "");
    assert_int_equal(files(), 1);
    unlinkat(dir_fd, "a", 0);
}

static void short_writes_and_a_leftover_of_a_killed_writer_do_no_harm(void **state) {
    (void)state;
    int left = openat(dir_fd, ".a.tmp", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(write(left, "leftover", 8), 8);
    close(left);
    fault_file_longest_write(3);
    assert_int_equal(fds_write_file(dir_fd, "a", SPAN_LIT("0123456789"), 0600), ERR_OK);
    fault_file_longest_write(SIZE_MAX);
    assert_content("a", "0123456789");
    assert_int_equal(files(), 1);
    unlinkat(dir_fd, "a", 0);
}

static void names_that_cannot_be_are_refused(void **state) {
    (void)state;
    char name[NAME_MAX + 1];
    memset(name, 'n', sizeof name);
    name[NAME_MAX - 4] = '\0'; /* itself a name, but not with .….tmp around it */
    assert_int_equal(fds_write_file(dir_fd, name, SPAN_LIT("x"), 0600), ERR_SYS);
    assert_int_equal(errno, ENAMETOOLONG);
    assert_int_equal(fds_write_file(dir_fd, "../x", SPAN_LIT("x"), 0600), ERR_SYS);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(fds_write_file(-1, "x", SPAN_LIT("x"), 0600), ERR_SYS);
    assert_int_equal(errno, EBADF);
    assert_int_equal(mkdirat(dir_fd, ".a.tmp", 0700), 0);
    assert_int_equal(fds_write_file(dir_fd, "a", SPAN_LIT("x"), 0600), ERR_SYS);
    assert_int_equal(unlinkat(dir_fd, ".a.tmp", AT_REMOVEDIR), 0);
    assert_int_equal(files(), 0);
}

/* Whatever fails: the old content or the new, no temporary file, no descriptor lost, errno as it was. */
static void a_failed_write_leaves_the_old_file_whole(void **state) {
    (void)state;
    size_t rounds = 0, before = open_fds();
    FOR_EACH_FAULT(n) {
        fault_off(); /* not for what is prepared here */
        assert_int_equal(fds_write_file(dir_fd, "a", SPAN_LIT("old"), 0600), ERR_OK);
        fault_on(n);
        enum err e = fds_write_file(dir_fd, "a", SPAN_LIT("new content"), 0600);
        int error = errno;
        fault_off();
        assert_int_equal(e, fault_hit() ? ERR_SYS : ERR_OK);
        if (e) assert_int_equal(error, EIO);
        struct buf b;
        buf_init(&b, 0);
        assert_int_equal(read_back("a", &b), ERR_OK);
        assert_true(span_eq_str(buf_span(&b), "new content") || (e && span_eq_str(buf_span(&b), "old")));
        buf_done(&b);
        assert_int_equal(files(), 1);
        assert_int_equal(open_fds(), before);
        rounds++;
    }
    assert_int_equal(rounds, 8); /* openat, write, fchmod, fsync, close, renameat, fsync of the folder, and none */
    unlinkat(dir_fd, "a", 0);
}

static void a_file_is_read_up_to_the_cap_and_not_beyond(void **state) {
    (void)state;
    struct buf b;
    static char large[200000];
    memset(large, 'x', sizeof large);
    assert_int_equal(fds_write_file(dir_fd, "a", span_of(large, sizeof large), 0600), ERR_OK);
    buf_init(&b, sizeof large);
    assert_int_equal(read_back("a", &b), ERR_OK);
    assert_int_equal(b.n, sizeof large);
    buf_done(&b);
    buf_init(&b, sizeof large - 1);
    buf_add_str(&b, "kept");
    assert_int_equal(read_back("a", &b), ERR_LIMIT);
    assert_true(span_eq_str(buf_span(&b), "kept"));
    buf_done(&b);
    buf_init(&b, 0);
    assert_int_equal(read_back("a", &b), ERR_OK);
    assert_int_equal(b.n, sizeof large);
    buf_reset(&b);
    assert_int_equal(read_back("absent", &b), ERR_SYS);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(fds_read_file("/tmp", &b), ERR_SYS);
    assert_int_equal(errno, EISDIR);
    buf_done(&b);
    FOR_EACH_FAULT(n) {
        buf_init(&b, 0);
        enum err e = read_back("a", &b);
        fault_off();
        assert_int_equal(e == ERR_OK, b.n == sizeof large);
        if (e) assert_int_equal(e, ERR_NOMEM);
        buf_done(&b);
    }
    unlinkat(dir_fd, "a", 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_and_descriptors_arrive_together),
        cmocka_unit_test(descriptors_nobody_asked_for_are_closed),
        cmocka_unit_test(a_peer_that_is_gone_silent_or_slow_is_told_apart),
        cmocka_unit_test(a_packet_larger_than_the_socket_takes_is_over_the_limit),
        cmocka_unit_test(closing_leaves_what_is_below),
        cmocka_unit_test(a_written_file_is_read_back_with_its_mode),
        cmocka_unit_test(short_writes_and_a_leftover_of_a_killed_writer_do_no_harm),
        cmocka_unit_test(names_that_cannot_be_are_refused),
        cmocka_unit_test(a_failed_write_leaves_the_old_file_whole),
        cmocka_unit_test(a_file_is_read_up_to_the_cap_and_not_beyond),
    };
    if (!mkdtemp(folder)) return 1;
    dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    close(dir_fd);
    rmdir(folder);
    return failed;
}
