#include "tests/support/fault.h"

#include <errno.h>
#include <stdint.h>

static size_t left; /* chances until the one that fails; 0: none will */
static bool hit;

bool fault_arm(size_t n) {
    bool more = n == 1 || hit;
    hit = false;
    left = more ? n : 0;
    return more;
}

void fault_on(size_t n) { left = n; }

bool fault_hit(void) { return hit; }

void fault_off(void) { left = 0; }

bool fault_now(void) {
    if (left == 0 || --left > 0) return false;
    hit = true;
    return true;
}

static bool out_of_memory(void) {
    if (!fault_now()) return false;
    errno = ENOMEM;
    return true;
}

/* The linker sends our objects' calls of malloc to __wrap_malloc, and __real_malloc to the C library's. */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

void *__wrap_malloc(size_t n) { return out_of_memory() ? NULL : __real_malloc(n); }
void *__wrap_calloc(size_t n, size_t size) { return out_of_memory() ? NULL : __real_calloc(n, size); }
void *__wrap_realloc(void *p, size_t n) { return out_of_memory() ? NULL : __real_realloc(p, n); }
void *__wrap_reallocarray(void *p, size_t n, size_t size) { return out_of_memory() ? NULL : __real_reallocarray(p, n, size); }
