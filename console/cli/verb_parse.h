/* trawl parse: a print-out captured by hand → the same result as a capture's.  Offline. */
#pragma once
#include "console/cli/args.h"
int verb_parse(const struct args *a);
