#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/runner/admit.h"
#include "common/base/arena.h"
#include "common/base/clock.h"
#include "tests/unit/agent/runner/ours.h"

static char all[] = "all", none[] = "";
static const struct policy open_policy = {.tools = all, .quiet_hours = none, .pins = none, .tool_dir = none, .max_duration_ns = 60 * NS_PER_S, .max_concurrent = 2};

static struct request good(void) {
    return (struct request){.magic = REQUEST_MAGIC, .kind = REQUEST_RUN, .run = 1, .tool = TOOL_RUNQLAT, .flavour = FLAVOUR_LIBBPF, .seconds = 5};
}

static enum err ask(const struct request *r, struct admitted *out) {
    struct buf why;
    buf_init(&why, 1024);
    enum err e = admit_run(r, &open_policy, 0, 0, out, &why);
    if (e) {
        assert_int_equal(e, ERR_REFUSED);
        assert_true(why.n > 0); /* never without a reason */
    }
    buf_done(&why);
    return e;
}

static void assert_admitted(const struct request *r) {
    struct admitted a;
    assert_int_equal(ask(r, &a), ERR_OK);
}

static void assert_refused(const struct request *r) {
    struct admitted a = {.seconds = 4711};
    assert_int_equal(ask(r, &a), ERR_REFUSED);
    assert_int_equal(a.seconds, 4711); /* untouched */
}

static void a_plain_request_is_admitted(void **state) {
    (void)state;
    struct request r = good();
    struct admitted a;
    assert_int_equal(ask(&r, &a), ERR_OK);
    assert_ptr_equal(a.tool, catalog_tool(TOOL_RUNQLAT));
    assert_ptr_equal(a.flavour, catalog_flavour(a.tool, FLAVOUR_LIBBPF));
    assert_int_equal(a.seconds, 5);
    assert_int_equal(a.params.n, 0);
}

static void every_number_has_its_borders(void **state) {
    (void)state;
    static const uint32_t bad_tools[] = {TOOL_NONE, TOOL__COUNT, TOOL__COUNT + 1, 255, INT32_MAX, UINT32_MAX};
    static const uint32_t bad_flavours[] = {FLAVOUR_ANY, FLAVOUR__COUNT, FLAVOUR__COUNT + 1, INT32_MAX, UINT32_MAX};
    static const uint32_t bad_seconds[] = {0, 61, INT32_MAX, UINT32_MAX};
    struct request r = good();
    for (size_t i = 0; i < COUNT_OF(bad_tools); i++, r = good()) {
        r.tool = bad_tools[i];
        assert_refused(&r);
    }
    for (size_t i = 0; i < COUNT_OF(bad_flavours); i++, r = good()) {
        r.flavour = bad_flavours[i];
        assert_refused(&r);
    }
    for (size_t i = 0; i < COUNT_OF(bad_seconds); i++, r = good()) {
        r.seconds = bad_seconds[i];
        assert_refused(&r);
    }
    r.reserved = 1;
    assert_refused(&r);
}

static struct request with_number(uint32_t id, int64_t number) {
    struct request r = good();
    r.params[0] = (struct request_param){.id = id, .number = number};
    return r;
}

static void a_pid_must_be_one(void **state) {
    (void)state;
    static const int64_t good_pids[] = {1, 2, 4194304}, bad_pids[] = {0, -1, 4194305, INT64_MIN, INT64_MAX};
    for (size_t i = 0; i < COUNT_OF(good_pids); i++) {
        struct request r = with_number(PARAM_PID, good_pids[i]);
        assert_admitted(&r);
    }
    for (size_t i = 0; i < COUNT_OF(bad_pids); i++) {
        struct request r = with_number(PARAM_PID, bad_pids[i]);
        assert_refused(&r);
    }
}

static void parameters_that_are_not_catalogued_are_refused(void **state) {
    (void)state;
    static const uint32_t bad[] = {PARAM__COUNT, PARAM__COUNT + 1, INT32_MAX, UINT32_MAX, PARAM_DISK /* runqlat has none */};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct request r = with_number(bad[i], 1);
        assert_refused(&r);
    }
    struct request r = with_number(PARAM_PID, 1);
    r.params[0].reserved = 1;
    assert_refused(&r);
    r = with_number(PARAM_PID, 1);
    r.params[PARAMS_MAX - 1] = r.params[0]; /* twice */
    assert_refused(&r);
    r = with_number(PARAM_PER_PROCESS, 2);
    assert_refused(&r);
}

static void a_disk_is_a_name_and_nothing_else(void **state) {
    (void)state;
    static const char *const good_names[] = {"vda", "nvme0n1", "dm-0", "a", "xvd_b.1"};
    static const char *const bad_names[] = {"", "-x", ".", "..", "../vda", "/dev/vda", "vd a", "vda\n", "vda;id", "$(id)", "v\x80", "vda*"};
    struct request r = good();
    r.tool = TOOL_BIOLATENCY;
    r.params[0].id = PARAM_DISK;
    for (size_t i = 0; i < COUNT_OF(good_names); i++) {
        memset(r.params[0].name, 0, sizeof r.params[0].name);
        memcpy(r.params[0].name, good_names[i], strlen(good_names[i]));
        assert_admitted(&r);
    }
    for (size_t i = 0; i < COUNT_OF(bad_names); i++) {
        memset(r.params[0].name, 0, sizeof r.params[0].name);
        memcpy(r.params[0].name, bad_names[i], strlen(bad_names[i]));
        assert_refused(&r);
    }
    memset(r.params[0].name, 'a', sizeof r.params[0].name); /* no end */
    assert_refused(&r);
    r.params[0].name[PARAM_NAME_BYTES - 1] = 0;
    assert_admitted(&r);
}

static void a_probe_asks_no_hours(void **state) {
    (void)state;
    char day[] = "00:00-24:00", other[] = "execsnoop";
    struct policy p = open_policy;
    struct request r = good();
    struct admitted a;
    struct buf why;
    buf_init(&why, 1024);
    p.quiet_hours = day;
    r.seconds = 0;
    assert_int_equal(admit_probe(&r, &p, &a, &why), ERR_OK);
    p.tools = other;
    assert_int_equal(admit_probe(&r, &p, &a, &why), ERR_REFUSED);
    r.flavour = FLAVOUR_ANY;
    assert_int_equal(admit_probe(&r, &p, &a, &why), ERR_REFUSED);
    buf_done(&why);
}

static uint64_t seed = 0x9e3779b97f4a7c15ULL;
static uint64_t dice(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* Mostly near the truth, so that the deeper checks are reached; some are noise from end to end. */
static void scribble(struct request *r) {
    *r = good();
    if (dice() % 8 == 0) {
        unsigned char *bytes = (unsigned char *)r;
        for (size_t i = 0; i < sizeof *r; i++) bytes[i] = (unsigned char)dice();
        return;
    }
    r->tool = (uint32_t)(dice() % (TOOL__COUNT + 2));
    r->flavour = (uint32_t)(dice() % (FLAVOUR__COUNT + 2));
    r->seconds = (uint32_t)(dice() % 70);
    for (size_t i = 0, n = dice() % 4; i < n; i++) {
        struct request_param *p = &r->params[dice() % PARAMS_MAX];
        p->id = (uint32_t)(dice() % (PARAM__COUNT + 1));
        p->number = dice() % 3 ? (int64_t)(dice() % 3) : (int64_t)dice();
        for (size_t c = 0, len = dice() % 6; c < len; c++) p->name[c] = (char)(dice() % 4 ? 'a' + (char)(dice() % 26) : (char)dice());
    }
}

static void a_million_random_requests_start_nothing_that_is_not_catalogued(void **state) {
    (void)state;
    uint64_t first = seed;
    size_t admitted = 0, refused = 0;
    struct arena *mem = arena_new(64 * 1024);
    struct buf why;
    buf_init(&why, 1024);
    for (size_t i = 0; i < 1000000; i++) {
        struct request r;
        struct admitted a;
        scribble(&r);
        buf_reset(&why);
        if (admit_run(&r, &open_policy, 0, 0, &a, &why) != ERR_OK) {
            if (why.n == 0) fail_msg("seed %llx, request %zu: no reason", (unsigned long long)first, i);
            refused++;
            continue;
        }
        admitted++;
        const struct tool *t = catalog_tool((enum tool_id)r.tool);
        const char *const *argv = NULL;
        arena_reset(mem);
        if (a.tool != t || a.flavour != catalog_flavour(t, (enum flavour_id)r.flavour) || a.seconds < 1 || a.seconds > 60 ||
            catalog_argv(a.flavour, "tool", &a.params, a.seconds, mem, &argv) != ERR_OK)
            fail_msg("seed %llx, request %zu: not of the catalogue", (unsigned long long)first, i);
        for (size_t k = 1; argv[k]; k++)
            if (!ours_is(a.flavour, argv[k])) fail_msg("seed %llx, request %zu: argument \"%s\"", (unsigned long long)first, i, argv[k]);
    }
    buf_done(&why);
    arena_free(mem);
    print_message("%zu admitted, %zu refused\n", admitted, refused);
    assert_true(admitted > 1000 && refused > 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_request_is_admitted),
        cmocka_unit_test(every_number_has_its_borders),
        cmocka_unit_test(a_pid_must_be_one),
        cmocka_unit_test(parameters_that_are_not_catalogued_are_refused),
        cmocka_unit_test(a_disk_is_a_name_and_nothing_else),
        cmocka_unit_test(a_probe_asks_no_hours),
        cmocka_unit_test(a_million_random_requests_start_nothing_that_is_not_catalogued),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
