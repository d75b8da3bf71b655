/* A line of the audit log, read back (docs/audit.md).  What it says is only shown: whether it is true is common/audit's to check. */
#pragma once

#include "common/base/arena.h"
#include "common/base/buf.h"

struct json_audit {
    struct span time, event, who, role, host, campaign, what, where, result, why; /* empty: not there */
    uint64_t hosts;
};
/* In mem.  ERR_SYNTAX: not a JSON object whose members have these types; ERR_NOMEM. */
NODISCARD enum err json_audit_read(struct span line, struct arena *mem, struct json_audit *out);
