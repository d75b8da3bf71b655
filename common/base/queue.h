/* Hand-off of whole ownership between threads.  The only mutex of the product.
 * Items are embedded in what travels.  The receiving loop watches queue_fd() for EPOLLIN and then takes what waits.
 * Two lanes: what somebody waits for is pushed ahead of what comes in thousands. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base/auto.h"
#include "common/base/err.h"

struct queue_item {
    struct queue_item *next;
};

struct queue;

/* cap: items that may wait at once; 0: no cap. */
struct queue *queue_new(size_t cap);
void queue_free(struct queue *q); /* must be empty */
AUTO_TYPE(struct queue, queue_free)

/* takes item on success.  ERR_AGAIN: full.  Thread: any. */
NODISCARD enum err queue_push(struct queue *q, struct queue_item *item);
/* As queue_push, cap disregarded: for control messages that must get through. */
void queue_push_always(struct queue *q, struct queue_item *item);
/* As queue_push_always, and it is taken before what was not pushed ahead; those that were come in their order. */
void queue_push_ahead(struct queue *q, struct queue_item *item);
/* The first items in order, most (> 0) at most, linked by next; NULL when none.  Where others wait, one in QUEUE_SHARE of most is theirs,
 * so that who asks without end stops nobody.  The fd stays readable while any wait.  Thread: receiver. */
enum { QUEUE_SHARE = 4 };
struct queue_item *queue_take(struct queue *q, size_t most);
static inline struct queue_item *queue_take_all(struct queue *q) { return queue_take(q, SIZE_MAX); }
int queue_fd(const struct queue *q);
size_t queue_waiting(struct queue *q);
