/* agentd's end of the socket to the runner: what goes out, and what may come in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/socket.h>

#include "agent/daemon/channel.h"
#include "common/sys/fds.h"
#include "tests/support/folder.h"

struct ends {
    struct channel channel;
    struct loop *loop;
    int agent, runner;
    unsigned reports, gone;
    struct report last;
    int out_fd, err_fd;
};

static void on_report(struct channel *c, const struct report *r, int out_fd, int err_fd) {
    struct ends *e = container_of(c, struct ends, channel);
    e->reports++;
    e->last = *r;
    e->out_fd = out_fd;
    e->err_fd = err_fd;
}

static void on_gone(struct channel *c) { container_of(c, struct ends, channel)->gone++; }

static void ends_open(struct ends *e) {
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    *e = (struct ends){.loop = loop_new(), .agent = pair[0], .runner = pair[1]};
    e->channel = (struct channel){.report = on_report, .gone = on_gone, .watch.fd = -1};
    assert_int_equal(channel_start(&e->channel, e->loop, e->agent), ERR_OK);
}

static void ends_close(struct ends *e) {
    close(e->agent);
    if (e->runner >= 0) close(e->runner);
    loop_free(e->loop);
}

static size_t open_fds(void) {
    const struct folder self = {.path = "/proc/self/fd"};
    return folder_count(&self);
}

static void a_request_says_what_was_asked(void **state) {
    (void)state;
    struct ends e;
    struct request r;
    size_t n = sizeof r, n_fds;
    ends_open(&e);
    const struct params params = {.p = {{PARAM_PID, 42, ""}, {PARAM_DISK, 0, "vda"}}, .n = 2};
    assert_int_equal(channel_run(&e.channel, 99, TOOL_BIOLATENCY, FLAVOUR_LIBBPF, 7, &params), ERR_OK);
    assert_int_equal(fds_receive(e.runner, &r, &n, NULL, 0, &n_fds), ERR_OK);
    assert_int_equal(n, sizeof r);
    assert_int_equal(r.magic, REQUEST_MAGIC);
    assert_int_equal(r.kind, REQUEST_RUN);
    assert_int_equal(r.run, 99);
    assert_int_equal(r.tool, TOOL_BIOLATENCY);
    assert_int_equal(r.flavour, FLAVOUR_LIBBPF);
    assert_int_equal(r.seconds, 7);
    assert_int_equal(r.params[0].number, 42);
    assert_string_equal(r.params[1].name, "vda");
    for (size_t i = params.n; i < PARAMS_MAX; i++) assert_int_equal(r.params[i].id, PARAM_NONE);
    assert_int_equal(channel_stop(&e.channel, 99), ERR_OK);
    assert_int_equal(fds_receive(e.runner, &r, &n, NULL, 0, &n_fds), ERR_OK);
    assert_int_equal(r.kind, REQUEST_STOP);
    assert_int_equal(channel_probe(&e.channel, 3, TOOL_RUNQLAT, FLAVOUR_BCC), ERR_OK);
    assert_int_equal(fds_receive(e.runner, &r, &n, NULL, 0, &n_fds), ERR_OK);
    assert_int_equal(r.kind, REQUEST_PROBE);
    assert_int_equal(r.flavour, FLAVOUR_BCC);
    ends_close(&e);
}

static void a_report_brings_its_descriptors_and_ended_texts(void **state) {
    (void)state;
    struct ends e;
    int pair[2];
    ends_open(&e);
    assert_int_equal(pipe(pair), 0);
    struct report r = {.magic = REQUEST_MAGIC, .kind = REPORT_STARTED, .run = 5};
    memset(r.why, 'w', sizeof r.why);
    memset(r.binary, 'b', sizeof r.binary);
    assert_int_equal(fds_send(e.runner, &r, sizeof r, pair, 2), ERR_OK);
    assert_int_equal(loop_turn(e.loop, 1000), ERR_OK);
    assert_int_equal(e.reports, 1);
    assert_int_equal(strlen(e.last.why), sizeof r.why - 1);
    assert_int_equal(strlen(e.last.binary), sizeof r.binary - 1);
    assert_int_equal(fcntl(e.out_fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(e.err_fd, F_GETFD), FD_CLOEXEC);
    close(e.out_fd);
    close(e.err_fd);
    assert_int_equal(fds_send(e.runner, &r, sizeof r, pair, 1), ERR_OK);
    assert_int_equal(loop_turn(e.loop, 1000), ERR_OK);
    assert_true(e.out_fd >= 0);
    assert_int_equal(e.err_fd, -1);
    close(e.out_fd);
    close(pair[0]);
    close(pair[1]);
    ends_close(&e);
}

/* Whatever is no report means that the runner cannot be understood any more: that is told once, and nothing leaks. */
static void garbage_means_that_the_runner_is_gone(void **state) {
    (void)state;
    static const char garbage[2 * sizeof(struct report)];
    static const struct report good_size = {.magic = REQUEST_MAGIC ^ 1, .kind = REPORT_ENDED, .run = 1};
    const struct {
        const void *bytes;
        size_t n;
        size_t n_fds;
    } rows[] = {
        {garbage, 0, 0},
        {garbage, 1, 2},
        {garbage, sizeof(struct report) - 1, 2},
        {garbage, sizeof(struct report) + 1, 2},
        {garbage, sizeof garbage, 1},
        {garbage, sizeof(struct report), 2},
        {&good_size, sizeof good_size, 2},
    };
    size_t before = open_fds();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ends e;
        int pair[2];
        ends_open(&e);
        assert_int_equal(pipe(pair), 0);
        const struct report good = {.magic = REQUEST_MAGIC, .kind = REPORT_ENDED, .run = 1};
        assert_int_equal(fds_send(e.runner, rows[i].bytes, rows[i].n, pair, rows[i].n_fds), ERR_OK);
        assert_int_equal(fds_send(e.runner, &good, sizeof good, pair, 2), ERR_OK); /* not listened to any more */
        for (int turn = 0; turn < 3; turn++) assert_int_equal(loop_turn(e.loop, 10), ERR_OK);
        assert_int_equal(e.gone, 1);
        assert_int_equal(e.reports, 0);
        assert_int_not_equal(channel_stop(&e.channel, 1), ERR_OK);
        close(pair[0]);
        close(pair[1]);
        ends_close(&e);
    }
    assert_int_equal(open_fds(), before);
}

static void a_runner_that_dies_is_gone(void **state) {
    (void)state;
    struct ends e;
    ends_open(&e);
    const struct report r = {.magic = REQUEST_MAGIC, .kind = REPORT_ENDED, .run = 1};
    assert_int_equal(fds_send(e.runner, &r, sizeof r, NULL, 0), ERR_OK);
    close(TAKE_FD(e.runner));
    assert_int_equal(channel_stop(&e.channel, 1), ERR_GONE);
    for (int turn = 0; turn < 3; turn++) assert_int_equal(loop_turn(e.loop, 10), ERR_OK);
    assert_int_equal(e.reports, 1); /* its last word counts */
    assert_int_equal(e.gone, 1);
    ends_close(&e);
}

static void a_runner_that_does_not_read_is_not_waited_for(void **state) {
    (void)state;
    struct ends e;
    ends_open(&e);
    enum err err = ERR_OK;
    for (unsigned i = 0; !err && i < 100000; i++) err = channel_stop(&e.channel, 1);
    assert_int_equal(err, ERR_AGAIN);
    ends_close(&e);
}

static void a_descriptor_that_is_none_is_an_error(void **state) {
    (void)state;
    struct loop *loop = loop_new();
    struct channel c = {.report = on_report, .gone = on_gone, .watch.fd = -1};
    assert_int_equal(channel_start(&c, loop, 1023), ERR_SYS);
    loop_free(loop);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_says_what_was_asked),
        cmocka_unit_test(a_report_brings_its_descriptors_and_ended_texts),
        cmocka_unit_test(garbage_means_that_the_runner_is_gone),
        cmocka_unit_test(a_runner_that_dies_is_gone),
        cmocka_unit_test(a_runner_that_does_not_read_is_not_waited_for),
        cmocka_unit_test(a_descriptor_that_is_none_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
