/* trawl doctor: finds and explains what is wrong with a set-up. */
#pragma once
#include "console/cli/args.h"
int verb_doctor(const struct args *a);
