#include "common/model/stacks_many.h"

#include <assert.h>

#include "common/model/hash.h"

enum { AHEAD = 16 };

/* The child of a node for a frame.  Those of other levels than the one at work count as empty. */
struct child {
    uint32_t parent, frame, node;
    uint32_t level_many; /* 2 × the level, from 1; odd: several stacks go through it */
};

struct work {
    struct stacks *s;
    const uint32_t *frames;
    struct stacks_path *paths;
    uint32_t *active; /* the paths that share their node with another one, and where their child is */
    uint32_t *place;
    size_t n_active;
    struct child *children;
    size_t size; /* of children, a power of two */
    uint64_t seed;
};

/* Where the child is, made when new. */
static enum err place_of(struct work *w, uint32_t parent, uint32_t frame, uint32_t level, uint32_t *out) {
    size_t mask = w->size - 1, i = hash_words(w->seed, (uint64_t)parent << 32 | frame, level) & mask;
    for (; w->children[i].level_many >> 1 == level; i = (i + 1) & mask) {
        if (w->children[i].parent != parent || w->children[i].frame != frame) continue;
        w->children[i].level_many |= 1;
        *out = (uint32_t)i;
        return ERR_OK;
    }
    struct child new = {.parent = parent, .frame = frame, .level_many = level << 1};
    enum frame_kind kind = (enum frame_kind)(frame & ((1u << STACKS_MANY_KIND_BITS) - 1));
    enum err e = stacks_append(w->s, parent, frame >> STACKS_MANY_KIND_BITS, kind, &new.node);
    if (e) return e;
    w->children[i] = new;
    *out = (uint32_t)i;
    return ERR_OK;
}

/* The frames from level on of a path that shares no more. */
static enum err append_rest(struct work *w, struct stacks_path *path, uint32_t level) {
    enum err e = ERR_OK;
    for (uint32_t i = level; !e && i < path->n; i++) {
        uint32_t frame = w->frames[path->begin + i];
        enum frame_kind kind = (enum frame_kind)(frame & ((1u << STACKS_MANY_KIND_BITS) - 1));
        e = stacks_append(w->s, path->leaf, frame >> STACKS_MANY_KIND_BITS, kind, &path->leaf);
    }
    return e;
}

/* The frames of paths further on in the list are on their way from memory before they are looked at. */
static void fetch(const struct work *w, size_t i, uint32_t level) {
    if (i < w->n_active) __builtin_prefetch(&w->frames[w->paths[w->active[i]].begin + level - 1]);
}

/* All active paths go one frame down (level counts from 1); those that are through, or alone from there on, are done. */
static enum err go_down(struct work *w, uint32_t level) {
    for (size_t i = 0; i < w->n_active; i++) {
        const struct stacks_path *path = &w->paths[w->active[i]];
        fetch(w, i + AHEAD, level);
        enum err e = place_of(w, path->leaf, w->frames[path->begin + level - 1], level, &w->place[i]);
        if (e) return e;
    }
    size_t kept = 0;
    for (size_t i = 0; i < w->n_active; i++) {
        struct stacks_path *path = &w->paths[w->active[i]];
        const struct child *c = &w->children[w->place[i]];
        path->leaf = c->node;
        if (c->level_many & 1) {
            if (path->n > level) w->active[kept++] = w->active[i];
            continue;
        }
        enum err e = append_rest(w, path, level);
        if (e) return e;
    }
    w->n_active = kept;
    return ERR_OK;
}

enum err stacks_many(struct stacks *s, const uint32_t *frames, struct stacks_path *paths, size_t n_paths) {
    assert(s->n_nodes == 1 && n_paths < UINT32_MAX / 4);
    struct work w = {.s = s, .frames = frames, .paths = paths, .size = 64, .seed = hash_seed(s->mem)};
    while (w.size < n_paths * 2) w.size *= 2;
    w.children = arena_array(s->mem, w.size, sizeof *w.children);
    w.active = arena_array(s->mem, n_paths + 1, sizeof *w.active);
    w.place = arena_array(s->mem, n_paths + 1, sizeof *w.place);
    if (!w.children || !w.active || !w.place) return ERR_NOMEM;
    for (size_t i = 0; i < n_paths; i++) {
        paths[i].leaf = STACKS_ROOT;
        if (paths[i].n > 0) w.active[w.n_active++] = (uint32_t)i;
    }
    enum err e = ERR_OK;
    for (uint32_t level = 1; !e && w.n_active > 0; level++) e = go_down(&w, level);
    arena_release(s->mem, w.children, w.size * sizeof *w.children);
    return e;
}
