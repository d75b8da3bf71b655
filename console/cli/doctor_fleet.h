/* trawl doctor's look at the fleet, through what the collector knows of its hosts. */
#pragma once

#include "common/wire/query.h"
#include "console/cli/doctor.h"

void doctor_fleet(struct doctor *d, const struct host_list *l);
