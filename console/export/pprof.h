/* Stacks as a gzipped Profile of pprof's published profile.proto, with its field numbers.  A sample for each stack, its label "comm" the
 * process; kernel frames are in the mapping "[kernel]".  The answer's head is in the comments. */
#pragma once

#include "common/base/buf.h"
#include "common/wire/query.h"

/* Errors: ERR_NOMEM; ERR_LIMIT out's cap, or over 1 GiB before compression. */
NODISCARD enum err pprof_write(const struct answer *a, struct buf *out);
