#include "collector/daemon/run.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "collector/daemon/consoles.h"
#include "collector/daemon/core.h"
#include "collector/daemon/doors.h"
#include "collector/daemon/outside.h"
#include "collector/daemon/writer.h"
#include "collector/ingest/ingest.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/crypto/expiry.h"
#include "common/sys/notify.h"

enum { STORE_QUEUE_MAX = 1024, WHY_BYTES = 512 };
static const char software[] = "trawl-collectord " TRAWL_VERSION;

struct collector {
    const struct settings *set;
    struct queue *to_store, *to_core, *to_ingest, *to_consoles;
    struct loop *loop, *ingest_loop;
    struct store *store; /* until the writer has it */
    struct writer *writer;
    struct core *core;
    struct ingest *ingest;
    struct ingest_ops ingest_ops;
    pthread_t ingest_thread;
    bool ingest_running;
    struct message *ingest_quit; /* made at the start, so that stopping needs no memory */
    struct consoles *consoles;
    struct outside *outside; /* NULL: nobody listens there */
    struct expiry expiry;
};

/* ---- agents' events, logged and written down ---- */
static void write_down(struct collector *c, const char *event, struct span host, struct span address, struct span why) {
    struct message *m = message_new(MESSAGE_AUDIT, host.n + address.n + why.n + 64);
    if (!m) return; /* it stands in the log */
    m->audit = (struct message_audit){
        .event = event, .host = arena_copy(m->mem, host), .address = arena_copy(m->mem, address), .why = arena_copy(m->mem, why)};
    queue_push_always(c->to_core, &m->item);
}

static void on_report(struct ingest_ops *self, enum ingest_event what, struct span host, struct span address, struct span why) {
    struct collector *c = container_of(self, struct collector, ingest_ops);
    switch (what) {
    case INGEST_CONNECTED:
        LOG(LOG_INFO, "agent.connected", KV("host", host), KV("address", address), KV("version", why));
        break;
    case INGEST_DISCONNECTED:
        LOG(LOG_INFO, "agent.disconnected", KV("host", host), KV("address", address), KV("why", why));
        break;
    case INGEST_REFUSED:
        LOG(LOG_WARNING, "agent.refused", KV("host", host), KV("address", address), KV("why", why));
        write_down(c, "agent.refused", host, address, why);
        break;
    case INGEST_TWICE:
        LOG(LOG_WARNING, "host.twice", KV("host", host), KV("address", address), KV("why", why));
        write_down(c, "host.twice", host, address, why);
        break;
    case INGEST_PART_REFUSED:
        LOG(LOG_WARNING, "part.malformed", KV("host", host), KV("address", address), KV("why", why));
        write_down(c, "part.refused", host, address, why);
        break;
    case INGEST_RELOADED:
        LOG(LOG_NOTICE, "collector.reloaded", KV("what", "agents"));
        break;
    case INGEST_RELOAD_FAILED:
        LOG(LOG_ERR, "collector.reload_failed", KV("what", "agents"), KV("why", why));
        break;
    }
}

static void *run_ingest(void *arg) {
    struct collector *c = arg;
    if (loop_run(c->ingest_loop) == ERR_OK) return NULL;
    LOG(LOG_ERR, "collector.failed", KV("thread", "ingest"), KV("why", "its loop failed"));
    kill(getpid(), SIGTERM);
    return NULL;
}

/* ---- signals ---- */
static void reload(struct collector *c) {
    char why[WHY_BYTES] = "";
    struct message *m = message_new(MESSAGE_RELOAD, 0), *n = message_new(MESSAGE_RELOAD, 0);
    if (m) queue_push_always(c->to_ingest, &m->item);
    if (n) queue_push_always(c->to_core, &n->item);
    enum err e = consoles_reload(c->consoles, why, sizeof why);
    if (e != ERR_OK)
        LOG(LOG_ERR, "collector.reload_failed", KV("what", "consoles"), KV("why", why));
    else
        LOG(LOG_NOTICE, "collector.reloaded", KV("what", "consoles"));
    expiry_look(&c->expiry);
}

static void on_signal(int signo, void *arg) {
    struct collector *c = arg;
    if (signo == SIGHUP)
        reload(c);
    else
        loop_stop(c->loop);
}

static enum err take_signals(struct collector *c) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* over a file size limit: an error of the store like a full disk, not the end */
    return loop_signals(c->loop, &set, on_signal, c);
}

/* ---- put together ---- */
static struct net_files files_of(const struct settings *set, const char *ca, const char *crl) {
    return (struct net_files){.ca = ca, .cert = set->tls_cert, .key = set->tls_key, .crl = settings_path(crl)};
}

static enum err make_core(struct collector *c, char *why) {
    struct core_options opt = {.inbox = c->to_core,
                               .store = c->to_store,
                               .ingest = c->to_ingest,
                               .consoles = c->to_consoles,
                               .outside = outside_inbox(c->outside),
                               .store_path = c->set->store,
                               .fleet = c->set->fleet,
                               .keep_days = c->set->keep_days,
                               .keep_bytes = c->set->keep_bytes,
                               .operator_campaigns = c->set->operator_campaigns,
                               .operator_captures = c->set->operator_captures,
                               .operators_ca = c->set->operators_ca,
                               .operators_crl = settings_path(c->set->operators_crl),
                               .tls_cert = c->set->tls_cert,
                               .tls_key = c->set->tls_key};
    for (int a = 0; a < AUTHORITY__COUNT; a++) opt.mask[a] = settings_mask(c->set, (enum authority)a);
    return core_new(&opt, why, WHY_BYTES, &c->core);
}

static enum err make_ingest(struct collector *c, char *why) {
    c->ingest_ops.report = on_report;
    const struct ingest_options opt = {.net = {.loop = c->ingest_loop,
                                               .files = files_of(c->set, c->set->tls_ca, c->set->tls_crl),
                                               .fleet = c->set->fleet,
                                               .software = software,
                                               .waiting = c->set->waiting_agents,
                                               .waiting_of_address = c->set->waiting_of_address},
                                       .listen = c->set->listen,
                                       .ops = &c->ingest_ops,
                                       .inbox = c->to_ingest,
                                       .store = c->to_store,
                                       .store_cap = STORE_QUEUE_MAX,
                                       .core = c->to_core};
    return ingest_new(&opt, why, WHY_BYTES, &c->ingest);
}

static enum err make_consoles(struct collector *c, char *why) {
    const struct consoles_options opt = {.net = {.loop = c->loop,
                                                 .files = files_of(c->set, c->set->operators_ca, c->set->operators_crl),
                                                 .fleet = c->set->fleet,
                                                 .software = software},
                                         .listen = c->set->console_listen,
                                         .inbox = c->to_consoles,
                                         .core = c->to_core};
    return consoles_new(&opt, why, WHY_BYTES, &c->consoles);
}

static enum err make_queues(struct collector *c) {
    c->to_store = queue_new(STORE_QUEUE_MAX);
    c->to_core = queue_new(0);
    c->to_ingest = queue_new(0);
    c->to_consoles = queue_new(0);
    c->loop = loop_new();
    c->ingest_loop = loop_new();
    c->ingest_quit = message_new(MESSAGE_QUIT, 0);
    bool all = c->to_store && c->to_core && c->to_ingest && c->to_consoles && c->loop && c->ingest_loop && c->ingest_quit;
    return all ? ERR_OK : ERR_NOMEM;
}

static enum err check_name(const struct collector *c, char *why) {
    const struct settings *set = c->set;
    struct net *n = NULL;
    const struct net_options opt = {
        .loop = c->loop, .files = files_of(set, set->tls_ca, set->tls_crl), .fleet = set->fleet, .software = software};
    enum err e = net_new(&opt, why, WHY_BYTES, &n);
    if (e != ERR_OK) return e;
    const struct identity *self = net_self(n);
    if (self->role != ROLE_COLLECTOR) {
        snprintf(why, WHY_BYTES, "%s: the certificate is not a collector's but of role %s", set->tls_cert, identity_role_name(self->role));
        e = ERR_UNTRUSTED;
    } else if (*set->name && strcmp(set->name, self->name) != 0) {
        snprintf(why, WHY_BYTES, "%s: the certificate is for the collector %s, the configuration says %s", set->tls_cert, self->name,
                 set->name);
        e = ERR_UNTRUSTED;
    }
    net_free(n);
    return e;
}

/* Everything that can be refused comes before our first thread.  Signals are blocked before anything that makes threads, nng's too:
 * a signal that one of those took would end the process. */
static enum err start(struct collector *c, char *why) {
    snprintf(why, WHY_BYTES, "%s", err_text(ERR_NOMEM));
    enum err e = make_queues(c);
    if (e == ERR_OK) e = take_signals(c);
    if (e == ERR_OK) e = check_name(c, why);
    if (e == ERR_OK) e = store_open(c->set->store, STORE_WRITER, why, WHY_BYTES, &c->store);
    if (e == ERR_OK) e = outside_new(c->set, c->to_core, why, WHY_BYTES, &c->outside);
    if (e == ERR_OK) e = make_core(c, why);
    if (e == ERR_OK) e = make_ingest(c, why);
    if (e == ERR_OK) e = make_consoles(c, why);
    if (e != ERR_OK) return e;
    snprintf(why, WHY_BYTES, "a thread cannot be started");
    e = writer_start(c->store, c->to_store, c->to_core, &c->writer);
    if (e == ERR_OK) c->store = NULL;
    if (e == ERR_OK) e = core_start(c->core);
    if (e == ERR_OK && pthread_create(&c->ingest_thread, NULL, run_ingest, c) != 0) e = ERR_SYS;
    c->ingest_running = e == ERR_OK;
    return e == ERR_OK ? outside_start(c->outside) : e;
}

static void drain(struct queue *q) {
    if (q) message_free_all(queue_take_all(q));
    queue_free(q);
}

/* In the direction of the data: what is behind writes down what came from before. */
static void stop(struct collector *c) {
    expiry_stop(&c->expiry);
    consoles_free(c->consoles);
    if (c->ingest_running) {
        queue_push_always(c->to_ingest, &TAKE(c->ingest_quit)->item);
        pthread_join(c->ingest_thread, NULL);
    }
    ingest_free(c->ingest);
    if (c->core) core_stop(c->core);
    outside_stop(c->outside);
    if (c->writer) writer_stop(c->writer);
    store_close(c->store);
    core_free(c->core);
    drain(c->to_store);
    drain(c->to_core);
    drain(c->to_ingest);
    drain(c->to_consoles);
    message_free(c->ingest_quit);
    loop_free(c->ingest_loop);
    loop_free(c->loop);
}

static void on_ending(const struct expiry_file *f, int64_t days_left, const char *until) {
    LOG(days_left < 0 ? LOG_ERR : LOG_WARNING, "cert.expiring", KV("file", f->path), KV("what", expiry_kind_name(f->kind)),
        KV("days", days_left), KV("until", until));
}

static void watch_expiry(struct collector *c) {
    const struct settings *p = c->set;
    const struct expiry_file files[] = {
        {p->tls_cert, CERT_OWN}, {p->tls_ca, CERT_CA}, {p->operators_ca, CERT_CA}, {p->tls_crl, CERT_LIST}, {p->operators_crl, CERT_LIST}};
    expiry_start(&c->expiry, c->loop, files, COUNT_OF(files), on_ending);
}

int run_collector(const struct settings *set) {
    struct collector c = {.set = set};
    char why[WHY_BYTES] = "";
    LOG(LOG_NOTICE, "collector.started", KV("version", TRAWL_VERSION), KV("fleet", set->fleet), KV("store", set->store));
    enum err e = start(&c, why);
    if (e == ERR_OK) {
        watch_expiry(&c);
        LOG(LOG_NOTICE, "collector.ready", KV("agents", ingest_port(c.ingest)), KV("consoles", consoles_port(c.consoles)),
            KV("http", outside_port(c.outside)));
        notify_send("READY=1");
        e = loop_run(c.loop);
        notify_send("STOPPING=1");
    } else {
        LOG(LOG_ERR, "collector.failed", KV("why", *why ? why : err_text(e)));
    }
    stop(&c);
    LOG(LOG_NOTICE, "collector.stopped");
    return e == ERR_OK ? 0 : 1;
}

static enum err check_store(const struct settings *set, char *why) {
    struct stat st;
    if (stat(set->store, &st) != 0) {
        printf("store: %s does not exist yet and would be made\n", set->store);
        return ERR_OK;
    }
    AUTO(store_close) struct store *s = NULL;
    enum err e = store_open(set->store, STORE_READER, why, WHY_BYTES, &s);
    if (e != ERR_OK) return e;
    e = store_check(s, NULL, NULL);
    if (e != ERR_OK) snprintf(why, WHY_BYTES, "%s: %s", set->store, store_why(s));
    return e;
}

int run_check(const struct settings *set) {
    struct collector c = {.set = set, .loop = loop_new()};
    char why[WHY_BYTES] = "";
    struct trust *operators = NULL;
    enum err e = c.loop ? check_name(&c, why) : ERR_NOMEM;
    if (e == ERR_OK) e = sign_trust_load(set->operators_ca, settings_path(set->operators_crl), why, sizeof why, &operators);
    if (e == ERR_OK) e = doors_check(set, stdout, why, sizeof why);
    if (e == ERR_OK) e = check_store(set, why);
    sign_trust_free(operators);
    loop_free(c.loop);
    if (e != ERR_OK)
        fprintf(stderr, "trawl-collectord: %s\n", *why ? why : err_text(e));
    else
        printf("configuration, certificates, addresses and store are fine\n");
    return e == ERR_OK ? 0 : 1;
}
