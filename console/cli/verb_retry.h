#pragma once

#include "console/cli/args.h"

int verb_retry(const struct args *a);
