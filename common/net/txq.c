#include "common/net/txq.h"

#include <stdlib.h>

struct txq_frame {
    struct txq_frame *next;
    struct frame head;
    char bytes[];
};

static void lane_init(struct txq_lane *l) {
    l->first = NULL;
    l->last = &l->first;
}

void txq_init(struct txq *q) {
    *q = (struct txq){0};
    lane_init(&q->interactive);
    lane_init(&q->bulk);
}

static size_t *counter(struct txq *q, const struct txq_frame *f) {
    return f->head.type == FRAME_MESSAGE ? &q->message_bytes : &q->control_bytes;
}

static size_t size_of(const struct txq_frame *f) { return FRAME_HEADER_BYTES + (size_t)f->head.length; }

/* What it takes while it waits: many small ones cost more than their bytes. */
_Static_assert(sizeof(struct txq_frame) <= TXQ_FRAME_BYTES, "a frame that waits takes more than it counts");
static size_t cost_of(const struct txq_frame *f) { return TXQ_FRAME_BYTES + (size_t)f->head.length; }

static void append(struct txq *q, struct txq_lane *l, struct txq_frame *f) {
    f->next = NULL;
    *l->last = f;
    l->last = &f->next;
    *counter(q, f) += cost_of(f);
}

/* Unlink and free the frame that *at points to. */
static void take_out(struct txq *q, struct txq_lane *l, struct txq_frame **at) {
    struct txq_frame *f = *at;
    *at = f->next;
    if (l->last == &f->next) l->last = at;
    *counter(q, f) -= cost_of(f);
    free(f);
}

static void drop_in(struct txq *q, struct txq_lane *l, uint32_t stream, bool all, struct txq_dropped *out) {
    for (struct txq_frame **at = &l->first; *at;) {
        const struct frame *head = &(*at)->head;
        if (all || head->stream == stream) {
            out->call |= head->type == FRAME_CALL;
            if (head->type == FRAME_MESSAGE && head->flags & FRAME_BULK) out->bulk_bytes += head->length;
            take_out(q, l, at);
        } else {
            at = &(*at)->next;
        }
    }
}

void txq_clear(struct txq *q) {
    struct txq_dropped dropped = {0};
    drop_in(q, &q->interactive, 0, true, &dropped);
    drop_in(q, &q->bulk, 0, true, &dropped);
}

struct txq_dropped txq_drop(struct txq *q, uint32_t stream) {
    struct txq_dropped dropped = {0};
    drop_in(q, &q->interactive, stream, false, &dropped);
    drop_in(q, &q->bulk, stream, false, &dropped);
    return dropped;
}

static struct txq_frame *make(enum frame_type type, uint8_t flags, uint32_t stream, struct span payload) {
    struct txq_frame *f = malloc(sizeof *f + payload.n);
    if (!f) return NULL;
    f->head = (struct frame){.length = (uint32_t)payload.n, .type = type, .flags = flags, .stream = stream};
    if (payload.n) memcpy(f->bytes, payload.p, payload.n);
    return f;
}

enum err txq_push(struct txq *q, enum frame_type type, uint32_t stream, bool bulk, struct span payload) {
    struct txq_frame *f = make(type, 0, stream, payload);
    if (!f) return ERR_NOMEM;
    append(q, bulk ? &q->bulk : &q->interactive, f);
    return ERR_OK;
}

enum err txq_push_message(struct txq *q, uint32_t stream, bool bulk, struct span message) {
    struct txq_frame *made = NULL, **last = &made;
    do {
        struct span piece = span_head(message, LIMIT_FRAME_BYTES);
        message = span_drop(message, piece.n);
        uint8_t flags = (uint8_t)((bulk ? FRAME_BULK : 0) | (message.n ? FRAME_MORE : 0));
        struct txq_frame *f = make(FRAME_MESSAGE, flags, stream, piece);
        if (!f) goto fail;
        f->next = NULL;
        *last = f;
        last = &f->next;
    } while (message.n);
    while (made) {
        struct txq_frame *f = made;
        made = f->next;
        append(q, bulk ? &q->bulk : &q->interactive, f);
    }
    return ERR_OK;
fail:
    while (made) {
        struct txq_frame *f = made;
        made = f->next;
        free(f);
    }
    return ERR_NOMEM;
}

enum err txq_fill(struct txq *q, size_t most_bytes, struct buf *out) {
    for (;;) {
        struct txq_lane *l = q->interactive.first ? &q->interactive : &q->bulk;
        struct txq_frame *f = l->first;
        if (!f || (out->n && out->n + size_of(f) > most_bytes)) return ERR_OK;
        char *to = buf_reserve(out, size_of(f));
        if (!to) return buf_failed(out);
        f->head.sequence = q->sequence++;
        frame_encode(&f->head, to);
        if (f->head.length) memcpy(to + FRAME_HEADER_BYTES, f->bytes, f->head.length);
        buf_grew(out, size_of(f));
        take_out(q, l, &l->first);
    }
}
