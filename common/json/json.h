/* The JSON of docs/json.md.  jansson is underneath and nowhere else. */
#pragma once

#include "common/base/buf.h"
#include "common/model/capture.h"

/* `trawl parse -o json`: the contract of DESIGN.md (10). */
NODISCARD enum err json_capture(const struct capture *c, struct buf *out);
