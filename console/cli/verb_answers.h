/* trawl hist, top, stacks, events: the merged answer of a campaign, asked again in another way. */
#pragma once
#include "console/cli/args.h"
int verb_answers_hist(const struct args *a);
int verb_answers_connections(const struct args *a);
int verb_answers_outliers(const struct args *a);
int verb_answers_top(const struct args *a);
int verb_answers_stacks(const struct args *a);
int verb_answers_events(const struct args *a);
