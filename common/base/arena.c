#include "common/base/arena.h"

#include <stdint.h>
#include <stdlib.h>

#include "common/base/num.h"
#include "common/base/pages.h"

enum { ALIGN = 16, FIRST_BLOCK = 64 << 10, LAST_BLOCK = 4 << 20 };

/* A block per piece lets ASan see an overflow between neighbours. */
#ifdef TRAWL_SANITIZED
static const bool block_per_piece = true;
#else
static const bool block_per_piece = false;
#endif

struct block {
    struct block *next;
    size_t size, used;
    bool is_pages; /* from pages.h, and so all that was not handed out yet is zero */
    _Alignas(ALIGN) char bytes[];
};

struct arena {
    size_t budget, used, next_block;
    struct block *blocks; /* the newest first; pieces are cut from it only, and large ones have blocks of their own */
    bool exhausted;
};

static size_t round_up(size_t n) { return (n + (ALIGN - 1)) & ~(size_t)(ALIGN - 1); }

static struct block *new_block(size_t size) {
    bool is_pages = !block_per_piece && size >= PAGES_LARGE;
    struct block *b = is_pages ? pages_new(sizeof *b + size) : malloc(sizeof *b + size);
    if (b) *b = (struct block){.size = size, .is_pages = is_pages};
    return b;
}

static void free_block(struct block *b) {
    if (b->is_pages)
        pages_free(b, sizeof *b + b->size);
    else
        free(b);
}

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
        free_block(b);
    }
    mem->used = 0;
    mem->next_block = FIRST_BLOCK;
    mem->exhausted = false;
}

/* A new newest block with room for `bytes` (rounded: `rounded`), and no more than the budget can ever fill. */
static struct block *add_block(struct arena *mem, size_t bytes, size_t rounded) {
    size_t size = mem->next_block - sizeof *mem->blocks;
    if (rounded >= PAGES_LARGE) size = rounded;
    if (size > mem->budget - mem->used) size = mem->budget - mem->used;
    if (size < rounded) size = rounded;
    if (block_per_piece) size = bytes;
    struct block *b = new_block(size);
    if (!b) return NULL;
    if (!block_per_piece && rounded >= PAGES_LARGE && mem->blocks) { /* the newest goes on to serve small pieces */
        b->next = mem->blocks->next;
        mem->blocks->next = b;
        return b;
    }
    b->next = mem->blocks;
    mem->blocks = b;
    if (mem->next_block < LAST_BLOCK) mem->next_block *= 2;
    return b;
}

/* The piece; *out_zeroed: it is. */
static void *take(struct arena *mem, size_t bytes, bool *out_zeroed) {
    size_t rounded = round_up(bytes ? bytes : 1);
    struct block *b = mem->blocks;
    if (rounded < bytes || rounded > mem->budget - mem->used)
        b = NULL;
    else if (!b || block_per_piece || rounded >= PAGES_LARGE || rounded > b->size - b->used)
        b = add_block(mem, bytes, rounded);
    if (!b) {
        mem->exhausted = true;
        return NULL;
    }
    void *piece = b->bytes + b->used;
    b->used += block_per_piece ? bytes : rounded;
    mem->used += rounded;
    *out_zeroed = b->is_pages;
    return piece;
}

void *arena_alloc(struct arena *mem, size_t bytes) {
    bool zeroed;
    return take(mem, bytes, &zeroed);
}

void *arena_array(struct arena *mem, size_t n, size_t size) {
    size_t bytes;
    if (!num_mul_size(n, size, &bytes)) {
        mem->exhausted = true;
        return NULL;
    }
    bool zeroed;
    void *piece = take(mem, bytes, &zeroed);
    return piece && !zeroed ? memset(piece, 0, bytes) : piece;
}

struct span arena_copy(struct arena *mem, struct span s) {
    char *p = arena_alloc(mem, s.n + 1); /* a span ends within memory, so this does not wrap */
    if (!p) return SPAN_NONE;
    if (s.n) memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return span_of(p, s.n);
}

/* Make the newest piece larger where it is. */
static bool extend_newest(struct arena *mem, const char *piece, size_t old_bytes, size_t new_bytes, bool *out_zeroed) {
    struct block *b = mem->blocks;
    size_t old = round_up(old_bytes), more = round_up(new_bytes) - old;
    if (block_per_piece || !b || old > b->used || piece != b->bytes + (b->used - old)) return false;
    if (more > b->size - b->used || more > mem->budget - mem->used) return false;
    b->used += more;
    mem->used += more;
    *out_zeroed = b->is_pages;
    return true;
}

/* The piece, which has a block of its own: where that hangs.  NULL: it has none. */
static struct block **own_block(struct arena *mem, const char *piece, size_t bytes) {
    if (round_up(bytes) < PAGES_LARGE) return NULL;
    for (struct block **at = &mem->blocks; *at; at = &(*at)->next)
        if ((*at)->bytes == piece) return at;
    return NULL;
}

static bool extend_own(struct arena *mem, char **piece, size_t old_bytes, size_t new_bytes) {
    struct block **at = own_block(mem, *piece, old_bytes);
    size_t old = round_up(old_bytes), new = round_up(new_bytes);
    if (!at || !(*at)->is_pages || (*at)->used != old || new - old > mem->budget - mem->used) return false;
    struct block *b = pages_grow(*at, sizeof *b + (*at)->size, sizeof *b + new);
    if (!b) return false;
    *at = b;
    b->size = b->used = new;
    mem->used += new - old;
    *piece = b->bytes;
    return true;
}

/* How many elements there should be room for: twice as many as there were, or less when the budget ends.  0: too many. */
static size_t room_for(const struct arena *mem, size_t cap, size_t want, size_t elem_size, size_t *out_bytes) {
    size_t left = mem->budget - mem->used, room = cap < 4 ? 8 : cap * 2;
    if (room < want || !num_mul_size(room, elem_size, out_bytes) || *out_bytes > left) room = want;
    return num_mul_size(room, elem_size, out_bytes) && *out_bytes <= SIZE_MAX - ALIGN ? room : 0;
}

static enum err grow(struct arena *mem, void *array_pointer, size_t *cap, size_t want, size_t elem_size, bool may_go) {
    if (want <= *cap) return ERR_OK;
    char *piece;
    memcpy(&piece, array_pointer, sizeof piece); /* a T ** of any T */
    size_t bytes, old_bytes = *cap * elem_size, room = room_for(mem, *cap, want, elem_size, &bytes);
    if (room == 0) {
        mem->exhausted = true;
        return ERR_NOMEM;
    }
    bool zeroed = true;
    if (!old_bytes || !(extend_newest(mem, piece, old_bytes, bytes, &zeroed) || (may_go && extend_own(mem, &piece, old_bytes, bytes)))) {
        char *old = piece;
        piece = take(mem, bytes, &zeroed);
        if (!piece) return ERR_NOMEM;
        if (old_bytes) memcpy(piece, old, old_bytes);
        if (may_go) arena_release(mem, old, old_bytes);
    }
    if (!zeroed) memset(piece + old_bytes, 0, bytes - old_bytes);
    memcpy(array_pointer, &piece, sizeof piece);
    *cap = room;
    return ERR_OK;
}

enum err arena_grow(struct arena *mem, void *array_pointer, size_t *cap, size_t want, size_t elem_size) {
    return grow(mem, array_pointer, cap, want, elem_size, false);
}

enum err arena_regrow(struct arena *mem, void *array_pointer, size_t *cap, size_t want, size_t elem_size) {
    return grow(mem, array_pointer, cap, want, elem_size, true);
}

void arena_expect(struct arena *mem, size_t bytes) {
    if (bytes >= LAST_BLOCK) mem->next_block = LAST_BLOCK;
}

void arena_release(struct arena *mem, void *piece, size_t bytes) {
    struct block **at = own_block(mem, piece, bytes), *b = at ? *at : NULL;
    if (!b) return;
    *at = b->next;
    mem->used -= round_up(bytes);
    free_block(b);
}

bool arena_exhausted(const struct arena *mem) { return mem->exhausted; }

size_t arena_used(const struct arena *mem) { return mem->used; }
