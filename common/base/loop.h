/* One thread's event loop: file descriptors, timers, and a stop.  epoll underneath.
 * A watch or timer is embedded in its owner, which gets itself back by container_of.  Callbacks run from loop_run only,
 * never from inside loop_add and the like.  A callback may remove any watch or timer, its own included, and free its owner.
 * Thread: the one that calls loop_run; nothing here may be called from another. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "common/base/auto.h"
#include "common/base/err.h"

struct loop;

struct loop_watch {
    int fd;                                               /* -1: not in a loop; set so by the owner at first */
    void (*ready)(struct loop_watch *w, uint32_t events); /* EPOLLIN | EPOLLOUT | EPOLLHUP | EPOLLERR */
};

struct loop_timer {
    uint64_t due_ns; /* clock_mono_ns() time */
    void (*fired)(struct loop_timer *t);
    size_t slot; /* 0: not armed */
};

struct loop *loop_new(void);
void loop_free(struct loop *l);
AUTO_TYPE(struct loop, loop_free)

/* w->ready is set by the caller; w->fd is set here.  The descriptor stays the caller's. */
NODISCARD enum err loop_add(struct loop *l, struct loop_watch *w, int fd, uint32_t events);
NODISCARD enum err loop_modify(struct loop *l, struct loop_watch *w, uint32_t events);
void loop_remove(struct loop *l, struct loop_watch *w); /* harmless when not added; do it before closing the fd */

/* (Re)arm.  Fires once.  ERR_NOMEM. */
NODISCARD enum err loop_timer_set(struct loop *l, struct loop_timer *t, uint64_t due_ns);
void loop_timer_clear(struct loop *l, struct loop_timer *t);

/* Block the signals and deliver them to fn.  Call before threads are made.  Once per loop. */
typedef void loop_signal_fn(int signo, void *arg);
NODISCARD enum err loop_signals(struct loop *l, const sigset_t *set, loop_signal_fn *fn, void *arg);

/* Runs until loop_stop.  ERR_SYS when epoll fails. */
NODISCARD enum err loop_run(struct loop *l);
/* One turn: waits at most timeout_ms (-1: for ever) for something and handles all of it.  ERR_OK also
 * when nothing came.  Never from a callback.  For clients that wait for one answer. */
NODISCARD enum err loop_turn(struct loop *l, int timeout_ms);
void loop_stop(struct loop *l);
