/* What waits to be sent on one connection: frames in two lanes.  All interactive frames go before any bulk frame; within a lane the
 * order is kept.  Pure. */
#pragma once

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/net/frame.h"

enum { TXQ_FRAME_BYTES = 32 }; /* memory of a frame that waits, beside its payload */
struct txq_frame;
struct txq_lane {
    struct txq_frame *first, **last;
};
struct txq {
    struct txq_lane interactive, bulk;
    size_t message_bytes, control_bytes; /* memory of what waits */
    uint32_t sequence;                   /* of the next frame that leaves */
};

void txq_init(struct txq *q);
void txq_clear(struct txq *q); /* forgets all frames; the sequence goes on */
static inline size_t txq_bytes(const struct txq *q) { return q->message_bytes + q->control_bytes; }

/* Copies payload. */
NODISCARD enum err txq_push(struct txq *q, enum frame_type type, uint32_t stream, bool bulk, struct span payload);
/* Cut a message into frames, all of them or none. */
NODISCARD enum err txq_push_message(struct txq *q, uint32_t stream, bool bulk, struct span message);
struct txq_dropped {
    bool call;           /* its Call was among them: the peer will never hear of it */
    uint64_t bulk_bytes; /* of bulk messages */
};
/* Forget the frames of one stream. */
struct txq_dropped txq_drop(struct txq *q, uint32_t stream);
/* Append whole frames to out, at least one if there is any, until the next would make out larger than most_bytes. */
NODISCARD enum err txq_fill(struct txq *q, size_t most_bytes, struct buf *out);
