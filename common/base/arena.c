#include "common/base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "common/base/num.h"

enum { ALIGN = 16, FIRST_BLOCK = 64 << 10, LAST_BLOCK = 4 << 20, HUGE_PAGE = 2 << 20 };

/* A block per piece lets ASan see an overflow between neighbours. */
#ifdef TRAWL_SANITIZED
static const bool block_per_piece = true;
#else
static const bool block_per_piece = false;
#endif

struct block {
    struct block *next;
    size_t size, used;
    _Alignas(ALIGN) char bytes[];
};

struct arena {
    size_t budget, used, next_block;
    struct block *blocks; /* the newest first; pieces are cut from it only, and large ones have blocks of their own */
    bool exhausted;
};

static size_t round_up(size_t n) { return (n + (ALIGN - 1)) & ~(size_t)(ALIGN - 1); }

struct arena *arena_new(size_t budget_bytes) {
    struct arena *mem = malloc(sizeof *mem);
    if (!mem) return NULL;
    *mem = (struct arena){.budget = budget_bytes, .next_block = FIRST_BLOCK};
    return mem;
}

void arena_free(struct arena *mem) {
    if (!mem) return;
    arena_reset(mem);
    free(mem);
}

void arena_reset(struct arena *mem) {
    while (mem->blocks) {
        struct block *b = mem->blocks;
        mem->blocks = b->next;
        free(b);
    }
    mem->used = 0;
    mem->next_block = FIRST_BLOCK;
    mem->exhausted = false;
}

/* A large block in the kernel's large pages, where it has them: filling it then costs one page fault for 512. */
static struct block *new_block(size_t bytes) {
    if (block_per_piece || bytes < HUGE_PAGE) return malloc(bytes);
    struct block *b = aligned_alloc(HUGE_PAGE, (bytes + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1));
    if (b) IGNORED(madvise(b, bytes & ~(size_t)(HUGE_PAGE - 1), MADV_HUGEPAGE)); /* ordinary pages serve, too */
    return b;
}

/* A new newest block with room for `bytes` (rounded: `rounded`), and no more than the budget can ever fill. */
static struct block *add_block(struct arena *mem, size_t bytes, size_t rounded) {
    size_t size = mem->next_block;
    if (rounded >= HUGE_PAGE) size = rounded;
    if (size > mem->budget - mem->used) size = mem->budget - mem->used;
    if (size < rounded) size = rounded;
    if (block_per_piece) size = bytes;
    struct block *b = new_block(sizeof *b + size);
    if (!b) return NULL;
    b->size = size;
    b->used = 0;
    if (!block_per_piece && rounded >= HUGE_PAGE && mem->blocks) { /* the newest goes on to serve small pieces */
        b->next = mem->blocks->next;
        mem->blocks->next = b;
        return b;
    }
    b->next = mem->blocks;
    mem->blocks = b;
    if (mem->next_block < LAST_BLOCK) mem->next_block *= 2;
    return b;
}

void *arena_alloc(struct arena *mem, size_t bytes) {
    size_t rounded = round_up(bytes ? bytes : 1);
    struct block *b = mem->blocks;
    if (rounded < bytes || rounded > mem->budget - mem->used)
        b = NULL;
    else if (!b || block_per_piece || rounded >= HUGE_PAGE || rounded > b->size - b->used)
        b = add_block(mem, bytes, rounded);
    if (!b) {
        mem->exhausted = true;
        return NULL;
    }
    void *piece = b->bytes + b->used;
    b->used += block_per_piece ? bytes : rounded;
    mem->used += rounded;
    return piece;
}

void *arena_array(struct arena *mem, size_t n, size_t size) {
    size_t bytes;
    if (!num_mul_size(n, size, &bytes)) {
        mem->exhausted = true;
        return NULL;
    }
    void *piece = arena_alloc(mem, bytes);
    return piece ? memset(piece, 0, bytes) : NULL;
}

struct span arena_copy(struct arena *mem, struct span s) {
    char *p = arena_alloc(mem, s.n + 1); /* a span ends within memory, so this does not wrap */
    if (!p) return SPAN_NONE;
    if (s.n) memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return span_of(p, s.n);
}

/* Make the newest piece larger where it is. */
static bool extend_newest(struct arena *mem, const char *piece, size_t old_bytes, size_t new_bytes) {
    struct block *b = mem->blocks;
    size_t old = round_up(old_bytes), more = round_up(new_bytes) - old;
    if (block_per_piece || !b || old > b->used || piece != b->bytes + (b->used - old)) return false;
    if (more > b->size - b->used || more > mem->budget - mem->used) return false;
    b->used += more;
    mem->used += more;
    return true;
}

enum err arena_grow(struct arena *mem, void *array_pointer, size_t *cap, size_t want, size_t elem_size) {
    if (want <= *cap) return ERR_OK;
    char *old;
    memcpy(&old, array_pointer, sizeof old); /* a T ** of any T */
    size_t left = mem->budget - mem->used, old_bytes = *cap * elem_size, bytes;
    size_t room = *cap < 4 ? 8 : *cap * 2;
    if (room < want || !num_mul_size(room, elem_size, &bytes) || bytes > left) room = want;
    if (!num_mul_size(room, elem_size, &bytes) || bytes > SIZE_MAX - ALIGN) {
        mem->exhausted = true;
        return ERR_NOMEM;
    }
    if (!old_bytes || !extend_newest(mem, old, old_bytes, bytes)) {
        char *grown = arena_alloc(mem, bytes);
        if (!grown) return ERR_NOMEM;
        if (old_bytes) memcpy(grown, old, old_bytes);
        memcpy(array_pointer, &grown, sizeof grown);
        old = grown;
    }
    memset(old + old_bytes, 0, bytes - old_bytes);
    *cap = room;
    return ERR_OK;
}

void arena_release(struct arena *mem, void *piece, size_t bytes) {
    size_t rounded = round_up(bytes);
    if (rounded < HUGE_PAGE) return;
    for (struct block **at = &mem->blocks; *at; at = &(*at)->next) {
        struct block *b = *at;
        if (b->bytes != piece) continue;
        *at = b->next;
        mem->used -= rounded;
        free(b);
        return;
    }
}

bool arena_exhausted(const struct arena *mem) { return mem->exhausted; }

size_t arena_used(const struct arena *mem) { return mem->used; }
