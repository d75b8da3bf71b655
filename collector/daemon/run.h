/* The collector put together: queues, threads, signals. */
#pragma once

#include "collector/daemon/settings.h"

/* Runs until SIGTERM or SIGINT.  The process's exit code: 0 asked to end, 1 could not start (said in the log). */
int run_collector(const struct settings *set);
/* Reads everything that a start would read, certificates and the store's every page included, and changes nothing.  0 or 1; says on
 * stdout what was found. */
int run_check(const struct settings *set);
