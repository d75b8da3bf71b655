/* What a row needs of this kernel, and the words for what is missing.  What this kernel has is asked of the kernel itself, so that the
 * same cases hold on any. */
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/runner/capable.h"

static struct kernel *kernel;

static int set_up(void **state) {
    (void)state;
    kernel = kernel_new();
    return kernel ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    kernel_free(kernel);
    return 0;
}

static enum err ask(const struct flavour *f, char why[512]) {
    struct buf b;
    buf_init(&b, 511);
    enum err e = capable_host(kernel, f, &b);
    snprintf(why, 512, "%s", b.n ? buf_str(&b) : "");
    buf_done(&b);
    return e;
}

static void assert_missing(const struct flavour *f, const char *expected) {
    char why[512];
    assert_int_equal(ask(f, why), ERR_NOTFOUND);
    assert_string_equal(why, expected);
}

static void assert_runs(const struct flavour *f) {
    char why[512];
    enum err e = ask(f, why);
    if (e) fail_msg("%s: %s", err_name(e), why);
}

static void a_row_that_needs_nothing_runs_anywhere(void **state) {
    (void)state;
    const struct flavour row = {.id = FLAVOUR_LIBBPF};
    assert_runs(&row);
}

static void a_function_that_is_not_there_is_named(void **state) {
    (void)state;
    const struct flavour compiled = {.id = FLAVOUR_LIBBPF, .functions = {"no_such_function|nor_this_one"}};
    const struct flavour python = {.id = FLAVOUR_BCC, .functions = {"no_such_function"}};
    assert_missing(&compiled, "this kernel has no function no_such_function|nor_this_one to attach to");
    assert_missing(&python, "this kernel has no function no_such_function to attach to");
}

/* A part of a name is not the name, and data is no function. */
static void functions_are_whole_names_of_code(void **state) {
    (void)state;
    if (!kernel_has_function(kernel, SPAN_LIT("vfs_read"))) skip(); /* no kallsyms in this root */
    assert_false(kernel_has_function(kernel, SPAN_LIT("vfs_rea")));
    assert_false(kernel_has_function(kernel, SPAN_LIT("jiffies")));
    assert_true(kernel_lets_probe(kernel, SPAN_LIT("vfs_read")));
    FILE *f = fopen("/sys/kernel/tracing/available_filter_functions", "r");
    bool tells = f && fgetc(f) != EOF;
    assert_true(kernel_lets_probe(kernel, SPAN_LIT("vfs_rea")) == !tells);
    if (f) assert_int_equal(fclose(f), 0);
    const struct flavour either = {.id = FLAVOUR_BCC, .functions = {"no_such_function|vfs_read"}};
    if (kernel_has_kprobes())
        assert_runs(&either);
    else
        assert_missing(&either, "this kernel has no kprobes, and it attaches to no_such_function|vfs_read");
}

static void a_compiled_tool_does_with_fentry_or_kprobes(void **state) {
    (void)state;
    const struct flavour row = {.id = FLAVOUR_LIBBPF, .functions = {"vfs_read"}};
    if (kernel_has_fentry(kernel, SPAN_LIT("vfs_read")) || (kernel_has_kprobes() && kernel_has_function(kernel, SPAN_LIT("vfs_read"))))
        assert_runs(&row);
    else if (kernel_has_function(kernel, SPAN_LIT("vfs_read")))
        assert_missing(&row, "this kernel has no kprobes and takes no fentry program, and it attaches to vfs_read");
    else
        assert_missing(&row, "this kernel has no function vfs_read to attach to");
}

static void tracepoints_need_tracefs_and_themselves(void **state) {
    (void)state;
    const struct flavour row = {.id = FLAVOUR_LIBBPF, .tracepoints = {"sched:no_such_event"}, .needs_tracefs = true};
    if (kernel_has_tracepoint(SPAN_LIT("sched:sched_switch"))) {
        assert_missing(&row, "this kernel has no tracepoint sched:no_such_event");
        const struct flavour either = {
            .id = FLAVOUR_LIBBPF, .tracepoints = {"sched:no_such_event|sched:sched_switch"}, .needs_tracefs = true};
        assert_runs(&either);
    } else {
        const struct flavour raw = {.id = FLAVOUR_LIBBPF, .tracepoints = {"sched:sched_switch"}};
        assert_missing(&row, "tracefs is not mounted at /sys/kernel/tracing");
        assert_runs(&raw);
    }
}

static void a_type_s_member_is_asked_of_btf(void **state) {
    (void)state;
    const struct flavour none = {.id = FLAVOUR_BPFTRACE, .fields = {"task_struct.no_such_member|no_such_type.pid"}};
    assert_missing(&none, "this kernel has no task_struct.no_such_member|no_such_type.pid, which its program reads");
    if (!kernel_has_btf()) skip();
    const struct flavour either = {.id = FLAVOUR_BPFTRACE, .fields = {"no_such_type.pid|task_struct.pid"}, .needs_btf = true};
    const struct flavour breaks = {.id = FLAVOUR_LIBBPF, .fails_with_field = "task_struct.pid"};
    assert_runs(&either);
    assert_missing(&breaks, "it does not load on kernels that have task_struct.pid");
}

static void headers_are_looked_for_where_a_compiler_would(void **state) {
    (void)state;
    const struct flavour row = {.id = FLAVOUR_BCC, .needs_headers = true};
    if (kernel_has_headers())
        assert_runs(&row);
    else
        assert_missing(&row, "the headers of this kernel, with which it compiles its program, are not installed");
}

static void a_macro_is_a_definition_of_the_whole_name(void **state) {
    (void)state;
    static const struct span header = SPAN_LIT("static inline struct tcp_sock *tcp_sk(struct sock *sk)\n"
                                               "/* #define tcp_hdr */\n"
                                               "#define tcp_sk_rw(ptr) container_of(ptr)\n"
                                               "#define TCP_NAGLE_OFF\t1\n"
                                               "#define inet_sk(ptr) \\\n"
                                               "#define LAST");
    assert_true(kernel_defines(header, SPAN_LIT("tcp_sk_rw")));
    assert_true(kernel_defines(header, SPAN_LIT("TCP_NAGLE_OFF")));
    assert_true(kernel_defines(header, SPAN_LIT("inet_sk")));
    assert_true(kernel_defines(header, SPAN_LIT("LAST")));
    assert_false(kernel_defines(header, SPAN_LIT("tcp_sk")));
    assert_false(kernel_defines(header, SPAN_LIT("tcp_hdr")));
    assert_false(kernel_defines(SPAN_NONE, SPAN_LIT("tcp_sk")));
}

static void a_program_that_does_not_compile_with_these_headers_is_foreseen(void **state) {
    (void)state;
    const struct flavour sound = {.id = FLAVOUR_BCC, .fails_with_macro = "linux/tcp.h:no_such_macro", .compiles_from = "999.1"};
    const struct flavour fixed = {.id = FLAVOUR_BCC, .fails_with_macro = "linux/tcp.h:tcp_sk_rw", .compiles_from = "0.0"};
    const struct flavour breaks = {.id = FLAVOUR_BCC, .fails_with_macro = "linux/tcp.h:tcp_sk_rw", .compiles_from = "999.1"};
    assert_runs(&sound);
    assert_runs(&fixed);
    if (!kernel_has_macro(SPAN_LIT("linux/tcp.h:tcp_sk_rw")) || access("/usr/sbin/runqlat-bpfcc", F_OK) != 0) skip();
    assert_missing(&breaks, "before version 999.1 it does not compile with headers that have the macro linux/tcp.h:tcp_sk_rw");
}

/* No kernel knows a capability 63. */
static void a_capability_that_the_runner_cannot_give_is_named(void **state) {
    (void)state;
    const struct flavour row = {.id = FLAVOUR_LIBBPF, .capabilities = UINT64_C(1) << 63, .capabilities_why = "it asks for the moon"};
    const struct flavour silent = {.id = FLAVOUR_BCC, .capabilities = UINT64_C(1) << 63};
    assert_missing(&row, "the runner has no capability 63, which libbpf needs (it asks for the moon)");
    assert_missing(&silent, "the runner has no capability 63, which bcc needs (see the catalogue)");
}

static void perf_events_cost_a_capability_more_where_the_kernel_guards_them(void **state) {
    (void)state;
    const struct flavour row = {.capabilities = UINT64_C(1) << CAP_PERFMON, .perf_events = true};
    uint64_t more = kernel_guards_perf_events() ? UINT64_C(1) << CAP_SYS_ADMIN : 0;
    assert_int_equal(capable_capabilities(&row), UINT64_C(1) << CAP_PERFMON | more);
}

static bool is_wrong(const struct flavour *f, char why[256]) {
    struct buf b;
    buf_init(&b, 255);
    bool wrong = capable_wrong(kernel, f, &b);
    snprintf(why, 256, "%s", b.n ? buf_str(&b) : "");
    buf_done(&b);
    return wrong;
}

static void what_is_known_wrong_is_told_in_the_row_s_words(void **state) {
    (void)state;
    char why[256];
    const struct flavour sound = {.id = FLAVOUR_BCC,
                                  .known_wrong = "zeros",
                                  .wrong_with_function = "no_such_function",
                                  .wrong_without = "schedule",
                                  .right_from = "0.0"};
    assert_false(is_wrong(&sound, why));
    assert_string_equal(why, "");
    const struct flavour blind = {.id = FLAVOUR_BCC, .known_wrong = "half of them", .wrong_without = "no_such_function"};
    assert_true(is_wrong(&blind, why));
    assert_string_equal(why, "it runs here, and what it says is wrong: half of them");
    if (access("/usr/sbin/runqlat-bpfcc", F_OK) != 0 && access("/usr/sbin/runqlat", F_OK) != 0) skip(); /* of no package */
    const struct flavour old = {.id = access("/usr/sbin/runqlat-bpfcc", F_OK) == 0 ? FLAVOUR_BCC : FLAVOUR_LIBBPF,
                                .known_wrong = "zeros for ever",
                                .right_from = "999.1"};
    assert_true(is_wrong(&old, why));
    assert_string_equal(why, "it runs here, and what it says is wrong: zeros for ever");
}

static void a_disk_must_be_there(void **state) {
    (void)state;
    struct buf why;
    struct params ps = {.p = {{.id = PARAM_PID, .number = 1}, {.id = PARAM_DISK, .name = "no-such-disk"}}, .n = 1};
    buf_init(&why, 255);
    assert_int_equal(capable_params(&ps, &why), ERR_OK);
    ps.n = 2;
    assert_int_equal(capable_params(&ps, &why), ERR_NOTFOUND);
    assert_string_equal(buf_str(&why), "there is no disk no-such-disk here");
    buf_done(&why);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_that_needs_nothing_runs_anywhere),
        cmocka_unit_test(a_function_that_is_not_there_is_named),
        cmocka_unit_test(functions_are_whole_names_of_code),
        cmocka_unit_test(a_compiled_tool_does_with_fentry_or_kprobes),
        cmocka_unit_test(tracepoints_need_tracefs_and_themselves),
        cmocka_unit_test(a_type_s_member_is_asked_of_btf),
        cmocka_unit_test(headers_are_looked_for_where_a_compiler_would),
        cmocka_unit_test(a_macro_is_a_definition_of_the_whole_name),
        cmocka_unit_test(a_program_that_does_not_compile_with_these_headers_is_foreseen),
        cmocka_unit_test(a_capability_that_the_runner_cannot_give_is_named),
        cmocka_unit_test(perf_events_cost_a_capability_more_where_the_kernel_guards_them),
        cmocka_unit_test(what_is_known_wrong_is_told_in_the_row_s_words),
        cmocka_unit_test(a_disk_must_be_there),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
