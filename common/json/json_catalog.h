/* The JSON of docs/json.md: the catalogue (trawl tools).  One object and a newline, appended to out, which is as it was on failure.
 * Errors: ERR_NOMEM; ERR_LIMIT out's cap. */
#pragma once

#include "common/base/buf.h"
#include "common/catalog/catalog.h"

/* only: one tool; NULL: all of them. */
NODISCARD enum err json_catalog(const struct tool *only, struct buf *out);
