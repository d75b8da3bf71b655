/* A host's agent.conf.  What is refused has a reason and leaves nothing; what is taken is within the table's ranges, and the same
 * when it is written down and read again. */
#include <assert.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/runner/policy.h"
#include "common/base/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WHY_BYTES = 400 };

/* conf_load wants a path; the file is memory. */
static enum err load(struct span text, struct policy *out) {
    static int fd = -1;
    char path[32], why[WHY_BYTES] = "";
    if (fd < 0) fd = memfd_create("agent.conf", MFD_CLOEXEC);
    assert(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, text.p, text.n, 0) == (ssize_t)text.n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    enum err e = policy_load(path, out, why, sizeof why);
    assert((e != ERR_OK) == (why[0] != '\0'));
    return e;
}

static bool is_text(const struct conf_item *item) {
    return item->type == CONF_TEXT || item->type == CONF_PATH || item->type == CONF_LABELS || item->type == CONF_WORDS;
}

static char *text_of(const struct conf_item *item, const struct policy *p) {
    char *z;
    memcpy(&z, (const char *)p + item->offset, sizeof z);
    return z;
}

static uint64_t number_of(const struct conf_item *item, const struct policy *p) {
    uint64_t v;
    memcpy(&v, (const char *)p + item->offset, sizeof v);
    return v;
}

/* A word a line, so that no line is longer than one was.  No blank behind the "=": a value that begins with ";" is none then. */
static void write_item(const struct conf_item *item, const struct policy *p, struct buf *out) {
    if (item->type == CONF_PERCENT) {
        unsigned long long ppm = number_of(item, p);
        buf_add_fmt(out, "%s=%llu.%04llu%%\n", item->key, ppm / 10000, ppm % 10000);
    } else if (!is_text(item)) {
        buf_add_fmt(out, "%s=%llu%s\n", item->key, (unsigned long long)number_of(item, p), item->type == CONF_DURATION_NS ? "ns" : "");
    } else if (item->type != CONF_WORDS) {
        buf_add_fmt(out, "%s=%s\n", item->key, text_of(item, p));
    } else {
        struct span rest = span_str(text_of(item, p)), word;
        size_t words = 0;
        buf_add_fmt(out, "%s=", item->key);
        for (; span_word(&rest, &word); words++) buf_add_fmt(out, words ? " %.*s\n" : "%.*s\n", (int)word.n, word.p);
        if (words == 0) buf_add_char(out, '\n');
    }
}

static bool same_words(const char *a, const char *b) {
    struct span rest_a = span_str(a), rest_b = span_str(b), word_a, word_b;
    bool more;
    do {
        more = span_word(&rest_a, &word_a);
        if (span_word(&rest_b, &word_b) != more) return false;
        if (more && !span_eq(word_a, word_b)) return false;
    } while (more);
    return true;
}

static void check_same(const struct policy *a, const struct policy *b) {
    for (size_t i = 0; i < policy_n_items; i++) {
        const struct conf_item *item = &policy_items[i];
        if (item->type == CONF_WORDS)
            assert(same_words(text_of(item, a), text_of(item, b)));
        else if (is_text(item))
            assert(strcmp(text_of(item, a), text_of(item, b)) == 0);
        else
            assert(number_of(item, a) == number_of(item, b));
    }
}

static void check_taken(const struct policy *p) {
    struct policy again = {0};
    struct buf written, why;
    buf_init(&written, 0);
    buf_init(&why, 0);
    for (size_t i = 0; i < policy_n_items; i++) {
        const struct conf_item *item = &policy_items[i];
        if (is_text(item))
            assert(text_of(item, p));
        else
            assert(number_of(item, p) >= item->low && (!item->high || number_of(item, p) <= item->high));
        write_item(item, p, &written);
    }
    enum err e = load(buf_span(&written), &again);
    assert(e == ERR_OK);
    check_same(p, &again);
    policy_done(&again);
    e = policy_admits(p, catalog_tool(TOOL_RUNQLAT), 10, 0, 1767225600ULL * NS_PER_S, &why);
    assert(!e == (why.n == 0));
    buf_done(&why);
    buf_done(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct policy p = {0};
    if (load(span_of((const char *)data, size), &p) == ERR_OK) check_taken(&p);
    policy_done(&p);
    return 0;
}
