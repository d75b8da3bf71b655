/* A number kept beside each part, by which it is seen when a disk altered it: SQLite has none of its own.  Of the whole key and the body,
 * the same on every machine and in every version; never 0.  A change within eight bytes that begin at a multiple of eight always shows, any
 * other but for one time in 2^64. */
#pragma once

#include "common/wire/part.h"

uint64_t store_sum(const struct part_key *key, struct span body);
