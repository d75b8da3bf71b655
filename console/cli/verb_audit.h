/* trawl audit: who asked for what and what came of it; trawl audit verify: is that what was written? */
#pragma once
#include "console/cli/args.h"
int verb_audit(const struct args *a);
