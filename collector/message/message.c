#include "collector/message/message.h"

struct message *message_new(enum message_kind kind, size_t extra_bytes) {
    AUTO(arena_free) struct arena *mem = arena_new(sizeof(struct message) + 64 + extra_bytes);
    if (!mem) return NULL;
    struct message *m = arena_array(mem, 1, sizeof *m);
    if (!m) return NULL;
    m->kind = kind;
    m->mem = TAKE(mem);
    return m;
}

void message_free(struct message *m) {
    if (!m) return;
    if (m->kind == MESSAGE_ANSWER) buf_done(&m->answer.bytes);
    if (m->kind == MESSAGE_REPLY) buf_done(&m->reply.bytes);
    arena_free(m->mem);
}

void message_free_all(struct queue_item *first) {
    while (first) {
        struct queue_item *next = first->next;
        message_free(message_of(first));
        first = next;
    }
}
