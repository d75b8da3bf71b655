/* A line with its blanks as bits, so that the end of a word is found without looking at its bytes. */
#pragma once

#include "common/base/bytemask.h"

enum { PARSE_ROW_WORDS = 4 /* of bits; what is behind them is looked at byte by byte */ };

struct parse_row {
    struct span line;
    size_t known;                     /* so many bytes the bits tell of */
    uint64_t blanks[PARSE_ROW_WORDS]; /* spaces and tabs, and what is behind the line */
    uint64_t spaces[PARSE_ROW_WORDS];
};

/* Bytes may be read up to end, which is not before the line's. */
static inline void parse_row_init(struct parse_row *r, struct span line, const char *end) {
    r->line = line;
    r->known = 0;
    for (size_t i = 0; i < PARSE_ROW_WORDS && r->known < line.n; i++, r->known += BYTEMASK_BYTES) {
        struct span readable = span_of(line.p, (size_t)(end - line.p));
        size_t left = line.n - r->known;
        uint64_t within = left < BYTEMASK_BYTES ? ((uint64_t)1 << left) - 1 : UINT64_MAX;
        r->spaces[i] = bytemask_eq(readable, r->known, ' ') & within;
        r->blanks[i] = r->spaces[i] | bytemask_eq(readable, r->known, '\t') | ~within;
    }
}

static inline bool parse_row_is_blank(const struct parse_row *r, size_t at) {
    return at >= r->line.n || r->line.p[at] == ' ' || r->line.p[at] == '\t';
}

/* Where the run that is at `at`, of blanks or of others, ends; at most the line's end. */
static inline size_t parse_row_run_end(const struct parse_row *r, size_t at, bool of_blanks) {
    while (at < r->known) {
        uint64_t ends = (of_blanks ? ~r->blanks[at / 64] : r->blanks[at / 64]) >> at % 64;
        if (ends) {
            at += (size_t)__builtin_ctzll(ends);
            break;
        }
        at = (at | 63) + 1;
    }
    while (at < r->line.n && parse_row_is_blank(r, at) == of_blanks) at++;
    return at < r->line.n ? at : r->line.n;
}

/* The next word from *at on, which becomes its end. */
static inline struct span parse_row_word(const struct parse_row *r, size_t *at) {
    size_t from = parse_row_run_end(r, *at, true), to = parse_row_run_end(r, from, false);
    *at = to;
    return span_of(r->line.p + from, to - from);
}

/* Behind the last byte before end whose bit is set; 0: there is none.  end is at most r->known. */
static inline size_t parse_row_last(const uint64_t *bits, uint64_t flip, size_t end) {
    while (end > 0) {
        uint64_t found = (bits[(end - 1) / 64] ^ flip) << (63 - (end - 1) % 64);
        if (found) return end - (size_t)__builtin_clzll(found);
        end = (end - 1) / 64 * 64;
    }
    return 0;
}

/* Where the word begins that ends at end. */
static inline size_t parse_row_word_begin(const struct parse_row *r, size_t end) {
    while (end > r->known && !parse_row_is_blank(r, end - 1)) end--;
    return end > r->known ? end : parse_row_last(r->blanks, 0, end);
}

/* end without the spaces before it: padding; a tab or a newline is part of a name. */
static inline size_t parse_row_unpadded(const struct parse_row *r, size_t end) {
    while (end > r->known && r->line.p[end - 1] == ' ') end--;
    return end > r->known ? end : parse_row_last(r->spaces, UINT64_MAX, end);
}
