/* What would become of a run. */
#pragma once

#include "console/cli/args.h"

int verb_plan(const struct args *a);
