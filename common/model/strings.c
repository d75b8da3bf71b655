#include "common/model/strings.h"

#include <assert.h>

#include "common/model/hash.h"

enum { FIRST_STRINGS = 32, FIRST_SLOTS = 64 };

enum err strings_init(struct strings *t, struct arena *mem) {
    struct strings new = {.n = 1, .cap = FIRST_STRINGS, .mem = mem, .hash_size = FIRST_SLOTS};
    new.text = arena_array(mem, FIRST_STRINGS, sizeof *new.text);
    new.hash = arena_array(mem, FIRST_SLOTS, sizeof *new.hash);
    if (!new.text || !new.hash) return ERR_NOMEM;
    new.text[0] = SPAN_LIT("");
    *t = new;
    return ERR_OK;
}

static enum err insert(struct strings *t, struct span s, uint32_t tag, uint32_t *out) {
    if (t->n == UINT32_MAX) return ERR_NOMEM;
    enum err e = hash_room(t->mem, &t->hash, &t->hash_size, t->n);
    if (e) return e;
    e = arena_grow(t->mem, &t->text, &t->cap, (size_t)t->n + 1, sizeof *t->text);
    if (e) return e;
    struct span copy = arena_copy(t->mem, s);
    if (!copy.p) return ERR_NOMEM;
    t->text[t->n] = copy;
    hash_place(t->hash, t->hash_size, (struct hash_slot){t->n, tag});
    *out = t->n++;
    return ERR_OK;
}

static enum err add(struct strings *t, struct span s, uint32_t tag, uint32_t *out) {
    for (size_t i = tag & (t->hash_size - 1); t->hash[i].index; i = (i + 1) & (t->hash_size - 1)) {
        if (t->hash[i].tag != tag) continue;
        struct span have = t->text[t->hash[i].index];
        if (have.n == s.n && hash_same(have.p, s.p, s.n)) {
            *out = t->hash[i].index;
            return ERR_OK;
        }
    }
    return insert(t, s, tag, out);
}

enum err strings_add(struct strings *t, struct span s, uint32_t *out) {
    if (s.n == 0) {
        *out = 0;
        return ERR_OK;
    }
    assert(t->hash);
    return add(t, s, hash_bytes(hash_seed(t->mem), s), out);
}

/* Slots, then the texts that they lead to, then those texts' bytes: each is on its way for all before it is looked at for one. */
enum err strings_add_many(struct strings *t, const struct span *s, size_t n, uint32_t *out) {
    uint32_t tag[STRINGS_AT_ONCE] = {0};
    assert(t->hash && n <= STRINGS_AT_ONCE);
    size_t mask = t->hash_size - 1;
    for (size_t i = 0; i < n; i++) {
        tag[i] = hash_bytes(hash_seed(t->mem), s[i]);
        __builtin_prefetch(&t->hash[tag[i] & mask]);
    }
    for (size_t i = 0; i < n; i++) __builtin_prefetch(&t->text[t->hash[tag[i] & mask].index]);
    for (size_t i = 0; i < n; i++) __builtin_prefetch(t->text[t->hash[tag[i] & mask].index].p);
    enum err e = ERR_OK;
    for (size_t i = 0; !e && i < n; i++) {
        if (s[i].n > 0)
            e = add(t, s[i], tag[i], &out[i]);
        else
            out[i] = 0;
    }
    return e;
}
