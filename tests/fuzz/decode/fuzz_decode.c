/* Every decoder of common/wire; the first byte chooses.  What decodes must encode, and decode again, to the same bytes. */
#include "common/wire/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { ARENA_BYTES = LIMIT_PART_ARENA_BYTES };

enum target {
    PART,
    SPEC,
    SIGNED,
    FROM_AGENT,
    TO_AGENT,
    HOSTS,
    CAMPAIGNS,
    INFO,
    DETAIL,
    REQUEST,
    ANSWER = REQUEST + QUERY_EVENTS + 1,
    TARGET__COUNT = ANSWER + QUERY_EVENTS + 1
};

/* What was decoded is valid, so that encoding it may fail by its size alone. */
static enum err encoded(enum err e) {
    if (e == ERR_SYNTAX) abort();
    return e;
}

#define ROUND(type, decode, encode)                                                                                                        \
    do {                                                                                                                                   \
        type value;                                                                                                                        \
        enum err e_ = decode(bytes, mem, &value);                                                                                          \
        return e_ ? e_ : encoded(encode(&value, out));                                                                                     \
    } while (0)
#define ROUND_OF_KIND(kind, type, decode, encode)                                                                                          \
    do {                                                                                                                                   \
        type value;                                                                                                                        \
        enum err e_ = decode(kind, bytes, mem, &value);                                                                                    \
        return e_ ? e_ : encoded(encode(kind, &value, out));                                                                               \
    } while (0)

static enum err round_trip(unsigned target, struct span bytes, struct arena *mem, struct buf *out) {
    if (target >= ANSWER) ROUND_OF_KIND((enum query_kind)(target - ANSWER), struct answer, query_decode_answer, query_encode_answer);
    if (target >= REQUEST) ROUND_OF_KIND((enum query_kind)(target - REQUEST), struct query, query_decode, query_encode);
    switch (target) {
    case PART:
        ROUND(struct part_body, part_decode, part_encode);
    case SPEC:
        ROUND(struct spec, spec_decode, spec_encode);
    case SIGNED:
        ROUND(struct signed_order, spec_decode_signed, spec_encode_signed);
    case FROM_AGENT:
        ROUND(struct from_agent, session_decode_from, session_encode_from);
    case TO_AGENT:
        ROUND(struct to_agent, session_decode_to, session_encode_to);
    case HOSTS:
        ROUND(struct host_list, query_decode_hosts, query_encode_hosts);
    case CAMPAIGNS:
        ROUND(struct campaign_list, query_decode_campaigns, query_encode_campaigns);
    case INFO:
        ROUND(struct campaign_info, query_decode_info, query_encode_info);
    default:
        ROUND(struct campaign_detail, query_decode_detail, query_encode_detail);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n == 0) return 0;
    unsigned target = data[0] % TARGET__COUNT;
    struct arena *mem = arena_new(ARENA_BYTES);
    struct buf once, twice;
    buf_init(&once, 0);
    buf_init(&twice, 0);
    if (!mem) abort();
    enum err e = round_trip(target, span_of((const char *)data + 1, n - 1), mem, &once);
    if (e == ERR_OK) {
        arena_reset(mem);
        if (round_trip(target, buf_span(&once), mem, &twice) != ERR_OK) abort();
        if (!span_eq(buf_span(&once), buf_span(&twice))) abort();
    } else if (e != ERR_SYNTAX && e != ERR_LIMIT && e != ERR_NOMEM)
        abort();
    buf_done(&once);
    buf_done(&twice);
    arena_free(mem);
    return 0;
}
