/* Large pieces of zeroed memory, straight from the kernel and in its large pages where it has them: filling one costs one page fault
 * for 512.  Thread: any. */
#pragma once

#include <stddef.h>

enum { PAGES_LARGE = 2 << 20 };

/* NULL: out of memory. */
void *pages_new(size_t bytes);
void pages_free(void *p, size_t bytes);
/* More of it, zeroed; what was there moves without being copied.  NULL: out of memory, then p is as it was. */
void *pages_grow(void *p, size_t bytes, size_t more_bytes);
