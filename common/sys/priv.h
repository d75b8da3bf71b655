/* Privilege: user and capabilities of this process.  libcap-ng. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "common/base/err.h"

/* Look a user up by name or number.  ERR_NOTFOUND. */
NODISCARD enum err priv_user(const char *name, uid_t *out_uid, gid_t *out_gid);
/* Become uid/gid for good, with exactly the capabilities of mask (bit n: capability n) in permitted, effective, inheritable,
 * ambient and bounding sets, no supplementary groups, no_new_privs.  Async-signal-safe enough for a forked child of a
 * single-threaded process. */
NODISCARD enum err priv_become(uid_t uid, gid_t gid, uint64_t capabilities);
