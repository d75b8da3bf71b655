/* Who a certificate speaks for: its one SAN URI, spiffe://FLEET/agent/HOST, …/collector/NAME or …/operator/NAME. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/span.h"
#include "common/wire/limits.h"

enum role { ROLE_NONE, ROLE_AGENT, ROLE_COLLECTOR, ROLE_OPERATOR };

struct identity {
    enum role role;
    char fleet[LIMIT_NAME_BYTES + 1], name[LIMIT_NAME_BYTES + 1];
    uint64_t expires_wall_ns; /* the certificate's notAfter */
};

/* ERR_UNTRUSTED: not of this form, or characters other than [A-Za-z0-9._-].  expires_wall_ns is not touched. */
NODISCARD enum err identity_parse(struct span uri, struct identity *out);
const char *identity_role_name(enum role r); /* "agent" … */
