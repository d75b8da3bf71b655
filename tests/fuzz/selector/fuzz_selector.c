/* A selector, and behind the first newline the name of a host.  Held to: a failure has its reason; excluding is the opposite of
 * including; every selector takes time in proportion to its length (libFuzzer's timeout sees to that). */
#include <assert.h>
#include <stdint.h>

#include "common/order/selector.h"
#include "common/wire/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct label labels[] = {{SPAN_LIT("role"), SPAN_LIT("web")}, {SPAN_LIT("rack"), SPAN_LIT("r07")}};

static enum err parse(struct span text, struct arena *mem, const struct selector **out) {
    struct buf why;
    buf_init(&why, 0);
    enum err e = selector_parse(text, mem, &why, out);
    if (e == ERR_SYNTAX || e == ERR_LIMIT) assert(why.n > 0);
    if (!e) assert(why.n == 0);
    buf_done(&why);
    return e;
}

/* One term about a name, so that "!" in front of it turns it round. */
static bool is_one_name(struct span text) {
    return text.n && text.n < LIMIT_SELECTOR_BYTES && span_trim(text).n == text.n && text.p[0] != '!' && span_find(text, ',') == text.n &&
           span_find(text, '=') == text.n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text, host;
    span_cut(span_of((const char *)data, size), '\n', &text, &host);
    struct arena *mem = arena_new(4 * 1024 * 1024);
    const struct selector *s = NULL, *not_s = NULL;
    if (mem && parse(text, mem, &s) == ERR_OK) {
        bool yes = selector_matches(s, host, labels, COUNT_OF(labels));
        char turned[LIMIT_SELECTOR_BYTES + 1] = "!";
        if (is_one_name(text) && host.n <= LIMIT_LABEL_BYTES) {
            memcpy(turned + 1, text.p, text.n);
            enum err e = parse(span_of(turned, text.n + 1), mem, &not_s);
            assert(e == ERR_OK);
            assert(selector_matches(not_s, host, labels, COUNT_OF(labels)) == !yes);
        }
    }
    arena_free(mem);
    return 0;
}
