/* System calls that a role may make.  libseccomp. */
#pragma once

#include "common/base/err.h"

enum seccomp_role {
    SECCOMP_AGENTD, /* a list of calls; any other fails with EPERM, and what only an attacker would try (exec, ptrace, mount, bpf, modules,
                     * …) kills the process */
    SECCOMP_RUNNER, /* a list of calls, which its tools inherit: no network, no modules, no keys, no clocks, no reaching into other
                     * processes; any other fails with ENOSYS */
    SECCOMP_TOOL,   /* on top of the runner's: no mounts, no namespaces; these fail with EPERM */
};

/* For good, for all threads and whatever they start.  The process must have no_new_privs or CAP_SYS_ADMIN.  ERR_SYS, ERR_NOMEM. */
NODISCARD enum err seccomp_enter(enum seccomp_role role);
