/* trawl export: a campaign's answer in a form that other programs read, on standard output. */
#pragma once
#include "console/cli/args.h"
int verb_export(const struct args *a);
