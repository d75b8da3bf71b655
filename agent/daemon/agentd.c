/* trawl-agentd: talks to the collector and reads what tools print; has no privilege.  Started by trawl-runner, which holds the
 * other end of descriptor REQUEST_FD.  Reading order: main → start → the callbacks. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>

#include "agent/daemon/captures.h"
#include "agent/daemon/host.h"
#include "agent/daemon/locked.h"
#include "agent/daemon/refresh.h"
#include "agent/daemon/triggers.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/crypto/expiry.h"
#include "common/sys/seccomp.h"

enum { WHY_BYTES = 512, FACTS_ARENA_BYTES = 256 * 1024, AUDIT_BYTES = 1024 * 1024, AUDIT_FILES = 4 };

struct agentd {
    struct policy policy;
    struct arena *mem; /* host's labels and facts: as long as we live */
    struct host host;
    struct loop *loop;
    struct net *net;
    struct trust *operators;
    struct spool *spool;
    struct journal *journal;
    struct locked locked;
    struct deeds deeds;
    struct triggers *triggers;
    struct captures *captures;
    struct uplink *uplink;
    struct channel runner;
    struct capabilities capabilities, asked; /* as known; as they come in */
    struct arena *tools_mem;
    struct tool_fact *tools;
    size_t n_tools;
    struct refresh refresh;
    struct refresh_ops refresh_ops;
    struct uplink_ops uplink_ops;
    struct expiry expiry;
    char quiet[WHY_BYTES]; /* why no tool is started now, by the policy's hours; empty: it may be */
    bool runner_gone;
};

/* True: it is not as it was. */
static bool look_at_hours(struct agentd *d) {
    char was[sizeof d->quiet];
    struct buf why;
    memcpy(was, d->quiet, sizeof was);
    buf_init(&why, sizeof d->quiet);
    bool quiet = policy_is_quiet(&d->policy, clock_wall_ns(), &why);
    const char *text = buf_str(&why);
    snprintf(d->quiet, sizeof d->quiet, "%s", quiet && text ? text : "");
    buf_done(&why);
    return strcmp(was, d->quiet) != 0;
}

static void fill_facts(struct uplink_ops *ops, struct facts *out) {
    struct agentd *d = container_of(ops, struct agentd, uplink_ops);
    look_at_hours(d);
    *out = (struct facts){.host = span_str(d->host.name),
                          .version = span_str(TRAWL_VERSION),
                          .kernel = span_str(d->host.uts.release),
                          .arch = span_str(d->host.uts.machine),
                          .labels = d->host.labels,
                          .n_labels = d->host.n_labels,
                          .tools = d->tools,
                          .n_tools = d->n_tools,
                          .replayed = d->policy.tool_dir[0] != '\0',
                          .wall_ns = clock_wall_ns(),
                          .lockdown = span_str(d->locked.why),
                          .rates = d->refresh.rates,
                          .n_rates = COUNTER__COUNT,
                          .cpus = d->refresh.cpus,
                          .max_cost_ppm = d->policy.max_cost_ppm,
                          .max_duration_s = d->policy.max_duration_ns / NS_PER_S,
                          .quiet = span_str(d->quiet)};
}

static void on_connected(struct uplink_ops *ops, uint64_t peer_wall_ns) {
    struct agentd *d = container_of(ops, struct agentd, uplink_ops);
    int64_t skew_s = (int64_t)(peer_wall_ns - clock_wall_ns()) / (int64_t)NS_PER_S; /* the peer may say any time */
    LOG(LOG_INFO, "uplink.connected", KV("collector", d->policy.collector));
    triggers_tell(d->triggers);
    if (peer_wall_ns && (skew_s > ORDER_CLOCK_SKEW_S || skew_s < -ORDER_CLOCK_SKEW_S))
        LOG(LOG_WARNING, "clock.skew", KV("seconds", skew_s),
            KV("hint", "orders will be refused as expired or from the future; set the clock"));
}

/* The agent is awake anyway. */
static void look_around(struct agentd *d) {
    triggers_look(d->triggers);
    refresh_beat(&d->refresh);
    if (look_at_hours(d) && d->uplink) uplink_facts(d->uplink);
}

static void on_lost(struct uplink_ops *ops, struct span why) {
    struct agentd *d = container_of(ops, struct agentd, uplink_ops);
    LOG(LOG_WARNING, "uplink.lost", KV("collector", d->policy.collector), KV("why", why));
    look_around(d);
}

static void on_beat(struct uplink_ops *ops) { look_around(container_of(ops, struct agentd, uplink_ops)); }

static void on_order(struct uplink_ops *ops, const struct signed_order *o) {
    captures_order(container_of(ops, struct agentd, uplink_ops)->captures, o);
}

static void on_lockdown(struct uplink_ops *ops, const struct signed_order *statement) {
    struct agentd *d = container_of(ops, struct agentd, uplink_ops);
    if (captures_lockdown(d->captures, statement)) uplink_facts(d->uplink);
}

static void on_arm(struct uplink_ops *ops, const struct signed_order *trigger) {
    triggers_arm(container_of(ops, struct agentd, uplink_ops)->triggers, trigger);
}

static void on_disarm(struct uplink_ops *ops, const struct campaign_id *id) {
    triggers_disarm(container_of(ops, struct agentd, uplink_ops)->triggers, id);
}

static void on_firing(struct uplink_ops *ops, const struct campaign_id *campaign, struct span why) {
    triggers_answer(container_of(ops, struct agentd, uplink_ops)->triggers, campaign, why);
}

static bool on_held(struct uplink_ops *ops, const struct campaign_id *campaign) {
    return triggers_holds(container_of(ops, struct agentd, uplink_ops)->triggers, campaign);
}

static void on_stop(struct uplink_ops *ops, const struct campaign_id *id, struct span why) {
    captures_stop(container_of(ops, struct agentd, uplink_ops)->captures, id, why);
}

static enum err on_damaged(struct uplink_ops *ops, struct spool_entry *e) {
    return captures_damaged(container_of(ops, struct agentd, uplink_ops)->captures, e);
}

static void on_trouble(struct uplink_ops *ops, const char *what, enum err why) {
    (void)ops;
    LOG(LOG_ERR, "uplink.trouble", KV("what", what), KV("why", err_text(why)));
}

static void on_busy(struct refresh_ops *ops) {
    struct agentd *d = container_of(ops, struct agentd, refresh_ops);
    if (d->uplink) uplink_facts(d->uplink);
}

/* What the tools run with has changed: the runner is asked again.  A question that is under way already saw some of it; the next look
 * is soon. */
static void on_other(struct refresh_ops *ops) {
    struct agentd *d = container_of(ops, struct agentd, refresh_ops);
    if (d->asked.n_known < d->asked.n) {
        d->refresh.print = 0;
        return;
    }
    d->asked = (struct capabilities){.n = 0};
    enum err e = capability_ask(&d->asked, &d->runner);
    if (e) d->asked.n = d->asked.n_known = 0; /* what is still answered is of no use */
    if (e) d->refresh.print = 0;
    LOG(e ? LOG_ERR : LOG_INFO, "tools.asked", KV("flavours", d->asked.n), KV("why", e ? err_text(e) : "something changed"));
}

/* All probes are answered. */
static enum err take_answers(struct agentd *d) {
    d->capabilities = d->asked;
    arena_reset(d->tools_mem);
    d->tools = NULL;
    d->n_tools = 0;
    return capability_facts(&d->capabilities, d->tools_mem, &d->tools, &d->n_tools);
}

/* Now there is something to say to the collector. */
static enum err connect_up(struct agentd *d) {
    refresh_look(&d->refresh);
    triggers_start(d->triggers, d->captures);
    captures_recover(d->captures);
    d->uplink_ops = (struct uplink_ops){.facts = fill_facts,
                                        .connected = on_connected,
                                        .lost = on_lost,
                                        .beat = on_beat,
                                        .order = on_order,
                                        .lockdown = on_lockdown,
                                        .arm = on_arm,
                                        .disarm = on_disarm,
                                        .firing = on_firing,
                                        .held = on_held,
                                        .stop = on_stop,
                                        .damaged = on_damaged,
                                        .trouble = on_trouble};
    enum err e = uplink_new(d->net, d->policy.collector, d->spool, &d->uplink_ops, &d->uplink);
    if (e) return e;
    captures_set_uplink(d->captures, d->uplink);
    triggers_set_uplink(d->triggers, d->uplink);
    return ERR_OK;
}

static void on_report(struct channel *c, const struct report *r, int out_fd, int err_fd) {
    struct agentd *d = container_of(c, struct agentd, runner);
    if (r->kind == REPORT_SWITCH) {
        captures_switch(d->captures, r->coverage != 0);
        if (d->uplink) uplink_facts(d->uplink);
    } else if (r->kind == REPORT_ALARM) {
        triggers_alarm(d->triggers, r);
    } else if (r->kind != REPORT_CAPABLE) {
        captures_report(d->captures, r, out_fd, err_fd);
        return;
    }
    if (out_fd >= 0) close(out_fd);
    if (err_fd >= 0) close(err_fd);
    if (r->kind != REPORT_CAPABLE || !capability_answer(&d->asked, r)) return;
    enum err e = take_answers(d);
    if (!e && d->uplink) uplink_facts(d->uplink);
    if (!e && !d->uplink) e = connect_up(d);
    if (e) {
        LOG(LOG_ERR, "agentd.failed", KV("what", d->policy.collector), KV("why", err_text(e)));
        loop_stop(d->loop);
    }
}

static void on_runner_gone(struct channel *c) {
    struct agentd *d = container_of(c, struct agentd, runner);
    d->runner_gone = true;
    loop_stop(d->loop);
}

static const char *null_if_empty(const char *z) { return z && z[0] ? z : NULL; }

static void reload_operators(struct agentd *d) {
    char why[WHY_BYTES] = "";
    struct trust *fresh = NULL;
    enum err e = sign_trust_load(d->policy.operators_ca, null_if_empty(d->policy.operators_crl), why, sizeof why, &fresh);
    if (e) {
        LOG(LOG_ERR, "reload.failed", KV("what", "operators"), KV("why", why));
        return;
    }
    captures_set_operators(d->captures, fresh);
    sign_trust_free(d->operators);
    d->operators = fresh;
    LOG(LOG_NOTICE, "reload.done", KV("what", "operators"));
}

/* Each half that cannot be read stays as it was.  Dialled again, so that the collector sees the new certificate. */
static void reload(struct agentd *d) {
    char why[WHY_BYTES] = "";
    enum err e = net_reload(d->net, why, sizeof why);
    if (e) {
        LOG(LOG_ERR, "reload.failed", KV("what", "certificates"), KV("why", why));
    } else {
        LOG(LOG_NOTICE, "reload.done", KV("what", "certificates"));
        if (d->uplink) uplink_reconnect(d->uplink);
    }
    reload_operators(d);
    expiry_look(&d->expiry);
}

static void on_signal(int signo, void *arg) {
    struct agentd *d = arg;
    if (signo == SIGHUP)
        reload(d);
    else
        loop_stop(d->loop);
}

static enum err open_files(struct agentd *d, char *why) {
    const struct policy *p = &d->policy;
    size_t strangers = 0, damaged = 0;
    enum err e = spool_open(p->spool_dir, p->spool_bytes, &strangers, &d->spool);
    if (!e) e = journal_open(p->spool_dir, &damaged, &d->journal);
    bool sound = true;
    if (!e) e = locked_open(&d->locked, p->spool_dir, &sound);
    const struct audit_options audit = {
        .dir = p->spool_dir, .name = "audit.log", .max_bytes = AUDIT_BYTES, .keep = AUDIT_FILES, .cert = p->tls_cert, .key = p->tls_key};
    if (!e) e = audit_open(&audit, &d->deeds.audit);
    const struct triggers_options triggers = {
        .policy = p, .host = d->host.name, .runner = &d->runner, .locked = &d->locked, .deeds = &d->deeds};
    if (!e) e = triggers_new(&triggers, &d->triggers);
    if (e) {
        snprintf(why, WHY_BYTES, "the spool %s: %s", p->spool_dir, e == ERR_SYS ? strerror(errno) : err_text(e));
        return e;
    }
    if (strangers) LOG(LOG_WARNING, "spool.strangers", KV("files", strangers));
    if (d->locked.fleet.locked) LOG(sound ? LOG_WARNING : LOG_ERR, "lockdown.holds", KV("why", d->locked.why));
    if (damaged) LOG(LOG_WARNING, "journal.damaged", KV("files", damaged));
    return sign_trust_load(p->operators_ca, null_if_empty(p->operators_crl), why, WHY_BYTES, &d->operators);
}

static void on_ending(const struct expiry_file *f, int64_t days_left, const char *until) {
    LOG(days_left < 0 ? LOG_ERR : LOG_WARNING, "cert.expiring", KV("file", f->path), KV("what", expiry_kind_name(f->kind)),
        KV("days", days_left), KV("until", until));
}

static void watch_expiry(struct agentd *d) {
    const struct policy *p = &d->policy;
    const struct expiry_file files[] = {
        {p->tls_cert, CERT_OWN}, {p->tls_ca, CERT_CA}, {p->operators_ca, CERT_CA}, {p->tls_crl, CERT_LIST}, {p->operators_crl, CERT_LIST}};
    expiry_start(&d->expiry, d->loop, files, COUNT_OF(files), on_ending);
}

static enum err start(struct agentd *d, char *why) {
    struct policy *p = &d->policy;
    d->mem = arena_new(FACTS_ARENA_BYTES);
    d->tools_mem = arena_new(FACTS_ARENA_BYTES);
    d->loop = loop_new();
    if (!d->mem || !d->tools_mem || !d->loop) return ERR_NOMEM;
    enum err e = host_read(p->host, p->labels, d->mem, why, WHY_BYTES, &d->host);
    if (e) return e;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    if ((e = loop_signals(d->loop, &set, on_signal, d)) != ERR_OK) return e;
    if ((e = seccomp_enter(SECCOMP_AGENTD)) != ERR_OK) {
        snprintf(why, WHY_BYTES, "seccomp: %s", strerror(errno));
        return e;
    }
    if ((e = open_files(d, why)) != ERR_OK) return e;
    struct net_options net = {.loop = d->loop,
                              .files = {p->tls_ca, p->tls_cert, p->tls_key, null_if_empty(p->tls_crl)},
                              .fleet = p->fleet,
                              .software = "trawl-agentd " TRAWL_VERSION};
    if ((e = net_new(&net, why, WHY_BYTES, &d->net)) != ERR_OK) return e;
    if (strcmp(net_self(d->net)->name, d->host.name) != 0) {
        snprintf(why, WHY_BYTES, "the certificate %s is for the host \"%s\", this host is \"%s\"", p->tls_cert, net_self(d->net)->name,
                 d->host.name);
        return ERR_UNTRUSTED;
    }
    struct captures_options opt = {.loop = d->loop,
                                   .policy = p,
                                   .host = d->host.name,
                                   .labels = d->host.labels,
                                   .n_labels = d->host.n_labels,
                                   .operators = d->operators,
                                   .capabilities = &d->capabilities,
                                   .runner = &d->runner,
                                   .spool = d->spool,
                                   .journal = d->journal,
                                   .locked = &d->locked,
                                   .deeds = &d->deeds,
                                   .gate = triggers_gate(d->triggers)};
    if ((e = captures_new(&opt, &d->captures)) != ERR_OK) return e;
    watch_expiry(d);
    d->runner.report = on_report;
    d->runner.gone = on_runner_gone;
    if ((e = channel_start(&d->runner, d->loop, REQUEST_FD)) != ERR_OK) {
        snprintf(why, WHY_BYTES, "descriptor %d is not the runner: trawl-agentd is started by trawl-runner, not by hand", REQUEST_FD);
        return e;
    }
    d->refresh_ops = (struct refresh_ops){.busy = on_busy, .other = on_other};
    refresh_start(&d->refresh, p, &d->refresh_ops);
    return capability_ask(&d->asked, &d->runner);
}

static void stop(struct agentd *d) {
    if (d->uplink) uplink_free(d->uplink);
    expiry_stop(&d->expiry);
    if (d->captures) captures_free(d->captures);
    if (d->net) net_free(d->net);
    if (d->operators) sign_trust_free(d->operators);
    triggers_free(d->triggers);
    audit_close(d->deeds.audit);
    locked_close(&d->locked);
    if (d->journal) journal_close(d->journal);
    if (d->spool) spool_close(d->spool);
    if (d->loop) loop_free(d->loop);
    if (d->mem) arena_free(d->mem);
    if (d->tools_mem) arena_free(d->tools_mem);
    policy_done(&d->policy);
}

static const char *config_argument(int argc, char **argv) {
    static const struct option options[] = {{"config", required_argument, NULL, 'c'}, {0}};
    const char *config = NULL;
    for (int o; (o = getopt_long(argc, argv, "c:", options, NULL)) != -1;)
        if (o == 'c') config = optarg;
    return config;
}

int main(int argc, char **argv) {
    struct agentd d = {.locked.dir_fd = -1};
    char why[WHY_BYTES] = "";
    const char *config = config_argument(argc, argv);
    if (!config) {
        fprintf(stderr, "trawl-agentd is started by trawl-runner, with the same --config FILE; see trawl-runner --help\n");
        return 2;
    }
    enum err e = policy_load(config, &d.policy, why, sizeof why);
    if (e) {
        LOG(LOG_ERR, "agentd.failed", KV("error", err_name(e)), KV("why", why));
        policy_done(&d.policy);
        return 1;
    }
    e = start(&d, why);
    if (e) {
        LOG(LOG_ERR, "agentd.failed", KV("error", err_name(e)), KV("why", why[0] ? why : err_text(e)));
    } else {
        LOG(LOG_INFO, "agentd.started", KV("host", d.host.name), KV("version", TRAWL_VERSION));
        e = loop_run(d.loop);
        if (d.runner_gone) LOG(LOG_ERR, "agentd.alone", KV("why", "the runner is gone"));
    }
    stop(&d);
    return e || d.runner_gone ? 1 : 0;
}
