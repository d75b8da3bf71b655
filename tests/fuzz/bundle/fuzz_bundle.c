/* A bundle that somebody hands us: whatever is read from it can be written again to the same bytes. */
#include <stdint.h>
#include <stdlib.h>

#include "common/bundle/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct span whole = span_of((const char *)data, n);
    struct bundle b;
    struct bundle_piece piece;
    struct bundle_fault fault = {.what = NULL};
    struct buf again;
    buf_init(&again, 0);
    enum err e = bundle_open(whole, &b, &fault);
    if (e && !fault.what) abort();
    if (!e && bundle_begin(&again)) abort();
    for (size_t last = 0; !e;) {
        e = bundle_next(&b, &piece, &fault);
        if (!e && b.at <= last) abort();
        if (!e && bundle_add(&again, piece.name, piece.bytes)) abort();
        last = b.at;
    }
    if (e == ERR_AGAIN && (bundle_end(&again) || !span_eq(buf_span(&again), whole))) abort();
    if (e != ERR_AGAIN && (!fault.what || fault.at > n)) abort();
    buf_done(&again);
    return 0;
}
