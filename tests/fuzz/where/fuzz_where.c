/* A condition over rows.  Held to: a failure has its place and its reason; what parses can be asked, and "!( … )" is its opposite. */
#include <assert.h>
#include <stdint.h>

#include "common/merge/where.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS = 4 };

static struct events table(struct arena *mem) {
    static const struct column columns[] = {{.name = SPAN_LIT("COMM"), .type = COLUMN_TEXT},
                                            {.name = SPAN_LIT("LAT(ms)"), .type = COLUMN_DECIMAL, .decimals = 2}};
    static const char *const comms[ROWS] = {"curl", "", "kworker/1:2", "a b"};
    static const int64_t lats[ROWS] = {150, EVENTS_NULL, -INT64_MAX, INT64_MAX};
    struct events e;
    size_t row = 0;
    enum err err = events_init(&e, columns, COUNT_OF(columns), mem);
    for (size_t i = 0; i < ROWS && !err; i++) {
        err = events_row(&e, mem, &row);
        if (!err) err = strings_add(&e.strings, span_str(comms[i]), &e.columns[0].text[row]);
        e.columns[1].number[row] = lats[i];
    }
    assert(!err);
    return e;
}

static bool ask(const struct where *w, const struct events *e, unsigned char *rows) {
    const struct where_source from = {.host = SPAN_LIT("web-1")};
    struct span name = SPAN_NONE;
    enum err err = where_rows(w, e, &from, rows, &name);
    assert(err == ERR_OK || ((err == ERR_NOTFOUND || err == ERR_SYNTAX) && name.p));
    return err == ERR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *mem = arena_new(1 << 20);
    const struct where *w = NULL, *opposite = NULL;
    struct where_fault fault = {0};
    struct span text = span_of((const char *)data, size);
    assert(mem);
    struct events e = table(mem);
    enum err err = where_parse(text, mem, &fault, &w);
    assert(err == ERR_OK || (fault.what && fault.at <= size));
    unsigned char yes[ROWS], no[ROWS];
    char turned[WHERE_BYTES + 3];
    if (!err && ask(w, &e, yes) && size + 3 <= WHERE_BYTES) {
        struct buf b;
        buf_init(&b, 0);
        buf_add_str(&b, "!(");
        buf_add(&b, text);
        buf_add_char(&b, ')');
        memcpy(turned, b.p, b.n);
        err = where_parse(span_of(turned, b.n), mem, &fault, &opposite);
        buf_done(&b);
        assert(err == ERR_OK || err == ERR_LIMIT); /* one condition more, one deeper */
        if (!err && ask(opposite, &e, no))
            for (size_t i = 0; i < ROWS; i++) assert(yes[i] + no[i] == 1);
    }
    arena_free(mem);
    return 0;
}
