/* The JSON of docs/json.md.  jansson is underneath and nowhere else. */
#pragma once

#include "common/base/buf.h"
#include "common/model/capture.h"

/* `trawl parse -o json`: the contract of DESIGN.md (10).  One object and a newline, appended to out, which is as it was on failure.
 * A capture without a kind gets the one that the catalogue gives its tool.
 * Errors: ERR_NOMEM; ERR_LIMIT out's cap. */
NODISCARD enum err json_capture(const struct capture *c, struct buf *out);
