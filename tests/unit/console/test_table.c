/* Tables for people, and the same rows as CSV. */
#include "tests/unit/console/printed.h"

#include <locale.h>

#include "console/render/table.h"

static const struct table_column COLUMNS[] = {{"HOST", TABLE_LEFT}, {"COUNT", TABLE_RIGHT}, {"ARGS", TABLE_CUT}};

static struct table *small_table(void) {
    struct table *t = table_new(COLUMNS, COUNT_OF(COLUMNS));
    assert_non_null(t);
    table_row(t);
    table_cell_str(t, "web-1");
    table_cell_u64(t, 7);
    table_cell(t, SPAN_LIT("/bin/true"));
    table_row(t);
    table_cell_str(t, "db-10");
    table_cell_fmt(t, "%u", 12345u);
    table_cell_tone(t, "good");
    return t;
}

static void columns_are_aligned(void **state) {
    (void)state;
    struct printed p;
    AUTO(table_free) struct table *t = small_table();
    struct screen s = {.to = printed_open(&p), .width = 80};
    assert_int_equal(table_print(t, &s), ERR_OK);
    printed_is(&p, "HOST  COUNT ARGS\n"
                   "web-1     7 /bin/true\n"
                   "db-10 12345 good\n");
}

static void a_tone_is_shown_only_in_colour(void **state) {
    (void)state;
    struct printed p;
    AUTO(table_free) struct table *t = small_table();
    struct screen s = {.to = printed_open(&p), .width = 80, .colour = true};
    assert_int_equal(table_print(t, &s), ERR_OK);
    const char *good = strstr(printed_text(&p), "\033[32m");
    assert_non_null(good);
    assert_memory_equal(good + 5, "good", 4);
    printed_done(&p);
}

static void hostile_names_are_shown_escaped_once(void **state) {
    (void)state;
    struct printed p;
    static const struct table_column evil[] = {{"NAME", TABLE_LEFT},
                                               {"H\x1b"
                                                "EAD",
                                                TABLE_LEFT}};
    AUTO(table_free) struct table *t = table_new(evil, COUNT_OF(evil));
    table_row(t);
    table_cell(t, SPAN_LIT("\x1b[31mred\n\"q\" \\ \xc3\xbc"));
    table_cell(t, SPAN_LIT("a\0b"));
    struct screen s = {.to = printed_open(&p), .width = 80};
    assert_int_equal(table_print(t, &s), ERR_OK);
    const char *text = printed_text(&p);
    assert_non_null(strstr(text, "\\x1b[31mred\\x0a\"q\" \\ \xc3\xbc"));
    assert_non_null(strstr(text, "H\\x1bEAD"));
    assert_non_null(strstr(text, "a b"));
    assert_null(strchr(text, '\x1b'));
    printed_done(&p);
}

/* Wide and combining characters: the next column still begins where its header does. */
static void other_alphabets_are_aligned(void **state) {
    (void)state;
    struct printed p;
    static const struct table_column two[] = {{"NAME", TABLE_LEFT}, {"N", TABLE_LEFT}};
    AUTO(table_free) struct table *t = table_new(two, COUNT_OF(two));
    table_row(t);
    table_cell_str(t, "b\xc3\xbc"
                      "ro");
    table_cell_str(t, "1");
    table_row(t);
    table_cell_str(t, "\xe6\x97\xa5\xe6\x9c\xac");
    table_cell_str(t, "2");
    struct screen s = {.to = printed_open(&p), .width = 80};
    assert_int_equal(table_print(t, &s), ERR_OK);
    printed_is(&p, "NAME N\n"
                   "b\xc3\xbc"
                   "ro 1\n"
                   "\xe6\x97\xa5\xe6\x9c\xac 2\n");
}

/* Without the characters of the world a table is uglier, but it ends, and nothing drives the terminal. */
static void in_the_plainest_locale_it_is_still_safe(void **state) {
    (void)state;
    struct printed p;
    static const struct table_column one[] = {{"NAME \xc3\xbc", TABLE_LEFT}};
    AUTO(table_free) struct table *t = table_new(one, 1);
    table_row(t);
    table_cell_str(t, "a\xc3\xbc \x1b[2J");
    struct screen s = {.to = printed_open(&p), .width = 80};
    setlocale(LC_CTYPE, "C");
    assert_int_equal(table_print(t, &s), ERR_OK);
    setlocale(LC_CTYPE, "C.UTF-8");
    assert_null(strchr(printed_text(&p), '\x1b'));
    printed_done(&p);
}

static void a_narrow_screen_cuts_or_goes_on_below(void **state) {
    (void)state;
    static const struct table_column wrapping[] = {{"K", TABLE_LEFT}, {"TEXT", TABLE_WRAP}};
    static const struct table_column cutting[] = {{"K", TABLE_LEFT}, {"TEXT", TABLE_CUT}};
    for (int cut = 0; cut < 2; cut++) {
        struct printed p;
        AUTO(table_free) struct table *t = table_new(cut ? cutting : wrapping, 2);
        table_row(t);
        table_cell_str(t, "k");
        table_cell_str(t, "0123456789012345678901234567890123456789 the end");
        struct screen s = {.to = printed_open(&p), .width = 30};
        assert_int_equal(table_print(t, &s), ERR_OK);
        const char *text = printed_text(&p);
        if (cut)
            assert_null(strstr(text, "end"));
        else
            assert_non_null(strstr(text, "end"));
        for (const char *line = text; *line; line += strcspn(line, "\n") + 1) assert_true(strcspn(line, "\n") <= 30);
        printed_done(&p);
    }
}

static void a_narrow_screen_does_not_split_words(void **state) {
    (void)state;
    static const struct table_column two[] = {{"K", TABLE_LEFT}, {"TEXT", TABLE_WRAP}, {"N", TABLE_RIGHT}};
    struct printed p;
    AUTO(table_free) struct table *t = table_new(two, COUNT_OF(two));
    table_row(t);
    table_cell_str(t, "k");
    table_cell_str(t, "not the first choice; libbpf: no such thing, na\xc3\xafve \x1b 0123456789012345678901234");
    table_cell_str(t, "1");
    struct screen s = {.to = printed_open(&p), .width = 24};
    assert_int_equal(table_print(t, &s), ERR_OK);
    const char *text = printed_text(&p);
    static const char *const words[] = {
        "not", "the", "first", "choice;", "libbpf:", "such", "thing,", "na\xc3\xafve", "\\x1b", "01234567890"};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (!strstr(text, words[i])) fail_msg("%s is not in one piece:\n%s", words[i], text);
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) assert_true(strcspn(line, "\n") <= 24 + 1);
    printed_done(&p);
}

static void a_long_cell_is_cut_and_a_surplus_one_ignored(void **state) {
    (void)state;
    static char much[5000];
    struct printed p;
    static const struct table_column one[] = {{"A", TABLE_LEFT}};
    memset(much, 'm', sizeof much);
    AUTO(table_free) struct table *t = table_new(one, 1);
    table_row(t);
    table_cell(t, span_of(much, sizeof much));
    table_cell_str(t, "surplus");
    assert_int_equal(table_print_csv(t, printed_open(&p)), ERR_OK);
    assert_int_equal(strlen(printed_text(&p)), 2 + 4096 + 1);
    printed_done(&p);
}

static void csv_quotes_what_must_be_quoted(void **state) {
    (void)state;
    struct printed p;
    static const struct table_column columns[] = {{"HOST", TABLE_LEFT}, {"LAT(ms)", TABLE_RIGHT}, {"A,B", TABLE_LEFT}};
    AUTO(table_free) struct table *t = table_new(columns, COUNT_OF(columns));
    table_row(t);
    table_cell_str(t, "plain words");
    table_cell_str(t, "");
    table_cell_str(t, "a,b");
    table_row(t);
    table_cell_str(t, "say \"yes\"");
    table_cell_str(t, "two\nlines\r");
    table_cell(t, SPAN_LIT("esc\x1b and nul\0."));
    table_row(t); /* a row that ends early */
    table_cell_str(t, NULL);
    assert_int_equal(table_print_csv(t, printed_open(&p)), ERR_OK);
    printed_is(&p, "host,lat(ms),\"a,b\"\n"
                   "plain words,,\"a,b\"\n"
                   "\"say \"\"yes\"\"\",\"two\nlines\r\",esc\x1b and nul .\n"
                   ",,\n");
}

static void without_rows_there_is_only_a_header(void **state) {
    (void)state;
    struct printed p;
    AUTO(table_free) struct table *t = table_new(COLUMNS, COUNT_OF(COLUMNS));
    assert_int_equal(table_print_csv(t, printed_open(&p)), ERR_OK);
    printed_is(&p, "host,count,args\n");
    struct screen s = {.to = printed_open(&p), .width = 80};
    assert_int_equal(table_print(t, &s), ERR_OK);
    assert_null(strstr(printed_text(&p), "web"));
    printed_done(&p);
}

static void many_rows_all_come(void **state) {
    (void)state;
    struct printed p;
    AUTO(table_free) struct table *t = table_new(COLUMNS, COUNT_OF(COLUMNS));
    for (unsigned i = 0; i < 1000; i++) {
        table_row(t);
        table_cell_u64(t, i);
    }
    assert_int_equal(table_print_csv(t, printed_open(&p)), ERR_OK);
    assert_non_null(strstr(printed_text(&p), "\n999,,\n"));
    printed_done(&p);
}

int main(void) {
    if (!setlocale(LC_CTYPE, "C.UTF-8")) {
        puts("skipped: there is no locale C.UTF-8");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_aligned),
        cmocka_unit_test(a_tone_is_shown_only_in_colour),
        cmocka_unit_test(hostile_names_are_shown_escaped_once),
        cmocka_unit_test(other_alphabets_are_aligned),
        cmocka_unit_test(in_the_plainest_locale_it_is_still_safe),
        cmocka_unit_test(a_narrow_screen_cuts_or_goes_on_below),
        cmocka_unit_test(a_narrow_screen_does_not_split_words),
        cmocka_unit_test(a_long_cell_is_cut_and_a_surplus_one_ignored),
        cmocka_unit_test(csv_quotes_what_must_be_quoted),
        cmocka_unit_test(without_rows_there_is_only_a_header),
        cmocka_unit_test(many_rows_all_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
