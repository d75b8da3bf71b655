#include "collector/campaign/fleet.h"

#include <stdio.h>

#include "common/base/map.h"

struct fleet {
    struct map *by_name;
    struct fleet_host *hosts;
    size_t n, cap;
};

struct fleet *fleet_new(void) {
    AUTO(fleet_free) struct fleet *f = calloc(1, sizeof *f);
    if (!f) return NULL;
    f->by_name = map_new();
    return f->by_name ? TAKE(f) : NULL;
}

void fleet_free(struct fleet *f) {
    if (!f) return;
    for (size_t i = 0; i < f->n; i++) arena_free(f->hosts[i].mem);
    free(f->hosts);
    map_free(f->by_name);
    free(f);
}

size_t fleet_n(const struct fleet *f) { return f->n; }

struct fleet_host *fleet_host(const struct fleet *f, size_t i) {
    return &f->hosts[i];
}

struct fleet_host *fleet_find(const struct fleet *f, struct span name) {
    const uint64_t *at = map_get(f->by_name, name);
    return at ? &f->hosts[*at] : NULL;
}

static enum err add(struct fleet *f, struct span name, struct fleet_host **out) {
    if (f->n == f->cap) {
        size_t want = f->cap ? 2 * f->cap : 64;
        struct fleet_host *p = reallocarray(f->hosts, want, sizeof *p);
        if (!p) return ERR_NOMEM;
        f->hosts = p;
        f->cap = want;
    }
    enum err e = map_put(f->by_name, name, f->n);
    if (e != ERR_OK) return e;
    struct fleet_host *h = &f->hosts[f->n++];
    *h = (struct fleet_host){0};
    snprintf(h->name, sizeof h->name, "%.*s", (int)name.n, name.p);
    *out = h;
    return ERR_OK;
}

/* How much decoding these took is how much it will take. */
static enum err measure(struct span facts_bytes, size_t *out_bytes) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    struct from_agent from = {0};
    enum err e = mem ? session_decode_from(facts_bytes, mem, &from) : ERR_NOMEM;
    if (e == ERR_OK) *out_bytes = arena_used(mem) + facts_bytes.n + 32;
    return e;
}

enum err fleet_put(struct fleet *f, struct span facts_bytes, struct fleet_host **out) {
    size_t need = 0;
    enum err e = measure(facts_bytes, &need);
    if (e != ERR_OK) return e;
    AUTO(arena_free) struct arena *mem = arena_new(need); /* there is one for each host, so it should be no larger */
    if (!mem) return ERR_NOMEM;
    struct span bytes = arena_copy(mem, facts_bytes);
    if (!bytes.p) return ERR_NOMEM;
    struct from_agent from = {0};
    e = session_decode_from(bytes, mem, &from);
    if (e != ERR_OK) return e;
    if (from.kind != FROM_AGENT_FACTS || from.facts.host.n == 0) return ERR_SYNTAX;
    if (from.facts.host.n > LIMIT_NAME_BYTES) return ERR_LIMIT;
    struct fleet_host *h = fleet_find(f, from.facts.host);
    if (!h && (e = add(f, from.facts.host, &h)) != ERR_OK) return e;
    arena_free(h->mem);
    h->mem = TAKE(mem);
    h->facts = from.facts;
    h->facts_bytes = bytes;
    *out = h;
    return ERR_OK;
}
