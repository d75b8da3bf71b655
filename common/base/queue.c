#include "common/base/queue.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>

struct queue {
    pthread_mutex_t lock;
    struct queue_item *first, **end, **end_ahead; /* where the next item is linked in, and the next that is pushed ahead */
    size_t waiting, ahead, cap;
    int event_fd; /* readable while items wait */
};

struct queue *queue_new(size_t cap) {
    struct queue *q = malloc(sizeof *q);
    if (!q) return NULL;
    *q = (struct queue){.cap = cap, .event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    q->end = q->end_ahead = &q->first;
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

static void link_in(struct queue *q, struct queue_item *item, struct queue_item **at) {
    item->next = *at;
    *at = item;
    if (q->end == at) q->end = &item->next;
    if (q->waiting++ == 0) IGNORED(eventfd_write(q->event_fd, 1) != 0); /* a counter at 0 always takes 1 */
}

static bool push(struct queue *q, struct queue_item *item, size_t cap) {
    pthread_mutex_lock(&q->lock);
    bool room = !cap || q->waiting < cap;
    if (room) link_in(q, item, q->end);
    pthread_mutex_unlock(&q->lock);
    return room;
}

enum err queue_push(struct queue *q, struct queue_item *item) { return push(q, item, q->cap) ? ERR_OK : ERR_AGAIN; }

void queue_push_always(struct queue *q, struct queue_item *item) { push(q, item, 0); }

void queue_push_ahead(struct queue *q, struct queue_item *item) {
    pthread_mutex_lock(&q->lock);
    link_in(q, item, q->end_ahead);
    q->end_ahead = &item->next;
    q->ahead++;
    pthread_mutex_unlock(&q->lock);
}

static void take_whole(struct queue *q) {
    eventfd_t count;
    if (q->waiting) IGNORED(eventfd_read(q->event_fd, &count) != 0); /* was written with the first item */
    q->first = NULL;
    q->end = q->end_ahead = &q->first;
    q->waiting = q->ahead = 0;
}

static void take_some(struct queue *q, size_t n) {
    struct queue_item **cut = &q->first;
    for (size_t i = 0; i < n; i++) cut = &(*cut)->next;
    q->first = *cut;
    *cut = NULL;
    q->waiting -= n;
    q->ahead -= n < q->ahead ? n : q->ahead;
    if (q->ahead == 0) q->end_ahead = &q->first;
}

struct queue_item *queue_take(struct queue *q, size_t most) {
    pthread_mutex_lock(&q->lock);
    struct queue_item *items = q->first;
    if (q->waiting <= most)
        take_whole(q);
    else
        take_some(q, most);
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
