/* The runner as parent of agentd: what agentd gets, and that each dies with the other. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <linux/capability.h>

#include "agent/runner/supervise.h"
#include "common/base/auto.h"
#include "tests/support/coverage.h"
#include "tests/unit/agent/runner/stage.h"

struct parent {
    struct stage stage;
    int said; /* what agentd and the runner print */
};

static int set_up(void **state) {
    struct parent *p = calloc(1, sizeof *p);
    if (!p || stage_open(&p->stage) != 0) return -1;
    p->said = -1;
    *state = p;
    return 0;
}

static int tear_down(void **state) {
    struct parent *p = *state;
    if (p->said >= 0) close(p->said);
    stage_close(&p->stage);
    free(p);
    return 0;
}

/* A runner with this shell script as its agentd, printing into p->said. */
static void start(struct parent *p, const char *script) {
    static char agentd[512];
    int ends[2];
    stage_write(&p->stage, "agentd", script, 0755);
    snprintf(agentd, sizeof agentd, "%s", stage_path(&p->stage, "agentd"));
    p->stage.policy.agentd = agentd;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fflush(NULL);
    p->stage.runner = fork();
    if (p->stage.runner == 0) {
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        setenv("NOTIFY_SOCKET", "/run/notify", 1);
        setenv("SECRET", "x", 1);
        signal(SIGTERM, SIG_DFL);
        coverage_exit(supervise_run(&(struct supervise_options){.policy = &p->stage.policy, .config_path = "/etc/some.conf", .sock = -1}));
    }
    close(ends[1]);
    p->said = ends[0];
}

static void read_until(struct parent *p, const char *text, char *out, size_t cap) {
    size_t n = 0;
    out[0] = 0;
    while (!strstr(out, text) && n + 1 < cap) {
        ssize_t got = read(p->said, out + n, 1);
        if (got <= 0) fail_msg("no \"%s\" in: %s", text, out);
        out[++n] = 0;
    }
}

static void assert_says(const char *text, const char *line) {
    if (!strstr(text, line)) fail_msg("no \"%s\" in:\n%s", line, text);
}

static void agentd_has_its_socket_and_no_privilege(void **state) {
    struct parent *p = *state;
    char out[16384];
    start(p, "#!/bin/sh\necho args \"$@\"\nenv\ngrep -E 'Uid|Gid|Groups|Cap|NoNew|Sig[BI]' /proc/self/status\n"
             "readlink /proc/$$/fd/0 /proc/$$/fd/3; ls /proc/$$/fd; echo there\nsleep 100\n");
    read_until(p, "there\n", out, sizeof out);
    assert_says(out, "args --config /etc/some.conf\n");
    assert_null(strstr(out, "NOTIFY_SOCKET")); /* the runner speaks for the service */
    assert_says(out, "PATH=/usr/sbin:/usr/bin:/sbin:/bin\n");
    assert_null(strstr(out, "SECRET"));
    assert_says(out, "Uid:\t65534\t65534\t65534\t65534\n");
    assert_says(out, "Groups:\t \n");
    static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "SigBlk", "SigIgn"};
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        char want[64];
        snprintf(want, sizeof want, "%s:\t0000000000000000\n", sets[i]);
        assert_says(out, want);
    }
    assert_says(out, "NoNewPrivs:\t1\n");
    assert_says(out, "/dev/null\nsocket:");
    assert_says(out, "\n0\n1\n10\n2\n3\nthere\n"); /* 10 is the shell's own script */
}

static void hears(int fd, const char *want) {
    char got[64] = "";
    assert_int_equal(read(fd, got, sizeof got - 1), (ssize_t)strlen(want));
    assert_string_equal(got, want);
}

static void the_service_manager_hears_of_readiness_when_agentd_has_asked(void **state) {
    struct parent *p = *state;
    struct report r;
    int fds[2];
    char name[64];
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(name, sizeof name, "@trawl-runner-test-%d", (int)getpid());
    memcpy(at.sun_path + 1, name + 1, strlen(name) - 1);
    AUTO_CLOSE int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(manager, (const struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))), 0);
    setenv("NOTIFY_SOCKET", name, 1);
    stage_start(&p->stage);
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(recv(manager, name, sizeof name, 0), -1);
    for (uint64_t run = 1; run <= 2; run++) { /* once is enough */
        stage_ask(&p->stage, REQUEST_PROBE, run, TOOL_RUNQLAT, 0);
        assert_true(stage_hear(&p->stage, 10000, &r, fds));
    }
    kill(p->stage.runner, SIGTERM);
    stage_wait_runner(&p->stage);
    hears(manager, "READY=1");
    hears(manager, "STOPPING=1");
    assert_int_equal(recv(manager, name, sizeof name, 0), -1);
}

static void sigterm_is_handed_on_and_the_end_is_clean(void **state) {
    struct parent *p = *state;
    char out[4096];
    start(p, "#!/bin/sh\ntrap 'echo told to stop; exit 0' TERM\necho there\nwhile :; do sleep 0.05; done\n");
    read_until(p, "there\n", out, sizeof out);
    kill(p->stage.runner, SIGTERM);
    read_until(p, "told to stop\n", out, sizeof out);
    assert_int_equal(stage_wait_runner(&p->stage), 0);
}

static void when_agentd_dies_the_runner_ends_with_an_error(void **state) {
    struct parent *p = *state;
    char out[4096];
    start(p, "#!/bin/sh\necho there\nkill -9 $$\n");
    read_until(p, "there\n", out, sizeof out);
    assert_int_equal(stage_wait_runner(&p->stage), 1);
    read_until(p, "agentd.ended exit=-1 signal=9", out, sizeof out);
}

static void when_the_runner_is_killed_agentd_dies(void **state) {
    struct parent *p = *state;
    char out[4096];
    start(p, "#!/bin/sh\necho there\ntrap '' TERM INT HUP\nwhile :; do sleep 0.05; done\n");
    read_until(p, "there\n", out, sizeof out);
    assert_true(stage_count_processes(stage_path(&p->stage, "agentd")) > 0);
    kill(p->stage.runner, SIGKILL);
    assert_int_equal(stage_wait_runner(&p->stage), -SIGKILL);
    for (int i = 0; i < 300 && stage_count_processes(stage_path(&p->stage, "agentd")); i++) usleep(10000);
    assert_int_equal(stage_count_processes(stage_path(&p->stage, "agentd")), 0);
}

static void an_agentd_that_is_not_there_is_an_error_that_says_so(void **state) {
    struct parent *p = *state;
    char out[4096];
    start(p, "#!/nonexistent/interpreter\n");
    read_until(p, "No such file", out, sizeof out);
    assert_int_equal(stage_wait_runner(&p->stage), 1);
}

static void agentd_never_runs_as_root(void **state) {
    struct parent *p = *state;
    static char root[] = "root", unknown[] = "no-such-user";
    char out[4096];
    p->stage.policy.user = root;
    start(p, "#!/bin/sh\necho there\n");
    read_until(p, "user root is root: agentd runs as one without privileges", out, sizeof out);
    assert_int_equal(stage_wait_runner(&p->stage), 1);
    close(p->said);
    p->stage.policy.user = unknown;
    start(p, "#!/bin/sh\necho there\n");
    read_until(p, "user no-such-user does not exist", out, sizeof out);
    assert_int_equal(stage_wait_runner(&p->stage), 1);
}

/* ---- the program itself, with this test as its agentd ---- */

static void start_program(struct parent *p, unsigned mode) {
    static char config[512], text[2048], agentd[512];
    int ends[2];
    stage_copy(&p->stage, "/proc/self/exe", "agentd", 0755);
    snprintf(agentd, sizeof agentd, "%s", stage_path(&p->stage, "agentd"));
    snprintf(text, sizeof text, "fleet = f\ncollector = localhost:1\ntls_ca = /x\ntls_cert = /x\ntls_key = /x\noperators_ca = /x\n"
                                "agentd = %s\nuser = nobody\ntool_user = nobody\ntools = runqlat\n", agentd);
    stage_write(&p->stage, "agent.conf", text, mode);
    snprintf(config, sizeof config, "%s", stage_path(&p->stage, "agent.conf"));
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fflush(NULL);
    p->stage.runner = fork();
    if (p->stage.runner == 0) {
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        execl(RUNNER, "trawl-runner", "--config", config, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    p->said = ends[0];
}

/* What this program does when the runner starts it: asks for a run, prints what it hears, and goes. */
static int act_as_agentd(void) {
    static char out[1 << 16];
    struct stage s = {.sock = REQUEST_FD};
    struct report r;
    int fds[2] = {-1, -1};
    snprintf(out, sizeof out, "/proc/%d/status", (int)getppid());
    FILE *f = fopen(out, "r");
    while (f && fgets(out, sizeof out, f))
        if (strncmp(out, "CapEff", 6) == 0 || strncmp(out, "CapBnd", 6) == 0 || strncmp(out, "NoNewPrivs", 10) == 0) fputs(out, stdout);
    if (f) fclose(f);
    stage_ask(&s, REQUEST_RUN, 1, TOOL_RUNQLAT, 1);
    if (!stage_hear(&s, 10000, &r, fds)) return 1;
    printf("report %u %s\n", r.kind, r.why);
    if (r.kind == REPORT_STARTED) {
        stage_drain(fds[0], 10000, out, sizeof out);
        printf("%s", out);
        do
            if (!stage_hear(&s, 10000, &r, NULL)) return 1;
        while (r.kind != REPORT_ENDED);
        printf("exit %d signal %d\n", r.exit_code, r.signal);
    }
    puts("over");
    return fflush(stdout) != 0;
}

static void the_program_gives_up_what_it_does_not_need_and_still_runs_tools(void **state) {
    struct parent *p = *state;
    char out[16384];
    start_program(p, 0644);
    read_until(p, "over\n", out, sizeof out);
    const char *at = strstr(out, "CapBnd:\t");
    assert_non_null(at);
    uint64_t bounding = 0;
    for (const char *c = at + 8; *c && *c != '\n'; c++) bounding = bounding * 16 + (uint64_t)(*c <= '9' ? *c - '0' : *c - 'a' + 10);
    static const int gone[] = {CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_MODULE, CAP_SYS_BOOT, CAP_SYS_RAWIO, CAP_MKNOD, CAP_DAC_OVERRIDE, CAP_CHOWN};
    for (size_t i = 0; i < COUNT_OF(gone); i++) assert_false(bounding >> gone[i] & 1);
    assert_true(bounding >> CAP_SYS_ADMIN & 1);
    assert_says(out, "NoNewPrivs:\t1\n");
    if (strstr(out, "report 3 ")) { /* refused: no such tool here, or no BPF */
        print_message("no run: %s\n", strstr(out, "report 3 "));
    } else {
        assert_says(out, "usecs               : count    distribution\n");
        assert_says(out, "exit 0 signal 0\n");
    }
    assert_int_equal(stage_wait_runner(&p->stage), 1); /* its agentd is gone */
}

static void a_policy_that_others_can_write_is_no_policy(void **state) {
    struct parent *p = *state;
    char out[4096];
    start_program(p, 0664);
    read_until(p, "must be owned by root and writable by nobody else", out, sizeof out);
    assert_int_equal(stage_wait_runner(&p->stage), 1);
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--config") == 0) return act_as_agentd();
    const char *missing = stage_missing();
    if (missing) {
        printf("skipped: %s\n", missing);
        return 77;
    }
    const struct CMUnitTest tests[] = {
        ON_STAGE(agentd_has_its_socket_and_no_privilege),
        ON_STAGE(the_service_manager_hears_of_readiness_when_agentd_has_asked),
        ON_STAGE(sigterm_is_handed_on_and_the_end_is_clean),
        ON_STAGE(when_agentd_dies_the_runner_ends_with_an_error),
        ON_STAGE(when_the_runner_is_killed_agentd_dies),
        ON_STAGE(an_agentd_that_is_not_there_is_an_error_that_says_so),
        ON_STAGE(agentd_never_runs_as_root),
        ON_STAGE(the_program_gives_up_what_it_does_not_need_and_still_runs_tools),
        ON_STAGE(a_policy_that_others_can_write_is_no_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
