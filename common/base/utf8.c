#include "common/base/utf8.h"

struct lead {
    unsigned char from, to;             /* lead bytes */
    unsigned char length;               /* of the whole sequence */
    unsigned char second, second_to;    /* what the second byte may be; later ones are 80..BF */
};

/* Unicode 15, table 3-7. */
static const struct lead leads[] = {
    {0x00, 0x7F, 1, 0, 0},       {0xC2, 0xDF, 2, 0x80, 0xBF}, {0xE0, 0xE0, 3, 0xA0, 0xBF},
    {0xE1, 0xEC, 3, 0x80, 0xBF}, {0xED, 0xED, 3, 0x80, 0x9F}, {0xEE, 0xEF, 3, 0x80, 0xBF},
    {0xF0, 0xF0, 4, 0x90, 0xBF}, {0xF1, 0xF3, 4, 0x80, 0xBF}, {0xF4, 0xF4, 4, 0x80, 0x8F},
};

size_t utf8_step(struct span s, bool *out_ok) {
    const struct lead *l = NULL;
    unsigned char first = (unsigned char)s.p[0];
    for (size_t i = 0; i < COUNT_OF(leads) && !l; i++)
        if (first >= leads[i].from && first <= leads[i].to) l = &leads[i];
    *out_ok = false;
    if (!l) return 1;
    for (size_t i = 1; i < l->length; i++) {
        if (i == s.n) return i;
        unsigned char c = (unsigned char)s.p[i], low = i == 1 ? l->second : 0x80, high = i == 1 ? l->second_to : 0xBF;
        if (c < low || c > high) return i;
    }
    *out_ok = true;
    return l->length;
}

/* How many bytes at the front are ASCII, in steps of a word: print-outs are, by the megabyte. */
static size_t ascii_words(struct span s) {
    uint64_t word;
    size_t n = 0;
    for (; s.n - n >= sizeof word; n += sizeof word) {
        memcpy(&word, s.p + n, sizeof word);
        if (word & 0x8080808080808080u) break;
    }
    return n;
}

bool utf8_valid(struct span s) {
    bool ok = true;
    for (s = span_drop(s, ascii_words(s)); s.n && ok; s = span_drop(s, ascii_words(s))) s = span_drop(s, utf8_step(s, &ok));
    return ok;
}

/* Writes the repaired text when to is not NULL; returns its length. */
static size_t repair(struct span s, char *to) {
    size_t n = 0, step;
    for (; s.n; s = span_drop(s, step)) {
        bool ok;
        step = utf8_step(s, &ok);
        struct span piece = ok ? span_head(s, step) : SPAN_LIT("\xEF\xBF\xBD");
        if (to) memcpy(to + n, piece.p, piece.n);
        n += piece.n;
    }
    return n;
}

struct span utf8_repair(struct arena *mem, struct span s) {
    if (utf8_valid(s)) return s;
    size_t n = repair(s, NULL);
    char *to = arena_alloc(mem, n + 1);
    if (!to) return SPAN_NONE;
    repair(s, to);
    to[n] = '\0';
    return span_of(to, n);
}
