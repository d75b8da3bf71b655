/* Stacks: one folded line each, or blocks of frames.  TOOLS.md (5.5). */
#pragma once

#include "common/parse/parse_job.h"

NODISCARD enum err parse_stacks(struct parse_job *job);
