/* What a console makes of an answer, whoever gave it: the first byte chooses the kind.  The document must be JSON,
 * and nothing printed for people may drive the terminal. */
#include <assert.h>
#include <jansson.h>
#include <stdint.h>

#include "common/base/utf8.h"
#include "common/json/json_answer.h"
#include "console/render/answer.h"
#include "console/render/answer_top.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { KINDS = QUERY_OUTLIERS - QUERY_HIST + 1, ARENA_BYTES = 64 << 20, ROWS_SHOWN = 20 };

static void make_json(enum query_kind kind, const struct answer *a) {
    struct buf out;
    buf_init(&out, ARENA_BYTES);
    static enum err (*const makers[])(const struct answer *, struct buf *) = {
        [QUERY_HIST] = json_answer_hist,     [QUERY_TOP] = json_answer_top,
        [QUERY_STACKS] = json_answer_stacks, [QUERY_EVENTS] = json_answer_events,
        [QUERY_CONNECTIONS] = json_answer_connections, [QUERY_OUTLIERS] = json_answer_outliers,
    };
    enum err e = makers[kind](a, &out);
    assert(e == ERR_OK || e == ERR_LIMIT);
    if (!e) {
        json_error_t why;
        json_t *document = json_loadb(out.p, out.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
        assert(document);
        json_decref(document);
    }
    buf_done(&out);
}

static void print(enum query_kind kind, const struct answer *a, bool csv) {
    char *text = NULL;
    size_t n = 0;
    const struct screen s = {.to = open_memstream(&text, &n), .width = 100};
    assert(s.to);
    if (!csv) answer_head(a, &s);
    enum err e = ERR_OK;
    switch ((unsigned)kind) {
    case QUERY_HIST:
        e = csv ? answer_csv_hist(a, s.to) : answer_hist(a, &s);
        break;
    case QUERY_STACKS:
        e = csv ? answer_csv_stacks(a, s.to) : answer_stacks(a, &s);
        break;
    case QUERY_EVENTS:
        e = csv ? answer_csv_events(a, s.to) : answer_events(a, ROWS_SHOWN, &s);
        break;
    case QUERY_OUTLIERS:
        e = csv ? answer_top_outliers_csv(a, s.to) : answer_top_outliers(a, &s);
        break;
    default:
        e = csv ? answer_top_csv(a, true, s.to) : answer_top(a, true, &s);
        break;
    }
    assert(e == ERR_OK || e == ERR_NOMEM);
    fclose(s.to);
    for (size_t i = 0; i < n && !csv; i++) assert((unsigned char)text[i] >= ' ' || text[i] == '\n');
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct answer a = {0};
    if (n == 0) return 0;
    enum query_kind kind = (enum query_kind)(QUERY_HIST + data[0] % KINDS);
    struct arena *mem = arena_new(ARENA_BYTES);
    assert(mem);
    if (query_decode_answer(kind, span_of((const char *)data + 1, n - 1), mem, &a) == ERR_OK) {
        make_json(kind, &a);
        print(kind, &a, false);
        print(kind, &a, true);
    }
    arena_free(mem);
    return 0;
}
