/* A print-out of stacks, folded or in blocks; behind the first 0xFF byte, what came on stderr. */
#include <assert.h>
#include <stdint.h>

#include "tests/support/capture_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct parse_spec spec = {.grammar = GRAMMAR_STACKS, .stacks_unit = "usecs"};
    struct parse_input in = {.cut = size % 2, .apart = size / 2 % 2};
    struct capture c;
    span_cut(span_of((const char *)data, size), '\xff', &in.out, &in.err);
    struct arena *mem = arena_new(64u << 20);
    assert(mem);
    enum err e = capture_check(&spec, &in, mem, &c);
    assert(!e || (e == ERR_NOMEM && arena_exhausted(mem)));
    arena_free(mem);
    return 0;
}
