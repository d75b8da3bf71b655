#include "common/wire/allocator.h"

static void *take(void *arg, size_t bytes) {
    struct arena *mem = arg;
    return arena_alloc(mem, bytes);
}

static void release(void *arg, void *piece) {
    (void)arg;
    (void)piece;
}

ProtobufCAllocator allocator_over(struct arena *mem) { return (ProtobufCAllocator){.alloc = take, .free = release, .allocator_data = mem}; }
