/* The real trawl-runner with an attacker in the place of its agentd: this program, which agent.conf names.  It tries every field of the
 * request at its borders, then noise; every tool is a fake that prints its argv.  What was executed is judged by the test, and the
 * processes that were made are counted: there is none that was not such a tool.  (The checks alone get a million requests in test_admit.)
 *
 *   test_runner_hostile [REQUESTS OF NOISE]        TRAWL_SEED repeats a run */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "common/base/auto.h"
#include "common/sys/fds.h"
#include "tests/support/gen.h"
#include "tests/unit/agent/runner/ours.h"
#include "tests/unit/agent/runner/stage.h"

enum { SOON_MS = 20000, LONGEST_S = 5, TEXT_BYTES = 1 << 14 };

static uint64_t noise = 1000;

/* ---- the attacker, started by the runner; it says on standard output what its tools said ---- */

struct attack {
    struct stage s; /* our end of the socket */
    struct gen gen;
    uint64_t asked, ran;
};

static struct request good(enum tool_id tool, enum flavour_id flavour) {
    return (struct request){.magic = REQUEST_MAGIC, .kind = REQUEST_RUN, .run = 1, .tool = tool, .flavour = flavour, .seconds = 1};
}

/* Sends what is a request by its frame, and waits for all that comes of it. */
static void ask(struct attack *a, const struct request *r) {
    static char text[TEXT_BYTES];
    struct report rep = {0};
    int fds[2];
    a->asked++;
    if (fds_send(a->s.sock, r, sizeof *r, NULL, 0) != ERR_OK) _exit(3);
    if (r->kind == REQUEST_STOP) return;
    do {
        if (!stage_hear(&a->s, SOON_MS, &rep, fds)) _exit(4);
    } while (rep.kind == REPORT_SWITCH); /* first of all, once */
    if (rep.kind != REPORT_STARTED) return;
    a->ran++;
    stage_drain(fds[0], SOON_MS, text, sizeof text);
    close(fds[1]);
    printf("ran %s\n%send\n", rep.binary, text);
    while (rep.kind != REPORT_ENDED)
        if (!stage_hear(&a->s, SOON_MS, &rep, NULL)) _exit(5);
}

static const uint32_t edges[] = {0, 1, 2, 3, 4, 5, 6, 255, 256, 65536, INT32_MAX, 0x80000000, UINT32_MAX};

static void ask_numbers(struct attack *a) {
    for (uint32_t t = 0; t <= TOOL__COUNT + 1; t++)
        for (uint32_t f = 0; f <= FLAVOUR__COUNT + 1; f++) {
            struct request r = good((enum tool_id)t, (enum flavour_id)f);
            ask(a, &r);
        }
    for (size_t i = 0; i < COUNT_OF(edges); i++) {
        uint32_t *field[5];
        struct request r[5];
        for (size_t k = 0; k < COUNT_OF(r); k++) r[k] = good(TOOL_RUNQLAT, FLAVOUR_LIBBPF);
        field[0] = &r[0].tool;
        field[1] = &r[1].flavour;
        field[2] = &r[2].seconds;
        field[3] = &r[3].reserved;
        field[4] = &r[4].params[PARAMS_MAX - 1].reserved;
        r[4].params[PARAMS_MAX - 1].id = PARAM_PER_PROCESS;
        r[4].params[PARAMS_MAX - 1].number = 1;
        for (size_t k = 0; k < COUNT_OF(r); k++) {
            *field[k] = edges[i];
            ask(a, &r[k]);
            r[k].kind = REQUEST_PROBE;
            ask(a, &r[k]);
            r[k].kind = REQUEST_STOP;
            ask(a, &r[k]);
        }
    }
}

/* A tool's first flavour that takes this parameter; false: none does. */
static bool find_user(uint32_t id, struct request *out) {
    for (int t = TOOL_NONE + 1; t < TOOL__COUNT; t++) {
        const struct tool *tool = catalog_tool((enum tool_id)t);
        for (size_t i = 0; i < tool->n_flavours; i++)
            for (size_t k = 0; k < tool->flavours[i].n_params; k++)
                if (tool->flavours[i].params[k].id == id) {
                    *out = good(tool->id, tool->flavours[i].id);
                    return true;
                }
    }
    return false;
}

static void ask_values(struct attack *a, uint32_t id) {
    static const char *const names[] = {"",      ".",       "..",          "-x",     "--help", "vda",  "a/b", "a b",          "a\nb",
                                        "$(id)", ";reboot", "/etc/shadow", "../vda", "\xff",   "a'b'", "x=y", "system.slice", "%s%n"};
    const struct param_info *info = id < PARAM__COUNT ? catalog_param((enum param_id)id) : NULL;
    const int64_t numbers[] = {INT64_MIN, info ? info->low - 1 : 0, info ? info->low : 1, info ? info->high : 2, info ? info->high + 1 : -1,
                               INT64_MAX};
    struct request r, any = good(TOOL_RUNQLAT, FLAVOUR_LIBBPF);
    if (!find_user(id, &r)) r = any;
    r.params[0].id = id;
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        r.params[0].number = numbers[i];
        ask(a, &r);
    }
    r.params[0].number = 1;
    if (info && info->type != PARAM_TYPE_NAME) return;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        memset(r.params[0].name, 0, PARAM_NAME_BYTES);
        memcpy(r.params[0].name, names[i], strlen(names[i]));
        ask(a, &r);
    }
    memset(r.params[0].name, 'a', PARAM_NAME_BYTES); /* without an end */
    ask(a, &r);
    r.params[0].name[PARAM_NAME_BYTES - 1] = 0;
    ask(a, &r);
    r.params[1] = r.params[0]; /* twice */
    ask(a, &r);
}

static void ask_noise(struct attack *a) {
    struct request r;
    gen_bytes(&a->gen, &r, sizeof r);
    if (gen_below(&a->gen, 8) == 0) { /* near the truth */
        r = good((enum tool_id)gen_below(&a->gen, TOOL__COUNT + 1), (enum flavour_id)gen_below(&a->gen, FLAVOUR__COUNT + 1));
        r.seconds = (uint32_t)gen_below(&a->gen, LONGEST_S + 3);
        struct request_param *p = &r.params[gen_below(&a->gen, PARAMS_MAX)];
        p->id = (uint32_t)gen_below(&a->gen, PARAM__COUNT + 1);
        p->number = (int64_t)gen_below(&a->gen, 4);
        gen_bytes(&a->gen, p->name, gen_below(&a->gen, 4));
    }
    r.magic = REQUEST_MAGIC;
    r.kind = gen_below(&a->gen, 8) ? REQUEST_RUN : REQUEST_PROBE;
    if (r.run == 0) r.run = 1;
    ask(a, &r);
}

/* Whoever is born next in this PID namespace says by its number how many were before. */
static int processes_made(void) {
    int ends[2];
    pid_t number = 0;
    if (pipe(ends) != 0) return -1;
    pid_t pid = fork();
    if (pid == 0) {
        number = getpid();
        _exit(write(ends[1], &number, sizeof number) != (ssize_t)sizeof number);
    }
    ssize_t n = read(ends[0], &number, sizeof number);
    waitpid(pid, NULL, 0);
    return n == (ssize_t)sizeof number ? (int)number - 1 : -1;
}

/* What is no request, by its number.  After it the runner must be gone. */
static int send_malformed(struct attack *a, unsigned which) {
    struct request r[2] = {good(TOOL_RUNQLAT, FLAVOUR_LIBBPF), good(TOOL_RUNQLAT, FLAVOUR_LIBBPF)};
    struct report rep;
    size_t n = sizeof r[0];
    ask(a, &r[0]); /* it was well before */
    switch (which) {
    case 0:
        r[0].magic = 0;
        break;
    case 1:
        r[0].magic ^= 1;
        break;
    case 2:
        r[0].kind = 0;
        break;
    case 3:
        r[0].kind = REQUEST_UNWATCH + 1;
        break;
    case 4:
        r[0].kind = UINT32_MAX;
        break;
    case 5:
        r[0].run = 0;
        break;
    case 6:
        n = 1;
        break;
    case 7:
        n = sizeof r[0] - 1;
        break;
    case 8:
        n = sizeof r[0] + 1;
        break;
    case 9:
        n = sizeof r;
        break;
    default:
        gen_bytes(&a->gen, &r[0], sizeof r[0]);
        break;
    }
    if (fds_send(a->s.sock, r, n, NULL, 0) != ERR_OK) return 6;
    return stage_hear(&a->s, SOON_MS, &rep, NULL) ? 7 : 0; /* end of file, and no report */
}

/* The plan stands beside agent.conf: "noise COUNT SEED" or "malformed NUMBER SEED". */
static int act_as_agentd(const char *config) {
    char path[512], text[128] = "";
    struct attack a = {.s = {.sock = REQUEST_FD}};
    uint64_t count = 0, seed = 0;
    setvbuf(stdout, NULL, _IOLBF, 0); /* the runner writes to the same place */
    snprintf(path, sizeof path, "%.*splan", (int)(strrchr(config, '/') - config + 1), config);
    FILE *f = fopen(path, "re");
    struct span rest = f && fgets(text, sizeof text, f) ? span_trim(span_str(text)) : SPAN_NONE, what, number, last;
    if (f) fclose(f);
    if (!span_word(&rest, &what) || !span_word(&rest, &number) || !span_word(&rest, &last) || !span_u64(number, &count) ||
        !span_u64(last, &seed))
        return 2;
    gen_seed(&a.gen, seed);
    if (span_eq_str(what, "malformed")) return send_malformed(&a, (unsigned)count);
    ask_numbers(&a);
    for (uint32_t id = 0; id <= PARAM__COUNT + 1; id++) ask_values(&a, id);
    for (uint64_t i = 0; i < count; i++) ask_noise(&a);
    printf("done %llu %llu %d\n", (unsigned long long)a.asked, (unsigned long long)a.ran, processes_made());
    return fflush(stdout) != 0;
}

/* ---- the test ---- */

/* Under every name that the catalogue looks for, and under two that it does not. */
static void make_tools(const struct stage *s) {
    for (int t = TOOL_NONE + 1; t < TOOL__COUNT; t++) {
        const struct tool *tool = catalog_tool((enum tool_id)t);
        for (size_t i = 0; i < tool->n_flavours; i++)
            for (size_t k = 0; k < COUNT_OF(tool->flavours[i].binaries) && tool->flavours[i].binaries[k]; k++)
                stage_fake(s, tool->flavours[i].binaries[k], "argv");
    }
    stage_fake(s, "runqlat2", "argv");
    stage_fake(s, "a", "argv");
}

/* The program, in a PID namespace of its own; returns what it and its agentd print. */
static int start_program(struct stage *s, const char *plan) {
    char text[1024], config[512];
    int ends[2];
    stage_copy(s, "/proc/self/exe", "agentd", 0755);
    stage_write(s, "plan", plan, 0644);
    snprintf(text, sizeof text,
             "fleet = f\ncollector = localhost:1\ntls_ca = /x\ntls_cert = /x\ntls_key = /x\noperators_ca = /x\nagentd = %s/agentd\nuser = "
             "nobody\n"
             "tool_user = nobody\ntool_dir = %s\nmax_duration = %ds\ncgroup = none\nmax_cost = 0%%\n"
             "tools = runqlat biolatency execsnoop offcputime runqlen cpudist hardirqs softirqs biosnoop ext4slower fileslower bitesize\n"
             "  tcpconnlat tcpretrans tcprtt gethostlatency tcpdrop tcpstates cachestat\n", /* not profile */
             s->dir, s->dir, LONGEST_S);
    stage_write(s, "agent.conf", text, 0644);
    snprintf(config, sizeof config, "%s", stage_path(s, "agent.conf"));
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fflush(NULL);
    s->runner = fork();
    if (s->runner == 0) {
        int status;
        if (unshare(CLONE_NEWPID) != 0) _exit(126);
        pid_t pid = fork();
        if (pid == 0) {
            dup2(ends[1], 1);
            dup2(ends[1], 2);
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            execl(RUNNER, "trawl-runner", "--config", config, (char *)NULL);
            _exit(127);
        }
        close(ends[1]);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 125);
    }
    close(ends[1]);
    return ends[0];
}

/* May a tool of this file name have been given this argument? */
static bool may_be_given(const char *binary, const char *arg, bool *known) {
    bool found = false;
    for (int t = TOOL_NONE + 1; t < TOOL__COUNT; t++) {
        const struct tool *tool = catalog_tool((enum tool_id)t);
        for (size_t i = 0; i < tool->n_flavours; i++)
            for (size_t k = 0; k < COUNT_OF(tool->flavours[i].binaries) && tool->flavours[i].binaries[k]; k++) {
                if (strcmp(tool->flavours[i].binaries[k], binary) != 0) continue;
                *known = tool->id != TOOL_PROFILE;
                found = found || ours_is(&tool->flavours[i], arg);
            }
    }
    return found;
}

struct seen {
    uint64_t executed, started, asked, ran, processes;
};

static uint64_t number_of(struct span *rest) {
    struct span word;
    uint64_t value = UINT64_MAX;
    return span_word(rest, &word) && span_u64(word, &value) ? value : UINT64_MAX;
}

/* One line of what runner and attacker say. */
static void look_at(struct span line, char binary[256], struct seen *seen) {
    char arg[256];
    bool known = false;
    struct span rest = line;
    size_t slash = span_rfind(line, '/');
    if (span_starts(line, SPAN_LIT("ran /"))) {
        snprintf(binary, 256, "%.*s", (int)(line.n - slash - 1), line.p + slash + 1);
        seen->executed++;
        IGNORED(may_be_given(binary, "", &known)); /* asked for the name alone */
        if (!known) fail_msg("%s was executed", binary);
    } else if (span_starts(line, SPAN_LIT("argv ")) && !span_eq_str(line, "argv --")) {
        snprintf(arg, sizeof arg, "%.*s", (int)(line.n - 5), line.p + 5);
        if (!may_be_given(binary, arg, &known)) fail_msg("%s was given \"%s\"", binary, arg);
    } else if (span_find_span(line, SPAN_LIT(">run.started ")) < line.n) {
        seen->started++;
    } else if (span_starts(line, SPAN_LIT("done "))) {
        rest = span_drop(line, 5);
        seen->asked = number_of(&rest);
        seen->ran = number_of(&rest);
        seen->processes = number_of(&rest);
    }
}

static void look_at_all(int fd, struct seen *seen) {
    FILE *f = fdopen(fd, "r");
    static char line[TEXT_BYTES];
    char binary[256] = "";
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) look_at(span_trim_end(span_str(line)), binary, seen);
    fclose(f);
}

static void an_attacker_can_start_catalogued_tools_within_the_policy_and_nothing_else(void **state) {
    struct stage *s = *state;
    struct gen gen;
    struct seen seen = {0};
    char plan[128];
    gen_init(&gen);
    gen_print(&gen);
    make_tools(s);
    snprintf(plan, sizeof plan, "noise %llu %llu\n", (unsigned long long)noise, (unsigned long long)gen.seed);
    look_at_all(start_program(s, plan), &seen);
    assert_int_equal(stage_wait_runner(s), 1); /* its agentd is gone */
    print_message("%llu requests, %llu runs, %llu processes\n", (unsigned long long)seen.asked, (unsigned long long)seen.ran,
                  (unsigned long long)seen.processes);
    assert_true(seen.asked > noise && seen.ran > 100);
    assert_int_equal(seen.executed, seen.ran);
    assert_in_range(seen.started, 1, seen.ran); /* the log gives lines that repeat too fast as a number */
#ifndef __SANITIZE_THREAD__                             /* whose threads have numbers, too */
    assert_int_equal(seen.processes, 2 + 2 * seen.ran); /* runner and agentd; for each run a warden and the tool */
#endif
    assert_int_equal(stage_count_processes(s->dir), 0);
}

static void what_is_no_request_ends_the_runner_and_everything(void **state) {
    struct stage *s = *state;
    make_tools(s);
    for (unsigned which = 0; which < 12; which++) {
        static char said[1 << 16];
        char plan[64];
        snprintf(plan, sizeof plan, "malformed %u %u\n", which, which);
        stage_drain(start_program(s, plan), SOON_MS, said, sizeof said);
        assert_int_equal(stage_wait_runner(s), 1);
        if (!strstr(said, "request.malformed")) fail_msg("case %u was taken for a request: %s", which, said);
        if (!strstr(said, ">run.ended ")) fail_msg("case %u: the run before it did not run: %s", which, said);
        assert_int_equal(stage_count_processes(s->dir), 0);
    }
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, stage_set_up, stage_tear_down)

int main(int argc, char **argv) {
    if (argc > 2 && strcmp(argv[1], "--config") == 0) return act_as_agentd(argv[2]);
    const char *missing = stage_missing();
    if (missing) {
        printf("skipped: %s\n", missing);
        return 77;
    }
    if (argc > 1 && !span_u64(span_str(argv[1]), &noise)) return 2;
    const struct CMUnitTest tests[] = {
        ON_STAGE(an_attacker_can_start_catalogued_tools_within_the_policy_and_nothing_else),
        ON_STAGE(what_is_no_request_ends_the_runner_and_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
