/* Who a certificate speaks for: its one SAN URI, spiffe://FLEET/agent/HOST, …/collector/NAME or …/operator/NAME/AUTHORITY; and what an
 * operator may do.  The one place where authority is judged: consoles' calls, orders, lockdowns and triggers all ask here. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/span.h"
#include "common/wire/limits.h"

enum role { ROLE_NONE, ROLE_AGENT, ROLE_COLLECTOR, ROLE_OPERATOR };

/* What an operator may do; each may what those before it may.  A viewer asks, a runner starts and stops captures, an admin locks the fleet
 * down.  Nobody but operators has any. */
enum authority { AUTHORITY_NONE, AUTHORITY_VIEWER, AUTHORITY_RUNNER, AUTHORITY_ADMIN, AUTHORITY__COUNT };

struct identity {
    enum role role;
    enum authority authority;
    char fleet[LIMIT_NAME_BYTES + 1], name[LIMIT_NAME_BYTES + 1];
    uint64_t expires_wall_ns; /* the certificate's notAfter */
};

/* An operator's certificate that does not name its authority (an old one) is a viewer's.
 * ERR_UNTRUSTED: not of this form, or characters other than [A-Za-z0-9._-].  expires_wall_ns is not touched. */
NODISCARD enum err identity_parse(struct span uri, struct identity *out);
const char *identity_role_name(enum role r); /* "agent" … */

const char *identity_authority_name(enum authority a);    /* "viewer" …, "none" */
enum authority identity_authority_find(struct span name); /* AUTHORITY_NONE: there is no such one */

/* Who may sign orders, as words: a name, or role:AUTHORITY for everybody with at least that. */
#define IDENTITY_MAY_SIGN "role:runner"
/* Are these such words?  False with the first that is not. */
bool identity_may_sign_is_sound(const char *words, struct span *out_bad);
/* Do the words name this operator?  They never raise anybody: a viewer signs nothing, whatever they say.
 * ERR_REFUSED with why, a sentence without its full stop. */
NODISCARD enum err identity_may_sign(const struct identity *who, const char *words, char *why, size_t why_size);
