/* trawl merge: the answer of an evidence bundle, merged again from its parts, without a collector. */
#pragma once
#include "console/cli/args.h"
int verb_merge(const struct args *a);
