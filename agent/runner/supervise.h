/* The runner itself: one socket to agentd, and the runs that it asked for.
 * agentd gone or talking nonsense: every run is killed and the runner ends with an error, so that the service manager starts both anew. */
#pragma once

#include "agent/runner/policy.h"

struct supervise_options {
    const struct policy *policy;
    const char *config_path; /* handed on to agentd */
    int sock;                /* -1: make a pair and start agentd; else our end of one, and whoever has the other is agentd */
};

/* Runs until agentd is gone (1) or SIGTERM or SIGINT came (0).  SIGHUP is handed on to agentd, which reads its certificates again.  Nothing that it started is left when it returns. */
NODISCARD int supervise_run(const struct supervise_options *o);
