/* trawl-runner: the privileged half of the agent.  No network, no parsing of what peers or tools say. */
#include <errno.h>
#include <getopt.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <linux/capability.h>

#include "agent/runner/pin.h"
#include "agent/runner/supervise.h"
#include "agent/runner/view.h"
#include "common/base/log.h"
#include "common/sys/priv.h"

static const char usage[] = "usage: trawl-runner [--config FILE] [--print-config] [--version]\n"
                            "       trawl-runner pin [--config FILE]\n"
                            "\n"
                            "Starts the trawl agent: this program, which runs tracing tools, and trawl-agentd, which talks to the collector.\n"
                            "  pin              the SHA-256 of every file that runs here would execute, for pins_file; starts nothing\n"
                            "  --config FILE    default /etc/trawl/agent.conf\n"
                            "  --print-config   a commented configuration file\n"
                            "  --help           this, and the configuration file's keys with their defaults\n"
                            "\n"
                            "SIGHUP reads certificates and revocation lists again; SIGTERM kills every tool and ends.\n"
                            "\n";

/* What tools may be given (their rows), and what we need ourselves: namespaces, other users, limits, signals, a look at what tools
 * have open (/proc/PID/fd of another user), reading a tool that is not world-readable.  The rest goes for good. */
static uint64_t own_capabilities(void) {
    static const int own[] = {CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_KILL, CAP_SYS_RESOURCE, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH};
    uint64_t mask = 0;
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) mask |= 1ULL << own[i];
    for (int t = TOOL_NONE + 1; t < TOOL__COUNT; t++) {
        const struct tool *tool = catalog_tool((enum tool_id)t);
        for (size_t i = 0; tool && i < tool->n_flavours; i++) mask |= tool->flavours[i].capabilities;
    }
    for (unsigned long c = 0; c < 64; c++)
        if (prctl(PR_CAPBSET_READ, c, 0, 0, 0) != 1) mask &= ~(1ULL << c);
    return mask;
}

static bool harden(void) {
    if (geteuid() != 0) {
        LOG(LOG_ERR, "runner.not_started", KV("why", "trawl-runner must be started as root: tracing needs it, and it gives it up piece by piece"));
        return false;
    }
    prctl(PR_SET_DUMPABLE, 0);
    if (view_root() != ERR_OK) /* a run will say what it cannot have */
        LOG(LOG_WARNING, "runner.root", KV("why", "/ is no mount and cannot be made one"), KV("error", strerror(errno)));
    enum err e = priv_become(0, 0, own_capabilities());
    if (e) LOG(LOG_ERR, "runner.not_started", KV("why", "cannot drop capabilities"), KV("error", strerror(errno)));
    return e == ERR_OK;
}

/* Whoever writes the policy decides what root runs. */
static enum err check_owner(const char *path, char *why, size_t why_size) {
    struct stat st;
    if (stat(path, &st) != 0) {
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
        return ERR_SYS;
    }
    if (st.st_uid == 0 && !(st.st_mode & (S_IWGRP | S_IWOTH))) return ERR_OK;
    snprintf(why, why_size, "%s must be owned by root and writable by nobody else", path);
    return ERR_UNTRUSTED;
}

static int run(const char *config_path) {
    struct policy policy = {0};
    char why[512] = "";
    enum err e = check_owner(config_path, why, sizeof why);
    if (!e) e = policy_load(config_path, &policy, why, sizeof why);
    if (!e && policy.pins_file[0]) e = check_owner(policy.pins_file, why, sizeof why);
    if (!e) e = policy_read_pins(&policy, why, sizeof why);
    int result = 1;
    if (e) LOG(LOG_ERR, "config.refused", KV("why", why[0] ? why : err_text(e)));
    else if (harden()) result = supervise_run(&(struct supervise_options){.policy = &policy, .config_path = config_path, .sock = -1});
    policy_done(&policy);
    return result;
}

/* On standard output the pins; on standard error what gets none, and why. */
static int pin(const char *config_path) {
    struct policy policy = {0};
    char why[512] = "";
    struct buf pins, untrusted;
    buf_init(&pins, 0);
    buf_init(&untrusted, 0);
    enum err e = policy_load(config_path, &policy, why, sizeof why);
    if (!e) e = pin_installed(&policy, &pins, &untrusted);
    if (e) fprintf(stderr, "trawl-runner: %s\n", why[0] ? why : e == ERR_SYS ? strerror(errno) : err_text(e));
    else if (untrusted.n) fprintf(stderr, "%s", buf_str(&untrusted));
    bool written = e || (fwrite(pins.p ? pins.p : "", 1, pins.n, stdout) == pins.n && fflush(stdout) == 0);
    if (!written) perror("trawl-runner");
    buf_done(&pins);
    buf_done(&untrusted);
    policy_done(&policy);
    return e || !written;
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"print-config", optional_argument, NULL, 'p'},
                                            {"version", no_argument, NULL, 'v'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *config_path = "/etc/trawl/agent.conf";
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'c': config_path = optarg; break;
        case 'p': return conf_print(policy_items, policy_n_items, optarg, stdout) != ERR_OK;
        case 'v': return puts("trawl-runner " TRAWL_VERSION) < 0;
        case 'h': return fputs(usage, stdout) < 0 || conf_print(policy_items, policy_n_items, NULL, stdout) != ERR_OK;
        default: fputs(usage, stderr); return 2;
        }
    }
    if (optind + 1 == argc && strcmp(argv[optind], "pin") == 0) return pin(config_path);
    if (optind != argc) {
        fputs(usage, stderr);
        return 2;
    }
    return run(config_path);
}
