/* The rows as documentation.  Pure. */
#pragma once

#include "common/catalog/catalog.h"

/* A Markdown table, a line for each tool and flavour: how it is called for ten seconds, what it needs of the kernel, its capabilities,
 * how its print-out is read, and what is known to be wrong with it.  Appended to out.  ERR_NOMEM; ERR_LIMIT out's cap. */
NODISCARD enum err manual_table(struct buf *out);
