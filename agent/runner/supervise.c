#include "agent/runner/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "agent/runner/agentd.h"
#include "agent/runner/alarm.h"
#include "agent/runner/budget.h"
#include "agent/runner/killswitch.h"
#include "agent/runner/run.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/sys/fds.h"
#include "common/sys/notify.h"
#include "common/sys/seccomp.h"

enum { AGENTD_STOP_MS = 5000 };

/* A run, and before it the wait between two looks at what the host counts. */
struct child {
    struct run run;
    struct supervise *owner;
    bool waiting;
    struct loop_timer wait;
    struct request asked;
    struct admitted admitted;
    struct rates_look before;
    uint64_t cost_ppm; /* as predicted; 0 while it waits */
    LIST_ENTRY(child) link;
};

struct supervise {
    const struct supervise_options *o;
    struct loop *loop;
    struct run_means means;
    struct kernel *kernel; /* while a row of probes is answered; NULL */
    int sock;
    struct loop_watch sock_watch;
    pid_t agentd; /* 0: not ours, or reaped */
    int agentd_pidfd;
    struct loop_watch agentd_watch;
    struct loop_timer agentd_timer;
    LIST_HEAD(, child) runs;
    size_t n_runs;
    struct killswitch killswitch;
    struct alarm alarm;
    bool ready; /* agentd has asked something: it has read its configuration, certificates and spool */
    bool ending;
    int result;
};

static void end_if_done(struct supervise *s) {
    if (s->ending && s->n_runs == 0 && s->agentd == 0) loop_stop(s->loop);
}

static void drop(struct child *c) {
    struct supervise *s = c->owner;
    loop_timer_clear(s->loop, &c->wait);
    LIST_REMOVE(c, link);
    free(c);
    s->n_runs--;
}

/* Everything is killed; the loop goes on until all of it was reaped. */
static void begin_end(struct supervise *s, int result, const char *why) {
    if (s->ending) return;
    s->ending = true;
    s->result = result;
    notify_send("STOPPING=1");
    LOG(result ? LOG_ERR : LOG_NOTICE, "runner.ending", KV("why", why), KV("runs", s->n_runs));
    for (struct child *next, *c = LIST_FIRST(&s->runs); c; c = next) {
        next = LIST_NEXT(c, link);
        if (c->waiting)
            drop(c);
        else
            run_kill(&c->run);
    }
    loop_remove(s->loop, &s->sock_watch);
    if (s->agentd > 0) {
        kill(s->agentd, SIGTERM);
        if (loop_timer_set(s->loop, &s->agentd_timer, clock_mono_ns() + AGENTD_STOP_MS * NS_PER_MS) != ERR_OK) kill(s->agentd, SIGKILL);
    }
    end_if_done(s);
}

static void tell(struct supervise *s, const struct report *what, const int *fds, size_t n_fds) {
    if (s->ending) return;
    enum err e = fds_send(s->sock, what, sizeof *what, fds, n_fds);
    /* Its queue holds hundreds: an agentd that does not read is as good as gone. */
    if (e) begin_end(s, 1, e == ERR_GONE ? "agentd is gone" : "agentd does not listen");
}

static void tell_refused(struct supervise *s, const struct request *r, enum err e, enum coverage end, struct buf *why) {
    const char *text = buf_str(why);
    struct report rep = {.magic = REQUEST_MAGIC, .kind = REPORT_REFUSED, .run = r->run, .refusal = e, .coverage = end};
    snprintf(rep.why, sizeof rep.why, "%s", text && text[0] ? text : err_text(e));
    LOG(LOG_NOTICE, "run.refused", KV("run", r->run), KV("tool", r->tool), KV("flavour", r->flavour), KV("why", rep.why));
    tell(s, &rep, NULL, 0);
}

static void on_report(struct run *r, const struct report *what) {
    struct child *c = container_of(r, struct child, run);
    struct supervise *s = c->owner;
    if (what->kind == REPORT_ENDED) {
        LOG(LOG_INFO, "run.ended", KV("run", what->run), KV("tool", r->tool->name), KV("exit", what->exit_code), KV("signal", what->signal),
            KV("cause", what->cause), KV("sent", what->last_stop_signal), KV("wall_ms", what->wall_ns / NS_PER_MS),
            KV("cpu_ms", what->cpu_ns / NS_PER_MS));
        drop(c);
    }
    tell(s, what, NULL, 0);
    end_if_done(s);
}

static struct child *find(struct supervise *s, uint64_t number) {
    struct child *c;
    LIST_FOREACH(c, &s->runs, link)
    if (c->run.number == number) return c;
    return NULL;
}

/* The host can afford it, so far as can be told: now it runs. */
static enum err start(struct child *c, enum coverage *end, struct buf *why) {
    struct supervise *s = c->owner;
    const struct admitted *a = &c->admitted;
    struct rates_look now;
    uint64_t spent_ppm = 0;
    struct child *other;
    int fds[2];
    LIST_FOREACH(other, &s->runs, link) spent_ppm += other->cost_ppm;
    rates_look("/proc", clock_mono_ns(), &now);
    enum err e = budget_allows(s->o->policy, a, &c->before, &now, spent_ppm, &c->cost_ppm, why);
    if (!e) e = run_start(&c->run, a, &s->means, fds, end, why);
    if (e) return e;
    LOG(LOG_INFO, "run.started", KV("run", c->run.number), KV("tool", a->tool->name), KV("flavour", catalog_flavour_name(a->flavour->id)),
        KV("seconds", a->seconds), KV("binary", c->run.binary), KV("pid", c->run.spawned.tool), KV("cost_ppm", c->cost_ppm));
    struct report rep = {.magic = REQUEST_MAGIC, .kind = REPORT_STARTED, .run = c->run.number, .replayed = c->run.replayed};
    memcpy(rep.binary, c->run.binary, sizeof rep.binary);
    tell(s, &rep, fds, 2);
    close(fds[0]);
    close(fds[1]);
    return ERR_OK;
}

static void on_waited(struct loop_timer *t) {
    struct child *c = container_of(t, struct child, wait);
    struct supervise *s = c->owner;
    struct buf why;
    buf_init(&why, 1024);
    enum coverage end = COVERAGE_REFUSED;
    c->waiting = false;
    enum err e = start(c, &end, &why);
    if (e) {
        tell_refused(s, &c->asked, e, end, &why);
        drop(c);
        end_if_done(s);
    }
    buf_done(&why);
}

static void stop(struct child *c) {
    if (!c->waiting) {
        run_stop(&c->run);
        return;
    }
    struct supervise *s = c->owner;
    struct buf why;
    buf_init(&why, 64);
    c->waiting = false;
    buf_add_str(&why, "stopped before it was started");
    tell_refused(s, &c->asked, ERR_REFUSED, COVERAGE_FAILED, &why);
    buf_done(&why);
    drop(c);
    end_if_done(s);
}

static void tell_switch(struct supervise *s) {
    tell(s, &(struct report){.magic = REQUEST_MAGIC, .kind = REPORT_SWITCH, .coverage = s->killswitch.thrown}, NULL, 0);
}

/* agentd hears of it first, so that it knows why its runs end. */
static void on_switch(struct killswitch *k) {
    struct supervise *s = container_of(k, struct supervise, killswitch);
    LOG(LOG_WARNING, k->thrown ? "killswitch.on" : "killswitch.off", KV("file", k->path), KV("runs", s->n_runs));
    tell_switch(s);
    for (struct child *next, *c = k->thrown ? LIST_FIRST(&s->runs) : NULL; c; c = next) {
        next = LIST_NEXT(c, link);
        stop(c);
    }
}

/* Asked for and admitted; started when the host's counters have been seen twice. */
static enum err take(struct supervise *s, const struct request *r, enum coverage *end, struct buf *why) {
    struct admitted a;
    if (killswitch_look(&s->killswitch)) {
        buf_add_fmt(why, "this host's kill switch %s is thrown", s->killswitch.path);
        return ERR_REFUSED;
    }
    enum err e = admit_run(r, s->o->policy, s->n_runs, clock_wall_ns(), &a, why);
    if (e) return e;
    if (find(s, r->run)) {
        buf_add_str(why, "a run of this number is under way");
        return ERR_REFUSED;
    }
    struct child *c = calloc(1, sizeof *c);
    uint64_t now = clock_mono_ns();
    *end = COVERAGE_FAILED;
    if (!c) return ERR_NOMEM;
    *c = (struct child){.owner = s, .waiting = true, .wait = {.fired = on_waited}, .asked = *r, .admitted = a};
    c->run = (struct run){.loop = s->loop, .report = on_report, .number = r->run};
    e = loop_timer_set(s->loop, &c->wait, s->o->policy->max_cost_ppm ? now + RATES_WINDOW_MS * NS_PER_MS : now);
    if (e) {
        free(c);
        return e;
    }
    if (s->o->policy->max_cost_ppm) rates_look("/proc", now, &c->before);
    LIST_INSERT_HEAD(&s->runs, c, link);
    s->n_runs++;
    return ERR_OK;
}

static void on_run(struct supervise *s, const struct request *r) {
    struct buf why;
    buf_init(&why, 1024);
    enum coverage end = COVERAGE_REFUSED;
    enum err e = take(s, r, &end, &why);
    if (e) tell_refused(s, r, e, end, &why);
    buf_done(&why);
}

static void on_probe(struct supervise *s, const struct request *r) {
    struct buf why;
    buf_init(&why, 1024);
    struct admitted a;
    enum coverage end = COVERAGE_REFUSED;
    enum err e = admit_probe(r, s->o->policy, &a, &why);
    struct report rep = {.magic = REQUEST_MAGIC, .kind = REPORT_CAPABLE, .run = r->run, .coverage = COVERAGE_OK};
    if (!s->kernel) s->kernel = kernel_new();
    if (!e) e = s->kernel ? run_probe(&a, s->o->policy, s->kernel, rep.binary, &end, &why) : ERR_NOMEM;
    rep.replayed = s->o->policy->tool_dir[0] != 0;
    const char *text = buf_str(&why);
    snprintf(rep.why, sizeof rep.why, "%s", text && text[0] ? text : e ? err_text(e) : "");
    if (e) {
        rep.refusal = e;
        rep.coverage = end;
    }
    tell(s, &rep, NULL, 0);
    buf_done(&why);
}

static void on_rang(struct alarm *a, uint64_t number) {
    struct supervise *s = container_of(a, struct supervise, alarm);
    tell(s, &(struct report){.magic = REQUEST_MAGIC, .kind = REPORT_ALARM, .run = number}, NULL, 0);
}

static void on_watch(struct supervise *s, const struct request *r) {
    struct report rep = {.magic = REQUEST_MAGIC, .kind = REPORT_ALARM, .run = r->run};
    enum err e = alarm_set(&s->alarm, r->run, &r->alarm, rep.why, sizeof rep.why);
    rep.refusal = e;
    if (!e) return;
    LOG(LOG_WARNING, "alarm.refused", KV("alarm", r->run), KV("why", rep.why));
    tell(s, &rep, NULL, 0);
}

static bool handle(struct supervise *s, const struct request *r) {
    if (r->magic != REQUEST_MAGIC || r->run == 0) return false;
    switch ((enum request_kind)r->kind) {
    case REQUEST_RUN:
        on_run(s, r);
        return true;
    case REQUEST_PROBE:
        on_probe(s, r);
        return true;
    case REQUEST_STOP: {
        struct child *c = find(s, r->run); /* none: it has just ended by itself */
        if (c) stop(c);
        return true;
    }
    case REQUEST_WATCH:
        on_watch(s, r);
        return true;
    case REQUEST_UNWATCH:
        alarm_clear(&s->alarm, r->run);
        return true;
    }
    return false;
}

static void on_sock(struct loop_watch *w, uint32_t events) {
    struct supervise *s = container_of(w, struct supervise, sock_watch);
    (void)events;
    while (!s->ending) {
        struct request r;
        size_t n = sizeof r, n_fds = 0;
        enum err e = fds_receive(s->sock, &r, &n, NULL, 0, &n_fds);
        if (e == ERR_AGAIN) break;
        if (e == ERR_GONE || e == ERR_SYS) { /* ECONNRESET: it died with our reports unread */
            begin_end(s, 1, "agentd is gone");
        } else if (e || n != sizeof r || !handle(s, &r)) {
            /* Whoever writes this is not our agentd any more. */
            LOG(LOG_ERR, "request.malformed", KV("bytes", n), KV("why", e ? err_text(e) : "not a request"));
            begin_end(s, 1, "agentd sent what is no request");
        } else if (!s->ready) {
            s->ready = true;
            if (s->killswitch.thrown) tell_switch(s);
            notify_send("READY=1"); /* by us: agentd and tools cannot speak for the service */
        }
    }
    kernel_free(TAKE(s->kernel));
}

static void on_agentd(struct loop_watch *w, uint32_t events) {
    struct supervise *s = container_of(w, struct supervise, agentd_watch);
    (void)events;
    int status;
    if (waitpid(s->agentd, &status, WNOHANG) != s->agentd) return;
    LOG(s->ending ? LOG_INFO : LOG_ERR, "agentd.ended", KV("exit", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
        KV("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0));
    loop_remove(s->loop, &s->agentd_watch);
    loop_timer_clear(s->loop, &s->agentd_timer);
    s->agentd = 0;
    begin_end(s, 1, "agentd is gone");
    end_if_done(s);
}

static void on_agentd_timer(struct loop_timer *t) {
    struct supervise *s = container_of(t, struct supervise, agentd_timer);
    if (s->agentd > 0) kill(s->agentd, SIGKILL);
}

static void on_signal(int signo, void *arg) {
    struct supervise *s = arg;
    if (signo == SIGHUP) {
        LOG(LOG_NOTICE, "runner.reload", KV("agentd", s->agentd));
        if (s->agentd > 0) kill(s->agentd, SIGHUP);
        return;
    }
    begin_end(s, 0, signo == SIGTERM ? "SIGTERM" : "SIGINT");
}

static enum err start_agentd(struct supervise *s, struct buf *why) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return ERR_SYS;
    AUTO_CLOSE int theirs = pair[1];
    s->sock = pair[0];
    enum err e = agentd_start(s->o->policy, s->o->config_path, theirs, &s->agentd, why);
    if (e) return e;
    s->agentd_pidfd = pidfd_open(s->agentd, 0);
    if (s->agentd_pidfd < 0) return ERR_SYS;
    return loop_add(s->loop, &s->agentd_watch, s->agentd_pidfd, EPOLLIN);
}

/* Before agentd is there, so that it is born where we go.  What the administrator named must be there; what a service manager may have
 * left is a gift. */
static enum err open_groups(struct supervise *s, struct buf *why) {
    const char *where = s->o->policy->cgroup;
    enum err e = cgroup_open(where, &s->means.groups, why);
    if (e && where[0] != '/') {
        LOG(LOG_WARNING, "runner.no_cgroup", KV("why", buf_str(why)));
        buf_reset(why);
        return ERR_OK;
    }
    if (!e)
        LOG(LOG_INFO, "runner.cgroup", KV("given", (unsigned)(s->means.groups.dir >= 0)), KV("memory", (unsigned)s->means.groups.memory),
            KV("cpu", (unsigned)s->means.groups.cpu));
    return e;
}

static enum err set_up(struct supervise *s, struct buf *why) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    s->loop = loop_new();
    s->means.own_namespace = warden_own_namespace();
    if (!s->loop) return ERR_NOMEM;
    if (s->means.own_namespace < 0) return ERR_SYS;
    enum err e = loop_signals(s->loop, &set, on_signal, s);
    if (!e) e = open_groups(s, why);
    if (!e && s->sock < 0) e = start_agentd(s, why);
    /* After agentd, which has a list of its own. */
    if (!e) e = seccomp_enter(SECCOMP_RUNNER);
    if (e) return e;
    s->alarm.rang = on_rang;
    alarm_init(&s->alarm, s->loop, "/proc/pressure");
    s->killswitch.changed = on_switch;
    if (killswitch_start(&s->killswitch, s->loop, s->o->policy->lockdown_file) != ERR_OK)
        LOG(LOG_WARNING, "killswitch.unwatched", KV("file", s->o->policy->lockdown_file), KV("why", strerror(errno)));
    /* Only our end: what agentd does with its own is its own matter. */
    if (fcntl(s->sock, F_SETFL, O_NONBLOCK) != 0) return ERR_SYS;
    return loop_add(s->loop, &s->sock_watch, s->sock, EPOLLIN);
}

int supervise_run(const struct supervise_options *o) {
    struct supervise s = {.o = o,
                          .means = {.policy = o->policy, .own_namespace = -1, .groups = {.dir = -1}},
                          .sock = o->sock,
                          .agentd_pidfd = -1,
                          .sock_watch = {.fd = -1, .ready = on_sock},
                          .agentd_watch = {.fd = -1, .ready = on_agentd},
                          .agentd_timer = {.fired = on_agentd_timer}};
    struct buf why;
    buf_init(&why, 1024);
    LIST_INIT(&s.runs);
    enum err e = set_up(&s, &why);
    if (e) {
        LOG(LOG_ERR, "runner.not_started", KV("why", buf_str(&why)), KV("error", e == ERR_SYS ? strerror(errno) : err_text(e)));
        s.result = 1;
    } else {
        LOG(LOG_NOTICE, "runner.started", KV("version", TRAWL_VERSION), KV("agentd", s.agentd));
        e = loop_run(s.loop);
        if (e) s.result = 1;
    }
    buf_done(&why);
    killswitch_stop(&s.killswitch);
    alarm_done(&s.alarm);
    if (s.loop) loop_free(s.loop);
    const int fds[] = {s.sock, s.agentd_pidfd, s.means.own_namespace};
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        if (fds[i] >= 0) close(fds[i]);
    cgroup_close(&s.means.groups);
    LOG(LOG_NOTICE, "runner.ended", KV("result", s.result));
    return s.result;
}
