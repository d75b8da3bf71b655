#include "console/cli/doctor_fleet.h"

#include <stdarg.h>

#include "common/base/clock.h"
#include "common/crypto/cert.h"

enum { NAMED = 5, NAMES_BYTES = 800 };

/* The first few of the hosts that something is true of, each with a word about it. */
struct group {
    size_t n;
    char names[NAMES_BYTES];
};

__attribute__((format(printf, 3, 4))) static void add(struct group *g, const struct host_info *h, const char *fmt, ...) {
    char about[160];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(about, sizeof about, fmt, ap);
    va_end(ap);
    size_t used = strlen(g->names);
    if (g->n++ >= NAMED) return;
    snprintf(g->names + used, sizeof g->names - used, "%s%.*s%s%s%s", used ? ", " : "", (int)h->facts.host.n, h->facts.host.p,
             about[0] ? " (" : "", about, about[0] ? ")" : "");
}

static const char *rest(const struct group *g, char out[32]) {
    out[0] = '\0';
    if (g->n > NAMED) snprintf(out, 32, " and %zu more", g->n - NAMED);
    return out;
}

static void connections(struct doctor *d, const struct host_list *l) {
    struct group offline = {.n = 0};
    char more[32], when[32];
    for (size_t i = 0; i < l->n; i++)
        if (!l->hosts[i].online) add(&offline, &l->hosts[i], "last seen %s", clock_wall_text(l->hosts[i].seen_wall_ns, when));
    if (l->n == 0)
        doctor_say(d, DOCTOR_WARN, "hosts", "on a host: trawl doctor --agent /etc/trawl/agent.conf, then start its trawl-agent service",
                   "no agent has ever connected");
    else if (offline.n)
        doctor_say(d, DOCTOR_WARN, "hosts", "on each: trawl doctor --agent /etc/trawl/agent.conf", "%zu of %zu are offline: %s%s", offline.n,
                   l->n, offline.names, rest(&offline, more));
    else
        doctor_say(d, DOCTOR_OK, "hosts", NULL, "%zu, all online", l->n);
}

static void certificates(struct doctor *d, const struct host_list *l) {
    struct group ended = {.n = 0}, soon = {.n = 0};
    char more[32];
    uint64_t now = clock_wall_ns();
    for (size_t i = 0; i < l->n; i++) {
        const struct host_info *h = &l->hosts[i];
        int64_t days = cert_days_left(h->cert_expires_wall_ns, now);
        if (!h->cert_expires_wall_ns || days >= CERT_WARN_DAYS) continue;
        add(days < 0 ? &ended : &soon, h, "%lld d", (long long)days);
    }
    static const char remedy[] = "certs/trawl-certs DIR agent HOST --renew, hand them out, systemctl reload trawl-agent";
    if (ended.n) doctor_say(d, DOCTOR_FAIL, "agents' certificates", remedy, "%zu ended: %s%s", ended.n, ended.names, rest(&ended, more));
    if (soon.n)
        doctor_say(d, DOCTOR_WARN, "agents' certificates", remedy, "%zu end within %d days: %s%s", soon.n, CERT_WARN_DAYS, soon.names,
                   rest(&soon, more));
    if (!ended.n && !soon.n) doctor_say(d, DOCTOR_OK, "agents' certificates", NULL, "all good for %d days and more", CERT_WARN_DAYS);
}

static void tools(struct doctor *d, const struct host_list *l) {
    struct group none = {.n = 0}, replaying = {.n = 0};
    char more[32];
    for (size_t i = 0; i < l->n; i++) {
        const struct facts *f = &l->hosts[i].facts;
        size_t runnable = 0;
        struct span why = SPAN_NONE;
        for (size_t t = 0; t < f->n_tools; t++) {
            runnable += f->tools[t].runnable;
            if (!f->tools[t].runnable && why.n == 0) why = f->tools[t].why;
        }
        if (runnable == 0) add(&none, &l->hosts[i], "%.*s", (int)(why.n < 150 ? why.n : 150), why.n ? why.p : "");
        if (f->replayed) add(&replaying, &l->hosts[i], "%s", "");
    }
    if (none.n)
        doctor_say(d, DOCTOR_WARN, "tools", "install libbpf-tools there; trawl hosts -o json has the reasons", "%zu hosts can run nothing: %s%s",
                   none.n, none.names, rest(&none, more));
    else
        doctor_say(d, DOCTOR_OK, "tools", NULL, "every host can run something");
    if (replaying.n)
        doctor_say(d, DOCTOR_WARN, "replayed", "take tool_dir out of agent.conf, unless this is a demonstration",
                   "%zu hosts replay recordings instead of tracing: %s%s", replaying.n, replaying.names, rest(&replaying, more));
}

static void versions(struct doctor *d, const struct host_list *l) {
    struct group others = {.n = 0};
    char more[32];
    for (size_t i = 0; i < l->n; i++)
        if (!span_eq_str(l->hosts[i].facts.version, TRAWL_VERSION))
            add(&others, &l->hosts[i], "%.*s", (int)l->hosts[i].facts.version.n, l->hosts[i].facts.version.p);
    if (others.n)
        doctor_say(d, DOCTOR_WARN, "versions", "bring agents, collector and consoles to one version", "%zu agents are not of %s: %s%s", others.n,
                   TRAWL_VERSION, others.names, rest(&others, more));
    else
        doctor_say(d, DOCTOR_OK, "versions", NULL, "every agent is of %s", TRAWL_VERSION);
}

void doctor_fleet(struct doctor *d, const struct host_list *l) {
    connections(d, l);
    if (l->n == 0) return;
    certificates(d, l);
    tools(d, l);
    versions(d, l);
}
