/* Trust in a certificate that signed something.  Private to common/crypto; loading is in sign.h. */
#pragma once

#include "common/crypto/sign_pem.h"

/* Does chain (own certificate first) lead to one of t's CAs at wall_ns, unrevoked, as a client that may sign?
 * Errors and why: as sign_verify's. */
NODISCARD enum err sign_trust_check(const struct trust *t, uint64_t wall_ns, sign_stack *chain, char *why, size_t why_size);
