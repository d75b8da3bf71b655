#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/utf8.h"
#include "tests/support/gen.h"

static char said[1 << 20];
static int pipe_fds[2], real_stderr;

static void listen_in(void) {
    assert_int_equal(pipe2(pipe_fds, O_NONBLOCK | O_CLOEXEC), 0);
    assert_true(fcntl(pipe_fds[1], F_SETPIPE_SZ, sizeof said) > 0);
    real_stderr = dup(STDERR_FILENO);
    assert_true(dup2(pipe_fds[1], STDERR_FILENO) >= 0);
}

/* What has been written since listen_in. */
static const char *heard(void) {
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    close(pipe_fds[1]);
    size_t n = 0;
    for (ssize_t got; n < sizeof said - 1 && (got = read(pipe_fds[0], said + n, sizeof said - 1 - n)) > 0;) n += (size_t)got;
    close(pipe_fds[0]);
    said[n] = '\0';
    return said;
}

static size_t count(const char *text, const char *what) {
    size_t n = 0;
    for (struct span rest = span_str(text); (rest = span_drop(rest, span_find_span(rest, span_str(what)))).n; n++)
        rest = span_drop(rest, strlen(what));
    return n;
}

static void a_line_has_priority_event_and_typed_values(void **state) {
    (void)state;
    char changeable[] = "web-1";
    listen_in();
    errno = ERANGE;
    LOG(LOG_WARNING, "test.typed", KV("agent", changeable), KV("seq", 7u), KV("delta", -3), KV("big", UINT64_MAX), KV("none", (const char *)NULL),
        KV("span", SPAN_LIT("x y")));
    int kept = errno;
    LOG(LOG_INFO, "test.bare");
    LOG(LOG_DEBUG, "test.hidden");
    log_set_level(LOG_DEBUG);
    LOG(LOG_DEBUG, "test.shown");
    log_set_level(LOG_INFO);
    assert_string_equal(heard(), "<4>test.typed agent=\"web-1\" seq=7 delta=-3 big=18446744073709551615 none=\"\" span=\"x y\"\n"
                                 "<6>test.bare\n<7>test.shown\n");
    assert_int_equal(kept, ERANGE);
}

static void a_hostile_name_can_neither_forge_a_line_nor_drive_a_terminal(void **state) {
    (void)state;
    listen_in();
    LOG(LOG_WARNING, "test.hostile", KV("why", SPAN_LIT("a\nb\x1b[2J\"\\\x7f\0\xff")));
    /* C1 CSI, right-to-left override, line separator; e acute and a face stay */
    LOG(LOG_WARNING, "test.hostile", KV("why", "\xc2\x9b" "2J\xe2\x80\xae\xe2\x80\xa8\xe2\x81\xa6\xc3\xa9\xf0\x9f\x98\x80\xe2\x82\xac"));
    assert_string_equal(heard(), "<4>test.hostile why=\"a\\x0ab\\x1b[2J\\x22\\x5c\\x7f\\x00\\xff\"\n"
                                 "<4>test.hostile why=\"\\xc2\\x9b" "2J\\xe2\\x80\\xae\\xe2\\x80\\xa8\\xe2\\x81\\xa6\xc3\xa9\xf0\x9f\x98\x80\xe2\x82\xac\"\n");
}

static void escaped_bytes_are_well_formed_whatever_they_were_and_wherever_they_are_cut(void **state) {
    (void)state;
    struct gen g;
    gen_init(&g);
    gen_print(&g);
    for (int round = 0; round < 5000; round++) {
        char bytes[40], out[200];
        size_t n = (size_t)gen_below(&g, sizeof bytes), room = (size_t)gen_below(&g, sizeof out + 1);
        gen_bytes(&g, bytes, n);
        memset(out, '!', sizeof out);
        log_escape(span_of(bytes, n), out, room);
        if (room == 0) {
            assert_int_equal(out[0], '!');
            continue;
        }
        struct span text = span_str(out);
        assert_true(text.n < room);
        assert_true(utf8_valid(text));
        if (room >= 4 * n + 1 && n) assert_true(text.n >= n);
        for (size_t i = 0; i < text.n; i++) assert_true((unsigned char)text.p[i] >= 0x20 && text.p[i] != '"');
        if (room < sizeof out) assert_int_equal(out[room], '!');
    }
}

static void a_long_line_is_cut_and_still_ends(void **state) {
    (void)state;
    static char long_text[9000];
    memset(long_text, 'x', sizeof long_text);
    long_text[3000] = '\n';
    listen_in();
    LOG(LOG_WARNING, "test.long", KV("text", span_of(long_text, sizeof long_text)), KV("after", 5), KV("more", "abc"));
    memset(long_text, '\xff', sizeof long_text);
    LOG(LOG_WARNING, "test.long", KV("text", span_of(long_text, sizeof long_text)));
    const char *text = heard();
    struct span rest = span_str(text), line;
    for (int i = 0; i < 2; i++) {
        assert_true(span_line(&rest, &line));
        assert_true(line.n < PIPE_BUF && line.n > PIPE_BUF - 50);
        assert_true(span_ends(line, SPAN_LIT("\"")));
    }
    assert_int_equal(rest.n, 0);
}

static void repeats_are_counted_and_told_once(void **state) {
    (void)state;
    listen_in();
    uint64_t begun = clock_mono_ns();
    for (int i = 0; i < 50; i++) LOG(LOG_WARNING, "test.flood", KV("i", i));
    bool one_second = clock_mono_ns() - begun < NS_PER_S; /* always, but on a stopped machine */
    LOG(LOG_WARNING, "test.other");
    while (clock_mono_ns() - begun < NS_PER_S + 50 * NS_PER_MS) usleep(10000);
    LOG(LOG_WARNING, "test.other");
    LOG(LOG_WARNING, "test.flood", KV("i", 50));
    const char *text = heard();
    if (!one_second) {
        print_message("skipped: the machine was too slow to say it within one second\n");
        skip();
    }
    assert_int_equal(count(text, "test.flood i="), 21);
    assert_int_equal(count(text, "<4>test.other\n"), 2);
    assert_int_equal(count(text, "<4>log.repeated event=\"test.flood\" count=30\n"), 1);
    assert_int_equal(count(text, "log.repeated"), 1);
}

enum { THREADS = 8, LINES = 200 };
static void *shout(void *arg) {
    static const char *const events[THREADS] = {"test.t0", "test.t1", "test.t2", "test.t3", "test.t4", "test.t5", "test.t6", "test.t7"};
    const char *event = events[*(const int *)arg];
    for (int i = 0; i < LINES; i++) {
        LOG(LOG_INFO, event, KV("i", i));
        LOG(LOG_INFO, "test.all", KV("i", i));
    }
    return NULL;
}

static void lines_of_many_threads_do_not_mix(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    int numbers[THREADS];
    listen_in();
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, shout, &numbers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    struct span rest = span_str(heard()), line;
    size_t lines = 0;
    for (; span_line(&rest, &line); lines++)
        assert_true(span_starts(line, SPAN_LIT("<6>test.")) || span_starts(line, SPAN_LIT("<4>log.repeated event=\"test.")));
    assert_true(lines >= (THREADS + 1) * 20);
    assert_true(lines < THREADS * LINES);
}

static void without_a_reader_nothing_happens(void **state) {
    (void)state;
    listen_in();
    close(STDERR_FILENO);
    LOG(LOG_WARNING, "test.unheard");
    assert_string_equal(heard(), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_priority_event_and_typed_values),
        cmocka_unit_test(a_hostile_name_can_neither_forge_a_line_nor_drive_a_terminal),
        cmocka_unit_test(escaped_bytes_are_well_formed_whatever_they_were_and_wherever_they_are_cut),
        cmocka_unit_test(a_long_line_is_cut_and_still_ends),
        cmocka_unit_test(repeats_are_counted_and_told_once),
        cmocka_unit_test(lines_of_many_threads_do_not_mix),
        cmocka_unit_test(without_a_reader_nothing_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
