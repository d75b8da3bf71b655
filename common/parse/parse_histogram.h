/* Histograms, log2 and linear, with sections and intervals.  TOOLS.md (5.1 … 5.4). */
#pragma once

#include "common/parse/parse_job.h"

NODISCARD enum err parse_histogram(struct parse_job *job);
/* The line begins a histogram: "     usecs               : count     distribution". */
bool parse_histogram_is_header(struct span line, struct span *out_unit);
