/* The order in which an order's hosts are chosen and started.  The same seed and names give the same order everywhere and always: a
 * host's place is by SipHash-2-4 of its name, with the seed's eight bytes (little endian) as the first half of the key and zero as the
 * second; hosts of the same hash are by name.  So `--limit 10% --seed 42` means the same hosts whoever works it out, a host that
 * joins or leaves the fleet changes nobody else's place, and names cannot be chosen to be first without knowing the seed. */
#pragma once

#include "common/base/arena.h"
#include "common/base/err.h"
#include "common/base/span.h"

uint64_t sample_hash(uint64_t seed, struct span host);
/* Sorts hosts.  ERR_NOMEM. */
NODISCARD enum err sample_sort(uint64_t seed, struct span *hosts, size_t n);
