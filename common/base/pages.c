#include "common/base/pages.h"

#include <stdint.h>
#include <sys/mman.h>

#include "common/base/err.h"

/* In large pages throughout: the place behind a small one is not filled with a large one later.  SIZE_MAX: more than there can be. */
static size_t whole(size_t bytes) { return bytes > SIZE_MAX / 2 ? SIZE_MAX : (bytes + (PAGES_LARGE - 1)) & ~(size_t)(PAGES_LARGE - 1); }

/* Address space that begins as a large page does. */
static void *reserve(size_t bytes) {
    if (bytes > SIZE_MAX - PAGES_LARGE) return NULL;
    char *p = mmap(NULL, bytes + PAGES_LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return NULL;
    size_t before = (PAGES_LARGE - (uintptr_t)p % PAGES_LARGE) % PAGES_LARGE;
    if (before > 0) munmap(p, before);
    munmap(p + before + bytes, PAGES_LARGE - before);
    return p + before;
}

void *pages_new(size_t bytes) {
    void *p = reserve(whole(bytes));
    if (p) IGNORED(madvise(p, whole(bytes), MADV_HUGEPAGE)); /* ordinary pages serve, too */
    return p;
}

void pages_free(void *p, size_t bytes) { munmap(p, whole(bytes)); }

void *pages_grow(void *p, size_t bytes, size_t more_bytes) {
    size_t old = whole(bytes), new = whole(more_bytes);
    if (old == new) return p;
    void *to = reserve(new);
    if (!to) return NULL;
    if (mremap(p, old, new, MREMAP_MAYMOVE | MREMAP_FIXED, to) != MAP_FAILED) return to;
    munmap(to, new);
    return NULL;
}
