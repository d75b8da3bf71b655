/* Parts of captures, orders and their envelope, as they arrive; the first byte chooses. */
#include <stdint.h>

#include "common/wire/limits.h"
#include "common/wire/spec.h"
#include "tests/fuzz/round_trip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { PART, SPEC, SIGNED, TARGET__COUNT };

static enum err one_round(unsigned which, struct span bytes, struct arena *mem, struct buf *out) {
    switch (which) {
    case PART:
        ROUND(struct part_body, part_decode, part_encode);
    case SPEC:
        ROUND(struct spec, spec_decode, spec_encode);
    default:
        ROUND(struct signed_order, spec_decode_signed, spec_encode_signed);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n > 0) round_trip(one_round, data[0] % TARGET__COUNT, span_of((const char *)data + 1, n - 1), LIMIT_PART_ARENA_BYTES);
    return 0;
}
