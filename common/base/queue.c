#include "common/base/queue.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>

struct lane {
    struct queue_item *first, **end; /* end: where the next item is linked in */
    size_t n;
};

struct queue {
    pthread_mutex_t lock;
    struct lane ahead, rest;
    size_t cap;
    int event_fd; /* readable while items wait */
};

struct queue *queue_new(size_t cap) {
    struct queue *q = malloc(sizeof *q);
    if (!q) return NULL;
    *q = (struct queue){.cap = cap, .event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    q->ahead.end = &q->ahead.first;
    q->rest.end = &q->rest.first;
    if (q->event_fd >= 0 && pthread_mutex_init(&q->lock, NULL) == 0) return q;
    if (q->event_fd >= 0) close(q->event_fd);
    free(q);
    return NULL;
}

static size_t waiting(const struct queue *q) { return q->ahead.n + q->rest.n; }

void queue_free(struct queue *q) {
    if (!q) return;
    assert(waiting(q) == 0);
    pthread_mutex_destroy(&q->lock);
    close(q->event_fd);
    free(q);
}

/* ---- in ---- */
static bool push(struct queue *q, struct lane *l, struct queue_item *item, size_t cap) {
    pthread_mutex_lock(&q->lock);
    bool room = !cap || waiting(q) < cap;
    if (room) {
        if (waiting(q) == 0) IGNORED(eventfd_write(q->event_fd, 1) != 0); /* a counter at 0 always takes 1 */
        item->next = NULL;
        *l->end = item;
        l->end = &item->next;
        l->n++;
    }
    pthread_mutex_unlock(&q->lock);
    return room;
}

enum err queue_push(struct queue *q, struct queue_item *item) { return push(q, &q->rest, item, q->cap) ? ERR_OK : ERR_AGAIN; }

void queue_push_always(struct queue *q, struct queue_item *item) { push(q, &q->rest, item, 0); }

void queue_push_ahead(struct queue *q, struct queue_item *item) { push(q, &q->ahead, item, 0); }

/* ---- out ---- */
static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* The first n (not more than there are) become the end of a list.  Returns where that goes on. */
static struct queue_item **move(struct lane *l, size_t n, struct queue_item **to) {
    struct queue_item **cut = &l->first;
    if (n == 0) return to;
    if (n == l->n)
        cut = l->end;
    else
        for (size_t i = 0; i < n; i++) cut = &(*cut)->next;
    *to = l->first;
    l->first = *cut;
    *cut = NULL;
    l->n -= n;
    if (l->n == 0) l->end = &l->first;
    return cut;
}

struct queue_item *queue_take(struct queue *q, size_t most) {
    struct queue_item *items = NULL, **end = &items;
    eventfd_t count;
    pthread_mutex_lock(&q->lock);
    bool any = waiting(q) > 0;
    size_t ahead = smaller(q->ahead.n, most - smaller(q->rest.n, most / QUEUE_SHARE));
    end = move(&q->ahead, ahead, end);
    move(&q->rest, smaller(q->rest.n, most - ahead), end);
    if (any && waiting(q) == 0) IGNORED(eventfd_read(q->event_fd, &count) != 0); /* was written with the first item */
    pthread_mutex_unlock(&q->lock);
    return items;
}

int queue_fd(const struct queue *q) { return q->event_fd; }

size_t queue_waiting(struct queue *q) {
    pthread_mutex_lock(&q->lock);
    size_t n = waiting(q);
    pthread_mutex_unlock(&q->lock);
    return n;
}
