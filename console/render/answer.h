/* Merged answers for people and as CSV.  Every one begins with what was asked and where the hosts stand, and names what is
 * missing: a host that is not in the answer, an event that was lost. */
#pragma once

#include "common/wire/query.h"
#include "console/render/screen.h"

/* "runqlat · 2 of 3 hosts · 1 offline · 10 s · campaign 1a2b3c4d": hosts that are missing are said in the first line.  Then what
 * was lost, the hosts that are not ok with their reasons, and the notes.  The same again for each campaign that was added to it. */
void answer_head(const struct answer *a, const struct screen *s);
NODISCARD enum err answer_hist(const struct answer *a, const struct screen *s);
NODISCARD enum err answer_stacks(const struct answer *a, const struct screen *s);
NODISCARD enum err answer_events(const struct answer *a, size_t n, const struct screen *s);

NODISCARD enum err answer_csv_hist(const struct answer *a, FILE *to);
NODISCARD enum err answer_csv_stacks(const struct answer *a, FILE *to);
NODISCARD enum err answer_csv_events(const struct answer *a, FILE *to);
