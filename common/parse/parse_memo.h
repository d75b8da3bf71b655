/* Short texts that were cells of a column before: they are known to fit it, and their place in the strings, without being looked at
 * byte by byte.  A text that is not here may have been pushed out: ask again in the ordinary way. */
#pragma once

#include "common/base/bytemask.h"
#include "common/model/hash.h"

enum { PARSE_MEMO_TEXTS = 1024, PARSE_MEMO_BYTES = 16 /* of the longest text */ };

/* A text of up to 16 bytes, all of it. */
struct parse_memo_key {
    uint64_t first, last;
    uint32_t about; /* its length and column; 0: none */
};

struct parse_memo {
    struct parse_memo_entry {
        struct parse_memo_key key;
        uint32_t string; /* index into the strings */
    } entry[PARSE_MEMO_TEXTS];
};

/* False: it is too long, or too near to end, up to which bytes may be read. */
static inline bool parse_memo_key(struct span s, size_t column, const char *end, struct parse_memo_key *out) {
    if (s.n == 0 || s.n > PARSE_MEMO_BYTES || end - s.p < PARSE_MEMO_BYTES) return false;
    uint64_t first = bytemask_load8(s.p), last = bytemask_load8(s.p + 8);
    size_t n = s.n < 8 ? s.n : 8;
    *out = (struct parse_memo_key){
        .first = first & UINT64_MAX >> (64 - 8 * n),
        .last = s.n > 8 ? last & UINT64_MAX >> (64 - 8 * (s.n - 8)) : 0,
        .about = (uint32_t)s.n | (uint32_t)(column + 1) << 8,
    };
    return true;
}

static inline struct parse_memo_entry *parse_memo_at(struct parse_memo *m, const struct parse_memo_key *k) {
    uint64_t h = hash_mix(k->first ^ 0x9e3779b97f4a7c15ULL ^ k->about, k->last ^ 0xd6e8feb86659fd93ULL);
    return &m->entry[h % PARSE_MEMO_TEXTS];
}

/* Its index in the strings; 0: not known. */
static inline uint32_t parse_memo_find(struct parse_memo *m, const struct parse_memo_key *k) {
    const struct parse_memo_entry *e = parse_memo_at(m, k);
    bool same = e->key.first == k->first && e->key.last == k->last && e->key.about == k->about;
    return same ? e->string : 0;
}

static inline void parse_memo_keep(struct parse_memo *m, const struct parse_memo_key *k, uint32_t string) {
    *parse_memo_at(m, k) = (struct parse_memo_entry){*k, string};
}
