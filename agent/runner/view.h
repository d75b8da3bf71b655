/* What a tool sees of the file system: all of it, read-only, with a /tmp of its own and without what is agentd's alone. */
#pragma once

#include "agent/runner/policy.h"

/* Paths that are hidden: a file reads as empty, a folder has nothing in it.  NULL and what does not exist are passed over. */
enum { VIEW_HIDDEN_MAX = 3 };
struct view {
    const char *hidden[VIEW_HIDDEN_MAX];
};

/* agentd's key and its spool: a tool that may read every file (CAP_DAC_READ_SEARCH) has no business there. */
struct view view_of(const struct policy *p);
/* Once, before privileges are dropped: in a bare chroot "/" is no mount, and nothing could be made read-only.  It becomes one: all of it is
 * mounted once more over /proc, in a mount namespace of this process's own, and that is its root, with its own /proc below.  Elsewhere
 * nothing happens.  ERR_SYS: errno says why. */
NODISCARD enum err view_root(void);
/* This process gets it, in a mount namespace of its own.  ERR_SYS: errno says why; it must not go on. */
NODISCARD enum err view_enter(const struct view *v);
