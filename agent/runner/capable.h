/* What a tool needs of this host besides its binary. */
#pragma once

#include "agent/runner/admit.h"

/* BTF, tracefs, and capabilities of the row that this runner has to give.  ERR_NOTFOUND: why says what is missing. */
NODISCARD enum err capable_host(const struct flavour *f, struct buf *out_why);
/* Names in the parameters that must exist here, such as a disk.  ERR_NOTFOUND: why says which. */
NODISCARD enum err capable_params(const struct params *ps, struct buf *out_why);
