/* trawl flame: a campaign's merged stacks as an SVG on standard output. */
#pragma once
#include "console/cli/args.h"
int verb_flame(const struct args *a);
