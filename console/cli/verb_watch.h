#pragma once

#include "console/cli/args.h"

int verb_watch(const struct args *a);
