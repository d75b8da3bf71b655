/* The 16 bytes before every payload on a connection, big endian:
 *   length u32 | type u8 | flags u8 | reserved u16 (0) | stream u32 | sequence u32
 * Pure.  docs/protocol.md says what each type is for. */
#pragma once

#include <stdint.h>

#include "common/base/err.h"
#include "common/base/span.h"
#include "common/wire/limits.h"

enum frame_type {
    FRAME_HELLO = 1,
    FRAME_WELCOME,
    FRAME_REFUSE,
    FRAME_GOODBYE,
    FRAME_PING,
    FRAME_PONG,
    FRAME_CALL,
    FRAME_MESSAGE,
    FRAME_HALF_CLOSE,
    FRAME_STATUS,
    FRAME_CANCEL,
    FRAME_CREDIT,
    FRAME__COUNT
};

enum {
    FRAME_HEADER_BYTES = 16,
    FRAME_CONTROL_BYTES = 1024, /* payload of any frame but a message's */
    FRAME_MORE = 1,             /* the message goes on in a later frame of its stream and lane */
    FRAME_BULK = 2              /* sent in the bulk lane */
};

struct frame {
    uint32_t length; /* of the payload */
    enum frame_type type;
    uint8_t flags;
    uint32_t stream; /* 0: the connection itself */
    uint32_t sequence;
};

/* out has FRAME_HEADER_BYTES. */
void frame_encode(const struct frame *f, char *out);
/* in has FRAME_HEADER_BYTES.  ERR_SYNTAX: unknown type or flags, reserved bytes, a stream where none belongs or none where one does;
 * ERR_LIMIT: longer than its type may be.  *out_what is a static sentence then. */
NODISCARD enum err frame_decode(const char *in, struct frame *out, const char **out_what);
const char *frame_type_name(enum frame_type t); /* "Hello" */
