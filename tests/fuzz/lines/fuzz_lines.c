/* JSON lines of any tool that has them: the first byte picks; behind the first 0xFF byte comes stderr. */
#include <assert.h>
#include <stdint.h>

#include "common/catalog/catalog.h"
#include "tests/support/capture_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct parse_spec *specs[TOOL__COUNT];
    size_t n = 0;
    for (int id = TOOL_NONE + 1; id < TOOL__COUNT; id++) {
        const struct flavour *f = catalog_flavour(catalog_tool((enum tool_id)id), FLAVOUR_BPFTRACE);
        if (f) specs[n++] = &f->parse;
    }
    struct parse_input in = {.cut = size % 2, .apart = size / 2 % 2};
    struct capture c;
    if (size == 0) return 0;
    span_cut(span_of((const char *)data + 1, size - 1), '\xff', &in.out, &in.err);
    struct arena *mem = arena_new(64u << 20);
    assert(mem);
    enum err e = capture_check(specs[data[0] % n], &in, mem, &c);
    assert(!e || (e == ERR_NOMEM && arena_exhausted(mem)));
    arena_free(mem);
    return 0;
}
