/* What agent and collector say to each other: behind an even first byte the agent, behind an odd one the collector.  A part's
 * body is looked into as well, as the collector does. */
#include <stdint.h>

#include "common/wire/session.h"
#include "tests/fuzz/round_trip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static enum err one_round(unsigned which, struct span bytes, struct arena *mem, struct buf *out) {
    if (which == 0) ROUND(struct from_agent, session_decode_from, session_encode_from);
    ROUND(struct to_agent, session_decode_to, session_encode_to);
}

static enum err one_body(unsigned which, struct span bytes, struct arena *mem, struct buf *out) {
    (void)which;
    ROUND(struct part_body, part_decode, part_encode);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct from_agent from;
    if (n == 0) return 0;
    struct span bytes = span_of((const char *)data + 1, n - 1);
    round_trip(one_round, data[0] % 2, bytes, LIMIT_FRAME_ARENA_BYTES);
    struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    if (!mem) abort();
    if (data[0] % 2 == 0 && session_decode_from(bytes, mem, &from) == ERR_OK && from.kind == FROM_AGENT_PART)
        round_trip(one_body, 0, from.part.body, LIMIT_PART_ARENA_BYTES);
    arena_free(mem);
    return 0;
}
