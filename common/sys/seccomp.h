/* System calls that a role may make; anything else fails with EPERM, and what only an attacker would try (exec, ptrace, mount,
 * bpf, modules, …) kills the process.  libseccomp. */
#pragma once

#include "common/base/err.h"

enum seccomp_role { SECCOMP_AGENTD };
NODISCARD enum err seccomp_enter(enum seccomp_role role);
