/* Exact merge of histograms over hosts: counts of equal slots add up.  Unit, scale and section must agree: each such
 * combination is a histogram of its own; intervals are summed (a fleet histogram is over the whole run).
 * Owns its memory.  Thread: one owner. */
#pragma once

#include <stdbool.h>

#include "common/base/auto.h"
#include "common/model/histogram.h"

struct hist_merge;
struct hist_merge *hist_merge_new(void);
void hist_merge_free(struct hist_merge *m);
AUTO_TYPE(struct hist_merge, hist_merge_free)
/* Slots that overlap without being equal, or are not ascending, are refused: ERR_REFUSED, counted by the caller.  An open slot
 * [low, and above] equals only itself.  ERR_NOMEM.  On any failure nothing of h is added. */
NODISCARD enum err hist_merge_add(struct hist_merge *m, const struct hist *h);
/* All merged histograms in mem, sorted by their sections' keys and values (labels in the order of their keys), then unit, then scale.
 * drop_sections: merge the sections of each unit and scale too; ERR_REFUSED when their slots do not agree. */
NODISCARD enum err hist_merge_get(const struct hist_merge *m, bool drop_sections, struct arena *mem, struct hist_set *out);
/* The one histogram there is, borrowed until the next add.  False: there is none, or several. */
bool hist_merge_only(const struct hist_merge *m, struct hist *out);
size_t hist_merge_bytes(const struct hist_merge *m); /* memory held, roughly */
