#pragma once

#include "console/cli/args.h"

int verb_trigger(const struct args *a);
