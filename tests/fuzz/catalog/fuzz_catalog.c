/* A print-out of any tool of the catalogue: the first byte is the tool's number, the second picks one of its flavours; behind the first
 * 0xFF byte comes stderr.  Guessing the flavour from the text must give one of the tool's too. */
#include <assert.h>
#include <stdint.h>

#include "common/catalog/catalog.h"
#include "tests/support/capture_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct parse_input in = {.cut = size % 2, .apart = size / 2 % 2};
    struct capture c;
    if (size < 2) return 0;
    const struct tool *t = catalog_tool((enum tool_id)(data[0] % TOOL__COUNT));
    if (!t) return 0;
    const struct flavour *f = &t->flavours[data[1] % t->n_flavours];
    span_cut(span_of((const char *)data + 2, size - 2), '\xff', &in.out, &in.err);
    const struct flavour *guess = catalog_guess(t, in.out);
    assert(guess >= t->flavours && guess < t->flavours + t->n_flavours);
    struct arena *mem = arena_new(64u << 20);
    assert(mem);
    enum err e = capture_check(&f->parse, &in, mem, &c);
    assert(!e || (e == ERR_NOMEM && arena_exhausted(mem)));
    arena_free(mem);
    return 0;
}
