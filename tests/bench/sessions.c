/* Many agents in one process, for load: each a real TLS session with its own certificate, answering orders with a recorded result.
 * Reading order: main → start → on_signal; an agent is sim_agent.c, what it answers sim_recording.c. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/sys/fds.h"
#include "tests/bench/sim_agent.h"
#include "tests/support/gen.h"

enum { WHY_BYTES = 512, HOSTS_MAX = 100000, FILES_PER_HOST = 4, FILES_OURS = 64, SLOW_MS = 5000 };

static const char usage[] =
    "usage: sessions --hosts N --certs DIR --collector HOST:PORT --recording FILE [--prefix h] [--first 1] [--tool NAME] [--seed S]\n"
    "                [--churn N] [--cut PERMILLE] [--slow PERMILLE] [--quiet] [--wait]\n"
    "\n"
    "N agents in one process, PREFIXn from n = FIRST.  DIR is trawl-certs' and has agents/PREFIXn.pem and .key.  Each order is answered,\n"
    "after its seconds, with the recording, its counts varied per host by the seed.  Of the agents N a second lose their connection\n"
    "(--churn), so many in a thousand parts are the last of their session (--cut), so many in a thousand agents give credit back 5 s late\n"
    "(--slow).  A line per second, and one when all are connected:\n"
    "  second=N connected=N running=N waiting=N opened=N lost=N failed=N orders=N parts=N acks=N trouble=N late_ms=P50,P99,MAX\n"
    "  (late_ms: from an order's signature to its agent)\n"
    "and, unless --quiet, one for each connection that ended: lost host=\"NAME\" why=\"TEXT\".  SIGHUP: all read their certificates again "
    "and dial anew.\n"
    "SIGTERM: a last line, and the end.  With --wait they dial only after SIGUSR1; a line \"ready\" says that all have read their files.\n";

struct sessions {
    const char *prefix, *certs, *collector, *recording_path, *tool;
    uint64_t hosts, first, seed, churn, cut_permille, slow_permille;
    bool quiet, wait;
    struct gen chance;
    struct buf fleet;
    struct loop *loop;
    struct sim_recording *recording;
    struct sim_counts counts;
    struct sim_ops ops;
    struct sim_agent **agents;
    size_t n_agents;
    struct loop_timer second;
    uint64_t began_ns;
};

/* ---- what it tells ---- */
/* So many in a thousand of the orders came at most so late. */
static unsigned late_ms(const struct sim_counts *c, uint64_t per_mille) {
    uint64_t all = 0, seen = 0;
    for (unsigned i = 0; i < SIM_LATE_MS; i++) all += c->late_ms[i];
    for (unsigned i = 0; i < SIM_LATE_MS; i++)
        if ((seen += c->late_ms[i]) * 1000 >= all * per_mille && seen) return i;
    return 0;
}

static void tell(const struct sessions *s) {
    const struct sim_counts *c = &s->counts;
    printf("second=%llu connected=%u running=%u waiting=%u opened=%llu lost=%llu failed=%llu orders=%llu parts=%llu acks=%llu trouble=%llu "
           "late_ms=%u,%u,%u\n",
           (unsigned long long)((clock_mono_ns() - s->began_ns) / NS_PER_S), c->connected, c->running, c->waiting,
           (unsigned long long)c->opened, (unsigned long long)c->lost, (unsigned long long)c->failed, (unsigned long long)c->orders,
           (unsigned long long)c->parts, (unsigned long long)c->acks, (unsigned long long)c->trouble, late_ms(c, 500), late_ms(c, 990),
           late_ms(c, 1000));
    fflush(stdout);
}

static void on_second(struct loop_timer *t) {
    struct sessions *s = container_of(t, struct sessions, second);
    for (uint64_t i = 0; i < s->churn; i++) sim_agent_cut(s->agents[gen_below(&s->chance, s->n_agents)]);
    tell(s);
    if (loop_timer_set(s->loop, t, t->due_ns + NS_PER_S)) loop_stop(s->loop);
}

static void on_agent_opened(struct sim_ops *ops, const char *host) {
    struct sessions *s = container_of(ops, struct sessions, ops);
    (void)host;
    if (s->counts.connected == s->hosts) tell(s); /* all are there: known at once */
}

static void on_agent_lost(struct sim_ops *ops, const char *host, struct span why) {
    if (container_of(ops, struct sessions, ops)->quiet) return;
    char shown[4 * LIMIT_REASON_BYTES + 1];
    log_escape(span_head(why, LIMIT_REASON_BYTES), shown, sizeof shown);
    printf("lost host=\"%s\" why=\"%s\"\n", host, shown);
    fflush(stdout);
}

/* ---- signals ---- */
static void reload(struct sessions *s) {
    char why[WHY_BYTES] = "";
    uint64_t began_ns = clock_mono_ns();
    size_t failed = 0;
    for (size_t i = 0; i < s->n_agents; i++)
        if (sim_agent_reload(s->agents[i], why, sizeof why)) failed++;
    printf("reloaded agents=%zu failed=%zu ms=%llu why=\"%s\"\n", s->n_agents - failed, failed,
           (unsigned long long)((clock_mono_ns() - began_ns) / NS_PER_MS), failed ? why : "");
    fflush(stdout);
}

static enum err dial(struct sessions *s, char *why) {
    enum err e = ERR_OK;
    for (size_t i = 0; !e && i < s->n_agents; i++) e = sim_agent_dial(s->agents[i]);
    if (e) snprintf(why, WHY_BYTES, "%s: %s", s->collector, err_text(e));
    s->began_ns = clock_mono_ns();
    return e;
}

static void dial_late(struct sessions *s) {
    char why[WHY_BYTES];
    if (!s->wait) return;
    s->wait = false;
    if (dial(s, why) == ERR_OK) return;
    fprintf(stderr, "sessions: %s\n", why);
    loop_stop(s->loop);
}

static void on_signal(int signo, void *arg) {
    struct sessions *s = arg;
    if (signo == SIGHUP)
        reload(s);
    else if (signo == SIGUSR1)
        dial_late(s);
    else
        loop_stop(s->loop);
}

static enum err take_signals(struct sessions *s) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    signal(SIGPIPE, SIG_IGN);
    return loop_signals(s->loop, &set, on_signal, s);
}

/* ---- start and end ---- */
/* A socket and an eventfd each, and what nng needs. */
static bool room_for_files(const struct sessions *s, char *why) {
    struct rlimit have;
    rlim_t want = s->hosts * FILES_PER_HOST + FILES_OURS;
    if (getrlimit(RLIMIT_NOFILE, &have) == 0 && have.rlim_cur < want) {
        have.rlim_cur = want;
        if (have.rlim_max < want) have.rlim_max = want;
        if (setrlimit(RLIMIT_NOFILE, &have) != 0) {
            snprintf(why, WHY_BYTES, "%llu open files are needed and not allowed: %s", (unsigned long long)want, strerror(errno));
            return false;
        }
    }
    return true;
}

static enum err read_fleet(struct sessions *s, char *why) {
    char path[4096];
    snprintf(path, sizeof path, "%s/fleet", s->certs);
    buf_init(&s->fleet, LIMIT_NAME_BYTES + 2);
    enum err e = fds_read_file(path, &s->fleet);
    if (e) {
        snprintf(why, WHY_BYTES, "%s: has no readable file \"fleet\"; is it a folder that trawl-certs made?", s->certs);
        return e;
    }
    s->fleet.n = span_trim(buf_span(&s->fleet)).n;
    return ERR_OK;
}

static enum err start_agent(struct sessions *s, unsigned number, char *why) {
    char host[LIMIT_NAME_BYTES + 1];
    snprintf(host, sizeof host, "%s%u", s->prefix, number);
    const char *fleet = buf_str(&s->fleet);
    const struct sim_options opt = {.loop = s->loop,
                                    .recording = s->recording,
                                    .counts = &s->counts,
                                    .ops = &s->ops,
                                    .certs = s->certs,
                                    .collector = s->collector,
                                    .fleet = fleet ? fleet : "",
                                    .host = host,
                                    .number = number,
                                    .seed = s->seed,
                                    .slow_ms = gen_below(&s->chance, 1000) < s->slow_permille ? SLOW_MS : 0,
                                    .cut_permille = (unsigned)s->cut_permille};
    enum err e = sim_agent_new(&opt, why, WHY_BYTES, &s->agents[s->n_agents]);
    if (!e) s->n_agents++;
    return e;
}

static enum err start(struct sessions *s, char *why) {
    snprintf(why, WHY_BYTES, "%s", err_text(ERR_NOMEM));
    s->loop = loop_new();
    s->agents = calloc(s->hosts, sizeof(struct sim_agent *));
    if (!s->loop || !s->agents) return ERR_NOMEM;
    enum err e = take_signals(s); /* before nng makes threads */
    if (e) return e;
    if (!room_for_files(s, why)) return ERR_LIMIT;
    e = read_fleet(s, why);
    if (!e) e = sim_recording_load(s->recording_path, s->tool, why, WHY_BYTES, &s->recording);
    gen_seed(&s->chance, s->seed);
    for (uint64_t i = 0; !e && i < s->hosts; i++) e = start_agent(s, (unsigned)(s->first + i), why);
    s->began_ns = clock_mono_ns();
    if (!e && s->wait) {
        puts("ready");
        fflush(stdout);
    }
    if (!e && !s->wait) e = dial(s, why);
    s->second = (struct loop_timer){.fired = on_second};
    return e ? e : loop_timer_set(s->loop, &s->second, s->began_ns + NS_PER_S);
}

static void stop(struct sessions *s) {
    for (size_t i = 0; i < s->n_agents; i++) sim_agent_free(s->agents[i]);
    free(s->agents);
    if (s->recording) sim_recording_free(s->recording);
    if (s->loop) loop_free(s->loop);
    buf_done(&s->fleet);
}

static bool take_option(struct sessions *s, int o, const char *value) {
    switch (o) {
    case 'h':
        return span_u64(span_str(value), &s->hosts) && s->hosts > 0 && s->hosts <= HOSTS_MAX;
    case 'f':
        return span_u64(span_str(value), &s->first) && s->first <= HOSTS_MAX;
    case 's':
        return span_u64(span_str(value), &s->seed);
    case 'C':
        return span_u64(span_str(value), &s->churn);
    case 'x':
        return span_u64(span_str(value), &s->cut_permille) && s->cut_permille <= 1000;
    case 'l':
        return span_u64(span_str(value), &s->slow_permille) && s->slow_permille <= 1000;
    case 'w':
        s->wait = true;
        return true;
    case 'q':
        s->quiet = true;
        return true;
    case 'p':
        s->prefix = value;
        return strlen(value) < LIMIT_NAME_BYTES - 6;
    case 'd':
        s->certs = value;
        return true;
    case 'c':
        s->collector = value;
        return true;
    case 'r':
        s->recording_path = value;
        return true;
    case 't':
        s->tool = value;
        return true;
    default:
        return false;
    }
}

static bool read_options(struct sessions *s, int argc, char **argv) {
    static const struct option options[] = {{"hosts", required_argument, NULL, 'h'},
                                            {"prefix", required_argument, NULL, 'p'},
                                            {"certs", required_argument, NULL, 'd'},
                                            {"collector", required_argument, NULL, 'c'},
                                            {"recording", required_argument, NULL, 'r'},
                                            {"tool", required_argument, NULL, 't'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"first", required_argument, NULL, 'f'},
                                            {"churn", required_argument, NULL, 'C'},
                                            {"cut", required_argument, NULL, 'x'},
                                            {"slow", required_argument, NULL, 'l'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {"wait", no_argument, NULL, 'w'},
                                            {0}};
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;)
        if (!take_option(s, o, optarg)) return false;
    return optind == argc && s->hosts && s->certs && s->collector && s->recording_path;
}

int main(int argc, char **argv) {
    struct sessions s = {.prefix = "h", .first = 1, .seed = 1, .ops = {.opened = on_agent_opened, .lost = on_agent_lost}};
    char why[WHY_BYTES] = "";
    if (!read_options(&s, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    enum err e = start(&s, why);
    if (e) {
        fprintf(stderr, "sessions: %s\n", why);
    } else {
        e = loop_run(s.loop);
        tell(&s);
    }
    stop(&s);
    return e ? 1 : 0;
}
