/* Job memory with a hard budget: everything of one capture or one frame, freed in one call.
 * Thread: one owner.  In sanitizer builds every piece is a malloc of its own, so overflows are seen. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/auto.h"
#include "common/base/err.h"
#include "common/base/span.h"

struct arena;

/* budget_bytes: the most that will ever be handed out (rounding included).  NULL: out of memory. */
struct arena *arena_new(size_t budget_bytes);
void arena_free(struct arena *mem);
AUTO_TYPE(struct arena, arena_free)
void arena_reset(struct arena *mem); /* forgets all pieces; the budget is whole again */

/* Aligned for any type, not zeroed.  NULL: over the budget or out of memory, then arena_exhausted() is true until reset. */
void *arena_alloc(struct arena *mem, size_t bytes);
/* n elements, zeroed; overflow-safe. */
void *arena_array(struct arena *mem, size_t n, size_t size);
/* A copy in mem, NUL-terminated behind its end.  .p == NULL on failure. */
struct span arena_copy(struct arena *mem, struct span s);
/* Grow an array that lives in mem to at least want elements (doubling).  *cap elements now; new ones are zeroed.  ERR_NOMEM leaves all as it was. */
NODISCARD enum err arena_grow(struct arena *mem, void *array_pointer, size_t *cap, size_t want, size_t elem_size);
/* The same where nobody keeps a pointer into the old array: a large one is not copied, and its memory is not taken twice. */
NODISCARD enum err arena_regrow(struct arena *mem, void *array_pointer, size_t *cap, size_t want, size_t elem_size);
/* So many bytes will be needed, more or less: large blocks from the start, if they are many. */
void arena_expect(struct arena *mem, size_t bytes);
/* A piece that nobody will look at any more.  A large one goes back to the system and to the budget at once; of others nothing happens. */
void arena_release(struct arena *mem, void *piece, size_t bytes);
bool arena_exhausted(const struct arena *mem);
size_t arena_used(const struct arena *mem);
