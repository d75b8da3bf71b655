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

static enum err append(struct stacks *s, uint32_t parent, uint32_t frame, uint32_t *out) {
    enum frame_kind kind = (enum frame_kind)(frame & STACKS_MANY_KIND);
    return stacks_append(s, parent, frame >> STACKS_MANY_KIND_BITS, kind, out);
}

/* Where the search for a path's child begins.  It is on its way from memory then. */
static void aim(struct work *w, size_t i, uint32_t level) {
    const struct stacks_path *path = &w->paths[w->active[i]];
    uint64_t key = (uint64_t)path->leaf << 32 | w->frames[path->begin + level - 1];
    w->place[i] = hash_words(w->seed, key, level) & (uint32_t)(w->size - 1);
    __builtin_prefetch(&w->children[w->place[i]]);
}

/* The place of a path's child, made when new. */
static enum err find(struct work *w, size_t i, uint32_t level) {
    const struct stacks_path *path = &w->paths[w->active[i]];
    struct child want = {.parent = path->leaf, .frame = w->frames[path->begin + level - 1], .level_many = level << 1};
    uint32_t at = w->place[i];
    for (; w->children[at].level_many >> 1 == level; at = (at + 1) & (uint32_t)(w->size - 1)) {
        if (w->children[at].parent != want.parent || w->children[at].frame != want.frame) continue;
        w->children[at].level_many |= 1;
        w->place[i] = at;
        return ERR_OK;
    }
    enum err e = append(w->s, want.parent, want.frame, &want.node);
    if (e) return e;
    w->children[at] = want;
    w->place[i] = at;
    return ERR_OK;
}

/* The frames from level on of a path that shares no more. */
static enum err append_rest(struct work *w, struct stacks_path *path, uint32_t level) {
    enum err e = ERR_OK;
    for (uint32_t i = level; !e && i < path->n; i++) {
        e = append(w->s, path->leaf, w->frames[path->begin + i], &path->leaf);
    }
    return e;
}

/* The frames of a path further on in the list. */
static void fetch(const struct work *w, size_t i, uint32_t level) {
    if (i < w->n_active) __builtin_prefetch(&w->frames[w->paths[w->active[i]].begin + level - 1]);
}

/* All active paths go one frame down (level counts from 1); those that are through, or alone from there on, are done. */
static enum err go_down(struct work *w, uint32_t level) {
    for (size_t i = 0; i < w->n_active + AHEAD; i++) {
        fetch(w, i + AHEAD, level);
        if (i < w->n_active) aim(w, i, level);
        enum err e = i >= AHEAD ? find(w, i - AHEAD, level) : ERR_OK;
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
