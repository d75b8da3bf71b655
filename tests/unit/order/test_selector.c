#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/order/selector.h"
#include "common/wire/limits.h"

#define LABEL(k, v)                                                                                                                        \
    { SPAN_LIT(k), SPAN_LIT(v) }

static const struct label labels[] = {LABEL("role", "web"),   LABEL("zone", "eu-west-1"),  LABEL("rack", "r07"),
                                      LABEL("tag", "blue"),   LABEL("tag", "canary"),      LABEL("app.kubernetes.io/name", "shop"),
                                      LABEL("note", "a=b c"), LABEL("town", "K\xc3\xb6ln")};

/* Does web-13 with these labels match? */
static bool matches_host(const char *text, const char *host) {
    struct arena *mem = arena_new(1024 * 1024);
    struct buf why;
    buf_init(&why, 4096);
    const struct selector *s = NULL;
    enum err e = selector_parse(span_str(text), mem, &why, &s);
    if (e) fail_msg("%s: %s", text, buf_str(&why));
    bool yes = selector_matches(s, span_str(host), labels, COUNT_OF(labels));
    buf_done(&why);
    arena_free(mem);
    return yes;
}

static void want(bool yes, const char *text, const char *host) {
    if (matches_host(text, host) != yes) fail_msg("\"%s\" should %smatch %s", text, yes ? "" : "not ", host);
}
#define MATCHES(text, host) want(true, text, host)
#define MISSES(text, host)  want(false, text, host)

static void nothing_and_all_mean_every_host(void **state) {
    (void)state;
    MATCHES("", "web-13");
    MATCHES("  ", "web-13");
    MATCHES("all", "web-13");
    MATCHES("*", "web-13");
    MATCHES("all,!db-*", "web-13");
    MISSES("all,!web-*", "web-13");
}

static void names_are_patterns(void **state) {
    (void)state;
    MATCHES("web-13", "web-13");
    MISSES("web-1", "web-13");
    MISSES("eb-13", "web-13");
    MISSES("WEB-13", "web-13");
    MATCHES("web-*", "web-13");
    MATCHES("web-*", "web-");
    MATCHES("*-13", "web-13");
    MATCHES("w*b*3", "web-13");
    MATCHES("w**3", "web-13");
    MATCHES("web-??", "web-13");
    MISSES("web-?", "web-13");
    MISSES("web-???", "web-13");
    MATCHES("*?*?*", "ab");
    MISSES("*?*?*?*", "ab");
    MATCHES("*abc", "ababcabc");
    MISSES("*abc", "ababcab");
}

static void several_names_are_a_union(void **state) {
    (void)state;
    MATCHES("db-1,web-13", "web-13");
    MATCHES("web-13 , db-1", "db-1");
    MISSES("db-1,web-13", "db-2");
    MATCHES("web-*,!web-14", "web-13");
    MISSES("web-*,!web-13", "web-13");
    MISSES("!web-13,web-*", "web-13");
    MATCHES("!web-13", "db-1");
    MISSES("!web-[10-20]", "web-13");
}

static void ranges_count_as_they_are_written(void **state) {
    (void)state;
    MATCHES("web[001-120]", "web001");
    MATCHES("web[001-120]", "web120");
    MATCHES("web[001-120]", "web099");
    MISSES("web[001-120]", "web000");
    MISSES("web[001-120]", "web121");
    MISSES("web[001-120]", "web1");
    MISSES("web[001-120]", "web01");
    MISSES("web[001-120]", "web0001");
    MATCHES("web[1-120]", "web7");
    MISSES("web[1-120]", "web007");
    MATCHES("web[1-3,7]", "web7");
    MATCHES("web[1-3,7]", "web2");
    MISSES("web[1-3,7]", "web4");
    MISSES("web[1-3,7]", "web");
    MISSES("web[1-3,7]", "webx");
    MATCHES("web[08-12]", "web08");
    MATCHES("web[08-12]", "web12");
    MATCHES("web[98-102]", "web102");
    MATCHES("web[098-1002]", "web1000");
    MISSES("web[098-1002]", "web01000");
    MATCHES("n[0-10]", "n0");
    MISSES("n[0-10]", "n00");
    MATCHES("n[5]", "n5");
    MATCHES("n[999999999]", "n999999999");
    MISSES("n[1]", "n11111111111111111111111111");
}

static void ranges_mix_with_everything(void **state) {
    (void)state;
    MATCHES("r[1-3]n[01-10].example", "r2n05.example");
    MISSES("r[1-3]n[01-10].example", "r4n05.example");
    MATCHES("[1-9][1-20]", "112"); /* 1 and 12, or 11 and 2: only one of them is in range */
    MATCHES("[10-19][5]", "115");
    MATCHES("web[1-20]?", "web123");
    MATCHES("*[1-3]", "web-13");
    MATCHES("*[13]", "web-13");
    MISSES("*[14]", "web-13");
    MATCHES("[1-3]*", "2x");
    MATCHES("web-[12-13],db-[1-2]", "web-13");
}

static void labels_must_all_hold(void **state) {
    (void)state;
    MATCHES("role=web", "h");
    MISSES("role=db", "h");
    MATCHES("role=web,zone=eu-*", "h");
    MISSES("role=web,zone=us-*", "h");
    MISSES("role=web,role=db", "h");
    MATCHES("role=w?b", "h");
    MATCHES("rack=r[01-12]", "h");
    MISSES("rack=r[1-12]", "h");
    MATCHES("tag=canary", "h");
    MATCHES("tag=blue,tag=canary", "h");
    MATCHES("app.kubernetes.io/name=shop", "h");
    MATCHES("note=a=b c", "h");
    MATCHES("town=K\xc3\xb6ln", "h");
    MISSES("Role=web", "h");
    MATCHES("role=web,h", "h");
    MISSES("role=web,g", "h");
}

static void an_absent_label_equals_nothing(void **state) {
    (void)state;
    MISSES("owner=*", "h");
    MATCHES("owner!=*", "h");
    MATCHES("owner!=me", "h");
    MATCHES("role!=db", "h");
    MISSES("role!=web", "h");
    MISSES("role!=*", "h");
    MISSES("tag!=canary", "h");
}

static void refused(const char *text, enum err e_want, const char *why_want) {
    struct arena *mem = arena_new(1024 * 1024);
    struct buf why;
    buf_init(&why, 4096);
    const struct selector *s = NULL;
    enum err e = selector_parse(span_str(text), mem, &why, &s);
    const char *said = buf_str(&why);
    if (e != e_want || strcmp(said, why_want) != 0) fail_msg("%s: %s \"%s\" instead of \"%s\"", text, err_name(e), said, why_want);
    assert_null(s);
    buf_done(&why);
    arena_free(mem);
}

static void what_is_wrong_is_said_with_its_place(void **state) {
    (void)state;
    refused("web-1,web[5-1]", ERR_SYNTAX, "term 2: \"web[5-1]\": the range runs backwards");
    refused("a,,b", ERR_SYNTAX, "term 2: \"\": it is empty");
    refused("a,", ERR_SYNTAX, "term 2: \"\": it is empty");
    refused(",", ERR_SYNTAX, "term 1: \"\": it is empty");
    refused("web[1-3", ERR_SYNTAX, "term 1: \"web[1-3\": the bracket [ is never closed");
    refused("web[1-3,a", ERR_SYNTAX, "term 1: \"web[1-3,a\": the bracket [ is never closed");
    refused("web1]", ERR_SYNTAX, "term 1: \"web1]\": the bracket ] was never opened");
    refused("web[[1]]", ERR_SYNTAX, "term 1: \"web[[1]]\": a range is made of numbers, as in [1-3,7]");
    refused("web[]", ERR_SYNTAX, "term 1: \"web[]\": a range is made of numbers, as in [1-3,7]");
    refused("web[1,]", ERR_SYNTAX, "term 1: \"web[1,]\": a range is made of numbers, as in [1-3,7]");
    refused("web[1-]", ERR_SYNTAX, "term 1: \"web[1-]\": a range is made of numbers, as in [1-3,7]");
    refused("web[-1]", ERR_SYNTAX, "term 1: \"web[-1]\": a range is made of numbers, as in [1-3,7]");
    refused("web[1-2-3]", ERR_SYNTAX, "term 1: \"web[1-2-3]\": a range is made of numbers, as in [1-3,7]");
    refused("web[a-b]", ERR_SYNTAX, "term 1: \"web[a-b]\": a range is made of numbers, as in [1-3,7]");
    refused("web[1-0003]", ERR_SYNTAX,
            "term 1: \"web[1-0003]\": both ends of a range have the same number of digits when they begin with 0");
    refused("web[1-1000000000]", ERR_SYNTAX, "term 1: \"web[1-1000000000]\": a number in a range has at most nine digits");
    refused("web[1-99999999999999999999999]", ERR_SYNTAX,
            "term 1: \"web[1-99999999999999999999999]\": a range is made of numbers, as in [1-3,7]");
    refused("web[1-100001]", ERR_SYNTAX, "term 1: \"web[1-100001]\": the ranges stand for more than 100000 hosts");
    refused("r[1-1000]n[1-101]", ERR_SYNTAX, "term 1: \"r[1-1000]n[1-101]\": the ranges stand for more than 100000 hosts");
    refused("web 1", ERR_SYNTAX, "term 1: \"web 1\": a character has no place here");
    refused("web;1", ERR_SYNTAX, "term 1: \"web;1\": a character has no place here");
    refused("we\x1b[2Jb", ERR_SYNTAX, "term 1: \"we?[2Jb\": a character has no place here");
    refused("we\xc3\xb6", ERR_SYNTAX, "term 1: \"we??\": a character has no place here");
    refused("a!b", ERR_SYNTAX, "term 1: \"a!b\": a character has no place here");
    refused("!", ERR_SYNTAX, "term 1: \"!\": a name is missing after !");
    refused("!!a", ERR_SYNTAX, "term 1: \"!!a\": a character has no place here");
    refused("=x", ERR_SYNTAX, "term 1: \"=x\": a label's key has 1 to 63 of A-Z a-z 0-9 . _ - /");
    refused("!=x", ERR_SYNTAX, "term 1: \"!=x\": a label's key has 1 to 63 of A-Z a-z 0-9 . _ - /");
    refused("ro*le=x", ERR_SYNTAX, "term 1: \"ro*le=x\": a label's key has 1 to 63 of A-Z a-z 0-9 . _ - /");
    refused("!role=x", ERR_SYNTAX, "term 1: \"!role=x\": write key!=value to exclude a label");
    refused("role=", ERR_SYNTAX, "term 1: \"role=\": the label has no value");
    refused("role!=", ERR_SYNTAX, "term 1: \"role!=\": the label has no value");
    refused("role=a\tb", ERR_SYNTAX, "term 1: \"role=a?b\": a character has no place here");
    refused("role=]", ERR_SYNTAX, "term 1: \"role=]\": the bracket ] was never opened");
}

static void a_selector_may_not_be_endless(void **state) {
    (void)state;
    char text[LIMIT_SELECTOR_BYTES + 2];
    memset(text, '*', sizeof text);
    text[LIMIT_SELECTOR_BYTES] = '\0';
    MATCHES(text, "web-13");
    text[LIMIT_SELECTOR_BYTES] = '*';
    text[LIMIT_SELECTOR_BYTES + 1] = '\0';
    refused(text, ERR_LIMIT, "the selector is longer than 1024 bytes");
}

static void a_nul_inside_is_no_end(void **state) {
    (void)state;
    struct arena *mem = arena_new(64 * 1024);
    struct buf why;
    buf_init(&why, 4096);
    const struct selector *s = NULL;
    assert_int_equal(selector_parse(SPAN_LIT("web\0*"), mem, &why, &s), ERR_SYNTAX);
    assert_int_equal(selector_parse(SPAN_LIT("role=web\0"), mem, &why, &s), ERR_SYNTAX);
    assert_int_equal(selector_parse(SPAN_LIT("ro\0le=web"), mem, &why, &s), ERR_SYNTAX);
    buf_done(&why);
    arena_free(mem);
}

/* The pattern that makes backtracking matchers run for years. */
static void no_pattern_is_slow(void **state) {
    (void)state;
    char text[LIMIT_SELECTOR_BYTES + 1], host[LIMIT_NAME_BYTES + 1];
    for (size_t i = 0; i + 1 < LIMIT_SELECTOR_BYTES; i += 2) memcpy(text + i, "*a", 2);
    memcpy(text + LIMIT_SELECTOR_BYTES - 2, "*b", 3);
    memset(host, 'a', LIMIT_NAME_BYTES);
    host[LIMIT_NAME_BYTES] = '\0';
    uint64_t start = clock_mono_ns();
    MISSES(text, host);
    for (size_t i = 0; i + 6 < LIMIT_SELECTOR_BYTES; i += 3) memcpy(text + i, "[1]", 4);
    memset(host, '1', LIMIT_NAME_BYTES);
    MISSES(text, host);
    assert_true(clock_mono_ns() - start < NS_PER_S);
}

static void names_at_the_limit_match(void **state) {
    (void)state;
    char host[LIMIT_LABEL_BYTES + 2];
    memset(host, 'h', sizeof host);
    host[LIMIT_LABEL_BYTES] = '\0';
    MATCHES("h*h", host);
    host[LIMIT_LABEL_BYTES] = 'h';
    host[LIMIT_LABEL_BYTES + 1] = '\0';
    MISSES("h*h", host); /* nothing of that length has a name */
    MISSES("h*h", "");
    MATCHES("*", "");
}

static void a_small_arena_is_an_error_not_a_crash(void **state) {
    (void)state;
    bool worked = false;
    for (size_t budget = 0; budget < 8192 && !worked; budget += 16) {
        struct arena *mem = arena_new(budget);
        struct buf why;
        buf_init(&why, 4096);
        const struct selector *s = NULL;
        enum err e = selector_parse(SPAN_LIT("a[1-3,7,9,11,13]*,b,c,d,e,f=g?[1]"), mem, &why, &s);
        assert_true(e == ERR_OK || e == ERR_NOMEM);
        assert_int_equal(e == ERR_OK, s != NULL);
        worked = e == ERR_OK;
        buf_done(&why);
        arena_free(mem);
    }
    assert_true(worked);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_and_all_mean_every_host),
        cmocka_unit_test(names_are_patterns),
        cmocka_unit_test(several_names_are_a_union),
        cmocka_unit_test(ranges_count_as_they_are_written),
        cmocka_unit_test(ranges_mix_with_everything),
        cmocka_unit_test(labels_must_all_hold),
        cmocka_unit_test(an_absent_label_equals_nothing),
        cmocka_unit_test(what_is_wrong_is_said_with_its_place),
        cmocka_unit_test(a_selector_may_not_be_endless),
        cmocka_unit_test(a_nul_inside_is_no_end),
        cmocka_unit_test(no_pattern_is_slow),
        cmocka_unit_test(names_at_the_limit_match),
        cmocka_unit_test(a_small_arena_is_an_error_not_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
