/* protobuf-c's allocator over an arena: its budget bounds what a hostile message can cost, nothing is freed piece by piece. */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "common/base/arena.h"

/* Keeps mem. */
ProtobufCAllocator allocator_over(struct arena *mem);
