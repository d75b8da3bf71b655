/* trawl hosts, campaigns, show, stop: who is there, what was asked, and where every host of a campaign stands. */
#pragma once
#include "console/cli/args.h"
int verb_fleet_hosts(const struct args *a);
int verb_fleet_campaigns(const struct args *a);
int verb_fleet_show(const struct args *a);
int verb_fleet_stop(const struct args *a);
