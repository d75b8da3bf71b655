#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/capability.h>

#include "common/catalog/catalog.h"

static const struct flavour *libbpf(enum tool_id id) { return catalog_flavour(catalog_tool(id), FLAVOUR_LIBBPF); }

static struct params number(enum param_id id, int64_t value) { return (struct params){.p = {{.id = id, .number = value}}, .n = 1}; }

static struct params name(enum param_id id, const char *value) {
    struct params ps = {.p = {{.id = id}}, .n = 1};
    snprintf(ps.p[0].name, sizeof ps.p[0].name, "%s", value);
    return ps;
}

static void every_row_is_whole(void **state) {
    (void)state;
    for (unsigned i = TOOL_NONE + 1; i < TOOL__COUNT; i++) {
        const struct tool *t = catalog_tool((enum tool_id)i);
        assert_non_null(t);
        assert_int_equal(t->id, i);
        assert_ptr_equal(catalog_find(span_str(t->name)), t);
        assert_true(t->summary && t->reading && t->kind != RESULT_NONE && t->n_flavours > 0);
        for (size_t j = 0; j < t->n_flavours; j++) {
            const struct flavour *f = &t->flavours[j];
            assert_ptr_equal(catalog_flavour(t, f->id), f);
            assert_true(f->parse.grammar == GRAMMAR_HISTOGRAM ? t->kind == RESULT_HISTOGRAM
                        : f->parse.grammar == GRAMMAR_TABLE   ? t->kind == RESULT_EVENTS && f->parse.n_columns > 0
                        : f->parse.grammar == GRAMMAR_JSON    ? (t->kind == RESULT_EVENTS) == (f->parse.n_columns > 0)
                                                              : t->kind == RESULT_STACKS && f->parse.stacks_unit);
            if (!f->binaries[0]) continue; /* read, never run */
            assert_true(f->capabilities && f->capabilities_why && f->n_ok_exits > 0);
            assert_true(f->end == END_BY_SIGINT || f->argv[0]);
            assert_true((f->id == FLAVOUR_BPFTRACE) == (f->program != NULL));
            assert_true((f->id == FLAVOUR_LIBBPF) == !f->as_root); /* bcc and bpftrace are root, with few capabilities */
            for (size_t k = 0; k < f->n_params; k++) assert_non_null(catalog_param(f->params[k].id));
        }
    }
}

static void every_parameter_has_its_own_name(void **state) {
    (void)state;
    for (unsigned i = PARAM_NONE + 1; i < PARAM__COUNT; i++) {
        const struct param_info *info = catalog_param((enum param_id)i);
        assert_non_null(info);
        assert_true(info->name && info->unit && info->help);
        assert_int_equal(catalog_param_find(span_str(info->name)), i);
    }
}

static void what_is_not_there_is_not_found(void **state) {
    (void)state;
    assert_null(catalog_tool(TOOL_NONE));
    assert_null(catalog_tool(TOOL__COUNT));
    assert_null(catalog_tool((enum tool_id) - 1));
    assert_null(catalog_find(SPAN_LIT("runqla")));
    assert_null(catalog_find(SPAN_NONE));
    assert_null(catalog_param(PARAM_NONE));
    assert_null(catalog_param(PARAM__COUNT));
    assert_int_equal(catalog_param_find(SPAN_LIT("nope")), PARAM_NONE);
    assert_int_equal(catalog_flavour_find(SPAN_LIT("nope")), FLAVOUR__COUNT);
    assert_null(catalog_flavour(catalog_tool(TOOL_RUNQLAT), FLAVOUR_BPFTRACE));
    assert_string_equal(catalog_flavour_name(FLAVOUR__COUNT), "unknown");
}

static void flavours_have_names(void **state) {
    (void)state;
    assert_int_equal(catalog_flavour_find(SPAN_LIT("bpfcc")), FLAVOUR_BCC);
    for (unsigned i = 0; i < FLAVOUR__COUNT; i++)
        assert_int_equal(catalog_flavour_find(span_str(catalog_flavour_name((enum flavour_id)i))), i);
    assert_int_equal(catalog_flavour(catalog_tool(TOOL_RUNQLAT), FLAVOUR_ANY)->id, FLAVOUR_LIBBPF);
}

static void parameters_are_checked(void **state) {
    (void)state;
    static const char *const names[] = {"", "-D", "../sda", "sd a", "a/b", "sda;reboot", "sd\na"};
    const struct tool *t = catalog_tool(TOOL_BIOLATENCY), *off = catalog_tool(TOOL_OFFCPUTIME);
    struct buf why;
    buf_init(&why, 0);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct params ps = name(PARAM_DISK, names[i]);
        assert_int_equal(catalog_check(t, libbpf(TOOL_BIOLATENCY), &ps, &why), ERR_REFUSED);
    }
    struct params good = name(PARAM_DISK, "nvme0n1");
    assert_int_equal(catalog_check(t, libbpf(TOOL_BIOLATENCY), &good, NULL), ERR_OK);
    memset(good.p[0].name, 'a', sizeof good.p[0].name); /* not terminated */
    assert_int_equal(catalog_check(t, libbpf(TOOL_BIOLATENCY), &good, NULL), ERR_REFUSED);
    static const struct {
        struct params ps;
        enum err want;
    } cases[] = {
        {{.n = 0}, ERR_OK},
        {{.p = {{.id = PARAM_PID, .number = 1}}, .n = 1}, ERR_OK},
        {{.p = {{.id = PARAM_PID, .number = 4194304}}, .n = 1}, ERR_OK},
        {{.p = {{.id = PARAM_PID, .number = 0}}, .n = 1}, ERR_REFUSED},
        {{.p = {{.id = PARAM_PID, .number = -1}}, .n = 1}, ERR_REFUSED},
        {{.p = {{.id = PARAM_PID, .number = 4194305}}, .n = 1}, ERR_REFUSED},
        {{.p = {{.id = PARAM_STATE, .number = 2}}, .n = 1}, ERR_OK},
        {{.p = {{.id = PARAM_STATE, .number = 3}}, .n = 1}, ERR_REFUSED},
        {{.p = {{.id = PARAM_KERNEL_ONLY, .number = 1}}, .n = 1}, ERR_OK},
        {{.p = {{.id = PARAM_KERNEL_ONLY, .number = 0}}, .n = 1}, ERR_REFUSED},
        {{.p = {{.id = PARAM_DISK, .name = "sda"}}, .n = 1}, ERR_REFUSED},                                            /* not offered */
        {{.p = {{.id = PARAM_NONE}}, .n = 1}, ERR_REFUSED},                                                           /* unknown */
        {{.p = {{.id = PARAM__COUNT}}, .n = 1}, ERR_REFUSED},                                                         /* unknown */
        {{.p = {{.id = PARAM_PID, .number = 1}, {.id = PARAM_PID, .number = 1}}, .n = 2}, ERR_REFUSED},               /* twice */
        {{.p = {{.id = PARAM_KERNEL_ONLY, .number = 1}, {.id = PARAM_USER_ONLY, .number = 1}}, .n = 2}, ERR_REFUSED}, /* exclusive */
        {{.n = PARAMS_MAX + 1}, ERR_REFUSED},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        buf_reset(&why);
        assert_int_equal(catalog_check(off, libbpf(TOOL_OFFCPUTIME), &cases[i].ps, &why), cases[i].want);
        assert_int_equal(why.n > 0, cases[i].want != ERR_OK);
        assert_int_equal(catalog_check(off, libbpf(TOOL_OFFCPUTIME), &cases[i].ps, NULL), cases[i].want);
    }
    struct params pid = number(PARAM_PID, 0);
    buf_reset(&why);
    assert_int_equal(catalog_check(off, libbpf(TOOL_OFFCPUTIME), &pid, &why), ERR_REFUSED);
    assert_string_equal(buf_str(&why), "pid must be 1…4194304");
    buf_done(&why);
}

static void a_flavour_that_is_only_read_is_not_run(void **state) {
    (void)state;
    static const struct flavour only_read = {.id = FLAVOUR_BCC};
    struct params none = {.n = 0};
    assert_int_equal(catalog_check(catalog_tool(TOOL_RUNQLAT), &only_read, &none, NULL), ERR_REFUSED);
}

/* The argv as one text. */
static const char *argv_with(const struct flavour *f, const struct params *ps, unsigned seconds) {
    static char text[512];
    AUTO(arena_free) struct arena *mem = arena_new(1u << 20);
    const char *const *argv = NULL;
    assert_int_equal(catalog_argv(f, "x", ps, seconds, mem, &argv), ERR_OK);
    size_t at = 0;
    for (size_t i = 0; argv[i]; i++) at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", i ? " " : "", argv[i]);
    return text;
}

static const char *argv_of(enum tool_id tool, const struct params *ps, unsigned seconds) { return argv_with(libbpf(tool), ps, seconds); }
static const char *bcc_argv_of(enum tool_id tool, const struct params *ps, unsigned seconds) {
    return argv_with(catalog_flavour(catalog_tool(tool), FLAVOUR_BCC), ps, seconds);
}

static const char *bpftrace_argv_of(enum tool_id tool, const struct params *ps, unsigned seconds) {
    return argv_with(catalog_flavour(catalog_tool(tool), FLAVOUR_BPFTRACE), ps, seconds);
}

/* Each parameter has its place, taken by 0 or "" when it is not given. */
static void a_program_gets_its_parameters_by_place(void **state) {
    (void)state;
    struct params none = {.n = 0}, port = number(PARAM_PORT, 443), pid = number(PARAM_PID, 12), comm = name(PARAM_COMM, "dd"), all = number(PARAM_ALL_FILES, 1);
    struct params both = {.p = {{.id = PARAM_FAMILY, .number = 6}, {.id = PARAM_MIN_MS, .number = 5}}, .n = 2};
    assert_string_equal(bpftrace_argv_of(TOOL_TCPRTT, &none, 10), "x -f json {program} 10 1 0 0");
    assert_string_equal(bpftrace_argv_of(TOOL_TCPRTT, &port, 10), "x -f json {program} 10 1 0 443");
    assert_string_equal(bpftrace_argv_of(TOOL_PROFILE, &pid, 10), "x -f json {program} 10 12");
    assert_string_equal(bpftrace_argv_of(TOOL_BITESIZE, &none, 4), "x -f json {program} 4 1 ");
    assert_string_equal(bpftrace_argv_of(TOOL_BITESIZE, &comm, 4), "x -f json {program} 4 1 dd");
    assert_string_equal(bpftrace_argv_of(TOOL_FILESLOWER, &none, 4), "x -f json {program} 4 10 0 0");
    assert_string_equal(bpftrace_argv_of(TOOL_FILESLOWER, &all, 4), "x -f json {program} 4 10 0 1");
    assert_string_equal(bpftrace_argv_of(TOOL_TCPCONNLAT, &none, 4), "x -f json {program} 4 0 0");
    assert_string_equal(bpftrace_argv_of(TOOL_TCPCONNLAT, &both, 4), "x -f json {program} 4 0 6 5");
    assert_string_equal(bpftrace_argv_of(TOOL_CACHESTAT, &none, 4), "x -f json {program} 1 4");
}

static void argv_is_built_from_the_row_and_the_parameters(void **state) {
    (void)state;
    struct params none = {.n = 0}, disk = name(PARAM_DISK, "vda"), per_disk = number(PARAM_PER_DISK, 1),
                  interval = number(PARAM_INTERVAL_S, 3);
    assert_string_equal(argv_of(TOOL_RUNQLAT, &none, 10), "x 10 1");
    assert_string_equal(argv_of(TOOL_RUNQLAT, &interval, 10), "x -T 3 3");
    assert_string_equal(argv_of(TOOL_RUNQLAT, &interval, 2), "x -T 2 1"); /* longer than the capture: once */
    assert_string_equal(argv_of(TOOL_BIOLATENCY, &none, 5), "x -D 5 1");
    assert_string_equal(argv_of(TOOL_BIOLATENCY, &per_disk, 5), "x -D 5 1");
    assert_string_equal(argv_of(TOOL_BIOLATENCY, &disk, 5), "x -D -d vda 5 1");
    assert_string_equal(argv_of(TOOL_EXECSNOOP, &none, 5), "x -T");
    struct params off = {.p = {{.id = PARAM_PID, .number = 12}, {.id = PARAM_MIN_US, .number = 1000}, {.id = PARAM_STATE, .number = 2}},
                         .n = 3};
    assert_string_equal(argv_of(TOOL_OFFCPUTIME, &off, 7), "x -p 12 -m 1000 --state 2 7");
}

/* What each packaging accepts, as it is started for ten seconds without parameters. */
static void every_tool_is_started_as_its_packaging_wants_it(void **state) {
    (void)state;
    static const struct {
        enum tool_id tool;
        const char *libbpf, *bcc;
    } cases[] = {
        {TOOL_RUNQLAT, "x 10 1", "x 10 1"},
        {TOOL_BIOLATENCY, "x -D 10 1", "x -D 10 1"},
        {TOOL_EXECSNOOP, "x -T", "x -T"},
        {TOOL_OFFCPUTIME, "x 10", "x -d 10"},
        {TOOL_RUNQLEN, "x 10 1", "x 10 1"},
        {TOOL_CPUDIST, "x 10 1", "x 10 1"},
        {TOOL_HARDIRQS, "x -d 10 1", "x -d 10 1"},
        {TOOL_SOFTIRQS, "x -d 10 1", "x -d 10 1"},
        {TOOL_PROFILE, "x -d 10", "x -d 10"},
        {TOOL_BIOSNOOP, "x 10", "x"},
        {TOOL_EXT4SLOWER, "x -d 10 -m 10", "x 10"},
        {TOOL_FILESLOWER, NULL, "x 10"},
        {TOOL_BITESIZE, "x 10 1", "x"},
        {TOOL_TCPCONNLAT, "x -t -L", "x -t -L"},
        {TOOL_TCPRETRANS, NULL, "x"},
        {TOOL_TCPRTT, "x -i 10 -d 10", "x -i 10 -d 10"},
        {TOOL_GETHOSTLATENCY, "x", "x"},
        {TOOL_TCPDROP, NULL, "x"},
        {TOOL_TCPSTATES, "x -T -w", "x -T -w"},
        {TOOL_CACHESTAT, "x -T 1 10", "x -T 1 10"},
    };
    assert_int_equal(COUNT_OF(cases), TOOL__COUNT - 1);
    struct params none = {.n = 0};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (cases[i].libbpf)
            assert_string_equal(argv_of(cases[i].tool, &none, 10), cases[i].libbpf);
        else
            assert_null(catalog_flavour(catalog_tool(cases[i].tool), FLAVOUR_LIBBPF));
        assert_string_equal(bcc_argv_of(cases[i].tool, &none, 10), cases[i].bcc);
    }
}

static void parameters_take_the_form_that_the_packaging_knows(void **state) {
    (void)state;
    struct params min = number(PARAM_MIN_MS, 0), family = number(PARAM_FAMILY, 6), cgroup = name(PARAM_CGROUP, "system.slice/ssh.service");
    assert_string_equal(argv_of(TOOL_EXT4SLOWER, &min, 5), "x -d 5 -m 0");
    assert_string_equal(bcc_argv_of(TOOL_EXT4SLOWER, &min, 5), "x 0");
    assert_string_equal(argv_of(TOOL_TCPCONNLAT, &min, 5), "x -t -L 0");
    assert_string_equal(bcc_argv_of(TOOL_TCPDROP, &family, 5), "x -6");
    assert_string_equal(argv_of(TOOL_RUNQLAT, &cgroup, 5), "x -c /sys/fs/cgroup/system.slice/ssh.service 5 1");
}

static void a_duration_is_divided_into_rounds(void **state) {
    (void)state;
    struct params rounds = number(PARAM_ROUNDS, 3), many = number(PARAM_ROUNDS, 99), interval = number(PARAM_INTERVAL_S, 2);
    struct params both = {.p = {{.id = PARAM_INTERVAL_S, .number = 2}, {.id = PARAM_ROUNDS, .number = 3}}, .n = 2};
    assert_string_equal(argv_of(TOOL_RUNQLAT, &rounds, 10), "x -T 3 3");
    assert_string_equal(argv_of(TOOL_RUNQLAT, &many, 10), "x -T 1 10");
    assert_string_equal(argv_of(TOOL_RUNQLAT, &both, 10), "x -T 2 3"); /* one -T */
    assert_string_equal(argv_of(TOOL_RUNQLAT, &both, 5), "x -T 2 2");
    assert_string_equal(argv_of(TOOL_TCPRTT, &interval, 5), "x -T -i 2 -d 4"); /* -i 2 -d 5 would take 6 seconds */
    assert_string_equal(argv_of(TOOL_CACHESTAT, &interval, 10), "x -T 2 5");
}

static void a_path_stays_below_its_root(void **state) {
    (void)state;
    static const char *const bad[] = {"", "/a", "a/", "a//b", "../a", "a/../b", "a/.b", "-a", "a/-b", "a b", ".", "a;b", "a\nb"};
    const struct tool *t = catalog_tool(TOOL_RUNQLAT);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct params ps = name(PARAM_CGROUP, bad[i]);
        assert_int_equal(catalog_check(t, libbpf(TOOL_RUNQLAT), &ps, NULL), ERR_REFUSED);
    }
    struct params good = name(PARAM_CGROUP, "machine.slice/x@1:2.scope"), slash = name(PARAM_DISK, "a/b");
    assert_int_equal(catalog_check(t, libbpf(TOOL_RUNQLAT), &good, NULL), ERR_OK);
    assert_int_equal(catalog_check(catalog_tool(TOOL_BIOLATENCY), libbpf(TOOL_BIOLATENCY), &slash, NULL), ERR_REFUSED);
}

static void what_a_flavour_lacks_is_refused_with_its_name(void **state) {
    (void)state;
    struct params cgroup = name(PARAM_CGROUP, "a"), family = number(PARAM_FAMILY, 5);
    const struct tool *t = catalog_tool(TOOL_RUNQLAT), *conn = catalog_tool(TOOL_TCPCONNLAT);
    struct buf why;
    buf_init(&why, 0);
    assert_int_equal(catalog_check(t, catalog_flavour(t, FLAVOUR_BCC), &cgroup, &why), ERR_REFUSED);
    assert_string_equal(buf_str(&why), "runqlat (bcc) has no parameter cgroup");
    buf_reset(&why);
    assert_int_equal(catalog_check(conn, catalog_flavour(conn, FLAVOUR_BCC), &family, &why), ERR_REFUSED);
    assert_string_equal(buf_str(&why), "family must be 4 or 6");
    struct params no_path = name(PARAM_CGROUP, "../a"); /* of whichever flavour it is asked */
    buf_reset(&why);
    assert_int_equal(catalog_check(t, catalog_flavour(t, FLAVOUR_BCC), &no_path, &why), ERR_REFUSED);
    assert_true(span_starts(buf_span(&why), SPAN_LIT("cgroup must be a name")));
    buf_done(&why);
}

/* Every parameter of every flavour at once, as many as fit. */
static void the_longest_argv_fits(void **state) {
    (void)state;
    for (unsigned id = TOOL_NONE + 1; id < TOOL__COUNT; id++) {
        const struct tool *t = catalog_tool((enum tool_id)id);
        for (size_t k = 0; k < t->n_flavours; k++) {
            const struct flavour *f = &t->flavours[k];
            struct params all = {.n = 0};
            for (size_t i = 0; i < f->n_params && i < PARAMS_MAX; i++) {
                const struct param_info *info = catalog_param(f->params[i].id);
                all.p[all.n] = (struct param){.id = f->params[i].id, .number = info->type == PARAM_TYPE_NUMBER ? info->high : 1};
                if (info->type == PARAM_TYPE_NAME)
                    snprintf(all.p[all.n].name, sizeof all.p[0].name, "%s", "a23456789012345678901234567890");
                all.n++;
            }
            assert_true(strlen(argv_with(f, &all, 60)) > 0);
        }
    }
    struct params all = {.n = 0};
    const struct flavour *f = libbpf(TOOL_BIOLATENCY);
    for (size_t i = 0; i < f->n_params && i < PARAMS_MAX; i++) {
        all.p[all.n] = (struct param){.id = f->params[i].id, .number = 1};
        if (catalog_param(f->params[i].id)->type == PARAM_TYPE_NAME) snprintf(all.p[all.n].name, sizeof all.p[0].name, "sda");
        all.n++;
    }
    assert_int_equal(catalog_check(catalog_tool(TOOL_BIOLATENCY), f, &all, NULL), ERR_OK);
    assert_string_equal(argv_of(TOOL_BIOLATENCY, &all, 60), "x -D -m -Q -F -d sda -c /sys/fs/cgroup/sda -T 1 1");
}

static void argv_refuses_no_time_and_minds_its_memory(void **state) {
    (void)state;
    struct params none = {.n = 0};
    const char *const *argv = NULL;
    AUTO(arena_free) struct arena *mem = arena_new(1u << 20), *small = arena_new(64), *smaller = arena_new(512);
    assert_int_equal(catalog_argv(libbpf(TOOL_RUNQLAT), "x", &none, 0, mem, &argv), ERR_REFUSED);
    assert_int_equal(catalog_argv(libbpf(TOOL_RUNQLAT), "x", &none, 1, small, &argv), ERR_NOMEM);
    IGNORED(!arena_alloc(smaller, 240)); /* leaves room for the vector, not for its texts */
    assert_int_equal(catalog_argv(libbpf(TOOL_RUNQLAT), "x", &none, 1, smaller, &argv), ERR_NOMEM);
    assert_null(argv);
}

static void tools_get_the_capabilities_they_need_and_say_why(void **state) {
    (void)state;
    uint64_t trace = UINT64_C(1) << CAP_BPF | UINT64_C(1) << CAP_PERFMON;
    assert_true(libbpf(TOOL_RUNQLAT)->capabilities == trace);
    assert_true(libbpf(TOOL_BIOLATENCY)->capabilities == trace);
    assert_true(libbpf(TOOL_EXECSNOOP)->capabilities == (trace | UINT64_C(1) << CAP_DAC_READ_SEARCH));
    assert_true(libbpf(TOOL_OFFCPUTIME)->capabilities & UINT64_C(1) << CAP_SYSLOG);
    assert_non_null(strstr(libbpf(TOOL_OFFCPUTIME)->capabilities_why, "CAP_SYS_PTRACE"));
}

/* What is not in this list (CAP_NET_ADMIN, CAP_SYS_MODULE, …) nobody gets, whatever the reason. */
static void a_capability_beyond_tracing_has_a_reason_in_its_row(void **state) {
    (void)state;
    static const struct {
        unsigned bit;
        const char *name;
    } caps[] = {{CAP_SYS_ADMIN, "CAP_SYS_ADMIN"},
                {CAP_SYS_PTRACE, "CAP_SYS_PTRACE"},
                {CAP_SYSLOG, "CAP_SYSLOG"},
                {CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH"},
                {CAP_BPF, "CAP_BPF"},
                {CAP_PERFMON, "CAP_PERFMON"}};
    uint64_t known = 0;
    for (size_t c = 0; c < COUNT_OF(caps); c++) known |= UINT64_C(1) << caps[c].bit;
    for (int t = TOOL_NONE + 1; t < TOOL__COUNT; t++) {
        const struct tool *tool = catalog_tool((enum tool_id)t);
        for (size_t i = 0; i < tool->n_flavours; i++) {
            const struct flavour *f = &tool->flavours[i];
            const char *name = catalog_flavour_name(f->id);
            if (f->capabilities & ~known) fail_msg("%s %s has more than any tool may have", tool->name, name);
            for (size_t c = 0; c < COUNT_OF(caps); c++)
                if ((f->capabilities >> caps[c].bit & 1) && !strstr(f->capabilities_why, caps[c].name))
                    fail_msg("%s %s has %s and does not say why", tool->name, name, caps[c].name);
            if (f->perf_events && (!strstr(f->capabilities_why, "perf_event_paranoid") || !strstr(f->capabilities_why, "CAP_SYS_ADMIN")))
                fail_msg("%s %s is given CAP_SYS_ADMIN on some kernels and does not say on which", tool->name, name);
        }
    }
}

static void a_print_out_tells_its_flavour(void **state) {
    (void)state;
    const struct tool *runqlat = catalog_tool(TOOL_RUNQLAT), *exec = catalog_tool(TOOL_EXECSNOOP), *off = catalog_tool(TOOL_OFFCPUTIME);
    assert_int_equal(catalog_guess(runqlat, SPAN_LIT("     usecs               : count     distribution\n"))->id, FLAVOUR_BCC);
    assert_int_equal(catalog_guess(runqlat, SPAN_LIT("     usecs               : count    distribution\n"))->id, FLAVOUR_LIBBPF);
    assert_int_equal(catalog_guess(runqlat, SPAN_NONE)->id, FLAVOUR_LIBBPF);
    assert_int_equal(catalog_guess(runqlat, SPAN_LIT("Unable to find kernel headers."))->id, FLAVOUR_BCC);
    assert_int_equal(catalog_guess(exec, SPAN_LIT("PCOMM            PID     PPID    RET ARGS\n"))->id, FLAVOUR_BCC);
    assert_int_equal(catalog_guess(exec, SPAN_LIT("PCOMM            PID    PPID   RET ARGS\n"))->id, FLAVOUR_LIBBPF);
    assert_int_equal(catalog_guess(off, SPAN_LIT("a;b;finish_task_switch.isra.0 12\n"))->id, FLAVOUR_BCC);
    assert_int_equal(catalog_guess(off, SPAN_LIT("    bpf_trace_run4\n"))->id, FLAVOUR_LIBBPF);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_whole),
        cmocka_unit_test(every_parameter_has_its_own_name),
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(flavours_have_names),
        cmocka_unit_test(parameters_are_checked),
        cmocka_unit_test(a_flavour_that_is_only_read_is_not_run),
        cmocka_unit_test(a_program_gets_its_parameters_by_place),
        cmocka_unit_test(argv_is_built_from_the_row_and_the_parameters),
        cmocka_unit_test(every_tool_is_started_as_its_packaging_wants_it),
        cmocka_unit_test(parameters_take_the_form_that_the_packaging_knows),
        cmocka_unit_test(a_duration_is_divided_into_rounds),
        cmocka_unit_test(a_path_stays_below_its_root),
        cmocka_unit_test(what_a_flavour_lacks_is_refused_with_its_name),
        cmocka_unit_test(the_longest_argv_fits),
        cmocka_unit_test(argv_refuses_no_time_and_minds_its_memory),
        cmocka_unit_test(tools_get_the_capabilities_they_need_and_say_why),
        cmocka_unit_test(a_capability_beyond_tracing_has_a_reason_in_its_row),
        cmocka_unit_test(a_print_out_tells_its_flavour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
