#pragma once

#include "console/cli/args.h"

int verb_control_pause(const struct args *a);
int verb_control_resume(const struct args *a);
