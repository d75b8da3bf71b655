/* What would become of a run. */
#pragma once

#include "common/catalog/catalog.h"
#include "console/cli/args.h"
#include "console/cli/ask.h"

/* Decodes a PlanAnswer that has come and prints it as was asked for; out borrows from k.  ERR_NOMEM, ERR_SYNTAX. */
NODISCARD enum err verb_plan_show(struct ask *k, const struct tool *t, const struct args *a, struct plan *out);
int verb_plan(const struct args *a);
