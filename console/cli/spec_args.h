/* What a command line orders: run does it, plan asks what would become of it. */
#pragma once

#include "console/cli/ask.h"

/* NULL: there is no such tool; complained of in the verb's name. */
const struct tool *spec_args_tool(const char *verb, const char *name);
/* Everything that can be seen without a collector is right; *out is begun with it.  waves stay a's.  False: complained of. */
bool spec_args_fit(const char *verb, const struct tool *t, const struct args *a, struct spec *out);
/* The rest of it: fleet, tool, flavour, selector and parameters.  ERR_NOMEM. */
NODISCARD enum err spec_args_fill(const struct ask *k, const struct tool *t, const struct args *a, struct spec *s);
