/* trawl hist --over time: the rounds of one campaign or, when it has but one, the campaigns that asked the same (tool, parameters, hosts),
 * oldest first. */
#pragma once
#include "console/cli/args.h"
int series_hist(const struct args *a);
