/* A table of any tool and flavour of the catalogue, or one whose free column stands in the middle: the first byte picks; behind
 * the first 0xFF byte comes stderr. */
#include <assert.h>
#include <stdint.h>

#include "common/catalog/catalog.h"
#include "tests/support/capture_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct parse_column middle[] = {
    {.name = "TIME(s)", .type = COLUMN_DECIMAL, .unit = "s", .width = 9},
    {.name = "PID", .type = COLUMN_INT, .width = 7},
    {.name = "COMM", .type = COLUMN_TEXT, .blanks = true, .width = 13},
    {.name = "SADDR", .type = COLUMN_ADDRESS},
    {.name = "DPORT", .type = COLUMN_PORT},
    {.name = "LAT(ms)", .type = COLUMN_DECIMAL, .unit = "ms"},
};

/* Of every tool that prints one, execsnoop's first. */
static size_t tables(const struct parse_spec **out) {
    size_t n = 0;
    const struct tool *exec = catalog_tool(TOOL_EXECSNOOP);
    for (size_t i = 0; i < exec->n_flavours; i++) out[n++] = &exec->flavours[i].parse;
    for (int id = TOOL_NONE + 1; id < TOOL__COUNT; id++) {
        const struct tool *t = catalog_tool((enum tool_id)id);
        for (size_t i = 0; t != exec && i < t->n_flavours; i++)
            if (t->flavours[i].parse.n_columns > 0) out[n++] = &t->flavours[i].parse;
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct parse_spec with_middle = {.grammar = GRAMMAR_TABLE, .columns = middle, .n_columns = COUNT_OF(middle)};
    static const struct parse_spec *specs[TOOL__COUNT * FLAVOUR__COUNT + 1];
    size_t n = tables(specs);
    specs[n++] = &with_middle;
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
