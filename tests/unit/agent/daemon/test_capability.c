/* What this host can run, as the runner answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sys/socket.h>

#include "agent/daemon/capability.h"
#include "common/sys/fds.h"

/* Asks; the probes are left unread in the socket. */
static void ask(struct capabilities *all, int out_pair[2]) {
    struct loop *loop = loop_new();
    struct channel c = {.watch.fd = -1};
    *all = (struct capabilities){.n = 0};
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, out_pair), 0);
    assert_int_equal(channel_start(&c, loop, out_pair[0]), ERR_OK);
    assert_int_equal(capability_ask(all, &c), ERR_OK);
    loop_free(loop);
}

static void hang_up(const int pair[2]) {
    close(pair[0]);
    close(pair[1]);
}

static struct report answer_to(uint64_t run, enum err refusal, const char *why) {
    struct report r = {.magic = REQUEST_MAGIC, .kind = REPORT_CAPABLE, .run = run, .refusal = refusal};
    snprintf(r.why, sizeof r.why, "%s", why);
    return r;
}

static void every_flavour_that_could_run_is_asked_for(void **state) {
    (void)state;
    struct capabilities all;
    int pair[2];
    size_t flavours = 0;
    ask(&all, pair);
    for (int id = TOOL_NONE + 1; id < TOOL__COUNT; id++) {
        const struct tool *t = catalog_tool((enum tool_id)id);
        for (size_t i = 0; i < t->n_flavours; i++) {
            struct request r;
            size_t n = sizeof r, n_fds;
            if (!t->flavours[i].binaries[0]) continue; /* its print-outs are read, never made */
            assert_int_equal(fds_receive(pair[1], &r, &n, NULL, 0, &n_fds), ERR_OK);
            assert_int_equal(r.kind, REQUEST_PROBE);
            flavours++;
            assert_int_equal(r.run, flavours);
            assert_int_equal(r.tool, t->id);
            assert_int_equal(r.flavour, t->flavours[i].id);
        }
    }
    assert_int_equal(all.n, flavours);
    assert_true(all.n <= CAPABILITY_MAX);
    hang_up(pair);
}

static void the_last_answer_is_known_as_such(void **state) {
    (void)state;
    struct capabilities all;
    int pair[2];
    ask(&all, pair);
    hang_up(pair);
    const uint64_t strange[] = {0, all.n + 1, UINT64_MAX};
    for (size_t i = 0; i < COUNT_OF(strange); i++) {
        struct report r = answer_to(strange[i], ERR_OK, "");
        assert_false(capability_answer(&all, &r));
    }
    for (uint64_t run = all.n; run > 1; run--) { /* in any order */
        struct report r = answer_to(run, ERR_NOTFOUND, "not installed");
        assert_false(capability_answer(&all, &r));
        r = answer_to(run, ERR_OK, "");
        assert_false(capability_answer(&all, &r)); /* said again, otherwise: the first word counts */
    }
    struct report r = answer_to(1, ERR_OK, "always 0 here");
    assert_true(capability_answer(&all, &r));
    assert_true(all.rows[0].runnable);
    assert_string_equal(all.rows[0].why, "always 0 here");
    assert_string_equal(all.rows[1].why, "not installed");
    assert_false(all.rows[1].runnable);
    assert_false(capability_answer(&all, &r)); /* the last one is the last only once */
}

static const struct params no_params;

static void one_that_is_known_to_be_wrong_runs_only_when_it_is_named(void **state) {
    (void)state;
    const struct tool *t = catalog_tool(TOOL_RUNQLEN);
    struct capabilities all = {.rows = {{TOOL_RUNQLEN, FLAVOUR_LIBBPF, true, false, "does not load"}, {TOOL_RUNQLEN, FLAVOUR_BCC, true, true, "always 0"}},
                               .n = 2};
    struct buf why;
    buf_init(&why, 0);
    assert_null(capability_choose(&all, t, FLAVOUR_ANY, &no_params, &why));
    assert_string_equal(buf_str(&why), "libbpf: does not load; bcc: always 0");
    buf_reset(&why);
    assert_int_equal(capability_choose(&all, t, FLAVOUR_BCC, &no_params, &why)->id, FLAVOUR_BCC);
    assert_string_equal(buf_str(&why), "it was asked for; bcc: always 0");
    buf_done(&why);
}

static void a_parameter_that_a_flavour_lacks_chooses_another(void **state) {
    (void)state;
    const struct tool *t = catalog_tool(TOOL_TCPCONNLAT);
    struct capabilities all = {.rows = {{TOOL_TCPCONNLAT, FLAVOUR_LIBBPF, true, true, ""}, {TOOL_TCPCONNLAT, FLAVOUR_BCC, true, true, ""}}, .n = 2};
    const struct params six = {.p = {{.id = PARAM_FAMILY, .number = 6}}, .n = 1};
    struct buf why;
    buf_init(&why, 0);
    assert_int_equal(capability_choose(&all, t, FLAVOUR_ANY, &six, &why)->id, FLAVOUR_BCC);
    assert_string_equal(buf_str(&why), "not the first choice; libbpf: tcpconnlat (libbpf) has no parameter family");
    buf_reset(&why);
    all.rows[1].runnable = false;
    assert_null(capability_choose(&all, t, FLAVOUR_ANY, &six, &why));
    buf_done(&why);
}

static void the_first_flavour_that_runs_is_chosen(void **state) {
    (void)state;
    const struct tool *t = catalog_tool(TOOL_RUNQLAT);
    struct capabilities all = {.rows = {{TOOL_RUNQLAT, FLAVOUR_LIBBPF, true, true, ""}, {TOOL_RUNQLAT, FLAVOUR_BCC, true, true, ""}},
                               .n = 2};
    struct buf why;
    buf_init(&why, 0);
    assert_int_equal(capability_choose(&all, t, FLAVOUR_ANY, &no_params, &why)->id, FLAVOUR_LIBBPF);
    assert_string_equal(buf_str(&why), "the first choice, and right here");
    buf_reset(&why);
    assert_int_equal(capability_choose(&all, t, FLAVOUR_BCC, &no_params, &why)->id, FLAVOUR_BCC);
    assert_string_equal(buf_str(&why), "it was asked for");
    buf_reset(&why);
    all.rows[0].runnable = false;
    snprintf(all.rows[0].why, sizeof all.rows[0].why, "the kernel has no BTF");
    assert_int_equal(capability_choose(&all, t, FLAVOUR_ANY, &no_params, &why)->id, FLAVOUR_BCC);
    assert_string_equal(buf_str(&why), "not the first choice; libbpf: the kernel has no BTF"); /* why not the first */
    buf_reset(&why);
    assert_null(capability_choose(&all, t, FLAVOUR_LIBBPF, &no_params, &why));
    assert_string_equal(buf_str(&why), "libbpf: the kernel has no BTF");
    buf_reset(&why);
    all.rows[1].runnable = false;
    snprintf(all.rows[1].why, sizeof all.rows[1].why, "no python");
    assert_null(capability_choose(&all, t, FLAVOUR_ANY, &no_params, &why));
    assert_string_equal(buf_str(&why), "libbpf: the kernel has no BTF; bcc: no python");
    buf_reset(&why);
    assert_null(capability_choose(&all, t, FLAVOUR_BPFTRACE, &no_params, &why));
    assert_string_equal(buf_str(&why), "runqlat has no bpftrace flavour");
    buf_done(&why);
}

static void facts_tell_all_of_it(void **state) {
    (void)state;
    const struct capabilities all = {
        .rows = {{TOOL_RUNQLAT, FLAVOUR_LIBBPF, true, true, ""}, {TOOL_EXECSNOOP, FLAVOUR_BCC, true, false, "no python"}}, .n = 2};
    AUTO(arena_free) struct arena *mem = arena_new(1 << 16);
    struct tool_fact *facts = NULL;
    size_t n = 0;
    assert_int_equal(capability_facts(&all, mem, &facts, &n), ERR_OK);
    assert_int_equal(n, 2);
    assert_true(span_eq_str(facts[0].tool, "runqlat") && span_eq_str(facts[0].flavour, "libbpf") && facts[0].runnable);
    assert_true(span_eq_str(facts[1].tool, "execsnoop") && span_eq_str(facts[1].why, "no python") && !facts[1].runnable);
    AUTO(arena_free) struct arena *none = arena_new(0);
    n = 7;
    assert_int_equal(capability_facts(&all, none, &facts, &n), ERR_NOMEM);
    assert_int_equal(n, 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flavour_that_could_run_is_asked_for),
        cmocka_unit_test(the_last_answer_is_known_as_such),
        cmocka_unit_test(the_first_flavour_that_runs_is_chosen),
        cmocka_unit_test(one_that_is_known_to_be_wrong_runs_only_when_it_is_named),
        cmocka_unit_test(a_parameter_that_a_flavour_lacks_chooses_another),
        cmocka_unit_test(facts_tell_all_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
