/* Every maximum of the wire.  Checked before memory is taken. */
#pragma once

enum {
    LIMIT_FRAME_BYTES = 64 * 1024,                  /* a frame's payload */
    LIMIT_PART_BYTES = 60 * 1024,                   /* a PartMessage; so it needs one frame */
    LIMIT_PART_BODY_BYTES = LIMIT_PART_BYTES - 512, /* its body: what part_split aims at */
    LIMIT_ROWS = 65536,                             /* histograms, slots, rows, nodes of a message, more only with as many bytes */
    LIMIT_SPLIT_ROWS = 8192,                        /* of a part that we make */
    LIMIT_ORDER_BYTES = 20 * 1024,                  /* a SignedOrder: both its texts and what vouches for them */
    LIMIT_SPEC_BYTES = 4 * 1024,                    /* its Spec */
    LIMIT_CERTIFICATES_BYTES = 8 * 1024,
    LIMIT_SIGNATURE_BYTES = 512,
    LIMIT_REQUEST_BYTES = 64 * 1024,       /* what a console asks, in all */
    LIMIT_ANSWER_BYTES = 64 * 1024 * 1024, /* what a console is told, in all */
    LIMIT_ANSWER_ROWS = 1000000,           /* events in one answer, unless fewer are asked for */
    LIMIT_AUDIT_BYTES = 256 * 1024,        /* of the audit log in one answer */
    LIMIT_FACTS_BYTES = 32 * 1024,

    LIMIT_PART_ARENA_BYTES = 8 * 1024 * 1024,  /* unpacking one part */
    LIMIT_FRAME_ARENA_BYTES = 2 * 1024 * 1024, /* unpacking any other message from a peer */
    LIMIT_ANSWER_ARENA_BYTES = 1024 * 1024 * 1024,
    LIMIT_TOP_BYTES = 256 * 1024 * 1024,            /* the groups of one top list */
    LIMIT_CAPTURE_ARENA_BYTES = 40 * 1024 * 1024,   /* parsing one print-out on a host */
    LIMIT_OFFLINE_ARENA_BYTES = 1024 * 1024 * 1024, /* parsing one print-out at the console */

    LIMIT_NAME_BYTES = 63,   /* host, fleet, operator, tool, label key */
    LIMIT_LABEL_BYTES = 255, /* label value */
    LIMIT_LABELS = 64,
    LIMIT_TOOL_FACTS = 256,
    LIMIT_RATES = 64, /* counters of a host */
    LIMIT_PARAMS = 16,
    LIMIT_DECIMALS = 9,
    LIMIT_SELECTOR_BYTES = 1024,
    LIMIT_WHERE_BYTES = 1024, /* a condition over rows */
    LIMIT_REASON_BYTES = 512,
    LIMIT_NOTES = 64,
    LIMIT_NOTE_BYTES = 512,
    LIMIT_LEFTOVER_BYTES = 4096,
    LIMIT_TEXT_BYTES = 4096, /* a cell, a frame's name */
    LIMIT_COLUMNS = 32,
    LIMIT_STACK_DEPTH = 512,
    LIMIT_PARTS = 65536, /* of one capture */
    LIMIT_DURATION_S = 3600,
    LIMIT_WAVES = 16,
    LIMIT_ROUNDS = 240,        /* captures of one order on one host */
    LIMIT_RATE_PER_S = 100000, /* hosts that start */
    LIMIT_WHEN_BYTES = 255,    /* a trigger's condition */
    LIMIT_TRIGGERS = 256,      /* armed in a fleet */
    LIMIT_TRIGGERS_PER_HOST = 32,
    LIMIT_PER_HOUR = 60, /* firings of a trigger */

    LIMIT_STREAMS = 64,                        /* open calls on one connection */
    LIMIT_STREAM_CREDIT_BYTES = 1024 * 1024,   /* first credit of a stream */
    LIMIT_BULK_CREDIT_BYTES = 4 * 1024 * 1024, /* and of all bulk messages of a connection */
    LIMIT_SEND_QUEUE_BYTES = 8 * 1024 * 1024,  /* waiting on one connection; over it the peer is disconnected */

    LINK_HEARTBEAT_MS = 15000,
    LINK_DEAD_MS = 45000,
    LINK_FIRST_FRAME_MS = 10000, /* a listener's, from when the handshake began */
    LINK_PATIENCE_MS = 30000,    /* a dialler's: others may be before it */
    LINK_BACKOFF_LOW_MS = 1000,
    LINK_BACKOFF_HIGH_MS = 60000,

    CAMPAIGN_ID_BYTES = 16,
    WIRE_VERSION = 1, /* of the protocol */
    SPEC_VERSION = 1,
    TRIGGER_VERSION = 1
};
