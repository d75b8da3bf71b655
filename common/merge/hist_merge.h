/* Exact merge of histograms over hosts: counts of equal slots add up.  Unit, scale and section must agree: each such
 * combination is a histogram of its own; intervals are summed (a fleet histogram is over the whole run).
 * Owns its memory.  Thread: one owner. */
#pragma once

#include "common/base/auto.h"
#include "common/model/histogram.h"

struct hist_merge;
struct hist_merge *hist_merge_new(void);
void hist_merge_free(struct hist_merge *m);
AUTO_TYPE(struct hist_merge, hist_merge_free)
/* Slots that overlap without being equal are refused: ERR_REFUSED (nothing of h is added), counted by the caller. */
NODISCARD enum err hist_merge_add(struct hist_merge *m, const struct hist *h);
/* All merged histograms sorted by section, in mem.  drop_sections: merge the sections of each unit and scale too. */
NODISCARD enum err hist_merge_get(const struct hist_merge *m, bool drop_sections, struct arena *mem, struct hist_set *out);
size_t hist_merge_bytes(const struct hist_merge *m); /* memory held, roughly */
