/* The host's policy, agent.conf: root-owned, read by the runner, which enforces it, and by agentd, which only predicts. */
#pragma once

#include "common/catalog/catalog.h"
#include "common/conf/conf.h"

struct policy {
    /* who we are and whom we talk to (agentd) */
    char *fleet, *host; /* host "": the machine's host name */
    char *labels;       /* role=web,zone=a */
    char *collector;    /* HOST:PORT */
    char *tls_ca, *tls_cert, *tls_key, *tls_crl;
    char *operators_ca, *operators_crl;
    char *spool_dir; /* parts until acknowledged, orders until they expire */
    uint64_t spool_bytes;
    char *spool_drop;    /* newest, oldest: what is given up when the spool is full */
    char *agentd, *user; /* the program that the runner starts, and as whom */
    /* what is allowed (runner) */
    char *tools;    /* words; "all" */
    char *tool_dir; /* "": the standard directories; else this one, and results are marked replayed */
    uint64_t max_duration_ns, max_concurrent, stdout_bytes, stderr_bytes, memory_bytes, cpu_percent;
    char *cgroup;                /* "auto", "none", or the path of one */
    uint64_t max_cost_ppm;       /* of all CPUs, predicted; 0: no budget */
    uint64_t brake_cpu_ppm;      /* of one CPU, measured; 0: no brake */
    uint64_t brake_pressure_ppm; /* rise of the host's CPU pressure; 0: no brake */
    char *tool_user;             /* tools run as this user */
    char *pins;                  /* words: PATH=SHA256HEX */
    char *pins_file;             /* more of them; "": none */
    char *may_sign;              /* words of identity.h: whose orders agentd obeys */
    uint64_t max_triggers;       /* armed here at a time; 0: none, and no firing is obeyed */
    char *redact;                /* words of catalog_class.h: classes of columns that never leave this host */
    char *lockdown_file;         /* while it exists nothing runs */
    char *quiet_hours;           /* "22:00-06:00" local time, words; "" none: no tool is started in them */
};

extern const struct conf_item policy_items[];
extern const size_t policy_n_items;

/* Read agent.conf (NULL: defaults only, an error when a required key has none) and check what the table cannot: tool names, pins,
 * quiet hours.  policy_done frees the texts, also after a failure.  ERR_SYS; ERR_SYNTAX; why says where and what. */
NODISCARD enum err policy_load(const char *path, struct policy *out, char *why, size_t why_size);
void policy_done(struct policy *p);

/* Adds what pins_file has to pins: lines "SHA256  PATH", as trawl-runner pin and sha256sum print them; blank ones and comments (#) are
 * passed over.  Only the runner needs them.  ERR_SYS; ERR_SYNTAX; ERR_LIMIT; ERR_NOMEM; why says where and what. */
NODISCARD enum err policy_read_pins(struct policy *p, char *why, size_t why_size);

/* Is it one of the hours in which no tool is started?  Then out_why says which (one sentence without its full stop). */
bool policy_is_quiet(const struct policy *p, uint64_t wall_ns, struct buf *out_why);

/* Is this run allowed by the host?  ERR_REFUSED with why in words (one sentence without its full stop).  running_now: tools that
 * run already.  The runner's answer is the one that counts; agentd asks to predict it. */
NODISCARD enum err policy_admits(const struct policy *p, const struct tool *t, unsigned seconds, size_t running_now, uint64_t wall_ns,
                                 struct buf *out_why);
