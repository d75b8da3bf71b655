#include "common/base/queue.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct queue {
    pthread_mutex_t lock;
    struct queue_item *first, *last;
    size_t n, cap;
    int fd;
};

struct queue *queue_new(size_t cap) {
    struct queue *q = calloc(1, sizeof *q);
    if (!q) return NULL;
    q->cap = cap;
    q->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (q->fd < 0 || pthread_mutex_init(&q->lock, NULL) != 0) {
        if (q->fd >= 0) close(q->fd);
        free(q);
        return NULL;
    }
    return q;
}

void queue_free(struct queue *q) {
    if (!q) return;
    close(q->fd);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

static enum err push(struct queue *q, struct queue_item *item, size_t cap) {
    pthread_mutex_lock(&q->lock);
    bool full = cap && q->n >= cap, wake = !q->first;
    if (!full) {
        item->next = NULL;
        if (q->last)
            q->last->next = item;
        else
            q->first = item;
        q->last = item;
        q->n++;
    }
    pthread_mutex_unlock(&q->lock);
    if (full) return ERR_AGAIN;
    if (wake) eventfd_write(q->fd, 1); /* cannot block: the counter is far from its maximum */
    return ERR_OK;
}

enum err queue_push(struct queue *q, struct queue_item *item) { return push(q, item, q->cap); }
void queue_push_always(struct queue *q, struct queue_item *item) { IGNORED(push(q, item, 0)); /* without a cap it cannot fail */ }

struct queue_item *queue_take_all(struct queue *q) {
    eventfd_t ignored;
    eventfd_read(q->fd, &ignored); /* before taking: a push behind it signals again */
    pthread_mutex_lock(&q->lock);
    struct queue_item *all = q->first;
    q->first = q->last = NULL;
    q->n = 0;
    pthread_mutex_unlock(&q->lock);
    return all;
}

int queue_fd(const struct queue *q) { return q->fd; }

size_t queue_waiting(struct queue *q) {
    pthread_mutex_lock(&q->lock);
    size_t n = q->n;
    pthread_mutex_unlock(&q->lock);
    return n;
}
