#include "common/base/arena.h"

#include <stdint.h>

enum { ALIGN = 16, FIRST_BLOCK_BYTES = 64 * 1024, LAST_BLOCK_BYTES = 4 * 1024 * 1024 };

struct block {
    struct block *next;
    size_t size, used; /* of data, in bytes */
    _Alignas(ALIGN) char data[];
};

struct arena {
    size_t budget, used, next_block;
    bool exhausted;
    struct block *blocks; /* the newest first */
};

struct arena *arena_new(size_t budget_bytes) {
    struct arena *mem = calloc(1, sizeof *mem);
    if (!mem) return NULL;
    mem->budget = budget_bytes;
    mem->next_block = FIRST_BLOCK_BYTES;
    return mem;
}

void arena_reset(struct arena *mem) {
    while (mem->blocks) {
        struct block *b = mem->blocks;
        mem->blocks = b->next;
        free(b);
    }
    mem->used = 0;
    mem->exhausted = false;
    mem->next_block = FIRST_BLOCK_BYTES;
}

void arena_free(struct arena *mem) {
    if (!mem) return;
    arena_reset(mem);
    free(mem);
}

/* In sanitizer builds every piece is a block of its own and exactly as large as asked for. */
#ifdef TRAWL_SANITIZED
static size_t block_size(struct arena *mem, size_t bytes) {
    (void)mem;
    return bytes;
}
#else
static size_t block_size(struct arena *mem, size_t bytes) {
    size_t size = mem->next_block;
    if (mem->next_block < LAST_BLOCK_BYTES) mem->next_block *= 2;
    return bytes > size ? bytes : size;
}
#endif

static struct block *block_with_room(struct arena *mem, size_t rounded, size_t bytes) {
    struct block *b = mem->blocks;
    if (b && b->size - b->used >= rounded) return b;
#ifdef TRAWL_SANITIZED
    size_t size = block_size(mem, bytes);
#else
    (void)bytes;
    size_t size = block_size(mem, rounded);
#endif
    b = malloc(sizeof *b + size);
    if (!b) return NULL;
    b->size = size;
    b->used = 0;
    b->next = mem->blocks;
    mem->blocks = b;
    return b;
}

void *arena_alloc(struct arena *mem, size_t bytes) {
    if (bytes == 0) bytes = 1;
    size_t rounded = (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    struct block *b = NULL;
    if (rounded >= bytes && rounded <= mem->budget - mem->used) b = block_with_room(mem, rounded, bytes);
    if (!b) {
        mem->exhausted = true;
        return NULL;
    }
    void *p = b->data + b->used;
    b->used = rounded < b->size - b->used ? b->used + rounded : b->size;
    mem->used += rounded;
    return p;
}

void *arena_array(struct arena *mem, size_t n, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) {
        mem->exhausted = true;
        return NULL;
    }
    void *p = arena_alloc(mem, bytes);
    if (p) memset(p, 0, bytes);
    return p;
}

struct span arena_copy(struct arena *mem, struct span s) {
    char *p = s.n < SIZE_MAX ? arena_alloc(mem, s.n + 1) : NULL;
    if (!p) return SPAN_NONE;
    if (s.n > 0) memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return span_of(p, s.n);
}

enum err arena_grow(struct arena *mem, void *array_pointer, size_t *cap, size_t want, size_t elem_size) {
    if (want <= *cap) return ERR_OK;
    size_t grown = *cap ? *cap : 16;
    while (grown < want && !__builtin_mul_overflow(grown, 2u, &grown)) {
    }
    size_t bytes;
    if (grown < want || __builtin_mul_overflow(grown, elem_size, &bytes)) return ERR_NOMEM;
    void *old;
    memcpy(&old, array_pointer, sizeof old);
    void *p = arena_alloc(mem, bytes);
    if (!p) return ERR_NOMEM;
    if (*cap) memcpy(p, old, *cap * elem_size);
    memcpy(array_pointer, &p, sizeof p);
    *cap = grown;
    return ERR_OK;
}

bool arena_exhausted(const struct arena *mem) { return mem->exhausted; }
size_t arena_used(const struct arena *mem) { return mem->used; }
