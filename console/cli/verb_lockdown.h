/* trawl lockdown [lift|show] [REASON]: an admin stops the whole fleet, or lets it work again. */
#pragma once
#include "console/cli/args.h"
int verb_lockdown(const struct args *a);
