/* Starting the unprivileged half. */
#pragma once

#include <sys/types.h>

#include "agent/runner/policy.h"

/* Forks and executes policy's agentd as policy's user, without any capability, with sock as its REQUEST_FD and a literal environment.
 * It dies with us.  ERR_NOTFOUND: no such user; ERR_REFUSED: the user is root; ERR_SYS. */
NODISCARD enum err agentd_start(const struct policy *p, const char *config_path, int sock, pid_t *out_pid, struct buf *out_why);
