#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/conf/conf.h"
#include "tests/support/fault.h"
#include "tests/support/gen.h"

struct settings {
    char *collector, *spool, *labels, *pins;
    uint64_t most, longest_ns, room_bytes, share_ppm;
    bool loud;
};

#define AT(field) offsetof(struct settings, field)
static const struct conf_item items[] = {
    {"collector", CONF_TEXT, AT(collector), 0, 0, NULL, "HOST:PORT of the collector"},
    {"spool_dir", CONF_PATH, AT(spool), 0, 0, "/var/lib/trawl", "where results wait"},
    {"labels", CONF_LABELS, AT(labels), 0, 0, "", "facts that orders select by"},
    {"pins", CONF_WORDS, AT(pins), 0, 0, "", "binaries and their digests"},
    {"max_concurrent", CONF_U64, AT(most), 1, 64, "4", "tools at the same time"},
    {"max_duration", CONF_DURATION_NS, AT(longest_ns), NS_PER_S, 3600 * NS_PER_S, "10m", "the longest run"},
    {"stdout_bytes", CONF_SIZE_BYTES, AT(room_bytes), 4096, 0, "50MiB", "the most that is read"},
    {"share", CONF_PERCENT, AT(share_ppm), 0, 500000, "2%", "of a CPU"},
    {"loud", CONF_BOOL, AT(loud), 0, 0, "no", "say more"},
};

static char path[] = "/tmp/trawl-conf-XXXXXX";
static char why[400];

static enum err load_bytes(struct span text, struct settings *out) {
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(write(fd, text.p, text.n), (ssize_t)text.n);
    close(fd);
    why[0] = '\0';
    return conf_load(items, COUNT_OF(items), path, out, why, sizeof why);
}

static enum err load(const char *text, struct settings *out) { return load_bytes(span_str(text), out); }

/* The text is refused with exactly this reason (the path in front of it left out), and nothing is kept. */
static void refused(const char *text, const char *reason) {
    struct settings s;
    memset(&s, 0xa5, sizeof s);
    assert_int_equal(load(text, &s), ERR_SYNTAX);
    struct span got = span_str(why);
    assert_true(span_starts(got, span_str(path)));
    assert_string_equal(span_drop(got, strlen(path)).p, reason);
    assert_null(s.collector);
    assert_null(s.spool);
    assert_null(s.labels);
    assert_null(s.pins);
    conf_done(items, COUNT_OF(items), &s);
}

static void a_share_is_a_percentage_with_up_to_four_decimals(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t ppm;
    } good[] = {{"2%", 20000}, {"0.5%", 5000}, {"0.0001%", 1}, {"50%", 500000}, {"0%", 0}, {"12.25%", 122500}};
    static const char *const bad[] = {"2", "%", ".5%", "2.%", "0.00001%", "51%", "-1%", "1e1%"};
    char text[64];
    struct settings s;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        snprintf(text, sizeof text, "collector = a\nshare = %s\n", good[i].text);
        assert_int_equal(load(text, &s), ERR_OK);
        assert_int_equal(s.share_ppm, good[i].ppm);
        conf_done(items, COUNT_OF(items), &s);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char want[160];
        snprintf(text, sizeof text, "collector = a\nshare = %s\n", bad[i]);
        snprintf(want, sizeof want, ":2: share: expected a share such as 2%% or 0.5%%, at least 0%% and at most 50%%, not \"%s\"", bad[i]);
        refused(text, want);
    }
}

static void every_type_is_read(void **state) {
    (void)state;
    struct settings s;
    assert_int_equal(load("# the whole file\n\n[trawl]\r\n collector = host:7443 ; a comment\nspool_dir=/srv/spool\n"
                          "labels = role=web, zone=a/1\npins = /usr/sbin/runqlat=ab /usr/sbin/x=cd\n"
                          "max_concurrent: 64\nmax_duration = 90s\nstdout_bytes = 1MiB\nloud = yes",
                          &s),
                     ERR_OK);
    assert_string_equal(s.collector, "host:7443");
    assert_string_equal(s.spool, "/srv/spool");
    assert_string_equal(s.labels, "role=web, zone=a/1");
    assert_string_equal(s.pins, "/usr/sbin/runqlat=ab /usr/sbin/x=cd");
    assert_int_equal(s.most, 64);
    assert_true(s.longest_ns == 90 * NS_PER_S);
    assert_int_equal(s.room_bytes, 1 << 20);
    assert_true(s.loud);
    conf_done(items, COUNT_OF(items), &s);
    assert_null(s.collector);
    conf_done(items, COUNT_OF(items), &s); /* twice is harmless */
}

static void what_a_file_does_not_say_has_its_default(void **state) {
    (void)state;
    struct settings s;
    memset(&s, 0xa5, sizeof s);
    assert_int_equal(load("collector = c:1\n", &s), ERR_OK);
    assert_string_equal(s.spool, "/var/lib/trawl");
    assert_string_equal(s.labels, "");
    assert_string_equal(s.pins, "");
    assert_int_equal(s.most, 4);
    assert_true(s.longest_ns == 600 * NS_PER_S);
    assert_int_equal(s.room_bytes, 50 << 20);
    assert_false(s.loud);
    conf_done(items, COUNT_OF(items), &s);
    assert_int_equal(conf_load(items + 1, COUNT_OF(items) - 1, NULL, &s, why, sizeof why), ERR_OK); /* no file at all */
    assert_int_equal(s.most, 4);
    conf_done(items + 1, COUNT_OF(items) - 1, &s);
    assert_int_equal(conf_load(items, COUNT_OF(items), NULL, &s, why, sizeof why), ERR_SYNTAX);
    assert_string_equal(why, "defaults: \"collector\" is missing: HOST:PORT of the collector");
}

static void words_go_on_in_indented_lines(void **state) {
    (void)state;
    struct settings s;
    char text[4000] = "collector = c:1\npins = first\n";
    size_t n = strlen(text);
    for (int i = 0; i < 20; i++) n += (size_t)snprintf(text + n, sizeof text - n, "%s/usr/sbin/tool-%d=%064d\n", i % 2 ? "\t" : "    ", i, i);
    assert_int_equal(load(text, &s), ERR_OK);
    assert_true(strlen(s.pins) > 1500);
    struct span rest = span_str(s.pins), word;
    size_t words = 0;
    for (; span_word(&rest, &word); words++)
        if (words == 20) assert_true(span_starts(word, SPAN_LIT("/usr/sbin/tool-19=")));
    assert_int_equal(words, 21);
    conf_done(items, COUNT_OF(items), &s);
    refused("collector = c:1\n  and more\n",
            ":2: an indented line continues \"collector\", which has one value; begin the line at its left edge");
}

static void a_mistake_says_where_it_is_and_what_would_be_right(void **state) {
    (void)state;
    refused("collector = c:1\ncolector = d:1\n", ":2: unknown key \"colector\"; did you mean \"collector\"?");
    refused("\n\nmax_curconent = 3\n", ":3: unknown key \"max_curconent\"; did you mean \"max_concurrent\"?");
    refused("something_else = 3\n", ":1: unknown key \"something_else\"");
    refused("x\x1b[2J\"y = 3\n", ":1: unknown key \"x\\x1b[2J\\x22y\"");
    refused("[agent]\ncollector = c:1\n", ":2: unknown section [agent]; there is only [trawl]");
    refused("collector = c:1\nloud = yes\ncollector = d:1\n", ":3: \"collector\" is set a second time; the first is in line 1");
    refused("loud = yes\n", ": \"collector\" is missing: HOST:PORT of the collector");
    refused("collector =\n", ":1: collector: expected text, not \"\"");
    refused("collector = c:1\njust words\n", ":2: expected \"key = value\" or \"[trawl]\"");
    refused("[trawl\n", ":1: expected \"key = value\" or \"[trawl]\"");
    refused("spool_dir = spool\n", ":1: spool_dir: expected an absolute path, not \"spool\"");
    refused("loud = maybe\n", ":1: loud: expected yes or no, not \"maybe\"");
}

static void a_number_out_of_range_is_told_its_range(void **state) {
    (void)state;
    refused("max_concurrent = 0\n", ":1: max_concurrent: expected a number, at least 1 and at most 64, not \"0\"");
    refused("max_concurrent = 65\n", ":1: max_concurrent: expected a number, at least 1 and at most 64, not \"65\"");
    refused("max_concurrent = 18446744073709551617\n",
            ":1: max_concurrent: expected a number, at least 1 and at most 64, not \"18446744073709551617\"");
    refused("max_duration = 2h\n",
            ":1: max_duration: expected a duration such as 250ms, 10s, 2m or 1h, at least 1s and at most 1h, not \"2h\"");
    refused("max_duration = ten\n",
            ":1: max_duration: expected a duration such as 250ms, 10s, 2m or 1h, at least 1s and at most 1h, not \"ten\"");
    refused("stdout_bytes = 4095\n", ":1: stdout_bytes: expected a size in bytes such as 64KiB, 50MiB or 1GiB, at least 4KiB, not \"4095\"");
}

static void labels_are_pairs_without_repetition(void **state) {
    (void)state;
    static const char *const bad[] = {"role", "=web", "role=", "role=web,", ",role=web", "role=web,role=db", "role=a b", "ro!e=web", "a=b=c", "a=b,,c=d"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char text[100], reason[200];
        snprintf(text, sizeof text, "labels = %s\n", bad[i]);
        snprintf(reason, sizeof reason, ":1: labels: expected labels such as role=web,zone=a, not \"%s\"", bad[i]);
        refused(text, reason);
    }
}

static void a_line_too_long_for_the_parser_is_not_cut_in_two(void **state) {
    (void)state;
    struct settings s;
    char text[300] = "collector = ";
    memset(text + 12, 'x', 186);
    assert_int_equal(load(text, &s), ERR_OK);
    assert_int_equal(strlen(s.collector), 186);
    conf_done(items, COUNT_OF(items), &s);
    memset(text + 12, 'x', 187);
    refused(text, ":1: the line is longer than 198 bytes; words may go on in the next line, indented");
}

static void bytes_that_are_no_text_are_refused(void **state) {
    (void)state;
    struct settings s;
    refused("collector = c:1\n# \xff\n", ":2: the line is not UTF-8 text");
    assert_int_equal(load_bytes(SPAN_LIT("collector = c:1\0loud = yes\n"), &s), ERR_SYNTAX);
    assert_non_null(strstr(why, ":1: the line is not UTF-8 text"));
    refused("collector = a\x01" "b\n", ":1: collector: expected text, not \"a\\x01" "b\"");
}

static void a_file_that_cannot_be_read_says_why(void **state) {
    (void)state;
    struct settings s;
    assert_int_equal(conf_load(items, COUNT_OF(items), "/nonexistent/agent.conf", &s, why, sizeof why), ERR_SYS);
    assert_string_equal(why, "/nonexistent/agent.conf: No such file or directory");
    assert_int_equal(conf_load(items, COUNT_OF(items), "/tmp", &s, why, sizeof why), ERR_SYS);
    assert_string_equal(why, "/tmp: Is a directory");
    assert_int_equal(conf_load(items, COUNT_OF(items), "/dev/zero", &s, why, sizeof why), ERR_SYS);
    assert_string_equal(why, "/dev/zero: the file is larger than 1 MiB");
    char small[12];
    assert_int_equal(conf_load(items, COUNT_OF(items), "/nonexistent/agent.conf", &s, small, sizeof small), ERR_SYS);
    assert_string_equal(small, "/nonexisten");
}

static void the_example_is_a_file_of_the_defaults(void **state) {
    (void)state;
    struct settings s;
    struct buf b, live;
    buf_init(&b, 0);
    buf_init(&live, 0);
    conf_example(items, COUNT_OF(items), &b);
    assert_non_null(strstr(buf_str(&b), "# HOST:PORT of the collector (text; required)\n# collector =\n"));
    assert_non_null(strstr(buf_str(&b), "# the longest run (a duration such as 250ms, 10s, 2m or 1h, at least 1s and at most 1h)\n# max_duration = 10m\n"));
    struct span rest = buf_span(&b), line;
    while (span_line(&rest, &line)) { /* with its keys uncommented it means the same */
        struct span key = span_drop(line, 2), head, value;
        bool is_key = span_cut(key, '=', &head, &value) && span_find(span_trim(head), ' ') == span_trim(head).n;
        if (span_eq_str(span_trim(head), "collector")) value = SPAN_LIT(" c:1");
        if (is_key) buf_add_fmt(&live, "%.*s=%.*s\n", (int)head.n, head.p, (int)value.n, value.p);
    }
    assert_int_equal(load(buf_str(&live), &s), ERR_OK);
    assert_true(s.longest_ns == 600 * NS_PER_S);
    assert_string_equal(s.spool, "/var/lib/trawl");
    conf_done(items, COUNT_OF(items), &s);
    buf_done(&b);
    buf_done(&live);
}

static void the_manual_names_every_key_and_escapes_what_scdoc_would_take(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 0);
    conf_manual(items, COUNT_OF(items), &b);
    assert_non_null(strstr(buf_str(&b), "*collector* = text; required++\n\tHOST:PORT of the collector.\n\n"));
    assert_non_null(strstr(buf_str(&b), "*max\\_duration* = a duration such as 250ms, 10s, 2m or 1h, at least 1s and at most 1h++\n"
                                        "\tthe longest run. Default: *10m*.\n\n"));
    assert_non_null(strstr(buf_str(&b), "*labels* = labels such as role=web,zone=a++\n\tfacts that orders select by.\n\n"));
    buf_done(&b);
}

static void what_is_printed_is_one_of_two_forms_and_whole(void **state) {
    (void)state;
    struct buf want;
    buf_init(&want, 0);
    conf_example(items, COUNT_OF(items), &want);
    char got[4096] = "";
    FILE *f = fmemopen(got, sizeof got, "w");
    assert_int_equal(conf_print(items, COUNT_OF(items), NULL, f), ERR_OK);
    assert_string_equal(got, buf_str(&want));
    assert_int_equal(conf_print(items, COUNT_OF(items), "html", f), ERR_NOTFOUND);
    fclose(f);
    f = fopen("/dev/full", "w");
    assert_int_equal(conf_print(items, COUNT_OF(items), "scdoc", f), ERR_SYS);
    fclose(f);
    buf_done(&want);
}

static void hostile_files_are_read_or_refused_and_nothing_else(void **state) {
    (void)state;
    static const char *const pieces[] = {"collector", "pins",  "labels", "max_duration", " ", "\n", "=", ":", "[trawl]", "[", "]",
                                         ";",         "#",     "\t",     "10s",          "a", "\r", "\xff", "loud", "yes", "\n  ", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"};
    struct gen g;
    size_t good = 0;
    gen_init(&g);
    gen_print(&g);
    for (int round = 0; round < 3000; round++) {
        struct settings s;
        struct buf b;
        buf_init(&b, 0);
        if (gen_below(&g, 2)) buf_add_str(&b, "collector = c:1\n");
        for (size_t left = (size_t)gen_below(&g, 20); left; left--) buf_add_str(&b, pieces[gen_below(&g, COUNT_OF(pieces))]);
        enum err e = load(buf_str(&b), &s);
        assert_true(e == ERR_OK || e == ERR_SYNTAX);
        assert_int_equal(e == ERR_OK, why[0] == '\0');
        if (!e) assert_non_null(s.collector);
        good += !e;
        conf_done(items, COUNT_OF(items), &s);
        buf_done(&b);
    }
    assert_true(good > 10);
}

static void without_memory_nothing_is_kept(void **state) {
    (void)state;
    size_t rounds = 0;
    static const char text[] = "collector = c:1\npins = a\n b\n c\nlabels=a=b\n";
    struct settings ignored;
    assert_int_equal(load(text, &ignored), ERR_OK);
    conf_done(items, COUNT_OF(items), &ignored);
    FOR_EACH_FAULT(n) {
        struct settings s;
        why[0] = '\0';
        enum err e = conf_load(items, COUNT_OF(items), path, &s, why, sizeof why);
        fault_off();
        assert_int_equal(e != ERR_OK, fault_hit());
        if (e) {
            assert_true(why[0] != '\0');
            assert_null(s.collector);
            assert_null(s.pins);
        } else {
            assert_string_equal(s.pins, "a b c");
        }
        conf_done(items, COUNT_OF(items), &s);
        rounds++;
    }
    assert_true(rounds > 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_share_is_a_percentage_with_up_to_four_decimals),
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(what_a_file_does_not_say_has_its_default),
        cmocka_unit_test(words_go_on_in_indented_lines),
        cmocka_unit_test(a_mistake_says_where_it_is_and_what_would_be_right),
        cmocka_unit_test(a_number_out_of_range_is_told_its_range),
        cmocka_unit_test(labels_are_pairs_without_repetition),
        cmocka_unit_test(a_line_too_long_for_the_parser_is_not_cut_in_two),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(a_file_that_cannot_be_read_says_why),
        cmocka_unit_test(the_example_is_a_file_of_the_defaults),
        cmocka_unit_test(the_manual_names_every_key_and_escapes_what_scdoc_would_take),
        cmocka_unit_test(what_is_printed_is_one_of_two_forms_and_whole),
        cmocka_unit_test(hostile_files_are_read_or_refused_and_nothing_else),
        cmocka_unit_test(without_memory_nothing_is_kept),
    };
    int fd = mkstemp(path);
    if (fd < 0) return 1;
    close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
