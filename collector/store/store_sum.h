/* A number kept beside each part, by which it is seen when a disk altered it: SQLite has none of its own.  The CRC-32 (zlib's) of the
 * whole key and the body, the same on every machine, with a bit above it: never 0. */
#pragma once

#include "common/wire/part.h"

uint64_t store_sum(const struct part_key *key, struct span body);
