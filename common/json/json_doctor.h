/* `trawl doctor -o json`. */
#pragma once

#include "common/base/buf.h"

struct json_finding {
    const char *level; /* "ok", "warn" or "FAIL" */
    struct span what, why, remedy;
};

/* One document appended to out, which is as it was on failure.  Errors: ERR_NOMEM; ERR_LIMIT out's cap. */
NODISCARD enum err json_doctor(const struct json_finding *findings, size_t n, struct buf *out);
