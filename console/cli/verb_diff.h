/* trawl diff: one campaign compared with another, or some of its hosts with others of them. */
#pragma once
#include "console/cli/args.h"
int verb_diff(const struct args *a);
