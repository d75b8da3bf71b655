#include "common/wire/part.h"

#include "common/wire/message.h"

static void get_result(struct unpack *in, const Trawl__PartBody *m, struct part_body *b) {
    if ((m->histograms != NULL) + (m->events != NULL) + (m->stacks != NULL) > 1) return unpack_refuse(in, ERR_SYNTAX);
    if (m->histograms) {
        b->kind = RESULT_HISTOGRAM;
        message_hists_get(in, m->histograms, &b->hists);
    } else if (m->events) {
        b->kind = RESULT_EVENTS;
        message_events_get(in, m->events, &b->events);
    } else if (m->stacks) {
        b->kind = RESULT_STACKS;
        message_stacks_get(in, m->stacks, &b->stacks);
    }
}

/* A part says something, and its outcome does not contradict its result. */
static bool is_consistent(const struct part_body *b) {
    if (!b->outcome) return b->kind != RESULT_NONE;
    return b->kind == RESULT_NONE || b->kind == b->outcome->kind;
}

enum err part_decode(struct span body, struct arena *mem, struct part_body *out) {
    struct unpack in;
    const ProtobufCMessage *message;
    enum err e = unpack_message(&trawl__part_body__descriptor, body, LIMIT_PART_BYTES, mem, &in, &message);
    if (e) return e;
    const Trawl__PartBody *m = (const Trawl__PartBody *)message;
    struct part_body b = {.kind = RESULT_NONE};
    get_result(&in, m, &b);
    if (m->outcome) b.outcome = unpack_array(&in, 1, sizeof *b.outcome);
    if (b.outcome) message_outcome_get(&in, m->outcome, b.outcome);
    if (in.failed == ERR_OK && !is_consistent(&b)) return ERR_SYNTAX;
    if (in.failed == ERR_OK) *out = b;
    return in.failed;
}

enum err part_encode(const struct part_body *b, struct buf *out) {
    AUTO(arena_free) struct arena *scratch = arena_new(LIMIT_CAPTURE_ARENA_BYTES);
    if (!scratch) return ERR_NOMEM;
    if (!is_consistent(b)) return ERR_SYNTAX;
    struct pack o = {.mem = scratch};
    Trawl__PartBody m;
    trawl__part_body__init(&m);
    if (b->kind == RESULT_HISTOGRAM) m.histograms = message_hists_put(&o, &b->hists);
    if (b->kind == RESULT_EVENTS) m.events = message_events_put(&o, &b->events);
    if (b->kind == RESULT_STACKS) m.stacks = message_stacks_put(&o, &b->stacks);
    if (b->outcome) m.outcome = message_outcome_put(&o, b->outcome);
    return pack_message(&o, &m.base, LIMIT_PART_BYTES, out);
}

void part_campaign_hex(const struct campaign_id *id, char out[2 * CAMPAIGN_ID_BYTES + 1]) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < CAMPAIGN_ID_BYTES; i++) {
        out[2 * i] = digits[id->b[i] >> 4];
        out[2 * i + 1] = digits[id->b[i] & 15];
    }
    out[2 * CAMPAIGN_ID_BYTES] = '\0';
}

static int digit_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool part_campaign_from_hex(struct span hex, struct campaign_id *out) {
    struct campaign_id id;
    if (hex.n != 2 * (size_t)CAMPAIGN_ID_BYTES) return false;
    for (size_t i = 0; i < CAMPAIGN_ID_BYTES; i++) {
        int high = digit_value(hex.p[2 * i]), low = digit_value(hex.p[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        id.b[i] = (unsigned char)(high << 4 | low);
    }
    *out = id;
    return true;
}
