#include "agent/daemon/channel.h"

#include <fcntl.h>

#include "common/sys/fds.h"

static void on_ready(struct loop_watch *w, uint32_t events) {
    (void)events;
    struct channel *c = container_of(w, struct channel, watch);
    struct report r;
    int fds[2] = {-1, -1};
    size_t n = sizeof r, n_fds = 0;
    enum err e = fds_receive(w->fd, &r, &n, fds, COUNT_OF(fds), &n_fds);
    if (e == ERR_AGAIN) return;
    if (e || n != sizeof r || r.magic != REQUEST_MAGIC) {
        loop_remove(c->loop, w);
        for (size_t i = 0; i < n_fds; i++) close(fds[i]);
        c->gone(c);
        return;
    }
    r.why[sizeof r.why - 1] = '\0';
    r.binary[sizeof r.binary - 1] = '\0';
    c->report(c, &r, fds[0], fds[1]);
}

enum err channel_start(struct channel *c, struct loop *loop, int fd) {
    c->loop = loop;
    c->watch.ready = on_ready;
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return ERR_SYS;
    return loop_add(loop, &c->watch, fd, EPOLLIN);
}

static enum err ask(struct channel *c, const struct request *r) { return fds_send(c->watch.fd, r, sizeof *r, NULL, 0); }

static struct request request_of(enum request_kind kind, uint64_t run, enum tool_id tool, enum flavour_id flavour) {
    return (struct request){.magic = REQUEST_MAGIC, .kind = kind, .run = run, .tool = tool, .flavour = flavour};
}

enum err channel_run(struct channel *c, uint64_t run, enum tool_id tool, enum flavour_id flavour, uint32_t seconds,
                     const struct params *params) {
    struct request r = request_of(REQUEST_RUN, run, tool, flavour);
    r.seconds = seconds;
    for (size_t i = 0; i < params->n; i++) {
        r.params[i].id = params->p[i].id;
        r.params[i].number = params->p[i].number;
        memcpy(r.params[i].name, params->p[i].name, sizeof r.params[i].name);
    }
    return ask(c, &r);
}

enum err channel_stop(struct channel *c, uint64_t run) {
    struct request r = request_of(REQUEST_STOP, run, TOOL_NONE, FLAVOUR_ANY);
    return ask(c, &r);
}

enum err channel_probe(struct channel *c, uint64_t run, enum tool_id tool, enum flavour_id flavour) {
    struct request r = request_of(REQUEST_PROBE, run, tool, flavour);
    return ask(c, &r);
}

enum err channel_watch(struct channel *c, uint64_t alarm, const struct alarm_request *a) {
    struct request r = request_of(REQUEST_WATCH, alarm, TOOL_NONE, FLAVOUR_ANY);
    r.alarm = *a;
    return ask(c, &r);
}

enum err channel_unwatch(struct channel *c, uint64_t alarm) {
    struct request r = request_of(REQUEST_UNWATCH, alarm, TOOL_NONE, FLAVOUR_ANY);
    return ask(c, &r);
}
