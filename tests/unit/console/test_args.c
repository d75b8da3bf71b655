/* The command line: every option, every complaint. */
#include "tests/unit/console/printed.h"

#include "common/base/clock.h"
#include "console/cli/args.h"

enum { ALL = ARG_PARAMS * 2 - 1, WORDS_MAX = 16 };

static const struct verb EVERYTHING = {
    .name = "try", .words = "TOOL", .summary = "Tries.", .example = "trawl try it", .words_low = 1, .words_high = 2, .takes = ALL};
static const struct verb LITTLE = {
    .name = "little", .words = "", .summary = "Little.", .example = "trawl little", .words_high = 4, .takes = ARG_OUTPUT};

/* line: words with one blank between them. */
static enum err parse(const struct verb *v, const char *line, struct args *out, struct printed *err) {
    static char text[512];
    char *argv[WORDS_MAX + 1];
    int argc = 0;
    snprintf(text, sizeof text, "%s", line);
    for (char *p = text, *end = text + strlen(text); p <= end && argc < WORDS_MAX;) {
        argv[argc++] = p;
        p += strcspn(p, " ");
        *p++ = '\0';
    }
    argv[argc] = NULL;
    printed_swap(err, &stderr);
    enum err e = args_parse(v, argc, argv, out);
    printed_text(err); /* ends the swap */
    return e;
}

static struct args good(const char *line) {
    struct args a;
    struct printed err;
    if (parse(&EVERYTHING, line, &a, &err)) fail_msg("%s: %s", line, err.text);
    assert_string_equal(err.text, "");
    printed_done(&err);
    return a;
}

static void bad(const char *line, const char *complaint) {
    struct args a = {.n_words = 77};
    struct printed err;
    enum err e = parse(&EVERYTHING, line, &a, &err);
    if (e != ERR_SYNTAX || !strstr(err.text, complaint)) fail_msg("%s: %s, \"%s\"", line, err_name(e), err.text);
    assert_memory_equal(err.text, "trawl try: ", 11);
    assert_int_equal(a.n_words, 77);
    printed_done(&err);
}

static void without_options_nothing_is_set(void **state) {
    (void)state;
    struct args a = good("try runqlat");
    assert_int_equal(a.n_words, 1);
    assert_string_equal(a.words[0], "runqlat");
    assert_int_equal(a.output, OUTPUT_TABLE);
    assert_null(a.on);
    assert_int_equal(a.for_ns, 0);
    assert_int_equal(a.n, 0);
    assert_false(a.per_host || a.merged || a.detach);
    assert_int_equal(a.params.n, 0);
}

static void every_option_is_understood(void **state) {
    (void)state;
    assert_int_equal(good("try x -o json").output, OUTPUT_JSON);
    assert_int_equal(good("try x -ocsv").output, OUTPUT_CSV);
    assert_int_equal(good("try x --output=table").output, OUTPUT_TABLE);
    assert_string_equal(good("try x --on role=web").on, "role=web");
    assert_true(good("try x --for 500ms").for_ns == 500 * NS_PER_MS);
    assert_true(good("try x --for 2m").for_ns == 120 * NS_PER_S);
    assert_true(good("try x --expire 1h").expire_ns == 3600 * NS_PER_S);
    assert_string_equal(good("try x --flavour bcc").flavour, "bcc");
    assert_string_equal(good("try x --by COMM").by, "COMM");
    assert_string_equal(good("try x --of LAT").of, "LAT");
    assert_string_equal(good("try x --rank avg").rank, "avg");
    assert_int_equal(good("try x -n 5").n, 5);
    assert_int_equal(good("try x --number 5").n, 5);
    assert_int_equal(good("try x -n 0").n, UINT32_MAX); /* all */
    assert_true(good("try x --per-host").per_host);
    assert_true(good("try x --merged").merged);
    assert_true(good("try x --detach").detach);
    struct args a = good("try --section disk=vda x --section flags=a=b");
    assert_int_equal(a.n_sections, 2);
    assert_true(span_eq_str(a.sections[0].key, "disk") && span_eq_str(a.sections[0].value, "vda"));
    assert_true(span_eq_str(a.sections[1].key, "flags") && span_eq_str(a.sections[1].value, "a=b"));
    assert_string_equal(a.words[0], "x"); /* words may stand between options */
    a = good("try -- --for -n");
    assert_int_equal(a.n_words, 2);
    assert_string_equal(a.words[0], "--for");
}

static void parameters_go_by_their_catalogue_names(void **state) {
    (void)state;
    struct args a = good("try x --pid 42 --disk vda --per-disk --min-us 100");
    assert_int_equal(a.params.n, 4);
    assert_int_equal(a.params.p[0].id, PARAM_PID);
    assert_int_equal(a.params.p[0].number, 42);
    assert_int_equal(a.params.p[1].id, PARAM_DISK);
    assert_string_equal(a.params.p[1].name, "vda");
    assert_int_equal(a.params.p[1].number, 0);
    assert_int_equal(a.params.p[2].id, PARAM_PER_DISK);
    assert_int_equal(a.params.p[2].number, 1);
    assert_int_equal(a.params.p[3].number, 100);
}

static void each_mistake_is_named(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"try x -o xml", "-o is table, json or csv, not \"xml\""},
        {"try x --for soon", "--for takes a duration such as 5s, 500ms or 2m, not \"soon\""},
        {"try x --for 0s", "--for takes a duration"},
        {"try x --expire 0", "--expire takes a duration"},
        {"try x -n many", "-n takes a number, not \"many\""},
        {"try x -n 4294967296", "-n takes a number"},
        {"try x -n -1", "-n takes a number"},
        {"try x --section disk", "--section takes KEY=VALUE (at most 4 of them), not \"disk\""},
        {"try x --section =vda", "--section takes KEY=VALUE"},
        {"try x --section a=1 --section b=1 --section c=1 --section d=1 --section e=1", "at most 4"},
        {"try x --pid abc", "--pid takes a number from 1 to 4194304, not \"abc\""},
        {"try x --disk aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "--disk: the name is longer than 63 characters"},
        {"try x --nonsense", "--nonsense is not an option of this verb; try: trawl try --help"},
        {"try x --nonsense=3", "--nonsense=3 is not an option"},
        {"try x -z", "-z is not an option of this verb"},
        {"try -zx runqlat", "-z is not an option of this verb"}, /* not the word before it */
        {"try x --for", "--for needs a value"},
        {"try x -o", "-o needs a value"},
        {"try x --pid", "--pid needs a value"},
        {"try x --detach=yes", "--detach=yes takes no value"},
        {"try x --per-disk=yes", "--per-disk=yes takes no value"},
        {"try x --per", "--per could be more than one option"},
        {"try", "something is missing; try: trawl try --help\nusage: trawl try TOOL [options]\n"},
        {"try x y z", "too many words"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) bad(rows[i][0], rows[i][1]);
    assert_int_equal(good("try x --pid 1 --pid 2").params.n, 2); /* said twice: the catalogue's check finds it */
}

static void more_parameters_than_there_is_room_for_are_refused(void **state) {
    (void)state;
    struct args a;
    struct printed err;
    struct buf line;
    buf_init(&line, 0);
    buf_add_str(&line, "try x");
    for (int i = 0; i < PARAMS_MAX + 1; i++) buf_add_str(&line, " --per-disk");
    assert_int_equal(parse(&EVERYTHING, buf_str(&line), &a, &err), ERR_SYNTAX);
    buf_done(&line);
    assert_non_null(strstr(err.text, "at most 8 parameters"));
    printed_done(&err);
}

static void a_verb_takes_only_its_own_options(void **state) {
    (void)state;
    static const char *const lines[] = {"little --for 1s", "little --pid 3", "little -n 3", "little --detach"};
    struct args a;
    struct printed err;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        assert_int_equal(parse(&LITTLE, lines[i], &a, &err), ERR_SYNTAX);
        printed_has(&err, "is not an option of this verb; try: trawl little --help");
    }
    assert_int_equal(parse(&LITTLE, "little a b c d", &a, &err), ERR_OK);
    printed_done(&err);
    assert_int_equal(a.n_words, 4);
    assert_int_equal(parse(&LITTLE, "little a b c d e", &a, &err), ERR_SYNTAX);
    printed_has(&err, "usage: trawl little [options]\n"); /* one blank, not two */
}

static void help_names_all_that_a_verb_takes(void **state) {
    (void)state;
    static const char *const ways[] = {"try --help", "try -h", "try x --for 1s --help"};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        struct args a;
        struct printed err, out;
        printed_swap(&out, &stdout);
        assert_int_equal(parse(&EVERYTHING, ways[i], &a, &err), ERR_AGAIN);
        printed_is(&err, "");
        static const char *const names[] = {"usage: trawl try TOOL [options]\n\nTries.\n",
                                            "  -o, --output table|json|csv ",
                                            "      --on SELECTOR ",
                                            "  -n, --number N ",
                                            "      --detach ",
                                            "      --pid VALUE",
                                            "      --min-us us ",
                                            "      --per-disk ",
                                            "\nexample:\n  trawl try it\n"};
        for (size_t n = 0; n < COUNT_OF(names); n++)
            if (!strstr(printed_text(&out), names[n])) fail_msg("%s is not in: %s", names[n], out.text);
        printed_done(&out);
    }
    struct printed little;
    args_help(&LITTLE, printed_open(&little));
    assert_null(strstr(printed_text(&little), "--pid"));
    assert_null(strstr(little.text, "--for"));
    printed_done(&little);
}

static void a_complaint_cannot_drive_the_terminal(void **state) {
    (void)state;
    struct printed err;
    printed_swap(&err, &stderr);
    args_complain("run", "the collector says: %s", "\x1b[2Jno \"such\" host\n<3>forged");
    printed_is(&err, "trawl run: the collector says: \\x1b[2Jno \"such\" host\\x0a<3>forged\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_options_nothing_is_set),
        cmocka_unit_test(every_option_is_understood),
        cmocka_unit_test(parameters_go_by_their_catalogue_names),
        cmocka_unit_test(each_mistake_is_named),
        cmocka_unit_test(more_parameters_than_there_is_room_for_are_refused),
        cmocka_unit_test(a_verb_takes_only_its_own_options),
        cmocka_unit_test(help_names_all_that_a_verb_takes),
        cmocka_unit_test(a_complaint_cannot_drive_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
