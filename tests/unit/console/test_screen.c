/* Where an answer is written, and text that must not drive a terminal. */
#include "tests/unit/console/printed.h"

#include "console/render/screen.h"

static void hostile_text_cannot_drive_a_terminal(void **state) {
    (void)state;
    static const struct {
        struct span text;
        const char *want;
    } rows[] = {
        {SPAN_LIT("plain"), "plain"},
        {SPAN_LIT(""), ""},
        {{NULL, 0}, ""},
        {SPAN_LIT("\x1b[2J\r\n\t\x07"), "\\x1b[2J\\x0d\\x0a\\x09\\x07"},
        {SPAN_LIT("say \"yes\" \\ no"), "say \"yes\" \\ no"},
        {SPAN_LIT("\"\"\\"), "\"\"\\"},
        {SPAN_LIT("b\xc3\xbc cher \xe6\x97\xa5"), "b\xc3\xbc cher \xe6\x97\xa5"},
        {SPAN_LIT("\xff\xc3"), "\\xff\\xc3"},
        {SPAN_LIT("\xc2\x9b"
                  "31m"),
         "\\xc2\\x9b31m"}, /* CSI as one character */
        {SPAN_LIT("\xe2\x80\xae"
                  "gpj.exe"),
         "\\xe2\\x80\\xaegpj.exe"}, /* right to left */
        {SPAN_LIT("a\0b"), "a\\x00b"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[200];
        screen_escape(rows[i].text, out, sizeof out);
        assert_string_equal(out, rows[i].want);
    }
}

static void what_does_not_fit_is_cut_at_a_whole_character(void **state) {
    (void)state;
    const struct span text = SPAN_LIT("ab\"c\x1b"
                                      "d\\e");
    for (size_t size = 1; size < 16; size++) {
        char out[17], whole[40];
        memset(out, '#', sizeof out);
        screen_escape(text, out, size);
        assert_int_equal(out[size], '#');
        assert_true(strlen(out) < size);
        screen_escape(text, whole, sizeof whole);
        assert_memory_equal(out, whole, strlen(out));
        size_t bs = strcspn(out, "\x1b");
        assert_int_equal(out[bs], '\0');
    }
    screen_escape(text, NULL, 0);
}

static void long_text_is_cut(void **state) {
    (void)state;
    static char much[5000];
    struct printed p;
    memset(much, 'm', sizeof much);
    struct screen s = {.to = printed_open(&p)};
    screen_print(&s, span_of(much, sizeof much));
    assert_int_equal(strlen(printed_text(&p)), 1024);
    printed_done(&p);
}

static void a_file_has_no_colour(void **state) {
    (void)state;
    struct printed p;
    setenv("TERM", "xterm", 1);
    struct screen s = screen_on(printed_open(&p));
    assert_false(s.colour);
    assert_int_equal(s.width, 80);
    assert_string_equal(screen_tone(&s, TONE_BAD), "");
    s.colour = true;
    assert_string_equal(screen_tone(&s, TONE_BAD), "\033[31m");
    assert_string_equal(screen_tone(&s, TONE_PLAIN), "\033[0m");
    printed_done(&p);
}

static void blocks_are_drawn_where_the_locale_has_them(void **state) {
    (void)state;
    static const struct {
        const char *all, *type, *lang;
        bool want;
    } rows[] = {
        {NULL, NULL, "de_DE.UTF-8", true},          {NULL, NULL, "C.utf8", true},   {NULL, NULL, "C", false}, {NULL, NULL, NULL, false},
        {"C", "en_GB.UTF-8", "de_DE.UTF-8", false}, {"", "en_GB.UTF-8", "C", true},
    };
    struct printed p;
    FILE *to = printed_open(&p);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsetenv("LC_ALL"), unsetenv("LC_CTYPE"), unsetenv("LANG");
        if (rows[i].all) setenv("LC_ALL", rows[i].all, 1);
        if (rows[i].type) setenv("LC_CTYPE", rows[i].type, 1);
        if (rows[i].lang) setenv("LANG", rows[i].lang, 1);
        assert_int_equal(screen_on(to).unicode, rows[i].want);
    }
    printed_done(&p);
}

static void words_have_their_tones(void **state) {
    (void)state;
    assert_int_equal(screen_tone_of("good"), TONE_GOOD);
    assert_int_equal(screen_tone_of("critical"), TONE_BAD);
    assert_int_equal(screen_tone_of("partial"), TONE_WARNING);
    assert_int_equal(screen_tone_of("cancelled"), TONE_DIM);
    assert_int_equal(screen_tone_of("anything"), TONE_PLAIN);
    assert_int_equal(screen_tone_of(NULL), TONE_PLAIN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_text_cannot_drive_a_terminal),
        cmocka_unit_test(what_does_not_fit_is_cut_at_a_whole_character),
        cmocka_unit_test(long_text_is_cut),
        cmocka_unit_test(a_file_has_no_colour),
        cmocka_unit_test(blocks_are_drawn_where_the_locale_has_them),
        cmocka_unit_test(words_have_their_tones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
