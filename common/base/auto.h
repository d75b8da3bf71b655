/* Cleanup by attribute.  AUTO(arena_free) struct arena *mem = NULL; frees on every way out; TAKE(p) hands out. */
#pragma once

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

static inline void auto_free_pointer(void *pp) {
    void *p = NULL;
    __builtin_memcpy(&p, pp, sizeof p);
    free(p);
}
static inline void auto_close_fd(const int *fd) {
    if (*fd >= 0) close(*fd);
}

#define AUTO_FREE  __attribute__((cleanup(auto_free_pointer)))
#define AUTO_CLOSE __attribute__((cleanup(auto_close_fd)))

/* AUTO(x_free) struct x *p = …; needs AUTO_TYPE(struct x, x_free) once, beside x_free's declaration. */
#define AUTO_TYPE(type, fn)                          \
    static inline void fn##_auto(type *const *pp) { \
        if (*pp) fn(*pp);                            \
    }
#define AUTO(fn) __attribute__((cleanup(fn##_auto)))

#define TAKE(p)                \
    __extension__({            \
        __typeof__(p) t_ = (p); \
        (p) = NULL;            \
        t_;                    \
    })
#define TAKE_FD(fd)      \
    __extension__({      \
        int t_ = (fd);   \
        (fd) = -1;       \
        t_;              \
    })

/* The owner that a struct is embedded in. */
#define container_of(ptr, type, member) \
    __extension__({                                               \
        __typeof__(((type *)0)->member) *m_ = (ptr);              \
        (type *)(void *)((char *)m_ - offsetof(type, member));    \
    })

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
