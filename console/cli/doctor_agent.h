/* trawl doctor --agent FILE: the set-up of this host's agent, in the order in which its programs would stumble over it. */
#pragma once

#include "console/cli/doctor.h"

void doctor_agent(struct doctor *d, const char *path);
