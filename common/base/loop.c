#include "common/base/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/clock.h"

enum { BATCH = 64 };

struct loop {
    int epoll;
    bool stopped;
    struct epoll_event batch[BATCH]; /* what is being dispatched; removed watches are struck out */
    int batch_n, batch_at;
    struct loop_timer **heap; /* binary heap by due_ns, 1-based */
    size_t heap_n, heap_cap;
    struct loop_watch signals;
    loop_signal_fn *signal_fn;
    void *signal_arg;
};

struct loop *loop_new(void) {
    struct loop *l = calloc(1, sizeof *l);
    if (!l) return NULL;
    l->signals.fd = -1;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll < 0) {
        free(l);
        return NULL;
    }
    return l;
}

void loop_free(struct loop *l) {
    if (!l) return;
    if (l->signals.fd >= 0) close(l->signals.fd);
    close(l->epoll);
    free(l->heap);
    free(l);
}

static enum err control(struct loop *l, int op, struct loop_watch *w, int fd, uint32_t events) {
    struct epoll_event ev = {.events = events, .data = {.ptr = w}};
    return epoll_ctl(l->epoll, op, fd, &ev) < 0 ? ERR_SYS : ERR_OK;
}

enum err loop_add(struct loop *l, struct loop_watch *w, int fd, uint32_t events) {
    enum err e = control(l, EPOLL_CTL_ADD, w, fd, events);
    if (!e) w->fd = fd;
    return e;
}

enum err loop_modify(struct loop *l, struct loop_watch *w, uint32_t events) { return control(l, EPOLL_CTL_MOD, w, w->fd, events); }

void loop_remove(struct loop *l, struct loop_watch *w) {
    if (w->fd < 0) return;
    IGNORED(control(l, EPOLL_CTL_DEL, w, w->fd, 0)); /* it may be closed already, which removed it */
    w->fd = -1;
    for (int i = l->batch_at; i < l->batch_n; i++)
        if (l->batch[i].data.ptr == w) l->batch[i].data.ptr = NULL;
}

/* ---- timers ---- */

static void heap_put(struct loop *l, size_t at, struct loop_timer *t) {
    l->heap[at] = t;
    t->slot = at;
}

static void heap_up(struct loop *l, size_t at, struct loop_timer *t) {
    for (; at > 1 && l->heap[at / 2]->due_ns > t->due_ns; at /= 2) heap_put(l, at, l->heap[at / 2]);
    heap_put(l, at, t);
}

static void heap_down(struct loop *l, size_t at, struct loop_timer *t) {
    for (;;) {
        size_t child = 2 * at;
        if (child > l->heap_n) break;
        if (child < l->heap_n && l->heap[child + 1]->due_ns < l->heap[child]->due_ns) child++;
        if (l->heap[child]->due_ns >= t->due_ns) break;
        heap_put(l, at, l->heap[child]);
        at = child;
    }
    heap_put(l, at, t);
}

enum err loop_timer_set(struct loop *l, struct loop_timer *t, uint64_t due_ns) {
    loop_timer_clear(l, t);
    if (l->heap_n + 2 > l->heap_cap) {
        size_t cap = l->heap_cap ? 2 * l->heap_cap : 64;
        struct loop_timer **grown = reallocarray(l->heap, cap, sizeof(struct loop_timer *));
        if (!grown) return ERR_NOMEM;
        l->heap = grown;
        l->heap_cap = cap;
    }
    t->due_ns = due_ns;
    heap_up(l, ++l->heap_n, t);
    return ERR_OK;
}

void loop_timer_clear(struct loop *l, struct loop_timer *t) {
    size_t at = t->slot;
    if (at == 0) return;
    t->slot = 0;
    struct loop_timer *last = l->heap[l->heap_n--];
    if (last == t) return;
    if (at > 1 && l->heap[at / 2]->due_ns > last->due_ns)
        heap_up(l, at, last);
    else
        heap_down(l, at, last);
}

/* Fires what is due now; a timer that is set again while we are at it waits for the next turn. */
static void fire_due(struct loop *l) {
    uint64_t now = clock_mono_ns();
    while (l->heap_n > 0 && l->heap[1]->due_ns <= now && !l->stopped) {
        struct loop_timer *t = l->heap[1];
        loop_timer_clear(l, t);
        t->fired(t);
    }
}

static int wait_ms(const struct loop *l, int timeout_ms) {
    if (l->heap_n == 0) return timeout_ms;
    uint64_t now = clock_mono_ns(), due = l->heap[1]->due_ns;
    uint64_t ms = due <= now ? 0 : (due - now + NS_PER_MS - 1) / NS_PER_MS;
    if (timeout_ms >= 0 && ms > (uint64_t)timeout_ms) return timeout_ms;
    return ms > 3600000 ? 3600000 : (int)ms;
}

/* ---- signals ---- */

static void on_signals(struct loop_watch *w, uint32_t events) {
    (void)events;
    struct loop *l = container_of(w, struct loop, signals);
    struct signalfd_siginfo info;
    while (read(w->fd, &info, sizeof info) == (ssize_t)sizeof info) l->signal_fn((int)info.ssi_signo, l->signal_arg);
}

enum err loop_signals(struct loop *l, const sigset_t *set, loop_signal_fn *fn, void *arg) {
    if (sigprocmask(SIG_BLOCK, set, NULL) < 0) return ERR_SYS;
    int fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) return ERR_SYS;
    l->signal_fn = fn;
    l->signal_arg = arg;
    l->signals.ready = on_signals;
    enum err e = loop_add(l, &l->signals, fd, EPOLLIN);
    if (e) close(fd);
    return e;
}

/* ---- running ---- */

enum err loop_turn(struct loop *l, int timeout_ms) {
    int n = epoll_wait(l->epoll, l->batch, BATCH, wait_ms(l, timeout_ms));
    if (n < 0 && errno != EINTR) return ERR_SYS;
    l->batch_n = n < 0 ? 0 : n;
    for (l->batch_at = 0; l->batch_at < l->batch_n && !l->stopped;) {
        struct epoll_event ev = l->batch[l->batch_at++];
        struct loop_watch *w = ev.data.ptr;
        if (w) w->ready(w, ev.events);
    }
    l->batch_n = 0;
    fire_due(l);
    return ERR_OK;
}

enum err loop_run(struct loop *l) {
    l->stopped = false;
    while (!l->stopped) {
        enum err e = loop_turn(l, -1);
        if (e) return e;
    }
    return ERR_OK;
}

void loop_stop(struct loop *l) { l->stopped = true; }
