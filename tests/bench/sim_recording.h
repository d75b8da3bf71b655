/* A print-out recorded on a real host, and what simulated hosts make of it: the same shape, numbers of their own. */
#pragma once

#include "common/base/auto.h"
#include "common/catalog/catalog.h"
#include "common/wire/part.h"

struct sim_recording;

/* tool: whose print-out it is; NULL: not known, then the name of the file's folder says (tests/golden/runqlat/…).
 * ERR_SYS the file; ERR_NOTFOUND no such tool; ERR_SYNTAX nothing in it was understood.  why gets a sentence. */
NODISCARD enum err sim_recording_load(const char *path, const char *tool, char *why, size_t why_size, struct sim_recording **out);
void sim_recording_free(struct sim_recording *r);
AUTO_TYPE(struct sim_recording, sim_recording_free)
const struct tool *sim_recording_tool(const struct sim_recording *r);
struct span sim_recording_flavour(const struct sim_recording *r);
/* One host's capture in parts, the last with o.  Each count of a histogram is between half and one and a half of what was recorded, chosen
 * by seed; events and stacks are given as they are.  Errors as part_split. */
NODISCARD enum err sim_recording_split(const struct sim_recording *r, uint64_t seed, const struct outcome *o, part_sink_fn *sink,
                                       void *arg);
