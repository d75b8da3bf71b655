/* How a campaign goes: one line that is redrawn on a terminal, else a line per change.
 * "3/3 hosts · 2 running · 1 done", and when there are waves " · wave 2 of 4", when it is paused " · paused" */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "common/base/span.h"

struct progress {
    FILE *to;
    bool terminal, drawn;
    char last[160];
};

void progress_begin(struct progress *p, FILE *to);
/* An encoded CampaignInfo; the form that client_stream wants. */
bool progress_message(void *arg, struct span bytes);
void progress_end(struct progress *p);
