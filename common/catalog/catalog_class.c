#include "common/catalog/catalog_class.h"

#include <string.h>

#include "common/base/buf.h"

static const char *const names[CATALOG_CLASS__COUNT] = {
    [CATALOG_CLASS_ARGS] = "ARGS", [CATALOG_CLASS_PATH] = "PATH", [CATALOG_CLASS_HOST] = "HOST"};

/* Columns and sections whose texts people choose or that say where something is.  Addresses are hosts by their type. */
static const struct {
    const char *name;
    enum catalog_class class;
} columns[] = {
    {"ARGS", CATALOG_CLASS_ARGS},           {"FILENAME", CATALOG_CLASS_PATH},    {"FILE", CATALOG_CLASS_PATH},
    {"HOST", CATALOG_CLASS_HOST},           {"SADDR:SPORT", CATALOG_CLASS_HOST}, {"DADDR:DPORT", CATALOG_CLASS_HOST},
    {"LADDR:LPORT", CATALOG_CLASS_HOST},    {"RADDR:RPORT", CATALOG_CLASS_HOST}, {"Local Address", CATALOG_CLASS_HOST},
    {"Remote Address", CATALOG_CLASS_HOST},
};

const char *catalog_class_name(enum catalog_class c) { return (unsigned)c < CATALOG_CLASS__COUNT && names[c] ? names[c] : "none"; }

enum catalog_class catalog_class_find(struct span name) {
    for (int c = CATALOG_CLASS_NONE + 1; c < CATALOG_CLASS__COUNT; c++)
        if (span_eq_str(name, names[c])) return (enum catalog_class)c;
    return CATALOG_CLASS_NONE;
}

bool catalog_class_words(const char *words, unsigned *out_set, struct span *out_bad) {
    struct span rest = span_str(words), word;
    unsigned set = 0;
    while (span_word(&rest, &word)) {
        if (span_ends(word, SPAN_LIT(","))) word.n--;
        enum catalog_class c = catalog_class_find(word);
        if (!c) {
            *out_bad = word;
            return false;
        }
        set |= 1u << c;
    }
    *out_set = set;
    return true;
}

struct span catalog_class_names(unsigned set, struct arena *mem) {
    struct buf text;
    buf_init(&text, 0);
    for (int c = CATALOG_CLASS_NONE + 1; c < CATALOG_CLASS__COUNT; c++) {
        if (!(set & 1u << c)) continue;
        if (text.n) buf_add_str(&text, ", ");
        buf_add_str(&text, names[c]);
    }
    struct span copy = arena_copy(mem, buf_span(&text));
    buf_done(&text);
    return copy.p ? copy : SPAN_LIT("");
}

enum catalog_class catalog_class_of(struct span name, bool is_address) {
    if (is_address) return CATALOG_CLASS_HOST;
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        if (span_eq_str(name, columns[i].name)) return columns[i].class;
    return CATALOG_CLASS_NONE;
}
