#include "agent/runner/run.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "agent/runner/capable.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/sys/priv.h"

#define BIT(n) (1U << (n))

static const struct {
    const char *name;
    unsigned next;
} states[RUN__COUNT] = {
    [RUN_NEW] = {"new", BIT(RUN_ATTACHING)},
    [RUN_ATTACHING] = {"attaching", BIT(RUN_TRACING) | BIT(RUN_STOPPING) | BIT(RUN_CLEARING)},
    [RUN_TRACING] = {"tracing", BIT(RUN_STOPPING) | BIT(RUN_CLEARING)},
    [RUN_STOPPING] = {"stopping", BIT(RUN_CLEARING)},
    [RUN_CLEARING] = {"clearing", BIT(RUN_OVER)},
    [RUN_OVER] = {"over", 0},
};

/* How a tool is told to end.  SIGINT makes it print its summary, and can be swallowed, so it is sent again; SIGTERM loses what
 * the tool still holds; SIGKILL goes to the warden and so to everything.  The last step ends each table. */
struct stop_step {
    unsigned at_ms;
    int signal;
};
/* The end must come within three seconds of the deadline. */
static const struct stop_step stop_brisk[] = {{0, SIGINT}, {700, SIGINT}, {1500, SIGTERM}, {2200, SIGKILL}};
/* Python needs up to a second to hear of it, and stacks some to be named: a summary that is under way is worth waiting for. */
static const struct stop_step stop_patient[] = {{0, SIGINT},    {1000, SIGINT}, {2000, SIGINT},  {3000, SIGINT}, {4000, SIGINT},
                                                {5000, SIGINT}, {6000, SIGINT}, {8000, SIGTERM}, {9000, SIGKILL}};

/* A host that took long to put the probes in place takes long to take them away: the steps are stretched by that.  Not after a slow tool's
 * overrun, with which it would be more than the collector waits for (CAMPAIGN_SILENT_S), nor after somebody's stop (CAMPAIGN_STOP_S). */
enum { ATTACH_USUAL_MS = 1000, ATTACH_USUAL_SLOW_MS = 8000, STRETCH_MAX = 4, STRETCH_SLOW_MAX = 2 };

/* A tool that its argv bounds may take this much longer than asked before it is stopped: for its last print-out, in which bpftrace names
 * every frame and dies of a signal.  Then it is stopped briskly. */
enum { OVERRUN_MS = 2000, OVERRUN_SLOW_MS = 22000 };

enum { PROCESSES_MAX = 512 /* and threads, of a run */ };

static void move(struct run *r, enum run_state to) {
    assert(states[r->state].next & BIT(to));
    LOG(LOG_DEBUG, "run.moved", KV("run", r->number), KV("from", states[r->state].name), KV("to", states[to].name));
    r->state = to;
}

static void arm(struct run *r, uint64_t due_ns) {
    /* Without its timer a run has no deadline. */
    if (loop_timer_set(r->loop, &r->timer, due_ns) != ERR_OK) run_kill(r);
}

/* It makes its program first, which takes a second, and a slow or busy host minutes. */
static bool compiles(const struct flavour *f) { return f->script || f->id == FLAVOUR_BPFTRACE; }

static uint64_t attach_wait_ms(const struct flavour *f) { return compiles(f) ? ATTACH_WAIT_COMPILE_MS : ATTACH_WAIT_MS; }

static bool is_slow(const struct run *r) { return !r->replayed && (compiles(r->flavour) || r->tool->kind == RESULT_STACKS); }

static void send_signal(struct run *r, int signo) {
    if (signo == SIGKILL) {
        warden_kill(&r->spawned.warden);
        cgroup_kill(&r->group);
    } else
        kill(-r->spawned.tool, signo);
    r->end.last_stop_signal = (uint32_t)signo;
}

static void next_step(struct run *r) {
    const struct stop_step *s = &r->stop_steps[r->stop_at++];
    send_signal(r, s->signal);
    if (s->signal != SIGKILL) arm(r, r->stop_began_ns + r->stop_steps[r->stop_at].at_ms * r->stop_stretch * NS_PER_MS);
}

/* 1 as long as probes were not seen: then it is not known. */
static unsigned stretch_of(const struct run *r) {
    uint64_t took_ns = r->traced_ns - r->started_ns;
    if (r->state != RUN_TRACING || !r->attach.probes) return 1;
    return is_slow(r) ? attach_stretch(took_ns, ATTACH_USUAL_SLOW_MS, STRETCH_SLOW_MAX)
                      : attach_stretch(took_ns, ATTACH_USUAL_MS, STRETCH_MAX);
}

static void arm_brake(struct run *r) {
    /* Without it the run still has its deadline. */
    IGNORED(loop_timer_set(r->loop, &r->brake_timer, clock_mono_ns() + BRAKE_LOOK_MS * NS_PER_MS));
}

static void begin_stop(struct run *r, enum end_cause cause) {
    r->stop_stretch = cause == END_STOPPED || (cause == END_DEADLINE && !is_slow(r)) ? stretch_of(r) : 1;
    move(r, RUN_STOPPING);
    loop_timer_clear(r->loop, &r->brake_timer);
    r->end.cause = cause;
    r->stop_steps = is_slow(r) && cause != END_DEADLINE ? stop_patient : stop_brisk;
    r->stop_at = 0;
    r->stop_began_ns = clock_mono_ns();
    next_step(r);
}

static void attached(struct run *r, const char *why) {
    uint64_t allowed_ms = r->seconds * 1000ULL;
    if (r->flavour->end == END_BY_ARGV) allowed_ms += is_slow(r) ? OVERRUN_SLOW_MS : OVERRUN_MS;
    move(r, RUN_TRACING);
    r->traced_ns = clock_mono_ns();
    arm(r, r->traced_ns + allowed_ms * NS_PER_MS);
    arm_brake(r);
    struct report rep = {.magic = REQUEST_MAGIC, .kind = REPORT_ATTACHED, .run = r->number, .replayed = r->replayed};
    snprintf(rep.why, sizeof rep.why, "%s", why);
    snprintf(rep.binary, sizeof rep.binary, "%s", r->binary);
    r->report(r, &rep);
}

/* Its time begins all the same; its end says so, too, if nothing comes of it. */
static void give_up_looking(struct run *r) {
    snprintf(r->end.why, sizeof r->end.why, "its probes were not seen within %llu s: this host is too slow or busy for it",
             (unsigned long long)attach_wait_ms(r->flavour) / 1000);
    attached(r, r->end.why);
}

static void look(struct run *r) {
    uint64_t now = clock_mono_ns();
    if (r->replayed || attach_look(&r->attach, r->spawned.tool, now))
        attached(r, "");
    else if (now - r->started_ns >= attach_wait_ms(r->flavour) * NS_PER_MS)
        give_up_looking(r);
    else
        arm(r, now + ATTACH_POLL_MS * NS_PER_MS);
}

static void on_timer(struct loop_timer *t) {
    struct run *r = container_of(t, struct run, timer);
    switch (r->state) {
    case RUN_ATTACHING:
        look(r);
        break;
    case RUN_TRACING:
        begin_stop(r, r->flavour->end == END_BY_SIGINT ? END_STOPPED : END_DEADLINE);
        break;
    case RUN_STOPPING:
        next_step(r);
        break;
    case RUN_NEW:
    case RUN_CLEARING:
    case RUN_OVER:
    case RUN__COUNT:
        break;
    }
}

/* Only while it traces: before, a script compiles; after, a tool names what it has seen, for which its deadline is the limit. */
static void on_brake(struct loop_timer *t) {
    struct run *r = container_of(t, struct run, brake_timer);
    struct brake_look now;
    struct buf why;
    if (r->state != RUN_TRACING) return;
    brake_read("/proc", r->spawned.tool, clock_mono_ns(), &now);
    if (now.at_ns - r->traced_ns > r->seconds * NS_PER_S) return;
    buf_init(&why, sizeof r->end.why);
    if (brake_over(&r->brake, r->policy, &now, &why)) {
        snprintf(r->end.why, sizeof r->end.why, "%s", buf_str(&why));
        LOG(LOG_WARNING, "run.braked", KV("run", r->number), KV("tool", r->tool->name), KV("why", r->end.why));
        begin_stop(r, END_BRAKED);
    } else {
        arm_brake(r);
    }
    buf_done(&why);
}

static void note_end(struct run *r, int status, const struct rusage *u) {
    struct report *e = &r->end;
    e->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    e->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    e->wall_ns = clock_mono_ns() - r->started_ns;
    e->cpu_ns =
        (uint64_t)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * NS_PER_S + (uint64_t)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) * 1000;
    e->peak_rss_bytes = (uint64_t)u->ru_maxrss * 1024;
}

static void on_tool(struct loop_watch *w, uint32_t events) {
    struct run *r = container_of(w, struct run, tool_watch);
    (void)events;
    int status;
    struct rusage u;
    if (wait4(r->spawned.tool, &status, WNOHANG, &u) != r->spawned.tool) return;
    loop_remove(r->loop, &r->tool_watch);
    loop_timer_clear(r->loop, &r->timer);
    loop_timer_clear(r->loop, &r->brake_timer);
    close(TAKE_FD(r->spawned.tool_pidfd));
    note_end(r, status, &u);
    warden_kill(&r->spawned.warden); /* whatever it left behind holds its output open */
    move(r, RUN_CLEARING);
}

/* The last look at it: its processes are gone, its figures are not yet. */
static void close_group(struct run *r) {
    struct cgroup_figures f;
    struct report *e = &r->end;
    if (cgroup_read(&r->group, &f)) {
        if (f.cpu_ns) e->cpu_ns = f.cpu_ns;
        if (f.peak_bytes) e->peak_rss_bytes = f.peak_bytes;
        e->over_memory = f.oom_kills > 0;
    }
    cgroup_remove(r->groups, &r->group);
}

/* Nothing of the namespace is left.  The kernel shows this only after the tool, our child, was reaped. */
static void on_warden(struct loop_watch *w, uint32_t events) {
    struct run *r = container_of(w, struct run, warden_watch);
    (void)events;
    if (r->state != RUN_CLEARING) return;
    loop_remove(r->loop, &r->warden_watch);
    warden_reap(&r->spawned.warden);
    close_group(r);
    move(r, RUN_OVER);
    struct report end = r->end;
    r->report(r, &end);
}

static enum coverage coverage_of(enum err e) {
    if (e == ERR_NOTFOUND) return COVERAGE_INCAPABLE;
    return e == ERR_UNTRUSTED || e == ERR_REFUSED ? COVERAGE_REFUSED : COVERAGE_FAILED;
}

static enum err prepare(const struct admitted *a, const struct policy *p, struct kernel *k, struct verified *out, struct buf *why) {
    enum err e = verify_tool(p, a->flavour, out, why);
    if (e == ERR_SYS && why->n == 0) buf_add_fmt(why, "its binary cannot be checked: %s", strerror(errno));
    if (e) return e;
    e = out->replayed ? ERR_OK : capable_host(k, a->flavour, why);
    if (!e && !out->replayed) e = capable_params(&a->params, why);
    if (e) verify_done(out);
    return e;
}

enum err run_probe(const struct admitted *a, const struct policy *p, struct kernel *k, char out_binary[RUN_BINARY_BYTES],
                   enum coverage *out_end, struct buf *out_why) {
    struct verified v;
    enum err e = prepare(a, p, k, &v, out_why);
    if (e) {
        *out_end = coverage_of(e);
        return e;
    }
    snprintf(out_binary, RUN_BINARY_BYTES, "%.*s", RUN_BINARY_BYTES - 1, v.path);
    if (!v.replayed) capable_wrong(k, a->flavour, out_why);
    verify_done(&v);
    return ERR_OK;
}

/* The most CPU time that a run without a group may come to: its share of the longest that it may take. */
static uint64_t cpu_seconds(const struct admitted *a, uint64_t percent) {
    return ((a->seconds * 1000ULL + attach_wait_ms(a->flavour) + OVERRUN_SLOW_MS) * percent + 99999) / 100000;
}

/* What holds this run: its group as far as that has controllers, limits of its process elsewhere. */
static enum err set_ceilings(struct run *r, const struct admitted *a, const struct run_means *m, struct spawn_options *o, struct buf *why) {
    const struct policy *p = m->policy;
    const struct cgroup_ceilings c = {.memory_bytes = p->memory_bytes, .cpu_percent = p->cpu_percent, .processes = PROCESSES_MAX};
    struct ceilings *held = &r->end.ceilings;
    if (cgroup_make(&m->groups, r->number, &c, &r->group) != ERR_OK) {
        buf_add_fmt(why, "cannot make a cgroup for it: %s", strerror(errno));
        return ERR_SYS;
    }
    r->groups = &m->groups;
    o->group = &r->group;
    held->memory = m->groups.memory ? CEILING_CGROUP : a->flavour->script ? CEILING_NONE : CEILING_RLIMIT;
    held->memory_bytes = held->memory ? p->memory_bytes : 0;
    held->cpu = m->groups.cpu ? CEILING_CGROUP : CEILING_RLIMIT;
    held->cpu_percent = p->cpu_percent;
    /* Python with a compiler inside maps far more than it uses; such a limit would stop it at random. */
    o->memory_bytes = held->memory == CEILING_RLIMIT ? p->memory_bytes : 0;
    o->cpu_seconds = held->cpu == CEILING_RLIMIT ? cpu_seconds(a, p->cpu_percent) : 0;
    return ERR_OK;
}

static enum err spawn(struct run *r, const struct admitted *a, const struct run_means *m, const struct verified *v, struct buf *why) {
    struct spawn_options o = {.file = v, .env = a->flavour->env, .own_namespace = m->own_namespace, .view = view_of(m->policy)};
    /* A recording needs no privilege to be played. */
    o.capabilities = v->replayed ? 0 : capable_capabilities(a->flavour);
    enum err e = priv_user(m->policy->tool_user, &o.uid, &o.gid);
    if (e || o.uid == 0) {
        buf_add_fmt(why, "tool_user %s %s", m->policy->tool_user, e ? "does not exist" : "is root");
        return ERR_REFUSED;
    }
    if (a->flavour->as_root && !v->replayed) o.uid = o.gid = 0;
    AUTO(arena_free) struct arena *mem = arena_new(64 * 1024);
    const char *slash = strrchr(v->path, '/');
    const char *const *argv;
    e = mem ? catalog_argv(a->flavour, slash + 1, &a->params, a->seconds, mem, &argv) : ERR_NOMEM;
    if (e) {
        buf_add_str(why, err_text(e));
        return e;
    }
    o.argv = argv;
    e = set_ceilings(r, a, m, &o, why);
    if (!e) e = spawn_tool(&o, &r->spawned, why);
    if (e) cgroup_remove(&m->groups, &r->group);
    return e;
}

/* Now that it runs: who looks after it.  When nobody can, it must not run. */
static enum err watch(struct run *r) {
    r->timer.fired = on_timer;
    r->brake_timer.fired = on_brake;
    r->tool_watch = (struct loop_watch){.fd = -1, .ready = on_tool};
    r->warden_watch = (struct loop_watch){.fd = -1, .ready = on_warden};
    enum err e = loop_add(r->loop, &r->tool_watch, r->spawned.tool_pidfd, EPOLLIN);
    if (!e) e = loop_add(r->loop, &r->warden_watch, r->spawned.warden.pidfd, EPOLLIN);
    if (!e) e = loop_timer_set(r->loop, &r->timer, r->started_ns);
    if (!e) return ERR_OK;
    loop_remove(r->loop, &r->tool_watch);
    loop_remove(r->loop, &r->warden_watch);
    spawn_clear(&r->spawned);
    cgroup_remove(r->groups, &r->group);
    return e;
}

enum err run_start(struct run *r, const struct admitted *a, const struct run_means *m, int out_fds[2], enum coverage *out_end,
                   struct buf *out_why) {
    struct verified v;
    struct kernel *k = kernel_new();
    enum err e = k ? prepare(a, m->policy, k, &v, out_why) : ERR_NOMEM;
    kernel_free(k);
    if (!e) {
        r->group.dir = -1;
        r->end = (struct report){.magic = REQUEST_MAGIC, .kind = REPORT_ENDED, .run = r->number, .cause = END_BY_ITSELF};
        r->tool = a->tool;
        r->flavour = a->flavour;
        r->seconds = a->seconds;
        r->replayed = v.replayed;
        r->policy = m->policy;
        r->started_ns = r->attach.began_ns = clock_mono_ns();
        snprintf(r->binary, sizeof r->binary, "%.*s", RUN_BINARY_BYTES - 1, v.path);
        e = spawn(r, a, m, &v, out_why);
        verify_done(&v);
    }
    if (!e) {
        e = watch(r);
        if (e) buf_add_str(out_why, err_text(e));
    }
    if (e) {
        *out_end = coverage_of(e);
        return e;
    }
    out_fds[0] = TAKE_FD(r->spawned.out_fd);
    out_fds[1] = TAKE_FD(r->spawned.err_fd);
    r->end.replayed = r->replayed;
    memcpy(r->end.binary, r->binary, sizeof r->binary);
    move(r, RUN_ATTACHING);
    return ERR_OK;
}

void run_read(const struct run *r, struct cgroup_figures *out) {
    clockid_t clock;
    struct timespec used;
    if (cgroup_read(&r->group, out)) return;
    *out = (struct cgroup_figures){0};
    if (clock_getcpuclockid(r->spawned.tool, &clock) == 0 && clock_gettime(clock, &used) == 0)
        out->cpu_ns = (uint64_t)used.tv_sec * NS_PER_S + (uint64_t)used.tv_nsec;
}

void run_stop(struct run *r) {
    if (r->state == RUN_ATTACHING || r->state == RUN_TRACING) begin_stop(r, END_STOPPED_BY_REQUEST);
}

void run_kill(struct run *r) {
    if (r->state == RUN_OVER || r->state == RUN_CLEARING || r->state == RUN_NEW) return;
    loop_timer_clear(r->loop, &r->timer);
    loop_timer_clear(r->loop, &r->brake_timer);
    if (r->state != RUN_STOPPING) {
        move(r, RUN_STOPPING);
        r->end.cause = END_STOPPED_BY_REQUEST;
    }
    send_signal(r, SIGKILL);
}
