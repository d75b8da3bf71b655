#include "common/base/queue.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>

struct queue {
    pthread_mutex_t lock;
    struct queue_item *first, **end; /* end: where the next item is linked in */
    size_t waiting, cap;
    int event_fd; /* readable while items wait */
};

struct queue *queue_new(size_t cap) {
    struct queue *q = malloc(sizeof *q);
    if (!q) return NULL;
    *q = (struct queue){.cap = cap, .event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    q->end = &q->first;
    if (q->event_fd >= 0 && pthread_mutex_init(&q->lock, NULL) == 0) return q;
    if (q->event_fd >= 0) close(q->event_fd);
    free(q);
    return NULL;
}

void queue_free(struct queue *q) {
    if (!q) return;
    assert(!q->first);
    pthread_mutex_destroy(&q->lock);
    close(q->event_fd);
    free(q);
}

static bool push(struct queue *q, struct queue_item *item, size_t cap) {
    pthread_mutex_lock(&q->lock);
    bool room = !cap || q->waiting < cap;
    if (room) {
        item->next = NULL;
        *q->end = item;
        q->end = &item->next;
        if (q->waiting++ == 0) IGNORED(eventfd_write(q->event_fd, 1) != 0); /* a counter at 0 always takes 1 */
    }
    pthread_mutex_unlock(&q->lock);
    return room;
}

enum err queue_push(struct queue *q, struct queue_item *item) { return push(q, item, q->cap) ? ERR_OK : ERR_AGAIN; }

void queue_push_always(struct queue *q, struct queue_item *item) { push(q, item, 0); }

struct queue_item *queue_take_all(struct queue *q) {
    eventfd_t count;
    pthread_mutex_lock(&q->lock);
    struct queue_item *items = q->first;
    q->first = NULL;
    q->end = &q->first;
    if (q->waiting) IGNORED(eventfd_read(q->event_fd, &count) != 0); /* was written with the first item */
    q->waiting = 0;
    pthread_mutex_unlock(&q->lock);
    return items;
}

int queue_fd(const struct queue *q) { return q->event_fd; }

size_t queue_waiting(struct queue *q) {
    pthread_mutex_lock(&q->lock);
    size_t n = q->waiting;
    pthread_mutex_unlock(&q->lock);
    return n;
}
