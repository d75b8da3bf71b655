#include "common/base/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <sys/signalfd.h>

#include "common/base/clock.h"

enum { BATCH = 64, FIRST_TIMERS = 16 };

struct loop {
    int epoll_fd;
    bool stop, turning;
    struct epoll_event batch[BATCH]; /* of the turn that is on; a removed watch is NULL in it */
    size_t batch_n;
    struct loop_timer **heap; /* [1..timers]: the earliest first, each not later than its children 2i and 2i+1 */
    size_t timers, heap_size;
    struct loop_watch signals;
    loop_signal_fn *signal_fn;
    void *signal_arg;
};

struct loop *loop_new(void) {
    struct loop *l = calloc(1, sizeof *l);
    if (!l) return NULL;
    l->signals.fd = -1;
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll_fd >= 0) return l;
    free(l);
    return NULL;
}

void loop_free(struct loop *l) {
    if (!l) return;
    if (l->signals.fd >= 0) close(l->signals.fd);
    close(l->epoll_fd);
    free(l->heap);
    free(l);
}

enum err loop_add(struct loop *l, struct loop_watch *w, int fd, uint32_t events) {
    struct epoll_event ev = {.events = events, .data = {.ptr = w}};
    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0) return ERR_SYS;
    w->fd = fd;
    return ERR_OK;
}

enum err loop_modify(struct loop *l, struct loop_watch *w, uint32_t events) {
    struct epoll_event ev = {.events = events, .data = {.ptr = w}};
    return epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, w->fd, &ev) < 0 ? ERR_SYS : ERR_OK;
}

void loop_remove(struct loop *l, struct loop_watch *w) {
    if (w->fd < 0) return;
    IGNORED(epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL) != 0); /* was not in it: the same outcome */
    w->fd = -1;
    for (size_t i = 0; i < l->batch_n; i++)
        if (l->batch[i].data.ptr == w) l->batch[i].data.ptr = NULL;
}

static void heap_put(struct loop *l, size_t slot, struct loop_timer *t) {
    l->heap[slot] = t;
    t->slot = slot;
}

/* Bring t, whose place is slot, to where it belongs. */
static void heap_settle(struct loop *l, size_t slot, struct loop_timer *t) {
    for (; slot > 1 && t->due_ns < l->heap[slot / 2]->due_ns; slot /= 2) heap_put(l, slot, l->heap[slot / 2]);
    for (size_t child; (child = 2 * slot) <= l->timers; slot = child) {
        if (child < l->timers && l->heap[child + 1]->due_ns < l->heap[child]->due_ns) child++;
        if (t->due_ns <= l->heap[child]->due_ns) break;
        heap_put(l, slot, l->heap[child]);
    }
    heap_put(l, slot, t);
}

enum err loop_timer_set(struct loop *l, struct loop_timer *t, uint64_t due_ns) {
    if (!t->slot && l->timers + 1 >= l->heap_size) {
        size_t size = l->heap_size ? 2 * l->heap_size : FIRST_TIMERS;
        struct loop_timer **heap = reallocarray(l->heap, size, sizeof(struct loop_timer *));
        if (!heap) return ERR_NOMEM;
        l->heap = heap;
        l->heap_size = size;
    }
    t->due_ns = due_ns;
    heap_settle(l, t->slot ? t->slot : ++l->timers, t);
    return ERR_OK;
}

void loop_timer_clear(struct loop *l, struct loop_timer *t) {
    size_t slot = t->slot;
    if (!slot) return;
    t->slot = 0;
    struct loop_timer *last = l->heap[l->timers--];
    if (last != t) heap_settle(l, slot, last);
}

static void signal_ready(struct loop_watch *w, uint32_t events) {
    (void)events;
    struct loop *l = container_of(w, struct loop, signals);
    struct signalfd_siginfo info;
    if (read(w->fd, &info, sizeof info) == (ssize_t)sizeof info) l->signal_fn((int)info.ssi_signo, l->signal_arg);
}

enum err loop_signals(struct loop *l, const sigset_t *set, loop_signal_fn *fn, void *arg) {
    assert(l->signals.fd < 0);
    AUTO_CLOSE int fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0 || pthread_sigmask(SIG_BLOCK, set, NULL) != 0) return ERR_SYS;
    l->signals.ready = signal_ready;
    l->signal_fn = fn;
    l->signal_arg = arg;
    enum err e = loop_add(l, &l->signals, fd, EPOLLIN);
    if (e) return e;
    fd = -1; /* the watch has it now */
    return ERR_OK;
}

/* How long epoll may wait: rounded up, so that a timer is due when it returns. */
static int wait_ms(const struct loop *l, int timeout_ms) {
    if (!l->timers) return timeout_ms;
    uint64_t now = clock_mono_ns(), due = l->heap[1]->due_ns;
    uint64_t ms = due > now ? (due - now) / NS_PER_MS + ((due - now) % NS_PER_MS != 0) : 0;
    if (timeout_ms >= 0 && ms > (uint64_t)timeout_ms) return timeout_ms;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

static void fire_due_timers(struct loop *l) {
    uint64_t now = clock_mono_ns();
    /* No more than there are now: one that arms itself for a moment that is past waits for the next turn. */
    for (size_t left = l->timers; left && l->timers && l->heap[1]->due_ns <= now; left--) {
        struct loop_timer *t = l->heap[1];
        loop_timer_clear(l, t);
        t->fired(t);
    }
}

enum err loop_turn(struct loop *l, int timeout_ms) {
    assert(!l->turning); /* a callback does not turn its own loop */
    int n = epoll_wait(l->epoll_fd, l->batch, BATCH, wait_ms(l, timeout_ms));
    if (n < 0 && errno != EINTR) return ERR_SYS;
    l->turning = true;
    l->batch_n = n > 0 ? (size_t)n : 0;
    for (size_t i = 0; i < l->batch_n; i++) {
        struct loop_watch *w = l->batch[i].data.ptr;
        if (w) w->ready(w, l->batch[i].events);
    }
    l->batch_n = 0;
    fire_due_timers(l);
    l->turning = false;
    return ERR_OK;
}

enum err loop_run(struct loop *l) {
    enum err e = ERR_OK;
    while (!l->stop && !e) e = loop_turn(l, -1);
    l->stop = false;
    return e;
}

void loop_stop(struct loop *l) { l->stop = true; }
