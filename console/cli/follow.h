/* From a signed order, or a campaign that is under way, to its end: what run, retry and watch share. */
#pragma once

#include "console/cli/ask.h"

/* Signs spec, under a new campaign's id, into k->request.  False: said why. */
bool follow_sign(struct ask *k, struct spec *spec);
/* Sends the order that is in k->request, follows it and prints the answer.  Returns the exit code. */
int follow_start(struct ask *k, const struct args *a, enum result_kind kind);
/* Until the campaign has ended.  stops: Ctrl-C stops the campaign, a second one leaves it; else the first one leaves it.  False: it is
 * out of sight, or was left; said. */
bool follow_campaign(struct ask *k, const char *id, bool stops);
