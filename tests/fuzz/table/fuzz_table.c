/* A table, read as both flavours of execsnoop and as a table whose free column stands in the middle.  Of the catalogue's tools
 * the first byte picks one; behind the first 0xFF byte comes stderr. */
#include <assert.h>
#include <stdint.h>

#include "common/catalog/catalog.h"
#include "tests/support/capture_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct parse_column middle[] = {
    {.name = "TIME(s)", .type = COLUMN_DECIMAL, .unit = "s", .width = 9}, {.name = "PID", .type = COLUMN_INT, .width = 7},
    {.name = "COMM", .type = COLUMN_TEXT, .blanks = true, .width = 13},   {.name = "SADDR", .type = COLUMN_ADDRESS},
    {.name = "DPORT", .type = COLUMN_PORT},                               {.name = "LAT(ms)", .type = COLUMN_DECIMAL, .unit = "ms"},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct parse_spec with_middle = {.grammar = GRAMMAR_TABLE, .columns = middle, .n_columns = COUNT_OF(middle)};
    const struct tool *t = catalog_tool(TOOL_EXECSNOOP);
    const struct parse_spec *specs[] = {&catalog_flavour(t, FLAVOUR_LIBBPF)->parse, &catalog_flavour(t, FLAVOUR_BCC)->parse, &with_middle};
    struct parse_input in = {.cut = size % 2};
    struct capture c;
    if (size == 0) return 0;
    span_cut(span_of((const char *)data + 1, size - 1), '\xff', &in.out, &in.err);
    struct arena *mem = arena_new(64u << 20);
    assert(mem);
    enum err e = capture_check(specs[data[0] % COUNT_OF(specs)], &in, mem, &c);
    assert(!e || (e == ERR_NOMEM && arena_exhausted(mem)));
    arena_free(mem);
    return 0;
}
