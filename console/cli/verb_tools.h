/* trawl tools: the catalogue.  Offline. */
#pragma once
#include "console/cli/args.h"
int verb_tools(const struct args *a);
