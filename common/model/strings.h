/* An interning table of byte strings.  Index 0 is always the empty string.  In an arena. */
#pragma once

#include "common/base/arena.h"
#include "common/base/err.h"
#include "common/base/span.h"

struct hash_slot;

struct strings {
    struct span *text; /* text[0] is "" */
    uint32_t n;
    size_t cap;
    struct arena *mem;
    struct hash_slot *hash; /* open addressing, owned by mem; NULL in a table that is only read */
    size_t hash_size;       /* a power of two */
};

NODISCARD enum err strings_init(struct strings *t, struct arena *mem);
/* The index of s, added when new (its bytes are copied into mem).  ERR_NOMEM leaves the table as it was. */
NODISCARD enum err strings_add(struct strings *t, struct span s, uint32_t *out);
enum { STRINGS_AT_ONCE = 16 };
/* The same for up to STRINGS_AT_ONCE: a large table is waited for together.  ERR_NOMEM: some may have been added. */
NODISCARD enum err strings_add_many(struct strings *t, const struct span *s, size_t n, uint32_t *out);
