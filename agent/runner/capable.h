/* What a tool needs of this host besides its binary. */
#pragma once

#include "agent/runner/admit.h"
#include "agent/runner/kernel.h"

/* What it runs with here: its row's capabilities, and what this kernel asks for besides (perf_events). */
uint64_t capable_capabilities(const struct flavour *f);
/* BTF, tracefs, what it attaches to, headers, and capabilities of the row that this runner has to give; found without starting it.
 * ERR_NOTFOUND: why says what is missing. */
NODISCARD enum err capable_host(struct kernel *k, const struct flavour *f, struct buf *out_why);
/* It would run here and tell what is not so, as its row knows: why says what. */
bool capable_wrong(struct kernel *k, const struct flavour *f, struct buf *out_why);
/* Names in the parameters that must exist here, such as a disk.  ERR_NOTFOUND: why says which. */
NODISCARD enum err capable_params(const struct params *ps, struct buf *out_why);
