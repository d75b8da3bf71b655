#include "common/net/frame.h"

static const struct rule {
    const char *name;
    uint32_t most_bytes;
    uint8_t flags; /* that it may carry */
    enum { NO_STREAM, A_STREAM, EITHER } stream;
} rules[FRAME__COUNT] = {
    [FRAME_HELLO] = {"Hello", FRAME_CONTROL_BYTES, 0, NO_STREAM},
    [FRAME_WELCOME] = {"Welcome", FRAME_CONTROL_BYTES, 0, NO_STREAM},
    [FRAME_REFUSE] = {"Refuse", FRAME_CONTROL_BYTES, 0, NO_STREAM},
    [FRAME_GOODBYE] = {"Goodbye", 0, 0, NO_STREAM},
    [FRAME_PING] = {"Ping", 0, 0, NO_STREAM},
    [FRAME_PONG] = {"Pong", 0, 0, NO_STREAM},
    [FRAME_CALL] = {"Call", FRAME_CONTROL_BYTES, 0, A_STREAM},
    [FRAME_MESSAGE] = {"Message", LIMIT_FRAME_BYTES, FRAME_MORE | FRAME_BULK, A_STREAM},
    [FRAME_HALF_CLOSE] = {"HalfClose", 0, 0, A_STREAM},
    [FRAME_STATUS] = {"Status", FRAME_CONTROL_BYTES, 0, A_STREAM},
    [FRAME_CANCEL] = {"Cancel", 0, 0, A_STREAM},
    [FRAME_CREDIT] = {"Credit", FRAME_CONTROL_BYTES, 0, EITHER},
};

static void put_u32(char *out, uint32_t v) {
    for (int i = 3; i >= 0; i--, v >>= 8) out[i] = (char)(unsigned char)(v & 0xff);
}

static uint32_t get_u32(const char *in) {
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) v = v << 8 | (unsigned char)in[i];
    return v;
}

void frame_encode(const struct frame *f, char *out) {
    put_u32(out, f->length);
    out[4] = (char)f->type;
    out[5] = (char)f->flags;
    out[6] = out[7] = 0;
    put_u32(out + 8, f->stream);
    put_u32(out + 12, f->sequence);
}

static enum err refuse(enum err e, const char *what, const char **out_what) {
    *out_what = what;
    return e;
}

enum err frame_decode(const char *in, struct frame *out, const char **out_what) {
    unsigned type = (unsigned char)in[4], flags = (unsigned char)in[5];
    if (type == 0 || type >= FRAME__COUNT) return refuse(ERR_SYNTAX, "a frame of unknown type", out_what);
    const struct rule *r = &rules[type];
    struct frame f = {.length = get_u32(in),
                      .type = (enum frame_type)type,
                      .flags = (uint8_t)flags,
                      .stream = get_u32(in + 8),
                      .sequence = get_u32(in + 12)};
    if (flags & ~(unsigned)r->flags) return refuse(ERR_SYNTAX, "a frame with unknown flags", out_what);
    if (in[6] || in[7]) return refuse(ERR_SYNTAX, "a frame whose reserved bytes are not 0", out_what);
    if (r->stream != EITHER && r->stream != (f.stream ? A_STREAM : NO_STREAM))
        return refuse(ERR_SYNTAX, "a frame for the wrong stream", out_what);
    if (f.length > r->most_bytes) return refuse(ERR_LIMIT, "a frame longer than its type may be", out_what);
    *out = f;
    return ERR_OK;
}

const char *frame_type_name(enum frame_type t) { return (unsigned)t < FRAME__COUNT && rules[t].name ? rules[t].name : "?"; }
