/* How long a run may be: the host's policy decides it, a plan foretells it, in the same words.  Pure. */
#pragma once

#include "common/base/buf.h"

/* Is it none, or over most_s?  Then out_why says so with both figures. */
bool duration_is_refused(uint64_t seconds, uint64_t most_s, struct buf *out_why);
