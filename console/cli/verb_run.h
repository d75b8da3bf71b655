/* trawl run: sign an order, start it, follow it, print the merged answer. */
#pragma once
#include "console/cli/args.h"
int verb_run(const struct args *a);
