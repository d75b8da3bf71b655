/* Folded stacks, as flamegraph.pl, inferno and speedscope read them: "comm;frame;frame COUNT", root first.  The lines of the answer's head
 * stand before them as "# … #", which these programs pass over: no such line ends in a number. */
#pragma once

#include "common/base/buf.h"
#include "common/wire/query.h"

/* Errors: ERR_NOMEM; ERR_LIMIT out's cap. */
NODISCARD enum err folded_write(const struct answer *a, struct buf *out);
