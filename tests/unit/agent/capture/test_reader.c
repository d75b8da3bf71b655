#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>

#include "agent/capture/reader.h"

struct watcher {
    struct reader reader;
    struct loop *loop;
    int overs, dones;
};

static void on_over(struct reader *r) { container_of(r, struct watcher, reader)->overs++; }
static void on_done(struct reader *r) {
    struct watcher *w = container_of(r, struct watcher, reader);
    w->dones++;
    loop_stop(w->loop);
}

static void start(struct watcher *w, int out[2], int err[2], size_t out_cap, size_t err_cap) {
    *w = (struct watcher){.reader = {.over = on_over, .done = on_done}, .loop = loop_new()};
    assert_non_null(w->loop);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(pipe2(err, O_CLOEXEC), 0);
    assert_int_equal(reader_start(&w->reader, w->loop, out[0], err[0], out_cap, err_cap), ERR_OK);
}

static void say(int fd, const char *text) { assert_int_equal(write(fd, text, strlen(text)), strlen(text)); }

static void finish(struct watcher *w) {
    reader_done(&w->reader);
    loop_free(w->loop);
}

static void both_streams_are_read_to_their_end(void **state) {
    (void)state;
    struct watcher w;
    int out[2], err[2];
    start(&w, out, err, 100, 100);
    say(out[1], "print-out");
    say(err[1], "complaint");
    close(out[1]);
    close(err[1]);
    assert_int_equal(loop_run(w.loop), ERR_OK);
    assert_true(span_eq_str(buf_span(&w.reader.out.text), "print-out"));
    assert_true(span_eq_str(buf_span(&w.reader.err.text), "complaint"));
    assert_int_equal(w.dones, 1);
    assert_int_equal(w.overs, 0);
    assert_false(reader_open(&w.reader));
    finish(&w);
}

static void beyond_the_cap_is_counted_and_told_once(void **state) {
    (void)state;
    struct watcher w;
    int out[2], err[2];
    start(&w, out, err, 4, 3);
    say(out[1], "123456");
    say(err[1], "12345");
    assert_int_equal(loop_turn(w.loop, 1000), ERR_OK);
    say(out[1], "789");
    close(out[1]);
    close(err[1]);
    assert_int_equal(loop_run(w.loop), ERR_OK);
    assert_true(span_eq_str(buf_span(&w.reader.out.text), "1234"));
    assert_int_equal(w.reader.out.dropped_bytes, 5);
    assert_true(span_eq_str(buf_span(&w.reader.err.text), "123"));
    assert_int_equal(w.reader.err.dropped_bytes, 2);
    assert_int_equal(w.overs, 1);
    finish(&w);
}

static void a_reader_that_is_closed_says_no_more(void **state) {
    (void)state;
    struct watcher w;
    int out[2], err[2];
    start(&w, out, err, 10, 10);
    say(out[1], "abc");
    assert_int_equal(loop_turn(w.loop, 1000), ERR_OK);
    reader_close(&w.reader);
    assert_int_equal(w.dones, 0);
    assert_true(span_eq_str(buf_span(&w.reader.out.text), "abc"));
    close(out[1]);
    close(err[1]);
    finish(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_streams_are_read_to_their_end),
        cmocka_unit_test(beyond_the_cap_is_counted_and_told_once),
        cmocka_unit_test(a_reader_that_is_closed_says_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
