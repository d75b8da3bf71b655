/* Bytes → number, seeded against chosen keys.  Callers keep their things in arrays and store the index here.
 * Iteration order is insertion order of the keys that are left.  uthash is behind it and nowhere else. */
#pragma once

#include <stdint.h>

#include "common/base/auto.h"
#include "common/base/err.h"
#include "common/base/span.h"

struct map;

struct map *map_new(void);
void map_free(struct map *m);
AUTO_TYPE(struct map, map_free)

/* NULL when absent.  The pointer may be written through; it dies with the next put or remove. */
uint64_t *map_get(const struct map *m, struct span key);
/* Copies key.  ERR_EXISTS when present (value untouched), ERR_NOMEM. */
NODISCARD enum err map_put(struct map *m, struct span key, uint64_t value);
bool map_remove(struct map *m, struct span key);
size_t map_count(const struct map *m);
typedef void map_each_fn(struct span key, uint64_t value, void *arg);
void map_each(const struct map *m, map_each_fn *fn, void *arg);
