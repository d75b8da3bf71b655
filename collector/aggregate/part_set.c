#include "collector/aggregate/part_set.h"

#include "common/wire/limits.h"

static uint64_t bit(uint32_t part) { return 1ULL << (part % 64); }

void part_set_done(struct part_set *s) {
    free(s->words);
    *s = (struct part_set){0};
}

bool part_set_has(const struct part_set *s, uint32_t part) {
    size_t word = part / 64;
    return word < s->n_words && (s->words[word] & bit(part)) != 0;
}

enum err part_set_add(struct part_set *s, uint32_t part) {
    if (part >= LIMIT_PARTS) return ERR_LIMIT;
    if (part_set_has(s, part)) return ERR_EXISTS;
    size_t word = part / 64;
    if (word >= s->n_words) {
        uint64_t *p = reallocarray(s->words, word + 1, sizeof *p);
        if (!p) return ERR_NOMEM;
        for (size_t i = s->n_words; i <= word; i++) p[i] = 0;
        s->words = p;
        s->n_words = word + 1;
    }
    s->words[word] |= bit(part);
    return ERR_OK;
}

bool part_set_full(const struct part_set *s, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        if (!part_set_has(s, i)) return false;
    return true;
}
